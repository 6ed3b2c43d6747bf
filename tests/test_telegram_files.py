"""Files and edits on Telegram, through its real library and what the vendor refuses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from icalendar import Calendar
from telegram import Bot
from telegram.error import BadRequest

from channels.base import File, Message, Part
from channels.calendar import Occasion, invitation
from channels.markdown import parse
from channels.telegram import Telegram
from channels.telegram_edits import edits
from channels.telegram_html import render
from channels.trouble import Broken, Gone, Refused, Trouble
from tests.conftest import BOT_TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conftest import Rehearsal

ROSA = "101"
TODAY = date(2027, 10, 4)
TEXT = Part("<b>Hola</b>", "html", "utf-16", 4, 1)
ICS = File("feria.ics", "text/calendar", "BEGIN:VCALENDAR\r\nSUMMARY:Ñandú\r\nEND:VCALENDAR\r\n")
EVENT = replace(TEXT, file=ICS)


@pytest.fixture
async def channel(rehearsal: Rehearsal) -> AsyncIterator[Telegram]:
    """A bot of ours before the rehearsal."""
    channel = Telegram(token=BOT_TOKEN, api_base=rehearsal.url, secret="", concurrency=4, timeout=5)
    yield channel
    await channel.aclose()


@pytest.fixture
async def bot(rehearsal: Rehearsal) -> AsyncIterator[Bot]:
    """The same bot as the library has it."""
    async with Bot(BOT_TOKEN, base_url=f"{rehearsal.url}bot") as bot:
        yield bot


async def test_a_file_arrives_byte_for_byte(channel: Telegram, rehearsal: Rehearsal) -> None:
    """What a person opens is the file that was made, under its name and kind, with its text and buttons."""
    made = invitation(Occasion("feria", "feria@x", TODAY, None, "Feria", "Vacunas, gratis; y más"))
    await channel.send(ROSA, replace(TEXT, file=made), "1.1.0.1")
    [bubble] = await rehearsal.messages("telegram", ROSA)
    assert (bubble["text"], bubble["file"]["file_name"]) == ("Hola", "feria.ics")
    assert bubble["file"]["mime_type"] == "text/calendar"
    url = f"{rehearsal.url}rehearsal/files/{bubble['file']['file_id']}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.headers["Content-Type"].startswith("text/calendar")
        content = await answer.read()
    assert content == made.content.encode()
    assert str(Calendar.from_ical(content).walk("VEVENT")[0]["description"]) == "Vacunas, gratis; y más"


async def test_the_same_file_goes_up_once(channel: Telegram, rehearsal: Rehearsal) -> None:
    """After the first person Telegram is only told the file's name, as it asks; other bytes go up anew."""
    brought: list[object] = []
    bring = channel._uploads.bring

    async def seen(file: File, request: Callable[[object], Any]) -> object:
        def noted(document: object) -> Any:  # noqa: ANN401 - the library's own
            brought.append(document)
            return request(document)

        return await bring(file, noted)

    channel._uploads.bring = seen  # type: ignore[method-assign,assignment] # to see what leaves
    for part in (EVENT, EVENT, replace(EVENT, file=replace(ICS, content="BEGIN:VCALENDAR"))):
        await channel.send(ROSA, part, "1.1.0.1")
    files = [bubble["file"]["file_id"] for bubble in await rehearsal.messages("telegram", ROSA)]
    assert files[0] == files[1] == brought[1] != files[2]
    assert not isinstance(brought[0], str)
    assert not isinstance(brought[2], str)


async def test_a_name_that_telegram_forgot_goes_up_again(channel: Telegram, rehearsal: Rehearsal) -> None:
    """When the vendor does not know the file any more, the message brings it at once, an edit too."""
    await channel.send(ROSA, EVENT, "1.1.0.1")
    await rehearsal.reset()
    number = await channel.send(ROSA, EVENT, "2.1.0.1")
    await rehearsal.faults("telegram", "content", count=1)
    await channel.send(ROSA, replace(EVENT, text="Adiós"), "3.1.0.2", number)
    [bubble] = [one for one in await rehearsal.messages("telegram", ROSA) if one["file"]]
    assert (bubble["id"], bubble["text"]) == (number, "Adiós")


async def test_a_file_that_is_refused_in_full_is_our_fault(channel: Telegram, rehearsal: Rehearsal) -> None:
    """It would be refused to everybody: so it is no fault of this person's, nor of the bot's."""
    await rehearsal.faults("telegram", "content")
    with pytest.raises(Broken) as caught:
        await channel.send(ROSA, EVENT, "1.1.0.1")
    assert (caught.value.reason, caught.value.text) == ("media", True)
    await channel.send(ROSA, TEXT, "2.1.0.1")


async def test_a_copy_is_made_right_where_it_stands(channel: Telegram, rehearsal: Rehearsal) -> None:
    """Text for text and file for file: the phone shows one message, changed, its buttons gone."""
    for before, after in ((TEXT, replace(TEXT, text="Adiós")), (EVENT, replace(EVENT, text="Adiós"))):
        number = await channel.send(ROSA, before, "1.1.0.1")
        assert await channel.send(ROSA, after, "2.1.0.2", number) == number
        shown = (await rehearsal.messages("telegram", ROSA))[-1]
        assert (shown["id"], shown["text"], shown["edited"]) == (number, "Adiós", True)
        assert bool(shown["file"]) == bool(before.file)
    assert [row["outcome"] for row in await rehearsal.ledger()] == ["accepted", "edited"] * 2


async def test_an_edit_that_cannot_be_is_one_kind_of_trouble(channel: Telegram, rehearsal: Rehearsal) -> None:
    """The same text again, a message that is gone, one of the person's own, a file in place of a text."""
    number, event = await channel.send(ROSA, TEXT, "1.1.0.1"), await channel.send(ROSA, EVENT, "2.1.0.1")
    theirs = (await rehearsal.say("telegram", ROSA, "Hola"))["id"]
    for part, where in (
        (TEXT, number),
        (EVENT, event),
        (TEXT, "5"),
        (TEXT, theirs),
        (TEXT, event),
        (EVENT, number),
    ):
        with pytest.raises(Refused) as caught:
            await channel.send(ROSA, part, "3.1.0.2", where)
        assert caught.value.reason == "not-edited"
    assert not [one for one in await rehearsal.messages("telegram", ROSA) if one["kind"] == "note"]


async def test_who_left_is_known_by_an_edit_too(channel: Telegram, rehearsal: Rehearsal) -> None:
    """Somebody who blocked the bot has left, whichever request tells us."""
    number = await channel.send(ROSA, TEXT, "1.1.0.1")
    await rehearsal.people({"channel": "telegram", "address": ROSA, "state": "blocked", "shown": True})
    with pytest.raises(Gone) as caught:
        await channel.send(ROSA, replace(TEXT, text="Adiós"), "2.1.0.2", number)
    assert caught.value.left


@pytest.mark.parametrize("kind", ["500", "hang", "down"])
async def test_silence_about_a_file_is_unsure(channel: Telegram, rehearsal: Rehearsal, kind: str) -> None:
    """A file that may have arrived is never called refused, and the next one is sent as ever."""
    await rehearsal.faults("telegram", kind, count=1)
    with pytest.raises(Trouble) as caught:
        async with asyncio.timeout(10):
            await channel.send(ROSA, EVENT, "1.1.0.1")
    assert type(caught.value).__name__ in {"Unsure", "Later"}
    await channel.send(ROSA, EVENT, "2.1.0.1")


async def test_a_caption_has_its_own_length(bot: Bot) -> None:
    """Under a file 1,024 units fit after the marks are read, and not one more."""
    caption = f"<b>{'ñ' * 1024}</b>"
    sent = await bot.send_document(ROSA, b"x", caption=caption, parse_mode="HTML", filename="a.ics")
    assert sent.caption == "ñ" * 1024
    with pytest.raises(BadRequest, match=r"(?i)caption is too long"):
        await bot.send_document(ROSA, b"x", caption=caption.replace("ñ", "ññ", 1), parse_mode="HTML")
    edited = await bot.edit_message_caption(ROSA, sent.message_id, caption="Adiós")
    assert not isinstance(edited, bool)
    assert (edited.caption, edited.document and edited.document.file_name) == ("Adiós", "a.ics")
    for wrong in (b"", "unknown-file"):
        with pytest.raises(BadRequest):
            await bot.send_document(ROSA, wrong)


def test_only_what_can_be_edited_is() -> None:
    """A copy in several messages stays, one with a file keeps one, one without gets the text alone."""
    long = render(Message(parse("ñ" * 1500), file=ICS), window_open=True)
    assert edits({1: [TEXT], 2: [EVENT]}, long) == []
    assert edits({1: long, 2: [EVENT], 3: [TEXT]}, [EVENT]) == [
        replace(EVENT, replaces=2),
        replace(TEXT, replaces=3),
    ]
    assert edits({1: [EVENT], 2: [TEXT]}, [TEXT]) == [replace(TEXT, replaces=2)]
