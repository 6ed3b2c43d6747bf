"""The whole service: webhooks, polls, answers, clock, lanes, and who watches over them.

What may enter: what runs beside the dispatcher, started in order and stopped in reverse.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from bot.broadcasts.repeating import Repeating
from bot.clock import Clock
from bot.dispatcher import alone
from bot.housekeeping import Housekeeping
from bot.inbound import Inbounds
from bot.inquiry import Inquiry
from bot.listening import Listener
from bot.lookout import Lookout
from bot.poison import Note
from bot.settings import Telegram
from bot.settling import Settling
from bot.watch import Watch
from bot.web.metrics import observed
from bot.web.server import Server
from channels.telegram import Telegram as TelegramChannel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bot.app import App
    from bot.dispatcher import Dispatcher
    from bot.lookout import Hindrance
    from channels.base import Channel


@contextlib.asynccontextmanager
async def serving(
    app: App, tell: Callable[[Hindrance, bool], None] = lambda _what, _begins: None
) -> AsyncIterator[tuple[Dispatcher, asyncio.Task[None]]]:
    """Serve a deployment. What hinders it is told to `tell`.

    Yields the dispatcher and a task that raises what ends one of the parts.

    Raises:
        AlreadyDispatching: another process sends from this database; nothing was begun.
        PortTaken: another program listens where we should.
    """
    database = app.project.settings.database_path
    with alone(database), contextlib.closing(Note(database)) as note:
        async with app.channels() as channels:
            parts = _Parts(app, channels, note, tell)
            dispatching = asyncio.create_task(parts.dispatcher.run())
            try:
                await parts.inbounds.begin(app.clockwork.now())
                await parts.watch.look()
                await parts.server.start()
                await app.current.prepare()
                metrics = app.project.settings.metrics
                async with (
                    observed(parts.watch, parts.server.answered, metrics),
                    parts.at_work(dispatching) as working,
                ):
                    yield parts.dispatcher, working
            finally:
                parts.dispatcher.stop()  # together: each may take seconds, and both have ten
                await asyncio.gather(dispatching, parts.server.stop(), return_exceptions=True)


class _Parts:
    """All that serves one deployment."""

    def __init__(
        self,
        app: App,
        channels: Mapping[str, Channel],
        note: Note,
        tell: Callable[[Hindrance, bool], None],
    ) -> None:
        self._app, self._channels = app, channels
        settings, now = app.project.settings, app.clockwork.now
        self._public_url = settings.web.public_url or f"http://{settings.web.host}:{settings.web.port}"
        self.dispatcher = app.dispatcher(channels)
        self.inbounds = Inbounds(app.store, app.vault, note, current=app.current, outbox=app.outbox)
        self.watch = Watch(
            self.dispatcher,
            store=app.store,
            database=settings.database_path,
            receipted=settings.receipted,
            arming=app.arming,
            clockwork=app.clockwork,
        )
        self.server = Server(
            channels,
            self.inbounds,
            app.disk,
            host=settings.web.host,
            port=settings.web.port,
            public_url=self._public_url,
            now=now,
            stir=self.dispatcher.replied,
            status=lambda: self.watch.health.status,
        )
        tidy = Housekeeping(app.store, app.vault, settings.kept)
        self._clock = Clock(app.broadcasts, tidy, app.arming, app.disk, stir=self.dispatcher.stir)
        self._lookout = Lookout(app.store, self.dispatcher.lanes, app.disk, tell)
        self._listener = self._listening()
        self._settling = self._settles()

    @contextlib.asynccontextmanager
    async def at_work(self, dispatching: asyncio.Task[None]) -> AsyncIterator[asyncio.Task[None]]:
        """What makes work for the dispatcher; begun once it may send, ended before it."""
        running = self._hear(), self._settle(), self._app.editing.run(), self._lookout.run()
        jobs = [asyncio.create_task(job) for job in running]
        working = asyncio.create_task(_first_fault(*jobs, dispatching))
        try:
            yield working
        finally:
            self.dispatcher.stop()  # first: what still ends below takes a while
            self._clock.stop()
            for task in (working, *jobs):
                task.cancel()
            await asyncio.gather(working, *jobs, return_exceptions=True)
            await self._app.editing.end()
            await self._lookout.end()

    async def _hear(self) -> None:
        await self.dispatcher.armed.wait()
        self._clock.start()
        await self._listener.run()

    async def _settle(self) -> None:
        await self.dispatcher.armed.wait()
        await self._settling.run()

    def _listening(self) -> Listener:
        senders = self._app.project.settings.senders
        bots = {name: bot for name, bot in self._channels.items() if isinstance(bot, TelegramChannel)}
        called = {
            name
            for name in bots
            if isinstance(sender := senders[name], Telegram) and sender.updates == "webhook"
        }
        lanes = {lane.sender: lane for lane in self.dispatcher.lanes}
        return Listener(
            self.inbounds,
            {name: bot for name, bot in bots.items() if name not in called},
            {name: (bots[name], f"{self._public_url}/hooks/{name}") for name in called},
            self._app.disk,
            now=self._app.clockwork.now,
            stir=self.dispatcher.replied,
            rest=lambda sender, seconds: lanes[sender].rest(seconds),
            resting=lambda sender: lanes[sender].resting,
        )

    def _settles(self) -> Settling:
        lanes = {lane.sender: lane for lane in self.dispatcher.lanes}
        return Settling(
            self._app.store,
            Inquiry(self._app.store, self._app.vault),
            channels=self._channels,
            resting=lambda sender: bool(lanes[sender].trouble or lanes[sender].resting),
            stir=self.dispatcher.stir,
            repeating=Repeating(self._app.store, self._app.current),
            arming=self._app.arming,
            clockwork=self._app.clockwork,
        )


async def _first_fault(*tasks: asyncio.Task[None]) -> None:
    """Wait until one of them ends, which none does by itself; raises what ended it."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        await task
