"""What vendors tell later: of a delivery by the key that it carried, and of the person behind it.

What may enter: a receipt's way to its row. A receipt that carries our key settles what has had no answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bot import consent, tallies
from bot.moments import to_ms
from bot.policy import NEXT_PART
from bot.store import settling, sql
from channels.trouble import Gone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.store import Transaction
    from bot.vault import Vault
    from channels.base import Receipt

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
_TOO_LONG = 19  # digits that no integer of SQLite has


class Key(NamedTuple):
    """What was given to a vendor with one request, and what it gives back.

    Attributes:
        attempt: Of the delivery, counted from 1.
        part: Of its text, counted from 0.
        parts: How many the text has.
    """

    delivery: int
    attempt: int
    part: int
    parts: int


def read_key(key: str | None) -> Key | None:
    """A key that came back; None for one that is not ours."""
    numbers = (key or "").split(".")
    if len(numbers) != len(Key._fields) or not all(map(_is_count, numbers)):
        return None
    return Key(*map(int, numbers))


def _is_count(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) < _TOO_LONG


def take(tx: Transaction, vault: Vault, sender: str, key: Key, receipt: Receipt, now: datetime) -> None:
    """Let a receipt move its delivery forward. A replay or a late one changes nothing.

    Nor does one for an attempt that was never made: it is of another database's delivery.

    Args:
        sender: Who was told of it: nobody settles what left through another.
        key: The receipt's.
        now: Aware UTC.
    """
    row = tx.one(sql.RECEIPT_ROW, {"id": key.delivery})
    if row is None or row["sender"] != sender or not 0 < key.attempt <= row["attempt"]:
        return
    tallies.told(tx, row, now)
    if receipt.status == "failed":
        if _begun_anew(key, row) and not isinstance(receipt.trouble, Gone):
            return  # what became of it is told by its last attempt
    elif key.part + 1 < key.parts:  # it has arrived when its last part has
        _go_on(tx, key, row, receipt, now)
        return
    if _RANK.get(row["state"], 9) >= _RANK[receipt.status]:
        return
    values = {
        "id": key.delivery,
        "state": receipt.status,
        "reason": receipt.trouble.reason if receipt.trouble else None,
        "now": to_ms(now),
        "vendor_id": receipt.vendor_id,
    }
    tx.run(sql.RECEIPT_STATE, values)
    if isinstance(receipt.trouble, Gone):
        about_person(tx, vault, key.delivery, "left" if receipt.trouble.left else "gone", None, now)


def about_person(
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


def _begun_anew(key: Key, row: Mapping[str, Any]) -> bool:
    """Whether the part that a key is of was, or will be, sent again since."""
    if row["state"] in ("queued", "held"):
        return bool(key.part >= row["part"])
    return bool(key.attempt < row["attempt"] and (key.part >= row["part"] or row["repeated"]))


def _go_on(tx: Transaction, key: Key, row: Mapping[str, Any], receipt: Receipt, now: datetime) -> None:
    """One part has arrived: where nobody knows yet, the next leaves.

    What is said once more says it from its beginning, whatever arrives of the first time.
    """
    if row["repeated"] and (key.attempt != row["attempt"] or row["state"] == "queued"):
        return
    values = {"id": key.delivery, "part": key.part, "vendor_id": receipt.vendor_id}
    tx.run(settling.GO_ON, values | {"now": to_ms(now), "due_at": to_ms(now + NEXT_PART)})
