"""What is no longer needed goes, by itself: visits, farewells, lapsed questions and codes, old replies.

What may enter: when a kind of row has done its service. How a person is erased is `consent`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot import consent, figures, tallies, threads
from bot.moments import to_ms
from bot.numbers import takes_marketing
from bot.store import sql, talk
from bot.vault import BadKey

if TYPE_CHECKING:
    from bot.store import Store, Transaction
    from bot.vault import Vault

log = structlog.get_logger()

_REPLIES = timedelta(days=7)
"""How long a reply's row outlives it: until then a receipt may come."""
_INBOUNDS = timedelta(days=30)
"""How long a vendor's number of a message is remembered, so that a replay is known for one."""
_SELDOM = timedelta(hours=1)
_AT_ONCE = 500
"""Numbers judged at a beat."""


class Housekeeping:
    """The tidying of one store."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._tidied_at: datetime | None = None

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
        if await self._store.read(lambda tx: tx.one(sql.NUMBERS_UNJUDGED, {"limit": 1})):
            await self._store.write(self._judge)

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


def _sweep(tx: Transaction, now: datetime) -> None:
    tx.run(talk.ASKED_LAPSED, {"now": to_ms(now)})
    tx.run(talk.LINKS_LAPSED, {"now": to_ms(now)})
    tx.run(talk.REPLIES_OLD, {"before": to_ms(now - _REPLIES)})
    tx.run(talk.INBOUNDS_OLD, {"before": to_ms(now - _INBOUNDS)})
    tx.run(talk.TEXTS_OLD)
    threads.forget_closed(tx, now)
    figures.forget_gaps(tx, now)
    tallies.forget_old(tx, now)
