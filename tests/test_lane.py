"""The lane before a vendor with bad days: nobody twice, nobody lost, and what is not known is said."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from bot.store import Unusable
from channels.base import Part
from channels.trouble import Trouble
from tests.core import (
    Answer,
    Asked,
    Clock,
    Core,
    Vendor,
    chat,
    number,
    opened,
    people,
    person,
    refusal,
    reply,
    when,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bot.dispatcher import Dispatcher
    from bot.store import Transaction


async def reasons(core: Core, broadcast: int) -> list[tuple[str, str, int]]:
    report = await core.reports.report(broadcast, core.now)
    return [(reason.state, reason.reason, reason.people) for reason in report.reasons]


async def states(core: Core) -> list[str]:
    return [row[0] for row in await core.rows("SELECT state FROM subscribers ORDER BY id")]


async def closed(core: Core, broadcast: int) -> bool:
    return await core.state(broadcast) == "done"


async def all_sent(core: Core, broadcast: int, count: int) -> bool:
    return (await core.counts(broadcast)).get("sent") == count


async def troubled(dispatcher: Dispatcher) -> bool:
    return dispatcher.lanes[0].trouble is not None


def words(said: str) -> Part:
    """One message on Telegram."""
    return Part(said, "html", "utf-16", len(said), 1)


async def test_everybody_gets_it_once(core: Core, vendor: Vendor) -> None:
    """On a good day each person gets one message in the words of their edition, and it is done."""
    await core.take_in([*people(200), *people(100, "sms"), person(chat(999), language="en")])
    broadcast = await core.announce()
    async with core.dispatching(vendor.telegram(), vendor.sms(), rate=2000):
        await core.until(broadcast, sent=301)
        await when(lambda: closed(core, broadcast))
    assert sorted(vendor.reached) == sorted(
        [chat(999), *(chat(n) for n in range(200)), *(number(n) for n in range(100))]
    )
    said = {asked.to: asked.form.get("text") or asked.form["Body"] for asked in vendor.asked}
    assert "Free vaccines" in said[chat(999)]
    assert all("Vacunas gratis" in words for who, words in said.items() if who != chat(999))


@pytest.mark.parametrize("concurrency", [1, 20])
async def test_a_wait_is_kept_and_fails_nobody(core: Core, vendor: Vendor, concurrency: int) -> None:
    """After "too many requests" nothing is begun before the time the vendor named, and then all arrive."""
    answered: list[float] = []

    async def scene(asked: Asked) -> Answer:
        if len(vendor.asked) != 5:
            return None
        answered.append(time.monotonic())
        return refusal(429, "Too Many Requests: retry after 1", retry_after=1)

    vendor.scene = scene
    await core.take_in(people(60))
    broadcast = await core.announce()
    async with core.dispatching(vendor.telegram(), concurrency=concurrency):
        await core.until(broadcast, sent=60)
    [told] = answered
    early = [asked for asked in vendor.asked if told < asked.at < told + 1]
    assert len(early) < concurrency  # what had already left
    assert len(vendor.asked) == 61
    assert len(set(vendor.reached)) == 60


async def test_a_wait_outlives_a_restart(tmp_path: Path, clock: Clock, vendor: Vendor) -> None:
    """A process that starts within the time a vendor named waits for its rest, with nothing in hand."""
    answered: list[float] = []

    async def scene(asked: Asked) -> Answer:
        if answered:
            return None
        answered.append(time.monotonic())
        return refusal(429, "Too Many Requests: retry after 1", retry_after=1)

    vendor.scene = scene
    async with opened(tmp_path, clock) as core:
        await core.take_in(people(10))
        broadcast = await core.announce()
        async with core.dispatching(vendor.telegram(), concurrency=1):
            await vendor.until(1)
            await core.until(broadcast, queued=10)
    async with opened(tmp_path, clock) as core, core.dispatching(vendor.telegram(), concurrency=1):
        await core.until(broadcast, sent=10)
    assert vendor.asked[1].at >= answered[0] + 1
    assert len(vendor.asked) == 11


@pytest.mark.parametrize("meanwhile", ["paused", "late", "left"])
async def test_nothing_waits_in_hand_through_a_rest(
    core: Core, vendor: Vendor, clock: Clock, meanwhile: str
) -> None:
    """What changes while a sender rests counts: a pause, the end of a text's time, somebody who left."""

    async def scene(asked: Asked) -> Answer:
        return (
            refusal(429, "Too Many Requests: retry after 1", retry_after=1)
            if len(vendor.asked) == 1
            else None
        )

    vendor.scene = scene
    await core.take_in(people(30))
    broadcast = await core.announce("vence")
    async with core.dispatching(vendor.telegram(), concurrency=1):
        await vendor.until(1)
        await core.until(broadcast, queued=30)
        if meanwhile == "paused":
            await core.broadcasts.pause(broadcast, core.decision())
            await core.until(broadcast, held=30)
            await asyncio.sleep(1.2)  # the rest is over
        elif meanwhile == "late":
            clock.skip(hours=3)
            await core.until(broadcast, expired=30)
        else:
            await core.store.write(lambda tx: tx.run("UPDATE subscribers SET state = 'left'"))
            await core.until(broadcast, cancelled=30)
    assert len(vendor.asked) == 1


async def test_silence_is_unknown_and_never_repeated(core: Core, vendor: Vendor) -> None:
    """A request that was not answered may have arrived: it is not sent again (python-telegram-bot#1045)."""

    async def scene(asked: Asked) -> Answer:
        if asked.to in (chat(3), chat(7)):
            await asyncio.sleep(30)
        return None

    vendor.scene = scene
    await core.take_in(people(20))
    broadcast = await core.announce()
    async with core.dispatching(vendor.telegram(timeout=0.3)):
        await core.until(broadcast, sent=18, unknown=2)
    assert await reasons(core, broadcast) == [("unknown", "no-answer", 2)]
    async with core.dispatching(vendor.telegram(timeout=0.3)):
        await asyncio.sleep(0.3)
    assert len(vendor.reached) == len(set(vendor.reached)) == 20


async def test_who_blocked_us_is_left_alone(core: Core, vendor: Vendor) -> None:
    """Who blocked the bot or is not there is told apart, and the next broadcast does not write to them."""
    says = {
        chat(1): "Forbidden: bot was blocked by the user",
        chat(2): "Bad Request: chat not found",
        chat(3): "Bad Request: message text is empty",
    }

    async def scene(asked: Asked) -> Answer:
        if asked.to not in says:
            return None
        status = 403 if asked.to == chat(1) else 400
        return refusal(status, says[asked.to])

    vendor.scene = scene
    await core.take_in(people(5))
    first = await core.announce()
    async with core.dispatching(vendor.telegram()):
        await core.until(first, sent=2, failed=3)
        assert await states(core) == ["active", "left", "gone", "active", "active"]
        second = await core.announce(moment="again")
        await core.until(second, sent=2, failed=1)
    assert vendor.reached.count(chat(1)) == vendor.reached.count(chat(2)) == 1


async def test_a_wrong_token_stops_one_lane(
    core: Core, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the fault is ours nobody fails: rows stay, the other lane goes on; once mended, all arrive."""
    monkeypatch.setattr("bot.policy.PROBE", timedelta(seconds=0.4))
    wrong = True

    async def scene(asked: Asked) -> Answer:
        return refusal(401, "Unauthorized") if wrong and asked.to[0] != "+" else None

    vendor.scene = scene
    await core.take_in([*people(50), *people(50, "sms")])
    broadcast = await core.announce()
    async with core.dispatching(vendor.telegram(), vendor.sms(), concurrency=5) as dispatcher:
        await core.until(broadcast, sent=50, queued=50)
        trouble = dispatcher.lanes[0].trouble
        assert trouble is not None
        assert (trouble.reason, trouble.ours) == ("credentials", True)
        assert dispatcher.lanes[1].trouble is None
        assert sum(who[0] != "+" for who in vendor.reached) < 20
        wrong = False
        await core.until(broadcast, sent=100)
        assert dispatcher.lanes[0].trouble is None


async def test_a_vendor_out_of_reach_costs_nobody(core: Core, vendor: Vendor) -> None:
    """When no connection can be made the lane rests, and everybody is still queued."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = Vendor()
        nobody.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        await core.take_in([*people(40), *people(10, "sms")])
        broadcast = await core.announce()
        async with core.dispatching(nobody.telegram(), vendor.sms()) as dispatcher:
            await core.until(broadcast, queued=40, sent=10)
            await when(lambda: troubled(dispatcher))
            assert dispatcher.lanes[0].trouble is not None
            assert not dispatcher.lanes[0].trouble.ours
            assert dispatcher.lanes[0].resting > 0
    assert await core.counts(broadcast) == {"queued": 40, "sent": 10}


@pytest.mark.parametrize("how", ["stop", "cancel"])
async def test_a_stop_lets_what_is_in_flight_end(core: Core, vendor: Vendor, how: str) -> None:
    """Asked to stop, nothing more is begun, what was begun ends, and the rest is queued."""

    async def scene(asked: Asked) -> Answer:
        await asyncio.sleep(0.2)
        return None

    vendor.scene = scene
    await core.take_in(people(300))
    broadcast = await core.announce()
    [lane] = core.lanes(vendor.telegram(), concurrency=10)
    dispatcher = core.dispatcher(lane)
    running = asyncio.create_task(dispatcher.run())
    await vendor.until(15)
    begun = len(vendor.asked)
    if how == "stop":
        dispatcher.stop()
    else:
        running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await lane._channel.aclose()
    sent = len(vendor.asked)
    assert sent <= begun + 10  # what was on its way to the vendor
    assert await core.counts(broadcast) == {"sent": sent, "queued": 300 - sent}


async def test_what_does_not_end_is_unknown(
    core: Core, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop waits so long for answers and no longer; what has none by then is unknown, the rest queued."""
    monkeypatch.setattr("bot.lane.requests._LANDING", 0.2)

    async def scene(asked: Asked) -> Answer:
        await asyncio.sleep(30)
        return None

    vendor.scene = scene
    await core.take_in(people(100))
    broadcast = await core.announce()
    async with core.dispatching(vendor.telegram(timeout=20), concurrency=7):
        await vendor.until(7)
    assert await core.counts(broadcast) == {"unknown": 7, "queued": 93}
    assert ("unknown", "stopped", 7) in await reasons(core, broadcast)


async def test_a_reply_overtakes_a_broadcast(core: Core, vendor: Vendor) -> None:
    """Who writes while a broadcast to many is running does not wait for its end."""
    await core.take_in(people(180))
    broadcast = await core.announce()
    async with core.dispatching(vendor.telegram(), rate=100) as dispatcher:
        await vendor.until(20)
        await reply(core, chat(179), words("respuesta"))
        dispatcher.stir()
        await core.until(broadcast, sent=180)
    said = [asked.form["text"] for asked in vendor.asked]
    assert said.index("respuesta") < 20 + 60


async def test_who_left_still_gets_their_answer(core: Core, vendor: Vendor) -> None:
    """The confirmation of leaving is said; a broadcast that was queued for them is not."""
    await core.take_in(people(2))
    broadcast = await core.announce()
    await core.store.write(lambda tx: tx.run("UPDATE subscribers SET state = 'left' WHERE id = 1"))
    await reply(core, chat(0), words("baja"))
    async with core.dispatching(vendor.telegram()):
        await core.until(broadcast, sent=1, cancelled=1)
    assert [asked.form["text"] for asked in vendor.asked if asked.to == chat(0)] == ["baja"]
    assert await reasons(core, broadcast) == [("cancelled", "left", 1)]


async def test_who_was_erased_is_not_written_to(core: Core, vendor: Vendor) -> None:
    """An erasure in the middle of a broadcast takes the person out of it."""
    await core.take_in(people(3))
    broadcast = await core.announce()
    await core.subscribers.erase("telegram", chat(1), core.now)
    async with core.dispatching(vendor.telegram()):
        await core.until(broadcast, sent=2, cancelled=1)
    assert sorted(vendor.reached) == [chat(0), chat(2)]
    assert await reasons(core, broadcast) == [("cancelled", "erased", 1)]


async def test_a_chat_is_written_to_once_a_second(core: Core, vendor: Vendor) -> None:
    """However much waits for one person, Telegram gets one message a second for them, and others go first."""
    await core.take_in(people(30))
    first, second = await core.announce(), await core.announce("plantilla", moment="n")
    await reply(core, chat(0), words("respuesta"))
    async with core.dispatching(vendor.telegram(), rate=2000):
        await core.until(first, sent=30)
        await core.until(second, sent=30)
        await vendor.until(61)
    for n in range(30):
        times = [asked.at for asked in vendor.asked if asked.to == chat(n)]
        assert all(later - sooner >= 0.99 for sooner, later in pairwise(times))
    attempts = await core.rows("SELECT max(attempt) FROM deliveries")
    assert attempts == [(1,)]  # to be put back is no request


async def test_what_never_ends_starves_nobody(core: Core, vendor: Vendor) -> None:
    """While an emergency to many leaves, an announcement to others goes on, with some of the turns."""
    await core.take_in([*people(400), *(person(chat(500 + n), community="noche") for n in range(50))])
    emergency = await core.announce(why="sismo")
    other = await core.announce(community="noche")
    async with core.dispatching(vendor.telegram(), rate=800):
        await vendor.until(200)
    assert 5 <= (await core.counts(other))["sent"] <= 30
    assert (await core.counts(emergency))["sent"] >= 150


async def test_only_what_is_under_way_is_claimed(core: Core, vendor: Vendor) -> None:
    """When a request reaches a vendor, no more is claimed than may be in flight: all a kill can cost."""
    claimed: list[int] = []

    async def scene(asked: Asked) -> Answer:
        await asyncio.sleep(0.02)
        claimed.append((await core.rows("SELECT count(*) FROM deliveries WHERE state = 'claimed'"))[0][0])
        return None

    vendor.scene = scene
    await core.take_in(people(200))
    broadcast = await core.announce()
    async with core.dispatching(vendor.telegram(), rate=2000, concurrency=8):
        await core.until(broadcast, sent=200)
    assert max(claimed) <= 8


async def test_a_slow_vendor_slows_nobody_else(core: Core, vendor: Vendor) -> None:
    """While one vendor answers nothing at all, everybody on another channel gets theirs."""
    free = asyncio.Event()

    async def scene(asked: Asked) -> Answer:
        if asked.to[0] == "+":
            await free.wait()
        return None

    vendor.scene = scene
    await core.take_in([*people(300), *people(40, "sms")])
    broadcast = await core.announce()
    async with core.dispatching(vendor.telegram(), vendor.sms(timeout=20), rate=2000):
        await when(lambda: all_sent(core, broadcast, 300))
        free.set()
        await core.until(broadcast, sent=340)


async def test_a_text_in_parts_arrives_in_order(core: Core, vendor: Vendor) -> None:
    """Each person reads the parts of a long text in their order, with a breath between them."""
    await core.take_in(people(3))
    broadcast = await core.announce("larga")
    async with core.dispatching(vendor.telegram()):
        await core.until(broadcast, sent=3)
    parts = [part.text for part in (await core.outbox.text(1)).open]
    assert len(parts) == 3
    for n in range(3):
        asked = [asked for asked in vendor.asked if asked.to == chat(n)]
        assert [one.form["text"] for one in asked] == parts
        assert asked[1].at - asked[0].at >= 0.9


async def test_a_fault_of_ours_with_one_is_no_fault_with_all(
    core: Core, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged row and a bug with one message end those two, named as ours; all others arrive."""
    await core.take_in(people(20))
    broadcast = await core.announce()
    await core.store.write(lambda tx: tx.run("UPDATE subscribers SET address = x'00' WHERE id = 3"))
    sender, channel = vendor.telegram()
    send = channel.send

    async def buggy(address: str, part: Part, key: str, _replaces: str | None) -> str:
        if address == chat(9):
            raise ZeroDivisionError(address)
        return await send(address, part, key)

    monkeypatch.setattr(channel, "send", buggy)
    async with core.dispatching((sender, channel)):
        await core.until(broadcast, sent=18, failed=1, unknown=1)
    assert await reasons(core, broadcast) == [("failed", "fault", 1), ("unknown", "fault", 1)]


@pytest.mark.parametrize("full_when", ["old.id = 150", "new.state = 'sent'"])
async def test_a_full_disk_is_waited_for(
    core: Core, vendor: Vendor, full_when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written down is not sent; once there is space again all get theirs, and nobody two."""
    monkeypatch.setattr("bot.lane.AGAIN", 0.2)
    await core.take_in(people(300))
    broadcast = await core.announce()
    heavy = "CREATE TRIGGER heavy BEFORE UPDATE ON deliveries WHEN {} BEGIN {}; END"
    write = heavy.format(full_when, "INSERT INTO lanes VALUES (hex(zeroblob(99999)), 0)")
    await core.store.write(lambda tx: tx.run(write))
    [[pages]] = await core.store.write(lambda tx: tx.tuples("PRAGMA page_count"))
    room = f"PRAGMA max_page_count = {pages + 20}"  # for what is light
    await core.store.write(lambda tx: tx.tuples(room))
    async with core.dispatching(vendor.telegram(), rate=400):
        await vendor.until(1)
        await asyncio.sleep(1)
        reached = len(vendor.asked)
        await asyncio.sleep(0.3)
        assert len(vendor.asked) == reached < 300
        await core.store.write(lambda tx: tx.tuples("PRAGMA max_page_count = 9999"))
        await core.store.write(lambda tx: tx.run("DROP TRIGGER heavy"))
        await when(lambda: closed(core, broadcast))
    assert await core.counts(broadcast) == {"sent": 300}
    assert len(vendor.reached) == len(set(vendor.reached)) == 300


async def test_a_text_that_cannot_be_read_stops_the_lane(
    core: Core, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that fails under a worker ends the sending aloud, and no claim is left behind."""
    await core.take_in(people(40))
    broadcast = await core.announce()

    async def unreadable(_text: int) -> None:
        raise Unusable("damaged")

    monkeypatch.setattr(core.outbox, "text", unreadable)
    [lane] = core.lanes(vendor.telegram())
    with pytest.raises(Unusable) as told:
        await core.dispatcher(lane).run()
    await lane._channel.aclose()
    assert told.value.why == "damaged"
    assert await core.counts(broadcast) == {"queued": 40}
    assert not vendor.asked


async def test_five_troubles_are_all_there_are() -> None:
    """A lane settles every kind of trouble a channel can have."""
    assert {kind.__name__ for kind in Trouble.__subclasses__()} == {
        *("Later", "Refused", "Gone", "Broken", "Unsure")
    }


async def test_a_text_that_nobody_can_read_keeps_no_other(core: Core, vendor: Vendor) -> None:
    """Who was to get it is shown as a fault of ours, also after a kill; the next announcement leaves."""
    await core.take_in(people(3))
    damaged, good = await core.announce(), await core.announce(moment="next")
    [killed] = await core.outbox.turn("bot", [], [(damaged, None)], 1, core.now)

    def damage(tx: Transaction) -> None:
        tx.run("UPDATE texts SET open = '{' WHERE broadcast = :broadcast", {"broadcast": damaged})
        tx.run("UPDATE deliveries SET corrects = id WHERE id = :id", {"id": killed.id})

    await core.store.write(damage)
    async with core.dispatching(vendor.telegram()):
        await core.until(good, sent=3)
        await core.until(damaged, failed=2, unknown=1)
    assert ("failed", "fault", 2) in await reasons(core, damaged)
    assert len(vendor.asked) == 3
