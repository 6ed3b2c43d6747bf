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


def on_core(core: int, process: int = 0) -> None:
    """Keep a process (0: this one) on one core, its threads to come included, where there are several."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(process, {cores[core % len(cores)]})


def measure(work: Coroutine[Any, Any, Any]) -> None:
    """Run a measurement on one core and on the loop that `pregonero run` uses, and print its result."""
    on_core(0)
    report(uvloop.run(work))


def report(result: object) -> None:
    """Print what `in_own_process` reads."""
    print(json.dumps(asdict(result) if isinstance(result, Run) else result))


def in_own_process(module: str, *arguments: object) -> dict[str, Any]:
    """The result of `python -m benchmarks.<module>`."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@contextmanager
def server() -> Iterator[str]:
    """The vendors' end, on the other core. Its address, without a slash at the end."""
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()  # it ends when nobody holds the other end


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
