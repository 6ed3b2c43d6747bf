"""Commands that stay: `run`, the service, and `rehearsal`, the vendors' stand-in."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import aiohttp
import click

from bot.app import App
from bot.cli.arming import warn_if_off
from bot.cli.desk import Desk, command, wait_for
from bot.cli.watching import stop_signals, until_stopped
from bot.settings import Telegram
from bot.web.listening import PortTaken

if TYPE_CHECKING:
    from bot.settings import Settings

_STAND_IN_SECONDS = 2
"""A stand-in on this machine answers at once, or is not there."""


@click.command()
@command
def run(desk: Desk) -> None:
    """Run the service: hear, answer, announce, send.

    Ctrl-C or SIGTERM ends it and loses nothing.
    """
    project = desk.project()
    web = project.settings.web

    async def work() -> None:
        stop = asyncio.Event()
        with stop_signals(stop):
            async with App(project) as app:
                try:
                    async with app.serving() as (_, working):
                        await warn_if_off(desk, app)
                        await _introduce(project.settings)
                        desk.say("running", url=web.public_url or f"http://{web.host}:{web.port}")
                        await until_stopped(stop, working)
                except PortTaken as taken:
                    desk.fail("said.port-taken", port=str(taken.port))
        desk.say("ended")

    wait_for(work())


async def _introduce(settings: Settings) -> None:
    """Tell a rehearsal where what people write goes, as somebody tells Twilio by hand in its console."""
    public_url = settings.web.public_url or f"http://{settings.web.host}:{settings.web.port}"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_STAND_IN_SECONDS)) as session:
        for name, sender in settings.senders.items():
            if isinstance(sender, Telegram) or not sender.api_base or not sender.number:
                continue
            line = {
                "channel": sender.channel,
                "sender": sender.number,
                "url": f"{public_url}/hooks/{name}",
                "account_sid": sender.account_sid.get_secret_value(),
                "auth_token": sender.auth_token.get_secret_value(),
            }
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):  # it may not be there yet
                await session.post(f"{sender.api_base}/rehearsal/webhooks", json=line)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=9000, show_default=True)
@command
def rehearsal(desk: Desk, host: str, port: int) -> None:
    """Run only the vendors' stand-in and its phones."""
    from channels.rehearsal import start

    async def work() -> None:
        stop = asyncio.Event()
        try:
            running = await start(host, port)
        except OSError:
            desk.fail("said.port-taken-rehearsal", port=str(port))
        with stop_signals(stop):
            desk.say("rehearsing", url=running.url)
            await stop.wait()
            await running.aclose()

    wait_for(work())
