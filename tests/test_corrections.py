"""Corrections row by row: who is told what, and what a kill, a refusal or a silence in the middle leaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.broadcasts.corrections import Corrections
from bot.current import Current
from bot.outbox import Settled
from bot.texts import dump_parts, load_parts
from channels.base import File, Part
from tests.core import (
    Asked,
    Clock,
    Core,
    Vendor,
    chat,
    number,
    people,
    person,
    refusal,
)
from tests.test_approval import edit
from tests.test_audience import link

if TYPE_CHECKING:
    from aiohttp import web

    from bot.broadcasts.corrections import Corrected
    from bot.outbox import Claim


async def mended(core: Core, body: str = "Vacunas gratis el lunes.", entry: str = "feria") -> None:
    """The staff change a text."""
    content = core.broadcasts.project
    known = content.library.entries[entry]
    right = replace(known.editions["es"], body=body)
    entries = {**content.library.entries, entry: replace(known, editions={"es": right}, source=right)}
    await core.current.take_up(replace(content, library=replace(content.library, entries=entries)))


async def correct(core: Core, broadcast: int) -> Corrected:
    """Correct a broadcast by what the texts say now."""
    return await Corrections(core.store, core.current).correct(broadcast, core.decision())


async def claim(core: Core, limit: int = 1000, sender: str = "bot") -> list[Claim]:
    """What a lane would take now."""
    return await core.outbox.turn(sender, [], await core.broadcasts.speaking(core.now), limit, core.now)


async def settle(core: Core, *ends: Settled) -> None:
    """What a lane would write down."""
    await core.outbox.turn("bot", ends, [], 0, core.now)


async def told(core: Core, broadcast: int) -> dict[str, tuple[str, bool]]:
    """For each person of a broadcast the text's variant, and whether it corrects something they got."""
    rows = await core.rows(
        "SELECT s.channel, s.address, t.variant, d.corrects IS NOT NULL FROM deliveries d"
        " JOIN subscribers s ON s.id = d.subscriber JOIN texts t ON t.id = d.text WHERE d.broadcast = :b",
        b=broadcast,
    )
    return {core.vault.open(channel, address): (variant, bool(c)) for channel, address, variant, c in rows}


async def sent_to_one(core: Core, vendor_id: str = "42") -> int:
    """One person has the wrong text, by the vendor's number."""
    await core.take_in(people(1))
    broadcast = await core.announce()
    [one] = await claim(core)
    await settle(core, Settled(one, "sent", vendor_id=vendor_id))
    return broadcast


def edits(vendor: Vendor) -> list[Asked]:
    """The requests that change a message."""
    return [asked for asked in vendor.asked if "message_id" in asked.form]


async def test_each_delivery_tells_what_its_person_needs(core: Core) -> None:
    """Sent, unknown, in flight: the correction. Queued: the right text alone. Failed or left: nothing."""
    await core.take_in(people(7))
    broadcast = await core.announce()
    sent, unknown, failed, flying, gone, _ = await claim(core, 6)
    await settle(
        core,
        Settled(sent, "sent", vendor_id="1"),
        Settled(unknown, "unknown", "no-answer"),
        Settled(failed, "failed", "vendor-refused"),
        Settled(gone, "failed", "blocked", person="left"),
    )
    await mended(core)
    made = await correct(core, broadcast)
    assert made.broadcast is not None
    assert (made.outcome, made.told, made.instead) == ("made", 4, 1)
    correction, alone = ("correction", True), ("", False)
    assert await told(core, made.broadcast) == {
        chat(0): correction,
        chat(1): correction,
        chat(3): correction,
        chat(5): correction,
        chat(6): alone,
    }
    assert (await core.reports.report(broadcast, core.now)).corrected_by == made.broadcast
    report = await core.reports.report(broadcast, core.now)
    assert (report.state, report.reasons[0].reason) == ("cancelled", "corrected")
    await settle(core, Settled(flying, "queued", due_at=core.now))  # it comes back
    assert (await core.counts(broadcast))["cancelled"] == 2


async def test_who_is_in_flight_gets_the_correction_afterwards(core: Core, clock: Clock) -> None:
    """A correction never overtakes the wrong text: it waits until that request is surely over."""
    await core.take_in(people(2))
    broadcast = await core.announce()
    [flying] = await claim(core, 1)
    await mended(core)
    await correct(core, broadcast)
    assert [one.id for one in await claim(core)] == [4]  # whom nothing was sent yet
    await settle(core, Settled(flying, "sent", vendor_id="7"))
    clock.skip(seconds=61)
    [late] = await claim(core)
    assert await core.outbox.copy(late.id, 1) == "7"


async def test_a_text_that_has_begun_has_been_read(core: Core) -> None:
    """Whoever got the first part of a long text, and not the second, has read something wrong."""
    await core.take_in(people(2))
    broadcast = await core.announce("larga")
    one, other = await claim(core)
    await settle(core, Settled(one, "next", vendor_id="1", due_at=core.now), Settled(other, "queued"))
    await mended(core, "Corta.", "larga")
    made = await correct(core, broadcast)
    assert made.broadcast is not None
    assert await told(core, made.broadcast) == {chat(0): ("correction", True), chat(1): ("", False)}
    text = await core.outbox.text((await claim(core))[0].text)
    assert not any(part.replaces for part in text.open)  # a copy in several messages stays as it is


async def test_a_killed_edit_is_done_again_and_the_correction_once(core: Core, vendor: Vendor) -> None:
    """Killed while the copy was being made right, we make it right again; the correction leaves once."""
    broadcast = await sent_to_one(core)
    await mended(core)
    made = (await correct(core, broadcast)).broadcast
    assert made is not None
    [killed] = await claim(core)
    assert killed.part == 0
    assert await core.outbox.recover(core.now) == 0
    async with core.dispatching(vendor.telegram()):
        await core.until(made, sent=1)
    assert [asked.form.get("message_id") for asked in vendor.asked] == ["42", None]
    assert vendor.asked[1].form["text"].startswith("<b>Corrección: Aviso")


async def test_killed_after_the_edit_the_correction_leaves_once(core: Core, vendor: Vendor) -> None:
    """Between the edit and the correction a kill loses neither; in the correction it repeats nothing."""
    broadcast = await sent_to_one(core)
    await mended(core)
    made = (await correct(core, broadcast)).broadcast
    assert made is not None
    [edited] = await claim(core)
    await settle(core, Settled(edited, "next", vendor_id="42", due_at=core.now))
    assert await core.outbox.recover(core.now) == 0
    async with core.dispatching(vendor.telegram()):
        await core.until(made, sent=1)
    assert [asked.form.get("message_id") for asked in vendor.asked] == [None]
    await mended(core, "Vacunas gratis el martes.")
    again = (await correct(core, broadcast)).broadcast
    assert again is not None
    for end in ("next", "next", None):
        [one] = await claim(core)
        if end:
            await settle(core, Settled(one, "next", vendor_id="42", due_at=core.now))
    assert await core.outbox.recover(core.now) == 1
    assert await core.counts(again) == {"unknown": 1}


async def test_an_edit_that_kills_three_processes_is_tried_no_more(core: Core) -> None:
    """It is shown as what it is, and neither it nor its correction leaves again."""
    broadcast = await sent_to_one(core)
    await mended(core)
    made = (await correct(core, broadcast)).broadcast
    assert made is not None
    for _ in range(3):
        assert len(await claim(core)) == 1
        assert await core.outbox.recover(core.now) == 0
    assert await claim(core) == []
    report = await core.reports.report(made, core.now)
    assert [(each.state, each.reason) for each in report.reasons] == [("failed", "quarantined")]


@pytest.mark.parametrize(
    "sentence",
    [
        "message is not modified: specified new message content and reply markup are exactly the same",
        "message to edit not found",
        "message can't be edited",
        "there is no text in the message to edit",
    ],
)
async def test_what_cannot_be_edited_is_corrected(core: Core, vendor: Vendor, sentence: str) -> None:
    """A copy that is gone, too old, or right already does not keep the correction from the person."""

    async def scene(asked: Asked) -> web.StreamResponse | None:
        return refusal(400, f"Bad Request: {sentence}") if "message_id" in asked.form else None

    vendor.scene = scene
    broadcast = await sent_to_one(core)
    await mended(core)
    made = (await correct(core, broadcast)).broadcast
    assert made is not None
    async with core.dispatching(vendor.telegram()):
        await core.until(made, sent=1)
    assert ["message_id" in asked.form for asked in vendor.asked] == [True, False]


async def test_an_edit_without_an_answer_is_made_again(core: Core, vendor: Vendor, clock: Clock) -> None:
    """To make a copy right twice does no harm: after a silence the edit goes again, the correction once."""

    async def scene(_asked: Asked) -> web.StreamResponse | None:
        return refusal(500, "Internal Server Error") if len(vendor.asked) == 1 else None

    vendor.scene = scene
    broadcast = await sent_to_one(core)
    await mended(core)
    made = (await correct(core, broadcast)).broadcast
    assert made is not None
    async with core.dispatching(vendor.telegram()):
        await vendor.until(1)
        await asyncio.sleep(0.1)
        clock.skip(seconds=10)
        await core.until(made, sent=1)
    assert ["message_id" in asked.form for asked in vendor.asked] == [True, True, False]


async def test_whose_copy_is_not_known_is_corrected_all_the_same(core: Core, vendor: Vendor) -> None:
    """Where no answer told the message's number nothing can be edited, and the correction arrives."""
    await core.take_in(people(1))
    broadcast = await core.announce()
    [one] = await claim(core)
    await settle(core, Settled(one, "unknown", "no-answer"))
    await mended(core)
    made = (await correct(core, broadcast)).broadcast
    assert made is not None
    async with core.dispatching(vendor.telegram()):
        await core.until(made, sent=1)
    assert edits(vendor) == []
    assert len(vendor.asked) == 1


async def test_a_correction_that_was_stopped_is_corrected_whole(core: Core) -> None:
    """Who had the first wrong text and not yet its correction gets the last one, once."""
    await core.take_in(people(3))
    first = await core.announce()
    ends = [Settled(one, "sent", vendor_id=str(n)) for n, one in enumerate(await claim(core, 2))]
    await settle(core, *ends)
    await mended(core)
    second = (await correct(core, first)).broadcast
    assert second is not None
    [one] = await claim(core, 1)
    await settle(core, Settled(one, "sent", vendor_id="9"))
    await core.broadcasts.cancel(second, core.decision())
    await mended(core, "Vacunas gratis el martes.")
    third = await correct(core, first)
    assert (third.wrong, third.told, third.instead) == (second, 2, 0)
    assert third.broadcast is not None
    variants = {who: variant for who, (variant, _) in (await told(core, third.broadcast)).items()}
    assert variants[chat(0)].startswith("correction after")
    assert variants[chat(1)].startswith("correction instead of")


async def alarm(core: Core, clock: Clock) -> int:
    """An emergency of six hours that somebody got in the night, and whose text is mended since."""
    await core.take_in([person(chat(0), community="noche")])
    clock.skip(hours=12)
    wanted = replace(core.wanted(community="noche", why="Incendio"), until=core.now + timedelta(hours=6))
    broadcast = await core.broadcasts.announce(wanted, by="Ana", now=core.now)
    assert broadcast is not None
    assert await core.approvals.approve(broadcast, core.decision("Beto")) == "running"
    [one] = await claim(core)
    await settle(core, Settled(one, "sent", vendor_id="1"))
    assert await core.broadcasts.finish(core.now) == [broadcast]
    await mended(core)
    return broadcast


async def test_an_emergency_is_corrected_by_two(core: Core, clock: Clock) -> None:
    """One person alone wakes nobody: the second yes sends the correction, at night, and it ends by itself."""
    broadcast = await alarm(core, clock)
    made = await correct(core, broadcast)
    assert (made.outcome, await core.broadcasts.speaking(core.now)) == ("submitted", [])
    assert made.broadcast is not None
    assert await core.approvals.approve(made.broadcast, core.decision("ana")) == "same-person"
    assert await core.approvals.approve(made.broadcast, core.decision("Beto")) == "running"
    assert [number for number, _ in await core.broadcasts.speaking(core.now)] == [made.broadcast]
    assert (await core.reports.report(made.broadcast, core.now)).why == "Incendio"
    assert await core.rows("SELECT valid_until - due_at FROM broadcasts WHERE corrects IS NOT NULL") == [
        (6 * 60 * 60 * 1000,)
    ]
    clock.skip(hours=7)
    assert await core.broadcasts.speaking(core.now) == []
    assert await core.counts(made.broadcast) == {"expired": 1}


async def test_an_emergency_that_is_over_is_corrected_in_the_morning(core: Core, clock: Clock) -> None:
    """The next night nothing of it is urgent any more: one person corrects it, and nobody is woken."""
    broadcast = await alarm(core, clock)
    clock.skip(hours=24)
    made = await correct(core, broadcast)
    assert (made.outcome, made.told) == ("made", 1)
    assert await core.broadcasts.speaking(core.now) == []
    assert (await core.reports.report(made.broadcast or 0, core.now)).why is None
    clock.skip(hours=10)
    assert await core.broadcasts.speaking(core.now) == [(made.broadcast, None)]


async def test_where_two_must_agree_the_correction_waits(core: Core) -> None:
    """The wrong text stops at once; the right one waits for a second person, then reaches the same people."""
    await core.take_in(people(3))
    broadcast = await core.announce()
    sent, back = await claim(core, 2)
    await settle(core, Settled(sent, "sent", vendor_id="1"))
    await mended(core)
    content = core.broadcasts.project
    strict = {slug: replace(place, approval=True) for slug, place in content.communities.items()}
    corrections = Corrections(core.store, Current(replace(content, communities=strict)))
    made = await corrections.correct(broadcast, core.decision())
    assert (made.outcome, await core.state(broadcast)) == ("submitted", "cancelled")
    assert made.broadcast is not None
    await settle(core, Settled(back, "queued", due_at=core.now))
    assert await claim(core) == []
    [row] = await core.store.read(
        lambda tx: tx.rows("SELECT * FROM broadcasts WHERE corrects = :b", {"b": broadcast})
    )
    mending = await corrections.prepare(row, core.now)
    assert mending is not None
    await core.store.write(lambda tx: mending.fan_out(tx, row["id"], core.now))
    assert sorted((await told(core, made.broadcast)).values()) == [
        ("", False),
        ("", False),
        ("correction", True),
    ]


@pytest.mark.parametrize("approval", [False, True])
async def test_no_next_channel_gets_the_wrong_text(core: Core, clock: Clock, *, approval: bool) -> None:
    """Who was not reached by one of their addresses is not sent, by another, what was corrected meanwhile."""
    await core.take_in([person(chat(0)), person(number(0), channel="sms"), person(chat(1))])
    await link(core, ("telegram", chat(0)), ("sms", number(0)))
    broadcast = await core.announce()
    for one in await claim(core):
        linked = one.sealed == core.vault.seal("telegram", chat(0))
        await settle(core, Settled(one, "failed", "vendor-refused") if linked else Settled(one, "sent"))
    assert await core.broadcasts.finish(core.now) == [broadcast]
    await mended(core)
    content = core.broadcasts.project
    places = {slug: replace(place, approval=approval) for slug, place in content.communities.items()}
    await core.current.take_up(replace(content, communities=places))
    made = await correct(core, broadcast)
    assert made.outcome == ("submitted" if approval else "made")
    clock.skip(hours=1.1)
    assert await core.broadcasts.next_channels(core.now) == []


async def test_two_at_once_make_one(core: Core) -> None:
    """Two people who correct the same text at the same moment make one correction."""
    broadcast = await sent_to_one(core)
    await mended(core)
    made = await asyncio.gather(correct(core, broadcast), correct(core, broadcast))
    assert sorted(one.outcome for one in made) == ["made", "unchanged"]
    assert await core.rows("SELECT count(*) FROM broadcasts") == [(2,)]


async def test_whatsapp_outside_the_window_gets_the_template_again(core: Core) -> None:
    """Where only a template may be said, its values are the corrected ones; without one it waits as ever."""
    await core.take_in(people(1, "whatsapp"))
    broadcast = await core.announce("plantilla")
    [one] = await claim(core, sender="whatsapp")
    await settle(core, Settled(one, "sent", vendor_id="SM1"))
    await mended(core, "Otra cosa.", "plantilla")
    made = await correct(core, broadcast)
    assert made.told == 1
    [two] = await claim(core, sender="whatsapp")
    text = await core.outbox.text(two.text)
    assert text.closed is not None
    assert text.closed[0].template is not None
    assert text.open[0].text.startswith("*Corrección: Aviso*")


async def test_a_reminder_is_corrected_as_one(core: Core) -> None:
    """“Reminder:” is no change of a text; who was still to be reminded is, and a copy stays a reminder."""
    slot = '\n[[slot]]\nannounce = "feria"\nbefore = "1 day"\n'
    file = core.folder / "schedules/fresno.toml"
    await edit(core, "schedules/fresno.toml", "", file.read_text("utf-8") + slot)
    await edit(core, "content/announcements/feria/es.md", "+++\n", "+++\nstarts = 2026-11-22T12:00:00\n")
    await core.take_in(people(2))
    broadcast = await core.announce(moment="2026-11-21T12:00:00")
    [one] = await claim(core, 1)
    await settle(core, Settled(one, "sent", vendor_id="1"))
    assert (await correct(core, broadcast)).outcome == "unchanged"
    await edit(core, "content/announcements/feria/es.md", "gratis", "gratis y consultas")
    made = await correct(core, broadcast)
    assert (made.told, made.instead) == (1, 1)
    said = [[part.text for part in (await core.outbox.text(each.text)).open] for each in await claim(core)]
    copy, correction = next(texts for texts in said if len(texts) > 1)[:2]
    [alone, *_] = next(texts for texts in said if len(texts) == 1)
    assert copy == alone
    assert copy.startswith("<b>Recordatorio: Aviso")
    assert correction.startswith("<b>Corrección: Aviso")
    assert (await correct(core, broadcast)).outcome == "unchanged"


async def test_nobody_else_is_in_it(core: Core) -> None:
    """Somebody who joined since the announcement gets nothing of its correction."""
    broadcast = await sent_to_one(core)
    await core.take_in([person(chat(50)), person(number(3), channel="sms")])
    await mended(core)
    made = await correct(core, broadcast)
    assert await told(core, made.broadcast or 0) == {chat(0): ("correction", True)}


def test_a_part_is_kept_with_its_file_and_its_place() -> None:
    """What is stored of an edit and of a file comes back as it was, and older texts are still read."""

    part = Part(
        "x", "html", "utf-16", 1, 1, file=File("a.ics", "text/calendar", "BEGIN:VCALENDAR"), replaces=2
    )
    assert load_parts(dump_parts([part])) == [part]
    old = (
        '{"text":"x","format":"html","encoding":"utf-16","units":1,"segments":1,"template":null,"choices":[]}'
    )
    assert load_parts(f"[{old}]") == [Part("x", "html", "utf-16", 1, 1)]
