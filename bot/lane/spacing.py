"""How soon the same person may be written to again through one sender, where its vendor counts that."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channels.base import Channel


class Spacing:
    """The last messages of one sender; a restart forgets them, which costs a second at most."""

    def __init__(self, channel: Channel) -> None:
        self._seconds = channel.spacing
        self._next: dict[bytes, float] = {}  # sealed: in the order in which they were written to

    def wait(self, sealed: bytes) -> timedelta | None:
        """How long this person's next message must wait; None when it may go."""
        until = self._next.get(sealed)
        wait = until - time.monotonic() if until is not None else 0.0
        return timedelta(seconds=wait) if wait > 0 else None

    def spend(self, sealed: bytes, address: str) -> None:
        """They are written to now."""
        if not (seconds := self._seconds(address)):
            return
        now = time.monotonic()
        while self._next and (first := next(iter(self._next))) and self._next[first] <= now:
            del self._next[first]
        self._next.pop(sealed, None)
        self._next[sealed] = now + seconds
