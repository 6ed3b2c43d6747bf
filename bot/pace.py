"""One sender's rate budget: when the next request may leave.

Even spacing, not a bucket that empties at once: a vendor counts in its own seconds, and a burst at the seam
of two of them is a burst. Everything that leaves through a sender takes its turn here.
"""

from __future__ import annotations

import asyncio
import time

HEADROOM = 0.95
"""Of the rate we use: what is lost to a network that squeezes 50 ms of our spacing together."""

_CATCH_UP = 0.01
"""Seconds of delay made good at once: an event loop's timer is no finer than that at thousands a second."""


class Pace:
    """Turns at a steady rate.

    Args:
        rate: Messages a second that the vendor allows this sender (segments, where it counts those).
    """

    def __init__(self, rate: float) -> None:
        self._interval = 1 / (rate * HEADROOM)
        self._next = 0.0
        self._rest_until = 0.0

    def rest(self, seconds: float) -> None:
        """Nothing leaves for so long from now; a longer rest that was asked before still holds."""
        self._rest_until = max(self._rest_until, time.monotonic() + seconds)

    @property
    def resting(self) -> float:
        """Seconds until something may leave again; 0 when it may."""
        return max(0.0, self._rest_until - time.monotonic())

    async def turn(self, cost: float = 1) -> None:
        """Wait for the next turn. Only one may wait at a time: the lane sees to that."""
        while True:
            if rest := self.resting:
                await asyncio.sleep(rest)
                continue
            slot = max(self._next, time.monotonic() - _CATCH_UP)
            if (wait := slot - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if not self.resting:
                self._next = slot + cost * self._interval
                return
