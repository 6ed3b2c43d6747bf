"""When requests may leave through one sender: its rate, its rests, and the breaker.

Even spacing, not a bucket that empties at once: a vendor counts in its own seconds, and a burst at the seam
of two of them is a burst. Everything that leaves through a sender takes its turn here, and rests together
when the vendor asks for it, does not answer, or the sender is broken.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.policy import LONGEST_RETRY, PROBE
from channels.trouble import Later, Unsure

if TYPE_CHECKING:
    from datetime import datetime

    from bot.policy import Decision
    from channels.trouble import Trouble

HEADROOM = 0.95
"""Of the rate we use: what is lost to a network that squeezes 50 ms of our spacing together."""

_CATCH_UP = 0.01
"""Seconds of delay made good at once: an event loop's timer is no finer than that at thousands a second."""
_STUMBLES = 5
"""So many requests in a row without an answer, and the sender rests."""
_WATCHED = 20
"""Of so many requests half without an answer, and it rests too."""


@dataclass(frozen=True, slots=True)
class LaneTrouble:
    """Why a lane rests, or one broadcast waits in it, for staff: a closed reason, and the vendor's code."""

    reason: str
    code: str
    ours: bool


class Pace:
    """Turns at a steady rate.

    Args:
        rate: Messages a second that the vendor allows this sender (segments, where it counts those).

    Attributes:
        trouble: Why nobody can be written to now: the breaker is open while it rests, and then one delivery
            probes. None when the last answer was about one person or none.
        spent: Messages (segments, where the vendor counts those) that have left.
    """

    def __init__(self, rate: float) -> None:
        self.trouble: LaneTrouble | None = None
        self.spent = 0.0
        self._interval = 1 / (rate * HEADROOM)
        self._next = 0.0
        self._rest_until = 0.0
        self._unanswered: deque[bool] = deque(maxlen=_WATCHED)
        self._silent_probes = 0

    def rest(self, seconds: float) -> None:
        """Nothing leaves for so long from now; a longer rest that was asked before still holds."""
        self._rest_until = max(self._rest_until, time.monotonic() + seconds)

    @property
    def resting(self) -> float:
        """Seconds until something may leave again; 0 when it may."""
        return max(0.0, self._rest_until - time.monotonic())

    @property
    def wait(self) -> float:
        """Seconds until the next turn."""
        return max(0.0, self._next - time.monotonic(), self.resting)

    @property
    def turns(self) -> int:
        """How many messages may leave now."""
        now = time.monotonic()
        if now < max(self._next, self._rest_until):
            return 0
        return 1 + int(min(now - self._next, _CATCH_UP) / self._interval)

    def spend(self, cost: float) -> None:
        """Something leaves now; the more it costs, the later the next."""
        self.spent += cost
        self._next = max(self._next, time.monotonic() - _CATCH_UP) + cost * self._interval

    def answered(self) -> None:
        """The vendor answers, and spoke of one person or of our speed."""
        if self.trouble is not None:
            self.trouble = None
            self._silent_probes = 0
            self._unanswered.clear()
        self._unanswered.append(False)

    def weigh(self, trouble: Trouble, decision: Decision, now: datetime) -> None:
        """Rest, if a trouble concerns everyone who is written to through this sender."""
        if decision.lane_until is not None:
            self.rest((decision.lane_until - now).total_seconds())
        if decision.broken:
            self.trouble = LaneTrouble(trouble.reason, trouble.code, ours=True)
        elif isinstance(trouble, Unsure) or (isinstance(trouble, Later) and trouble.wait is None):
            if self.trouble is not None and self.resting:
                return  # it was under way when we began to rest
            self._unanswered.append(True)
            if self.trouble is not None or self._stumbling():
                # Of each probe without an answer nobody may ever know: the longer it lasts, the fewer.
                pause = min(PROBE * 2 ** min(self._silent_probes, 10), LONGEST_RETRY)
                self._silent_probes += 1
                self.rest(pause.total_seconds())
                self.trouble = LaneTrouble(trouble.reason, trouble.code, ours=False)
        else:
            self.answered()

    def _stumbling(self) -> bool:
        last = list(self._unanswered)
        return len(last) >= _STUMBLES and (
            all(last[-_STUMBLES:]) or (len(last) == _WATCHED and 2 * sum(last) >= _WATCHED)
        )
