"""What to do next with a delivery that did not go through: one pure table.

Trouble in, decision out. No vendor's word, no clock and no chance of its own: `now` and `jitter` are handed
in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from channels.trouble import Broken, Gone, Later, Refused, Unsure

if TYPE_CHECKING:
    from collections.abc import Callable

    from channels.trouble import Trouble

NEXT_PART = timedelta(seconds=1)
"""Between two parts of a text: Telegram wants no more than one message a second in one chat."""
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=15)
MOST_ATTEMPTS = 300
"""About 72 hours at the longest pause: how long a text without `valid_until` is tried.

Who was told by the vendor when to come back is not counted out: it speaks of our speed, not of them.
"""
MOST_DEATHS = 3
"""With how many processes a delivery may die: it may be what kills them, and is not sent any more."""
PROBE = timedelta(seconds=30)
"""How long a lane, or a text, rests after a fault of ours before one delivery tries again."""

NextState = Literal["queued", "failed", "expired", "unknown"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows.

    Attributes:
        state: The delivery's next state.
        reason: A closed word, told to staff in their language.
        due_at: When a queued delivery may be tried again.
        person: The subscriber's next state, when the trouble is about them.
        lane_until: Nothing leaves through this sender before then.
        broken: The lane's trouble is ours to mend; staff are told.
        refused: The trouble is with the text, and ours to mend: it waits alone; staff are told.
    """

    state: NextState
    reason: str
    due_at: datetime | None = None
    person: Literal["left", "gone"] | None = None
    lane_until: datetime | None = None
    broken: bool = False
    refused: bool = False


def decide(
    trouble: Trouble,
    *,
    attempt: int,
    now: datetime,
    valid_until: datetime | None,
    jitter: Callable[[], float],
) -> Decision:
    """The next step of one delivery.

    Args:
        trouble: One of the five kinds.
        attempt: How many requests were begun for it, this one included.
        now: Aware UTC.
        valid_until: After that nobody wants it any more; None when it does not spoil.
        jitter: Gives a number in [0, 1), so that retries do not march in step.
    """
    match trouble:
        case Later(wait=timedelta() as wait):
            # The vendor speaks of the sender, not of this person: everything that leaves through it waits.
            return _again(trouble, attempt, now + wait, valid_until, lane_until=now + wait)
        case Later():
            pause = min(FIRST_RETRY * 2 ** min(attempt - 1, 10), LONGEST_RETRY)
            return _again(trouble, attempt, now + pause * (0.5 + jitter() / 2), valid_until)
        case Broken(text=True):
            return Decision("queued", trouble.reason, due_at=now + PROBE, refused=True)
        case Broken():
            return Decision("queued", trouble.reason, due_at=now, lane_until=now + PROBE, broken=True)
        case Gone(moved_to=str()):
            return _again(trouble, attempt, now, valid_until)
        case Gone(left=left):
            return Decision("failed", trouble.reason, person="left" if left else "gone")
        case Unsure():
            return Decision("unknown", trouble.reason)
        case Refused():
            return Decision("failed", trouble.reason)
    raise AssertionError(f"a sixth kind of trouble: {type(trouble).__name__}")


def _again(
    trouble: Trouble,
    attempt: int,
    due_at: datetime,
    valid_until: datetime | None,
    lane_until: datetime | None = None,
) -> Decision:
    if valid_until is not None and due_at >= valid_until:
        return Decision("expired", trouble.reason, lane_until=lane_until)
    if attempt >= MOST_ATTEMPTS and lane_until is None:
        return Decision("failed", trouble.reason)
    return Decision("queued", trouble.reason, due_at=due_at, lane_until=lane_until)
