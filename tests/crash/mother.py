"""Brings forth the lives of a crash run: `python -m tests.crash.mother FOLDER`, asked as `tests.lives` is.

`live POINT N` is the whole service, which dies at the N-th time that it crosses a point of `points.IN_LIFE`;
`live` alone is cut off by others. `announce ENTRY` says that an entry is to go to everybody, now.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from bot import app as parts
from bot import consent
from bot.broadcasts.wanted import Wanted
from tests import lives
from tests.crash.points import Order, wrap

AT_ONCE = 8
"""Requests that a lane of these lives may have in flight."""
A_VISIT = timedelta(days=6)
"""How long strangers are remembered here: a thousand kills take days, and replies are judged at the end."""
PLACE = "fresno"


async def live(folder: Path, point: str = "", times: str = "0") -> None:
    """Serve until killed."""
    parts._IN_FLIGHT = AT_ONCE
    consent.VISIT = A_VISIT
    wrap(Order(os.getpid(), point, int(times), folder / "met"), folder / "in-flight")
    await lives.live(folder)


async def announce(folder: Path, entry: str) -> None:
    """Make a broadcast that is due in a moment: the service that lives then fans it out."""
    async with lives.opened(folder) as app:
        now = app.clockwork.now()
        found, place = app.project.library.entries[entry], app.project.communities[PLACE]
        wanted = Wanted(found, place, entry, now + timedelta(milliseconds=1))
        await app.broadcasts.announce(wanted, by="ana", now=now)


if __name__ == "__main__":
    lives.bring_forth(Path(sys.argv[1]), {"live": live, "announce": announce})
