"""What a vendor refuses of one broadcast keeps that broadcast waiting, and nobody else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bot.lane.refusals import Refusals
from bot.outbox import Claim, Settled
from bot.pace import LaneTrouble
from bot.policy import LONGEST_RETRY, PROBE
from channels.base import File, Part
from channels.trouble import Broken
from tests.core import Answer, Asked, Core, Vendor, chat, number, people, person, refusal, reply, when
from tests.fire import Fire, until

if TYPE_CHECKING:
    from bot.lane import Lane
    from channels.base import ChannelName
    from tests.conftest import Rehearsal

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
PEOPLE, NEIGHBOURS = 20, 5
ANSWER = Part("respuesta", "html", "utf-16", 9, 1)
ICS = File("cita.ics", "text/calendar", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
FORGOTTEN = "Bad Request: wrong file identifier/HTTP URL specified"


@pytest.fixture
def fire(core: Core, rehearsal: Rehearsal) -> Fire:
    """The lanes, before vendors whose weather can be changed."""
    return Fire(core, rehearsal)


@pytest.fixture
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused is tried again after a second instead of half a minute."""
    monkeypatch.setattr("bot.lane.refusals.PROBE", timedelta(seconds=1))


async def neighbours(fire: Fire, channel: ChannelName) -> list[str]:
    """Some people of another community who wrote a moment ago, with the same sender."""
    there = [(chat if channel == "telegram" else number)(100 + n) for n in range(NEIGHBOURS)]
    await fire.core.take_in([person(one, channel=channel, community="noche") for one in there])
    await fire.rehearsal.people(*({"channel": channel, "address": one} for one in there))
    for one in there:
        await fire.core.heard(one, channel)
    return there


async def answered(core: Core) -> list[tuple[str, str]]:
    """What became of each reply, and why."""
    return await core.rows("SELECT state, coalesce(reason, '') FROM deliveries WHERE broadcast IS NULL")


async def waits(lane: Lane, *broadcasts: int) -> bool:
    return list(lane.refused) == list(broadcasts)


@pytest.mark.parametrize(
    ("channel", "entry", "trouble"),
    [
        ("telegram", "cita", LaneTrouble("media", "400", ours=True)),
        ("whatsapp", "plantilla", LaneTrouble("template", "21655", ours=True)),
    ],
)
async def test_a_refused_text_waits_alone(
    fire: Fire, quick_probes: None, channel: ChannelName, entry: str, trouble: LaneTrouble
) -> None:
    """Another broadcast and a reply leave; the first fails nobody, and goes on once the vendor takes it."""
    await fire.crowd(PEOPLE, channel)
    others = await neighbours(fire, channel)
    await fire.rehearsal.faults(channel, "content")
    refused = await fire.core.announce(entry)
    async with fire.at_work(channel) as dispatcher:
        [lane] = dispatcher.lanes
        await until(lambda: waits(lane, refused))
        assert lane.refused == {refused: trouble}
        free = await fire.core.announce("feria", "noche")
        await reply(fire.core, others[0], ANSWER, channel)
        await fire.core.until(free, sent=NEIGHBOURS)
        await until(lambda: _answered(fire.core, "sent"))
        assert (lane.trouble, lane.resting) == (None, 0)
        before = await fire.refused()
        await asyncio.sleep(3)
        assert 1 <= await fire.refused() - before <= 3  # one probe after each pause
        assert await fire.core.counts(refused) == {"queued": PEOPLE}
        await fire.rehearsal.faults(channel, "ok")
        await fire.core.until(refused, sent=PEOPLE)
        assert lane.refused == {}
    assert (await fire.core.reports.report(refused, fire.core.now)).reasons == ()  # it is over
    taken = await fire.taken()
    assert {taken[channel, (chat if channel == "telegram" else number)(n)] for n in range(PEOPLE)} == {1}


async def _answered(core: Core, state: str) -> bool:
    return {each for each, _ in await answered(core)} == {state}


async def test_a_reply_that_is_refused_is_one_persons(fire: Fire) -> None:
    """It fails, with its reason; neither the lane nor anybody else is kept waiting for it."""
    [who, *_] = await neighbours(fire, "telegram")
    await fire.rehearsal.faults("telegram", "content")
    async with fire.at_work("telegram") as dispatcher:
        await reply(fire.core, who, Part("", "html", "utf-16", 0, 1, file=ICS))
        await until(lambda: _answered(fire.core, "failed"))
        assert (dispatcher.lanes[0].trouble, dispatcher.lanes[0].refused) == (None, {})
    assert await answered(fire.core) == [("failed", "media")]


async def test_a_file_that_the_vendor_forgot_keeps_nobody_waiting(core: Core, vendor: Vendor) -> None:
    """Telegram forgets in the middle of a broadcast what it was given: each has it all the same, at once."""
    known = "first"

    async def scene(asked: Asked) -> Answer:
        nonlocal known
        if len(vendor.asked) == 20:
            known = "second"
        named = asked.form["document"]
        if named in {"first", "second"} and named != known:
            return refusal(400, FORGOTTEN)
        document = {"file_id": known, "file_unique_id": known}
        chat = {"id": int(asked.to), "type": "private"}
        sent = {"message_id": 1, "date": 1, "chat": chat, "document": document}
        return web.json_response({"ok": True, "result": sent})

    vendor.scene = scene
    await core.take_in(people(60))
    broadcast = await core.announce("cita")
    async with core.dispatching(vendor.telegram(), concurrency=8, rate=2000) as dispatcher:
        await core.until(broadcast, sent=60)
        assert (dispatcher.lanes[0].trouble, dispatcher.lanes[0].refused) == (None, {})
    assert 60 < len(vendor.asked) < 80


async def test_one_edition_does_not_wait_for_another(core: Core, vendor: Vendor) -> None:
    """Where only the English text is refused, who reads Spanish has it; who reads English waits."""

    async def scene(asked: Asked) -> Answer:
        return refusal(400, FORGOTTEN) if "On Saturday" in asked.form["caption"] else None

    vendor.scene = scene
    await core.take_in([person(chat(n), language="en" if n % 2 else "es") for n in range(60)])
    broadcast = await core.announce("cita")
    async with core.dispatching(vendor.telegram(), concurrency=4) as dispatcher:
        await core.until(broadcast, sent=30, queued=30)
        assert list(dispatcher.lanes[0].refused) == [broadcast]
    english = [asked for asked in vendor.asked if "On Saturday" in asked.form["caption"]]
    assert len(english) <= 4  # what was under way


async def test_who_is_cancelled_waits_for_no_vendor(core: Core, vendor: Vendor) -> None:
    """A broadcast that may not speak any more is not told to staff as one that waits."""

    async def scene(_asked: Asked) -> Answer:
        return refusal(400, FORGOTTEN)

    vendor.scene = scene
    await core.take_in(people(10))
    broadcast = await core.announce("cita")
    async with core.dispatching(vendor.telegram()) as dispatcher:
        [lane] = dispatcher.lanes
        await when(lambda: waits(lane, broadcast))
        await core.broadcasts.cancel(broadcast, core.decision())
        await when(lambda: waits(lane))
    assert await core.counts(broadcast) == {"cancelled": 10}


def test_the_pauses_grow_and_end() -> None:
    """One probes after half a minute, then less and less often; all others follow after it."""
    refusals, now = Refusals(), NOW
    trouble = Broken("template", code="21655", text=True)
    first, second = (
        Settled(Claim(n, 1, 0, 5, b"", None, None, None, 7, None), "queued", "template") for n in (1, 2)
    )
    pauses = []
    for _ in range(8):
        put_off = refusals.put_off(first, trouble, now)
        assert put_off.due_at is not None
        assert put_off.text_until == put_off.due_at + PROBE
        under_way = refusals.put_off(second, trouble, now + timedelta(seconds=1))
        assert (under_way.due_at, under_way.text_until) == (put_off.text_until, None)
        pauses.append(put_off.due_at - now)
        now = put_off.due_at
    assert pauses == [min(PROBE * 2**n, LONGEST_RETRY) for n in range(8)]
    refusals.taken(5)
    assert refusals.broadcasts == {}
    assert refusals.put_off(first, trouble, now).due_at == now + PROBE
