"""The life of a delivery: queued, claimed, settled, receipted. Rows in, rows out; nothing is sent here.

One claim is one request. A text of several parts goes round once for each, so a crash between two parts
neither loses nor repeats one. States only move forward; what was in flight when a process died is `unknown`.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from bot import receipts, tallies
from bot.moments import from_ms, to_ms
from bot.policy import MOST_DEATHS
from bot.store import corrections, sql
from bot.texts import Text, Unreadable, load_text
from channels.base import REPLY_WINDOW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.store import Store, Transaction
    from bot.vault import Vault
    from channels.base import Receipt

Ended = Literal["failed", "expired", "cancelled", "unknown", "held"]
_STATEMENTS = {
    "sent": sql.SETTLE_SENT,
    "next": sql.SETTLE_NEXT_PART,
    "queued": sql.SETTLE_BACK,
    "back": sql.SETTLE_UNBEGUN,
    "held": sql.SETTLE_BACK,
}


class Claim(NamedTuple):
    """One request to make; its first fields are what a claim returns.

    Attributes:
        attempt: Counts how often this delivery was claimed.
        part: Which part of the text.
        sealed: The address, for the vault to open; None when the person was erased meanwhile.
        heard_at: When the person last wrote, in milliseconds.
        person: The subscriber's state when claimed.
        marketing: 0 when no marketing reaches their number on WhatsApp.
        broadcast: None for what somebody wrote for and waits for.
        valid_until: Of the broadcast, in milliseconds.
    """

    id: int
    attempt: int
    part: int
    text: int
    sealed: bytes | None
    heard_at: int | None
    person: str | None
    marketing: int | None
    broadcast: int | None
    valid_until: int | None

    @property
    def reply(self) -> bool:
        """Whether somebody wrote and waits for this."""
        return self.broadcast is None

    def free(self, now: datetime) -> bool:
        """Whether they wrote so lately that any text may be sent to them."""
        return (self.heard_at or 0) > window_from(now)

    def key(self, parts: int) -> str:
        """What the vendor is asked to echo in the receipt, for a text of so many parts."""
        return f"{self.id}.{self.attempt}.{self.part}.{parts}"


class Settled(NamedTuple):
    """How one claim ended.

    Attributes:
        state: "sent", "next" (sent, and another part follows), "queued" (again at `due_at`), "back" (so too,
            and no request was made), or an end.
        person: The subscriber's next state, when this is about them.
        moved_to: Their new address, sealed.
        lane_until: Before when the vendor wants nothing from this sender; kept across restarts.
        text_until: Before when nobody else is told this text through this sender.
    """

    claim: Claim
    state: Literal["sent", "next", "queued", "back"] | Ended
    reason: str | None = None
    vendor_id: str | None = None
    due_at: datetime | None = None
    person: str | None = None
    moved_to: bytes | None = None
    lane_until: datetime | None = None
    text_until: datetime | None = None


class Favour(NamedTuple):
    """Who goes before their turn, so that nobody waits for what never ends.

    Attributes:
        first: Which of the broadcasts, counted round and round.
        most: How many of its deliveries, or of those of the next in which something is due.
    """

    first: int = 0
    most: int = 0


class Outbox:
    """Deliveries in one store; the vault opens the texts that are for one person alone."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    async def recover(self, now: datetime, *, cut_off: bool = True) -> int:
        """Called by the one who may dispatch, before it begins: a claim without an owner becomes unknown.

        Unless it was to make a copy right: that may be done twice, and the correction is yet to follow. What
        died with `MOST_DEATHS` processes may have killed them, and never leaves again: its reason says so.

        Args:
            cut_off: Whether the last process was; else it had no room to write down how its claims ended.
        """
        values = {"now": to_ms(now), "most": MOST_DEATHS, "died": int(cut_off)}

        def work(tx: Transaction) -> int:
            for row in tx.rows(corrections.ORPHANED):
                with contextlib.suppress(Unreadable):  # nobody knows what it was to do
                    parts = load_text(row, self._vault).open
                    if parts[min(row["part"], len(parts) - 1)].replaces:
                        tx.run(corrections.AGAIN, values | {"id": row["id"]})
            return tx.run(sql.ORPHANS, values)

        return await self._store.write(work)

    async def turn(
        self,
        sender: str,
        settled: Sequence[Settled],
        broadcasts: Sequence[tuple[int, int | None]],
        limit: int,
        now: datetime,
        favour: Favour = Favour(),  # noqa: B008 - a constant
    ) -> list[Claim]:
        """Write down how claims ended and take the next ones, in one transaction.

        Args:
            sender: Whose lane this is.
            settled: What became of earlier claims.
            broadcasts: Those that may speak now, first first, each with its `valid_until` in milliseconds.
            limit: How many requests to take; 0 only settles. Replies come before any broadcast.
            now: Aware UTC.
            favour: Who of them goes before even those.
        """
        vault = self._vault
        return await self._store.write(
            lambda tx: _turn(tx, vault, sender, settled, broadcasts, limit, now, favour)
        )

    async def text(self, text: int) -> Text:
        """A rendered text. Raises Unreadable, also when there is none."""
        row = await self._store.read(lambda tx: tx.one(sql.TEXT, {"id": text}))
        if row is None:
            raise Unreadable
        return load_text(row, self._vault)

    async def copy(self, delivery: int, ago: int) -> str | None:
        """The vendor's id of the message that the person got so many corrections ago; None when unknown."""
        values = {"id": delivery, "ago": ago}
        row = await self._store.read(lambda tx: tx.one(corrections.COPY, values))
        return row["vendor_id"] if row else None

    async def receipt(self, sender: str, receipt: Receipt, now: datetime) -> None:
        """Let a receipt that a sender was told move its delivery forward. See `receipts.take`."""
        if key := receipts.read_key(receipt.key):
            await self._store.write(lambda tx: receipts.take(tx, self._vault, sender, key, receipt, now))

    async def wait_until(self, sender: str) -> datetime | None:
        """Before when the vendor wants nothing from this sender."""
        row = await self._store.read(lambda tx: tx.one(sql.LANE_WAIT, {"sender": sender}))
        return from_ms(row["wait_until"]) if row else None


def window_from(now: datetime) -> int:
    """Who last wrote after this moment (milliseconds) may be answered freely."""
    return to_ms(now - REPLY_WINDOW)


def _turn(
    tx: Transaction,
    vault: Vault,
    sender: str,
    settled: Sequence[Settled],
    broadcasts: Sequence[tuple[int, int | None]],
    limit: int,
    now: datetime,
    favour: Favour,
) -> list[Claim]:
    refused = [
        {"sender": sender, "broadcast": end.claim.broadcast, "text": end.claim.text, "until": to_ms(until)}
        for end in settled
        if (until := end.text_until)
    ]
    tx.each(sql.TEXT_WAITS, refused)  # before what was refused is queued again: that is to come first
    _settle(tx, vault, settled, now)
    tallies.left(tx, sender, sum(end.state == "sent" for end in settled), now)
    waits = [{"sender": sender, "wait_until": to_ms(end.lane_until)} for end in settled if end.lane_until]
    tx.each(sql.LANE_WAITS, waits)
    claims: list[Claim] = []
    if broadcasts and favour.most:
        first = favour.first % len(broadcasts)
        claims += _claims(tx, sender, [*broadcasts[first:], *broadcasts[:first]], favour.most, now)
    if len(claims) < limit:
        wanted = {"sender": sender, "now": to_ms(now), "limit": limit - len(claims)}
        claims += [Claim._make((*row, None, None)) for row in tx.tuples(sql.CLAIM_REPLIES, wanted)]
    return claims + _claims(tx, sender, broadcasts, limit - len(claims), now)


def _claims(
    tx: Transaction,
    sender: str,
    broadcasts: Sequence[tuple[int, int | None]],
    limit: int,
    now: datetime,
) -> list[Claim]:
    """The next of some broadcasts, in their order."""
    claims: list[Claim] = []
    for broadcast, valid_until in broadcasts:
        if len(claims) >= limit:
            break
        wanted = {"sender": sender, "now": to_ms(now), "broadcast": broadcast, "limit": limit - len(claims)}
        claims += [
            Claim._make((*row, broadcast, valid_until)) for row in tx.tuples(sql.CLAIM_BROADCAST, wanted)
        ]
    return claims


def _settle(tx: Transaction, vault: Vault, settled: Sequence[Settled], now: datetime) -> None:
    """Each kind of end with one statement for all of its rows."""
    by_state: dict[str, list[dict[str, Any]]] = {}
    for end in settled:
        by_state.setdefault(end.state, []).append(
            {
                "id": end.claim.id,
                "attempt": end.claim.attempt,
                "state": end.state,
                "reason": end.reason,
                "vendor_id": end.vendor_id,
                "due_at": to_ms(end.due_at),
                "now": to_ms(now),
            }
        )
    for state, rows in by_state.items():
        tx.each(_STATEMENTS.get(state, sql.SETTLE_ENDED), rows)
    for end in settled:
        if end.person is not None or end.moved_to is not None:
            receipts.about_person(tx, vault, end.claim.id, end.person, end.moved_to, now)
