"""What a bot sends and what it changes: the Bot API's messages, checked in Telegram's order.

Wording of errors: telegram-bot-api's `Client.cpp` and TDLib, read 2026-11.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from channels.rehearsal import bot_api_html, bot_api_keyboards
from channels.rehearsal.bot_api_given import Parameters, Refusal, json_of, number
from channels.rehearsal.bots import Sent
from channels.rehearsal.faults import hang_up
from channels.rehearsal.people import Bubble
from channels.rehearsal.rich import linked
from channels.rehearsal.speech import telegram_chat

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from channels.rehearsal.bot_api_files import Document
    from channels.rehearsal.bots import Bot
    from channels.rehearsal.faults import Fault
    from channels.rehearsal.people import Person
    from channels.rehearsal.stage import Stage

MET = "met"
"""The name under which a request holds the `Fault` that it met."""
LONGEST = 4096
"""UTF-16 units of a message after the marks are read."""
LONGEST_CAPTION = 1024
_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a message holds: words, or a file with or without some.

    Attributes:
        source: The words as the bot wrote them, marks and all.
    """

    source: str
    parsed: bot_api_html.Parsed
    document: Document | None = None

    @property
    def text(self) -> str:
        """What is read."""
        return self.parsed.text.strip()

    def as_json(self) -> dict[str, Any]:
        """As it stands in Telegram's `Message`."""
        name = "caption" if self.document else "text"
        shown: dict[str, Any] = {"document": self.document.as_json()} if self.document else {}
        shown |= {name: self.text} if self.text else {}
        entities = f"{name}_entities".removeprefix("text_")
        return shown | ({entities: self.parsed.entities} if self.parsed.entities else {})


async def send_message(request: web.Request, stage: Stage, bot: Bot, given: Parameters) -> dict[str, Any]:
    """Telegram's `sendMessage`."""
    return _weathered(request, stage, bot, given, "text", partial(_send, stage, bot, given, _words))


async def send_document(request: web.Request, stage: Stage, bot: Bot, given: Parameters) -> dict[str, Any]:
    """Telegram's `sendDocument`."""
    content = partial(_captioned, stage, "document")
    return _weathered(request, stage, bot, given, "caption", partial(_send, stage, bot, given, content))


async def edit_text(request: web.Request, stage: Stage, bot: Bot, given: Parameters) -> dict[str, Any]:
    """Telegram's `editMessageText`."""

    def content(given: Parameters, before: Content) -> Content:
        if before.document is not None:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        return _words(given)

    return _weathered(request, stage, bot, given, "text", partial(_edit, stage, bot, given, content))


async def edit_caption(request: web.Request, stage: Stage, bot: Bot, given: Parameters) -> dict[str, Any]:
    """Telegram's `editMessageCaption`."""

    def content(given: Parameters, before: Content) -> Content:
        if before.document is None:
            raise Refusal(400, "Bad Request: there is no caption in the message to edit")
        return _caption(given, before.document)

    return _weathered(request, stage, bot, given, "caption", partial(_edit, stage, bot, given, content))


async def edit_media(request: web.Request, stage: Stage, bot: Bot, given: Parameters) -> dict[str, Any]:
    """Telegram's `editMessageMedia`, of documents."""
    media = json_of(given.get("media"), "media")
    given = {**given, **media} if isinstance(media, dict) else given

    def content(given: Parameters, before: Content) -> Content:
        if before.document is None:
            raise Refusal(400, "Bad Request: there is no media in the message to edit")
        return _captioned(stage, "media", given)

    return _weathered(request, stage, bot, given, "caption", partial(_edit, stage, bot, given, content))


def _weathered(
    request: web.Request,
    stage: Stage,
    bot: Bot,
    given: Parameters,
    words: str,
    work: Callable[[str], dict[str, Any]],
) -> dict[str, Any]:
    """Do it in today's weather; the ledger keeps every no."""
    address = str(given.get("chat_id", "")).strip()
    plain = not given.keys() & {"document", "media"}
    fault = request[MET] = stage.faults.take("telegram", plain=plain)
    try:
        if fault is not None and not fault.accepts:
            _meet(fault, request)
        return work(address)
    except Refusal as refusal:
        stage.refused(
            "telegram",
            sender=bot.id,
            address=address,
            text=str(given.get(words, "")),
            status=refusal.status,
            code=0,
            reason=str(refusal),
            edit="message_id" in given,
        )
        raise


def _meet(fault: Fault, request: web.Request) -> None:
    match fault.kind:
        case "429":
            wait = fault.wait()
            raise Refusal(429, f"Too Many Requests: retry after {wait}", wait)
        case "down" | "reset":
            hang_up(request, reset=fault.kind == "reset")
            raise Refusal(503, "Service Unavailable")  # for the ledger: nobody hears it
        case "credentials":
            raise Refusal(401, "Unauthorized")
        case "content":
            raise Refusal(400, "Bad Request: wrong file identifier/HTTP URL specified")
    raise failure()


def failure() -> Refusal:
    """Telegram's words for a fault of its own."""
    return Refusal(500, "Internal Server Error")


def _send(
    stage: Stage, bot: Bot, given: Parameters, content_of: Callable[[Parameters], Content], address: str
) -> dict[str, Any]:
    """Everything Telegram looks at, in its order; then it is on the phone. Raises Refusal."""
    if not address:
        raise Refusal(400, "Bad Request: chat_id is empty")
    content = content_of(given)
    markup = _markup(given)
    person = _reachable(stage, address)
    now = stage.now()
    sent = Sent(address, content, _as_sent(given), int(now.timestamp()))
    message = bot.keep(sent)
    bubble = Bubble(str(message), "heard", now, content.text, content.parsed.tree, bot.id)
    bubble.buttons, bubble.keyboard, bubble.file = markup.buttons, markup.keyboard, content.document
    stage.accepted(person, bubble, "telegram", address, content.source)
    stage.people.show(person, bubble)
    return _message(bot, person, message, sent)


def _edit(
    stage: Stage,
    bot: Bot,
    given: Parameters,
    content_of: Callable[[Parameters, Content], Content],
    address: str,
) -> dict[str, Any]:
    """The same for a message that is there already. Raises Refusal."""
    if not address:
        raise Refusal(400, "Bad Request: chat_id is empty")
    markup = _markup(given)
    person = _reachable(stage, address)
    message = number(given, "message_id", 0)
    before = bot.sent.get(message)
    if before is None or before.address != address:
        of_theirs = any(bubble.id == str(message) for bubble in person.phone or ())
        why = "message can't be edited" if of_theirs else "message to edit not found"
        raise Refusal(400, f"Bad Request: {why}")
    content = content_of(given, before.content)
    after = Sent(address, content, _as_sent(given), before.date)
    if after == before:
        raise Refusal(400, f"Bad Request: {_SAME}")
    bot.sent[message] = after
    stage.edited(person, str(message), bot.id, content)
    stage.people.rewrite(person, str(message), content, markup.buttons)
    return _message(bot, person, message, after) | {"edit_date": int(stage.now().timestamp())}


def _message(bot: Bot, person: Person, message: int, sent: Sent) -> dict[str, Any]:
    """Telegram's `Message`."""
    shown = {
        "message_id": message,
        "from": bot.as_user(),
        "chat": telegram_chat(person),
        "date": sent.date,
        **sent.content.as_json(),
    }
    markup = json_of(sent.markup, "reply keyboard markup")
    inline = isinstance(markup, dict) and "inline_keyboard" in markup
    return shown | ({"reply_markup": markup} if inline else {})


def _reachable(stage: Stage, address: str) -> Person:
    person = stage.people.find("telegram", address)
    if person is None:
        raise Refusal(400, "Bad Request: chat not found")
    if person.state == "dead":
        raise Refusal(403, "Forbidden: user is deactivated")
    if person.state != "ok":
        raise Refusal(403, "Forbidden: bot was blocked by the user")
    return person


def _words(given: Parameters) -> Content:
    parsed = _parsed(str(given.get("text", "")), str(given.get("parse_mode") or ""))
    if not parsed.text.strip():
        raise Refusal(400, "Bad Request: message text is empty")
    if bot_api_html.units(parsed.text.strip()) > LONGEST:
        raise Refusal(400, "Bad Request: message is too long")
    return Content(str(given["text"]), parsed)


def _captioned(stage: Stage, field: str, given: Parameters) -> Content:
    document = stage.files.read(given.get(field), given)
    return _caption(given, document)


def _caption(given: Parameters, document: Document) -> Content:
    source = str(given.get("caption") or "")
    parsed = _parsed(source, str(given.get("parse_mode") or ""))
    if bot_api_html.units(parsed.text.strip()) > LONGEST_CAPTION:
        raise Refusal(400, "Bad Request: message caption is too long")
    return Content(source, parsed, document)


def _parsed(text: str, mode: str) -> bot_api_html.Parsed:
    if mode.lower() not in {"", "html"}:
        raise Refusal(400, "Bad Request: unsupported parse_mode")
    try:
        return bot_api_html.parse(text) if mode else bot_api_html.Parsed(text, (), linked(text))
    except bot_api_html.BrokenHtml as fault:
        raise Refusal(400, f"Bad Request: can't parse entities: {fault}") from None


def _as_sent(given: Parameters) -> str:
    """The keyboard as JSON: a form holds it as text, a JSON body as what it is."""
    markup = given.get("reply_markup") or ""
    return markup if isinstance(markup, str) else json.dumps(markup)


def _markup(given: Parameters) -> bot_api_keyboards.Markup:
    try:
        return bot_api_keyboards.read(json_of(given.get("reply_markup"), "reply keyboard markup"))
    except bot_api_keyboards.BadMarkup as fault:
        raise Refusal(400, f"Bad Request: {fault}") from None
