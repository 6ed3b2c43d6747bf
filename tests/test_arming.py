"""A restored backup, a copied folder and a clock that jumped send nothing until somebody says so."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.arming import Arming
from bot.moments import to_ms
from tests.core import Clock, Core, Vendor, opened, people, person
from tests.deployment import Deployment, deploy

if TYPE_CHECKING:
    from pathlib import Path

    from bot.arming import Off
    from bot.store import Transaction
    from tests.conftest import Rehearsal

CHATS = [str(2000 + n) for n in range(20)]
PEOPLE = [("telegram", chat, "es", "fresno") for chat in CHATS]
ALL_SENT = """
    SELECT 1 FROM deliveries WHERE state <> 'cancelled'
    GROUP BY 1 = 1 HAVING min(state IN ('sent', 'delivered'))
"""


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """Twenty people wait for an announcement that nobody has sent yet."""
    made = deploy(tmp_path / "one", rehearsal.url)
    await rehearsal.people(*({"channel": "telegram", "address": chat} for chat in CHATS))
    await made.take_in(PEOPLE)
    assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
    return made


def back_up(made: Deployment) -> Path:
    """A copy of the database, as docs/operar.md tells."""
    aside = made.folder.with_name("respaldo.db")
    with (
        closing(sqlite3.connect(made.folder / "pregonero.db")) as live,
        closing(sqlite3.connect(aside)) as kept,
    ):
        live.backup(kept)
    return aside


def put_back(made: Deployment, aside: Path) -> None:
    for file in made.folder.glob("pregonero.db-*"):
        file.unlink()
    shutil.copy(aside, made.folder / "pregonero.db")


async def sent(rehearsal: Rehearsal) -> int:
    return len([row for row in await rehearsal.ledger() if row["outcome"] == "accepted"])


async def run_until_sent(made: Deployment) -> None:
    async with made.running():
        await made.until(ALL_SENT)


async def test_a_restored_database_sends_nothing(made: Deployment, rehearsal: Rehearsal) -> None:
    """Yesterday's backup holds an announcement that went out since: nobody gets it again (listmonk#1801)."""
    assert (await made.do("cancel", "1")).status == 0
    async with made.running():  # so that it is no new database
        pass
    assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
    aside = back_up(made)
    await run_until_sent(made)
    assert await sent(rehearsal) == len(CHATS)
    put_back(made, aside)
    async with made.running() as working:
        await asyncio.sleep(2)
        assert await sent(rehearsal) == len(CHATS)
        for words in (("report",), ("announce", "feria", "--again", "--wait")):
            said = (await made.do(*words)).err
            assert "respaldo anterior" in said
            assert "pregonero arm" in said
        assert (await made.do("announce", "feria", "--again", "--wait")).status == 1
        assert (await made.do("cancel", "2")).status == 0
        assert (await made.do("arm", "--by", "Ana")).status == 0
        assert (await made.do("report")).err == ""
        await asyncio.sleep(2)
        assert await sent(rehearsal) == len(CHATS)
        await made.do("announce", "feria", "--again", "-c", "fresno")
        await made.until("SELECT 1 FROM broadcasts WHERE state = 'done' AND id > 2")
        ended = await working.stop()
    assert await sent(rehearsal) == 2 * len(CHATS)
    assert "respaldo anterior" in ended.err


async def test_what_came_due_while_it_was_off_waits(made: Deployment, rehearsal: Rehearsal) -> None:
    """The original may have said it: armed again, the copy shows it and sends it only when told to."""
    await run_until_sent(made)
    aside = back_up(made)
    async with made.running():
        pass
    put_back(made, aside)
    with closing(sqlite3.connect(made.folder / "pregonero.db")) as database, database:
        database.execute(
            "INSERT INTO broadcasts (entry, community, moment, state, priority, due_at)"
            " SELECT entry, community, 'noon', 'scheduled', 2, strftime('%s', 'now') * 1000 - 60000"
            " FROM broadcasts"
        )
    async with made.running():
        assert (await made.do("arm")).status == 0
        await made.until("SELECT 1 FROM broadcasts WHERE state = 'missed'")
        said = (await made.do("report", "2")).out
        assert "pregonero resume 2" in said
        assert await sent(rehearsal) == len(CHATS)
        assert (await made.do("resume", "2")).status == 0
        await made.until("SELECT 1 FROM broadcasts WHERE id = 2 AND state = 'done'")
    assert await sent(rehearsal) == 2 * len(CHATS)


async def test_a_copied_folder_sends_nothing(made: Deployment, rehearsal: Rehearsal) -> None:
    """Two copies of one deployment would say everything twice: the second knows that it is one."""
    async with made.running() as working:
        await made.until("SELECT 1 FROM deliveries WHERE state = 'sent'")
        await working.stop()
    copy = Deployment(made.folder.with_name("two"), made.port)
    shutil.copytree(made.folder, copy.folder)
    before = await sent(rehearsal)
    async with copy.running():
        await asyncio.sleep(2)
        assert await sent(rehearsal) == before
        assert "se copió" in (await copy.do("report")).err
    await run_until_sent(made)
    assert await sent(rehearsal) == len(CHATS)


async def test_a_database_alone_is_a_copy(made: Deployment, rehearsal: Rehearsal) -> None:
    """Without its file beside it, the database may have come from anywhere."""
    async with made.running():
        await made.until(ALL_SENT)
    (made.folder / "pregonero.db.armed").unlink()
    await made.do("announce", "feria", "--again", "-c", "fresno")
    async with made.running():
        await asyncio.sleep(2)
        assert "copia" in (await made.do("report")).err
        assert await sent(rehearsal) == len(CHATS)
        assert "pausa" in (await made.do("arm")).err
        assert "puede haber salido ya" in (await made.do("report", "2")).out
        assert (await made.do("resume", "2")).status == 0
        await made.until(ALL_SENT)
    assert await sent(rehearsal) == 2 * len(CHATS)
    async with made.running():  # once is enough
        assert (await made.do("report")).err == ""


async def test_nobody_is_answered_by_a_copy(made: Deployment, rehearsal: Rehearsal) -> None:
    """A copy asks Telegram for nothing, which would take what people write from the original."""
    await run_until_sent(made)
    (made.folder / "pregonero.db.armed").unlink()
    await rehearsal.people({"channel": "telegram", "address": "77", "shown": True})
    async with made.running():
        await rehearsal.say("telegram", "77", "pasaporte")
        await asyncio.sleep(2)
        assert made.rows("SELECT count(*) FROM inbounds") == [(0,)]
        await made.do("arm")
        await rehearsal.until_phone("telegram", "77", lambda phone: len(phone) > 1)


async def test_commands_disturb_no_beat(made: Deployment) -> None:
    """Whoever looks, announces or pauses while the service runs leaves it armed, now and after a restart."""
    async with made.running():
        for words in (("report",), ("announce", "feria", "--again"), ("pause", "2"), ("arm",)):
            ended = await made.do(*words)
            assert (ended.status, "NO SE ENVÍA" in ended.err) == (0, False), words
    async with made.running():
        assert (await made.do("report")).err == ""


# Below the edges: rows, the file, and a clock in our hand.


def again(core: Core) -> Arming:
    """The next process on the same database."""
    return Arming(core.store, core.vault, core.folder / "pregonero.db", core.clockwork)


async def test_a_new_database_arms_itself(core: Core) -> None:
    """So does one of an earlier version: nothing is asked of whoever only upgrades."""
    assert await core.arming.off() is None
    assert await core.arming.begin() is None
    assert await again(core).begin() is None


@pytest.mark.parametrize(
    ("hours", "waits", "off"),
    [(23, True, None), (25, True, "restored-image"), (25, False, None), (9000, False, None)],
)
async def test_long_asleep_with_messages_waiting(
    core: Core, clock: Clock, hours: int, off: Off | None, *, waits: bool
) -> None:
    """Off for more than a day with a queue, a machine may be an image put back; without a queue, no harm."""
    await core.arming.begin()
    await core.take_in(people(2))
    if waits:
        await core.announce()
    clock.skip(hours=hours)
    assert await again(core).off() == off
    assert await again(core).begin() == off


STEPS = st.lists(st.sampled_from(["beat", "crash between", "restart", "look", "a day passes"]), max_size=25)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_no_crash_disarms(tmp_path: Path, steps: list[str]) -> None:
    """Killed anywhere, also between the row and the file, and started again: it is still the same copy."""
    clock = Clock()
    folder = tmp_path / str(len(list(tmp_path.iterdir())))  # noqa: ASYNC240 - a test's
    folder.mkdir()
    async with opened(folder, clock) as core:
        arming = core.arming
        await arming.begin()
        for step in steps:
            clock.skip(days=1) if step == "a day passes" else clock.skip(seconds=6)
            match step:
                case "beat":
                    await arming.beat()
                case "crash between":
                    await core.store.write(lambda tx: tx.run("UPDATE arming SET beat = beat + 1"))
                case "restart":
                    arming = again(core)
                    assert await arming.begin() is None
            assert await again(core).off() is None


JUMPS = [{"hours": 1}, {"hours": -1}, {"days": 1}, {"days": -1}, {"days": 365}, {"days": -365}]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_a_jump_holds_all_but_the_urgent(
    core: Core, clock: Clock, vendor: Vendor, jump: dict[str, int]
) -> None:
    """While the clock is wrong no announcement leaves or expires, an emergency does; then all goes on."""
    await core.take_in(people(6))
    first = await core.announce("vence")
    async with core.dispatching(vendor.telegram(), rate=500):
        await core.until(first, sent=6)
        clock.slipped = timedelta(**jump)
        await core.arming.doubts(core.now)
        await core.take_in([person("700000050")])
        second = await core.announce("feria", moment="second")
        emergency = await core.announce("feria", moment="third", why="Incendio")
        await core.until(emergency, sent=7)
        await asyncio.sleep(1)
        assert (await core.counts(second)).get("sent", 0) == 0
        assert await core.arming.off() == "clock-jumped"
        clock.slipped = timedelta()
        await core.until(second, sent=7)
        assert await core.arming.off() is None


async def test_somebody_says_that_the_clock_is_right(core: Core, clock: Clock, vendor: Vendor) -> None:
    """A clock that was wrong before and is right now: `arm` lets announcements go on."""
    await core.take_in(people(6))
    async with core.dispatching(vendor.telegram()):
        clock.slipped = timedelta(hours=3)
        broadcast = await core.announce()
        await asyncio.sleep(1.2)
        assert await core.counts(broadcast) == {"queued": 6}
        assert (await again(core).arm("Ana")).was == "clock-jumped"
        await core.until(broadcast, sent=6)


async def test_a_clock_in_the_past_is_in_doubt(core: Core, clock: Clock) -> None:
    """Started an hour before it last lived, it judges nothing until the clock is right, or said to be."""
    await core.arming.begin()
    clock.slipped = timedelta(hours=-1)
    for end in ("agrees", "arm"):
        arming = again(core)
        assert await arming.begin() == "clock-behind"
        assert await arming.believed() is None
        if end == "arm":
            assert (await again(core).arm("Ana")).was == "clock-behind"
        else:
            clock.slipped = timedelta()
        assert await arming.believed() is not None
        assert await arming.off() is None
        await arming.begin()
        clock.slipped = timedelta(hours=-1)


async def test_what_waits_for_a_good_hour_still_does_when_the_clock_agrees(core: Core, clock: Clock) -> None:
    """Who had enough today and a letter for the morning keep their hour; what a wrong clock queued is due."""
    await core.take_in(people(4))
    await core.announce()
    hours = {1: 40, 2: 10, 3: 24 * 365, 4: 3}

    def work(tx: Transaction) -> None:
        for row, ahead in hours.items():
            due_at = to_ms(core.now + timedelta(hours=ahead))
            tx.run("UPDATE deliveries SET due_at = :due_at WHERE id = :id", {"id": row, "due_at": due_at})
        tx.run("UPDATE deliveries SET reason = 'enough' WHERE id IN (1, 3)")
        tx.run("UPDATE deliveries SET broadcast = NULL WHERE id = 2")

    await core.store.write(work)
    await core.arming.begin()
    clock.slipped = timedelta(hours=1)
    assert await core.arming.doubts(core.now)
    clock.slipped = timedelta()
    assert not await core.arming.doubts(core.now)
    now = to_ms(core.now)
    due = dict(await core.rows("SELECT id, due_at FROM deliveries"))
    assert {row for row, due_at in due.items() if due_at > now} == {1, 2}
