"""A loaded process that brings forth lives of one deployment: each is the whole service, until it is killed.

`python -m tests.lives FOLDER` reads `live` and forks a life, or `arm` and forks somebody who says that the
clock is right; it answers with the pid. Both take the time from the file `clock` in the folder, which the
test writes: so hours pass, and clocks jump, as it says.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import signal
import sys
import time
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path

from bot import check, clock, dispatcher, log
from bot.app import App
from bot.conversation import Conversation
from bot.dispatcher import AlreadyDispatching
from bot.library import Library
from bot.moments import Clockwork


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
            async with app.serving() as (_, working):
                await working
        except AlreadyDispatching:
            return


DOES = {"live": live, "arm": arm}


def main(folder: Path) -> None:
    """Fork a life for each line; the kernel buries them."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    log.set_up("ERROR")
    clock.BEAT = timedelta(seconds=0.02)
    dispatcher._LOOK = 0.02
    # What takes long to load is loaded once for all lives.
    Conversation(Library({}, {}, date.min), {})
    check.check(folder / "config.toml", os.environ, Told(folder).now())
    import_module("twilio.rest.api")
    setattr(Conversation, "prepare", bool)  # noqa: B010 - nobody asks anything in these lives
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.close(0)
            asyncio.run(DOES[line.strip()](folder))
            os._exit(0)  # not the mother's work as well
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
