"""What Twilio sends back: signed receipts in their order, and signed webhooks when a person writes.

Signature: base64 of HMAC-SHA1 with the account's token over the URL and every parameter's name and value,
names sorted (https://www.twilio.com/docs/usage/webhooks/webhooks-security). Nothing leaves this machine:
an address that is not a loopback one is not called.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

WORKERS = 8
"""Requests under way at once: few, so that a broadcast is accepted before its receipts crowd in."""
PATIENCE = aiohttp.ClientTimeout(total=15)
"""Twilio waits this long for a webhook's answer by default."""


@dataclass(frozen=True, slots=True)
class Line:
    """Where what people write to one number goes, and with which token it is signed."""

    url: str
    account_sid: str
    auth_token: str = field(repr=False)


class Answer(NamedTuple):
    """What the bot's side said.

    Attributes:
        status: HTTP's, or 0 when nobody answered.
    """

    status: int
    text: str = ""

    @property
    def good(self) -> bool:
        """Whether the bot took it."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own


def signature(token: str, url: str, parameters: Mapping[str, str]) -> str:
    """`X-Twilio-Signature` of a form posted to `url`."""
    signed = url + "".join(name + parameters[name] for name in sorted(parameters))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


def is_local(url: str) -> bool:
    """Whether `url` stays on this machine."""
    try:
        host = URL(url).host or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Callbacks:
    """A queue of things to do towards the bot, done by a fixed number of workers."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(timeout=PATIENCE, cookie_jar=aiohttp.DummyCookieJar())
        self._start()

    def _start(self) -> None:
        self._queue: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._workers = [asyncio.create_task(self._work(self._queue)) for _ in range(WORKERS)]

    async def _work(self, queue: asyncio.Queue[Callable[[], Awaitable[None]]]) -> None:
        while True:
            await (await queue.get())()

    async def _stop(self) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def soon(self, job: Callable[[], Awaitable[None]], delay: float = 0) -> None:
        """Do `job` after `delay` seconds, when a worker is free."""
        if delay:
            asyncio.get_running_loop().call_later(delay, self._queue.put_nowait, job)
        else:
            self._queue.put_nowait(job)

    async def forget(self) -> None:
        """Drop what is under way and what waits; what was delayed ends up in the old queue, unread."""
        await self._stop()
        self._start()

    async def post(self, url: str, body: str, kind: str, headers: Mapping[str, str]) -> Answer:
        """One request to the bot, with a body of the content type `kind`."""
        if not is_local(url):
            return Answer(0)
        try:
            async with self._session.post(
                URL(url, encoded=True),
                data=body.encode(),
                headers={**headers, "Content-Type": kind},
                allow_redirects=False,
            ) as answer:
                return Answer(answer.status, await answer.text(errors="replace"))
        except (aiohttp.ClientError, TimeoutError):
            return Answer(0)

    async def post_signed(self, url: str, parameters: Mapping[str, str], token: str) -> bool:
        """Post a form as Twilio does.

        Returns:
            Whether the bot took it.
        """
        headers = {"X-Twilio-Signature": signature(token, url, parameters), "User-Agent": "TwilioProxy/1.1"}
        return (
            await self.post(url, urlencode(parameters), "application/x-www-form-urlencoded", headers)
        ).good

    async def aclose(self) -> None:
        """Stop; what is still queued is forgotten, as a vendor's receipts are when nobody asks again."""
        await self._stop()
        await self._session.close()
