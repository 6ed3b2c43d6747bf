"""Green or red: what is seen of the service, judged. Pure.

What may enter: when somebody must look, and in which closed word that is told. Red is what does not mend
itself: a lane that stands still with something to send, a fault of ours in a sender or in what a broadcast
says, a disk without room, a dispatcher that does not beat. A lane that waits because its vendor asked for it
is told, and is not red.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bot.arming import DOUBTS
from bot.disk import RESERVE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.arming import Off
    from bot.pace import LaneTrouble

STANDSTILL = 120.0
"""Seconds in which nothing ended although something waits: longer than the slowest vendor takes."""
_SILENT = 30.0
"""Seconds without the dispatcher's beat, of which there are two a second."""

Status = Literal["ok", "degraded", "failing"]
Condition = Literal["ok", "resting", "trouble", "broken", "stuck", "off"]
"""Of a lane. "resting": its vendor asked us to wait. "trouble": its vendor does not answer. "broken": ours to
mend. "stuck": something waits and nothing moves. "off": this copy may not send."""
_RED = frozenset({"broken", "stuck"})


@dataclass(frozen=True, slots=True)
class Shown:
    """What a lane shows of itself.

    Attributes:
        trouble: Why nothing can be sent; None when all is well.
        resting: Seconds until it may send again.
        still: Seconds for which something has waited and nothing has ended; 0 when something moves.
        waiting: Whether something waits that may leave now.
        unreceipted: Whether far more receipts are missing than usual.
        refused: The broadcasts that wait because its vendor refuses what they say.
    """

    trouble: LaneTrouble | None = None
    resting: float = 0.0
    still: float = 0.0
    waiting: bool = False
    unreceipted: bool = False
    refused: Mapping[int, LaneTrouble] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LaneHealth:
    """How one lane is.

    Attributes:
        reason: A closed word: the trouble's, of `phrases`' table of reasons, or why this copy may not send.
        seconds: Until it may send again.
        refused: The broadcasts that wait alone, each with its closed word.
    """

    condition: Condition
    reason: str = ""
    seconds: int = 0
    unreceipted: bool = False
    refused: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """How the service is.

    Attributes:
        reasons: What concerns all of it, in closed words.
    """

    status: Status
    reasons: Sequence[str] = ()
    lanes: Mapping[str, LaneHealth] = field(default_factory=dict)

    def row(self) -> dict[str, object]:
        """As JSON tells it."""
        return {
            "status": self.status,
            "reasons": list(self.reasons),
            "lanes": {sender: _told(lane) for sender, lane in self.lanes.items()},
        }


def judge(
    lanes: Mapping[str, Shown],
    *,
    off: Off | None,
    beat_age: float | None,
    free_bytes: int,
    unusable: str | None,
) -> Health:
    """Judge what was seen.

    Args:
        off: Why this copy may not send; in doubt of the clock replies and emergencies leave all the same.
        beat_age: Seconds since the dispatcher's last beat; None before its first.
        free_bytes: On the disk of the database.
        unusable: Why the last that was to be written could not be.
    """
    red = []
    if unusable:
        red.append(f"database-{unusable}")
    elif free_bytes < RESERVE:
        red.append("database-full")
    shut = None if off in DOUBTS else off
    if not shut and beat_age is not None and beat_age > _SILENT:
        red.append("no-beat")
    conditions = {sender: _lane(shown, shut) for sender, shown in lanes.items()}
    held = shut is not None and any(shown.waiting for shown in lanes.values())
    if red or held or any(lane.condition in _RED or lane.refused for lane in conditions.values()):
        status: Status = "failing"
    elif off or any(lane.condition != "ok" or lane.unreceipted for lane in conditions.values()):
        status = "degraded"
    else:
        status = "ok"
    return Health(status, (*red, *([off] if off else [])), conditions)


def _lane(shown: Shown, off: Off | None) -> LaneHealth:
    condition, reason = _condition(shown, off)
    refused = {broadcast: trouble.reason for broadcast, trouble in shown.refused.items()}
    return LaneHealth(condition, reason, round(shown.resting), shown.unreceipted, refused)


def _condition(shown: Shown, off: Off | None) -> tuple[Condition, str]:
    trouble = shown.trouble
    if off is not None:
        return "off", off
    if trouble is not None and trouble.ours:
        return "broken", trouble.reason
    if shown.still >= STANDSTILL:
        return "stuck", trouble.reason if trouble else ""
    if trouble is not None:
        return "trouble", trouble.reason
    return ("resting", "rate-limited") if shown.resting else ("ok", "")


def _told(lane: LaneHealth) -> dict[str, object]:
    """What there is to tell, and no more."""
    told: dict[str, object] = {"state": lane.condition}
    if lane.reason:
        told["reason"] = lane.reason
    if lane.seconds:
        told["seconds"] = lane.seconds
    if lane.unreceipted:
        told["receipts"] = "missing"
    if lane.refused:
        told["broadcasts"] = lane.refused
    return told
