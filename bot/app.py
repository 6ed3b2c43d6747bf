"""The one place where the parts are built and joined, started in order and stopped in reverse."""

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
from bot.clock import Clock
from bot.current import Current
from bot.dispatcher import Dispatcher, Speaking
from bot.editing import Editing
from bot.figures import Figures
from bot.housekeeping import Housekeeping
from bot.inbound import Inbounds
from bot.inbox import Inbox
from bot.lane import Lane
from bot.listening import Listener
from bot.moments import Clockwork
from bot.outbox import Outbox
from bot.poison import Note
from bot.settings import Sms, Telegram
from bot.store import Store
from bot.subscribers import Subscribers
from bot.vault import Vault
from bot.web.server import Server
from channels.sms import Sms as SmsChannel
from channels.telegram import Telegram as TelegramChannel
from channels.whatsapp import WhatsApp as WhatsAppChannel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

    from bot.check import Project
    from bot.settings import Whatsapp
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
        self._vault: Vault
        self._note: Note

    @property
    def project(self) -> Project:
        """The deployment as it stands."""
        return self.current.project

    async def __aenter__(self) -> Self:
        self._vault = Vault(self.project.settings.vault_key.get_secret_value())
        self.store = await Store.open(self.project.settings.database_path)
        try:
            self.subscribers = Subscribers(self.store, self._vault)
            await self.subscribers.keep_key()
        except BaseException:
            await self.store.close()
            raise
        self._note = Note(self.project.settings.database_path)
        self.outbox = Outbox(self.store, self._vault)
        self.reports = Reports(self.store, self.current)
        self.broadcasts = Broadcasts(self.store, self.current, self.reports)
        self.approvals = Approvals(self.store, self.broadcasts)
        self.corrections = Corrections(self.store, self.current)
        self.plans = Plans(self.store, self.current, self.reports)
        self.arming = Arming(self.store, self.project.settings.database_path, self.clockwork)
        self.editing = Editing(self.store, self.current, self.clockwork.now)
        self.inbox = Inbox(self.store, self._vault, self.current)
        self.figures = Figures(self.store, self._vault)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._note.close()
        await self.store.close()

    @contextlib.asynccontextmanager
    async def dispatching(self) -> AsyncIterator[tuple[Dispatcher, asyncio.Task[None]]]:
        """The lanes at work, without webhooks: what `announce --wait` needs.

        Yields the dispatcher and the task it runs in, which raises what `Dispatcher.run` raises.
        """
        async with self._channels() as channels:
            dispatcher = self._dispatcher(channels)
            task = asyncio.create_task(dispatcher.run())
            try:
                yield dispatcher, task
            finally:
                dispatcher.stop()
                await asyncio.gather(task, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[tuple[Dispatcher, asyncio.Task[None]]]:
        """The whole service: webhooks, polls, answers, clock, lanes.

        Yields the dispatcher and a task that raises what ends one of them.

        Raises:
            AlreadyDispatching: another process serves this database.
            OSError: the port is taken.
        """
        web, now = self.project.settings.web, self.clockwork.now
        public_url = web.public_url or f"http://{web.host}:{web.port}"
        async with self._channels() as channels:
            dispatcher, inbounds = self._dispatcher(channels), self._inbounds()
            listener = self._listener(channels, inbounds, public_url, dispatcher)
            server = Server(
                channels,
                inbounds,
                host=web.host,
                port=web.port,
                public_url=public_url,
                now=now,
                stir=dispatcher.replied,
            )
            tidy = Housekeeping(self.store, self._vault)
            clock = Clock(self.broadcasts, tidy, self.arming, stir=dispatcher.stir)
            dispatching = asyncio.create_task(dispatcher.run())
            try:
                await asyncio.sleep(0)  # it takes the lock, or knows that it cannot, before it waits
                if dispatching.done():
                    await dispatching
                await inbounds.begin(now())
                await server.start()
                await self.current.prepare()
                jobs = listener, self.editing, clock, dispatcher
                async with _at_work(*jobs, dispatching) as working:
                    yield dispatcher, working
            finally:
                dispatcher.stop()
                await asyncio.gather(dispatching, return_exceptions=True)
                await server.stop()

    def _inbounds(self) -> Inbounds:
        return Inbounds(self.store, self._vault, self._note, current=self.current, outbox=self.outbox)

    def _listener(
        self, channels: Mapping[str, Channel], inbounds: Inbounds, public_url: str, dispatcher: Dispatcher
    ) -> Listener:
        senders = self.project.settings.senders
        bots = {name: bot for name, bot in channels.items() if isinstance(bot, TelegramChannel)}
        called = {
            name
            for name in bots
            if isinstance(sender := senders[name], Telegram) and sender.updates == "webhook"
        }
        return Listener(
            inbounds,
            {name: bot for name, bot in bots.items() if name not in called},
            {name: (bots[name], f"{public_url}/hooks/{name}") for name in called},
            now=self.clockwork.now,
            stir=dispatcher.replied,
        )

    def _dispatcher(self, channels: Mapping[str, Channel]) -> Dispatcher:
        speaking = Speaking(self.broadcasts, self.arming, self.clockwork)
        senders = self.project.settings.senders
        lanes = [
            Lane(
                name,
                channel,
                senders[name].rate,
                _IN_FLIGHT,
                outbox=self.outbox,
                vault=self._vault,
                speaking=speaking,
                clockwork=self.clockwork,
            )
            for name, channel in channels.items()
        ]
        path = self.project.settings.database_path
        lock = path.with_name(path.name + ".dispatcher.lock")
        return Dispatcher(
            lanes,
            speaking,
            outbox=self.outbox,
            broadcasts=self.broadcasts,
            arming=self.arming,
            clockwork=self.clockwork,
            lock=lock,
        )

    @contextlib.asynccontextmanager
    async def _channels(self) -> AsyncIterator[dict[str, Channel]]:
        """Every sender, opened, and closed at the end."""
        public_url = self.project.settings.web.public_url
        channels: dict[str, Channel] = {
            name: _open(sender, f"{public_url}/hooks/{name}" if public_url else None)
            for name, sender in self.project.settings.senders.items()
        }
        try:
            yield channels
        finally:
            for channel in channels.values():
                await channel.aclose()


@contextlib.asynccontextmanager
async def _at_work(
    listener: Listener,
    editing: Editing,
    clock: Clock,
    dispatcher: Dispatcher,
    dispatching: asyncio.Task[None],
) -> AsyncIterator[asyncio.Task[None]]:
    """What makes work for the dispatcher; begun once it may send, ended before it."""

    async def once_armed() -> None:
        await dispatcher.armed.wait()
        clock.start()
        await listener.run()

    jobs = [asyncio.create_task(job) for job in (once_armed(), editing.run())]
    working = asyncio.create_task(_first_fault(*jobs, dispatching))
    try:
        yield working
    finally:
        clock.stop()
        for task in (working, *jobs):
            task.cancel()
        await asyncio.gather(working, *jobs, return_exceptions=True)
        await editing.end()


async def _first_fault(*tasks: asyncio.Task[None]) -> None:
    """Wait until one of them ends, which none does by itself; raises what ended it."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        await task


def _open(sender: Telegram | Sms | Whatsapp, callback: str | None) -> Channel:
    if isinstance(sender, Telegram):
        return TelegramChannel(
            token=sender.token.get_secret_value(),
            api_base=sender.api_base,
            secret=sender.webhook_secret.get_secret_value() if sender.updates == "webhook" else "",
            concurrency=_IN_FLIGHT,
        )
    kind = SmsChannel if isinstance(sender, Sms) else WhatsAppChannel
    return kind(
        account_sid=sender.account_sid.get_secret_value(),
        auth_token=sender.auth_token.get_secret_value(),
        from_=sender.number,
        messaging_service=sender.messaging_service,
        api_base=sender.api_base,
        status_callback=callback,
        concurrency=_IN_FLIGHT,
    )
