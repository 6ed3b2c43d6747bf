"""The embedded engine: one SQLite file through sqlite-utils, one thread that writes, one that reads.

sqlite-utils is synchronous and a connection belongs to the thread that opened it, so each of the two threads
opens its own and nothing else touches it. Work is handed over as a function of a transaction. Works that wait
at the same moment share one commit, so that the disk is waited for once and not once for each.

SQLite before 3.51.3 can corrupt a WAL when two connections write or checkpoint at the same instant (found
2026-03), and most systems carry an older one. Every write here, and the checkpoint inside its commit, holds
a lock on `<database>.lock`, shared with the other processes of this deployment; readers never checkpoint.
See docs/decisions/0003-one-writer.md.
"""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlite_utils import Database

from bot.store import optouts
from bot.store.faults import Unusable, Why, said_plainly
from bot.store.migrations import migrations, refuse_strangers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

T = TypeVar("T")
Row = dict[str, Any]

_BUSY_MS = 10_000
_MOST, _LONGEST = 200, 0.01
"""How many works share a commit, and for how many seconds they may be at work before it."""


class Transaction:
    """What may be asked of the database within one transaction, on its own thread.

    Attributes:
        words: Of people about being written to, by tag: they go to the file beside the database first.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self.words: list[tuple[bytes, optouts.Word]] = []

    def rows(self, sql: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """Every row of a query, or of a statement with RETURNING."""
        cursor = self._db.execute(sql, dict(values or {}))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def tuples(self, sql: str, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """The same as bare tuples: for the send path, where a dict a row costs more than the row."""
        return self._db.execute(sql, dict(values or {})).fetchall()

    def one(self, sql: str, values: Mapping[str, object] | None = None) -> Row | None:
        """The first row, or None."""
        found = self.rows(sql, values)
        return found[0] if found else None

    def run(self, sql: str, values: Mapping[str, object] | None = None) -> int:
        """A statement; the number of rows it touched."""
        return int(self._db.execute(sql, dict(values or {})).rowcount)

    def each(self, sql: str, many: Iterable[Mapping[str, object]]) -> None:
        """One statement for many sets of values."""
        self._db.conn.executemany(sql, many)


class _Handed(Generic[T]):
    """Work that was handed over, and what came of it.

    Attributes:
        certain: Done when `fault` or `result` is what it will be for ever.
        fault: Why nothing of it is on the disk.
        result: What it answered, if there is no fault.
    """

    def __init__(self, work: Callable[[Transaction], T], certain: asyncio.Future[None]) -> None:
        self.work = work
        self.certain = certain
        self.fault: BaseException | None = None
        self.result: T


class Store:
    """An open database. Make it with `await Store.open(path)`; it belongs to the loop that did.

    Attributes:
        unusable: Why the last that was to be written is not on the disk; None when it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.unusable: Why | None = None
        self._loop = asyncio.get_running_loop()
        self._handed: deque[_Handed[Any]] = deque()
        self._words: list[tuple[bytes, optouts.Word]] = []
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._reader = ThreadPoolExecutor(1, "store-reader")
        self._writer_end = ExitStack()  # what each thread opened, for it to close
        self._reader_end = ExitStack()
        self._write_db: Database
        self._read_db: Database
        self._lock: IO[str]

    @classmethod
    async def open(cls, path: Path) -> Store:
        """Open the file, making it and bringing it up to date where needed.

        Raises:
            Unusable: made by a newer version, damaged, not a database of ours, or not to be opened.
        """
        store = cls(path)
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(store._writer, store._open_writer)
            await loop.run_in_executor(store._reader, store._open_reader)
        except BaseException:
            await store.close()
            raise
        return store

    @property
    def path(self) -> Path:
        """Its file; what must outlive it stands beside it."""
        return self._path

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction: all of it is on the disk afterwards, or none.

        Works are done in the order in which they were handed over. One that raises takes back what it did and
        harms no other that shares its commit. Where it undid what others had done, theirs is done again: a
        work changes nothing but the database.

        Raises:
            Unusable: the disk is full, or the file is damaged. Nothing of this work was written.
        """
        handed = _Handed(work, self._loop.create_future())
        self._handed.append(handed)
        self._writer.submit(self._write_handed)
        await handed.certain
        if handed.fault is not None:
            raise handed.fault
        return handed.result

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which only reads, beside the writer. It sees what was committed before it began."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, work)

    async def forget(self) -> None:
        """Leave no trace of deleted rows: empty the log into the file, whose free pages are zeroed.

        Raises:
            Unusable: somebody reads for so long that the log could not be emptied.
        """
        await asyncio.get_running_loop().run_in_executor(self._writer, self._truncate)

    async def close(self) -> None:
        """Finish what was handed over, and close."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._reader, self._reader_end.close)
        await loop.run_in_executor(self._writer, self._writer_end.close)
        self._reader.shutdown()
        self._writer.shutdown()

    def _open_writer(self) -> None:
        with said_plainly():
            file = self._path.with_name(self._path.name + ".lock").open("w")
            self._lock = self._writer_end.enter_context(file)
            with self._alone():
                with suppress(FileExistsError):  # SQLite would let everybody of the machine read it
                    self._path.touch(mode=0o600, exist_ok=False)
                db = self._write_db = Database(sqlite3.connect(self._path, timeout=_BUSY_MS / 1000))
                self._writer_end.callback(self._close_writer)
                refuse_strangers(db)
                db.enable_wal()
                for pragma in (
                    "synchronous = FULL",  # a commit is on the disk when it returns
                    "secure_delete = ON",
                    "trusted_schema = OFF",
                    "cache_size = -16000",
                ):
                    db.conn.execute(f"PRAGMA {pragma}")
                migrations.apply(db)  # some make a table anew, which would count as deleting its rows
                db.conn.execute("PRAGMA foreign_keys = ON")

    def _open_reader(self) -> None:
        with said_plainly():
            db = self._read_db = Database(sqlite3.connect(self._path, timeout=_BUSY_MS / 1000))
            self._reader_end.callback(db.close)
            db.conn.execute("PRAGMA query_only = ON")
            db.conn.execute("PRAGMA wal_autocheckpoint = 0")

    def _close_writer(self) -> None:
        with self._alone():
            self._write_db.close()

    def _write_handed(self) -> None:
        """Do the works that wait, unless an earlier call took them along, and tell whose they are."""
        together = [self._handed.popleft() for _ in range(min(len(self._handed), _MOST))]
        if not together:
            return
        changes = self._write_db.conn.total_changes
        try:
            with said_plainly(), self._alone():
                done = self._commit(together)
            certain, again = together[:done], together[done:]
        except BaseException as fault:  # noqa: BLE001 - raised again where the work came from
            # Who brought the transaction down has a fault of their own; the others go on without them.
            certain = [handed for handed in together if handed.fault is not None]
            again = [handed for handed in together if handed.fault is None]
            if not certain:
                certain, again = again, certain
                for handed in certain:
                    handed.fault = fault
        self._handed.extendleft(reversed(again))
        faults = [handed.fault for handed in certain if isinstance(handed.fault, Unusable)]
        if faults or self._write_db.conn.total_changes > changes:  # else nothing was to be written
            self.unusable = faults[0].why if faults else None
        self._loop.call_soon_threadsafe(_tell, certain)

    def _commit(self, together: Sequence[_Handed[Any]]) -> int:
        """Do as many works as the time allows and commit them; how many were done."""
        connection = self._write_db.conn
        self._words.clear()
        # Not `atomic()`: it begins deferred, and a reader that becomes a writer can be refused.
        connection.execute("BEGIN IMMEDIATE")
        try:
            end, done = time.monotonic() + _LONGEST, 0
            while done < len(together) and (not done or time.monotonic() < end):
                self._do(together[done])
                done += 1
            if self._words:
                optouts.add(self._path, self._words)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        return done

    def _do(self, handed: _Handed[Any]) -> None:
        """Do one work. Raises its fault only where SQLite has undone the whole transaction for it."""
        if handed.certain.cancelled():
            return
        connection = self._write_db.conn
        # Not `atomic()` either: it names each savepoint anew, and SQLite reads its statements every time.
        connection.execute("SAVEPOINT work")
        try:
            with said_plainly():
                transaction = Transaction(self._write_db)
                handed.result = handed.work(transaction)
                self._words += transaction.words
        except BaseException as fault:
            handed.fault = fault
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")

    def _read(self, work: Callable[[Transaction], T]) -> T:
        connection = self._read_db.conn
        with said_plainly():
            connection.execute("BEGIN")  # all that `work` asks is answered from one moment
            try:
                return work(Transaction(self._read_db))
            finally:
                connection.rollback()

    def _truncate(self) -> None:
        with said_plainly(), self._alone():
            busy, _, _ = self._write_db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Unusable("locked")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)


def _tell(certain: Iterable[_Handed[Any]]) -> None:
    """Let those who handed over go on, unless they have gone away."""
    for handed in certain:
        if not handed.certain.done():
            handed.certain.set_result(None)
