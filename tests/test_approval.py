"""Four eyes: nothing leaves that a second person has not approved exactly so."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bot import check
from bot.rendering import Rendered
from bot.store import Transaction, sql
from channels.base import Part
from tests.core import MORNING, Clock, Core, opened, people, person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.broadcasts.approval import Answer

HOUR = timedelta(hours=1)
NOON = "2026-11-20T12:00:00"
SLOT = f'\n[[slot]]\nannounce = "feria"\nat = {NOON}\nlate = "1h"\n'


@pytest.fixture
async def core(tmp_path: Path, clock: Clock) -> AsyncIterator[Core]:
    """Four people in Fresno, where two must agree."""
    async with opened(tmp_path, clock) as core:
        await edit(
            core, "schedules/fresno.toml", 'name = "Consulado', 'approval = "required"\nname = "Consulado'
        )
        await edit(
            core, "content/facts.toml", "", '[office]\nhours = { text = "de 8 a 1", source = "test" }\n'
        )
        await edit(core, "content/announcements/feria/en.md", "Free", "{{ facts.office.hours.text }}: free")
        await core.take_in(people(4))
        yield core


async def edit(core: Core, file: str, before: str, after: str) -> None:
    """Somebody edits a file, and the deployment reads it."""
    path = core.folder / file
    path.write_text(path.read_text("utf-8").replace(before, after, 1) if before else after, "utf-8")
    read, _ = check.read(core.folder / "config.toml", {"SECRET": "1:canary"}, MORNING)
    assert read is not None
    await core.current.take_up(read)


async def submitted(core: Core, moment: str = NOON, due_at: timedelta = 2 * HOUR, by: str = "Ana") -> int:
    """Ana asks for approval of the fair at noon."""
    number = await core.approvals.submit(core.wanted(moment=moment, due_at=core.now + due_at), by, core.now)
    assert number is not None
    return number


async def approve(core: Core, broadcast: int, who: str = "Beto") -> Answer:
    return await core.approvals.approve(broadcast, core.decision(who))


async def told(core: Core, broadcast: int) -> list[tuple[str, str, str | None]]:
    """Its history: each state, who, and why."""
    report = await core.reports.report(broadcast, core.now)
    return [(step.state, step.who, step.reason) for step in report.history]


async def test_nothing_leaves_before_a_second_yes(core: Core, clock: Clock) -> None:
    """Announced, it waits; its moment passes and it waits still; the second yes sends it at once."""
    broadcast = await core.broadcasts.announce(core.wanted(), by="Ana", now=core.now)
    assert broadcast is not None
    clock.skip(hours=30)
    assert await core.broadcasts.launch_due(core.now) == []
    assert await core.counts(broadcast) == {}
    assert await approve(core, broadcast) == "running"
    assert await core.counts(broadcast) == {"queued": 4}
    assert await told(core, broadcast) == [
        ("submitted", "Ana", None),
        ("approved", "Beto", None),
        ("running", "Beto", None),
    ]


@pytest.mark.parametrize("who", ["Ana José", "ANA JOSÉ", " ana  josé ", "Ana Jose\u0301", "Ana\u00a0José"])
async def test_nobody_approves_their_own(core: Core, who: str) -> None:
    """Who asked cannot be who says yes, however the name is written: in capitals, spaced, decomposed."""
    broadcast = await submitted(core, by="Ana José")
    assert await approve(core, broadcast, who) == "same-person"
    assert await core.state(broadcast) == "submitted"


async def test_who_mends_and_asks_again_is_who_asked(core: Core) -> None:
    """Returned by Beto, mended and asked for again by Beto: Ana may approve it now, and Beto may not."""
    broadcast = await submitted(core)
    assert await core.approvals.give_back(broadcast, core.decision("Beto", "falta la hora"))
    await edit(core, "content/announcements/feria/es.md", "Vacunas", "A las nueve: vacunas")
    assert await submitted(core, by="Beto") == broadcast
    assert await approve(core, broadcast, "Beto") == "same-person"
    assert await approve(core, broadcast, "Ana") == "approved"
    assert await told(core, broadcast) == [
        ("submitted", "Ana", None),
        ("returned", "Beto", "falta la hora"),
        ("submitted", "Beto", None),
        ("approved", "Ana", None),
    ]


async def test_approved_it_leaves_at_its_moment(core: Core, clock: Clock) -> None:
    """Not a minute before, and once."""
    broadcast = await submitted(core)
    assert await approve(core, broadcast) == "approved"
    clock.skip(minutes=119)
    assert await core.broadcasts.launch_due(core.now) == []
    clock.skip(minutes=2)
    assert await core.broadcasts.launch_due(core.now) == [broadcast]
    assert await core.broadcasts.launch_due(core.now) == []
    assert await core.counts(broadcast) == {"queued": 4}


EDITS = {
    "text": ("content/announcements/feria/es.md", "gratis", "gratuitas"),
    "text nobody here reads": ("content/announcements/feria/en.md", "vaccines", "shots"),
    "title": ("content/announcements/feria/es.md", "Aviso", "Noticia"),
    "fact": ("content/facts.toml", "de 8 a 1", "de 9 a 2"),
    "topics": ("content/announcements/feria/es.md", "+++\n", '+++\ntopics = ["salud"]\n'),
    "communities": ("content/announcements/feria/es.md", "+++\n", '+++\ncommunities = ["fresno"]\n'),
    "end": ("content/announcements/feria/es.md", "+++\n", "+++\nvalid_until = 2027-01-01\n"),
    "zone": ("schedules/fresno.toml", "America/Los_Angeles", "America/Denver"),
    "channels": ("schedules/fresno.toml", '"bot", ', ""),
    "languages": ("schedules/fresno.toml", '"es", "en"', '"es", "en", "fr"'),
    "slot": ("schedules/fresno.toml", f"at = {NOON}", "at = 2026-11-20T15:00:00"),
    "fact gone": ("content/facts.toml", "hours", "days"),
}


@pytest.mark.parametrize("what", EDITS)
async def test_any_edit_voids_it(core: Core, clock: Clock, what: str) -> None:
    """Between the yes and the moment something was changed: it is returned, and nobody gets it."""
    path = core.folder / "schedules/fresno.toml"
    await edit(core, "schedules/fresno.toml", "", path.read_text("utf-8") + SLOT)
    broadcast = await submitted(core)
    assert await approve(core, broadcast) == "approved"
    await edit(core, *EDITS[what])
    clock.skip(hours=2, minutes=1)
    assert await core.broadcasts.launch_due(core.now) == []
    assert (await told(core, broadcast))[-1] == ("returned", "clock", "edited")
    assert await core.rows("SELECT count(*) FROM deliveries") == [(0,)]


@pytest.mark.parametrize("what", EDITS)
async def test_what_was_edited_meanwhile_cannot_be_approved(core: Core, what: str) -> None:
    """Between asking and the yes something was changed: the yes is not taken, and it goes back."""
    path = core.folder / "schedules/fresno.toml"
    await edit(core, "schedules/fresno.toml", "", path.read_text("utf-8") + SLOT)
    broadcast = await submitted(core)
    await edit(core, *EDITS[what])
    assert await approve(core, broadcast) == "edited"
    assert await core.state(broadcast) == "returned"


async def test_a_reminder_that_is_none_any_more_is_another_text(core: Core) -> None:
    """“Reminder:” is part of what was approved: the same slot, given as a date of its own, is asked anew."""
    path = core.folder / "schedules/fresno.toml"
    reminder = SLOT.replace(f"at = {NOON}", 'before = "1 day"')
    await edit(core, "schedules/fresno.toml", "", path.read_text("utf-8") + reminder)
    for language in ("es", "en"):
        file = f"content/announcements/feria/{language}.md"
        await edit(core, file, "+++\n", "+++\nstarts = 2026-11-21T12:00:00\n")
    broadcast = await submitted(core)
    await edit(core, "schedules/fresno.toml", 'before = "1 day"', f"at = {NOON}")
    assert await approve(core, broadcast) == "edited"


async def test_who_joins_or_leaves_voids_nothing(core: Core, clock: Clock) -> None:
    """The audience is whom it is for, not who is subscribed that day: newcomers read an approved text."""
    broadcast = await submitted(core)
    assert await approve(core, broadcast) == "approved"
    await core.take_in([person("700000100"), person("700000101", language="en"), *people(1, "sms")])
    clock.skip(hours=2, minutes=1)
    assert await core.broadcasts.launch_due(core.now) == [broadcast]
    assert await core.counts(broadcast) == {"queued": 7}


async def test_a_slot_nobody_asked_for_is_a_draft(core: Core, clock: Clock) -> None:
    """Its moment comes unapproved: it waits, is asked for and approved later, and leaves then."""
    wanted = core.wanted(moment=NOON, due_at=core.now + 2 * HOUR)
    clock.skip(hours=2)
    for _ in range(2):
        await core.broadcasts.appoint(wanted.row(), core.now)
        assert await core.broadcasts.launch_due(core.now) == []
    [draft] = await core.reports.reports(core.now)
    assert (draft.state, draft.history[-1].reason) == ("draft", "approval")
    assert await core.approvals.open("feria", "fresno") == [(NOON, draft.broadcast)]
    clock.skip(hours=5)
    assert await core.approvals.submit(wanted, "Ana", core.now) == draft.broadcast
    assert await approve(core, draft.broadcast) == "running"
    assert await core.counts(draft.broadcast) == {"queued": 4}


async def test_asked_for_beforehand_a_slot_is_no_second_one(core: Core, clock: Clock) -> None:
    """The slot whose moment comes finds what was submitted for it, and makes no other."""
    broadcast = await submitted(core)
    clock.skip(hours=2, minutes=1)
    wanted = core.wanted(moment=NOON, due_at=core.now - timedelta(minutes=1))
    await core.broadcasts.appoint(wanted.row(), core.now)
    assert [one.broadcast for one in await core.reports.reports(core.now)] == [broadcast]


async def test_too_late_a_yes_sends_nothing(core: Core, clock: Clock) -> None:
    """Approved after the day until which it was of use, or never approved until then, it is expired."""
    await edit(
        core,
        "content/announcements/feria/es.md",
        "+++\n",
        "+++\nvalid_until = 2026-11-20T14:00:00\n",
    )
    first, second = await submitted(core), await submitted(core, "2026-11-20T13:00:00", 3 * HOUR)
    clock.skip(hours=4, minutes=1)
    assert await approve(core, first) == "expired"
    assert await core.broadcasts.launch_due(core.now) == []
    for broadcast in (first, second):
        assert (await told(core, broadcast))[-1] == ("expired", "clock", "too-late")


async def test_no_is_for_good(core: Core) -> None:
    """Rejected with a reason, it cannot be approved, asked for again or cancelled; an approval can be."""
    broadcast = await submitted(core)
    assert await approve(core, broadcast) == "approved"
    assert await core.approvals.reject(broadcast, core.decision("Carmen", "ya no hay vacunas"))
    assert (await told(core, broadcast))[-1] == ("rejected", "Carmen", "ya no hay vacunas")
    assert await approve(core, broadcast) == "not-submitted"
    assert not await core.approvals.give_back(broadcast, core.decision("Beto", "no"))
    wanted = core.wanted(moment=NOON, due_at=core.now + 2 * HOUR)
    assert await core.approvals.submit(wanted, "Ana", core.now) is None
    await core.broadcasts.cancel(broadcast, core.decision())
    assert await core.state(broadcast) == "rejected"


async def test_a_community_that_begins_to_ask_is_asked(core: Core, clock: Clock) -> None:
    """What was scheduled before approval was required becomes a draft when its moment comes."""
    wanted = core.wanted(community="noche", due_at=core.now + HOUR)
    broadcast = await core.broadcasts.announce(wanted, by="Ana", now=core.now)
    assert broadcast is not None
    await edit(core, "schedules/noche.toml", 'name = "Consulado', 'approval = "required"\nname = "Consulado')
    clock.skip(hours=2)
    assert await core.broadcasts.launch_due(core.now) == []
    assert (await told(core, broadcast))[-1] == ("draft", "clock", "approval")


async def test_what_is_for_others_does_not_leave(core: Core, clock: Clock) -> None:
    """An entry that is for another community by now waits, says why, and leaves once it is for this one."""
    await core.take_in([person("700000100", community="noche")])
    wanted = core.wanted(community="noche", due_at=core.now + HOUR)
    await core.broadcasts.appoint(wanted.row(), core.now)
    text = "content/announcements/feria/es.md"
    await edit(core, text, "+++\n", '+++\ncommunities = ["fresno"]\n')
    clock.skip(hours=1)
    for _ in range(2):
        assert await core.broadcasts.launch_due(core.now) == []
    assert await told(core, 1) == [("scheduled", "clock", None), ("scheduled", "clock", "elsewhere")]
    clock.skip(hours=3)
    assert await core.broadcasts.launch_due(core.now) == []
    assert await core.broadcasts.resume(1, core.decision()) == "missed"
    assert await core.counts(1) == {}
    await edit(core, text, '["fresno"]', '["fresno", "noche"]')
    assert await core.broadcasts.resume(1, core.decision()) == "running"


async def test_what_was_missed_needs_the_same_yes(core: Core, clock: Clock) -> None:
    """Approved, missed while nobody was running, then edited: to resume it sends it back, not out."""
    broadcast = await submitted(core)
    assert await approve(core, broadcast) == "approved"
    clock.skip(hours=9)
    assert await core.broadcasts.launch_due(core.now) == []
    assert await core.state(broadcast) == "missed"
    await edit(core, *EDITS["text"])
    assert await core.broadcasts.resume(broadcast, core.decision("Ana")) == "returned"
    assert await core.counts(broadcast) == {}


async def test_history_is_only_added_to(core: Core) -> None:
    """Who decided what cannot be changed or taken out, by nobody."""
    await submitted(core)
    for statement in ("UPDATE history SET who = 'Nadie'", "DELETE FROM history"):
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            await core.store.write(partial(Transaction.run, sql=statement))
    assert await core.rows("SELECT who FROM history") == [("Ana",)]


async def test_every_change_has_who_and_when(core: Core, clock: Clock) -> None:
    """From submitted to done each state is in the history, in order, with its moment."""
    broadcast = await submitted(core, due_at=-HOUR)
    clock.skip(minutes=1)
    assert await approve(core, broadcast) == "running"
    clock.skip(minutes=1)
    assert await core.broadcasts.pause(broadcast, core.decision("Carmen", "espera"))
    clock.skip(minutes=1)
    assert await core.broadcasts.resume(broadcast, core.decision("Ana")) == "running"
    await core.store.write(lambda tx: tx.run("UPDATE deliveries SET state = 'sent'"))
    clock.skip(minutes=1)
    assert await core.broadcasts.finish(core.now) == [broadcast]
    report = await core.reports.report(broadcast, core.now)
    assert [(step.state, step.who) for step in report.history] == [
        ("submitted", "Ana"),
        ("approved", "Beto"),
        ("running", "Beto"),
        ("paused", "Carmen"),
        ("running", "Ana"),
        ("done", "clock"),
    ]
    times = [step.at for step in report.history]
    assert times == sorted(times)
    assert times[-1] - times[0] >= timedelta(minutes=4)
    assert await core.store.read(lambda tx: tx.one(sql.BROADCAST, {"id": broadcast}))


def test_given_texts_are_bound_in_any_order() -> None:
    """The hash of texts that no entry holds is the same in any order, and another for any other letter."""
    from bot.broadcasts.approval import fingerprint

    row = dict.fromkeys(("entry", "community", "moment", "due_at", "valid_until", "priority", "why"), "x")

    def text(said: str, language: str = "es") -> Rendered:
        part = Part(said, "text", "gsm-7", len(said), 1)
        return Rendered("fresno", language, language, "sms", (part,), (part,))

    one, other = text("Hola"), text("Hello", "en")
    bound = fingerprint(row, [one, other], topics=["salud"])
    assert bound == fingerprint(row, [other, one], topics=["salud"])
    assert len(bound) == 32
    others = [
        fingerprint(row, [one, text("Hello!", "en")], topics=["salud"]),
        fingerprint(row, [one], topics=["salud"]),
        fingerprint(row, [one, other], topics=[]),
        fingerprint(row | {"due_at": 1}, [one, other], topics=["salud"]),
    ]
    assert len({bound, *others}) == 5
