"""One sender's rate and rests, measured where it counts: at the vendor's end of real requests."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.pace import LaneTrouble, Pace
from bot.policy import decide
from channels.trouble import Broken, Gone, Later, Refused, Trouble, Unsure
from tests.core import busiest_second, opened, people, vendor_at_work

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)


def weigh(pace: Pace, *troubles: Trouble) -> None:
    for trouble in troubles:
        decision = decide(trouble, attempt=1, now=NOW, valid_until=None, jitter=lambda: 0.5)
        pace.weigh(trouble, decision, NOW)


async def test_no_second_exceeds_the_rate(tmp_path: Path) -> None:
    """Two lanes at full speed: in no second does a vendor get more than the sender's rate."""
    async with vendor_at_work() as vendor, opened(tmp_path) as core:
        await core.take_in([*people(600), *people(120, "sms")])
        broadcast = await core.announce()
        fast, slow = core.lanes(vendor.telegram(), rate=200), core.lanes(vendor.sms(), rate=40)
        dispatcher = core.dispatcher(*fast, *slow)
        running = asyncio.create_task(dispatcher.run())
        await core.until(broadcast, sent=720)
        dispatcher.stop()
        await running
        for lane in (*fast, *slow):
            await lane._channel.aclose()
    times = {
        kind: [asked.at for asked in vendor.asked if (asked.to[0] == "+") is kind] for kind in (True, False)
    }
    assert busiest_second(times[True]) <= 40
    assert busiest_second(times[False]) <= 200


async def test_what_costs_more_takes_longer() -> None:
    """A text of several segments uses the turns of as many."""
    pace = Pace(100)
    begun = time.monotonic()
    for _ in range(3):
        await pace.turn()
        pace.spend(10)
    await pace.turn()
    assert time.monotonic() - begun >= 0.3 - 0.01


async def test_a_pause_is_not_made_good_with_a_burst() -> None:
    """After an idle while no more leaves at once than the rate allows."""
    pace = Pace(100)
    await asyncio.sleep(0.2)
    begun, gone = time.monotonic(), 0
    while time.monotonic() - begun < 0.1:
        await pace.turn()
        pace.spend(1)
        gone += 1
    assert gone <= 12


async def test_the_longest_rest_holds() -> None:
    """A shorter rest that is asked for later does not end a longer one."""
    pace = Pace(1000)
    pace.rest(0.3)
    pace.rest(0.05)
    pace.rest(-5)
    begun = time.monotonic()
    await pace.turn()
    assert time.monotonic() - begun >= 0.29


@pytest.mark.parametrize(
    ("troubles", "trouble"),
    [
        ([Later("busy")] * 4, None),
        ([Later("busy")] * 5, LaneTrouble("busy", "", ours=False)),
        ([Unsure("silence", code="500")] * 5, LaneTrouble("silence", "500", ours=False)),
        ([Unsure("silence"), Later("busy"), Refused("empty")] * 4, None),
        ([Gone("dead")] * 9, None),
        ([Broken("credentials", code="401")], LaneTrouble("credentials", "401", ours=True)),
    ],
)
async def test_trouble_with_everyone_is_told_from_trouble_with_one(
    troubles: list[Trouble], trouble: LaneTrouble | None
) -> None:
    """A fault of ours or silence after silence rests the sender; a refusal is an answer, and does not."""
    pace = Pace(1000)
    weigh(pace, *troubles)
    assert pace.trouble == trouble
    assert (pace.resting > 0) == (trouble is not None)
    pace.answered()
    assert pace.trouble is None


async def test_a_wait_is_no_trouble() -> None:
    """Being asked to go slower rests the sender, and nobody is called."""
    pace = Pace(1000)
    weigh(pace, Later("too-fast", wait=timedelta(seconds=7)))
    assert 6 < pace.resting <= 7
    assert pace.trouble is None
