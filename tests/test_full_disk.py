"""A disk without room: nothing leaves that cannot be written down, vendors keep what they tell us, and all
goes on by itself once there is room again.
"""

from __future__ import annotations

import asyncio
import resource
import shutil
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot import disk, editing
from bot.clock import Clock
from bot.disk import Disk
from bot.editing import Editing
from bot.housekeeping import Housekeeping
from bot.moments import to_ms
from bot.store import Unusable
from channels.rehearsal.callbacks import signature
from tests.conftest import ACCOUNT, TOKEN
from tests.core import Core, Vendor, people, when
from tests.deployment import SMS, Deployment, connect, deploy, number

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal
    from tests.deployment import Working

SOMEBODY = number(0)
ALL_HAVE_IT = """
    SELECT count(*) AS n FROM deliveries WHERE broadcast GROUP BY broadcast
    HAVING n = sum(state = 'delivered')
"""


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A deployment of sixty people who all read SMS, and one who writes."""
    made = deploy(tmp_path, rehearsal.url)
    crowd = [("sms", number(n), "es", "fresno") for n in range(60)]
    await rehearsal.people(*({"channel": "sms", "address": address} for _, address, _, _ in crowd))
    await connect(made, rehearsal)
    await made.take_in(crowd)
    return made


def fill(working: Working) -> int:
    """No file of this service can grow any more: what a full disk looks like from within."""
    _, most = resource.prlimit(working.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(working.process.pid, resource.RLIMIT_FSIZE, (0, most))
    return most


def make_room(working: Working, most: int) -> None:
    """They can again."""
    resource.prlimit(working.process.pid, resource.RLIMIT_FSIZE, (most, most))


async def write(made: Deployment, text: str) -> int:
    """Somebody writes an SMS; how our webhook answers Twilio."""
    form = {"MessageSid": "SM" + "a" * 32, "SmsStatus": "received", "From": SOMEBODY, "To": SMS, "Body": text}
    form |= {"AccountSid": ACCOUNT}
    url = f"{made.url}/hooks/sms"
    headers = {"X-Twilio-Signature": signature(TOKEN, url, form)}
    async with aiohttp.ClientSession() as session, session.post(url, data=form, headers=headers) as answer:
        return answer.status


async def test_a_full_disk_is_said_and_outlived(made: Deployment, rehearsal: Rehearsal) -> None:
    """The screen says it, webhooks hear 503 and nothing leaves; with room again all have it once."""
    async with made.running() as working:
        most = fill(working)
        assert await write(made, "pasaporte") == 503
        await working.line("No queda espacio en el disco", notes=True)
        assert (await made.do("announce", "feria", "-c", "fresno")).status == 0  # it has room of its own
        await asyncio.sleep(1.5)
        assert working.process.returncode is None
        in_flight = len(await rehearsal.ledger())
        make_room(working, most)
        await made.until(ALL_HAVE_IT)
        assert await write(made, "pasaporte") == 200
        await made.until("SELECT 1 FROM deliveries WHERE broadcast IS NULL AND state = 'delivered'")
    assert in_flight == 0
    reached = Counter(row["address"] for row in await rehearsal.ledger() if row["outcome"] == "accepted")
    assert reached == {number(n): 1 for n in range(1, 60)} | {SOMEBODY: 2}


async def test_a_start_waits_for_room(made: Deployment, rehearsal: Rehearsal) -> None:
    """A service that begins on a full disk says so once, and begins by itself when there is room."""
    assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
    async with made.at_work("run") as working:
        most = fill(working)  # before it has loaded what it opens the database with
        await working.line("empieza por sí solo", notes=True)
        await asyncio.sleep(0.5)
        assert working.process.returncode is None
        make_room(working, most)
        await working.line(made.url)
        await made.until(ALL_HAVE_IT)
        ended = await working.stop()
    assert (ended.status, "empieza por sí solo" in ended.err) == (0, False)
    assert len(await rehearsal.ledger()) == 60


async def test_a_damaged_database_ends_the_service(made: Deployment) -> None:
    """What does not mend itself is no full disk: the service ends, with a sentence that says what to do."""
    async with made.running() as working:
        file = made.folder / "pregonero.db"
        length = file.stat().st_size
        file.write_bytes(b"\xff" * length)
        shutil.copyfile(file, made.folder / "pregonero.db-wal")
        async with asyncio.timeout(15):
            _, err = await working.process.communicate()
    assert working.process.returncode == 1
    assert "base de datos" in err.decode().splitlines()[-1]


async def test_little_room_is_left_to_what_people_write(
    core: Core, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the reserve announcements wait; emergencies leave; with room again, so does everything."""
    reserve = disk.RESERVE
    monkeypatch.setattr(disk, "RESERVE", 2**62)
    await core.take_in(people(20))
    waits = await core.announce()
    async with core.dispatching(vendor.telegram()):
        urgent = await core.announce(moment="now", why="incendio")
        await core.until(urgent, sent=20)
        assert await core.counts(waits) == {"queued": 20}
        monkeypatch.setattr(disk, "RESERVE", reserve)
        await core.until(waits, sent=20)


async def test_an_emergency_ends_although_there_is_little_room(
    core: Core, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was over before its turn is not sent because the disk is short."""
    await core.take_in(people(3))
    over = await core.announce(why="incendio")
    end = {"end": to_ms(core.now + timedelta(hours=6))}
    await core.store.write(lambda tx: tx.run("UPDATE broadcasts SET valid_until = :end", end))
    core.clock.skip(hours=7)
    monkeypatch.setattr(disk, "RESERVE", 2**62)
    async with core.dispatching(vendor.telegram()):
        await core.until(over, expired=3)
    assert vendor.asked == []


async def no_room(_work: object) -> None:
    """What every write meets on a full disk."""
    raise Unusable("full")


async def damaged(_work: object) -> None:
    """What it meets in a file that is broken."""
    raise Unusable("damaged")


async def test_a_slot_waits_for_room(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """A beat that finds no room is made up by the next; one that finds damage is heard."""
    clock = Clock(
        core.broadcasts, Housekeeping(core.store, core.vault), core.arming, core.disk, stir=lambda: None
    )
    await core.arming.begin()
    write = core.store.write
    monkeypatch.setattr(core.store, "write", no_room)
    await clock.beat()
    assert core.disk.full
    monkeypatch.setattr(core.store, "write", damaged)
    with pytest.raises(Unusable):
        await clock.beat()
    monkeypatch.setattr(core.store, "write", write)
    await clock.beat()
    assert await core.rows("SELECT 1 FROM arming WHERE judged_at IS NOT NULL") == [(1,)]


async def test_a_broken_edit_is_told_once_there_is_room(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not taken up of an edit stands in the report as soon as the row for it has room."""
    monkeypatch.setattr(editing, "_LOOK", 0.01)
    monkeypatch.setattr(editing, "AGAIN", 0.01)
    write = core.store.write
    monkeypatch.setattr(core.store, "write", no_room)
    edits = Editing(core.store, core.current, core.disk, core.clock.now)
    text = core.folder / "content/announcements/feria/es.md"
    text.write_text("Sin cabeza.", encoding="utf-8")
    running = asyncio.create_task(edits.run())
    async with asyncio.timeout(15):
        while not core.disk.full:  # noqa: ASYNC110 - nobody wakes us
            await asyncio.sleep(0.01)
    assert await edits.held() == []
    monkeypatch.setattr(core.store, "write", write)
    await when(edits.held)
    assert {finding.rule for finding in await edits.held()} == {"library.no-front-matter"}
    running.cancel()


def test_what_passes_by_itself(tmp_path: Path) -> None:
    """A full disk is full until nobody has found it so for a while; a damaged database never passes."""
    passed = [0.0]
    ours = Disk(tmp_path / "a.db", lambda: passed[0])
    assert ours.passing(Unusable("locked"))
    assert not ours.full
    assert ours.passing(Unusable("full"))
    for passed[0], full in ((0.0, True), (9.0, True), (11.0, False)):
        assert ours.full == full
    for why in ("damaged", "not-a-database", "unreachable", "newer", "other-key"):
        assert not ours.passing(Unusable(why))
