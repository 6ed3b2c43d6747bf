"""A thread over its life: only its writer's, kept through the night, and gone with all that was said."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot import references, threads
from bot.inbox import Inbox, Unanswerable
from bot.store import voice
from bot.texts import Unreadable
from bot.vault import BadKey
from tests.core import Core, chat, number, opened, people, person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from bot.store import Transaction
    from channels.base import ChannelName

ASKED = "¿Dónde saco mi acta?"
SENDERS: dict[ChannelName, str] = {"telegram": "bot", "sms": "sms", "whatsapp": "whatsapp"}


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    """The core over a new database."""
    async with opened(tmp_path) as core:
        yield core


@pytest.fixture
def inbox(core: Core) -> Inbox:
    """The desk's side of it."""
    return Inbox(core.store, core.vault, core.current)


async def opens(
    core: Core, subscriber: int = 1, channel: ChannelName = "telegram", community: str = "fresno"
) -> str:
    """Somebody asks."""

    def work(tx: Transaction) -> str:
        reference = threads.new_reference(tx)
        threads.open_thread(
            tx,
            core.vault,
            reference=reference,
            kind="question",
            community=community,
            subscriber=subscriber,
            sender=SENDERS[channel],
            text=ASKED,
            now=core.now,
        )
        return reference

    return await core.store.write(work)


async def writes(core: Core, reference: str, subscriber: int, text: str = "¿Y bien?") -> bool:
    """Somebody writes to a thread, theirs or not."""
    return await core.store.write(
        lambda tx: threads.add_letter(
            tx, core.vault, reference=reference, subscriber=subscriber, text=text, now=core.now
        )
    )


async def state(core: Core, reference: str, subscriber: int) -> threads.Stage | None:
    """What somebody who asks about a thread is told."""
    return await core.store.read(lambda tx: threads.state_of(tx, reference, subscriber))


async def leaving(core: Core, sender: str = "bot", now: datetime | None = None) -> int:
    """How many replies the sender may send at a moment."""
    return len(await core.outbox.turn(sender, [], [], 10, now or core.now))


async def test_nobody_else_hears_of_a_thread_or_writes_to_it(core: Core, inbox: Inbox) -> None:
    """A reference that somebody guessed or saw tells them nothing and takes no word of theirs."""
    await core.take_in(people(2))
    reference = await opens(core)
    assert await state(core, reference, 1) == "received"
    assert await state(core, reference, 2) is None
    assert await state(core, "R-2222", 1) is None
    assert not await writes(core, reference, 2)
    assert not await writes(core, "R-2222", 1)
    assert await writes(core, reference, 1)
    assert [letter.text for letter in await inbox.read(reference)] == [ASKED, "¿Y bien?"]


async def test_a_thread_is_its_writers_on_all_their_addresses(core: Core) -> None:
    """Who linked two addresses asks and writes from either; who linked none shares nothing with another."""
    await core.take_in([person(chat(1)), person(number(1), channel="sms"), *people(1, "whatsapp")])
    reference = await opens(core)
    assert await state(core, reference, 2) is None
    await core.store.write(lambda tx: tx.run("UPDATE subscribers SET person = 7 WHERE id < 3"))
    assert await state(core, reference, 2) == "received"
    assert await writes(core, reference, 2)
    assert await state(core, reference, 3) is None
    assert not await writes(core, reference, 3)


async def test_a_letter_put_into_another_thread_does_not_open(core: Core, inbox: Inbox) -> None:
    """Whoever moves rows about in the file has the desk read nobody's words as another's."""
    await core.take_in(people(2))
    one, other = await opens(core, 1), await opens(core, 2)
    await core.store.write(lambda tx: tx.run("UPDATE letters SET thread = 3 - thread"))
    for reference in (one, other):
        with pytest.raises(BadKey):
            await inbox.read(reference)


async def test_the_writer_hears_how_far_it_has_come(core: Core, inbox: Inbox) -> None:
    """Received, considered, answered, adopted; what they write again is to be answered again."""
    await core.take_in(people(1))
    reference = await opens(core)
    assert await inbox.consider(reference)
    assert not await inbox.consider(reference)
    assert await state(core, reference, 1) == "considered"
    await inbox.reply(reference, "Sí.", core.now)
    assert await state(core, reference, 1) == "answered"
    assert await writes(core, reference, 1)
    assert await state(core, reference, 1) == "received"
    assert await inbox.close(reference, core.now)
    assert not await inbox.close(reference, core.now)
    assert not await inbox.consider(reference)
    assert await inbox.listed() == []
    assert await state(core, reference, 1) == "closed"
    assert await writes(core, reference, 1)
    assert [thread.reference for thread in await inbox.listed()] == [reference]
    assert await inbox.close(reference, core.now)
    assert await inbox.close(reference, core.now, adopted=True)
    await inbox.reply(reference, "Lo hicimos.", core.now)
    assert await state(core, reference, 1) == "adopted"
    assert await inbox.listed() == []


@pytest.mark.parametrize("channel", SENDERS)
async def test_a_reply_waits_for_the_end_of_the_night(core: Core, inbox: Inbox, channel: ChannelName) -> None:
    """A community that sleeps is not written to until its morning, whatever the channel."""
    await core.take_in([person(number(1), channel=channel, community="noche")])
    reference = await opens(core, channel=channel, community="noche")
    core.clock.skip(hours=12)  # ten in the evening
    await core.heard(number(1), channel)
    await inbox.reply(reference, "Sí.", core.now)
    reply = (await inbox.get(reference)).reply
    assert reply
    assert (reply.state, reply.due_at - core.now > timedelta(hours=9)) == ("waiting", True)
    assert await leaving(core, SENDERS[channel]) == 0
    assert await leaving(core, SENDERS[channel], reply.due_at) == 1


async def test_a_window_that_closes_in_the_night_is_known_in_the_evening(core: Core, inbox: Inbox) -> None:
    """What WhatsApp would refuse in the morning is held at once and told to the desk; a word lets it go."""
    await core.take_in([person(number(1), channel="whatsapp", community="noche")])
    reference = await opens(core, channel="whatsapp", community="noche")
    core.clock.skip(hours=-4)  # six in the morning
    await core.heard(number(1))
    core.clock.skip(hours=16)
    await inbox.reply(reference, "Sí.", core.now)
    [(held, reason)] = await core.rows("SELECT state, reason FROM deliveries")
    assert (held, reason) == ("held", "window")
    await core.heard(number(1))
    assert await leaving(core, "whatsapp") == 1


async def test_a_reply_reaches_who_wrote_long_ago_where_no_window_is(core: Core, inbox: Inbox) -> None:
    """On Telegram and SMS a sealed reply can be said at any time, and opens for its own thread alone."""
    await core.take_in([*people(1), *people(1, "sms")])
    channels: list[ChannelName] = ["telegram", "sms"]
    for subscriber, channel in enumerate(channels, 1):
        reference = await opens(core, subscriber, channel)
        said = await inbox.reply(reference, "Sí.", core.now)
        [claim] = await core.outbox.turn(SENDERS[channel], [], [], 10, core.now)
        text = await core.outbox.text(claim.text)
        assert text.open == text.closed == said.open
    await core.store.write(lambda tx: tx.run("UPDATE texts SET owner = 'R-2222'"))
    with pytest.raises(Unreadable):
        await core.outbox.text(claim.text)


async def test_who_leaves_gets_no_reply_that_was_waiting(core: Core, inbox: Inbox) -> None:
    """A reply held for WhatsApp or for the morning is withdrawn with the person, and with nobody else."""
    await core.take_in([*people(2, "whatsapp"), *people(1)])
    channels: list[ChannelName] = ["whatsapp", "whatsapp", "telegram"]
    for subscriber, channel in enumerate(channels, 1):
        await inbox.reply(await opens(core, subscriber, channel), "Sí.", core.now)
    assert await core.store.write(lambda tx: threads.withdraw_replies(tx, 1, core.now)) == 1
    assert await core.store.write(lambda tx: threads.withdraw_replies(tx, 3, core.now)) == 1
    await core.heard(number(0))
    await core.heard(number(1))
    assert await leaving(core, "bot") == 0
    assert await leaving(core, "whatsapp") == 1
    assert await core.rows("SELECT subscriber FROM deliveries WHERE state = 'claimed'") == [(2,)]


async def test_nothing_is_written_when_there_is_no_way(core: Core, inbox: Inbox) -> None:
    """A refused reply leaves no letter, no text and no delivery, and the thread as it was."""
    await core.take_in(people(1))
    reference = await opens(core)
    await core.store.write(lambda tx: tx.run("UPDATE subscribers SET state = 'gone'"))
    with pytest.raises(Unanswerable):
        await inbox.reply(reference, "Sí.", core.now)
    with pytest.raises(KeyError):
        await inbox.reply("R-2222", "Sí.", core.now)
    assert await core.rows("SELECT count(*) FROM letters") == [(1,)]
    assert await core.rows("SELECT 1 FROM texts UNION SELECT 1 FROM deliveries") == []
    assert await state(core, reference, 1) == "received"


async def test_a_closed_thread_is_gone_in_thirty_days(core: Core, inbox: Inbox) -> None:
    """With its letters, its replies and their texts, from the file too; what is open or newer stays."""
    await core.take_in(people(3))
    old, new, still = [await opens(core, n) for n in (1, 2, 3)]
    for reference in (old, new, still):
        await inbox.reply(reference, "Sí.", core.now)
    sealed = [text for (text,) in await core.rows("SELECT text FROM letters WHERE thread = 1")]
    sealed += [said.encode() for (said,) in await core.rows("SELECT open FROM texts WHERE owner = :o", o=old)]
    assert len(sealed) == 3
    await inbox.close(old, core.now)
    core.clock.skip(days=1)
    await inbox.close(new, core.now - timedelta(days=1))
    await inbox.reply(new, "Y otra cosa.", core.now)
    core.clock.skip(days=29)
    assert await core.store.write(lambda tx: threads.forget_closed(tx, core.now)) == 1
    await core.store.forget()
    assert {thread.reference for thread in await inbox.listed(closed=True)} == {new, still}
    assert await core.rows("SELECT subscriber FROM deliveries ORDER BY 1") == [(2,), (2,), (3,)]
    assert not [each for each in sealed if each in b"".join(core.files())]
    assert await leaving(core) == 3


async def test_a_reference_is_given_once(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """What chance gives again is not given again while somebody has it."""
    await core.take_in(people(2))
    drawn = iter(["R-48K2", "R-48K2", "R-48K2", "R-48K3"])
    monkeypatch.setattr(references, "draw", lambda: next(drawn))
    assert [await opens(core, 1), await opens(core, 2)] == ["R-48K2", "R-48K3"]


async def test_nothing_that_people_wait_for_reads_all_threads(core: Core) -> None:
    """Asking, writing, leaving and answering find their rows by an index."""
    for statement in (
        *(voice.THREAD_STATE, voice.THREAD_WRITTEN, voice.THREAD_NAMED, voice.LETTER_ADD, voice.LETTERS),
        *(voice.THREAD, voice.REPLIES_WITHDRAW, voice.GAP_COUNT, voice.OPINION_COUNT, voice.OPINED),
    ):
        values = dict.fromkeys(re.findall(r":(\w+)", statement))
        steps = [step[3] for step in await core.rows("EXPLAIN QUERY PLAN " + statement, **values)]
        assert not [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step], statement
