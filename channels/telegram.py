"""Telegram: how to write, send and read there. The only room, with its neighbours, that knows its library.

python-telegram-bot 22.8 makes the requests and reads the updates.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import re
from typing import TYPE_CHECKING

import telegram
from telegram.constants import ChatMemberStatus, ChatType, ParseMode, UpdateType

from channels.base import Acknowledgement, Forged, Heard
from channels.geo import geo_uri
from channels.telegram_files import Uploads
from channels.telegram_html import render
from channels.telegram_keyboards import keyboard
from channels.telegram_request import WireRequest
from channels.telegram_trouble import REASONS, trouble_of
from channels.trouble import Later, Trouble
from channels.wire import TOTAL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from channels.base import ChannelName, File, Message, Part, Receipt, Request

__all__ = ["REASONS", "Telegram", "render"]

# The library logs every text and chat id at DEBUG, and some at CRITICAL: none of it leaves here.
logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)

_HEADER = "x-telegram-bot-api-secret-token"
_MAX_BODY = 256 * 1024
_PRESSES = 5
"""How many pressed buttons are answered at once: these requests wait for no turn of the lane."""
_UPDATES = (UpdateType.MESSAGE, UpdateType.CALLBACK_QUERY, UpdateType.MY_CHAT_MEMBER)
_NO_PREVIEW = telegram.LinkPreviewOptions(is_disabled=True)
_AS_WRITTEN = {"parse_mode": ParseMode.HTML, "link_preview_options": _NO_PREVIEW.to_json()}
_CHAT_ID = re.compile(r"-?\d{1,19}", re.ASCII)


class Telegram:
    """One bot.

    Args:
        token: The bot's, from BotFather.
        api_base: Replaces the scheme, host and port of the Bot API; None for Telegram's own.
        secret: What Telegram repeats in every webhook, `[A-Za-z0-9_-]{1,256}`; "" when polling.
        concurrency: How many requests may be in flight.
        timeout: Seconds for one request.
    """

    name: ChannelName = "telegram"

    def __init__(
        self,
        *,
        token: str,
        api_base: str | None,
        secret: str,
        concurrency: int,
        timeout: float = TOTAL_SECONDS,
    ) -> None:
        self._secret = secret
        self._uploads = Uploads()
        # Two pools, so that a long poll never takes a connection from what is being sent.
        # Never `Bot.initialize`: it asks Telegram who we are, and a vendor that is down must not keep us
        # from starting.
        self._sending = WireRequest(concurrency=concurrency, timeout=timeout)
        self._polling = WireRequest(concurrency=1, timeout=timeout)
        self._bot = telegram.Bot(
            token,
            base_url=f"{(api_base or 'https://api.telegram.org').rstrip('/')}/bot",
            request=self._sending,
            get_updates_request=self._polling,
        )
        self._send_message = f"{self._bot.base_url}/sendMessage"

    def render(self, message: Message, *, window_open: bool) -> list[Part]:
        """See `channels.telegram_html.render`."""
        return render(message, window_open=window_open)

    def spacing(self, address: str) -> float:
        """One message a second in a chat, twenty a minute in a group (https://core.telegram.org/bots/faq)."""
        return 3.0 if address.startswith(("-", "@")) else 1.0

    async def send(self, address: str, part: Part, key: str, replaces: str | None = None) -> str:  # noqa: ARG002 - nothing echoes a key
        """Send one message, or put it in the place of one.

        Args:
            address: A chat id, or "@" and a public name.
            part: As `render` or `edits` made it.
            key: Not used: the Bot API has nowhere to put it (Bot API 10.1).
            replaces: The id of the message to edit.

        Returns:
            The message's id, unique within its chat. The chat is left out: it would name a person.

        Raises:
            Trouble: one of the five kinds, its `reason` one of `REASONS`. The edit of a message that is gone,
                or is as it should be already, is Refused("not-edited").
        """
        chat = int(address) if _CHAT_ID.fullmatch(address) else address
        try:
            if replaces is not None:
                return await self._edit(chat, int(replaces), part)
            if part.file is not None:
                return await self._send_file(chat, part, part.file)
            return await self._send_text(chat, part)
        except Exception as error:  # noqa: BLE001 - whatever the library says, a delivery must be settled
            raise trouble_of(error) from None  # Telegram's sentence may hold a chat id

    async def look_up(self, address: str, part: Part, since: datetime, until: datetime) -> None:
        """None: a bot cannot read what it wrote (Bot API 10.1)."""

    async def _send_text(self, chat: int | str, part: Part) -> str:
        """The one hot call: see `WireRequest.call`."""
        fields: dict[str, object] = {"chat_id": chat, "text": part.text, **_AS_WRITTEN}
        if part.choices:
            fields["reply_markup"] = keyboard(part.choices).to_json()
        return str((await self._sending.call(self._send_message, fields))["message_id"])

    async def _send_file(self, chat: int | str, part: Part, file: File) -> str:
        sent = await self._uploads.bring(
            file,
            lambda document: self._bot.send_document(
                chat,
                document,
                caption=part.text or None,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard(part.choices) if part.choices else None,
            ),
        )
        return str(sent.message_id)

    async def _edit(self, chat: int | str, message: int, part: Part) -> str:
        if part.file is None:
            await self._bot.edit_message_text(
                part.text,
                chat,
                message,
                parse_mode=ParseMode.HTML,
                link_preview_options=_NO_PREVIEW,
            )
            return str(message)
        await self._uploads.bring(
            part.file,
            lambda document: self._bot.edit_message_media(
                telegram.InputMediaDocument(document, caption=part.text, parse_mode=ParseMode.HTML),
                chat,
                message,
            ),
        )
        return str(message)

    def read(self, request: Request) -> list[Heard | Receipt]:
        """Read a webhook: one update, which holds at most one thing heard. Telegram sends no receipts.

        Raises:
            Forged: the secret is missing, wrong or not ours to check, or the body is longer than 256 KiB.
        """
        given = request.headers.get(_HEADER, "").encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(given, self._secret.encode()) or not self._secret:
            raise Forged("the secret is not ours")
        if len(request.body) > _MAX_BODY:
            raise Forged("no update is that long")
        try:
            update = telegram.Update.de_json(json.loads(request.body), self._bot)
            return list(_heard(update))
        except Exception:  # noqa: BLE001 - a body that is no update may break the library in any way
            return []

    def acknowledge(self, facts: Sequence[Heard | Receipt]) -> Acknowledgement:
        """Tell Telegram, in the webhook's own reply, that a pressed button was heard.

        Until then the button turns on the person's screen. See
        https://core.telegram.org/bots/api#making-requests-when-getting-updates.
        """
        for fact in facts:  # an update holds one fact at most
            if isinstance(fact, Heard) and fact.pressed:
                call = {"method": "answerCallbackQuery", "callback_query_id": fact.pressed}
                return Acknowledgement(json.dumps(call), "application/json")
        return Acknowledgement("", "text/plain")

    async def acknowledge_polled(self, heard: Sequence[Heard]) -> None:
        """Tell Telegram the same of what polling heard, in one request for each pressed button.

        What goes wrong is let go: a button that was pressed long ago (400) turns no more, and all that is
        lost otherwise is that one turns a little longer.

        Raises:
            Later: Telegram wants nothing from us for a while; the other buttons were left alone.
        """
        pressed = [fact.pressed for fact in heard if fact.pressed]
        for begin in range(0, len(pressed), _PRESSES):
            await asyncio.gather(*map(self._stop_turning, pressed[begin : begin + _PRESSES]))

    async def _stop_turning(self, pressed: str) -> None:
        try:
            with _troubles():
                await self._bot.answer_callback_query(pressed)
        except Trouble as trouble:
            if isinstance(trouble, Later) and trouble.wait:
                raise

    async def updates(self, offset: int, timeout: int) -> tuple[list[Heard], int]:  # noqa: ASYNC109 - a poll's
        """Ask for what was written to us, waiting for it.

        Args:
            offset: What the last call returned; 0 at first. Telegram forgets all that came before it.
            timeout: Seconds to wait when there is nothing; Telegram waits at most 50.

        Returns:
            What was heard, and the next offset.

        Raises:
            Trouble: Later and Unsure pass; Broken("conflict") when another process polls or a webhook is set.
        """
        with _troubles():
            updates = await self._bot.get_updates(offset=offset, timeout=timeout, allowed_updates=_UPDATES)
        heard = [heard for update in updates for heard in _heard(update)]
        return heard, max((update.update_id + 1 for update in updates), default=offset)

    async def set_webhook(self, url: str) -> None:
        """Have Telegram call `url`, HTTPS, with our secret.

        Raises:
            Trouble: one of the five kinds.
        """
        with _troubles():
            await self._bot.set_webhook(url, allowed_updates=_UPDATES, secret_token=self._secret)

    async def delete_webhook(self) -> None:
        """Have Telegram keep updates for polling; those that wait stay.

        Raises:
            Trouble: one of the five kinds.
        """
        with _troubles():
            await self._bot.delete_webhook()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sending.shutdown()
        await self._polling.shutdown()


@contextlib.contextmanager
def _troubles() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever the library says, a delivery must be settled
        raise trouble_of(error) from None  # Telegram's sentence may hold a chat id


def _heard(update: telegram.Update) -> Iterator[Heard]:
    """What a person said in an update, if it is from a person alone with us. Edits say nothing new."""
    user, chat = update.effective_user, update.effective_chat
    if user is None or user.is_bot or chat is None or chat.type != ChatType.PRIVATE:
        return
    member = update.my_chat_member
    left = member is not None and member.new_chat_member.status == ChatMemberStatus.BANNED
    text = "" if left else _said(update)
    pressed = update.callback_query.id if update.callback_query else None
    if text is not None:
        yield Heard(str(update.update_id), str(chat.id), text, user.language_code, left=left, pressed=pressed)


def _said(update: telegram.Update) -> str | None:
    """The words of a message or of a pressed button, or a place.

    "" for what holds no words, as a voice, a picture or somebody's number; None for what nobody said to us.
    """
    if update.callback_query is not None:
        return update.callback_query.data
    message = update.message
    if message is None:
        return None
    if message.location is not None:
        return geo_uri(message.location.latitude, message.location.longitude)
    return message.text or message.caption or ("" if message.effective_attachment else None)
