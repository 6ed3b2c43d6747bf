"""Corrections: whoever may have got a wrong text is told the right one, and nobody else is.

A correction is a broadcast of its own, made of the wrong one's deliveries. Who may have got the wrong text
gets the right one under a heading; where the channel can change what was sent, their copy is made right
first, silently. Who was still to get it gets the right text alone. The wrong texts stay where they are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from bot.broadcasts import history
from bot.broadcasts.approval import hash_of
from bot.broadcasts.mending import Before, Mending, mended, stop
from bot.broadcasts.reports import ANNOUNCEMENT, EMERGENCY
from bot.broadcasts.wanted import is_over
from bot.moments import from_ms, to_ms
from bot.news import PREFIX
from bot.store import corrections, folding, settling, sql

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.broadcasts.history import Decision
    from bot.current import Current
    from bot.store import Store, Transaction

Row = dict[str, Any]

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Corrected:
    """What came of it.

    Attributes:
        wrong: The broadcast that is corrected: of one with corrections, the last of them.
        outcome: "made"; "submitted", it waits for a second person; or why there is none: "unchanged", people
            would read the same; "unsaid", nobody was sent anything; "digest", which has no text of its own;
            "gone", as the entry or the community is; "forgotten", nobody knows any more who got it.
        broadcast: The correction.
        told: How many get the correction.
        instead: How many get the right text alone.
    """

    wrong: int
    outcome: Literal["made", "submitted", "unchanged", "unsaid", "digest", "gone", "forgotten"]
    broadcast: int | None = None
    told: int = 0
    instead: int = 0


class Corrections:
    """Corrections in one store, made of what the deployment's texts are now."""

    def __init__(self, store: Store, current: Current) -> None:
        self._store = store
        self._current = current

    async def correct(self, broadcast: int, decision: Decision) -> Corrected:
        """Correct what a broadcast said, by what its entry says now. What is still to leave of it never does.

        Raises:
            KeyError: there is no such broadcast.
            Faults: a text cannot be said now; nothing was made, and nothing was stopped.
        """
        row, texts, before, forgotten = await self._store.read(lambda tx: _find(tx, broadcast))
        number = int(row["id"])
        if row["entry"].startswith(PREFIX):
            return Corrected(number, "digest")
        mending = self._mending(row, texts, before, decision.at)
        if not texts:
            return Corrected(number, "unsaid")
        if mending is None:
            return Corrected(number, "gone")
        if not mending.changed:
            return Corrected(number, "unchanged")
        if forgotten:
            return Corrected(number, "forgotten")
        return await self._store.write(lambda tx: self._make(tx, row, mending, decision))

    async def prepare(self, correction: Mapping[str, Any], now: datetime) -> Mending:
        """What the row of a correction says, for when its moment has come.

        Raises:
            KeyError: its entry or its community is not there any more.
            Faults: a text cannot be said now.
        """
        mending = self._mending(*await self._store.read(lambda tx: _read(tx, correction["corrects"])), now)
        if mending is None:
            raise KeyError(correction["entry"])
        return mending

    def _mending(self, row: Row, texts: list[Row], before: Before, now: datetime) -> Mending | None:
        library = self._current.project.library
        entry, community = (
            library.entries.get(row["entry"]),
            self._current.project.communities.get(row["community"]),
        )
        if entry is None or community is None:
            return None
        each = [mended(library, entry, community, text, before, now) for text in texts]
        return Mending(row["id"], entry, each)

    def _make(self, tx: Transaction, row: Row, mending: Mending, decision: Decision) -> Corrected:
        """Stop the wrong one and make the correction, in one transaction."""
        number = int(row["id"])
        if _last(tx, number) != number:  # somebody was faster
            return Corrected(number, "unchanged")
        values = self._row(tx, row, mending, decision)
        made = history.begin(tx, values, decision)
        if made is None:  # somebody was faster
            return Corrected(number, "unchanged")
        for open_ in ("running", "paused"):
            history.move(tx, number, open_, "cancelled", decision)
        if values["state"] == "submitted":
            stop(tx, number, decision.at)
            return Corrected(number, "submitted", made)
        mending.fan_out(tx, made, decision.at)
        told, instead = tx.tuples(corrections.TOLD, {"broadcast": made})[0]
        return Corrected(number, "made", made, told, instead)

    def _row(self, tx: Transaction, row: Row, mending: Mending, decision: Decision) -> Row:
        """The correction's own. Of an emergency it is one, unless that is over, when nothing is urgent."""
        number, community = int(row["id"]), self._current.project.communities[row["community"]]
        before = tx.rows(corrections.MADE, {"id": number})[0]["corrections"]
        values = {key: row[key] for key in ("entry", "community", "priority", "why", "late")}
        values |= {"corrects": number, "moment": f"correction of {number} {before + 1}"}
        if is_over(row, decision.at) and row["priority"] == EMERGENCY:
            values |= {"priority": ANNOUNCEMENT, "why": None}
        emergency = values["priority"] == EMERGENCY
        ends = [mending.entry.expires(community.zone), decision.at + _length(row) if emergency else None]
        until = min((end for end in ends if end is not None), default=None)
        values |= {"due_at": to_ms(decision.at), "valid_until": to_ms(until), "state": "running"}
        if community.approval or emergency:
            values |= {"state": "submitted", "hash": hash_of(self._current.project, values)}
        return values


def _length(emergency: Row) -> timedelta:
    """For how long it was meant to speak."""
    if emergency["valid_until"] is None:
        return _DAY
    return from_ms(emergency["valid_until"]) - from_ms(emergency["due_at"])


def _last(tx: Transaction, broadcast: int) -> int:
    """What people were told last: the broadcast, or the last of its corrections."""
    while (later := tx.one(corrections.CORRECTED_BY, {"id": broadcast})) is not None:
        broadcast = later["id"]
    return broadcast


def read_text(tx: Transaction, text: int) -> tuple[Row, Row, Before]:
    """A text of a broadcast, its broadcast, and what led to it."""
    row = tx.rows(settling.TEXT, {"id": text})[0]
    broadcast = tx.rows(sql.BROADCAST, {"id": row["broadcast"]})[0]
    return row, broadcast, _before(tx, broadcast)


def _find(tx: Transaction, broadcast: int) -> tuple[Row, list[Row], Before, bool]:
    """What people were told last, as `_read` has it, and whether some who got it are forgotten."""
    last = _last(tx, broadcast)
    return *_read(tx, last), tx.one(folding.ANY_FOLDED, {"broadcast": last}) is not None


def _read(tx: Transaction, broadcast: int) -> tuple[Row, list[Row], Before]:
    """A broadcast, its texts, and what led to it."""
    row = tx.one(sql.BROADCAST, {"id": broadcast})
    if row is None:
        raise KeyError(broadcast)
    return row, tx.rows(corrections.TEXTS, {"broadcast": broadcast}), _before(tx, row)


def _before(tx: Transaction, broadcast: Row) -> Before:
    first, corrected = broadcast, 0
    while first["corrects"] is not None:
        first = tx.rows(sql.BROADCAST, {"id": first["corrects"]})[0]
        corrected += 1
    return Before(first["moment"], corrected)
