"""Senders of the rehearsal that may give no answer, and a service that finds out what became of it."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.broadcasts.repeating import Repeating
from bot.inquiry import Inquiry
from bot.settling import Settling
from channels.sms import Sms
from channels.telegram import Telegram
from channels.whatsapp import WhatsApp
from tests.conftest import ACCOUNT, BOT_TOKEN, TOKEN
from tests.core import when
from tests.deployment import SMS, WHATSAPP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.dispatcher import Dispatcher
    from channels.base import Channel
    from tests.conftest import Rehearsal
    from tests.core import Core


def sms(rehearsal: Rehearsal) -> tuple[str, Channel]:
    """A number of the rehearsal, which is told of nothing."""
    return "sms", Sms(account_sid=ACCOUNT, auth_token=TOKEN, from_=SMS, api_base=rehearsal.url, timeout=0.5)


def whatsapp(rehearsal: Rehearsal) -> tuple[str, Channel]:
    """A WhatsApp number of the rehearsal."""
    return "whatsapp", WhatsApp(
        account_sid=ACCOUNT, auth_token=TOKEN, from_=WHATSAPP, api_base=rehearsal.url, timeout=0.5
    )


def bot(rehearsal: Rehearsal) -> tuple[str, Channel]:
    """A bot of the rehearsal."""
    return "bot", Telegram(token=BOT_TOKEN, api_base=rehearsal.url, secret="", concurrency=5, timeout=0.5)


@asynccontextmanager
async def service(
    core: Core, *opened: tuple[str, Channel], resting: bool = False
) -> AsyncIterator[Dispatcher]:
    """Lanes at work, and what is unknown settled beside them."""
    async with core.dispatching(*opened) as dispatcher:
        at_work = Settling(
            core.store,
            Inquiry(core.store, core.vault),
            channels=dict(opened),
            resting=lambda _: resting,
            stir=dispatcher.stir,
            repeating=Repeating(core.store, core.current),
            arming=core.arming,
            clockwork=core.clockwork,
        )
        task = asyncio.create_task(at_work.run())
        try:
            yield dispatcher
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def taken(rehearsal: Rehearsal) -> list[str]:
    """What the vendor accepted, in order."""
    return [row["text"] for row in await rehearsal.ledger() if row["outcome"] == "accepted"]


async def unknown(core: Core, count: int = 1, looked: int | None = None) -> None:
    """Wait until so many deliveries are unknown, and were looked for so often."""

    async def so() -> bool:
        rows = await core.rows("SELECT looked FROM deliveries WHERE state = 'unknown'")
        return len(rows) == count and (looked is None or rows == [(looked,)] * count)

    await when(so)


async def rest() -> None:
    """Time for many looks."""
    await asyncio.sleep(0.3)


async def is_state(core: Core, broadcast: int, state: str) -> bool:
    """Whether a broadcast is in a state."""
    return await core.state(broadcast) == state
