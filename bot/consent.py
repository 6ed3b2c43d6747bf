"""Joining, leaving and being forgotten, as rows: each with its line in the ledger, within a transaction.

What may enter: what changes whether somebody may be written to. Nothing but a person's own word brings them
back; leaving and being forgotten reach every address that they linked. What they said last is also kept
where no restored backup takes it back (`store.optouts`).
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.moments import month_of, to_ms
from bot.store import sql, talk
from bot.threads import withdraw_replies
from bot.vault import BadKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.store import Transaction
    from bot.vault import Vault

VISIT = timedelta(hours=48)
"""Who has not joined is forgotten this long after their last word, a join that was never confirmed too."""

_GOODBYE = timedelta(minutes=10)
"""How long somebody who asked to be erased waits to be told so; then they are erased untold."""


def join(tx: Transaction, vault: Vault, person: int, channel: str, words: str, now: datetime) -> None:
    """Their own word brings them in, or back, also after they asked to be forgotten.

    Args:
        words: Which text told them what they said yes to.
    """
    tx.run(sql.SUBSCRIBER_STATE, {"id": person, "state": "active", "forget_at": None})
    entry(tx, person, channel, "given", channel, now, words)
    if row := tx.one(sql.SUBSCRIBER, {"id": person}):
        tag = _tag(vault, row)
        tx.run(sql.SUPPRESSED_LIFT, {"tag": tag})
        tx.words.append((tag, "given"))


def ask_to_join(tx: Transaction, person: int, now: datetime) -> None:
    """They want in and have not confirmed it yet."""
    tx.run(sql.SUBSCRIBER_UNCONFIRMED, {"id": person, "forget_at": to_ms(now + VISIT)})


def leave(tx: Transaction, vault: Vault, person: int, how: str, now: datetime) -> None:
    """They said enough. What is still queued for them is cancelled when its turn comes."""
    for row in tx.rows(sql.LINKED, {"id": person}):
        withdraw(tx, row, how, now)
        with contextlib.suppress(BadKey):  # a damaged row, which nothing can be sent to
            tx.words.append((_tag(vault, row), "withdrawn"))


def withdraw(tx: Transaction, row: Mapping[str, Any], how: str, now: datetime) -> None:
    """One address is out; `row` is its subscriber's."""
    tx.run(sql.SUBSCRIBER_STATE, {"id": row["id"], "state": "left", "forget_at": None})
    withdraw_replies(tx, row["id"], now)
    entry(tx, row["id"], row["channel"], "withdrawn", how, now)


def forget(tx: Transaction, vault: Vault, person: int, now: datetime) -> None:
    """They are out at once, and erased as soon as they were told so; their other addresses at once."""
    for row in tx.rows(sql.LINKED, {"id": person}):
        suppress(tx, _tag(vault, row), now)
        if row["id"] == person:
            values = {"id": person, "state": "left", "forget_at": to_ms(now + _GOODBYE)}
            tx.run(sql.SUBSCRIBER_STATE, values)
        else:
            erase(tx, row["id"])
        entry(tx, row["id"], row["channel"], "erased", row["channel"], now)


def erase(tx: Transaction, person: int) -> None:
    """The row, what they wrote, and the answers to it. Deliveries keep their place in the counts.

    Of what they wrote the vendor's number stays for two days, of nobody: so what is told twice is known.
    """
    tx.run(sql.PERSON_FORGET_REPLIES, {"subscriber": person})
    tx.run(talk.INBOUNDS_OF_NOBODY, {"subscriber": person})
    tx.run(sql.SUBSCRIBER_ERASE, {"id": person})


def entry(
    tx: Transaction, person: int, channel: str, action: str, how: str, now: datetime, words: str = ""
) -> None:
    """A line of the ledger: which month, no closer; which text, none of theirs."""
    values = {"subscriber": person, "channel": channel, "action": action, "how": how, "words": words}
    tx.run(sql.CONSENT, values | {"month": month_of(now)})


def suppress(tx: Transaction, tag: bytes, now: datetime) -> None:
    """Whoever this is asked to be forgotten: recognised, and never brought back by a list."""
    tx.run(sql.SUPPRESS, {"tag": tag, "month": month_of(now)})
    tx.words.append((tag, "erased"))


def _tag(vault: Vault, row: Mapping[str, Any]) -> bytes:
    """Of a subscriber's row. Raises BadKey where it was sealed with another key, or damaged."""
    return vault.tag(row["channel"], vault.open(row["channel"], row["address"]))
