"""What had no answer: the vendor is asked whether it took it, nothing is lost, and nobody gets it twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.inquiry import Told, Unknown
from bot.moments import from_ms, to_ms
from bot.settling import follows
from channels.trouble import Later
from tests.core import MORNING, people, when
from tests.unanswered import is_state, rest, service, sms, taken, unknown, whatsapp

if TYPE_CHECKING:
    from tests.conftest import Rehearsal
    from tests.core import Core

pytestmark = pytest.mark.usefixtures("hasty")


async def test_what_was_taken_is_found_and_not_sent_again(core: Core, rehearsal: Rehearsal) -> None:
    """The vendor took it, and its answer was lost: after five minutes it is sent, by the vendor's own id."""
    await core.take_in(people(1, "sms"))
    await rehearsal.faults("sms", "hang", count=1)
    async with service(core, sms(rehearsal)):
        broadcast = await core.announce()
        await unknown(core)
        core.clock.skip(minutes=4, seconds=50)
        await rest()
        assert await core.counts(broadcast) == {"unknown": 1}
        core.clock.skip(seconds=10)
        await core.until(broadcast, sent=1)
    [row] = await rehearsal.ledger()
    assert await core.rows("SELECT vendor_id, reason FROM deliveries") == [(row["vendor_id"], None)]


async def test_what_was_not_taken_leaves_again(core: Core, rehearsal: Rehearsal) -> None:
    """The vendor failed and took nothing: two looks a minute apart, and the person gets it once."""
    await core.take_in(people(1, "sms"))
    await rehearsal.faults("sms", "500", count=1)
    async with service(core, sms(rehearsal)):
        broadcast = await core.announce()
        await unknown(core, looked=0)
        core.clock.skip(minutes=5)
        await unknown(core, looked=1)
        await rest()
        assert await core.state(broadcast) == "running"
        assert await taken(rehearsal) == []
        core.clock.skip(minutes=1)
        await core.until(broadcast, sent=1)
        await when(lambda: is_state(core, broadcast, "done"))
    assert len(await taken(rehearsal)) == 1


async def test_of_two_alike_each_message_is_one(core: Core, rehearsal: Rehearsal) -> None:
    """Two requests of the same words to one person, one of them taken: the other leaves again, once."""
    await core.take_in(people(1, "sms"))
    await rehearsal.faults("sms", "hang", count=1)
    async with service(core, sms(rehearsal)):
        first = await core.announce(moment="a")
        await unknown(core)
        await rehearsal.faults("sms", "500", count=1)
        second = await core.announce(moment="b")
        await unknown(core, 2)
        core.clock.skip(minutes=5)
        await unknown(core, 1, looked=1)
        core.clock.skip(minutes=1)
        await core.until(first, sent=1)
        await core.until(second, sent=1)
    assert len(await taken(rehearsal)) == 2
    assert len(await core.rows("SELECT DISTINCT vendor_id FROM deliveries")) == 2


async def test_a_text_of_several_parts_goes_on(core: Core, rehearsal: Rehearsal) -> None:
    """A part that was found is followed by the next, and the person has each of them once, in their order."""
    await core.take_in(people(1, "sms"))
    async with service(core, sms(rehearsal)):
        await rehearsal.faults("sms", "hang", count=1)
        broadcast = await core.announce("larga")
        await unknown(core)
        core.clock.skip(minutes=5)
        while await core.counts(broadcast) != {"sent": 1}:
            core.clock.skip(seconds=1)  # a second lies between two parts
            await asyncio.sleep(0.05)
    said = await taken(rehearsal)
    [text] = await core.rows("SELECT text FROM deliveries")
    assert said == [part.text for part in (await core.outbox.text(text[0])).open]
    assert len(said) > 1


async def test_a_template_is_found_too(core: Core, rehearsal: Rehearsal) -> None:
    """Of a template only Twilio knows the words: by person, sender and time it is known as sent."""
    await core.take_in(people(1, "whatsapp"))
    await rehearsal.faults("whatsapp", "hang", count=1)
    async with service(core, whatsapp(rehearsal)):
        broadcast = await core.announce("plantilla")
        await unknown(core)
        core.clock.skip(minutes=5)
        await core.until(broadcast, sent=1)
    assert len(await taken(rehearsal)) == 1


@pytest.mark.parametrize("both", [False, True])
async def test_one_template_is_not_taken_for_another(core: Core, rehearsal: Rehearsal, *, both: bool) -> None:
    """Two templates left for one person, and one is found: nobody knows which, and neither leaves again.

    When both are found, both were taken.
    """
    await core.take_in(people(1, "whatsapp"))
    await rehearsal.faults("whatsapp", "hang", count=1)
    async with service(core, whatsapp(rehearsal)):
        await core.announce("plantilla", moment="a")
        await unknown(core)
        await rehearsal.faults("whatsapp", "hang" if both else "500", count=1)
        await core.announce("plantilla", moment="b")
        await unknown(core, 2)
        for _ in range(3):
            core.clock.skip(minutes=5)
            await rest()
        await unknown(core, 0 if both else 2)
    assert len(await taken(rehearsal)) == 1 + both


async def test_replies_are_asked_for_too(core: Core, rehearsal: Rehearsal) -> None:
    """What somebody waits for is found or leaves again, as an announcement is."""
    await core.take_in(people(1, "sms"))
    await core.announce()
    async with service(core, sms(rehearsal)):
        await when(lambda: taken(rehearsal))
        await rehearsal.faults("sms", "500", count=1)
        await core.store.write(
            lambda tx: tx.run(
                "INSERT INTO deliveries (subscriber, text, sender, state, due_at)"
                " SELECT subscriber, text, sender, 'queued', due_at FROM deliveries"
            )
        )
        await unknown(core)
        for minutes in (5, 1):
            core.clock.skip(minutes=minutes)
            await rest()
        await when(lambda: core.rows("SELECT 1 FROM deliveries WHERE broadcast IS NULL AND state = 'sent'"))
    assert len(await taken(rehearsal)) == 2


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ("UPDATE broadcasts SET state = 'cancelled'", "cancelled"),
        ("UPDATE broadcasts SET valid_until = :now", "expired"),
        ("UPDATE broadcasts SET state = 'done'", "expired"),
    ],
)
async def test_what_is_over_does_not_leave_again(
    core: Core, rehearsal: Rehearsal, change: str, state: str
) -> None:
    """What was not taken, and nobody wants any more, is not sent; the report says why."""
    await core.take_in(people(1, "sms"))
    await rehearsal.faults("sms", "500", count=1)
    async with service(core, sms(rehearsal)):
        broadcast = await core.announce()
        await unknown(core)
        core.clock.skip(minutes=5)
        await unknown(core, looked=1)
        now = {"now": to_ms(core.now)}
        await core.store.write(lambda tx: tx.run(change, now))
        core.clock.skip(minutes=1)
        await core.until(broadcast, **{state: 1})
    assert await taken(rehearsal) == []


async def test_a_vendor_in_trouble_is_asked_again_for_three_days(core: Core, rehearsal: Rehearsal) -> None:
    """No answer to the question is none: it is asked again, and stays unknown after three days."""
    await core.take_in(people(2, "sms"))
    await rehearsal.faults("sms", "500", count=1)
    async with service(core, sms(rehearsal)):
        broadcast = await core.announce()
        await core.until(broadcast, sent=1, unknown=1)
        await rehearsal.faults("sms", "500")
        for _ in range(20):
            core.clock.skip(minutes=1)
            await asyncio.sleep(0.05)
        assert await core.rows("SELECT looked FROM deliveries WHERE state = 'unknown'") == [(0,)]
        core.clock.skip(hours=51)
        await rest()
        assert await core.state(broadcast) == "running"
        core.clock.skip(hours=21)
        await when(lambda: is_state(core, broadcast, "done"))
        await rehearsal.faults("sms", "ok")
        await rest()
        assert await core.counts(broadcast) == {"sent": 1, "unknown": 1}


@pytest.mark.parametrize("arms", [True, False])
@pytest.mark.parametrize("hours", [1, -1])
async def test_what_left_by_a_wrong_clock_is_not_sent_again(
    core: Core, rehearsal: Rehearsal, hours: int, *, arms: bool
) -> None:
    """An emergency is taken while the clock is wrong; set right, the list is not read at the wrong hour."""
    await core.take_in(people(1, "sms"))
    await rehearsal.faults("sms", "hang", count=1)
    if arms:  # it is wrong from the beginning, and somebody says so once it is right
        core.clock.slipped += timedelta(hours=hours)
    async with service(core, sms(rehearsal)) as dispatcher:
        await dispatcher.armed.wait()
        if not arms:
            core.clock.slipped += timedelta(hours=hours)
            await when(lambda: _doubted(core))
        broadcast = await core.announce(why="fuego")
        await unknown(core)
        core.clock.slipped -= timedelta(hours=hours)
        if arms:
            await when(lambda: _doubted(core))
            await core.arming.arm("Ana")
        await when(lambda: _trusted(core))
        for _ in range(20):
            core.clock.skip(minutes=5)
            await asyncio.sleep(0.06)
        assert await core.counts(broadcast) == {"unknown": 1}
    assert len(await taken(rehearsal)) == 1


@pytest.mark.parametrize("hours", [8, -8])
async def test_what_left_by_a_clock_that_was_always_wrong_is_not_sent_again(
    core: Core, rehearsal: Rehearsal, hours: int
) -> None:
    """No jump gives it away: the vendor has the text at another hour, and it is nobody else's."""
    core.clock.slipped += timedelta(hours=hours)
    await core.take_in(people(2, "sms"))
    await rehearsal.faults("sms", "hang", count=1)
    async with service(core, sms(rehearsal)):
        broadcast = await core.announce(why="fuego")
        await unknown(core)
        for _ in range(10):
            core.clock.skip(minutes=1)
            await asyncio.sleep(0.06)
        assert await core.counts(broadcast) == {"sent": 1, "unknown": 1}
    assert len(await taken(rehearsal)) == 2


async def _doubted(core: Core) -> bool:
    """Whether somebody has seen that the clock is wrong."""
    return await core.rows("SELECT off FROM arming") != [(None,)]


async def _trusted(core: Core) -> bool:
    """Whether the clock is believed."""
    return not await _doubted(core)


@pytest.mark.parametrize("why", ["lane in trouble", "clock doubted"])
async def test_who_is_not_to_be_asked_is_left_alone(core: Core, rehearsal: Rehearsal, why: str) -> None:
    """A lane in trouble has no strength for questions, and by a wrong clock nothing is found."""
    await core.take_in(people(1, "sms"))
    await rehearsal.faults("sms", "hang", count=1)
    async with service(core, sms(rehearsal), resting=why == "lane in trouble"):
        await core.announce()
        await unknown(core)
        if why == "clock doubted":
            core.clock.slipped += timedelta(minutes=7)
        else:
            core.clock.skip(minutes=7)
        await rest()
        await unknown(core, looked=0)


async def test_a_vendor_that_asks_for_a_wait_is_asked_no_more(
    core: Core, rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its list says how long to wait: until then it is asked for nobody else either."""
    await core.take_in(people(3, "sms"))
    await rehearsal.faults("sms", "hang", count=3)
    sender, channel = sms(rehearsal)
    asked = []

    async def busy(address: str, *_: object) -> None:
        asked.append(address)
        raise Later("rate-limited", wait=timedelta(seconds=60))

    monkeypatch.setattr(channel, "look_up", busy)
    async with service(core, (sender, channel)):
        await core.announce()
        await unknown(core, 3)
        core.clock.skip(minutes=6)
        await rest()
        assert len(asked) == 1
        core.clock.skip(seconds=61)
        await rest()
    assert len(asked) == 2


# --- what follows from an answer --------------------------------------------------------------------------


def one(**more: Any) -> Unknown:  # noqa: ANN401 - any of its values
    """An unknown delivery."""
    values: dict[str, Any] = {"id": 1, "attempt": 1, "part": 0, "text": 1, "claimed_at": to_ms(MORNING)}
    values |= {"looked": 0, "deaths": 0, "subscriber": 1, "address": b"", "heard_at": None, "may_repeat": 0}
    return Unknown(**(values | more))


@given(
    answer=st.sampled_from(["taken", "not-taken", "trouble", "silent"]),
    looked=st.integers(0, 1),
    attempt=st.integers(1, 400),
    deaths=st.integers(0, 4),
    minutes=st.integers(1, 24 * 60),
    jitter=st.floats(0, 1, exclude_max=True),
    repeatable=st.booleans(),
    more=st.booleans(),
)
def test_nothing_is_sent_in_doubt(
    answer: Any,  # noqa: ANN401 - one of its words
    looked: int,
    attempt: int,
    deaths: int,
    minutes: int,
    jitter: float,
    *,
    repeatable: bool,
    more: bool,
) -> None:
    """Only what was looked for twice in vain leaves again, and only what may be repeated is repeated."""
    now = MORNING + timedelta(minutes=minutes)
    unknown_ = one(looked=looked, attempt=attempt, deaths=deaths)
    then = follows(Told(answer, more=more), unknown_, now, jitter, repeatable=repeatable)
    assert (then.step in ("again", "fail")) == (answer == "not-taken" and looked == 1)
    assert then.step != "again" or (attempt < 300 and deaths < 3)
    assert then.step != "repeat" or (repeatable and deaths < 3 and answer in ("trouble", "silent"))
    assert (then.step in ("settle", "next")) == (answer == "taken")
    if then.step == "ask":
        assert timedelta(seconds=30) <= then.at - now <= timedelta(minutes=30)
    if then.step == "leave":
        assert then.at == from_ms(unknown_.claimed_at) + timedelta(hours=72)
