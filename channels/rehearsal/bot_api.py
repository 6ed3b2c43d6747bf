"""Telegram's Bot API as far as a bot of ours uses it: `/bot<token>/<method>`, its answers and its refusals.

Wording of errors: telegram-bot-api's `Client.cpp` and TDLib, read 2026-11.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from aiohttp import web

from channels.rehearsal import bot_api_html, bot_api_keyboards
from channels.rehearsal.bots import TOKEN, Bot, Terminated, Webhook
from channels.rehearsal.callbacks import is_local
from channels.rehearsal.faults import hang_up, silence
from channels.rehearsal.people import Bubble
from channels.rehearsal.rich import linked
from channels.rehearsal.speech import telegram_chat
from channels.rehearsal.stage import STAGE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from channels.rehearsal.faults import Fault
    from channels.rehearsal.people import Person
    from channels.rehearsal.stage import Stage

LONGEST = 4096
"""UTF-16 units after the marks are read."""
LONGEST_NOTICE = 200
"""Letters of what a pressed button may be answered with."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")

Parameters = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - what it is
    """Telegram says no."""

    def __init__(self, status: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.retry_after = retry_after


async def answer(request: web.Request) -> web.StreamResponse:
    """Any method of any bot."""
    stage = request.app[STAGE]
    token = TOKEN.fullmatch(request.match_info["token"])
    method = _METHODS.get(request.match_info["method"].lower())
    if token is None:
        return _refusal(Refusal(401, "Unauthorized"))
    if method is None:
        return _refusal(Refusal(404, "Not Found"))
    try:
        bot = stage.bots.get(token["id"]) or Bot(token["id"], int(stage.now().timestamp()), stage.callbacks)
        stage.bots[bot.id] = bot
        result = await method(request, stage, bot, await _parameters(request))
    except Refusal as refusal:
        return _refusal(refusal)
    return web.json_response({"ok": True, "result": result})


def _refusal(refusal: Refusal) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error_code": refusal.status, "description": str(refusal)}
    headers = {}
    if refusal.retry_after is not None:
        body["parameters"] = {"retry_after": refusal.retry_after}
        headers["Retry-After"] = str(refusal.retry_after)
    return web.json_response(body, status=refusal.status, headers=headers)


async def _parameters(request: web.Request) -> Parameters:
    given: Parameters = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            raise Refusal(400, "Bad Request: can't parse JSON object") from None
        return given | (body if isinstance(body, dict) else {})
    return given | dict(await request.post())


def _number(parameters: Mapping[str, Any], name: str, default: int) -> int:
    try:
        return int(parameters.get(name) or default)
    except (TypeError, ValueError):
        return default


def _object(value: object, what: str) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except ValueError:
        raise Refusal(400, f"Bad Request: can't parse {what} JSON object") from None


async def _get_me(_request: web.Request, _stage: Stage, bot: Bot, _given: Parameters) -> dict[str, Any]:
    return bot.as_user() | {
        "can_join_groups": False,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


async def _send_message(request: web.Request, stage: Stage, bot: Bot, given: Parameters) -> dict[str, Any]:
    address, text = str(given.get("chat_id", "")).strip(), str(given.get("text", ""))
    fault = stage.faults.take("telegram")
    try:
        if fault is not None and fault.kind != "hang":
            await _meet(fault, request)
        bubble, message = _checked(stage, bot, given, address, text)
    except Refusal as refusal:
        stage.refused(
            "telegram",
            sender=bot.id,
            address=address,
            text=text,
            status=refusal.status,
            code=0,
            reason=str(refusal),
        )
        raise
    person = stage.people.find("telegram", address)
    stage.accepted(person, bubble, "telegram", address, text)
    stage.people.show(person, bubble)
    if fault is not None:
        await silence()
    return message


async def _meet(fault: Fault, request: web.Request) -> None:
    if fault.kind == "429":
        raise Refusal(429, f"Too Many Requests: retry after {fault.retry_after}", fault.retry_after)
    if fault.kind == "down":
        hang_up(request)
        raise Refusal(503, "Service Unavailable")
    raise Refusal(500, "Internal Server Error")


def _checked(
    stage: Stage, bot: Bot, given: Parameters, address: str, text: str
) -> tuple[Bubble, dict[str, Any]]:
    """Everything Telegram looks at, in its order.

    Raises:
        Refusal: with Telegram's words.
    """
    if not address:
        raise Refusal(400, "Bad Request: chat_id is empty")
    parsed = _parsed(text, str(given.get("parse_mode") or ""))
    given_markup = _object(given.get("reply_markup"), "reply keyboard markup")
    markup = _markup(given_markup)
    person = stage.people.find("telegram", address)
    if person is None:
        raise Refusal(400, "Bad Request: chat not found")
    _reachable(person)
    now = stage.now()
    message: dict[str, Any] = {
        "message_id": bot.message_id(),
        "from": bot.as_user(),
        "chat": telegram_chat(person),
        "date": int(now.timestamp()),
        "text": parsed.text.strip(),
    }
    if parsed.entities:
        message["entities"] = parsed.entities
    if markup.buttons:
        message["reply_markup"] = given_markup
    bubble = Bubble(str(message["message_id"]), "heard", now, parsed.text.strip(), parsed.tree, bot.id)
    bubble.buttons, bubble.keyboard = markup.buttons, markup.keyboard
    return bubble, message


def _reachable(person: Person) -> None:
    if person.state == "dead":
        raise Refusal(403, "Forbidden: user is deactivated")
    if person.state != "ok":
        raise Refusal(403, "Forbidden: bot was blocked by the user")


def _parsed(text: str, mode: str) -> bot_api_html.Parsed:
    if mode.lower() not in {"", "html"}:
        raise Refusal(400, "Bad Request: unsupported parse_mode")
    try:
        parsed = bot_api_html.parse(text) if mode else bot_api_html.Parsed(text, (), linked(text))
    except bot_api_html.BrokenHtml as fault:
        raise Refusal(400, f"Bad Request: can't parse entities: {fault}") from None
    if not parsed.text.strip():
        raise Refusal(400, "Bad Request: message text is empty")
    if bot_api_html.units(parsed.text.strip()) > LONGEST:
        raise Refusal(400, "Bad Request: message is too long")
    return parsed


def _markup(given: object) -> bot_api_keyboards.Markup:
    try:
        return bot_api_keyboards.read(given)
    except bot_api_keyboards.BadMarkup as fault:
        raise Refusal(400, f"Bad Request: {fault}") from None


def _allow(bot: Bot, given: Parameters) -> None:
    """An omitted list keeps what was set before."""
    allowed = _object(given.get("allowed_updates"), "allowed_updates")
    if isinstance(allowed, list):
        bot.allowed = allowed


async def _get_updates(
    _request: web.Request, _stage: Stage, bot: Bot, given: Parameters
) -> list[dict[str, Any]]:
    if bot.webhook is not None:
        raise Refusal(
            409,
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first",
        )
    _allow(bot, given)
    try:
        return await bot.poll(
            _number(given, "offset", 0), _number(given, "limit", 100), _number(given, "timeout", 0)
        )
    except Terminated:
        raise Refusal(
            409,
            "Conflict: terminated by other getUpdates request; "
            "make sure that only one bot instance is running",
        ) from None


async def _set_webhook(_request: web.Request, _stage: Stage, bot: Bot, given: Parameters) -> bool:
    url, secret = str(given.get("url") or ""), str(given.get("secret_token") or "")
    # The real one wants HTTPS; on this machine plain HTTP is what there is.
    if url and not url.startswith("https://") and not (url.startswith("http://") and is_local(url)):
        raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    if secret and not _SECRET.fullmatch(secret):
        raise Refusal(400, "Bad Request: secret token contains unallowed characters")
    _allow(bot, given)
    drop = str(given.get("drop_pending_updates", "")).lower() in {"true", "1"}
    bot.set_webhook(Webhook(url, secret) if url else None, drop=drop)
    return True


async def _delete_webhook(_request: web.Request, _stage: Stage, bot: Bot, given: Parameters) -> bool:
    bot.set_webhook(None, drop=str(given.get("drop_pending_updates", "")).lower() in {"true", "1"})
    return True


async def _get_webhook_info(
    _request: web.Request, _stage: Stage, bot: Bot, _given: Parameters
) -> dict[str, Any]:
    info: dict[str, Any] = {
        "url": bot.webhook.url if bot.webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(bot.updates),
    }
    if bot.last_error:
        info["last_error_message"] = bot.last_error
    return info


async def _answer_callback_query(_request: web.Request, _stage: Stage, bot: Bot, given: Parameters) -> bool:
    if len(str(given.get("text", ""))) > LONGEST_NOTICE:
        raise Refusal(400, "Bad Request: MESSAGE_TOO_LONG")
    if not bot.answer_press(str(given.get("callback_query_id", ""))):
        raise Refusal(
            400, "Bad Request: query is too old and response timeout expired or query ID is invalid"
        )
    return True


async def _agree(_request: web.Request, _stage: Stage, _bot: Bot, _given: Parameters) -> bool:
    return True


_METHODS: dict[str, Callable[[web.Request, Stage, Bot, Parameters], Awaitable[object]]] = {
    "getme": _get_me,
    "sendmessage": _send_message,
    "getupdates": _get_updates,
    "setwebhook": _set_webhook,
    "deletewebhook": _delete_webhook,
    "getwebhookinfo": _get_webhook_info,
    "answercallbackquery": _answer_callback_query,
    "setmycommands": _agree,
}
