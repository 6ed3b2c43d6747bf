"""One measurement: what it took, and how it is run in a process of its own.

A fresh process for each, so that no measurement pays for the memory or the rubbish of another.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from bot.app import App
    from bot.dispatcher import Dispatcher

IN_FLIGHT = 50
"""Requests under way at a time, everywhere: as many as a lane has."""
_LOOK = 0.005
_LONGEST = 900
"""Seconds after which a measurement is given up."""


@dataclass
class Run:
    """What one measurement took.

    Attributes:
        messages: How many.
        seconds: By the clock on the wall.
        cpu_seconds: Of this process, all threads.
        peak_mb: The most memory that was ever resident, MiB.
    """

    messages: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Measure what happens inside."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds, self.cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
        self.peak_mb = peak_mb()


def peak_mb(process: int | None = None) -> float:
    """The most memory a process ever had resident. Not `ru_maxrss`, which a child inherits on Linux."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process or 'self'}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def cpu_seconds(process: int) -> float:
    """What a process has used, kernel and threads included: `utime` and `stime` of proc(5)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def core(number: int) -> int:
    """The system's number of the first core that we may use, or the second; of the only one, where it is."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[number % len(cores)]


def on_core(number: int, process: int = 0) -> None:
    """Keep a process (0: this one) on one core, its threads and children to come included."""
    os.sched_setaffinity(process, {core(number)})


def measure(work: Coroutine[Any, Any, Any], *, fast: bool = True) -> None:
    """Run a measurement on one core and print its result.

    Args:
        fast: On uvloop, the loop that `pregonero run` uses; else on asyncio's own.
    """
    on_core(0)
    report(uvloop.run(work) if fast else asyncio.run(work))


def report(result: object) -> None:
    """Print what `in_own_process` reads."""
    print(json.dumps(asdict(result) if isinstance(result, Run) else result))


def in_own_process(module: str, *arguments: object, python: str = sys.executable) -> dict[str, Any]:
    """The result of `python -m benchmarks.<module>`.

    Raises:
        NotMeasuredError: it failed; the last line of what it said is the reason.
    """
    command = [python, "-m", f"benchmarks.{module}", *map(str, arguments)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_LONGEST)
    except OSError:
        raise NotMeasuredError(f"{python} is not here") from None
    except subprocess.TimeoutExpired:
        raise NotMeasuredError(f"it was not done after {_LONGEST} s") from None
    if done.returncode:
        raise NotMeasuredError(next(reversed(done.stderr.strip().splitlines()), f"exit {done.returncode}"))
    result: dict[str, Any] = json.loads(done.stdout)
    return result


class NotMeasuredError(Exception):
    """A measurement that could not be made, and why."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on a real disk: where /tmp is memory, `synchronous=FULL` would cost nothing."""
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent / "results", suffix=".tmp") as folder:
        yield Path(folder)


async def at_once(send: Callable[[int], Coroutine[Any, Any, object]], messages: int) -> None:
    """Send `messages`, as many at a time as a lane does."""
    numbers = iter(range(messages))

    async def work() -> None:
        for number in numbers:
            await send(number)

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


async def until_done(
    app: App, dispatcher: Dispatcher, dispatching: asyncio.Task[None], broadcast: int
) -> None:
    """Wait until nothing of a broadcast is queued or in hand.

    Raises:
        RuntimeError: a lane is in trouble, which no lane should be here.
    """
    while not dispatching.done():
        await asyncio.sleep(_LOOK)
        if troubles := [lane.trouble for lane in dispatcher.lanes if lane.trouble]:
            raise RuntimeError(f"the loopback server was not reached: {troubles}")
        if dispatcher.idle and not (await app.reports.report(broadcast, app.clockwork.now())).open:
            return
    dispatching.result()
