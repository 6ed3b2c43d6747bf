"""The dispatcher: one at a time on a database, awake when there is news, and honest about what it found."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from bot.dispatcher import AlreadyDispatching
from bot.moments import to_ms
from bot.store import Unusable
from tests.core import Core, Vendor, opened, people, when

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from bot.outbox import Claim, Settled


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    """The core over a new database."""
    async with opened(tmp_path) as core:
        yield core


async def closed(core: Core, broadcast: int) -> bool:
    return await core.state(broadcast) == "done"


async def nobody_but(core: Core, broadcast: int, *states: str) -> bool:
    return set(await core.counts(broadcast)) == set(states)


async def test_there_is_one_at_a_time(tmp_path: Path, core: Core, vendor: Vendor) -> None:
    """A second dispatcher on the same database is told so and begins nothing; after the first it may."""
    await core.take_in(people(30))
    broadcast = await core.announce()
    async with opened(tmp_path) as other:
        async with core.dispatching(vendor.telegram(), rate=50):
            await vendor.until(1)
            with pytest.raises(AlreadyDispatching):
                async with other.dispatching(vendor.telegram()):
                    await asyncio.sleep(0.1)
            assert await core.rows("SELECT 1 FROM deliveries WHERE state = 'unknown'") == []
        async with other.dispatching(vendor.telegram()):
            await other.until(broadcast, sent=30)
    assert len(vendor.reached) == len(set(vendor.reached)) == 30


async def test_what_a_dead_process_left_is_found(core: Core, vendor: Vendor) -> None:
    """The claims of a process that was killed are unknown before the first new one is made."""
    await core.take_in(people(10))
    broadcast = await core.announce()
    await core.outbox.turn("bot", [], [(broadcast, None)], 4, core.now)
    async with core.dispatching(vendor.telegram()):
        await core.until(broadcast, sent=6, unknown=4)
    assert len(vendor.asked) == 6


async def test_news_is_sent_and_the_broadcast_closed(core: Core, vendor: Vendor) -> None:
    """A dispatcher with nothing to do sends what is made later, and closes it when all is said."""
    await core.take_in(people(5))
    async with core.dispatching(vendor.telegram()) as dispatcher:
        for moment in ("one", "two", "three"):
            assert dispatcher.idle
            broadcast = await core.announce(moment=moment)
            dispatcher.stir()
            await core.until(broadcast, sent=5)
            await when(partial(closed, core, broadcast))
    assert len(vendor.asked) == 15


async def test_a_pause_takes_hold_while_it_runs(core: Core, vendor: Vendor) -> None:
    """Paused in the middle and resumed, a broadcast reaches everybody once."""
    await core.take_in(people(200))
    broadcast = await core.announce()
    async with core.dispatching(vendor.telegram(), rate=200):
        await vendor.until(20)
        await core.broadcasts.pause(broadcast, core.decision())
        await when(partial(nobody_but, core, broadcast, "sent", "held"))
        assert (await core.counts(broadcast))["sent"] < 180
        await core.broadcasts.resume(broadcast, core.decision())
        await core.until(broadcast, sent=200)
    assert len(vendor.reached) == len(set(vendor.reached)) == 200


async def test_a_cancel_takes_hold_while_it_runs(core: Core, vendor: Vendor) -> None:
    """Cancelled in the middle, everybody has either got it or never will."""
    await core.take_in(people(200))
    broadcast = await core.announce()
    async with core.dispatching(vendor.telegram(), rate=200):
        await vendor.until(20)
        await core.broadcasts.cancel(broadcast, core.decision())
        await when(partial(nobody_but, core, broadcast, "sent", "cancelled"))
    counts = await core.counts(broadcast)
    assert counts["sent"] == len(vendor.asked)


async def test_a_keeper_that_fails_is_heard(
    core: Core, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the database fails where broadcasts are closed, the sending ends with that word."""

    async def damaged(_: object) -> list[int]:
        raise Unusable("damaged")

    monkeypatch.setattr(core.broadcasts, "finish", damaged)
    [lane] = core.lanes(vendor.telegram())
    with pytest.raises(Unusable) as told:
        async with asyncio.timeout(10):
            await core.dispatcher(lane).run()
    await lane._channel.aclose()
    assert told.value.why == "damaged"


async def test_nothing_is_closed_by_a_wrong_clock(core: Core, vendor: Vendor) -> None:
    """While the clock shows another day nobody says that a broadcast is done; set right, it goes on."""
    await core.take_in(people(1))
    async with core.dispatching(vendor.telegram()) as dispatcher:
        await dispatcher.armed.wait()
        core.clock.slipped += timedelta(days=5)
        await when(core.arming.off)
        broadcast = await core.announce()
        unknown = "UPDATE deliveries SET state = 'unknown', claimed_at = :left"
        left = {"left": to_ms(core.now - timedelta(days=5))}
        await core.store.write(lambda tx: tx.run(unknown, left))
        await asyncio.sleep(1.2)
        assert await core.state(broadcast) == "running"


async def test_a_pause_holds_what_waits_for_its_turn(core: Core, vendor: Vendor) -> None:
    """Where a message takes seconds, none leaves two seconds after the pause, nor after a cancel."""
    await core.take_in(people(10, "sms"))
    broadcast = await core.announce("larga")
    async with core.dispatching(vendor.sms(), rate=5):
        await vendor.until(1)
        await core.broadcasts.pause(broadcast, core.decision())
        await when(partial(nobody_but, core, broadcast, "held"))
        before = len(vendor.asked)
        await asyncio.sleep(6)
        assert len(vendor.asked) == before == 1
        await core.broadcasts.resume(broadcast, core.decision())
        await vendor.until(2)
        await core.broadcasts.cancel(broadcast, core.decision())
        await asyncio.sleep(6)
        assert len(vendor.asked) == 2


@pytest.mark.parametrize("cut_off", [False, True], ids=["stopped", "killed"])
async def test_a_clean_stop_on_a_full_disk_is_no_death(
    core: Core, vendor: Vendor, monkeypatch: pytest.MonkeyPatch, *, cut_off: bool
) -> None:
    """What could not be written down when we were stopped is unknown, and not suspected of killing us."""
    await core.take_in(people(3))
    broadcast = await core.announce()
    turn = core.outbox.turn

    async def no_room(sender: str, settled: Sequence[Settled], *others: Any) -> list[Claim]:  # noqa: ANN401 - as `turn` has them
        if settled:
            raise Unusable("full")
        return await turn(sender, settled, *others)

    monkeypatch.setattr(core.outbox, "turn", no_room)
    with pytest.raises(Unusable, match="full"):
        async with core.dispatching(vendor.telegram()):
            await vendor.until(3)
    if cut_off:
        (core.folder / "pregonero.db.sending").touch()  # as a kill leaves it
    monkeypatch.setattr(core.outbox, "turn", turn)
    async with core.dispatching(vendor.telegram()):
        await core.until(broadcast, unknown=3)
    found = await core.rows("SELECT DISTINCT reason, deaths FROM deliveries")
    assert found == [("crash", 1) if cut_off else ("stopped", 0)]


async def test_a_full_disk_is_waited_for_before_the_first_claim(
    core: Core, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no room to write down what the last process left, nothing leaves until there is."""
    monkeypatch.setattr("bot.dispatcher.AGAIN", 0.05)
    await core.take_in(people(3))
    broadcast = await core.announce()
    recover, tries = core.outbox.recover, []

    async def no_room(now: datetime, *, cut_off: bool) -> int:
        tries.append(now)
        if len(tries) < 3:
            raise Unusable("full")
        return await recover(now, cut_off=cut_off)

    monkeypatch.setattr(core.outbox, "recover", no_room)
    async with core.dispatching(vendor.telegram()) as dispatcher:
        await asyncio.sleep(0.03)
        assert not dispatcher.armed.is_set()
        await core.until(broadcast, sent=3)
    assert len(tries) == 3
