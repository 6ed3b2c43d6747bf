"""What is no longer needed goes, by itself: visits, farewells, lapsed questions and codes, old deliveries.

What may enter: when a kind of row has done its service. How a person is erased is `consent`.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot import consent, figures, optouts, tallies, threads
from bot.moments import to_ms
from bot.numbers import takes_marketing
from bot.store import audience, folding, sql, talk
from bot.vault import BadKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.store import Store, Transaction
    from bot.vault import Vault

log = structlog.get_logger()

_REPLIES = timedelta(days=7)
"""How long a reply's row outlives it: until then a receipt may come."""
_INBOUNDS = timedelta(days=30)
"""How long a vendor's number of a message is remembered, so that a replay is known for one."""
_OF_NOBODY = timedelta(days=2)
"""The same for what the erased wrote: Telegram repeats itself for a day, Twilio for less."""
_SELDOM = timedelta(hours=1)
_AT_ONCE = 500
"""Numbers judged at a beat."""
_FOLDED, _FOLDS = 500, 20
"""Deliveries folded in a transaction, so that no lane waits longer than 50 ms; transactions at a beat."""


class Housekeeping:
    """The tidying of one store.

    Args:
        kept: For how long after a broadcast it is known what became of each person.
    """

    def __init__(self, store: Store, vault: Vault, kept: timedelta = _REPLIES) -> None:
        self._store = store
        self._vault = vault
        self._kept = kept
        self._tidied_at: datetime | None = None
        self._folding: list[int] = []

    async def tidy(self, now: datetime) -> None:
        """Erase whom it is time to forget, and once an hour all else that is old."""
        if await self._store.read(lambda tx: tx.one(sql.FORGET_DUE, {"now": to_ms(now)})):
            asked = await self._store.write(lambda tx: _forget(tx, now))
            if asked:
                await self._store.forget()
                log.info("housekeeping.erased", people=asked)
        if self._tidied_at is None or now - self._tidied_at >= _SELDOM:
            await self._store.write(lambda tx: _sweep(tx, now))
            self._tidied_at = now
            self._folding = await self._over(now)
            await optouts.shorten(self._store)
        if self._folding:
            await self.fold(now)
        if await self._store.read(lambda tx: tx.one(sql.NUMBERS_UNJUDGED, {"limit": 1})):
            await self._store.write(self._judge)

    async def fold(self, now: datetime) -> int:
        """Count some of what has been over for long enough, and forget who it was; how many people it was.

        A report stays as it was. Called again and again until it says 0.
        """
        self._folding = self._folding or await self._over(now)
        people = 0
        for _ in range(_FOLDS):
            if not self._folding:
                break
            order = {"broadcast": self._folding[0], "before": to_ms(now - self._kept), "limit": _FOLDED}
            folded = await self._store.write(lambda tx, order=order: _fold(tx, order))  # type: ignore[misc] # mypy infers no lambda with a default
            people += folded
            if folded < _FOLDED:
                del self._folding[0]
        return people

    async def _over(self, now: datetime) -> list[int]:
        """The broadcasts of which something may be folded."""
        values = {"before": to_ms(now - self._kept), "same": audience.SAME // timedelta(milliseconds=1)}
        rows = await self._store.read(lambda tx: tx.rows(folding.FOLDING, values))
        return [row["id"] for row in rows]

    def _judge(self, tx: Transaction) -> None:
        """Some of the numbers that were here before anybody asked whether marketing reaches them."""
        numbers = tx.rows(sql.NUMBERS_UNJUDGED, {"limit": _AT_ONCE})
        for row in numbers:
            try:
                number = self._vault.open("whatsapp", row["address"])
            except BadKey:
                number = ""  # one damaged row, which nothing can be sent to
            tx.run(sql.NUMBER_JUDGED, {"id": row["id"], "marketing": takes_marketing("whatsapp", number)})


def _forget(tx: Transaction, now: datetime) -> int:
    """Erase everybody whose time has come; how many of them had asked for it."""
    due = tx.rows(sql.FORGET_DUE, {"now": to_ms(now)})
    for row in due:
        consent.erase(tx, row["id"])
    return sum(row["state"] == "left" for row in due)


def _fold(tx: Transaction, order: Mapping[str, int]) -> int:
    """Turn some of a broadcast's deliveries into counts; how many."""
    ends = Counter(tx.tuples(folding.FOLD, order))
    counted = [
        {
            "broadcast": order["broadcast"],
            "state": state,
            "reason": reason,
            "sender": sender,
            "people": people,
            "asked": people * asked,
            "repeated": people * repeated,
            "begun": people * begun,
        }
        for (state, reason, sender, asked, repeated, begun), people in ends.items()
    ]
    tx.each(folding.FOLDED, counted)
    return ends.total()


def _sweep(tx: Transaction, now: datetime) -> None:
    tx.run(talk.ASKED_LAPSED, {"now": to_ms(now)})
    tx.run(talk.LINKS_LAPSED, {"now": to_ms(now)})
    tx.run(talk.REPLIES_OLD, {"before": to_ms(now - _REPLIES)})
    replays = {"before": to_ms(now - _INBOUNDS), "nobody_before": to_ms(now - _OF_NOBODY)}
    tx.run(talk.INBOUNDS_OLD, replays)
    tx.run(talk.TEXTS_OLD)
    threads.forget_closed(tx, now)
    figures.forget_gaps(tx, now)
    tallies.forget_old(tx, now)
