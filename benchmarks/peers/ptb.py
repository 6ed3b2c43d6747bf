"""python-telegram-bot 22.8: as its documentation shows it, and over aiohttp, with its objects and without.

`python -m benchmarks.peers.ptb documented|objects|raw MESSAGES SERVER TEXT`
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import aiohttp
from telegram import Bot, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.ext import ApplicationBuilder
from telegram.request import BaseRequest

from benchmarks.runs import IN_FLIGHT, Run, at_once, measure

if TYPE_CHECKING:
    from telegram.request import RequestData

_TOKEN = "5:benchmark"
_FIRST = 9_000_000_000
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class OverAiohttp(BaseRequest):
    """The library's own seam for another client, with as little behind it as works."""

    read_timeout = None

    async def initialize(self) -> None:
        """Open the connections."""
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT))

    async def shutdown(self) -> None:
        """Close them."""
        await self._session.close()

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: object, **__: object
    ) -> tuple[int, bytes]:
        """One request; the status and the body of its answer."""
        data = request_data.json_parameters if request_data else None
        async with self._session.request(method, url, data=data) as answer:
            return answer.status, await answer.read()


async def documented(messages: int, server: str, text: str) -> Run:
    """An application as `ApplicationBuilder` makes it, with its 256 connections of httpx."""
    application = ApplicationBuilder().token(_TOKEN).base_url(f"{server}/bot").build()
    async with application.bot as bot:
        return await _sent(bot, messages, text)


async def objects(messages: int, server: str, text: str) -> Run:
    """The same call over aiohttp: its answer becomes a `Message`."""
    async with _over_aiohttp(server) as bot:
        return await _sent(bot, messages, text)


async def raw(messages: int, server: str, text: str) -> Run:
    """`Bot.do_api_request`, which gives the answer as it is."""
    run = Run(messages)
    async with _over_aiohttp(server) as bot:

        async def send(number: int) -> None:
            values: dict[str, Any] = {"chat_id": _FIRST + number, "text": text, "parse_mode": ParseMode.HTML}
            await bot.do_api_request("sendMessage", {**values, "link_preview_options": _NO_PREVIEW})

        with run.timed():
            await at_once(send, messages)
    return run


def _over_aiohttp(server: str) -> Bot:
    return Bot(_TOKEN, base_url=f"{server}/bot", request=OverAiohttp(), get_updates_request=OverAiohttp())


async def _sent(bot: Bot, messages: int, text: str) -> Run:
    run = Run(messages)
    with run.timed():
        await at_once(
            lambda number: bot.send_message(
                _FIRST + number, text, parse_mode=ParseMode.HTML, link_preview_options=_NO_PREVIEW
            ),
            messages,
        )
    return run


if __name__ == "__main__":
    how = {"documented": documented, "objects": objects, "raw": raw}[sys.argv[1]]
    measure(how(int(sys.argv[2]), sys.argv[3], sys.argv[4]))
