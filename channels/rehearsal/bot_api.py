"""Telegram's Bot API as far as a bot of ours uses it: `/bot<token>/<method>`, its answers and its refusals.

Wording of errors: telegram-bot-api's `Client.cpp` and TDLib, read 2026-11.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aiohttp import web

from channels.rehearsal import bot_api_messages
from channels.rehearsal.bot_api_given import Parameters, Refusal, json_of, number
from channels.rehearsal.bots import TOKEN, Bot, Terminated, Webhook
from channels.rehearsal.callbacks import is_local
from channels.rehearsal.faults import answer as weathered
from channels.rehearsal.stage import STAGE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channels.rehearsal.stage import Stage

LONGEST_NOTICE = 200
"""Letters of what a pressed button may be answered with."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


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
    usual = web.json_response({"ok": True, "result": result})
    fault = request.get(bot_api_messages.MET)
    return await weathered(request, fault, usual, _refusal(bot_api_messages.failure()))


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


async def _get_me(_request: web.Request, _stage: Stage, bot: Bot, _given: Parameters) -> dict[str, Any]:
    return bot.as_user() | {
        "can_join_groups": False,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def _allow(bot: Bot, given: Parameters) -> None:
    """An omitted list keeps what was set before."""
    allowed = json_of(given.get("allowed_updates"), "allowed_updates")
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
            number(given, "offset", 0), number(given, "limit", 100), number(given, "timeout", 0)
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
    "sendmessage": bot_api_messages.send_message,
    "senddocument": bot_api_messages.send_document,
    "editmessagetext": bot_api_messages.edit_text,
    "editmessagecaption": bot_api_messages.edit_caption,
    "editmessagemedia": bot_api_messages.edit_media,
    "getupdates": _get_updates,
    "setwebhook": _set_webhook,
    "deletewebhook": _delete_webhook,
    "getwebhookinfo": _get_webhook_info,
    "answercallbackquery": _answer_callback_query,
    "setmycommands": _agree,
}
