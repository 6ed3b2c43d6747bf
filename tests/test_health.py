"""Green or red: whoever asks how the service is learns which lane stands still, and why."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot import health, watch
from bot.health import Health, LaneHealth, Shown, judge
from bot.pace import LaneTrouble
from bot.store import Unusable
from bot.watch import Watch
from channels.base import Receipt
from tests.core import Asked, Clock, Core, Vendor, people, refusal, when

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.arming import Off
    from bot.dispatcher import Dispatcher
    from channels.base import Channel

ROOM = 2**40
CREDENTIALS = LaneTrouble("credentials", "401", ours=True)
DOWN = LaneTrouble("vendor-down", "502", ours=False)


def judged(
    *,
    off: Off | None = None,
    beat_age: float | None = 0.1,
    free_bytes: int = ROOM,
    unusable: str | None = None,
    **lanes: Shown,
) -> Health:
    return judge(lanes, off=off, beat_age=beat_age, free_bytes=free_bytes, unusable=unusable)


@pytest.mark.parametrize(
    ("shown", "condition", "reason", "status"),
    [
        (Shown(), "ok", "", "ok"),
        (Shown(waiting=True, still=119), "ok", "", "ok"),
        (Shown(waiting=True, still=120), "stuck", "", "failing"),
        (Shown(waiting=True, resting=300), "resting", "rate-limited", "degraded"),
        (Shown(DOWN, resting=30, waiting=True, still=60), "trouble", "vendor-down", "degraded"),
        (Shown(DOWN, resting=30, waiting=True, still=200), "stuck", "vendor-down", "failing"),
        (Shown(CREDENTIALS), "broken", "credentials", "failing"),
    ],
)
def test_a_lane_is_as_it_shows_itself(shown: Shown, condition: str, reason: str, status: str) -> None:
    """Standing still and our own faults are red; a vendor's wish to wait is told and is not."""
    found = judged(bot=Shown(), sms=shown)
    assert (found.lanes["sms"].condition, found.lanes["sms"].reason) == (condition, reason)
    assert (found.status, found.lanes["bot"]) == (status, LaneHealth("ok"))


def test_what_concerns_everybody_is_red() -> None:
    """No beat, no room on the disk, a database that cannot be written: red, each with its word."""
    assert judged(beat_age=31).row() == {"status": "failing", "reasons": ["no-beat"], "lanes": {}}
    assert judged(free_bytes=2**20).reasons == ("database-full",)
    assert judged(unusable="locked").reasons == ("database-locked",)
    assert judged(beat_age=None).status == "ok"  # it has just begun


def test_a_copy_that_may_not_send_says_so() -> None:
    """It is red only when somebody waits for it; in doubt of the clock replies leave, so it is not off."""
    idle = judged(off="copied-database", beat_age=None, sms=Shown())
    assert idle.row() == {
        "status": "degraded",
        "reasons": ["copied-database"],
        "lanes": {"sms": {"state": "off", "reason": "copied-database"}},
    }
    assert judged(off="copied-database", beat_age=None, sms=Shown(waiting=True)).status == "failing"
    doubtful = judged(off="clock-jumped", sms=Shown(waiting=True))
    assert (doubtful.status, doubtful.lanes["sms"].condition) == ("degraded", "ok")


def test_a_broadcast_that_waits_alone_is_red_and_its_lane_is_not() -> None:
    """Somebody must mend what it says; the lane's other messages leave, and are said to."""
    found = judged(sms=Shown(refused={7: LaneTrouble("template", "21655", ours=True)}))
    assert found.row() == {
        "status": "failing",
        "reasons": [],
        "lanes": {"sms": {"state": "ok", "broadcasts": {7: "template"}}},
    }


def test_missing_receipts_are_told_and_are_not_red() -> None:
    """Messages leave, so nobody must get up at night; but nobody knows whether they arrive."""
    found = judged(sms=Shown(unreceipted=True))
    assert found.row()["lanes"] == {"sms": {"state": "ok", "receipts": "missing"}}
    assert found.status == "degraded"


@asynccontextmanager
async def watching(core: Core, *opened: tuple[str, Channel]) -> AsyncIterator[tuple[Watch, Dispatcher]]:
    """The lanes at work, and somebody who looks when asked."""
    async with core.dispatching(*opened) as dispatcher:
        yield watcher(core, dispatcher), dispatcher


def watcher(core: Core, dispatcher: Dispatcher) -> Watch:
    return Watch(
        dispatcher,
        store=core.store,
        database=core.folder / "pregonero.db",
        receipted=["sms"],
        arming=core.arming,
        clockwork=core.clockwork,
    )


async def looked(watch: Watch) -> Health:
    await watch.look()
    return watch.health


async def test_a_vendor_who_never_answers_makes_its_lane_red_and_no_other(
    core: Core, clock: Clock, vendor: Vendor
) -> None:
    """Five hundred from one vendor: its lane is in trouble, after two minutes red; the other stays green."""

    async def down(asked: Asked) -> web.Response | None:
        return web.Response(status=502) if asked.to.startswith("+") else None

    vendor.scene = down
    await core.take_in([*people(90, "sms"), *people(8)])
    async with watching(core, vendor.telegram(), vendor.sms()) as (watch, _):
        assert (await looked(watch)).status == "ok"
        await core.announce()

        async def in_trouble() -> object:
            found, vitals = (await looked(watch)).lanes["sms"], watch.seen.vitals
            # And what it had in hand is back in the queue, and the other has nothing more to do.
            return found.condition == "trouble" and vitals and vitals.awake("sms") and not vitals.awake("bot")

        await when(in_trouble)
        clock.skip(seconds=health.STANDSTILL + 1)

        async def stuck() -> bool:
            return (await looked(watch)).lanes["sms"].condition == "stuck"

        await when(stuck)
        assert watch.health.status == "failing"
        assert watch.health.lanes["bot"] == LaneHealth("ok")


async def test_wrong_credentials_are_red_at_once(core: Core, vendor: Vendor) -> None:
    """What only we can mend is red as soon as the vendor says it."""

    async def refused(_asked: Asked) -> web.Response:
        return refusal(401, "Unauthorized")

    vendor.scene = refused
    await core.take_in(people(3))
    async with watching(core, vendor.telegram()) as (watch, _):
        await core.announce()

        async def broken() -> bool:
            return (await looked(watch)).lanes["bot"].condition == "broken"

        await when(broken)
        assert watch.health.status == "failing"
        assert watch.health.lanes["bot"].reason == "credentials"


async def test_a_vendor_who_asks_to_wait_is_told_and_not_red(
    core: Core, clock: Clock, vendor: Vendor
) -> None:
    """Ten minutes' wait that Telegram asked for is a rest, however long nothing ends meanwhile."""

    async def slower(_asked: Asked) -> web.Response:
        return refusal(429, "Too Many Requests: retry after 600", retry_after=600)

    vendor.scene = slower
    await core.take_in(people(30))
    async with watching(core, vendor.telegram()) as (watch, _):
        await core.announce()

        async def resting() -> bool:
            return (await looked(watch)).lanes["bot"].condition == "resting"

        await when(resting)
        clock.skip(seconds=health.STANDSTILL * 2)
        found = await looked(watch)
        assert (found.status, found.lanes["bot"].reason) == ("degraded", "rate-limited")
        assert found.lanes["bot"].seconds > 500


async def test_what_is_paused_or_sleeps_waits_for_nobody(core: Core, clock: Clock, vendor: Vendor) -> None:
    """A night of queued messages, and a broadcast on pause, are no standstill."""

    async def hung_up(_asked: Asked) -> web.Response:
        return web.Response(status=502)

    vendor.scene = hung_up
    await core.take_in(people(30))
    broadcast = await core.announce()
    assert await core.broadcasts.pause(broadcast, core.decision())
    async with watching(core, vendor.telegram()) as (watch, _):
        assert (await looked(watch)).status == "ok"
        clock.skip(seconds=health.STANDSTILL * 10)
        assert (await looked(watch)).status == "ok"
        assert watch.seen.vitals is not None
        [queue] = [one for one in watch.seen.vitals.queues if one.deliveries]
        assert (queue.priority, queue.deliveries, queue.due_since) == ("announcement", 30, None)


async def test_a_dispatcher_that_does_not_beat_is_red(
    core: Core, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nobody dispatches any more, that is seen although nothing waits."""
    async with watching(core, vendor.telegram()) as (watch, dispatcher):
        await when(lambda: _beats(dispatcher))
        monkeypatch.setattr(health, "_SILENT", 1.0)
        assert (await looked(watch)).status == "ok"
        dispatcher.stop()

        async def silent() -> bool:
            return (await looked(watch)).reasons == ("no-beat",)

        await when(silent)


async def _beats(dispatcher: Dispatcher) -> bool:
    return dispatcher.beat_at is not None


async def test_a_disk_without_room_is_red_until_there_is_room(core: Core, vendor: Vendor) -> None:
    """What could not be written is told; what could be written since takes it back."""
    async with watching(core, vendor.telegram()) as (watch, dispatcher):
        await when(lambda: _beats(dispatcher))
        core.arming._beat_at = core.clock.ticks() + 60  # no beat finds a little room meanwhile
        assert (await looked(watch)).status == "ok"
        await core.store.write(lambda tx: tx.tuples("PRAGMA max_page_count = 1"))
        with pytest.raises(Unusable):
            await core.take_in(people(5000))
        found = await looked(watch)
        assert (found.status, found.reasons) == ("failing", ("database-full",))
        await core.store.write(lambda tx: tx.tuples("PRAGMA max_page_count = 1000000"))
        await core.take_in(people(5000))
        assert (await looked(watch)).status == "ok"


async def test_missing_receipts_are_logged_once(core: Core, clock: Clock, vendor: Vendor) -> None:
    """SMS leave and no receipt comes: half an hour later one line tells of it, and one of the next."""
    await core.take_in(people(30, "sms"))
    async with watching(core, vendor.sms()) as (watch, _):
        await core.until(await core.announce(), sent=30)
        clock.skip(minutes=30)
        with capture_logs() as told:
            for _ in range(3):
                assert (await looked(watch)).lanes["sms"] == LaneHealth("ok", unreceipted=True)
        assert [one["event"] for one in told if one["event"].startswith("receipts")] == ["receipts.missing"]
        assert watch.health.status == "degraded"
        for delivery, vendor_id in await core.rows("SELECT id, vendor_id FROM deliveries"):
            await core.outbox.receipt(
                "sms", Receipt(vendor_id, "delivered", key=f"{delivery}.1.0.1"), core.now
            )
        with capture_logs() as told:
            assert (await looked(watch)).status == "ok"
        assert [one["event"] for one in told] == ["receipts.back", "health"]


async def test_a_watch_that_cannot_look_is_red(
    core: Core, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen long ago says nothing of now."""
    async with watching(core, vendor.telegram()) as (watcher_, _):
        assert watcher_.health.reasons == ("not-looked",)
        assert (await looked(watcher_)).status == "ok"
        monkeypatch.setattr(watch, "_STALE", 0.0)
        assert watcher_.health.row()["reasons"] == ["not-looked"]
