"""Threads: what somebody asks of their consulate or proposes to it, as rows of letters.

What may enter: what happens to a thread within one transaction, whoever wrote. What the desk does with its
threads is `inbox`. A letter is sealed for its thread and opens nowhere else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from bot import references
from bot.moments import to_ms
from bot.store import voice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.store import Transaction
    from bot.vault import Vault

Kind = Literal["question", "proposal"]
State = Literal["received", "considered", "answered", "adopted"]
Stage = State | Literal["closed"]
"""How far a thread has come, or that it comes no further."""
Author = Literal["person", "consulate"]

_KEPT = timedelta(days=30)
"""How long a thread stays after it was closed."""


def new_reference(tx: Transaction) -> str:
    """A reference that no thread has."""
    reference = references.draw()
    while tx.one(voice.THREAD_NAMED, {"reference": reference}):
        reference = references.draw()
    return reference


def open_thread(
    tx: Transaction,
    vault: Vault,
    *,
    reference: str,
    kind: Kind,
    community: str,
    subscriber: int,
    sender: str,
    text: str,
    now: datetime,
) -> None:
    """Begin a thread with what a person wrote, through `sender`."""
    thread = {"reference": reference, "community": community, "kind": kind, "subscriber": subscriber}
    tx.run(voice.THREAD_ADD, thread | {"sender": sender})
    write_letter(tx, vault, reference, "person", text, now)


def add_letter(
    tx: Transaction, vault: Vault, *, reference: str, subscriber: int, text: str, now: datetime
) -> bool:
    """A person writes again to their own thread, which opens again. False when it is not theirs."""
    if not tx.run(voice.THREAD_WRITTEN, {"reference": reference, "subscriber": subscriber}):
        return False
    write_letter(tx, vault, reference, "person", text, now)
    return True


def state_of(tx: Transaction, reference: str, subscriber: int) -> Stage | None:
    """How far a person's own thread has come; None when it is not theirs."""
    row = tx.one(voice.THREAD_STATE, {"reference": reference, "subscriber": subscriber})
    return row["state"] if row else None


def withdraw_replies(tx: Transaction, subscriber: int, now: datetime) -> int:
    """Somebody leaves: no reply that still waits reaches them. How many waited."""
    return tx.run(voice.REPLIES_WITHDRAW, {"subscriber": subscriber, "now": to_ms(now)})


def forget_closed(tx: Transaction, now: datetime) -> int:
    """Delete the threads that were closed 30 days ago with all that was written in them; how many."""
    closed = {"before": to_ms(now - _KEPT)}
    tx.run(voice.REPLIES_FORGET, closed)
    return tx.run(voice.THREADS_FORGET, closed)


def write_letter(
    tx: Transaction,
    vault: Vault,
    reference: str,
    author: Author,
    text: str,
    now: datetime,
    delivery: int | None = None,
) -> None:
    """Add to a thread, sealed, what somebody wrote; `delivery` brings the consulate's to the person."""
    written_at = to_ms(now)
    letter = {
        "reference": reference,
        "author": author,
        "text": vault.seal_text(text, _owner(reference, author, written_at)),
        "written_at": written_at,
        "delivery": delivery,
    }
    tx.run(voice.LETTER_ADD, letter)


def open_letter(vault: Vault, reference: str, letter: Mapping[str, Any]) -> str:
    """What a row of letters says. Raises BadKey when it does not belong there."""
    owner = _owner(reference, letter["author"], letter["written_at"])
    return vault.open_text(letter["text"], owner)


def _owner(reference: str, author: str, written_at: int) -> str:
    """What a letter's seal is bound to."""
    return f"letters|{reference}|{author}|{written_at}"
