"""Clocks that jump while messages leave and vendors throttle: nobody twice, nobody lost, each wait kept."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.fire import Fire, until

if TYPE_CHECKING:
    from channels.base import ChannelName
    from tests.conftest import Rehearsal
    from tests.core import Core

JUMPS = [{"hours": 1}, {"hours": -1}, {"days": 1}, {"days": -1}, {"days": 365}, {"days": -365}]


@pytest.fixture
def fire(core: Core, rehearsal: Rehearsal) -> Fire:
    """The lanes, before vendors whose weather can be changed."""
    return Fire(core, rehearsal)


async def everybody(fire: Fire, people: int) -> bool:
    """Whether all have it."""
    return await fire.counted() == {"sent": people}


@pytest.mark.parametrize("jump", JUMPS, ids=str)
@pytest.mark.parametrize("channel", ["telegram", "sms"])
async def test_a_jump_amid_retries_repeats_nothing(
    fire: Fire, channel: ChannelName, jump: dict[str, int]
) -> None:
    """The clock goes wrong amid throttling, and right again: all have it once, and each wait is kept."""
    fire.in_flight = 1
    await fire.crowd(40, channel)
    await fire.rehearsal.faults(channel, "429", retry_after=1, share=0.25, count=3, seed=2)
    await fire.core.announce()
    async with fire.at_work(channel):
        await until(lambda: _some(fire))
        fire.core.clock.slipped = timedelta(**jump)
        await asyncio.sleep(0.7)  # longer than the word of who may speak is believed
        fire.core.clock.slipped = timedelta()
        await until(lambda: everybody(fire, 40))
    await fire.agree()
    ledger = await fire.rehearsal.ledger()
    moments = [(datetime.fromisoformat(row["at"]), row["outcome"]) for row in ledger]
    throttled = [n for n, (_, outcome) in enumerate(moments) if outcome == "refused"]
    assert throttled
    assert all(moments[n + 1][0] - moments[n][0] >= timedelta(seconds=0.99) for n in throttled)


async def _some(fire: Fire) -> bool:
    return await fire.refused() > 0


async def _doubted(fire: Fire) -> bool:
    return await fire.core.arming.off() == "clock-jumped"


@pytest.mark.parametrize("jump", [{"days": 3}, {"days": 365}, {"hours": -1}, {"days": -365}], ids=str)
async def test_a_wait_noted_by_a_wrong_clock_is_no_year(fire: Fire, jump: dict[str, int]) -> None:
    """Throttled by a wrong clock and started anew by a right one, the lane rests for no longer than a day.

    A vendor may ask for a day, so that a wrong wait of less cannot be told from a true one.
    """
    await fire.crowd(3, "telegram")
    await fire.rehearsal.faults("telegram", "429", retry_after=1, count=1)
    async with fire.at_work("telegram") as dispatcher:
        await dispatcher.armed.wait()
        fire.core.clock.slipped = timedelta(**jump)
        await until(lambda: _doubted(fire))
        await fire.core.announce(why="incendio")
        await until(lambda: _some(fire))
    fire.core.clock.slipped = timedelta()
    async with fire.at_work("telegram"):
        await until(lambda: everybody(fire, 3), seconds=8)
    await fire.agree()
