"""Whether the disk takes what must be written down, as those who write have found it.

What may enter: how the service lives with a full disk. How SQLite tells of one is `store/faults.py`.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.store import Unusable

RESERVE = 64 * 1024 * 1024
"""Bytes that broadcasts leave to what people write, above all to their BAJA: some 100,000 messages."""
AGAIN = 5.0
"""Seconds before what found no room is tried again."""
_MEMORY = 2 * AGAIN
"""So long after nobody found the disk full any more, it is not."""


class Disk:
    """The disk of one database.

    Args:
        database: Its file.
        ticks: Seconds that only go on.
    """

    def __init__(self, database: Path, ticks: Callable[[], float]) -> None:
        self._folder = database.parent
        self._ticks = ticks
        self._full_at = float("-inf")

    def passing(self, fault: Unusable) -> bool:
        """Note a fault of the database; whether it passes by itself, so that it is to be tried again."""
        if fault.why == "full":
            self._full_at = self._ticks()
        return fault.passes

    @property
    def full(self) -> bool:
        """Whether somebody has just found no room."""
        return self._ticks() - self._full_at < _MEMORY

    @property
    def short(self) -> bool:
        """Whether less is left than the reserve: announcements wait then."""
        return shutil.disk_usage(self._folder).free < RESERVE
