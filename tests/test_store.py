"""The store: all or nothing on the disk, one plain word for each fault, nobody to be found in its files."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from bot.store import (
    Store,
    Transaction,
    Unusable,
    audience,
    corrections,
    deciding,
    folding,
    seeing,
    settling,
    sql,
    talk,
)
from tests.core import chat, number, opened, people, person

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = {
    "vaults": "id seal",
    "subscribers": "id channel address language community state heard_at joined forget_at person marketing",
    "topics": "subscriber topic",
    "consents": "id subscriber channel action how month words",
    "suppressed": "tag month",
    "broadcasts": "id entry community moment state priority why due_at late valid_until hash corrects",
    "history": "id broadcast state who at reason",
    "digested": "broadcast entry",
    "arming": "id token beat beat_at judged_at since off who",
    "broadcast_topics": "broadcast topic",
    "texts": "id broadcast channel language variant edition sender category open closed mark owner",
    "asked": "subscriber question choices kept until",
    "links": "code subscriber until",
    "threads": "id reference community kind subscriber sender state closed_at",
    "letters": "id thread author text written_at delivery",
    "gaps": "community question month times",
    "opinions": "entry community useful useless",
    "opined": "subscriber entry",
    "inbounds": "id sender vendor_id subscriber text left_there heard_at deaths",
    "deliveries": "id broadcast inbound subscriber text sender state reason attempt part due_at settled_at"
    " vendor_id corrects claimed_at looked deaths repeated told",
    "tallies": "sender quarter sent told",
    "folded": "broadcast state reason sender people asked repeated begun",
    "hindrances": "kind sender broadcast reason code",
    "editing": "file line rule quoted",
    "lanes": "sender wait_until",
    "sqlite_sequence": "name seq",
    "_sqlite_migrations": "id migration_set name applied_at",
}
"""All that is ever kept. Who adds a column argues for it in docs/decisions."""

INDEXED = [
    *(sql.CLAIM_REPLIES, sql.CLAIM_BROADCAST, sql.TEXT, sql.ORPHANS, sql.ANY_OPEN, sql.EXPIRE),
    *(sql.SETTLE_SENT, sql.SETTLE_NEXT_PART, sql.SETTLE_BACK, sql.SETTLE_ENDED, sql.TEXT_WAITS),
    *(sql.RECEIPT_ROW, sql.RECEIPT_STATE, sql.RELEASE_WINDOW, sql.PERSON_FORGET_REPLIES),
    *(
        audience.fan_out(),
        audience.fan_out(8),
        audience.ENOUGH,
        audience.FAILED,
        audience.NEXT_ADDRESSES,
        audience.TAKE_BACK,
        audience.TAKE_BACK_FROM,
        sql.READERS,
        sql.COUNTS,
        sql.REASONS,
        sql.BEGUN,
        sql.CANCEL_OPEN,
        talk.INBOUNDS_WAITING,
        talk.INBOUNDS_OF_NOBODY,
        talk.LINK_ONE_COPY,
    ),
    *(sql.BROADCASTS_OPEN, sql.BROADCASTS_DUE, sql.BROADCAST_MADE, sql.SUBSCRIBER_BY_ADDRESS),
    *(sql.SUPPRESSED, sql.SUBSCRIBER_MOVED, deciding.BROADCASTS_OVER, deciding.HISTORY),
    *(deciding.ANY_TOO_LATE, deciding.BROADCASTS_TO_SUBMIT, deciding.ARMING, deciding.SAID_SINCE),
    *(settling.UNSETTLED, settling.ASK_AGAIN, settling.FOUND, settling.FOUND_PART, settling.NOT_TAKEN),
    *(settling.GO_ON, settling.GIVE_UP, settling.ONCE_MORE, settling.MAY_LEAVE_AGAIN, settling.KEPT),
    *(corrections.CORRECTED_BY, corrections.FAN_OUT, corrections.ORPHANED),
    *(seeing.DEPTH_REPLIES, seeing.DEPTH_BROADCAST, seeing.OLDEST_REPLIES, seeing.OLDEST_BROADCAST),
    *(seeing.UNKNOWN, seeing.UNANSWERED, seeing.TOLD, seeing.TALLY, seeing.TALLIES),
    *(folding.FOLD, folding.FOLDED, folding.ANY_FOLDED),
]

WRITER = """
import asyncio, sys
from pathlib import Path
from bot.store import Store, sql

async def main():
    store = await Store.open(Path(sys.argv[1]))
    print("open", flush=True)
    for n in range(100):
        row = {"sender": f"theirs-{n}", "wait_until": n}
        await store.write(lambda tx: tx.run(sql.LANE_WAITS, row))
    await store.close()

asyncio.run(main())
"""


def lane(sender: str) -> dict[str, object]:
    return {"sender": sender, "wait_until": 1}


async def keep(store: Store, sender: str) -> None:
    await store.write(lambda tx: tx.run(sql.LANE_WAITS, lane(sender)))


async def lanes(store: Store) -> int:
    return len(await store.read(lambda tx: tx.rows("SELECT * FROM lanes")))


async def why(path: Path) -> str:
    """The word with which a database is refused."""
    with pytest.raises(Unusable) as told:
        await use(path)
    assert str(told.value) == told.value.why
    return told.value.why


async def use(path: Path) -> None:
    """Open a database and ask it something."""
    store = await Store.open(path)
    try:
        await store.read(lambda tx: tx.rows(sql.SUBSCRIBERS_COUNTED))
    finally:
        await store.close()


async def ask(store: Store, statement: str) -> list[tuple[Any, ...]]:
    """What SQLite answers, any value standing for each that is named."""
    values = dict.fromkeys(re.findall(r":(\w+)", statement), 1)
    return await store.write(lambda tx: tx.tuples(statement, values))


async def test_a_commit_is_all_or_nothing(tmp_path: Path) -> None:
    """Work that fails half-way leaves nothing, and what was written before and after it stays."""
    store = await Store.open(tmp_path / "a.db")

    def half(tx: Transaction) -> None:
        tx.run(sql.LANE_WAITS, lane("half"))
        raise ZeroDivisionError

    await store.write(lambda tx: tx.run(sql.LANE_WAITS, lane("before")))
    with pytest.raises(ZeroDivisionError):
        await store.write(half)
    with pytest.raises(sqlite3.IntegrityError):
        await store.write(lambda tx: tx.each(sql.VAULT_KEEP, [{"seal": b"1"}, {"seal": b"2"}]))
    await store.write(lambda tx: tx.run(sql.LANE_WAITS, lane("after")))
    await store.close()
    store = await Store.open(tmp_path / "a.db")
    assert await lanes(store) == 2
    assert await store.read(lambda tx: tx.one(sql.VAULT_SEAL)) is None
    await store.close()


async def test_a_reader_sees_one_moment(tmp_path: Path) -> None:
    """Two questions of one reading get answers of the same moment, whatever is written in between."""
    store = await Store.open(tmp_path / "a.db")
    loop = asyncio.get_running_loop()

    def twice(tx: Transaction) -> tuple[int, int]:
        before = len(tx.rows("SELECT * FROM lanes"))
        writing = store.write(lambda tx: tx.run(sql.LANE_WAITS, lane("meanwhile")))
        asyncio.run_coroutine_threadsafe(writing, loop).result(10)
        return before, len(tx.rows("SELECT * FROM lanes"))

    assert await store.read(twice) == (0, 0)
    assert await lanes(store) == 1
    await store.close()


async def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """What is handed in as reading changes nothing, even by mistake."""
    store = await Store.open(tmp_path / "a.db")
    with pytest.raises(Unusable):
        await store.read(lambda tx: tx.run(sql.LANE_WAITS, lane("mistake")))
    assert await lanes(store) == 0
    await store.close()


async def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """Migrations are applied once, however often and by however many a database is opened."""
    first = await Store.open(tmp_path / "a.db")
    second = await Store.open(tmp_path / "a.db")
    await first.write(lambda tx: tx.run(sql.LANE_WAITS, lane("kept")))
    await first.close()
    assert await lanes(second) == 1
    applied = "SELECT name FROM _sqlite_migrations"
    names = [row["name"] for row in await second.read(lambda tx: tx.rows(applied))]
    assert names == sorted(set(names))
    await second.close()


async def test_a_commit_is_on_the_disk(tmp_path: Path) -> None:
    """What another program reads after a write, and how: a log, synced at each commit, deletions zeroed."""
    store = await Store.open(tmp_path / "a.db")

    def pragmas(tx: Transaction) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
        return [tx.tuples(f"PRAGMA {name}")[0][0] for name in names]

    assert await store.write(pragmas) == ["wal", 2, 1, 1, 0]
    await store.close()


async def test_each_bad_database_has_its_word(tmp_path: Path) -> None:
    """Newer, not ours, no database at all, damaged, out of reach: each is told by one word of ours."""
    path = tmp_path / "a.db"
    assert await why(tmp_path / "nowhere" / "a.db") == "unreachable"
    path.write_text("Esto no es una base de datos. " * 50)
    assert await why(path) == "not-a-database"
    path.unlink()
    with closing(sqlite3.connect(path)) as stranger:
        stranger.execute("CREATE TABLE places (id)")
    assert await why(path) == "not-a-database"
    with closing(sqlite3.connect(path)) as stranger:
        assert stranger.execute("SELECT name FROM sqlite_master").fetchall() == [("places",)]
    path.unlink()
    await (await Store.open(path)).close()
    with closing(sqlite3.connect(path)) as future, future:
        future.execute("INSERT INTO _sqlite_migrations VALUES (99, 'pregonero', 'm9999_later', '')")
    assert await why(path) == "newer"


async def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    """Pages that hold rubbish are a word, not a trace."""
    path = tmp_path / "a.db"
    store = await Store.open(path)
    await store.write(lambda tx: tx.run(sql.LANE_WAITS, lane("kept")))
    await store.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xaa" * (len(data) - 4096)
    path.write_bytes(data)
    assert await why(path) == "damaged"


async def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """When there is no more room, a write says so and leaves all as it was; with room it works again."""
    store = await Store.open(tmp_path / "a.db")
    await store.write(lambda tx: tx.run(sql.LANE_WAITS, lane("before")))
    many = [lane(f"{n:0500}") for n in range(1000)]
    [(pages,)] = await store.read(lambda tx: tx.tuples("PRAGMA page_count"))
    await store.write(lambda tx: tx.tuples(f"PRAGMA max_page_count = {pages + 5}"))
    for _ in range(2):
        with pytest.raises(Unusable) as told:
            await store.write(lambda tx: tx.each(sql.LANE_WAITS, many))
        assert told.value.why == "full"
    assert await lanes(store) == 1
    await store.write(lambda tx: tx.tuples("PRAGMA max_page_count = 100000"))
    await store.write(lambda tx: tx.each(sql.LANE_WAITS, many))
    assert await lanes(store) == 1001
    await store.close()


async def test_a_stranger_who_holds_the_database_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that does not know our lock and keeps the database to itself is waited for, then told."""
    monkeypatch.setattr("bot.store.sqlite._BUSY_MS", 50)
    store = await Store.open(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unusable) as told:
            await store.write(lambda tx: tx.run(sql.LANE_WAITS, lane("late")))
        assert told.value.why == "locked"
        stranger.execute("ROLLBACK")
    await store.write(lambda tx: tx.run(sql.LANE_WAITS, lane("late")))
    await store.close()


async def test_two_processes_write_at_once(tmp_path: Path) -> None:
    """Another process on the same file loses none of its commits and none of ours."""
    path = tmp_path / "a.db"
    store = await Store.open(path)
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(path)), stdout=asyncio.subprocess.PIPE
    )
    assert other.stdout is not None
    assert await other.stdout.readline() == b"open\n"
    for n in range(100):
        await keep(store, f"ours-{n}")
    assert await other.wait() == 0
    assert await lanes(store) == 200
    await store.close()


async def test_nothing_but_what_was_argued_for_is_kept(tmp_path: Path) -> None:
    """No table has a column for a name, a place, an IP address or a free note."""
    store = await Store.open(tmp_path / "a.db")
    tables = [name for (name,) in await ask(store, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {
        table: " ".join(column[1] for column in await ask(store, f"PRAGMA table_info({table})"))
        for table in tables
    }
    assert found == COLUMNS
    await store.close()


async def test_no_hot_question_reads_a_whole_table(tmp_path: Path) -> None:
    """Whatever runs for each turn, receipt or message finds its rows by an index."""
    store = await Store.open(tmp_path / "a.db")
    for statement in INDEXED:
        steps = [step[3] for step in await ask(store, "EXPLAIN QUERY PLAN " + statement)]
        scans = [
            step
            for step in steps
            if re.match(r"SCAN (?!CONSTANT|\d+ CONSTANT|\(subquery)", step) and "INDEX" not in step
        ]
        assert not scans, statement
    await store.close()


async def test_a_stolen_disk_names_nobody(tmp_path: Path) -> None:
    """After an import, a broadcast and an erasure no number or chat id stands in any file of the database."""
    numbers, chats = [number(n) for n in range(1000)], [chat(n) for n in range(500)]
    async with opened(tmp_path) as core:
        await core.take_in([person(each, channel="sms") for each in numbers])
        await core.take_in(people(500))
        broadcast = await core.announce()
        await core.outbox.turn("sms", [], [(broadcast, None)], 400, core.now)
        before = core.files()
        await core.subscribers.erase("sms", numbers[7], core.now)
        after = core.files()
    assert len(before) >= 3
    for data in (*before, *after):
        said = set(re.findall(rb"[0-9]{7,}", data))
        clear = b" ".join(said)
        assert not [each for each in numbers if each[1:].encode() in clear or each[2:].encode() in clear]
        assert not [each for each in chats if each.encode() in clear]


async def test_an_erasure_leaves_not_even_the_seal(tmp_path: Path) -> None:
    """Who is erased from among thousands is gone from the file and its log, their sealed address too."""
    async with opened(tmp_path) as core:
        await core.take_in(people(3000))
        await core.announce()
        asked = [chat(n) for n in range(0, 3000, 300)]
        sealed = [core.vault.seal("telegram", address) for address in asked]
        there = b"".join(core.files())
        assert all(each in there for each in sealed)
        for address in asked:
            await core.subscribers.erase("telegram", address, core.now)
        left = b"".join(core.files())
        assert not [each for each in sealed if each in left]


async def test_an_erasure_that_cannot_end_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody reads old pages the log cannot be emptied: that is told, and asking again mends it."""
    monkeypatch.setattr("bot.store.sqlite._BUSY_MS", 50)
    async with opened(tmp_path) as core:
        await core.take_in(people(10))
        with closing(sqlite3.connect(tmp_path / "pregonero.db", isolation_level=None)) as stranger:
            stranger.execute("BEGIN")
            stranger.execute("SELECT * FROM subscribers").fetchall()
            with pytest.raises(Unusable) as told:
                await core.subscribers.erase("telegram", chat(1), core.now)
            assert told.value.why == "locked"
            stranger.execute("ROLLBACK")
        await core.subscribers.erase("telegram", chat(1), core.now)
        assert (tmp_path / "pregonero.db-wal").stat().st_size == 0
