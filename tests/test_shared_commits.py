"""Writes that wait together share one commit: each is done or not as if it were alone, and told the truth."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sqlite3
import sys
import tempfile
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.store import Store, Transaction, Unusable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PUT = """
    INSERT INTO lanes (sender, wait_until) VALUES (:sender, :wait_until)
    ON CONFLICT (sender) DO UPDATE SET wait_until = excluded.wait_until
"""
SUM = "SELECT coalesce(sum(wait_until), 0) FROM lanes"

CHILD = """
import asyncio, os, resource, signal, sys
from pathlib import Path
from bot.store import Store, Unusable

PUT = "INSERT INTO lanes (sender, wait_until) VALUES (:sender, 1)"

def put(name):
    return lambda tx: tx.run(PUT, {"sender": name})

async def told(store, name, work):
    try:
        await store.write(work)
    except Unusable as error:
        print(error.why, name, flush=True)
    else:
        print("done", name, flush=True)

async def main(how, path):
    store = await Store.open(Path(path))
    await told(store, "before", put("before"))
    names = [f"{n:04}" for n in range(50)]
    if how == "killed":
        killed = [told(store, "last", lambda tx: os.kill(os.getpid(), signal.SIGKILL))]
        await asyncio.gather(*(told(store, name, put(name)) for name in names), *killed)
    elif how == "full":
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (os.stat(path + "-wal").st_size, unlimited[1]))
        await asyncio.gather(*(told(store, name, put(name)) for name in names))
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        await told(store, "after", put("after"))
    else:
        for hundred in range(100):
            some = [f"{hundred}-{name}" for name in names]
            await asyncio.gather(*(told(store, name, put(name)) for name in some))
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


def put(sender: str, wait_until: int = 1) -> Callable[[Transaction], int]:
    """Work that writes one row and answers what the database holds then."""

    def work(tx: Transaction) -> int:
        tx.run(PUT, {"sender": sender, "wait_until": wait_until})
        return int(tx.tuples(SUM)[0][0])

    return work


async def kept(store: Store) -> dict[str, int]:
    """All rows."""
    return dict(await store.read(lambda tx: tx.tuples("SELECT sender, wait_until FROM lanes")))


def kept_in(path: Path) -> set[str]:
    """All rows of a database that nobody has open."""
    with sqlite3.connect(path) as database:
        return {name for (name,) in database.execute("SELECT sender FROM lanes")}


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    """A store."""
    store = await Store.open(path)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def busy(store: Store) -> AsyncIterator[None]:
    """Keep the writer at work: whatever is handed over inside waits together."""
    begun, go = threading.Event(), threading.Event()

    def work(_tx: Transaction) -> None:
        begun.set()
        go.wait(10)

    working = asyncio.create_task(store.write(work))
    await asyncio.to_thread(begun.wait, 10)
    yield
    await asyncio.sleep(0)  # so that the tasks made inside have begun
    go.set()
    await working


async def child(how: str, path: Path, kill_after: float | None = None) -> tuple[int, list[list[str]]]:
    """Another process writes; how it ended, and what its callers were told, in order."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHILD, how, str(path)), stdout=asyncio.subprocess.PIPE
    )
    if kill_after is not None:
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(kill_after)
        process.kill()
    out, _ = await process.communicate()
    lines = out.decode().split("\n")[:-1]  # what was told in half was not told
    return process.returncode or 0, [line.split(" ") for line in lines]


async def test_who_waits_together_shares_one_commit(tmp_path: Path) -> None:
    """Fifty writes that wait at the same moment cost one commit, and a lone one costs its own."""
    said: list[str] = []
    async with opened(tmp_path / "a.db") as store:
        await store.write(lambda tx: tx._db.conn.set_trace_callback(said.append))
        said.clear()
        async with busy(store):
            writing = asyncio.gather(*(store.write(put(f"{n}")) for n in range(50)))
        await writing
        await store.write(put("alone"))
        assert len(await kept(store)) == 51
    assert said.count("COMMIT") == 3  # of who kept the writer busy, of the fifty, of the lone one


@pytest.mark.parametrize(
    ("bounds", "commits"),
    [({"_MOST": 10}, 3), ({"_LONGEST": 0.0}, 30), ({"_MOST": 10, "_LONGEST": 0.0}, 30)],
)
async def test_a_commit_gathers_only_so_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bounds: dict[str, float], commits: int
) -> None:
    """Neither many works nor long ones make the first to come wait for the last, and their order is kept."""
    said: list[str] = []
    for name, bound in bounds.items():
        monkeypatch.setattr(f"bot.store.sqlite.{name}", bound)
    async with opened(tmp_path / "a.db") as store:
        await store.write(lambda tx: tx._db.conn.set_trace_callback(said.append))
        said.clear()
        async with busy(store):
            writing = asyncio.gather(*(store.write(put(f"{n}", n)) for n in range(30)))
        assert await writing == list(itertools.accumulate(range(30)))
    assert said.count("COMMIT") == 1 + commits


async def test_one_that_fails_harms_no_neighbour(tmp_path: Path) -> None:
    """Of works that share a commit, one that fails half-way leaves nothing, and only its caller is told."""

    def half(tx: Transaction) -> None:
        put("half")(tx)
        raise ZeroDivisionError

    def twice(tx: Transaction) -> None:
        tx.each("INSERT INTO lanes VALUES (:sender, 1)", [{"sender": "twice"}, {"sender": "twice"}])

    async with opened(tmp_path / "a.db") as store:
        async with busy(store):
            works = (put("a"), half, put("b"), twice, put("c"))
            writing = asyncio.gather(*(store.write(work) for work in works), return_exceptions=True)
        a, failed, b, doubled, c = await writing
        assert (a, b, c) == (1, 2, 3)
        assert isinstance(failed, ZeroDivisionError)
        assert isinstance(doubled, sqlite3.IntegrityError)
        assert await kept(store) == {"a": 1, "b": 1, "c": 1}


async def test_what_one_undoes_is_done_again(tmp_path: Path) -> None:
    """Where one fault undoes the whole transaction, its neighbours' work is on the disk all the same."""

    def undoing(tx: Transaction) -> None:
        tx.run("INSERT OR ROLLBACK INTO lanes VALUES ('before', 2)")

    async with opened(tmp_path / "a.db") as store:
        await store.write(put("before"))
        async with busy(store):
            works = (put("a"), undoing, put("b"))
            writing = asyncio.gather(*(store.write(work) for work in works), return_exceptions=True)
        a, undone, b = await writing
        assert (a, b) == (2, 3)
        assert isinstance(undone, sqlite3.IntegrityError)
        assert await kept(store) == {"before": 1, "a": 1, "b": 1}


async def test_who_has_gone_away_is_not_written_for(tmp_path: Path) -> None:
    """A caller who is cancelled while waiting leaves nothing behind, and nobody waits for them."""
    async with opened(tmp_path / "a.db") as store:
        async with busy(store):
            tasks = [asyncio.create_task(store.write(put(name))) for name in ("a", "gone", "b")]
            await asyncio.sleep(0)
            tasks[1].cancel()
        assert [await tasks[0], await tasks[2]] == [1, 2]
        assert tasks[1].cancelled()
        assert await kept(store) == {"a": 1, "b": 1}


async def test_closing_finishes_what_was_handed_over(tmp_path: Path) -> None:
    """What was handed over before the store is closed is on the disk; afterwards it refuses, each time."""
    store = await Store.open(tmp_path / "a.db")
    async with busy(store):
        writing = asyncio.gather(*(store.write(put(f"{n}")) for n in range(500)))
        await asyncio.sleep(0)
        closing = asyncio.create_task(store.close())
    await closing
    assert len(await writing) == 500
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await store.write(put("late"))
    assert len(kept_in(tmp_path / "a.db")) == 500


async def test_a_full_disk_is_told_to_whom_it_concerns(tmp_path: Path) -> None:
    """When there is no more room, who does not fit is told, and who does is on the disk."""
    async with opened(tmp_path / "a.db") as store:
        [(pages,)] = await store.read(lambda tx: tx.tuples("PRAGMA page_count"))
        await store.write(lambda tx: tx.tuples(f"PRAGMA max_page_count = {pages + 20}"))
        async with busy(store):
            names = [f"{n:02}{'x' * 3000}" for n in range(60)]
            writing = asyncio.gather(*(store.write(put(name)) for name in names), return_exceptions=True)
        answers = dict(zip(names, await writing, strict=True))
        refused = [answer for answer in answers.values() if isinstance(answer, BaseException)]
        assert 0 < len(refused) < 60
        assert all(isinstance(fault, Unusable) and fault.why == "full" for fault in refused)
        assert set(await kept(store)) == {name for name, answer in answers.items() if isinstance(answer, int)}


async def test_a_commit_that_fails_is_told_to_all(tmp_path: Path) -> None:
    """When the commit itself finds no room, everybody who shares it is told, and nothing of it is there."""
    status, told = await child("full", tmp_path / "a.db")
    assert status == 0
    assert told[0] == ["done", "before"]
    assert [why for why, _ in told[1:-1]] == ["full"] * 50
    assert told[-1] == ["done", "after"]
    assert kept_in(tmp_path / "a.db") == {"before", "after"}


async def test_killed_before_the_commit(tmp_path: Path) -> None:
    """A process killed when all works are done, but not committed, loses all and has lied to nobody."""
    status, told = await child("killed", tmp_path / "a.db")
    assert status == -signal.SIGKILL
    assert told == [["done", "before"]]
    assert kept_in(tmp_path / "a.db") == {"before"}


@pytest.mark.parametrize("kill_after", [0.01, 0.03, 0.09])
async def test_killed_at_any_moment(tmp_path: Path, kill_after: float) -> None:
    """Whenever a process is killed, what it said was done is there."""
    status, told = await child("steady", tmp_path / "a.db", kill_after)
    assert status in (0, -signal.SIGKILL)
    assert {name for _, name in told} <= kept_in(tmp_path / "a.db")


AGAIN = {
    "unique": "INSERT INTO lanes VALUES (:sender, 0)",
    "undoing": "INSERT OR ROLLBACK INTO lanes VALUES (:sender, 0)",
}
"""What cannot be written twice; the second undoes the whole transaction."""


@dataclass(frozen=True)
class Step:
    """One work of a random mixture, and whether whoever hands it over lets others go first."""

    sender: str
    wait_until: int
    end: Literal["well", "before", "after", "unique", "undoing"]
    pause: bool

    def __call__(self, tx: Transaction) -> int:
        if self.end == "before":
            raise ZeroDivisionError
        total = put(self.sender, self.wait_until)(tx)
        if self.end == "after":
            raise ZeroDivisionError
        if self.end in AGAIN:
            tx.run(AGAIN[self.end], {"sender": self.sender})
        return total


STEPS = st.lists(
    st.builds(
        Step,
        sender=st.sampled_from("abcd"),
        wait_until=st.integers(1, 9),
        end=st.sampled_from(("well", "well", "before", "after", "unique", "undoing")),
        pause=st.booleans(),
    ),
    max_size=40,
)
RAISED = {
    "before": ZeroDivisionError,
    "after": ZeroDivisionError,
    "unique": sqlite3.IntegrityError,
    "undoing": sqlite3.IntegrityError,
}


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_together_is_as_one_by_one(steps: list[Step]) -> None:
    """However works are gathered, each sees and leaves what it would if they were done one by one."""
    model: dict[str, int] = {}
    expected: list[int | type[Exception]] = []
    for step in steps:
        if step.end == "well":
            model[step.sender] = step.wait_until
        expected.append(sum(model.values()) if step.end == "well" else RAISED[step.end])

    async def run(folder: Path) -> tuple[list[Any], dict[str, int]]:
        async with opened(folder / "a.db") as store:
            tasks = []
            for step in steps:
                tasks.append(asyncio.create_task(store.write(step)))
                if step.pause:
                    await asyncio.sleep(0.0005)
            return await asyncio.gather(*tasks, return_exceptions=True), await kept(store)

    with tempfile.TemporaryDirectory() as folder:
        answers, rows = asyncio.run(run(Path(folder)))
    assert [type(one) if isinstance(one, Exception) else one for one in answers] == expected
    assert rows == model
