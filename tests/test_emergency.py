"""An emergency: a reason, two people, before every queue and in the night, and an end of its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.core import Clock, Core, chat, people, person
from tests.deployment import Deployment, deploy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal

CHATS = [str(3000 + n) for n in range(200)]
ALARM = '+++\ntitle = "Incendio"\n{front}+++\nSalga ya hacia el norte.\n'


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """Two hundred people on a slow lane, a routine announcement and an alarm."""
    made = deploy(tmp_path, rehearsal.url, rate=20)
    made.write("content/announcements/incendio/es.md", ALARM.format(front=""))
    await rehearsal.people(*({"channel": "telegram", "address": chat} for chat in CHATS))
    await made.take_in([("telegram", chat, "es", "fresno") for chat in CHATS])
    return made


async def alarms(rehearsal: Rehearsal) -> int:
    return len([row for row in await rehearsal.ledger() if "hacia el norte" in row["text"]])


async def test_the_second_yes_sends_it_within_seconds(made: Deployment, rehearsal: Rehearsal) -> None:
    """Before the second person nobody gets it; after, it overtakes those that wait."""
    await made.do("announce", "feria", "-c", "fresno")
    words = ("announce", "incendio", "-c", "fresno", "--emergency", "Fuego", "--by", "Ana")
    async with made.running():
        await made.until("SELECT 1 FROM deliveries WHERE state = 'sent'")
        asked = await made.do(*words)
        assert (asked.status, "pregonero approve 2" in asked.out) == (0, True)
        await asyncio.sleep(1.5)
        assert await alarms(rehearsal) == 0
        alone = await made.do("approve", "2", "--by", "ana")
        assert (alone.status, "otra persona" in alone.out) == (1, True)
        assert (await made.do("approve", "2", "--by", "Beto")).status == 0
        async with asyncio.timeout(5):
            while not await alarms(rehearsal):  # noqa: ASYNC110 - another process does not wake us
                await asyncio.sleep(0.05)
        assert made.rows("SELECT count(*) > 20 FROM deliveries WHERE broadcast = 1 AND state = 'queued'") == [
            (1,)
        ]
        await made.until("SELECT 1 FROM broadcasts WHERE id = 2 AND state = 'done'")
        assert made.rows("SELECT count(*) > 20 FROM deliveries WHERE broadcast = 1 AND state = 'queued'") == [
            (1,)
        ]
    history = (await made.do("report", "2", "--json")).json()["history"]
    assert [(step["state"], step["who"], step["reason"]) for step in history] == [
        ("submitted", "Ana", "Fuego"),
        ("approved", "Beto", None),
        ("running", "Beto", None),
        ("done", "clock", None),
    ]


async def test_two_at_the_desk_need_no_second_command(made: Deployment, rehearsal: Rehearsal) -> None:
    """With `--second` it leaves at once; by one person alone under two spellings it does not."""
    words = ("announce", "incendio", "-c", "fresno", "--emergency", "Fuego", "--by", "Ana", "--second")
    alone = await made.do(*words, " ANA ")
    assert (alone.status, made.rows("SELECT * FROM broadcasts")) == (1, [])
    async with made.running():
        both = await made.do(*words, "Beto", "--for", "90m")
        assert (both.status, "200 personas" in both.out) == (0, True)
        async with asyncio.timeout(5):
            while not await alarms(rehearsal):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
    assert made.rows("SELECT valid_until - due_at FROM broadcasts") == [(90 * 60 * 1000,)]


async def test_what_is_urgent_says_why(made: Deployment) -> None:
    """A text that calls itself an emergency is announced as one; half an emergency is none."""
    made.write("content/announcements/incendio/es.md", ALARM.format(front='urgency = "emergency"\n'))
    plain = await made.do("announce", "incendio", "-c", "fresno")
    assert (plain.status, "--emergency" in plain.err) == (1, True)
    wrong = await made.do("announce", "incendio", "--emergency", "Fuego", "--for", "mucho")
    assert (wrong.status, "--for 6h" in wrong.err) == (1, True)
    assert (await made.do("announce", "feria", "--second", "Beto")).status == 2
    assert (await made.do("announce", "feria", "--by", "clock")).status == 2
    assert made.rows("SELECT * FROM broadcasts") == []


async def test_four_eyes_through_the_front_door(made: Deployment) -> None:
    """Submit, return with a reason, submit again, approve: each command says what the other must type."""
    made.edit("schedules/fresno.toml", "name =", 'approval = "required"\nname =')
    at = (datetime.now().astimezone() + timedelta(days=3)).strftime("%Y-%m-%dT%H:00")
    asked = await made.do("submit", "feria", "-c", "fresno", "--at", at, PREGONERO_USER="Ana")
    assert (asked.status, "pregonero approve 1" in asked.out) == (0, True)
    assert (await made.do("approve", "1", PREGONERO_USER="Ana")).status == 1
    back = await made.do("return", "1", "--reason", "Falta la hora", "--by", "Beto")
    assert (back.status, "pregonero submit feria" in back.out) == (0, True)
    assert "Falta la hora" in (await made.do("report")).out
    assert (await made.do("return", "1", "--reason", "otra vez", "--by", "Beto")).status == 1
    made.edit("content/announcements/feria/es.md", "Ven con", "A las nueve, ven con")
    again = await made.do("submit", "feria", "-c", "fresno", "--by", "Ana")
    assert (again.status, "pregonero approve 1" in again.out) == (0, True)
    made.edit("content/announcements/feria/es.md", "A las nueve", "A las diez")
    edited = await made.do("approve", "1", "--by", "Beto")
    assert (edited.status, "cambió" in edited.out) == (1, True)
    await made.do("submit", "feria", "-c", "fresno", "--by", "Ana")
    yes = await made.do("approve", "1", "--by", "Beto", "--json")
    assert (yes.status, yes.json()["state"]) == (0, "approved")
    shown = (await made.do("report", "1")).out
    assert (
        shown.index("Falta la hora") < shown.index("el reloj") < shown.index("Beto", shown.index("el reloj"))
    )
    refused = await made.do("reject", "1", "--reason", "Se canceló", "--by", "Carmen")
    assert refused.status == 0
    assert (await made.do("cancel", "1")).status == 1


async def test_where_two_must_agree_an_announcement_waits(made: Deployment, rehearsal: Rehearsal) -> None:
    """`announce` asks for approval there and sends in the other communities; the yes of a second sends it."""
    made.edit("schedules/fresno.toml", "name =", 'approval = "required"\nname =')
    await made.take_in([("sms", "+12025550177", "es", "phoenix")])
    ended = await made.do("announce", "feria", "-c", "fresno", "-c", "phoenix", "--wait", "--by", "Ana")
    assert (ended.status, "pregonero approve 1" in ended.out) == (0, True)
    assert {row["channel"] for row in await rehearsal.ledger()} == {"sms"}
    repeated = await made.do("announce", "feria", "-c", "fresno", "--by", "Ana")
    assert "pregonero approve 1" in repeated.out
    async with made.running():
        assert (await made.do("approve", "1", "--by", "Beto")).status == 0
        async with asyncio.timeout(5):
            while len(await rehearsal.ledger()) < 2:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(("entry", "hours"), [("feria", 6), ("vence", 2)])
async def test_an_emergency_ends_by_itself(core: Core, clock: Clock, entry: str, hours: int) -> None:
    """Six hours later, or when the text itself ends, whoever has not got it will not, and it is over."""
    await core.take_in(people(3))
    wanted = replace(core.wanted(entry, why="Incendio"), until=core.now + timedelta(hours=6))
    broadcast = await core.broadcasts.announce(wanted, by="Ana", now=core.now)
    assert broadcast is not None
    assert await core.approvals.approve(broadcast, core.decision("Beto")) == "running"
    clock.skip(hours=hours, seconds=-5)
    assert [number for number, _ in await core.broadcasts.speaking(core.now)] == [broadcast]
    clock.skip(seconds=6)
    assert await core.broadcasts.speaking(core.now) == []
    assert await core.counts(broadcast) == {"expired": 3}
    assert await core.broadcasts.finish(core.now) == [broadcast]
    report = await core.reports.report(broadcast, core.now)
    assert (report.state, report.history[-1].reason) == ("expired", "too-late")


async def test_an_emergency_passes_the_night(core: Core, clock: Clock) -> None:
    """Approved at ten at night, it speaks at once where everything else waits for the morning."""
    await core.take_in([person(chat(1), community="noche")])
    clock.skip(hours=12)
    routine = await core.announce(community="noche")
    alarm = await core.announce(community="noche", moment="alarm", why="Incendio")
    assert [number for number, _ in await core.broadcasts.speaking(core.now)] == [alarm]
    assert await core.counts(routine) == {"held": 1}


async def test_a_returned_emergency_stays_one(made: Deployment, rehearsal: Rehearsal) -> None:
    """Given back, mended and asked for again, it has its reason, its end and its haste."""
    words = ("announce", "incendio", "-c", "fresno", "--emergency", "Fuego", "--for", "6h", "--by", "Ana")
    await made.do(*words)
    kept = "SELECT priority, why, due_at, late, valid_until FROM broadcasts"
    before = made.rows(kept)
    assert (await made.do("return", "1", "--reason", "hacia el sur", "--by", "Beto")).status == 0
    made.edit("content/announcements/incendio/es.md", "hacia el norte", "hacia el sur")
    again = await made.do("submit", "incendio", "-c", "fresno", "--by", "Beto")
    assert (again.status, "pregonero approve 1" in again.out) == (0, True), again.said
    assert made.rows(kept) == before
    async with made.running():
        assert (await made.do("approve", "1", "--by", "Ana")).status == 0
        async with asyncio.timeout(5):
            while not await rehearsal.ledger():  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
