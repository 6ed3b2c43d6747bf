"""What the peers with processes of their own share: their queue is full, and is timed while it empties.

What may enter: how such a peer is timed. From the first request that the vendors see to the last, as nobody
should be charged for starting a worker; CPU and memory of every process that takes part.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from benchmarks.programs import session
from benchmarks.runs import Run, cpu_seconds, peak_mb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.vendors import Counter

_LOOK = 0.02
_LONGEST = 60


def drained(messages: int, counter: Counter, leaders: Sequence[int]) -> Run:
    """Wait until the vendors have seen all.

    Args:
        counter: Made before anything was sent.
        leaders: The processes that `started` gave; theirs count, too.

    Raises:
        TimeoutError: they did not see all of it.
    """
    used = _Used(leaders)
    end = time.monotonic() + _LONGEST
    first = 0
    while (seen := counter()) < messages:
        used.look()
        if seen and not first:
            first, started, cpu = seen, time.perf_counter(), used.cpu_seconds
        if time.monotonic() > end:
            raise TimeoutError(f"the vendors saw {seen} of {messages} messages")
        time.sleep(_LOOK)
    seconds = time.perf_counter() - started
    used.look()
    return Run(messages - first, seconds, used.cpu_seconds - cpu, used.peak_mb)


class _Used:
    """What processes have used so far, of which some may be gone already."""

    def __init__(self, leaders: Sequence[int]) -> None:
        self._leaders = leaders
        self._cpu: dict[int, float] = {}
        self._peak: dict[int, float] = {}

    @property
    def cpu_seconds(self) -> float:
        """All of them, threads included."""
        return sum(self._cpu.values())

    @property
    def peak_mb(self) -> float:
        """The sum of the most that each had."""
        return sum(self._peak.values())

    def look(self) -> None:
        """Ask the system again."""
        for process in (member for leader in self._leaders for member in session(leader)):
            with suppress(OSError):  # it has just ended
                self._cpu[process], self._peak[process] = cpu_seconds(process), peak_mb(process)
