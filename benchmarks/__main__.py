"""`make bench`: everything beside everything else, in one run, turn by turn; a table, a file, a picture.

What may enter: the order in which things are measured. Each is measured in a module of its own.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from benchmarks import machine, million
from benchmarks.field import FIELD, in_turns, measured
from benchmarks.figures import summed
from benchmarks.programs import PEERS, MissingError
from benchmarks.runs import NotMeasuredError, in_own_process, scratch
from benchmarks.table import table
from benchmarks.vendors import vendors

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = Path(__file__).parent / "results"
_ANSWERS: dict[str, tuple[str, str, str, int]] = {
    "service": ("quiet", "rate", "service", 2_000),
    "bare": ("quiet", "rate", "bare", 20_000),
    "waits": ("quiet", "waits", "service", 600),
    "waits_bare": ("quiet", "waits", "bare", 600),
    "waits_loud": ("loud", "waits", "service", 600),
}
"""What is measured of answers: without or with a broadcast, what, of whom, and how many write."""


@dataclass(frozen=True, slots=True)
class _Size:
    """How much is measured.

    Attributes:
        share: By what the messages of each measurement are divided.
        people: Of the great audience.
        loud: Of the audience that is told something while people write.
        queued: Deliveries that are leaving when the emergency comes; some 6,000 are gone by then.
    """

    rounds: int
    share: int
    people: int
    loud: int
    queued: int


_WHOLE = _Size(rounds=5, share=1, people=1_000_000, loud=100_000, queued=57_000)
_QUICK = _Size(rounds=1, share=6, people=45_000, loud=40_000, queued=26_000)


@click.command()
@click.option("--quick", is_flag=True, help="One round of everything, with fewer messages and people.")
def main(*, quick: bool) -> None:
    """Measure everything in one run, turn by turn; everything stays on this machine."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    console, began = Console(width=132), time.monotonic()
    RESULTS.mkdir(exist_ok=True)
    results: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "quick": quick}
    results |= {"commit": machine.commit(), "machine": machine.facts()}
    try:
        with scratch() as folder, vendors(folder) as server, console.status("") as status:
            say = lambda text: status.update(f"==> {text}")  # noqa: E731 - the one line that a status needs
            _Bench(results, _QUICK if quick else _WHOLE, server, folder, say).run()
    except MissingError as missing:
        raise click.ClickException(
            f"{missing}; `rm -r .peers` and `make bench` try to get it once more"
        ) from None
    results["took"] = round(time.monotonic() - began)
    file = RESULTS / f"{results['at'][:10]}-{results['commit']}{'-quick' if quick else ''}.json"
    subjects = (f"{json.dumps(name)}: {json.dumps(what)}" for name, what in results.items())
    file.write_text("{\n" + ",\n".join(subjects) + "\n}\n")
    console.print(table(results))
    for what, why in results["missing"].items():
        console.print(f"not measured: {what}: {why}", style="yellow", markup=False)
    console.print(
        f"It took {results['took']} s. Everything that was measured is kept in benchmarks/results/{file.name}"
    )
    _draw(file, console)


class _Bench:
    """One run. The results are filled in as they come."""

    def __init__(
        self, results: dict[str, Any], size: _Size, server: str, folder: Path, say: Callable[[str], None]
    ) -> None:
        self._results, self._size, self._server, self._folder, self._say = results, size, server, folder, say
        self._recorded = folder / "recorded.json"

    def run(self) -> None:
        """Measure everything."""
        people = self._size.people
        recorded = in_own_process("recorded")
        self._recorded.write_text(json.dumps(recorded))
        texts = {channel: request["text"] for channel, request in recorded.items()}
        self._say(f"writing down {people:,} people")
        great, empty = self._built("audience", "great", people), self._built("audience", "empty", 0)
        asked = {"quiet": self._built("answers", "quiet", 0)}
        asked["loud"] = self._built("answers", "loud", self._size.loud)
        self._results |= {"missing": {}, "rates": {one.name: [] for one in FIELD}}
        self._results |= {"answers": {name: [] for name in _ANSWERS}, "fan_out": [], "emergency": []}
        for number in range(self._size.rounds):
            self._field(number, texts)
            self._answers(number, asked)
            self._say(f"{self._round(number)}: fan-out to {people:,} people")
            self._try(self._results["fan_out"], "fan-out", self._on_copy, great, "audience", "fan-out")
            self._say(f"{self._round(number)}: an emergency under {self._size.queued:,} messages")
            self._emergency()
        self._million(great, empty)
        self._say("what an SMS costs")
        self._results["cost"] = in_own_process("cost")

    def _round(self, number: int) -> str:
        return f"round {number + 1} of {self._size.rounds}"

    def _field(self, number: int, texts: dict[str, str]) -> None:
        """Everybody who sends, in turns."""
        turns: dict[str, list[dict[str, Any] | None]] = {one.name: [] for one in FIELD}
        for one, messages in in_turns(number):
            self._say(f"{self._round(number)}: {one.shown}")
            how = (one, messages // self._size.share, self._server, self._recorded, texts[one.channel])
            self._try(turns[one.name], one.name, measured, *how)
        for name, runs in turns.items():
            self._results["rates"][name].append(summed(runs))

    def _answers(self, number: int, asked: dict[str, Path]) -> None:
        for name in sorted(_ANSWERS, reverse=bool(number % 2)):
            self._say(f"{self._round(number)}: answers, {name}")
            where, what, whom, count = _ANSWERS[name]
            more = (asked[where], "answers", what, whom, count // min(self._size.share, 3))
            self._try(self._results["answers"][name], f"answers, {name}", self._on_copy, *more)

    def _emergency(self) -> None:
        folder = self._folder / "emergency"
        folder.mkdir()
        try:
            more = ("emergency", self._size.queued, folder)
            self._try(self._results["emergency"], "emergency", in_own_process, *more)
        finally:
            shutil.rmtree(folder)

    def _million(self, great: Path, empty: Path) -> None:
        """The great audience end to end, starting with it and without, and what folding gives back."""
        startup: dict[str, list[Any]] = {"empty": [], "full": []}
        self._results |= {"startup": startup, "million": [], "fold": []}
        self._say(f"{self._size.people:,} deliveries end to end")
        self._try(self._results["million"], "end to end", million.watched, great, self._server)
        for _ in range(self._size.rounds):
            self._say("starting, with an empty file and with a full one")
            self._try(startup["empty"], "start-up, empty", in_own_process, "startup", empty)
            self._try(startup["full"], "start-up, full", in_own_process, "startup", great)
        self._say("folding what is old")
        self._try(self._results["fold"], "folding", in_own_process, "audience", "fold", great)

    def _try(self, runs: list[Any], name: str, work: Callable[..., dict[str, Any]], *more: object) -> None:
        """Keep what a measurement gives, or None and why: the rounds stay beside each other."""
        try:
            runs.append(work(*more))
        except NotMeasuredError as reason:
            runs.append(None)
            self._results["missing"][name] = str(reason)

    def _built(self, module: str, name: str, people: int) -> Path:
        folder = self._folder / name
        folder.mkdir()
        in_own_process(module, "build", people, folder, self._server)
        return folder

    def _on_copy(self, built: Path, module: str, what: str, *more: object) -> dict[str, Any]:
        folder = self._folder / "copy"
        shutil.copytree(built, folder)
        try:
            return in_own_process(module, what, folder, *more)
        finally:
            shutil.rmtree(folder)


def _draw(file: Path, console: Console) -> None:
    """The picture, in the peers' environment, which has what draws it."""
    command = [str(PEERS / "bin" / "python"), "-m", "benchmarks.plot", str(file)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        console.print("There is no picture of it: matplotlib is not in .peers/", style="yellow")
    else:
        console.print(f"and drawn in benchmarks/results/{file.stem}.svg")


if __name__ == "__main__":
    main()
