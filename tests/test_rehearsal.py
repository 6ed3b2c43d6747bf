"""The stand-in accepts, refuses, tells and signs as the vendors do, seen through their own libraries."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from channels.rehearsal.bot_api_html import BrokenHtml, parse
from channels.rehearsal.gsm import segments
from channels.rehearsal.rich import linked, marked
from tests.conftest import ACCOUNT, BOT_TOKEN, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from channels.rehearsal.rich import Tree
    from tests.conftest import Receiver, Rehearsal

ROSA, JOEL, CITLALI = 101, "+16025550102", "+12125550103"
NUMBER = "+15005550006"
TEMPLATE = "HX" + "0" * 31 + "1"


@pytest.fixture
async def bot(rehearsal: Rehearsal) -> AsyncIterator[Bot]:
    """A bot of the real library."""
    async with Bot(BOT_TOKEN, base_url=f"{rehearsal.url}bot") as bot:
        yield bot


@pytest.fixture
def twilio(rehearsal: Rehearsal) -> Iterator[Client]:
    """A client of the real library."""
    client = Client(ACCOUNT, TOKEN)
    client.api.base_url = rehearsal.url.rstrip("/")
    yield client
    client.http_client.session.close()


async def send(client: Client, **parameters: Any) -> Any:  # noqa: ANN401 - the library's own
    """Create a message without holding up this loop."""
    return await asyncio.to_thread(client.messages.create, **parameters)


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


async def test_a_real_token_is_turned_away(rehearsal: Rehearsal) -> None:
    """A token that might be real never works here, so nobody rehearses with it by mistake."""
    bot = Bot("123456:AAH-real", base_url=f"{rehearsal.url}bot")
    with pytest.raises(InvalidToken):
        await bot.get_me()
    await bot.shutdown()
    client = Client(ACCOUNT, "0123456789abcdef")
    client.api.base_url = rehearsal.url.rstrip("/")
    with pytest.raises(TwilioRestException) as caught:
        await send(client, to=JOEL, from_=NUMBER, body="Hola")
    client.http_client.session.close()
    assert (caught.value.status, caught.value.code) == (401, 20003)


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


async def test_twilio_answers_with_its_own_fields(twilio: Client) -> None:
    """A message that was taken has an id, a status, and the parts it is charged for."""
    message = await send(twilio, to=JOEL, from_=NUMBER, body="ó" * 71)
    assert message.sid.startswith("SM")
    assert (message.status, message.num_segments, message.to) == ("queued", "2", JOEL)
    by_service = await send(twilio, to=JOEL, messaging_service_sid="MG" + "a" * 32, body="Hola")
    assert (by_service.status, by_service.num_segments, by_service.from_) == ("accepted", "0", None)


@pytest.mark.parametrize(
    ("code", "parameters"),
    [
        (21211, {"to": "+1555", "from_": NUMBER, "body": "Hola"}),
        (21603, {"to": JOEL, "body": "Hola"}),
        (21606, {"to": JOEL, "from_": "+", "body": "Hola"}),
        (21705, {"to": JOEL, "messaging_service_sid": "MG1", "body": "Hola"}),
        (21910, {"to": f"whatsapp:{CITLALI}", "from_": NUMBER, "body": "Hola"}),
        (21602, {"to": JOEL, "from_": NUMBER, "body": ""}),
        (21617, {"to": JOEL, "from_": NUMBER, "body": "a" * 1601}),
        (21609, {"to": JOEL, "from_": NUMBER, "body": "Hola", "status_callback": "avisos"}),
        (21655, {"to": JOEL, "from_": NUMBER, "content_sid": "HX" + "0" * 31 + "2"}),
        (21656, {"to": JOEL, "from_": NUMBER, "content_sid": TEMPLATE, "content_variables": "[1]"}),
        (
            21656,
            {"to": JOEL, "from_": NUMBER, "content_sid": TEMPLATE, "content_variables": '{"1": "a\\nb"}'},
        ),
    ],
)
async def test_twilio_refuses_with_its_own_codes(
    twilio: Client, rehearsal: Rehearsal, code: int, parameters: dict[str, str]
) -> None:
    """Each fault of a request has the code that Twilio publishes for it."""
    with pytest.raises(TwilioRestException) as caught:
        await send(twilio, **parameters)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert [row["code"] for row in await rehearsal.ledger()] == [code]


async def test_a_parameter_that_twilio_does_not_publish_is_refused(rehearsal: Rehearsal) -> None:
    """A misspelt parameter is seen here and not lost in silence."""
    async with aiohttp.ClientSession(
        headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    ) as session:
        form = {"To": JOEL, "From": NUMBER, "Body": "Hola", "Text": "Hola"}
        url = f"{rehearsal.url}2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        async with session.post(url, data=form) as answer:
            assert (answer.status, (await answer.json())["message"]) == (400, "Unknown parameter: Text")


def statuses(requests: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Each receipt's status and error, after its signature was found to be right."""
    for request in requests:
        signature = request["headers"]["X-Twilio-Signature"]
        assert RequestValidator(TOKEN).validate(request["url"], request["form"], signature)
    return [(r["form"]["MessageStatus"], r["form"].get("ErrorCode", "")) for r in requests]


async def test_receipts_come_signed_and_in_order(twilio: Client, receiver: Receiver) -> None:
    """The address for receipts is called with its query untouched and a signature the library accepts."""
    message = await send(
        twilio, to=JOEL, from_=NUMBER, body="Hola", status_callback=f"{receiver.url}r?key=1.2%2F3"
    )
    requests = await receiver.wait(2)
    assert statuses(requests) == [("sent", ""), ("delivered", "")]
    assert requests[0]["url"].endswith("r?key=1.2%2F3")
    assert requests[0]["form"]["MessageSid"] == message.sid


@pytest.mark.parametrize(
    ("channel", "state", "expected"),
    [
        ("sms", "dead", [("sent", ""), ("undelivered", "30005")]),
        ("sms", "blocked", [("sent", ""), ("undelivered", "30004")]),
        ("whatsapp", "dead", [("failed", "63003")]),
        ("whatsapp", "ok", [("failed", "63016")]),
    ],
)
async def test_what_cannot_arrive_fails_by_a_receipt(
    twilio: Client,
    rehearsal: Rehearsal,
    receiver: Receiver,
    channel: str,
    state: str,
    expected: list[tuple[str, str]],
) -> None:
    """Twilio takes these and gives up later; the screen never shows them."""
    await rehearsal.people({"channel": channel, "address": JOEL, "state": state, "shown": True})
    prefix = "whatsapp:" if channel == "whatsapp" else ""
    await send(twilio, to=prefix + JOEL, from_=prefix + NUMBER, body="Hola", status_callback=receiver.url)
    assert statuses(await receiver.wait(len(expected))) == expected
    assert [m["kind"] for m in await rehearsal.messages(channel, JOEL)] == ["note"]


async def test_whatsapp_hears_free_text_after_the_person_wrote(
    twilio: Client, rehearsal: Rehearsal, receiver: Receiver
) -> None:
    """Inside the window free text arrives; outside it the approved template does."""
    variables = json.dumps({"1": "Aviso", "2": "Hay cita."})
    whatsapp = {"to": f"whatsapp:{CITLALI}", "from_": f"whatsapp:{NUMBER}", "status_callback": receiver.url}
    await send(twilio, **whatsapp, content_sid=TEMPLATE, content_variables=variables)
    await rehearsal.say("whatsapp", CITLALI, "Hola")
    await send(twilio, **whatsapp, body="*Sí*")
    assert {status for status, _ in statuses(await receiver.wait(4))} == {"sent", "delivered"}
    heard = [m["text"] for m in await rehearsal.messages("whatsapp", CITLALI) if m["kind"] == "heard"]
    assert heard == ["*Aviso*\n\nHay cita.\n\nResponde BAJA para dejar de recibir avisos.", "*Sí*"]


async def test_stop_is_twilios_own_business(twilio: Client, rehearsal: Rehearsal, receiver: Receiver) -> None:
    """After STOP Twilio refuses, though the bot hears it too; START lifts that."""
    await rehearsal.webhook("sms", NUMBER, receiver.url)
    await rehearsal.say("sms", JOEL, "Stop", NUMBER)
    with pytest.raises(TwilioRestException) as caught:
        await send(twilio, to=JOEL, from_=NUMBER, body="Hola")
    assert caught.value.code == 21610
    await rehearsal.say("sms", JOEL, "START", NUMBER)
    await send(twilio, to=JOEL, from_=NUMBER, body="Hola")
    assert [r["form"]["Body"] for r in await receiver.wait(2)] == ["Stop", "START"]


async def test_what_a_person_writes_comes_signed(rehearsal: Rehearsal, receiver: Receiver) -> None:
    """The webhook of a number gets the words as typed, and a signature the library accepts."""
    await rehearsal.webhook("whatsapp", NUMBER, f"{receiver.url}twilio/us-whatsapp")
    await rehearsal.say("whatsapp", CITLALI, " ¿Cuándo? & dónde ")
    (request,) = await receiver.wait(1)
    signature = request["headers"]["X-Twilio-Signature"]
    assert RequestValidator(TOKEN).validate(request["url"], request["form"], signature)
    assert request["form"]["Body"] == " ¿Cuándo? & dónde "
    assert (request["form"]["From"], request["form"]["To"]) == (f"whatsapp:{CITLALI}", f"whatsapp:{NUMBER}")


async def test_nobody_listening_is_said_on_the_phone(rehearsal: Rehearsal) -> None:
    """A person who writes to nobody is told so."""
    await rehearsal.say("sms", JOEL, "Hola")
    await rehearsal.say("telegram", str(ROSA), "Hola")
    assert (await rehearsal.messages("sms", JOEL))[0]["status"] == "unheard"
    assert (await rehearsal.messages("telegram", str(ROSA)))[0]["status"] == "unheard"


async def test_nothing_leaves_this_machine(twilio: Client, rehearsal: Rehearsal) -> None:
    """An address elsewhere is not called, and that is counted."""
    await send(twilio, to=JOEL, from_=NUMBER, body="Hola", status_callback="https://avisos.example.org/")
    await rehearsal.until(lambda known: known["counts"]["sms"]["unreached"])
    with pytest.raises(ValueError, match="only this machine"):
        await rehearsal.webhook("sms", NUMBER, "https://avisos.example.org/")


@pytest.mark.parametrize(("kind", "outcome"), [("hang", "accepted"), ("down", "refused"), ("500", "refused")])
async def test_bad_days_leave_the_truth_in_the_ledger(rehearsal: Rehearsal, kind: str, outcome: str) -> None:
    """Whether a message that got no good answer was taken is known here, as it is at a vendor."""
    await rehearsal.faults("telegram", kind)
    bot = Bot(BOT_TOKEN, base_url=f"{rehearsal.url}bot")
    async with bot:
        with pytest.raises(TelegramError):
            await bot.send_message(ROSA, "Hola", read_timeout=0.3)
    assert [row["outcome"] for row in await rehearsal.ledger()] == [outcome]


async def test_a_crowd_flows_and_everyone_reads(rehearsal: Rehearsal, receiver: Receiver) -> None:
    """Hundreds who are not on the page get one message each and their receipts come to the end."""
    numbers = [f"+1213555{n:04d}" for n in range(300)]
    await rehearsal.people(*({"channel": "whatsapp", "address": number} for number in numbers))
    variables = json.dumps({"1": "Aviso", "2": "Texto"})
    async with aiohttp.ClientSession(
        headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    ) as session:
        for number in numbers:
            form = {
                "To": f"whatsapp:{number}",
                "From": f"whatsapp:{NUMBER}",
                "ContentSid": TEMPLATE,
                "ContentVariables": variables,
                "StatusCallback": receiver.url,
            }
            url = f"{rehearsal.url}2010-04-01/Accounts/{ACCOUNT}/Messages.json"
            async with session.post(url, data=form) as answer:
                assert answer.status == 201
    requests = await receiver.wait(900)
    read = [r["form"]["To"] for r in requests if r["form"]["MessageStatus"] == "read"]
    assert sorted(read) == sorted(f"whatsapp:{number}" for number in numbers)
    assert (await rehearsal.people())["people"] == []
    assert [row["address"] for row in await rehearsal.ledger(since=290)] == numbers[290:]


async def test_wrong_people_are_all_refused_and_forms_too(rehearsal: Rehearsal) -> None:
    """One bad row adds nobody, and a form from another site's page changes nothing."""
    with pytest.raises(ValueError, match=r"E\.164"):
        await rehearsal.people({"channel": "sms", "address": JOEL}, {"channel": "sms", "address": "555"})
    assert len((await rehearsal.people())["people"]) == 3
    url = f"{rehearsal.url}rehearsal/reset"
    async with aiohttp.ClientSession() as session, session.post(url, data="{}") as answer:
        assert answer.status == 400


def test_a_busy_port_is_said_in_one_sentence(rehearsal_url: str) -> None:
    """A second rehearsal on the same port says so and ends with 1; asked to end, one ends with 0."""
    port = rehearsal_url.rstrip("/").rpartition(":")[2]
    command = [sys.executable, "-m", "channels.rehearsal", "--port"]
    second = subprocess.run([*command, port], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}: address already in use" in second.stderr
    with subprocess.Popen([*command, "0"], stdout=subprocess.PIPE) as third:
        assert third.stdout is not None
        third.stdout.readline()
        third.send_signal(signal.SIGINT)
        assert third.wait(10) == 0


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 152 + "€" + "a" * 152, 3), ("á" * 70, 1), ("á" * 71, 2), ("", 1)],
)
def test_parts_are_counted_unit_by_unit(text: str, parts: int) -> None:
    """A letter of two units is not cut in half, so it may cost one part more."""
    assert segments(text) == parts


def words(tree: Tree) -> str:
    """The letters of a tree."""
    return "".join(node if isinstance(node, str) else words(node["children"]) for node in tree)


@given(st.text())
def test_links_lose_no_letter(text: str) -> None:
    """Making addresses pressable changes no word."""
    assert words(linked(text)) == text


def test_whatsapp_marks_become_looks() -> None:
    """Marks that pair are looks, those that do not stay letters, and an address keeps its underscores."""
    assert marked("*a _b_* 2*3 https://x.mx/a_b_c.") == [
        {"tag": "b", "children": ["a ", {"tag": "i", "children": ["b"]}]},
        " 2*3 ",
        {"tag": "a", "href": "https://x.mx/a_b_c", "children": ["https://x.mx/a_b_c"]},
        ".",
    ]
