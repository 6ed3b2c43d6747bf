"""Vendors on their worst days: rows and the vendors' own ledger, compared person by person."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.fire import Fire, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.dispatcher import Dispatcher
    from bot.pace import LaneTrouble
    from channels.base import ChannelName
    from tests.conftest import Rehearsal
    from tests.core import Core

PEOPLE = 60
ENTRIES: dict[ChannelName, str] = {"telegram": "feria", "sms": "feria", "whatsapp": "plantilla"}


@pytest.fixture
def fire(core: Core, rehearsal: Rehearsal) -> Fire:
    """The lanes, before vendors whose weather can be changed."""
    return Fire(core, rehearsal)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane in trouble tries again after a moment instead of half a minute."""
    for place in ("bot.policy.PROBE", "bot.pace.PROBE"):
        monkeypatch.setattr(place, timedelta(seconds=0.3), raising=False)


@pytest.mark.parametrize(
    "kind", ["down", "reset", "500", "500-accepted", "closed-accepted", "reset-accepted", "half", "hang"]
)
@pytest.mark.parametrize("channel", ENTRIES)
async def test_what_cannot_be_known_is_unknown(fire: Fire, channel: ChannelName, kind: str) -> None:
    """A third of the requests are not answered: those people are unknown, and never asked again."""
    await fire.crowd(PEOPLE, channel)
    await fire.rehearsal.faults(channel, kind, share=0.3, seed=7)
    await fire.core.announce(ENTRIES[channel])
    await fire.see_through(channel)
    await fire.rehearsal.faults(channel, "ok")
    await fire.see_through(channel)  # nor does a later start ask for them again
    counted, taken = await fire.counted(), await fire.taken()
    assert counted == {"sent": PEOPLE - counted["unknown"], "unknown": counted["unknown"]}
    assert 0.1 * PEOPLE < counted["unknown"] < 0.5 * PEOPLE
    await fire.agree()
    if kind in {"down", "reset", "500"}:
        assert await fire.refused() == counted["unknown"]
        assert len(taken) == counted["sent"]
    else:
        assert len(taken) == PEOPLE


@pytest.mark.parametrize(("kind", "more"), [("429", {"retry_after": [1, 300]}), ("slow", {"seconds": 0.05})])
@pytest.mark.parametrize("channel", ENTRIES)
async def test_a_throttled_or_slow_vendor_loses_nobody(
    fire: Fire, channel: ChannelName, kind: str, more: dict[str, object]
) -> None:
    """A third of the requests are told to wait, or answered late: all have it once in the end."""
    await fire.crowd(PEOPLE, channel)
    await fire.rehearsal.faults(channel, kind, share=0.3, seed=7, **more)
    await fire.core.announce(ENTRIES[channel])
    await fire.see_through(channel)
    assert await fire.counted() == {"sent": PEOPLE}
    await fire.agree()


@pytest.mark.parametrize("wait", [1, 45, 300])
@pytest.mark.parametrize("channel", ENTRIES)
async def test_nothing_leaves_before_the_wait_is_over(fire: Fire, channel: ChannelName, wait: int) -> None:
    """However often we are started meanwhile, after a 429 the vendor is not asked before its time."""
    fire.in_flight = 1
    await fire.crowd(10, channel)
    await fire.rehearsal.faults(channel, "429", retry_after=wait, share=0.3, seed=7)
    await fire.core.announce(ENTRIES[channel])
    await fire.see_through(channel, seconds=wait / 3)
    told = [at for at, _, outcome in fire.asked if outcome == "refused"]
    waited = [min(after - at for after, *_ in fire.asked if after > at) for at in told]
    assert len(told) >= 2
    assert min(waited) >= timedelta(seconds=wait - 0.005)  # the ledger writes to the vendor's own clock
    assert max(waited) < timedelta(seconds=2 * wait + 5)
    assert await fire.counted() == {"sent": 10}
    await fire.agree()


async def test_a_lane_in_trouble_slows_no_other(fire: Fire) -> None:
    """While one vendor takes its time with fifty requests, and gets no more, the others' people have it."""
    fire.patience, fire.in_flight = 30, 50
    await fire.crowd(200, *ENTRIES)
    await fire.rehearsal.faults("sms", "slow", seconds=2.5)
    await fire.core.announce("plantilla")
    async with fire.at_work(*ENTRIES):
        await until(lambda: _done(fire, "telegram", "whatsapp"))
        assert sum(channel == "sms" for channel, _ in await fire.taken()) == 50
        assert (await fire.counted("sms"))["sent"] == 0
    assert await fire.counted("sms") == {"sent": 50, "queued": 150}
    await fire.agree()


async def _done(fire: Fire, *channels: ChannelName) -> bool:
    states = await fire.states()
    return {state for (channel, _), state in states.items() if channel in channels} == {"sent"}


@pytest.mark.parametrize("kind", ["down", "reset", "500", "half"])
async def test_five_in_a_row_open_the_breaker(fire: Fire, quick_probes: None, kind: str) -> None:
    """After five without an answer one at a time tries, until one is answered; then all leave."""
    fire.in_flight = 1
    await fire.crowd(PEOPLE, "telegram")
    await fire.rehearsal.faults("telegram", kind)
    await fire.core.announce()
    async with fire.at_work("telegram") as dispatcher:
        trouble = await _trouble(dispatcher)
        assert (trouble.ours, dispatcher.lanes[0].resting > 0) == (False, True)
        await until(lambda: _stands(fire, unknown=5, queued=PEOPLE - 5))
        await asyncio.sleep(1)
        probed = (await fire.counted())["unknown"] - 5
        assert 1 <= probed <= 4
        await fire.rehearsal.faults("telegram", "ok")
        await until(lambda: _nobody_waits(fire))
        assert dispatcher.lanes[0].trouble is None
    assert (await fire.counted())["sent"] >= PEOPLE - 5 - probed - 1
    await fire.agree()


async def _trouble(dispatcher: Dispatcher) -> LaneTrouble:
    """What the first lane's trouble is, once it has one."""
    async with asyncio.timeout(15):
        while (trouble := dispatcher.lanes[0].trouble) is None:  # noqa: ASYNC110 - nobody wakes us
            await asyncio.sleep(0.01)
    return trouble


async def _stands(fire: Fire, **counts: int) -> bool:
    return await fire.counted() == counts


async def _nobody_waits(fire: Fire) -> bool:
    return set(await fire.counted()) <= {"sent", "unknown"}


@pytest.mark.parametrize(
    ("channel", "kind", "reason"),
    [
        ("telegram", "credentials", "credentials"),
        ("sms", "credentials", "credentials"),
        ("sms", "funds", "account-suspended"),
        ("whatsapp", "funds", "account-suspended"),
    ],
)
async def test_a_fault_of_ours_waits_until_it_is_mended(
    fire: Fire, quick_probes: None, channel: ChannelName, kind: str, reason: str
) -> None:
    """Wrong credentials and no funds cost nobody: one at a time tries, and all leave once it is mended."""
    other: ChannelName = "sms" if channel == "telegram" else "telegram"
    await fire.crowd(PEOPLE, channel, other)
    await fire.rehearsal.faults(channel, kind)
    await fire.core.announce("plantilla")
    async with fire.at_work(channel, other) as dispatcher:
        await until(lambda: _done(fire, other))
        trouble = await _trouble(dispatcher)
        assert (trouble.reason, trouble.ours) == (reason, True)
        before = await fire.refused()
        await asyncio.sleep(1)
        assert 1 <= await fire.refused() - before <= 4
        assert set(await fire.counted(channel)) <= {"queued", "claimed"}
        await fire.rehearsal.faults(channel, "ok")
        await until(lambda: _done(fire, channel))
        assert dispatcher.lanes[0].trouble is None
    await fire.agree()


@pytest.mark.parametrize(
    ("hours", "entry", "end"), [(1, "vence", "sent"), (24, "vence", "expired"), (24, "feria", "sent")]
)
async def test_an_outage_loses_nobody(fire: Fire, nobody: str, hours: int, entry: str, end: str) -> None:
    """Nobody answers for an hour or a day: then all have it once, unless nobody wants it any more."""
    there = fire.vendors
    await fire.crowd(PEOPLE, "telegram", "sms")
    await fire.core.announce(entry)
    fire.vendors = nobody
    for _ in range(12):
        await fire.try_once("telegram", "sms")
        fire.core.clock.skip(hours=hours / 12)
    assert await fire.rehearsal.ledger() == []
    fire.vendors = there
    await fire.see_through("telegram", "sms")
    assert await fire.counted() == {end: 2 * PEOPLE}
    assert sum((await fire.taken()).values()) == (2 * PEOPLE if end == "sent" else 0)
    await fire.agree()
