"""What was decided of each broadcast: a state changes here and nowhere else, and who, when and why is kept.

What may enter: the one road on which a broadcast is made or changes its state, within the caller's
transaction. Which change is right is decided by the rooms beside this one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bot.moments import from_ms, to_ms
from bot.store import deciding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.store import Transaction

State = Literal[
    "draft",
    "submitted",
    "returned",
    "rejected",
    "approved",
    "scheduled",
    "missed",
    "running",
    "paused",
    "done",
    "cancelled",
    "expired",
]
OVER: frozenset[State] = frozenset({"rejected", "done", "cancelled", "expired"})
"""What nothing follows."""

CLOCK = "clock"
"""Who decides when no person does."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who changes something, when, and why.

    Attributes:
        who: Of the staff, or `CLOCK`.
        at: Aware UTC.
        reason: Of a person, in their words. Of the clock, a word of `[report.clock]` in the phrases.
    """

    who: str
    at: datetime
    reason: str | None = None

    def because(self, reason: str) -> Decision:
        """The same, for this reason."""
        return replace(self, reason=reason)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a broadcast's history: its new state, and as `Decision`."""

    state: State
    who: str
    at: datetime
    reason: str | None


def begin(tx: Transaction, row: Mapping[str, object], decision: Decision) -> int | None:
    """Make a broadcast; its number, or None when there is one of this entry, community and moment.

    Args:
        row: The columns of `broadcasts`; of no emergency, approval or correction unless it says so.
    """
    made = tx.one(deciding.BROADCAST_ADD, {"why": None, "hash": None, "corrects": None, **row})
    if made is None:
        return None
    _add(tx, made["id"], row["state"], decision)
    return int(made["id"])


def move(tx: Transaction, broadcast: int, before: State, after: State, decision: Decision) -> bool:
    """Change its state. False, and nothing changed, when it was not in `before`: another was first."""
    if not tx.run(deciding.BROADCAST_STATE, {"id": broadcast, "from": before, "to": after}):
        return False
    _add(tx, broadcast, after, decision)
    return True


def note(tx: Transaction, broadcast: int, state: State, decision: Decision) -> bool:
    """Say why it stays in its state. False when that is the last thing that was said."""
    last = steps(tx, broadcast)[-1:]
    if last and (last[0].state, last[0].who, last[0].reason) == (state, decision.who, decision.reason):
        return False
    _add(tx, broadcast, state, decision)
    return True


def steps(tx: Transaction, broadcast: int) -> tuple[Step, ...]:
    """All that was decided of it, oldest first. Of one made by an earlier version, what came since."""
    rows = tx.rows(deciding.HISTORY, {"broadcast": broadcast})
    return tuple(Step(row["state"], row["who"], from_ms(row["at"]), row["reason"]) for row in rows)


def _add(tx: Transaction, broadcast: int, state: object, decision: Decision) -> None:
    values = {"broadcast": broadcast, "state": state, "who": decision.who, "at": to_ms(decision.at)}
    tx.run(deciding.HISTORY_ADD, values | {"reason": decision.reason})
