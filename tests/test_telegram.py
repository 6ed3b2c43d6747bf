"""Telegram as a channel: what is sent, what went wrong, how it is polled."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from channels.base import Choice, Heard, Message, Part
from channels.markdown import parse
from channels.telegram import REASONS, Telegram
from channels.trouble import Broken, Gone, Later, Refused, Trouble, Unsure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channels.base import Channel

SECRET = "canary_secret"
TOKEN = "111:canary-token"
CHAT = "700000001"
PART = Part("<b>Hola</b> canary-text", "html", "utf-16", 16, 1)
SENT = {"message_id": 42, "date": 1, "chat": {"id": int(CHAT), "type": "private"}, "text": "Hola"}
ANA = {"id": int(CHAT), "is_bot": False, "first_name": "Ana", "language_code": "es"}
HEARD = {**SENT, "from": ANA, "text": "hola"}


class Vendor:
    """A loopback stand-in for the Bot API: one answer for all, and a note of what was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: object = {"ok": True, "result": SENT}
        self.scene = ""
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, dict(await request.post())))
        if self.scene == "hang":
            await asyncio.sleep(30)
        if self.scene in {"reset", "half"}:
            assert request.transport
            if self.scene == "half":
                request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
                request.transport.close()
            else:
                request.transport.abort()
        if isinstance(self.answer, str):
            return web.Response(status=self.status, text=self.answer)
        return web.json_response(self.answer, status=self.status)

    def refuse(self, status: int, description: str, **parameters: int) -> None:
        self.status = status
        self.answer = {"ok": False, "error_code": status, "description": description}
        if parameters:
            self.answer["parameters"] = parameters


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    """The stand-in on a free port."""
    playing = Vendor()
    app = web.Application()
    app.router.add_post("/{path:.*}", playing.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    playing.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield playing
    await runner.cleanup()


def opened(api_base: str) -> Telegram:
    return Telegram(token=TOKEN, api_base=api_base, secret=SECRET, concurrency=8, timeout=0.3)


@pytest.fixture
async def channel(vendor: Vendor) -> AsyncIterator[Telegram]:
    """A bot that speaks to the stand-in."""
    bot = opened(vendor.url)
    yield bot
    await bot.aclose()


async def trouble(channel: Channel, address: str = CHAT) -> Trouble:
    with pytest.raises(Trouble) as raised:
        await channel.send(address, PART, "1")
    assert raised.value.reason in REASONS
    return raised.value


async def test_a_message_is_one_request(vendor: Vendor, channel: Channel) -> None:
    """What is rendered is what Telegram gets, in one request, without a preview; its id comes back."""
    (part,) = channel.render(Message(parse("*Mañana* & hoy"), "Aviso"), window_open=False)
    assert await channel.send(CHAT, part, "1") == "42"
    assert vendor.asked == [
        (
            f"/bot{TOKEN}/sendMessage",
            {
                "chat_id": CHAT,
                "text": "<b>Aviso</b>\n\n<i>Mañana</i> &amp; hoy",
                "parse_mode": "HTML",
                "link_preview_options": '{"is_disabled": true}',
            },
        )
    ]


async def pressed(channel: Channel, vendor: Vendor, *choices: Choice) -> Any:  # noqa: ANN401 - JSON
    """The keyboard that Telegram gets for these choices."""
    (part,) = channel.render(Message(parse("¿Cuál?"), choices=choices), window_open=False)
    await channel.send(CHAT, part, "1")
    return json.loads(vendor.asked[-1][1]["reply_markup"])


async def test_choices_are_buttons_under_the_message(vendor: Vendor, channel: Channel) -> None:
    """Each choice is a button with its value; two in a row, or one where a label is long."""
    short = [Choice("Sí", "yes"), Choice("No", "no"), Choice("Quizás", "maybe")]
    assert await pressed(channel, vendor, *short) == {
        "inline_keyboard": [
            [{"text": "Sí", "callback_data": "yes"}, {"text": "No", "callback_data": "no"}],
            [{"text": "Quizás", "callback_data": "maybe"}],
        ]
    }
    keyboard = await pressed(channel, vendor, Choice("Consulado en Fresno", "f"), *short)
    assert [len(row) for row in keyboard["inline_keyboard"]] == [1, 1, 1, 1]


async def test_a_place_is_asked_for_with_a_key(vendor: Vendor, channel: Channel) -> None:
    """Where a place may be shared, the keys below ask for it; the others write their label."""
    keyboard = await pressed(
        channel, vendor, Choice("Mi ubicación", "x", place=True), Choice("Escribir", "y")
    )
    assert keyboard == {
        "keyboard": [[{"text": "Mi ubicación", "request_location": True}, {"text": "Escribir"}]],
        "resize_keyboard": True,
        "one_time_keyboard": True,
    }


async def test_a_public_name_is_an_address(vendor: Vendor, channel: Channel) -> None:
    """A group is written to by its number, a public channel by its name."""
    await channel.send("-1001234567890", PART, "1")
    await channel.send("@avisos", PART, "1")
    assert [fields["chat_id"] for _, fields in vendor.asked] == ["-1001234567890", "@avisos"]


REFUSALS = [
    (400, "Bad Request: chat not found", Gone, "not-found"),
    (400, "Bad Request: PEER_ID_INVALID", Gone, "not-found"),
    (400, "Bad Request: USER_IS_BLOCKED", Gone, "blocked"),
    (400, "Bad Request: can't parse entities: Unsupported start tag", Refused, "bad-markup"),
    (400, "Bad Request: message is too long", Refused, "too-long"),
    (400, "Bad Request: BUTTON_DATA_INVALID", Refused, "bad-markup"),
    (400, "Bad Request: reply markup is too long", Refused, "bad-markup"),
    (400, "Bad Request: message text is empty", Refused, "empty"),
    (400, "Bad Request: something new", Refused, "vendor-refused"),
    (400, "Logged out", Broken, "credentials"),
    (401, "Unauthorized", Broken, "credentials"),
    (403, "Forbidden: bot was blocked by the user", Gone, "blocked"),
    (403, "Forbidden: user is deactivated", Gone, "deactivated"),
    (403, "Forbidden: bot can't initiate conversation with a user", Gone, "never-started"),
    (403, "Forbidden: bot was kicked from the supergroup chat", Gone, "removed"),
    (403, "Forbidden: bot is not a member of the channel chat", Gone, "removed"),
    (403, "Forbidden: the group chat was deleted", Gone, "removed"),
    (403, "Forbidden: something new", Refused, "vendor-refused"),
    (404, "Not Found", Broken, "credentials"),
    (409, "Conflict: terminated by other getUpdates request", Broken, "conflict"),
    (429, "Too Many Requests", Later, "rate-limited"),
    (500, "Internal Server Error: restart", Unsure, "vendor-failed"),
    (502, "Bad Gateway", Unsure, "vendor-failed"),
]


@pytest.mark.parametrize(("status", "description", "kind", "reason"), REFUSALS)
async def test_every_refusal_is_one_trouble(
    vendor: Vendor, channel: Channel, status: int, description: str, kind: type[Trouble], reason: str
) -> None:
    """Each thing Telegram says ends in one decision, after one request."""
    vendor.refuse(status, description)
    told = await trouble(channel)
    assert (type(told), told.reason, told.code) == (kind, reason, str(status if status != 404 else 401))
    assert len(vendor.asked) == 1


async def test_only_a_block_is_a_leaving(vendor: Vendor, channel: Channel) -> None:
    """Who blocked us left; whose account is gone did not choose to."""
    vendor.refuse(403, "Forbidden: bot was blocked by the user")
    blocked = await trouble(channel)
    vendor.refuse(403, "Forbidden: user is deactivated")
    deactivated = await trouble(channel)
    assert isinstance(blocked, Gone)
    assert isinstance(deactivated, Gone)
    assert (blocked.left, deactivated.left) == (True, False)


@pytest.mark.parametrize("setting", ["false", "true"])
async def test_a_wait_is_obeyed(
    vendor: Vendor, channel: Channel, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seconds Telegram asks for arrive as they are, whichever way the library holds them."""
    monkeypatch.setenv("PTB_TIMEDELTA", setting)
    vendor.refuse(429, "Too Many Requests: retry after 35", retry_after=35)
    told = await trouble(channel)
    assert isinstance(told, Later)
    assert told.wait == timedelta(seconds=35)


async def test_a_group_that_moved_says_where(vendor: Vendor, channel: Channel) -> None:
    """A group that became a supergroup is gone with its new address, which is not in what is logged."""
    vendor.refuse(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1009)
    told = await trouble(channel, "-9")
    assert isinstance(told, Gone)
    assert told.moved_to == "-1009"
    assert "1009" not in str(told)


@pytest.mark.parametrize("scene", ["hang", "reset", "half"])
async def test_no_answer_is_unsure(vendor: Vendor, channel: Channel, scene: str) -> None:
    """A request that left and was not answered may have arrived, and is not sent again."""
    vendor.scene = scene
    told = await trouble(channel)
    assert (type(told), told.reason, len(vendor.asked)) == (Unsure, "no-answer", 1)


@pytest.mark.parametrize("answer", ["", "<html>", "[]", {"ok": True}, {"ok": True, "result": {"x": 1}}])
async def test_a_senseless_answer_is_unsure(vendor: Vendor, channel: Channel, answer: object) -> None:
    """A yes that we cannot read may be a yes."""
    vendor.answer = answer
    assert isinstance(await trouble(channel), Unsure)


async def test_a_closed_port_is_later() -> None:
    """When nobody is there, nothing was sent, and it may be tried again."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        channel = opened(f"http://127.0.0.1:{taken.getsockname()[1]}")
        told = await trouble(channel)
        await channel.aclose()
    assert (type(told), told.reason) == (Later, "unreachable")


async def test_nothing_private_is_logged(
    vendor: Vendor, channel: Telegram, caplog: pytest.LogCaptureFixture
) -> None:
    """No token, chat or text is in any log at any level, nor in what a trouble says of itself."""
    caplog.set_level(logging.DEBUG)
    await channel.send(CHAT, PART, "1")
    vendor.answer = {"ok": True, "result": [{"update_id": 1, "message": {"text": "canary-text"}}]}
    with pytest.raises(Unsure):
        await channel.updates(0, 0)
    vendor.refuse(400, f"Bad Request: chat {CHAT} canary-text")
    told = await trouble(channel)
    for secret in (TOKEN, CHAT, "canary-text"):
        assert secret not in caplog.text + str(told) + repr(told)


async def test_polling_hears_and_moves_on(vendor: Vendor, channel: Telegram) -> None:
    """Polling hears what a webhook would, asks for those updates only, and says where to go on."""
    vendor.answer = {"ok": True, "result": [{"update_id": 9, "message": HEARD}, {"update_id": 12}]}
    assert await channel.updates(5, 0) == ([Heard("9", CHAT, "hola", "es")], 13)
    vendor.answer = {"ok": True, "result": []}
    assert await channel.updates(13, 20) == ([], 13)
    assert vendor.asked[1] == (
        f"/bot{TOKEN}/getUpdates",
        {
            "offset": "13",
            "timeout": "20",
            "allowed_updates": '["message", "callback_query", "my_chat_member"]',
        },
    )


async def test_polled_presses_stop_turning(vendor: Vendor, channel: Telegram) -> None:
    """After polling each press is answered by itself; one that Telegram has forgotten hinders nobody."""
    vendor.refuse(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
    facts = [Heard("1", CHAT, "a", pressed="71"), Heard("2", CHAT, "b"), Heard("3", CHAT, "c", pressed="73")]
    await channel.acknowledge_polled(facts)
    path = f"/bot{TOKEN}/answerCallbackQuery"
    assert vendor.asked == [(path, {"callback_query_id": "71"}), (path, {"callback_query_id": "73"})]


async def test_a_wait_is_heeded_by_all_that_was_pressed(vendor: Vendor, channel: Telegram) -> None:
    """However many buttons were pressed, few are answered before Telegram's wait is heard, and it is told."""
    vendor.refuse(429, "Too Many Requests: retry after 7", retry_after=7)
    with pytest.raises(Later) as raised:
        await channel.acknowledge_polled([Heard(str(n), CHAT, "a", pressed=str(n)) for n in range(100)])
    assert raised.value.wait == timedelta(seconds=7)
    assert len(vendor.asked) <= 5


async def test_polling_where_a_webhook_is_set_is_broken(vendor: Vendor, channel: Telegram) -> None:
    """Two readers of one bot are a fault for staff to mend."""
    vendor.refuse(409, "Conflict: can't use getUpdates method while webhook is active")
    with pytest.raises(Broken) as raised:
        await channel.updates(0, 0)
    assert raised.value.reason == "conflict"


async def test_a_webhook_is_set_with_our_secret(vendor: Vendor, channel: Telegram) -> None:
    """Telegram is told where to call and what to say; and it can be told to stop."""
    vendor.answer = {"ok": True, "result": True}
    await channel.set_webhook("https://avisos.example.org/hooks/telegram")
    await channel.delete_webhook()
    (path, fields), (forget, _) = vendor.asked
    assert (path, forget) == (f"/bot{TOKEN}/setWebhook", f"/bot{TOKEN}/deleteWebhook")
    assert fields["url"] == "https://avisos.example.org/hooks/telegram"
    assert fields["secret_token"] == SECRET
