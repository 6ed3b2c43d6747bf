"""A loaded process that brings forth lives of one deployment: each is the whole service, until it is killed.

`python -m tests.lives FOLDER` reads `live` and forks a life, or `arm` and forks somebody who says that the
clock is right; it answers with the pid. All take the time from the file `clock` in the folder, which the
test writes: so hours pass, and clocks jump, as it says. `Lives` is the hand that asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bot import check, clock, dispatcher, log, settling
from bot.app import App
from bot.conversation import Conversation
from bot.dispatcher import AlreadyDispatching
from bot.library import Library
from bot.moments import Clockwork
from bot.service import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from types import TracebackType


class Told:
    """The time as the file `clock` tells it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"

    def now(self) -> datetime:
        """What the wall clock shows, wrong or right: aware UTC."""
        told = self._read()
        return datetime.fromtimestamp(told["begins"] + told["jump"], UTC) + timedelta(seconds=self.ticks())

    def ticks(self) -> float:
        """Seconds that have passed since the test began, whatever the wall clock shows."""
        told = self._read()
        return time.clock_gettime(time.CLOCK_BOOTTIME) - told["booted"] + told["passed"]

    def _read(self) -> dict[str, float]:
        return dict(json.loads(self._file.read_text()))


def opened(folder: Path) -> App:
    """The deployment, by the clock that is told."""
    told = Told(folder)
    project, _ = check.read(folder / "config.toml", os.environ, told.now())
    assert project is not None
    return App(project, Clockwork(now=told.now, jitter=random.random, ticks=told.ticks))


async def arm(folder: Path) -> None:
    """Say that this copy sends, and that its clock is right."""
    async with opened(folder) as app:
        await app.arming.arm("ana")


async def live(folder: Path) -> None:
    """Serve until killed; end at once where another serves already."""
    async with opened(folder) as app:
        try:
            async with serving(app) as (_, working):
                await working
        except AlreadyDispatching:
            return


def bring_forth(folder: Path, does: Mapping[str, Callable[..., Coroutine[object, object, None]]]) -> None:
    """Fork somebody for each line, who does what its first word says; the kernel buries them."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    log.set_up("ERROR")
    clock.BEAT = timedelta(seconds=0.02)
    dispatcher._LOOK = 0.02
    settling.BEAT = 0.02
    # What takes long to load is loaded once for all lives.
    Conversation(Library({}, {}, date.min), {})
    check.check(folder / "config.toml", os.environ, Told(folder).now())
    import_module("twilio.rest.api")
    setattr(Conversation, "prepare", bool)  # noqa: B010 - nobody asks for a place in these lives
    gc.freeze()
    for line in sys.stdin:
        what, *words = line.split()
        pid = os.fork()
        if pid == 0:
            os.close(0)
            asyncio.run(does[what](folder, *words))
            os._exit(0)  # not the mother's work as well
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


class Lives:
    """The lives of one deployment, one after the other or two at once.

    Args:
        begins: What the clocks of the first life show.
        mother: The module that brings them forth.
    """

    def __init__(self, folder: Path, begins: datetime, mother: str = "tests.lives") -> None:
        self._file = folder / "clock"
        self._told = {
            "begins": begins.timestamp(),
            "booted": time.clock_gettime(time.CLOCK_BOOTTIME),
            "passed": 0.0,
            "jump": 0.0,
        }
        self._write()
        with (folder / "mother.err").open("w") as complaints:
            self._mother = subprocess.Popen(
                [sys.executable, "-m", mother, str(folder)],
                cwd=Path(__file__).parents[1],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
            )
        self._living: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._mother.communicate()

    def begin(self, *words: object) -> int:
        """One more life; its pid."""
        self._living.append(self.ask("live", *words))
        return self._living[-1]

    def ask(self, *words: object) -> int:
        """Fork somebody; their pid."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        print(*words, file=self._mother.stdin, flush=True)
        return int(self._mother.stdout.readline())

    def kill(self) -> None:
        """All of them, at once and without a word."""
        for pid in self._living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._living.clear()

    @property
    def now(self) -> datetime:
        """The true time, aware UTC."""
        told = self._told
        passed = time.clock_gettime(time.CLOCK_BOOTTIME) - told["booted"] + told["passed"]
        return datetime.fromtimestamp(told["begins"] + passed, UTC)

    def let_pass(self, time: timedelta) -> None:
        """Time goes by, and all clocks with it."""
        self._told["passed"] += time.total_seconds()
        self._write()

    def show_wrong(self, by: timedelta) -> None:
        """The wall clock goes wrong by so much; by nothing, it is right again."""
        self._told["jump"] = by.total_seconds()
        self._write()

    def _write(self) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(self._told))
        fresh.replace(self._file)


def alive(pid: int) -> bool:
    """Whether a process is there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


async def death(pid: int, patience: float) -> None:
    """Wait for the end of a process, and no longer than that."""
    try:
        file = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(file, over.set)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), patience)
    finally:
        loop.remove_reader(file)
        os.close(file)


if __name__ == "__main__":
    bring_forth(Path(sys.argv[1]), {"live": live, "arm": arm})
