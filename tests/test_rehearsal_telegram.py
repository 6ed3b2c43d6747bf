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
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
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


async def asked(bot: Bot, rehearsal: Rehearsal) -> dict[str, str]:
    """A question with one button on Rosa's phone, and where that button is found."""
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Sí", callback_data="yes")]])
    message = await bot.send_message(ROSA, "¿Viene?", reply_markup=keyboard)
    return {"channel": "telegram", "address": str(ROSA), "id": str(message.message_id)}


async def test_a_pressed_button_is_told(bot: Bot, rehearsal: Rehearsal) -> None:
    """A button's data comes back with its message; a button that is not there cannot be pressed."""
    where = await asked(bot, rehearsal)
    await rehearsal.ask("press", {**where, "data": "yes"})
    with pytest.raises(ValueError, match="404"):
        await rehearsal.ask("press", {**where, "data": "no"})
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "yes"
    assert update.callback_query.message is not None
    assert str(update.callback_query.message.message_id) == where["id"]


async def test_a_pressed_button_turns_until_it_is_answered(bot: Bot, rehearsal: Rehearsal) -> None:
    """The person sees it wait; an answer stops it, once; an answer to nothing is refused."""
    await rehearsal.ask("press", {**await asked(bot, rehearsal), "data": "yes"})
    assert [one["turning"] for one in await rehearsal.messages("telegram", str(ROSA))] == ["yes"]
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert await bot.answer_callback_query(update.callback_query.id)
    assert [one["turning"] for one in await rehearsal.messages("telegram", str(ROSA))] == [""]
    with pytest.raises(BadRequest, match=r"(?i)query is too old"):
        await bot.answer_callback_query(update.callback_query.id)


async def test_a_webhooks_reply_may_answer_a_press(
    bot: Bot, rehearsal: Rehearsal, receiver: Receiver
) -> None:
    """Telegram carries out the call that it finds in the reply to a webhook."""
    where = await asked(bot, rehearsal)
    receiver.reply = lambda request: json.dumps(
        {
            "method": "answerCallbackQuery",
            "callback_query_id": json.loads(request["body"])["callback_query"]["id"],
        }
    )
    await bot.set_webhook(receiver.url)
    await rehearsal.ask("press", {**where, "data": "yes"})
    await receiver.wait(1)
    await rehearsal.until_phone("telegram", str(ROSA), lambda phone: phone[0]["turning"] == "")


def row(*texts: str) -> list[dict[str, str]]:
    """A row of buttons."""
    return [{"text": text, "callback_data": text} for text in texts]


@pytest.mark.parametrize(
    ("markup", "why"),
    [
        ({"inline_keyboard": [row("a" * 64), row("a" * 65)]}, "BUTTON_DATA_INVALID"),
        ({"inline_keyboard": [[{"text": "a", "callback_data": ""}]]}, "BUTTON_DATA_INVALID"),
        ({"inline_keyboard": [row("ñ" * 33)]}, "BUTTON_DATA_INVALID"),
        ({"inline_keyboard": [row("a")] * 101}, "reply markup is too long"),
        ({"inline_keyboard": [[{"text": "a" * 10_000, "callback_data": "a"}]]}, "reply markup is too long"),
        ({"inline_keyboard": [[{"text": " ", "callback_data": "a"}]]}, "must be non-empty"),
        ({"inline_keyboard": [[{"text": "a"}]]}, "Text buttons are unallowed"),
        ({"inline_keyboard": [[{"callback_data": "a"}]]}, 'find field "text"'),
        ({"inline_keyboard": [["a"]]}, "must be an Object"),
        ({"inline_keyboard": ["a"]}, "Array of Arrays"),
        ({"inline_keyboard": "a"}, "of type Array"),
        ({"keyboard": [[7]]}, "String or an Object"),
        ({"keyboard": [["a"]] * 301}, "reply markup is too long"),
        ([], "object expected"),
        ("{", "JSON"),
    ],
    ids=range(15),
)
async def test_what_telegram_would_not_show_is_refused(
    rehearsal: Rehearsal, markup: object, why: str
) -> None:
    """Buttons that Telegram does not take are refused in its words, and the text with them."""
    given = markup if isinstance(markup, str) else json.dumps(markup)
    form = {"chat_id": str(ROSA), "text": "Elija", "reply_markup": given}
    url = f"{rehearsal.url}bot{BOT_TOKEN}/sendMessage"
    async with aiohttp.ClientSession() as session, session.post(url, data=form) as answer:
        assert answer.status == 400
        assert why in (await answer.json())["description"]
    assert [row["outcome"] for row in await rehearsal.ledger()] == ["refused"]


async def test_keys_come_and_go(bot: Bot, rehearsal: Rehearsal) -> None:
    """A message may put keys in the place of the letters, one asking for a place, or take them away."""
    keys = ReplyKeyboardMarkup(
        [["Hola", KeyboardButton("Aquí", request_location=True)]], one_time_keyboard=True
    )
    await bot.send_message(ROSA, "¿Dónde?", reply_markup=keys)
    await bot.send_message(ROSA, "Gracias")
    await bot.send_message(ROSA, "Adiós", reply_markup=ReplyKeyboardRemove())
    rows = [[{"text": "Hola"}, {"text": "Aquí", "asks": "place"}]]
    assert [one["keyboard"] for one in await rehearsal.messages("telegram", str(ROSA))] == [
        {"rows": rows, "once": True},
        None,
        {"rows": [], "once": False},
    ]


async def test_a_shared_place_is_told(bot: Bot, rehearsal: Rehearsal) -> None:
    """A place reaches the bot as Telegram's location; nowhere on earth is refused."""
    await bot.get_me()
    where = {"channel": "telegram", "address": str(ROSA), "longitude": -119.79}
    await rehearsal.ask("share", {**where, "latitude": 36.74, "name": "Fresno"})
    with pytest.raises(ValueError, match="latitude is a number of degrees"):
        await rehearsal.ask("share", {**where, "latitude": 91})
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.location is not None
    assert (update.message.location.latitude, update.message.location.longitude) == (36.74, -119.79)
    assert [one["text"] for one in await rehearsal.messages("telegram", str(ROSA))] == ["📍 Fresno"]


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
