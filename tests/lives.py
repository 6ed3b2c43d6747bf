"""A loaded process that brings forth lives of one deployment: each is the whole service, until it is killed.

`python -m tests.lives FOLDER` forks a life for each line it reads and answers with its pid. A life takes its
time from the file `clock` in the folder, which the test writes: so hours pass, and clocks jump, as it says.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import check, clock, dispatcher
from bot.app import App
from bot.dispatcher import AlreadyDispatching
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


async def live(folder: Path) -> None:
    """Serve until killed; end at once where another serves already."""
    told = Told(folder)
    project, _ = check.read(folder / "config.toml", os.environ, told.now())
    assert project is not None
    clockwork = Clockwork(now=told.now, jitter=random.random, ticks=told.ticks)
    async with App(project, clockwork) as app:
        try:
            async with app.serving() as (_, working):
                await working
        except AlreadyDispatching:
            return


def main(folder: Path) -> None:
    """Fork a life for each line; the kernel buries them."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    clock.BEAT = timedelta(seconds=0.02)
    dispatcher._LOOK = 0.02
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.close(0)
            asyncio.run(live(folder))
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
