"""A Telegram bot as its vendor knows it: the updates that wait for it, its webhook or its poller."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from channels.rehearsal.bot_api_messages import Content
    from channels.rehearsal.callbacks import Callbacks

TOKEN = re.compile(r"(?P<id>\d{1,16}):.*rehearsal.*", re.IGNORECASE)
"""What a rehearsal takes for a token; anything else might be a real one and is refused."""
WAITING = 10_000
"""Updates kept for a bot that does not ask."""
REMEMBERED = 100_000
"""Messages that a bot may still change; the oldest go first."""
LONGEST_POLL = 50.0
"""Seconds (telegram-bot-api, `Client.h`)."""
LONGEST_WAIT = 60.0
"""Seconds between two tries of a webhook."""


class Terminated(Exception):  # noqa: N818 - Telegram's word
    """A second poller came."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where updates are pushed to."""

    url: str
    secret: str = ""


class Sent(NamedTuple):
    """A message of the bot as it stands on a phone.

    Attributes:
        markup: What is under it, as it was given.
        date: When it was sent, in seconds since 1970.
    """

    address: str
    content: Content
    markup: str
    date: int


class Bot:
    """One bot.

    Args:
        first: A number its updates and messages count from; higher after a restart, so that none comes twice.

    Attributes:
        sent: What it may still change, by its number.
    """

    def __init__(self, bot_id: str, first: int, callbacks: Callbacks) -> None:
        self.id = bot_id
        self.updates: deque[dict[str, Any]] = deque(maxlen=WAITING)
        self.allowed: list[str] = []
        self.webhook: Webhook | None = None
        self.last_error = ""
        self.sent: dict[int, Sent] = {}
        self._presses: dict[str, Callable[[], None]] = {}
        self._next_update = first
        self._next_message = first % 1_000_000 * 100
        self._callbacks = callbacks
        self._news = asyncio.Event()
        self._poll: asyncio.Future[None] | None = None
        self._pushing: asyncio.Task[None] | None = None

    def as_user(self) -> dict[str, Any]:
        """Telegram's `User`."""
        return {
            "id": int(self.id),
            "is_bot": True,
            "first_name": "Pregonero (ensayo)",
            "username": f"rehearsal_{self.id}_bot",
        }

    def message_id(self) -> int:
        """The next one; Telegram counts them for each bot."""
        self._next_message += 1
        return self._next_message

    def keep(self, sent: Sent) -> int:
        """A message was sent; its number."""
        if len(self.sent) >= REMEMBERED:
            del self.sent[next(iter(self.sent))]
        number = self.message_id()
        self.sent[number] = sent
        return number

    def push(self, kind: str, content: dict[str, Any]) -> None:
        """Something happened that the bot may want to know."""
        if self.allowed and kind not in self.allowed:
            return
        self._next_update += 1
        self.updates.append({"update_id": self._next_update, kind: content})
        self._news.set()

    def press(self, content: dict[str, Any], heard: Callable[[], None]) -> None:
        """A button was pressed: Telegram's `CallbackQuery`, and what to do once the bot has answered it."""
        self._presses[content["id"]] = heard
        self.push("callback_query", content)

    def answer_press(self, query: str) -> bool:
        """Telegram's `answerCallbackQuery`; whether there was such a press to answer."""
        heard = self._presses.pop(query, None)
        if heard is not None:
            heard()
        return heard is not None

    async def poll(self, offset: int, limit: int, timeout: float) -> list[dict[str, Any]]:  # noqa: ASYNC109 - Telegram's parameter
        """Telegram's `getUpdates`.

        Raises:
            Terminated: another poller took over.
        """
        self._confirm(offset)
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        mine = self._poll = asyncio.get_running_loop().create_future()
        if not self.updates and timeout > 0:
            self._news.clear()
            news = asyncio.create_task(self._news.wait())
            try:
                await asyncio.wait(
                    (news, mine), timeout=min(timeout, LONGEST_POLL), return_when="FIRST_COMPLETED"
                )
            finally:
                news.cancel()
            if mine.done():
                raise Terminated
        return list(self.updates)[: max(1, min(limit, 100))]

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            while len(self.updates) > -offset:
                self.updates.popleft()
        while offset > 0 and self.updates and self.updates[0]["update_id"] < offset:
            self.updates.popleft()

    def set_webhook(self, webhook: Webhook | None, *, drop: bool) -> None:
        """Push to there from now on, or no more."""
        self.webhook = webhook
        self.last_error = ""
        if drop:
            self.updates.clear()
        if self._pushing is not None:
            self._pushing.cancel()
            self._pushing = None
        if webhook is not None:
            self._pushing = asyncio.create_task(self._push_all(webhook))

    async def _push_all(self, webhook: Webhook) -> None:
        wait = 1.0
        while True:
            self._news.clear()
            if not self.updates:
                await self._news.wait()
            update = self.updates[0]
            headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
            answer = await self._callbacks.post(webhook.url, json.dumps(update), "application/json", headers)
            if answer.good:
                wait = 1.0
                self._carry_out(answer.text)
                with contextlib.suppress(ValueError):
                    self.updates.remove(update)
                continue
            self.last_error = (
                f"Wrong response from the webhook: {answer.status}" if answer.status else "Connection refused"
            )
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _carry_out(self, reply: str) -> None:
        """The method call that a webhook's reply may hold; nobody is told how it went."""
        try:
            call = json.loads(reply)
        except ValueError:
            return
        if isinstance(call, dict) and str(call.get("method")).lower() == "answercallbackquery":
            self.answer_press(str(call.get("callback_query_id")))

    async def aclose(self) -> None:
        """Push no more."""
        if self._pushing is not None:
            self._pushing.cancel()
            await asyncio.gather(self._pushing, return_exceptions=True)
