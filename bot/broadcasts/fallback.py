"""The next channel: who linked several addresses and was not reached by one is written to by another.

What may enter: what follows, after a stated wait, from a delivery that failed or was held at its turn. The
first channel is chosen in `fanning`, by the same rules.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.broadcasts import history
from bot.broadcasts.history import CLOCK, Decision
from bot.moments import from_ms, to_ms
from bot.outbox import window_from
from bot.store import audience

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from bot.current import Current
    from bot.store import Store, Transaction

_LOOK_BACK = timedelta(days=3)
"""How old a failure may be that is looked at after a start; later its news is old."""


class Fallback:
    """The second tries of one store."""

    def __init__(self, store: Store, current: Current) -> None:
        self._store = store
        self._current = current
        self._looked: dict[str, datetime] = {}

    async def look(self, now: datetime) -> list[int]:
        """Make a delivery for everybody whose wait is over; the broadcasts that have one more.

        Each failure is looked at once while we run, and again after a start; nobody is written to twice for
        it, because no other delivery of theirs may be open, sent or unknown.
        """
        until = {
            slug: now - one.next_channel_after for slug, one in self._current.project.communities.items()
        }
        failed = [row for slug, moment in until.items() for row in await self._failed(slug, moment)]
        made = await self._store.write(lambda tx: self._try_next(tx, failed, now)) if failed else []
        self._looked |= until
        return made

    async def _failed(self, slug: str, until: datetime) -> Sequence[Mapping[str, Any]]:
        looked = self._looked.get(slug)
        since = looked if looked and looked <= until else until - _LOOK_BACK  # also when the clock went back
        values = {"community": slug, "since": to_ms(since), "until": to_ms(until)}
        return await self._store.read(lambda tx: tx.rows(audience.FAILED, values))

    def _try_next(self, tx: Transaction, failed: Sequence[Mapping[str, Any]], now: datetime) -> list[int]:
        made = []
        for row in failed:
            due_at = from_ms(row["due_at"])
            values = {
                **row,
                "now": to_ms(now),
                "window_from": window_from(now),
                "same_from": to_ms(due_at - audience.SAME),
                "same_until": to_ms(due_at + audience.SAME),
            }
            addresses = tx.rows(audience.NEXT_ADDRESSES, values)
            if addresses:
                chosen = min(addresses, key=lambda one: self._place(one, row["community"]))
                made.append(_deliver(tx, chosen, values))
        return made

    def _place(self, address: Mapping[str, Any], community: str) -> tuple[bool, bool, int, int]:
        """As the fan-out has them: what can be said now first; their own community, and its order."""
        there = self._current.project.communities.get(address["community"])
        channels = list(there.channels) if there else []
        rank = channels.index(address["channel"]) if address["channel"] in channels else len(channels)
        return (
            address["shut"] is not None,
            address["community"] != community,
            rank,
            address["subscriber"],
        )


def _deliver(tx: Transaction, address: Mapping[str, Any], news: Mapping[str, Any]) -> int:
    """One more delivery; what waited for the person to write on another address does so no more."""
    values = {**news, **address, "state": "held" if address["shut"] else "queued"}
    if not address["shut"]:
        tx.run(audience.TAKE_BACK_FROM, values)
    tx.run(audience.NEXT_DELIVERY, values)
    broadcast = int(address["broadcast"])
    decision = Decision(CLOCK, from_ms(news["now"]), "next-channel")
    history.move(tx, broadcast, "done", "running", decision)
    return broadcast
