"""Backups: made while the service works, put back, and what has happened since one was made.

What may enter: whole copies of the database. Whether one may send is `arming`; nothing of a copy leaves
before it has caught up. What is in a backup is sealed as it is in the database, and the key is in neither.
See docs/decisions/0015-words-outlive-the-database.md.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot import optouts
from bot.broadcasts import history
from bot.broadcasts.history import CLOCK, Decision
from bot.moments import from_ms, to_ms
from bot.optouts import Replayed
from bot.store import Store, copies, deciding, sql
from bot.subscribers import Subscribers

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from bot.store import Transaction
    from bot.vault import Vault


_RESTORED = "restored"
"""Why the clock paused what a copy had on its way."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made.

    Attributes:
        size: In bytes.
        people: How many subscribers are in it, whatever their state.
    """

    size: int
    people: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that was put in the place of the database.

    Attributes:
        people: How many subscribers there are now.
        lived_at: When the service last worked on what was put back, aware UTC; None when it never did.
        aside: The database that was there; None when there was none.
        replayed: What people said after the backup was made; None when nobody knows, for the file is gone.
    """

    people: int
    lived_at: datetime | None
    aside: Path | None
    replayed: Replayed | None


@dataclass(frozen=True, slots=True)
class Caught:
    """What a copy knows of what has happened since it was made.

    Attributes:
        replayed: What people said.
        paused: How many broadcasts wait for a person: they were on their way, and the original may have sent
            the rest.
    """

    replayed: Replayed = field(default_factory=Replayed)
    paused: int = 0


def back_up(database: Path, into: Path) -> Backup:
    """Copy the database, also while the service works; what is at `into` is replaced.

    Raises:
        Unusable: the copy could not be made, or is not sound.
    """
    people = copies.copy(database, into)
    return Backup(into.stat().st_size, people)


async def restore(backup: Path, database: Path, vault: Vault, now: datetime) -> Restored:
    """Put a backup in the place of the database. Nothing is sent from it before somebody arms it.

    It is made ready beside the database first, so that a backup of no use leaves all as it was.

    Raises:
        Unusable: the backup is damaged, of a newer version, or of another key; or the database is open in
            another process ("locked").
    """
    aside = database.with_name(f"{database.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
    fresh = database.with_name(database.name + ".restoring")
    with ExitStack() as held:
        held.enter_context(copies.nobody_else(database))
        held.callback(_sweep, fresh)
        _sweep(fresh)
        await asyncio.to_thread(shutil.copyfile, backup, fresh)
        fresh.chmod(0o600)
        await asyncio.to_thread(copies.check, fresh)
        people, lived_at, replayed = await _make_ready(fresh, database, vault, now)
        kept = await asyncio.to_thread(copies.put_in_place, fresh, database, aside)
    return Restored(people, lived_at, aside if kept else None, replayed)


def set_apart(tx: Transaction, now: datetime) -> None:
    """Once it is known for a copy: what was on its way waits for a person, the original may have said it.

    What is announced or answered from here on is the copy's own, and leaves when it may send. Answers that
    were on their way are not given again. Deliveries have numbers of their own from here on, so that no late
    receipt of the original's is taken for one of ours.
    """
    for row in tx.rows(sql.BROADCASTS_OPEN):
        if row["state"] == "running":
            history.move(tx, row["id"], "running", "paused", Decision(CLOCK, now, _RESTORED))
    tx.run(deciding.REPLIES_STALE, {"now": to_ms(now)})
    tx.run(deciding.DELIVERIES_AHEAD)


def catch_up(
    tx: Transaction, vault: Vault, database: Path, now: datetime, *, apart: bool, nobody_left: bool
) -> Caught | None:
    """Before a copy may send: who left since is out, and it is set apart.

    Args:
        apart: Whether it was set apart before.
        nobody_left: Somebody answers for it that nobody left since, although no file is there to tell.

    Returns:
        None, and nothing changed, when nobody knows who left since.
    """
    if optouts.are_missing(tx, database) and not nobody_left:
        return None
    replayed = optouts.replay(tx, vault, database, now)
    if not apart:
        set_apart(tx, now)
    paused = [row["id"] for row in tx.rows(sql.BROADCASTS_OPEN) if row["state"] == "paused"]
    last = [step for broadcast in paused for step in history.steps(tx, broadcast)[-1:]]
    return Caught(replayed, sum(step.reason == _RESTORED for step in last))


async def _make_ready(
    fresh: Path, database: Path, vault: Vault, now: datetime
) -> tuple[int, datetime | None, Replayed | None]:
    """Bring a copy up to date: our version, our key, everybody's last word; and let nothing leave from it."""

    def work(tx: Transaction) -> tuple[int, datetime | None, Replayed | None]:
        lived = tx.one(deciding.ARMING)
        first = {"token": secrets.token_hex(16), "now": to_ms(now)}
        tx.run(deciding.ARMING_FIRST, first)  # where it never lived: it is no new database all the same
        tx.run(deciding.ARMING_OFF, {"off": "older-database"})
        set_apart(tx, now)
        known = not optouts.are_missing(tx, database)
        replayed = optouts.replay(tx, vault, database, now) if known else None
        people = tx.rows(sql.PEOPLE)[0]["people"]
        return people, from_ms(lived["beat_at"]) if lived else None, replayed

    store = await Store.open(fresh)
    try:
        await Subscribers(store, vault).keep_key()
        ready = await store.write(work)
        await store.forget()  # who was erased since, and the log with them
    finally:
        await store.close()
    return ready


def _sweep(fresh: Path) -> None:
    """What is left of a copy that was made ready, or was not."""
    for end in ("", "-wal", "-shm", ".lock"):
        fresh.with_name(fresh.name + end).unlink(missing_ok=True)
