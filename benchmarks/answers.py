"""How fast we answer: people write to the real webhooks of the real service, beside a bare handler.

    python -m benchmarks.answers build PEOPLE FOLDER SERVER     a broadcast to so many waits in it to be sent
    python -m benchmarks.answers rate FOLDER WHAT MESSAGES      everybody writes at once
    python -m benchmarks.answers waits FOLDER WHAT MESSAGES     so many a second, while the broadcast leaves

WHAT is `service` (`pregonero run`) or `bare`, a process on the core that is measured; the people and their
vendors are this process, on the other one. Each changes the database, so it is given a copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Literal

import uvloop

from benchmarks import deployment
from benchmarks.asking import Waiting, callers, phones
from benchmarks.runs import Run, measure, on_core, peak_mb, report
from benchmarks.webhooks import webhooks
from bot.app import App

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from benchmarks.asking import Callers
    from benchmarks.webhooks import Webhook
    from channels.base import ChannelName

    What = Literal["service", "bare"]

CHANNELS: tuple[ChannelName, ...] = ("telegram", "sms")
A_SECOND = 50
"""How many people write in a second while their waits are measured."""
_WARM = 300
"""How many write before anything is measured, so that nobody pays for what is built only once."""
_LONGEST, _LAST = 300, 20
"""Seconds after which a measurement is given up, and after which a process that was told to end is killed."""
_STARTER = Path(__file__).parents[1] / "content"


@dataclass(frozen=True, slots=True)
class _Measured:
    """A process at work, and the people who write to it.

    Attributes:
        asked: What they write.
    """

    process: int
    calls: Callers
    waiting: Waiting
    asked: list[Webhook]

    @contextlib.contextmanager
    def timed(self, run: Run) -> Iterator[None]:
        """Measure what happens inside: the time by our clock, CPU and memory of the process."""
        cpu = _cpu_seconds(self.process)
        with run.timed():
            yield
        run.cpu_seconds, run.peak_mb = _cpu_seconds(self.process) - cpu, peak_mb(self.process)


async def build(people: int, folder: Path, server: str) -> Run:
    """Write a deployment with the starter's content, and a broadcast to `people`, if any."""
    run = Run(people)
    _write(folder, server)
    async with App(deployment.read(folder)) as app:
        with run.timed():
            await deployment.fill(app, people, CHANNELS)
            if people:
                await deployment.announce(app)
        await app.store.forget()
    return run


async def rate(folder: Path, what: What, messages: int) -> Run:
    """Everybody writes as soon as there is a free connection, until the last one has a reply."""
    run = Run(messages)
    async with _at_work(folder, what, messages) as measured:
        with measured.timed(run):
            await measured.calls.at_once(measured.asked)
    return run


async def waits(folder: Path, what: What, messages: int) -> dict[str, Any]:
    """How long people wait, in milliseconds, and how many messages of the broadcast left meanwhile."""
    run = Run(messages)
    async with _at_work(folder, what, messages) as measured:
        waiting = measured.waiting
        waiting.seconds.clear()
        others = waiting.others
        with measured.timed(run):
            await measured.calls.steadily(measured.asked, A_SECOND)
        others = waiting.others - others
    hundredths = quantiles((1000 * seconds for seconds in waiting.seconds), n=100)
    return {
        "run": vars(run),
        "median_ms": hundredths[49],
        "p99_ms": hundredths[98],
        "most_ms": 1000 * max(waiting.seconds),
        "others": others,
    }


@contextlib.asynccontextmanager
async def _at_work(folder: Path, what: What, messages: int) -> AsyncIterator[_Measured]:
    """What is to be measured, warm, with people and vendors around it."""
    waiting, port = Waiting(), _free_port()
    async with asyncio.timeout(_LONGEST), phones(waiting) as vendors:
        _write(folder, vendors, port)
        project = deployment.read(folder)
        command = ["bot", "run", "--config", str(folder / "config.toml")]
        if what == "bare":
            command = ["benchmarks.bare", str(port)]
        async with _process(*command) as process, callers(port, waiting, answers=what == "service") as calls:
            await calls.at_once(webhooks(project, _WARM))
            yield _Measured(process, calls, waiting, webhooks(project, messages, _WARM))


@contextlib.asynccontextmanager
async def _process(*command: str) -> AsyncIterator[int]:
    """`python -m` something on the core that is measured, once it says that it runs; ended at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command), stdout=asyncio.subprocess.PIPE
    )
    try:
        on_core(0, process.pid)
        on_core(1)
        assert process.stdout is not None
        if not await process.stdout.readline():
            raise ValueError(f"{command[0]} did not start")
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _LAST)
        if process.returncode is None:
            process.kill()


def _write(folder: Path, vendors: str, port: int = 8080) -> None:
    deployment.write(folder, CHANNELS, vendors, port)
    shutil.copytree(_STARTER, folder / "content", dirs_exist_ok=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cpu_seconds(process: int) -> float:
    """What a process has used, its threads included: `utime` and `stime` of proc(5)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["build", people, folder, server]:
            measure(build(int(people), Path(folder), server))
        case ["rate", folder, "service" | "bare" as what, messages]:
            report(uvloop.run(rate(Path(folder), what, int(messages))))
        case ["waits", folder, "service" | "bare" as what, messages]:
            report(uvloop.run(waits(Path(folder), what, int(messages))))
