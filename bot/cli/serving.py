"""Commands that stay: `run`, the service, and `rehearsal`, the vendors' stand-in."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import click
import structlog

from bot.app import App
from bot.cli.arming import warn_if_off
from bot.cli.desk import Desk, command, wait_for
from bot.cli.reporting import warn_hindered
from bot.cli.watching import stop_signals, until_stopped
from bot.disk import AGAIN
from bot.dispatcher import AlreadyDispatching
from bot.service import serving
from bot.settings import Telegram
from bot.store import Unusable
from bot.web.listening import PortTaken

if TYPE_CHECKING:
    from bot.check import Project
    from bot.lookout import Hindrance
    from bot.settings import Settings

log = structlog.get_logger()

_STAND_IN_SECONDS = 2
"""A stand-in on this machine answers at once, or is not there."""
_NEXT_TRY = 1.0
"""Seconds after which whoever stands by sees whether the other process has ended."""


@click.command()
@command
def run(desk: Desk) -> None:
    """Run the service: hear, answer, announce, send.

    Ctrl-C or SIGTERM ends it and loses nothing. Where another process serves this database already, it
    stands by, and takes over when that one ends.
    """
    project = desk.project()

    async def work() -> None:
        stop = asyncio.Event()
        with stop_signals(stop):
            await _in_turn(desk, project, stop)
        desk.say("ended")

    wait_for(work())


async def _in_turn(desk: Desk, project: Project, stop: asyncio.Event) -> None:
    """Serve; while another process does, stand by, with nothing open that it may need or put anew.

    A database that cannot be opened for a while, as on a full disk, is waited for too.
    """
    stands_by, waits_for = False, ""
    while not stop.is_set():
        try:
            await _serve(desk, project, stop)
        except AlreadyDispatching:
            if not stands_by:
                desk.say("stands-by")
            stands_by, pause = True, _NEXT_TRY
        except Unusable as fault:
            if not fault.passes:
                raise
            if fault.why != waits_for:
                desk.warn(f"waits.{fault.why}")
                log.error("run.waits", reason=fault.why)  # noqa: TRY400 - the reason is enough
            waits_for, pause = fault.why, AGAIN
        else:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()


async def _serve(desk: Desk, project: Project, stop: asyncio.Event) -> None:
    """Be the service until `stop`. Raises AlreadyDispatching where another process is."""
    web = project.settings.web
    async with App(project) as app:
        try:
            async with serving(app, partial(_tell, desk)) as (_, working):
                await warn_if_off(desk, app)
                await _introduce(project.settings)
                desk.say("running", url=web.public_url or f"http://{web.host}:{web.port}")
                await until_stopped(stop, working)
        except PortTaken as taken:
            desk.fail("said.port-taken", port=str(taken.port))


def _tell(desk: Desk, hindrance: Hindrance, begins: bool) -> None:  # noqa: FBT001 - as `Lookout` tells it
    """Say what keeps messages waiting, and when it is over."""
    if begins:
        warn_hindered(desk, [hindrance])
    else:
        over = "broadcast" if hindrance.broadcast else "lane" if hindrance.sender else "disk"
        desk.warn(f"hindrance.{over}-over", sender=hindrance.sender, broadcast=str(hindrance.broadcast))


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
