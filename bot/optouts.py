"""Who left after a backup was made is out again once it is put back.

What may enter: what the file beside the database (`store.optouts`) says that a restored one does not know.
How a person leaves or comes back is `consent`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot import consent
from bot.moments import month_of
from bot.store import optouts, sql
from bot.vault import BadKey

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from bot.store import Store, Transaction
    from bot.vault import Vault

_HOW = "restored"
"""How the ledger says that they did, when it is read from the file."""
_SHORT = 1 << 20
"""Bytes below which nobody minds what was said before the last word."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a restored database did not know of people's words.

    Attributes:
        left: How many are out again.
        erased: How many are erased again.
        returned: How many are back, because their last word was yes.
    """

    left: int = 0
    erased: int = 0
    returned: int = 0


def are_missing(tx: Transaction, database: Path) -> bool:
    """Whether somebody has left this database, and no file beside `database` says who."""
    return optouts.read(database) is None and bool(tx.rows(sql.ANYBODY_LEFT)[0]["left"])


def replay(tx: Transaction, vault: Vault, database: Path, now: datetime) -> Replayed:
    """Give everybody's last word its due, in one transaction. What is known already changes nothing.

    Each address is opened once, for the file knows them only by their tags.

    Args:
        database: Beside which the file stands.
    """
    words = optouts.read(database) or {}
    known = _found(tx, vault, words) if words else {}
    done: list[str] = []
    for tag, word in words.items():
        row = known.get(tag)
        if word == "given":
            done += _return(tx, tag, row, now)
        elif word == "erased":
            done += _erase(tx, tag, row, now)
        else:
            done += _leave(tx, tag, row, now)
    return Replayed(done.count("left"), done.count("erased"), done.count("returned"))


async def shorten(store: Store) -> None:
    """Where more than half of a long file was said before somebody's last word, keep only the last words."""

    def work(_: Transaction) -> None:
        if _is_long(store.path):
            optouts.shorten(store.path, optouts.read(store.path) or {})

    if await asyncio.to_thread(_is_long, store.path):
        await store.write(work)  # nobody adds to the file meanwhile


def _is_long(database: Path) -> bool:
    file = optouts.path_of(database)
    size = file.stat().st_size if file.exists() else 0
    return size > _SHORT and size > 2 * optouts.LENGTH * len(optouts.read(database) or {})


def _found(tx: Transaction, vault: Vault, tags: Collection[bytes]) -> dict[bytes, dict[str, Any]]:
    """The subscribers' rows that tags speak of."""
    found = {}
    for row in tx.rows(sql.SUBSCRIBERS):
        try:
            tag = vault.tag(row["channel"], vault.open(row["channel"], row["address"]))
        except BadKey:
            continue  # one damaged row, which nothing can be sent to
        if tag in tags:
            found[tag] = row
    return found


def _return(tx: Transaction, tag: bytes, row: Mapping[str, Any] | None, now: datetime) -> list[str]:
    tx.run(sql.SUPPRESSED_LIFT, {"tag": tag})
    if row is None or row["state"] != "left":
        return []
    tx.run(sql.SUBSCRIBER_STATE, {"id": row["id"], "state": "active", "forget_at": None})
    consent.entry(tx, row["id"], row["channel"], "given", _HOW, now)
    return ["returned"]


def _leave(tx: Transaction, tag: bytes, row: Mapping[str, Any] | None, now: datetime) -> list[str]:
    if tx.one(sql.SUPPRESSED, {"tag": tag}):
        return []
    if row is None:  # they came after the backup: no list brings them back either
        tx.run(sql.SUPPRESS, {"tag": tag, "month": month_of(now)})
        return []
    if row["state"] == "left":
        return []
    consent.withdraw(tx, row, _HOW, now)
    return ["left"]


def _erase(tx: Transaction, tag: bytes, row: Mapping[str, Any] | None, now: datetime) -> list[str]:
    new = tx.run(sql.SUPPRESS, {"tag": tag, "month": month_of(now)})
    if row is None or (not new and row["state"] == "visitor"):  # who was erased may ask again, as a stranger
        return []
    consent.entry(tx, row["id"], row["channel"], "erased", _HOW, now)
    consent.erase(tx, row["id"])
    return ["erased"]
