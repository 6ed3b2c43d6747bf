"""Brings forth lives that one message kills: `python -m tests.poisoned FOLDER`, asked as `tests.lives` is.

The process ends in the middle of sending, without a word, as a fault in a library's C code would end it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from channels.sms import Sms
from tests import lives
from tests.deployment import number

if TYPE_CHECKING:
    from channels.base import Part

POISON = number(20)
"""Whose message it is."""


async def live(folder: Path) -> None:
    """Serve until killed."""
    send = Sms.send

    async def deadly(self: Sms, address: str, part: Part, key: str, replaces: str | None = None) -> str:
        if address == POISON:
            os._exit(1)
        return await send(self, address, part, key, replaces)

    Sms.send = deadly  # type: ignore[method-assign] # in this life alone
    await lives.live(folder)


if __name__ == "__main__":
    lives.bring_forth(Path(sys.argv[1]), {"live": live})
