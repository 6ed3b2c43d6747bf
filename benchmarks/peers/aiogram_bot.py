"""aiogram 3 as its documentation shows it: a bot, its own session of aiohttp, `send_message`.

`python -m benchmarks.peers.aiogram_bot MESSAGES SERVER TEXT`
"""

from __future__ import annotations

import sys

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode

from benchmarks.runs import Run, at_once, measure


async def send(messages: int, server: str, text: str) -> Run:
    """A message each, with the session's own 100 connections."""
    run = Run(messages)
    session = AiohttpSession(api=TelegramAPIServer.from_base(server))
    default = DefaultBotProperties(parse_mode=ParseMode.HTML, link_preview_is_disabled=True)
    async with Bot("5:benchmark", session=session, default=default) as bot:
        with run.timed():
            await at_once(lambda number: bot.send_message(9_000_000_000 + number, text), messages)
    return run


if __name__ == "__main__":
    measure(send(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
