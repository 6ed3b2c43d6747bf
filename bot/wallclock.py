"""Whether the wall clock may be believed: somebody can set it, and a machine can wake up in another year.

What may enter: comparing what the clock shows with the seconds that really went by.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.moments import Clockwork

TOLERANCE = timedelta(minutes=5)
"""How far a wall clock may be set at once without anybody being asked: network time corrects less."""


class WallClock:
    """The wall clock, watched from now on.

    Args:
        clockwork: Gives what it shows and the true ticks.
    """

    def __init__(self, clockwork: Clockwork) -> None:
        self._clockwork = clockwork
        self._behind = False
        self.trust()

    def trust(self) -> None:
        """What it shows now is right."""
        self.expect(self._clockwork.now())

    def expect(self, moment: datetime, *, or_later: bool = False) -> None:
        """It should show this now; `or_later`, when nobody knows for how long the machine was off."""
        self._right, self._at, self._behind = moment, self._clockwork.ticks(), or_later

    def agrees(self, shown: datetime) -> bool:
        """Whether it went on as time did since it was last right. What it drifts meanwhile is its own.

        Args:
            shown: What it shows now; whoever judges by it hands in what they judge by, for it may be set
                between two looks.
        """
        ahead = shown - self._right - timedelta(seconds=self._clockwork.ticks() - self._at)
        if ahead < -TOLERANCE or (ahead > TOLERANCE and not self._behind):
            return False
        self.expect(shown)
        return True
