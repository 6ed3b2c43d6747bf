"""Hearing without a webhook: Telegram's long polls, and what an earlier version heard and did not answer.

An edge, like `web`: what comes in is answered by `inbound`, and acknowledged only then.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from bot.disk import AGAIN
from bot.store import Unusable
from channels.trouble import Later, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bot.disk import Disk
    from bot.inbound import Inbounds
    from channels.base import Heard
    from channels.telegram import Telegram

log = structlog.get_logger()

_POLL_SECONDS = 25
_PAUSE = 5
"""Seconds before a poll that failed is tried again."""


class Listener:
    """Listens until cancelled.

    Args:
        polled: The bots to ask for updates, by sender.
        hooked: The bots to be called by Telegram instead, each with the URL to call.
        stir: Called with the sender through which there are replies to send.
        rest: Called with a sender, and the seconds for which its vendor wants nothing from it.
        resting: The seconds for which a sender rests.
    """

    def __init__(
        self,
        inbounds: Inbounds,
        polled: Mapping[str, Telegram],
        hooked: Mapping[str, tuple[Telegram, str]],
        disk: Disk,
        *,
        now: Callable[[], datetime],
        stir: Callable[[str], None],
        rest: Callable[[str, float], None],
        resting: Callable[[str], float],
    ) -> None:
        self._inbounds = inbounds
        self._polled = polled
        self._hooked = hooked
        self._disk = disk
        self._now = now
        self._stir = stir
        self._rest = rest
        self._resting = resting

    async def run(self) -> None:
        """Ask, and have it answered.

        Raises:
            Unusable: the database failed, and not only for a while.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._catch_up())
                for sender, bot in self._polled.items():
                    tasks.create_task(self._poll(sender, bot))
                for sender, (bot, url) in self._hooked.items():
                    tasks.create_task(self._hook(sender, bot, url))
            await asyncio.Event().wait()  # webhooks need nobody here
        except ExceptionGroup as faults:
            raise faults.exceptions[0] from None  # the first ended the others

    async def _catch_up(self) -> None:
        while True:
            try:
                while await self._inbounds.answer_waiting(self._now()):
                    pass  # each lane looks by itself before long
            except Unusable as fault:
                if not self._disk.passing(fault):
                    raise
                await asyncio.sleep(AGAIN)
            else:
                return

    async def _poll(self, sender: str, bot: Telegram) -> None:
        offset: int | None = None
        while True:
            try:
                facts, offset = await self._polled_once(sender, bot, offset)
                if not self._resting(sender):  # else some buttons turn a little longer
                    await bot.acknowledge_polled(facts)
            except Trouble as trouble:
                log.warning("poll.trouble", sender=sender, reason=trouble.reason, code=trouble.code)
                await self._pause(sender, trouble)
            except Unusable as fault:
                if not self._disk.passing(fault):
                    raise
                await asyncio.sleep(AGAIN)

    async def _polled_once(
        self, sender: str, bot: Telegram, offset: int | None
    ) -> tuple[Sequence[Heard], int]:
        """What one long poll heard, and the next offset, before which Telegram forgets: it is on the disk."""
        if offset is None:
            await bot.delete_webhook()  # one that was set once keeps Telegram from answering polls
        facts, following = await bot.updates(offset or 0, _POLL_SECONDS)
        await self._inbounds.accept(sender, facts, self._now())
        if facts:
            self._stir(sender)
        return facts, following

    async def _hook(self, sender: str, bot: Telegram, url: str) -> None:
        while True:
            try:
                await bot.set_webhook(url)
            except Trouble as trouble:
                log.warning("hook.trouble", sender=sender, reason=trouble.reason, code=trouble.code)
                await self._pause(sender, trouble)
            else:
                return

    async def _pause(self, sender: str, trouble: Trouble) -> None:
        """Leave a bot alone for a while; as long as its vendor asks for, and nothing is sent then either."""
        pause = float(_PAUSE)
        if isinstance(trouble, Later) and trouble.wait:
            self._rest(sender, trouble.wait.total_seconds())
            pause = max(pause, trouble.wait.total_seconds())
        await asyncio.sleep(pause)
