"""A whole copy of the database while others write to it, and another put in its place.

What may enter: files of SQLite as files. A copy is made by a reader, which never writes and never checkpoints
(docs/decisions/0003-one-writer.md), so the service waits for nothing. `VACUUM INTO` leaves out the pages that
are free, and what stood in them.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from bot.store import sql
from bot.store.faults import Unusable, said_plainly
from bot.store.optouts import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHARED = (510, 0x40000002)
"""The bytes of a database that each process which has it open holds a lock on (SQLite, os_unix.c)."""


def copy(database: Path, into: Path) -> int:
    """Make a sound copy that only its owner can read. It takes the place of `into` whole, or not at all.

    Returns:
        How many subscribers are in it.

    Raises:
        Unusable: there is no such database, it is damaged, or the disk is full. What was at `into` is still
            there.
        OSError: nothing can be written there.
    """
    part = into.with_name(into.name + ".part")
    part.unlink(missing_ok=True)
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with said_plainly(), closing(_opened(database)) as source:
            source.execute("VACUUM INTO ?", (str(part),))
        check(part)
        with said_plainly(), closing(_opened(part)) as made:
            [(people,)] = made.execute(sql.PEOPLE)
        _sync(part)
        part.replace(into)
        sync_folder(into)
        return int(people)
    finally:
        part.unlink(missing_ok=True)


def check(file: Path) -> None:
    """Look at every page. Raises Unusable: it is damaged, or no database at all."""
    with said_plainly(), closing(_opened(file)) as database:
        if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise Unusable("damaged")


@contextmanager
def nobody_else(database: Path) -> Iterator[None]:
    """Hold the database against every other process, also a damaged one. It may not be there at all.

    Raises:
        Unusable: "locked", somebody has it open.
    """
    try:
        file = os.open(database, os.O_RDWR)
    except FileNotFoundError:
        yield
        return
    try:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *_SHARED)
        except OSError:
            raise Unusable("locked") from None
        yield
    finally:
        os.close(file)


def put_in_place(fresh: Path, database: Path, aside: Path) -> bool:
    """Let `fresh` be the database. The one that was there, with what its log holds, stays as `aside`.

    There is a whole database at every instant. The log goes first: SQLite would take it for the new one's.

    Returns:
        Whether there was one.
    """
    log, index = (database.with_name(database.name + end) for end in ("-wal", "-shm"))
    there = database.exists()
    if there:
        aside.hardlink_to(database)
    if log.exists():
        log.replace(aside.with_name(aside.name + "-wal"))
    index.unlink(missing_ok=True)
    fresh.replace(database)
    sync_folder(database)
    return there


def _opened(file: Path) -> sqlite3.Connection:
    """As a reader of ours; only a file that is there."""
    database = sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True)
    database.execute("PRAGMA wal_autocheckpoint = 0")
    return database


def _sync(file: Path) -> None:
    written = os.open(file, os.O_RDWR)
    try:
        os.fsync(written)
    finally:
        os.close(written)
