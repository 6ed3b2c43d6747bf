"""The command `make crashtest`: kill the service a thousand times, and say what became of each message."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.crash.mother import AT_ONCE
from tests.crash.points import POINTS
from tests.crash.run import CHANNELS, SENDERS, Outcome, crash

if TYPE_CHECKING:
    from collections.abc import Iterable

IN_FLIGHT = (
    "In flight is a delivery whose claim is on the disk and whose answer is not: no row tells whether its "
    "request has left. The requests begun are counted in the life that died. A life that dies before it has "
    "looked at what was left leaves it to the next, so that one claim is counted at each of their kills. "
    f"No lane has more than {AT_ONCE} in flight in this run."
)
"""What the words of the table mean."""
_MOST_SHOWN = 50
"""Faults that are written out."""


def main() -> int:
    """Read the arguments, kill, and tell; the exit status is 1 when anything was lost or came twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the instants (default: %(default)s)")
    arguments = parser.parse_args()
    console = Console(highlight=False)
    with (
        tempfile.TemporaryDirectory(prefix="pregonero-crash-") as folder,
        Progress(console=console, transient=True) as progress,
    ):
        bar = progress.add_task("Killing", total=arguments.kills)
        run = crash(Path(folder), arguments.kills, arguments.seed, lambda: progress.advance(bar))
        outcome = asyncio.run(run)
    console.print(*tables(outcome), sep="\n")
    for fault in outcome.faults[:_MOST_SHOWN]:
        console.print(f"[red]✗[/] {fault}")
    if outcome.faults:
        console.print(f"{len(outcome.faults)} faults. The same instants again: --seed {arguments.seed}")
    else:
        console.print(
            "[green]✓[/] nothing lost, nothing twice; at no kill more unknown than it left in flight"
        )
    console.print(IN_FLIGHT)
    return 1 if outcome.faults else 0


def tables(outcome: Outcome) -> tuple[Table, Table]:
    """Where lives were cut off, and what became of the messages of each channel."""
    kills = Table("kills", "cut off when", title=f"{outcome.killed.total()} kills", box=SIMPLE)
    kills.add_row(str(outcome.killed[""]), "at any instant")
    for point, when in POINTS.items():
        kills.add_row(str(outcome.killed[point]), when)
    verdict = outcome.verdict
    messages = Table("", *SENDERS, title="what became of the messages", box=SIMPLE)

    def row(name: str, numbers: Iterable[int]) -> None:
        messages.add_row(name, *(f"{n:,}" for n in numbers))

    row("deliveries", (verdict.states[channel].total() for channel in CHANNELS))
    for state in sorted({state for states in verdict.states.values() for state in states}):
        row(f"  {state}", (verdict.states[channel][state] for channel in CHANNELS))
    row("requests accepted (ledger)", (verdict.accepted[channel] for channel in CHANNELS))
    row("in flight at the kills", (outcome.claimed[sender] for sender in SENDERS))
    row("  requests begun", (outcome.in_flight[sender] for sender in SENDERS))
    row("  unknown at the next kill", (outcome.unknown[sender] for sender in SENDERS))
    row("lost", (verdict.lost[channel] for channel in CHANNELS))
    row("doubled", (verdict.doubled[channel] for channel in CHANNELS))
    return kills, messages


if __name__ == "__main__":
    sys.exit(main())
