"""Silence is not success: receipts that fail to come are an alarm, and nothing else is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bot.outbox import Settled
from bot.tallies import Tallies, weigh
from channels.base import Receipt
from channels.trouble import Refused
from tests.core import MORNING, number, people, person
from tests.deployment import deploy, free_port

if TYPE_CHECKING:
    from pathlib import Path

    from channels.base import ReceiptStatus
    from tests.conftest import Rehearsal
    from tests.core import Clock, Core

QUARTER = int(MORNING.timestamp()) // 900


async def sent(
    core: Core, count: int, moment: str, states: tuple[ReceiptStatus, ...] = ("delivered",)
) -> None:
    """So many SMS leave, and of each their vendor tells all of this."""
    broadcast = await core.announce(moment=moment)
    claims = await core.outbox.turn("sms", [], [(broadcast, None)], count, core.now)
    assert len(claims) == count
    ends = [Settled(claim, "sent", vendor_id=f"SM{claim.id}") for claim in claims]
    await core.outbox.turn("sms", ends, [], 0, core.now)
    for claim in claims:
        for state in states:
            await core.outbox.receipt("sms", Receipt(f"SM{claim.id}", state, key=claim.key(1)), core.now)


async def alarming(core: Core) -> bool:
    [silence] = await Tallies(core.store).silences(["sms"], core.now)
    return silence.alarming


async def test_dropped_receipts_are_an_alarm(core: Core, clock: Clock) -> None:
    """After a good week the vendor falls silent: half an hour later that is seen, until it speaks again."""
    await core.take_in(people(40, "sms"))
    for day in range(7):
        await sent(core, 40, f"day {day}")
        clock.skip(days=1)
        assert not await alarming(core)
    await sent(core, 40, "silent", ())
    assert not await alarming(core)  # receipts may still come
    clock.skip(minutes=30)
    assert await alarming(core)
    await sent(core, 40, "heard of again")
    clock.skip(minutes=30)
    assert not await alarming(core)


async def test_silence_from_the_first_day_is_seen(core: Core, clock: Clock) -> None:
    """Where no receipt ever came, because the vendor cannot reach us, there is no usual to be like."""
    await core.take_in(people(40, "sms"))
    for day in range(12):
        await sent(core, 40, f"day {day}", ())
        clock.skip(minutes=30)
        assert await alarming(core)
        clock.skip(hours=23)


async def test_a_few_messages_are_no_alarm(core: Core, clock: Clock) -> None:
    """Nineteen telephones that nobody tells of may be chance; together with the next they are not."""
    await core.take_in(people(19, "sms"))
    await sent(core, 19, "first", ())
    clock.skip(minutes=30)
    assert not await alarming(core)
    await sent(core, 19, "second", ())
    clock.skip(minutes=30)
    assert await alarming(core)


async def test_a_delivery_counts_once(core: Core) -> None:
    """However many receipts come for a message, in whatever order, one message was told of."""
    await core.take_in([person(number(1), channel="sms")])
    await sent(core, 1, "m", ("sent", "sent", "delivered", "read", "delivered", "failed"))
    assert await core.rows("SELECT sender, quarter, sent, told FROM tallies") == [("sms", QUARTER, 1, 1)]


async def test_a_receipt_counts_where_its_message_left(core: Core, clock: Clock) -> None:
    """A receipt that comes an hour later still speaks for the quarter of an hour of its message."""
    await core.take_in([person(number(1), channel="sms")])
    await sent(core, 1, "m", ())
    clock.skip(hours=1)
    [(delivery,)] = await core.rows("SELECT id FROM deliveries")
    failed = Receipt("SM1", "failed", key=f"{delivery}.1.0.1", trouble=Refused("undelivered"))
    await core.outbox.receipt("sms", failed, core.now)
    assert await core.rows("SELECT sender, quarter, sent, told FROM tallies") == [("sms", QUARTER, 1, 1)]


async def test_what_was_not_known_and_is_told_has_left(core: Core) -> None:
    """The receipt that settles an unknown is of a message that left."""
    await core.take_in([person(number(1), channel="sms")])
    broadcast = await core.announce()
    [claim] = await core.outbox.turn("sms", [], [(broadcast, None)], 1, core.now)
    await core.outbox.turn("sms", [Settled(claim, "unknown", "no-answer")], [], 0, core.now)
    await core.outbox.receipt("sms", Receipt("SM1", "sent", key=claim.key(1)), core.now)
    assert await core.rows("SELECT sent, told FROM tallies") == [(1, 1)]


async def test_one_statement_a_turn(core: Core) -> None:
    """A turn of many messages is one row counted up, not one a message."""
    await core.take_in(people(200, "sms"))
    await sent(core, 200, "m", ())
    assert await core.rows("SELECT sender, sent, told FROM tallies") == [("sms", 200, 0)]


async def test_old_tallies_are_forgotten(core: Core, clock: Clock) -> None:
    """Nothing is kept that no longer tells what is usual."""
    from bot.housekeeping import Housekeeping

    await core.take_in(people(20, "sms"))
    await sent(core, 20, "m")
    clock.skip(days=10)
    await Housekeeping(core.store, core.vault).tidy(core.now)
    assert await core.rows("SELECT * FROM tallies") == []


async def test_staff_are_told_of_dropped_receipts(tmp_path: Path, rehearsal: Rehearsal) -> None:
    """Twilio cannot reach us: the messages leave, `report` looks well, and says above all that it is not."""
    made = deploy(tmp_path, rehearsal.url)
    made.edit("config.toml", f'public_url = "{made.url}"', f'public_url = "http://127.0.0.1:{free_port()}"')
    phones = [("sms", number(n), "es", "fresno") for n in range(30)]
    await rehearsal.people(*({"channel": "sms", "address": address} for _, address, *_ in phones))
    await made.take_in(phones)
    assert (await made.do("announce", "feria", "--wait")).status == 0
    assert "Faltan acuses" not in (await made.do("report")).said
    with closing(sqlite3.connect(tmp_path / "pregonero.db")) as database, database:
        database.execute("UPDATE tallies SET quarter = quarter - 3")  # three quarters of an hour pass
    ended = await made.do("report")
    assert "Faltan acuses de sms: de sus últimos 30 mensajes, de 30 no se sabe nada más" in ended.said
    made.edit("config.toml", "public_url", "# public_url")  # without it nobody expects any
    assert "Faltan acuses" not in (await made.do("report")).said


@given(
    usual=st.integers(0, 100),
    missing=st.integers(0, 100),
    hours=st.integers(2, 160),
)
def test_three_times_the_usual_is_the_line(usual: int, missing: int, hours: int) -> None:
    """Whatever is usual: less than three times it never alarms, total silence always does."""
    rows = [{"quarter": QUARTER - 2, "sent": 100, "told": 100 - missing}]
    rows += [{"quarter": QUARTER - 4 * hour, "sent": 100, "told": 100 - usual} for hour in range(1, hours)]
    found = weigh("sms", rows, MORNING)
    assert (found.missing, round(found.usual * 100)) == (missing / 100, usual)
    if missing < 3 * usual and missing < 90:
        assert not found.alarming
    if missing == 100 or (missing > 3 * usual and missing > 15):
        assert found.alarming


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 50), st.integers(0, 60)), max_size=40))
def test_any_tallies_can_be_judged(tallies: list[tuple[int, int, int]]) -> None:
    """More receipts than messages, no messages, holes: a share is always a share."""
    rows = [{"quarter": QUARTER - ago, "sent": sent, "told": told} for ago, sent, told in sorted(tallies)]
    found = weigh("sms", rows, MORNING + timedelta(seconds=1))
    assert 0 <= found.missing <= 1
    assert 0 <= found.usual <= 1
