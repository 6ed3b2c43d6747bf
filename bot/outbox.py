"""The life of a delivery: queued, claimed, settled, receipted. Rows in, rows out; nothing is sent here.

One claim is one request. A text of several parts goes round once for each, so a crash between two parts
neither loses nor repeats one. States only move forward; what was in flight when a process died is `unknown`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bot import consent
from bot.moments import from_ms, to_ms
from bot.store import corrections, sql
from bot.texts import Text, load_text
from channels.base import REPLY_WINDOW
from channels.trouble import Gone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.store import Store, Transaction
    from bot.vault import Vault
    from channels.base import Receipt

Ended = Literal["failed", "expired", "cancelled", "unknown", "held"]
_RANK = {
    "queued": 0,
    "held": 0,
    "claimed": 1,
    "unknown": 1,
    "sent": 2,
    "failed": 3,
    "delivered": 3,
    "read": 4,
}
_STATEMENTS = {
    "sent": sql.SETTLE_SENT,
    "next": sql.SETTLE_NEXT_PART,
    "queued": sql.SETTLE_BACK,
    "held": sql.SETTLE_BACK,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """One request to make.

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

    def key(self, parts: int) -> str:
        """What the vendor is asked to echo in the receipt, for a text of so many parts."""
        return f"{self.id}.{self.attempt}.{self.part}.{parts}"


@dataclass(frozen=True, slots=True)
class Settled:
    """How one claim ended.

    Attributes:
        state: "sent", "next" (sent, and another part follows), "queued" (again at `due_at`), or an end.
        person: The subscriber's next state, when this is about them.
        moved_to: Their new address, sealed.
        lane_until: Before when the vendor wants nothing from this sender; kept across restarts.
    """

    claim: Claim
    state: Literal["sent", "next", "queued"] | Ended
    reason: str | None = None
    vendor_id: str | None = None
    due_at: datetime | None = None
    person: str | None = None
    moved_to: bytes | None = None
    lane_until: datetime | None = None


class Outbox:
    """Deliveries in one store; the vault opens the texts that are for one person alone."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    async def recover(self, now: datetime) -> int:
        """Called by the one who may dispatch, before it begins: a claim without an owner becomes unknown.

        Unless it was to make a copy right: that may be done twice, and the correction is yet to follow.
        """

        def work(tx: Transaction) -> int:
            for row in tx.rows(corrections.ORPHANED):
                parts = load_text(row, self._vault).open
                if parts[min(row["part"], len(parts) - 1)].replaces:
                    tx.run(corrections.AGAIN, {"id": row["id"]})
            return tx.run(sql.ORPHANS, {"now": to_ms(now)})

        return await self._store.write(work)

    async def turn(
        self,
        sender: str,
        settled: Sequence[Settled],
        broadcasts: Sequence[tuple[int, int | None]],
        limit: int,
        now: datetime,
        replies: int = 0,
    ) -> list[Claim]:
        """Write down how claims ended and take the next ones, in one transaction.

        Args:
            sender: Whose lane this is.
            settled: What became of earlier claims.
            broadcasts: Those that may speak now, first first, each with its `valid_until` in milliseconds.
            limit: How many requests to take; 0 only settles. Replies come before any broadcast.
            now: Aware UTC.
            replies: How many replies to take even where there is room for nothing else.
        """
        most = max(limit, replies)
        return await self._store.write(
            lambda tx: _turn(tx, self._vault, sender, settled, broadcasts, limit, most, now)
        )

    async def text(self, text: int) -> Text:
        """A rendered text. Raises KeyError when there is none."""
        row = await self._store.read(lambda tx: tx.one(sql.TEXT, {"id": text}))
        if row is None:
            raise KeyError(text)
        return load_text(row, self._vault)

    async def copy(self, delivery: int, ago: int) -> str | None:
        """The vendor's id of the message that the person got so many corrections ago; None when unknown."""
        values = {"id": delivery, "ago": ago}
        row = await self._store.read(lambda tx: tx.one(corrections.COPY, values))
        return row["vendor_id"] if row else None

    async def receipt(self, receipt: Receipt, now: datetime) -> None:
        """Let a receipt move its delivery forward. A replay or a late one changes nothing."""
        if receipt.key is not None and (found := _read_key(receipt.key)) is not None:
            delivery, last = found
            if last or receipt.status == "failed":  # it has arrived when its last part has
                await self._store.write(lambda tx: _receipt(tx, self._vault, delivery, receipt, now))

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
    replies: int,
    now: datetime,
) -> list[Claim]:
    _settle(tx, vault, settled, now)
    waits = [{"sender": sender, "wait_until": to_ms(end.lane_until)} for end in settled if end.lane_until]
    tx.each(sql.LANE_WAITS, waits)
    wanted = {"sender": sender, "now": to_ms(now), "limit": replies}
    claims = _claims(tx.tuples(sql.CLAIM_REPLIES, wanted), None, None) if replies else []
    for broadcast, valid_until in broadcasts:
        if len(claims) >= limit:
            break
        wanted |= {"broadcast": broadcast, "limit": limit - len(claims)}
        claims += _claims(tx.tuples(sql.CLAIM_BROADCAST, wanted), broadcast, valid_until)
    return claims


def _claims(rows: Sequence[tuple[Any, ...]], broadcast: int | None, valid_until: int | None) -> list[Claim]:
    return [
        Claim(delivery, attempt, part, text, sealed, heard_at, person, marketing, broadcast, valid_until)
        for delivery, attempt, part, text, sealed, heard_at, person, marketing in rows
    ]


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
            _about_person(tx, vault, end.claim.id, end.person, end.moved_to, now)


def _about_person(
    tx: Transaction, vault: Vault, delivery: int, state: str | None, moved_to: bytes | None, now: datetime
) -> None:
    """What a vendor told of the person behind a delivery."""
    row = tx.one(sql.RECEIPT_ROW, {"id": delivery})
    if row is None or row["subscriber"] is None:
        return
    person = row["subscriber"]
    if moved_to is not None:
        if tx.run(sql.SUBSCRIBER_MOVED, {"id": person, "address": moved_to}):
            return
        state = "gone"  # the new address is a subscriber already
    changed = tx.one(sql.SUBSCRIBER_UNREACHED, {"id": person, "state": state})
    if changed and state == "left":  # with the vendor, not with us: it is their word all the same
        consent.leave(tx, vault, person, changed["channel"], now)


def _read_key(key: str) -> tuple[int, bool] | None:
    """The delivery of a key that came back, and whether it was its last part; None for a key of others."""
    numbers = key.split(".")
    if len(numbers) != 4 or not all(n.isascii() and n.isdigit() and len(n) < 19 for n in numbers):  # noqa: PLR2004 - id, attempt, part, parts
        return None
    delivery, _, part, parts = map(int, numbers)
    return delivery, part + 1 >= parts


def _receipt(tx: Transaction, vault: Vault, delivery: int, receipt: Receipt, now: datetime) -> None:
    row = tx.one(sql.RECEIPT_ROW, {"id": delivery})
    if row is None or _RANK.get(row["state"], 9) >= _RANK[receipt.status]:
        return
    values = {
        "id": delivery,
        "state": receipt.status,
        "reason": receipt.trouble.reason if receipt.trouble else None,
        "now": to_ms(now),
        "vendor_id": receipt.vendor_id,
    }
    tx.run(sql.RECEIPT_STATE, values)
    if isinstance(receipt.trouble, Gone):
        _about_person(tx, vault, delivery, "left" if receipt.trouble.left else "gone", None, now)
