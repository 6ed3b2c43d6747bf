"""The stand-in speaks Telegram's Bot API, seen through python-telegram-bot."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
from typing import TYPE_CHECKING

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError

from channels.rehearsal.bot_api_html import BrokenHtml, parse
from tests.conftest import BOT_TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Receiver, Rehearsal

ROSA = 101


@pytest.fixture
async def bot(rehearsal: Rehearsal) -> AsyncIterator[Bot]:
    """A bot of the real library."""
    async with Bot(BOT_TOKEN, base_url=f"{rehearsal.url}bot") as bot:
        yield bot


async def test_a_formatted_message_comes_back_with_its_entities(bot: Bot) -> None:
    """Telegram's answer tells what the person sees: the words without marks, and their looks."""
    message = await bot.send_message(
        ROSA, '<b>Hola</b> 🌵 <a href="https://gob.mx">aquí</a>', parse_mode="HTML"
    )
    assert message.text == "Hola 🌵 aquí"
    assert [(e.type, e.offset, e.length) for e in message.entities] == [("bold", 0, 4), ("text_link", 8, 4)]
    assert message.chat.id == ROSA


@pytest.mark.parametrize(
    "text",
    [
        "<p>no</p>",
        "a < b",
        "<b>open",
        "<b><i>crossed</b></i>",
        "</b>",
        "uno<br>dos",
        "espacio&nbsp;duro",
        "<span>no class</span>",
        "<a href=x",
    ],
)
async def test_broken_html_is_refused(bot: Bot, rehearsal: Rehearsal, text: str) -> None:
    """What Telegram's parser would not read is not delivered."""
    with pytest.raises(BadRequest, match=r"(?i)can't parse entities"):
        await bot.send_message(ROSA, text, parse_mode="HTML")
    assert [row["outcome"] for row in await rehearsal.ledger()] == ["refused"]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")))
def test_escaped_text_is_always_read_back(text: str) -> None:
    """Whatever people write, escaped, arrives letter by letter."""
    assert parse(f"<b>{html.escape(text)}</b>").text == text


@given(st.text(alphabet="<>/&;ab \"'=#x1"))
def test_no_html_breaks_the_reader(text: str) -> None:
    """Any text is either read or refused with a reason."""
    with contextlib.suppress(BrokenHtml):
        assert "<b" not in parse(text).text


async def test_telegram_refuses_what_nobody_could_get(bot: Bot, rehearsal: Rehearsal) -> None:
    """Empty, too long, to strangers, to people who blocked the bot or are gone: each has its own refusal."""
    with pytest.raises(BadRequest, match=r"(?i)text is empty"):
        await bot.send_message(ROSA, "<b> </b>", parse_mode="HTML")
    with pytest.raises(BadRequest, match=r"(?i)too long"):
        await bot.send_message(ROSA, "🌵" * 2049)
    with pytest.raises(BadRequest, match=r"(?i)chat not found"):
        await bot.send_message(999, "Hola")
    people = [{"channel": "telegram", "address": "7", "state": "blocked"}]
    await rehearsal.people(*people, {"channel": "telegram", "address": "8", "state": "dead"})
    for chat, why in ((7, "blocked by the user"), (8, "deactivated")):
        with pytest.raises(Forbidden, match=why):
            await bot.send_message(chat, "Hola")
    assert len(await rehearsal.ledger()) == 5


async def test_the_longest_message_counts_without_its_marks(bot: Bot) -> None:
    """4096 units fit, however many marks are around them."""
    message = await bot.send_message(ROSA, f"<b>{'ñ' * 4096}</b>", parse_mode="HTML")
    assert message.text is not None
    assert len(message.text) == 4096


async def test_an_unknown_method_is_not_found(rehearsal: Rehearsal) -> None:
    """What the stand-in does not speak it says so, as Telegram does."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{rehearsal.url}bot{BOT_TOKEN}/sing") as answer,
    ):
        assert (answer.status, (await answer.json())["description"]) == (404, "Not Found")


async def test_throttling_tells_how_long_to_wait(bot: Bot, rehearsal: Rehearsal) -> None:
    """A 429 carries its wait, nothing is delivered, and the weather clears after as many as were asked."""
    await rehearsal.faults("telegram", "429", retry_after=7, count=1)
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(ROSA, "Hola")
    assert caught.value.retry_after == 7
    await bot.send_message(ROSA, "Hola")
    assert [row["outcome"] for row in await rehearsal.ledger()] == ["refused", "accepted"]


async def test_a_person_is_heard_by_polling(bot: Bot, rehearsal: Rehearsal) -> None:
    """What a person types waits for the bot and is confirmed by the next offset."""
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.05)
    await rehearsal.say("telegram", str(ROSA), "/start fresno")
    (update,) = await poll
    assert update.message is not None
    assert update.message.text == "/start fresno"
    assert update.message.entities[0].type == "bot_command"
    assert update.message.from_user is not None
    assert update.message.from_user.language_code == "es"
    assert await bot.get_updates(offset=update.update_id + 1, timeout=0) == ()


async def test_a_pressed_button_is_told(bot: Bot, rehearsal: Rehearsal) -> None:
    """A button's data comes back; a button that is not there cannot be pressed."""
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Sí", callback_data="yes")]])
    message = await bot.send_message(ROSA, "¿Viene?", reply_markup=keyboard)
    where = {"channel": "telegram", "address": str(ROSA), "id": str(message.message_id)}
    await rehearsal.ask("press", {**where, "data": "yes"})
    with pytest.raises(ValueError, match="404"):
        await rehearsal.ask("press", {**where, "data": "no"})
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "yes"
    assert await bot.answer_callback_query(update.callback_query.id)


async def test_two_pollers_are_in_each_others_way(bot: Bot, rehearsal: Rehearsal) -> None:
    """The first of two pollers is told that another came."""
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.1)
    async with Bot(BOT_TOKEN, base_url=f"{rehearsal.url}bot") as second:
        await second.get_updates(timeout=0)
    with pytest.raises(Conflict):
        await first


async def test_a_telegram_webhook_is_called_with_its_secret(
    bot: Bot, rehearsal: Rehearsal, receiver: Receiver
) -> None:
    """Updates are pushed once, with the secret; meanwhile polling is refused."""
    await bot.set_webhook(receiver.url, secret_token="s3cret")
    await rehearsal.say("telegram", str(ROSA), "Hola")
    (request,) = await receiver.wait(1)
    assert request["headers"]["X-Telegram-Bot-Api-Secret-Token"] == "s3cret"
    assert json.loads(request["body"])["message"]["text"] == "Hola"
    with pytest.raises(Conflict):
        await bot.get_updates()
    assert (await bot.get_webhook_info()).url == receiver.url
    with pytest.raises(BadRequest, match=r"(?i)https"):
        await bot.set_webhook("http://avisos.example.org/")


async def test_blocking_a_bot_is_told(bot: Bot, rehearsal: Rehearsal) -> None:
    """Telegram tells the bot when a person blocks it."""
    await rehearsal.people({"channel": "telegram", "address": "7", "shown": True})
    await bot.send_message(7, "Hola")
    await rehearsal.people({"channel": "telegram", "address": "7", "shown": True, "state": "blocked"})
    (update,) = await bot.get_updates()
    assert update.my_chat_member is not None
    assert update.my_chat_member.new_chat_member.status == "kicked"


@pytest.mark.parametrize(("kind", "outcome"), [("hang", "accepted"), ("down", "refused"), ("500", "refused")])
async def test_bad_days_leave_the_truth_in_the_ledger(rehearsal: Rehearsal, kind: str, outcome: str) -> None:
    """Whether a message that got no good answer was taken is known here, as it is at a vendor."""
    await rehearsal.faults("telegram", kind)
    bot = Bot(BOT_TOKEN, base_url=f"{rehearsal.url}bot")
    async with bot:
        with pytest.raises(TelegramError):
            await bot.send_message(ROSA, "Hola", read_timeout=0.3)
    assert [row["outcome"] for row in await rehearsal.ledger()] == [outcome]


async def test_a_real_token_is_turned_away(rehearsal: Rehearsal) -> None:
    """A token that might be real never works here, so nobody rehearses with it by mistake."""
    with pytest.raises(InvalidToken):
        async with Bot("123456:AAH-real", base_url=f"{rehearsal.url}bot"):
            pass
