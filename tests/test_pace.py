"""One sender's rate and rests, measured where it counts: at the vendor's end of real requests."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


async def turn(pace: Pace) -> None:
    """Wait for the next turn."""
    while not pace.turns:  # noqa: ASYNC110 - time alone brings it
        await asyncio.sleep(pace.wait)


async def test_what_costs_more_takes_longer() -> None:
    """A text of several segments uses the turns of as many."""
    pace = Pace(100)
    begun = time.monotonic()
    for _ in range(3):
        await turn(pace)
        pace.spend(10)
    await turn(pace)
    assert time.monotonic() - begun >= 0.3 - 0.01


async def test_a_pause_is_not_made_good_with_a_burst() -> None:
    """After an idle while no more leaves at once than the rate allows."""
    pace = Pace(100)
    await asyncio.sleep(0.2)
    begun, gone = time.monotonic(), 0
    while time.monotonic() - begun < 0.1:
        await turn(pace)
        pace.spend(1)
        gone += 1
    assert gone <= 12


@given(st.floats(0.1, 5000), st.lists(st.floats(0, 0.2), max_size=40))
def test_no_spell_exceeds_the_rate(rate: float, waits: list[float]) -> None:
    """Whenever it is asked, what has left since the start is no more than the rate and one breath allow."""
    passed = 1000.0
    with patch("bot.pace.time", SimpleNamespace(monotonic=lambda: passed)):
        pace, gone = Pace(rate), 0
        for wait in waits:
            turns = pace.turns
            for _ in range(turns):
                pace.spend(1)
            gone += turns
            assert gone <= (passed - 1000 + 0.01) * rate + 1
            passed += wait


async def test_the_longest_rest_holds() -> None:
    """A shorter rest that is asked for later does not end a longer one."""
    pace = Pace(1000)
    pace.rest(0.3)
    pace.rest(0.05)
    pace.rest(-5)
    assert pace.turns == 0
    assert 0.29 <= pace.wait <= 0.3
    begun = time.monotonic()
    await turn(pace)
    assert time.monotonic() - begun >= 0.29


@pytest.mark.parametrize(
    ("troubles", "trouble"),
    [
        ([Later("busy")] * 4, None),
        ([Later("busy")] * 5, LaneTrouble("busy", "", ours=False)),
        ([Unsure("silence", code="500")] * 5, LaneTrouble("silence", "500", ours=False)),
        ([Unsure("silence"), Refused("empty"), Refused("empty")] * 7, None),
        ([Unsure("silence"), Refused("empty")] * 11, LaneTrouble("silence", "", ours=False)),
        ([Gone("dead")] * 9, None),
        ([Broken("template", text=True)] * 20, None),
        ([Broken("credentials", code="401")], LaneTrouble("credentials", "401", ours=True)),
    ],
)
async def test_trouble_with_everyone_is_told_from_trouble_with_one(
    troubles: list[Trouble], trouble: LaneTrouble | None
) -> None:
    """A fault of ours or silence after silence rests the sender; a refusal is an answer, and does not."""
    pace = Pace(1000)
    for each in troubles:
        if pace.trouble is None:
            weigh(pace, each)
    assert pace.trouble == trouble
    assert (pace.resting > 0) == (trouble is not None)
    pace.answered()
    assert pace.trouble is None


async def test_requests_that_fail_together_are_one_trouble() -> None:
    """When a vendor leaves all fifty that were under way without an answer, the first probe is soon."""
    pace = Pace(1000)
    weigh(pace, *[Unsure("silence")] * 50)
    assert 29 < pace.resting <= 30


async def test_a_probe_that_fails_opens_the_breaker_again() -> None:
    """While a vendor stays silent, one delivery tries after ever longer pauses; the first answer ends it."""
    pace = Pace(1000)
    weigh(pace, *[Later("busy")] * 5)
    for pause in (30, 60, 120, 240, 480, 900, 900):
        assert pause - 1 < pace.resting <= pause
        pace._rest_until = 0.0  # later
        weigh(pace, Unsure("silence"))
    pace._rest_until = 0.0
    weigh(pace, Refused("empty"))
    assert pace.trouble is None
    weigh(pace, *[Later("busy")] * 4)
    assert pace.trouble is None


async def test_a_wait_is_no_trouble() -> None:
    """Being asked to go slower rests the sender, and nobody is called."""
    pace = Pace(1000)
    weigh(pace, Later("too-fast", wait=timedelta(seconds=7)))
    assert 6 < pace.resting <= 7
    assert pace.trouble is None
