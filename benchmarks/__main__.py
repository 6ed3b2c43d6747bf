"""`make bench`: our lanes and answers beside bare ones, a million deliveries, one table, one file of results.

What may enter: the order in which things are measured. Each is measured in a module of its own.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from benchmarks import machine
from benchmarks.runs import in_own_process, scratch, server
from benchmarks.table import table

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = Path(__file__).parent / "results"
CHANNELS = ("telegram", "sms")
_SMALL, _GREAT, _LOUD = 10_000, 1_000_000, 100_000
_LANES_SECONDS = 20
"""How long the lanes work on the great audience; what is left then is settled without them."""
_TO_THE_END = 86_400
_ANSWERS: dict[str, tuple[str, str, str, int]] = {
    "service": ("quiet", "rate", "service", 2_000),
    "bare": ("quiet", "rate", "bare", 20_000),
    "waits": ("quiet", "waits", "service", 600),
    "waits_bare": ("quiet", "waits", "bare", 600),
    "waits_loud": ("loud", "waits", "service", 600),
}
"""What is measured of answers: without or with a broadcast, what, of whom, and how many write."""


@click.command()
@click.option("--full", is_flag=True, help="The million end to end through the lanes (many minutes).")
@click.option("--rounds", default=3, show_default=True, help="How often each thing is measured.")
@click.option("--messages", default=5_000, show_default=True, help="In each measurement of a lane.")
@click.option("--people", default=_GREAT, show_default=True, help="Of the great audience.")
def main(*, full: bool, rounds: int, messages: int, people: int) -> None:
    """Measure everything in one run, turn by turn; everything stays on this machine."""
    console = Console()
    RESULTS.mkdir(exist_ok=True)
    results: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds")}
    results |= {"commit": machine.commit(), "machine": machine.facts()}
    with server() as vendors, scratch() as folder, console.status("") as status:
        _Bench(results, vendors, folder, lambda text: status.update(f"==> {text}")).run(
            rounds=rounds, messages=messages, people=people, most=_TO_THE_END if full else _LANES_SECONDS
        )
    file = RESULTS / f"{results['at'][:10]}-{results['commit']}.json"
    file.write_text(json.dumps(results, indent=1) + "\n")
    console.print(table(results))
    console.print(f"Everything that was measured is kept in benchmarks/results/{file.name}")


class _Bench:
    """One run."""

    def __init__(
        self, results: dict[str, Any], vendors: str, folder: Path, say: Callable[[str], None]
    ) -> None:
        self._results, self._vendors, self._folder, self._say = results, vendors, folder, say

    def run(self, *, rounds: int, messages: int, people: int, most: int) -> None:
        """Measure everything; the results are filled in as they come."""
        self._say(f"writing down {people:,} people")
        great = self._built("audience", "great", people)
        lanes: dict[str, dict[str, list[Any]]] = {
            channel: {"lane": [], "channel": [], "ceiling": []} for channel in CHANNELS
        }
        fan_out: list[Any] = []
        answers: dict[str, list[Any]] = {name: [] for name in _ANSWERS}
        asked = {"quiet": self._built("answers", "quiet", 0), "loud": self._built("answers", "loud", _LOUD)}
        self._results |= {"lanes": lanes, "answers": answers, "fan_out": fan_out, "broadcasts": []}
        for number in range(rounds):
            self._say(f"round {number + 1} of {rounds}: the lanes and the bare client")
            for channel in CHANNELS:
                self._round(channel, messages, lanes[channel], backwards=bool(number % 2))
            self._say(f"round {number + 1} of {rounds}: answers")
            for name in sorted(_ANSWERS, reverse=bool(number % 2)):
                where, what, whom, count = _ANSWERS[name]
                answers[name].append(self._on_copy(asked[where], "answers", what, whom, count))
            self._say(f"round {number + 1} of {rounds}: fan-out to {people:,} people")
            fan_out.append(self._on_copy(great, "audience", "fan-out"))
        for name, audience, seconds in (
            (f"{_SMALL:,}", self._built("audience", "small", _SMALL), _TO_THE_END),
            (f"{people:,}", great, most),
        ):
            self._say(f"one broadcast to {name} people")
            self._results["broadcasts"].append(self._on_copy(audience, "audience", "broadcast", seconds))

    def _round(self, channel: str, messages: int, runs: dict[str, list[Any]], *, backwards: bool) -> None:
        """Each once; every other round the other way about, so that neither always comes first."""
        for how in ("ceiling", "channel", "lane") if backwards else ("lane", "channel", "ceiling"):
            words = ("ceiling",) if how == "ceiling" else ("lanes", how)
            runs[how].append(in_own_process(*words, channel, messages, self._vendors))

    def _built(self, module: str, name: str, people: int) -> Path:
        folder = self._folder / name
        folder.mkdir()
        in_own_process(module, "build", people, folder, self._vendors)
        return folder

    def _on_copy(self, built: Path, module: str, what: str, *more: object) -> dict[str, Any]:
        folder = self._folder / "copy"
        shutil.copytree(built, folder)
        try:
            return in_own_process(module, what, folder, *more)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
