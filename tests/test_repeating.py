"""A vendor that never tells: an emergency is said once more and says so; nothing else is repeated."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot import check
from bot.broadcasts.corrections import Corrections
from bot.moments import to_ms
from tests.core import chat, people, when
from tests.unanswered import bot, is_state, rest, service, sms, taken, unknown, whatsapp

if TYPE_CHECKING:
    from tests.conftest import Rehearsal
    from tests.core import Core

pytestmark = pytest.mark.usefixtures("hasty")
MARK = "Tal vez ya lo tienes: "


async def say_nothing(rehearsal: Rehearsal, core: Core) -> None:
    """Somebody on Telegram, and a vendor that takes one message without a word."""
    await rehearsal.people({"channel": "telegram", "address": chat(0)})
    await core.take_in(people(1))
    await rehearsal.faults("telegram", "hang", count=1)


async def edited(core: Core) -> None:
    """Somebody changes the text, and the service takes it up."""
    file = core.folder / "content/announcements/feria/es.md"
    file.write_text(file.read_text(encoding="utf-8").replace("gratis", "baratas"), encoding="utf-8")
    read, _ = check.read(core.folder / "config.toml", {"SECRET": "1:canary"}, core.now)
    assert read
    await core.current.take_up(read)


async def test_an_emergency_is_said_once_more_and_says_so(core: Core, rehearsal: Rehearsal) -> None:
    """An emergency that Telegram may not have taken leaves once more after a minute, marked at its head."""
    await say_nothing(rehearsal, core)
    async with service(core, bot(rehearsal)):
        broadcast = await core.announce(why="fuego")
        await unknown(core)
        core.clock.skip(seconds=50)
        await rest()
        await unknown(core)
        core.clock.skip(seconds=10)
        await core.until(broadcast, sent=1)
        await when(lambda: is_state(core, broadcast, "done"))
    first, again = await taken(rehearsal)
    assert MARK not in first
    assert again.startswith(f"<b>{MARK}Aviso</b>")
    assert again.endswith(first.removeprefix("<b>Aviso</b>"))


async def test_it_is_said_no_third_time(core: Core, rehearsal: Rehearsal) -> None:
    """A repetition without an answer is not repeated."""
    await say_nothing(rehearsal, core)
    async with service(core, bot(rehearsal)):
        broadcast = await core.announce(why="fuego")
        await unknown(core)
        await rehearsal.faults("telegram", "hang", count=1)
        for _ in range(3):
            core.clock.skip(minutes=2)
            await asyncio.sleep(0.8)
        await when(lambda: is_state(core, broadcast, "done"))
        assert await core.counts(broadcast) == {"unknown": 1}
    assert len(await taken(rehearsal)) == 2


async def test_what_died_three_times_is_not_said_once_more(core: Core, rehearsal: Rehearsal) -> None:
    """An emergency that is set aside stays so: it may be what ends the service."""
    await say_nothing(rehearsal, core)
    async with service(core, bot(rehearsal)):
        broadcast = await core.announce(why="fuego")
        await unknown(core)
        await core.store.write(lambda tx: tx.run("UPDATE deliveries SET deaths = 3, reason = 'quarantined'"))
        core.clock.skip(minutes=20)
        await rest()
        assert await core.counts(broadcast) == {"unknown": 1}
    assert len(await taken(rehearsal)) == 1


async def test_routine_news_are_not_repeated(core: Core, rehearsal: Rehearsal) -> None:
    """What is no emergency stays unknown, is shown so, and its broadcast ends."""
    await say_nothing(rehearsal, core)
    async with service(core, bot(rehearsal)):
        broadcast = await core.announce()
        await unknown(core)
        core.clock.skip(minutes=1)
        await when(lambda: is_state(core, broadcast, "done"))
        core.clock.skip(hours=2)
        await rest()
        assert await core.counts(broadcast) == {"unknown": 1}
    assert len(await taken(rehearsal)) == 1


@pytest.mark.parametrize("change", ["edited", "left", "cancelled", "over"])
async def test_what_must_not_be_said_again_is_not(core: Core, rehearsal: Rehearsal, change: str) -> None:
    """What nobody approved, what is over and who left: an emergency is then not repeated."""
    await say_nothing(rehearsal, core)
    async with service(core, bot(rehearsal)):
        broadcast = await core.announce(why="fuego")
        await unknown(core)
        if change == "edited":
            await edited(core)
        changes = {
            "left": "UPDATE subscribers SET state = 'left'",
            "cancelled": "UPDATE broadcasts SET state = 'cancelled'",
            "over": "UPDATE broadcasts SET valid_until = :now",
        }
        if change in changes:
            now = {"now": to_ms(core.now)}
            await core.store.write(lambda tx: tx.run(changes[change], now))
        core.clock.skip(minutes=2)
        await rest()
        assert await core.counts(broadcast) == {"unknown": 1}
    assert len(await taken(rehearsal)) == 1


async def test_an_emergency_whose_vendor_cannot_be_asked(core: Core, rehearsal: Rehearsal) -> None:
    """By SMS it waits a quarter of an hour for the vendor's word, and then it is said once more, marked."""
    await core.take_in(people(1, "sms"))
    await rehearsal.faults("sms", "hang", count=1)
    async with service(core, sms(rehearsal)):
        await core.announce(why="fuego")
        await unknown(core)
        await rehearsal.faults("sms", "500")
        core.clock.skip(minutes=6)
        await rest()
        await unknown(core, looked=0)
        core.clock.skip(minutes=14)
        await when(lambda: core.rows("SELECT 1 FROM deliveries WHERE repeated = 1"))
        await rehearsal.faults("sms", "ok")
        for _ in range(3):
            core.clock.skip(minutes=3)
            await rest()
    said = await taken(rehearsal)
    assert said[-1].startswith(MARK)


async def test_a_template_cannot_say_that_it_is_one_more(core: Core, rehearsal: Rehearsal) -> None:
    """A template has no place for the mark: it is not repeated, and Twilio is asked until it tells."""
    await core.take_in(people(1, "whatsapp"))
    await rehearsal.faults("whatsapp", "hang", count=1)
    async with service(core, whatsapp(rehearsal)):
        broadcast = await core.announce("plantilla", why="fuego")
        await unknown(core)
        await rehearsal.faults("whatsapp", "500")
        core.clock.skip(minutes=20)
        await rest()
        await unknown(core)
        await rehearsal.faults("whatsapp", "ok")
        core.clock.skip(minutes=30)
        await core.until(broadcast, sent=1)
    assert len(await taken(rehearsal)) == 1


async def test_a_repetition_is_corrected_as_what_it_repeats(core: Core, rehearsal: Rehearsal) -> None:
    """What was said twice is no reason for a correction; once its text changed, who got it is told."""
    await say_nothing(rehearsal, core)
    corrections = Corrections(core.store, core.current)
    async with service(core, bot(rehearsal)):
        broadcast = await core.announce(why="fuego")
        await unknown(core)
        core.clock.skip(minutes=1)
        await core.until(broadcast, sent=1)
        assert (await corrections.correct(broadcast, core.decision())).outcome == "unchanged"
        await edited(core)
        made = await corrections.correct(broadcast, core.decision())
        assert made.broadcast
        await core.approvals.approve(made.broadcast, core.decision("Beto"))
        await core.until(made.broadcast, sent=1)
    assert "baratas" in (await rehearsal.ledger())[-1]["text"]
