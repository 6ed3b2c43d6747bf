"""Broadcasts: who gets one, in which words, when it is held, and when it is over."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.findings import Faults
from bot.outbox import Settled
from channels.base import CHANNELS
from tests.core import TEMPLATE, Clock, Core, chat, number, people, person

if TYPE_CHECKING:
    from bot.outbox import Claim


async def who(core: Core, broadcast: int) -> set[str]:
    """The addresses that a broadcast goes to."""
    rows = await core.rows(
        "SELECT s.channel, s.address FROM deliveries d JOIN subscribers s ON s.id = d.subscriber"
        " WHERE d.broadcast = :broadcast",
        broadcast=broadcast,
    )
    return {core.vault.open(channel, address) for channel, address in rows}


async def claim(core: Core, limit: int = 1000, sender: str = "bot") -> list[Claim]:
    """What a lane would take now."""
    return await core.outbox.turn(sender, [], await core.broadcasts.speaking(core.now), limit, core.now)


async def move(core: Core, address: str, state: str) -> None:
    sealed = core.vault.seal("telegram", address)
    values = {"state": state, "address": sealed}
    sql = "UPDATE subscribers SET state = :state WHERE address = :address"
    await core.store.write(lambda tx: tx.run(sql, values))


async def test_each_active_subscriber_gets_it_once(core: Core) -> None:
    """Everybody of the community who is there has one delivery; who left, is gone or only visits has none."""
    await core.take_in([*people(6), *people(2, "sms"), person(chat(90), community="noche")])
    for n, state in enumerate(("left", "gone", "visitor")):
        await move(core, chat(n), state)
    broadcast = await core.announce()
    assert await core.counts(broadcast) == {"queued": 5}
    assert await who(core, broadcast) == {chat(3), chat(4), chat(5), number(0), number(1)}


async def test_each_reads_their_own_language(core: Core) -> None:
    """A text is rendered once for each language and channel; who has none of ours reads the nearest."""
    languages = ("es", "es-MX", "en-US", "nah", "zh-Hans", "not a language")
    await core.take_in(
        [person(chat(n), language=language) for n, language in enumerate(languages)]
        + [person(number(n), channel="sms", language="en") for n in range(50)]
    )
    await core.announce()
    texts = await core.rows("SELECT channel, language, edition, open FROM texts")
    editions = {(channel, language): edition for channel, language, edition, _ in texts}
    assert editions == {
        ("telegram", "es"): "es",
        ("telegram", "es-MX"): "es",
        ("telegram", "en-US"): "en",
        ("telegram", "nah"): "es",
        ("telegram", "zh-Hans"): "es",
        ("telegram", "not a language"): "es",
        ("sms", "en"): "en",
    }
    words = {"es": "Vacunas gratis", "en": "Free vaccines"}
    assert all(words[edition] in json.loads(said)[0]["text"] for *_, edition, said in texts)


async def test_topics_are_a_wish_to_hear_only_those(core: Core) -> None:
    """Who follows nothing hears all, who follows one of its topics hears it, who follows others does not."""
    await core.take_in([person(chat(0)), person(chat(1), "salud"), person(chat(2), "empleo")])
    assert await who(core, await core.announce("temas")) == {chat(0), chat(1)}
    assert await who(core, await core.announce("feria")) == {chat(0), chat(1), chat(2)}


async def test_the_same_moment_is_one_broadcast(core: Core) -> None:
    """Announcing twice for one moment makes one broadcast, even when the text has become false since."""
    await core.take_in(people(3))
    made = [await core.broadcasts.announce(core.wanted(), by="Ana", now=core.now) for _ in range(2)]
    assert [number is None for number in made] == [False, True]
    assert await core.rows("SELECT count(*) FROM deliveries") == [(3,)]
    await core.store.write(lambda tx: tx.run("UPDATE broadcasts SET entry = 'falsa'"))
    assert await core.broadcasts.announce(core.wanted("falsa"), by="Ana", now=core.now) is None


async def test_a_false_text_makes_nothing(core: Core) -> None:
    """A text that quotes what is not there is told, and leaves no broadcast, text or delivery."""
    await core.take_in(people(3))
    with pytest.raises(Faults):
        await core.announce("falsa")
    assert await core.rows("SELECT id FROM broadcasts UNION SELECT id FROM texts") == []


async def test_a_scheduled_broadcast_starts_at_its_moment(core: Core, clock: Clock) -> None:
    """Until its moment it has no deliveries; then everybody who is there by then gets one, once."""
    for entry in ("falsa", "feria"):
        wanted = core.wanted(entry, due_at=core.now + timedelta(hours=1))
        await core.broadcasts.announce(wanted, by="Ana", now=core.now)
    await core.take_in(people(4))
    assert await core.broadcasts.launch_due(core.now) == []
    clock.skip(hours=2)
    assert await core.broadcasts.launch_due(core.now) == [2]  # the false one keeps nobody else waiting
    assert await core.broadcasts.launch_due(core.now) == []
    assert await core.counts(2) == {"queued": 4}
    assert (await core.reports.report(1, core.now)).state == "scheduled"


async def test_whatsapp_outside_the_window_waits_for_a_word(core: Core) -> None:
    """Without a template, who has not written today is held, and gets it when they write."""
    await core.take_in(people(3, "whatsapp"))
    await core.heard(number(0))
    broadcast = await core.announce()
    assert await core.counts(broadcast) == {"queued": 1, "held": 2}
    [reason] = (await core.reports.report(broadcast, core.now)).reasons
    assert (reason.state, reason.reason, reason.sender, reason.people) == ("held", "window", "whatsapp", 2)
    [one] = await claim(core, sender="whatsapp")
    await core.outbox.turn("whatsapp", [Settled(one, "sent")], [], 0, core.now)
    assert await core.broadcasts.finish(core.now) == []
    await core.heard(number(1))
    assert await core.counts(broadcast) == {"queued": 1, "held": 1, "sent": 1}
    assert await who(core, broadcast) == {number(0), number(1), number(2)}


async def test_a_template_needs_no_window(core: Core) -> None:
    """With an approved template everybody gets it: free text within the window, the template outside."""
    await core.take_in(people(2, "whatsapp"))
    broadcast = await core.announce("plantilla")
    assert await core.counts(broadcast) == {"queued": 2}
    [one, _] = await claim(core, sender="whatsapp")
    text = await core.outbox.text(one.text)
    assert text.closed is not None
    assert text.closed[0].template is not None
    assert text.closed[0].template.content_sid == TEMPLATE
    assert text.open[0].template is None


async def test_a_pause_holds_what_was_not_claimed(core: Core) -> None:
    """Paused, nothing more is claimed; resumed, only those who were never claimed (listmonk#2070, #2313)."""
    await core.take_in(people(6))
    broadcast = await core.announce()
    before = await claim(core, 2)
    await core.outbox.turn("bot", [Settled(before[0], "sent")], [], 0, core.now)
    assert await core.broadcasts.pause(broadcast, core.decision())
    assert not await core.broadcasts.pause(broadcast, core.decision())
    assert await claim(core) == []
    assert await core.counts(broadcast) == {"held": 4, "claimed": 1, "sent": 1}
    assert await core.broadcasts.resume(broadcast, core.decision())
    assert not await core.broadcasts.resume(broadcast, core.decision())
    after = await claim(core)
    assert len(after) == 4
    assert {one.id for one in after}.isdisjoint(one.id for one in before)


async def test_a_cancelled_broadcast_never_speaks_again(core: Core) -> None:
    """Cancelled, what has not gone is counted as cancelled, also what was in hand and comes back."""
    await core.take_in(people(6))
    broadcast = await core.announce()
    back, next_, held, sent = await claim(core, 4)
    assert await core.broadcasts.cancel(broadcast, core.decision()) == 2
    ends = [
        Settled(back, "queued", "busy", due_at=core.now),
        Settled(next_, "next", due_at=core.now),
        Settled(held, "held", "window"),
        Settled(sent, "sent"),
    ]
    await core.outbox.turn("bot", ends, [], 0, core.now)
    assert await core.counts(broadcast) == {"cancelled": 5, "sent": 1}
    assert (await core.reports.report(broadcast, core.now)).state == "cancelled"
    assert not await core.broadcasts.resume(broadcast, core.decision())
    assert await claim(core) == []


async def test_what_is_over_cannot_be_cancelled(core: Core) -> None:
    """A broadcast that was sent to everybody stays done."""
    await core.take_in(people(1))
    broadcast = await core.announce()
    [one] = await claim(core)
    await core.outbox.turn("bot", [Settled(one, "sent")], [], 0, core.now)
    assert await core.broadcasts.finish(core.now) == [broadcast]
    assert await core.broadcasts.cancel(broadcast, core.decision()) == 0
    assert (await core.reports.report(broadcast, core.now)).state == "done"


async def test_done_is_when_no_row_is_open(core: Core) -> None:
    """It is over when nobody is queued, held, in flight or asked for, and not before (listmonk#3022)."""
    await core.take_in(people(2))
    broadcast = await core.announce()
    one, other = await claim(core)
    assert await core.broadcasts.finish(core.now) == []
    await core.outbox.turn("bot", [Settled(one, "sent")], [], 0, core.now)
    assert await core.broadcasts.finish(core.now) == []
    await core.outbox.turn("bot", [Settled(other, "queued", due_at=core.now)], [], 0, core.now)
    assert await core.broadcasts.finish(core.now) == []
    [again] = await claim(core)
    await core.outbox.turn("bot", [Settled(again, "unknown", "no-answer")], [], 0, core.now)
    assert await core.broadcasts.finish(core.now) == []
    core.clock.skip(hours=73)
    assert await core.broadcasts.finish(core.now) == [broadcast]
    assert await core.broadcasts.finish(core.now) == []


@pytest.mark.parametrize("paused", [False, True])
async def test_what_nobody_wants_any_more_is_not_sent(core: Core, clock: Clock, *, paused: bool) -> None:
    """Past its `valid_until` the rest expires, also what comes back later, and the broadcast is over."""
    await core.take_in([*people(3), *people(2, "whatsapp")])
    broadcast = await core.announce("vence")
    [one] = await claim(core, 1)
    if paused:
        await core.broadcasts.pause(broadcast, core.decision())
    clock.skip(hours=3)
    assert await claim(core) == []
    assert await core.counts(broadcast) == {"claimed": 1, "expired": 4}
    await core.outbox.turn("bot", [Settled(one, "queued", due_at=core.now)], [], 0, core.now)
    assert await claim(core) == []
    assert await core.counts(broadcast) == {"expired": 5}
    assert await core.broadcasts.finish(core.now) == [broadcast]
    assert await core.broadcasts.speaking(core.now) == []


async def test_nobody_is_woken(core: Core, clock: Clock) -> None:
    """In the community's quiet hours a broadcast waits, and says until when; an emergency passes."""
    await core.take_in(person(chat(n), community="noche") for n in range(3))
    clock.skip(hours=12)  # ten at night
    broadcast = await core.announce(community="noche")
    assert await claim(core) == []
    report = await core.reports.report(broadcast, core.now)
    assert (report.counts["held"], report.counts["queued"], report.open) == (3, 0, 0)
    assert report.rest is not None
    assert report.rest.until.isoformat() == "2026-11-21T16:00:00+00:00"
    emergency = await core.announce(community="noche", moment="now", why="Incendio")
    assert [number for number, _ in await core.broadcasts.speaking(core.now)] == [emergency]
    assert len(await claim(core)) == 3
    clock.skip(hours=10)
    assert [number for number, _ in await core.broadcasts.speaking(core.now)] == [emergency, broadcast]
    assert await core.counts(broadcast) == {"queued": 3}


async def test_an_emergency_goes_first(core: Core) -> None:
    """An emergency that comes later is claimed before an announcement that waits."""
    await core.take_in(people(4))
    first = await core.announce()
    emergency = await core.announce(moment="now", why="Incendio")
    assert [number for number, _ in await core.broadcasts.speaking(core.now)] == [emergency, first]
    ids = await core.rows("SELECT id FROM deliveries WHERE broadcast = :e", e=emergency)
    assert {one.id for one in await claim(core, 4)} == {row[0] for row in ids}


async def test_an_empty_community_is_told_apart(core: Core) -> None:
    """A broadcast without anybody is over at once, and one that never was is not there."""
    broadcast = await core.announce()
    assert await core.counts(broadcast) == {}
    assert await core.broadcasts.finish(core.now) == [broadcast]
    with pytest.raises(KeyError):
        await core.reports.report(99, core.now)
    assert [report.broadcast for report in await core.reports.reports(core.now)] == [broadcast]


async def test_every_channel_has_its_sender(core: Core) -> None:
    """People are written to through the sender of their own channel."""
    await core.take_in(one for channel in CHANNELS for one in people(2, channel))
    await core.announce("plantilla")
    senders = await core.rows(
        "SELECT s.channel, d.sender, count(*) FROM deliveries d JOIN subscribers s ON s.id = d.subscriber"
        " GROUP BY 1, 2 ORDER BY 1"
    )
    assert senders == [("sms", "sms", 2), ("telegram", "bot", 2), ("whatsapp", "whatsapp", 2)]


async def test_who_got_a_first_part_has_got_something(core: Core) -> None:
    """Cancelled between two parts, whoever read the first is counted as gone, not as never told."""
    await core.take_in(people(5))
    broadcast = await core.announce("larga")
    first, second, in_hand = await claim(core, 3)
    await core.outbox.turn(
        "bot", [Settled(one, "next", due_at=core.now) for one in (first, second)], [], 0, core.now
    )
    assert await core.broadcasts.cancel(broadcast, core.decision()) == 2
    assert await core.broadcasts.begun(broadcast) == 2
    await core.outbox.turn("bot", [Settled(in_hand, "next", due_at=core.now)], [], 0, core.now)
    assert await core.broadcasts.begun(broadcast) == 3
