"""The one place where the parts of a deployment are built and joined. What runs beside them is `service`."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from bot.arming import Arming
from bot.broadcasts import Broadcasts
from bot.broadcasts.approval import Approvals
from bot.broadcasts.corrections import Corrections
from bot.broadcasts.plan import Plans
from bot.broadcasts.reports import Reports
from bot.current import Current
from bot.disk import Disk
from bot.dispatcher import Dispatcher, Speaking, alone
from bot.editing import Editing
from bot.figures import Figures
from bot.inbox import Inbox
from bot.lane import Lane
from bot.moments import Clockwork
from bot.opening import open_channel
from bot.outbox import Outbox
from bot.store import Store
from bot.subscribers import Subscribers
from bot.vault import Vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

    from bot.check import Project
    from channels.base import Channel

_IN_FLIGHT = 50
"""Requests that may wait for one vendor's answer at a time: a slow vendor keeps no more than these."""


def _now() -> datetime:
    return datetime.now(UTC)


def _ticks() -> float:
    """Also while the machine sleeps, where the system counts that (Linux); else without the sleep."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


# random is for spreading retries, not for secrets.
CLOCKWORK = Clockwork(now=_now, jitter=random.random, ticks=_ticks)


class App:
    """One deployment, opened: `async with App(project) as app`.

    Raises on entering:
        Unusable: the database cannot be used, or was sealed with another key.
        BadKey: the key is not a key.
    """

    def __init__(self, project: Project, clockwork: Clockwork = CLOCKWORK) -> None:
        self.current = Current(project)
        self.clockwork = clockwork
        self.disk = Disk(project.settings.database_path, clockwork.ticks)
        self.vault: Vault
        self.store: Store
        self.subscribers: Subscribers
        self.outbox: Outbox
        self.broadcasts: Broadcasts
        self.approvals: Approvals
        self.arming: Arming
        self.corrections: Corrections
        self.reports: Reports
        self.plans: Plans
        self.editing: Editing
        self.inbox: Inbox
        self.figures: Figures

    @property
    def project(self) -> Project:
        """The deployment as it stands."""
        return self.current.project

    async def __aenter__(self) -> Self:
        settings, now = self.project.settings, self.clockwork.now
        self.vault = Vault(settings.vault_key.get_secret_value())
        self.store = await Store.open(settings.database_path)
        try:
            self.subscribers = Subscribers(self.store, self.vault)
            await self.subscribers.keep_key()
        except BaseException:
            await self.store.close()
            raise
        self.outbox = Outbox(self.store, self.vault)
        self.reports = Reports(self.store, self.current)
        self.broadcasts = Broadcasts(self.store, self.current, self.reports)
        self.approvals = Approvals(self.store, self.broadcasts)
        self.corrections = Corrections(self.store, self.current)
        self.plans = Plans(self.store, self.current, self.reports)
        self.arming = Arming(self.store, self.vault, settings.database_path, self.clockwork)
        self.editing = Editing(self.store, self.current, self.disk, now)
        self.inbox = Inbox(self.store, self.vault, self.current)
        self.figures = Figures(self.store, self.vault)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.store.close()

    @contextlib.asynccontextmanager
    async def dispatching(self) -> AsyncIterator[tuple[Dispatcher, asyncio.Task[None]]]:
        """The lanes at work, without webhooks: what `announce --wait` needs.

        Yields the dispatcher and the task it runs in, which raises what `Dispatcher.run` raises.

        Raises:
            AlreadyDispatching: another process sends from this database; nothing was begun.
        """
        with alone(self.project.settings.database_path):
            async with self.channels() as channels:
                dispatcher = self.dispatcher(channels)
                task = asyncio.create_task(dispatcher.run())
                try:
                    yield dispatcher, task
                finally:
                    dispatcher.stop()
                    await asyncio.gather(task, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def channels(self) -> AsyncIterator[dict[str, Channel]]:
        """Every sender, opened, and closed at the end."""
        public_url = self.project.settings.web.public_url
        channels: dict[str, Channel] = {
            name: open_channel(sender, f"{public_url}/hooks/{name}" if public_url else None, _IN_FLIGHT)
            for name, sender in self.project.settings.senders.items()
        }
        try:
            yield channels
        finally:
            for channel in channels.values():
                await channel.aclose()

    def dispatcher(self, channels: Mapping[str, Channel]) -> Dispatcher:
        """A lane for each of these senders, not yet at work."""
        speaking = Speaking(self.broadcasts, self.arming, self.disk, self.clockwork)
        senders = self.project.settings.senders
        lanes = [
            Lane(
                name,
                channel,
                senders[name].rate,
                _IN_FLIGHT,
                outbox=self.outbox,
                vault=self.vault,
                speaking=speaking,
                disk=self.disk,
                clockwork=self.clockwork,
            )
            for name, channel in channels.items()
        ]
        return Dispatcher(
            lanes,
            speaking,
            database=self.project.settings.database_path,
            outbox=self.outbox,
            broadcasts=self.broadcasts,
            arming=self.arming,
            disk=self.disk,
            clockwork=self.clockwork,
        )
