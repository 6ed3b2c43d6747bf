"""A broadcast on its way, seen from the terminal: progress, what the lanes complain of, and when to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.arming import DOUBTS
from bot.cli.arming import warn_off
from bot.cli.reporting import warn_hindered
from bot.dispatcher import AlreadyDispatching
from bot.lookout import of_lane

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.app import App
    from bot.broadcasts.reports import Report
    from bot.cli.desk import Desk
    from bot.dispatcher import Dispatcher
    from bot.lookout import Hindrance

_LOOK = 0.25
_PATIENCE = {True: 2.0, False: 45.0}
"""Seconds without any progress after which waiting ends, when a lane's trouble is ours, or the vendor's."""
_PATIENCE_WITH_OTHERS = 60.0
"""The same when another process sends, whose lanes we cannot see."""


async def watch(desk: Desk, app: App, broadcasts: Sequence[int], stop: asyncio.Event) -> bool:
    """Send until nothing more can be sent now. False when something is left that a person must mend.

    Where another process already sends from this database, it is left to it, and only watched.
    """
    try:
        async with app.dispatching() as (dispatcher, dispatching):
            return await watch_running(desk, app, broadcasts, stop, dispatcher, dispatching)
    except AlreadyDispatching:
        desk.say("others-send")
    return await watch_running(desk, app, broadcasts, stop)


async def watch_running(
    desk: Desk,
    app: App,
    broadcasts: Sequence[int],
    stop: asyncio.Event,
    dispatcher: Dispatcher | None = None,
    working: asyncio.Task[None] | None = None,
) -> bool:
    """The same beside a dispatcher that is already at work, here or in another process (None)."""
    watcher = _Watcher(desk, app, broadcasts, stop)
    with watcher.progress:
        return await watcher.until_done(dispatcher, working)


async def until_stopped(stop: asyncio.Event, working: asyncio.Task[None]) -> None:
    """Wait for `stop`; raises what ended the work before."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({stopped, working}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if working.done():
        await working


@contextlib.contextmanager
def stop_signals(stop: asyncio.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM, however often, set `stop` instead of tearing the work apart."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


class _Watcher:
    def __init__(self, desk: Desk, app: App, broadcasts: Sequence[int], stop: asyncio.Event) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=desk.notes,
            disable=not desk.notes.is_terminal,
        )
        self._desk, self._app, self._broadcasts, self._stop = desk, app, broadcasts, stop
        self._bars = {number: self.progress.add_task("", total=None, start=True) for number in broadcasts}
        self._said: set[Hindrance] = set()
        self._waited: set[str] = set()
        self._open = -1
        self._moved_at = 0.0

    async def until_done(self, dispatcher: Dispatcher | None, working: asyncio.Task[None] | None) -> bool:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            reports = [await self._app.reports.report(b, self._app.clockwork.now()) for b in self._broadcasts]
            self._show(reports)
            left = sum(report.open for report in reports)
            if left != self._open:
                self._open, self._moved_at = left, loop.time()
            if not left:
                if await self._app.arming.off() is None:  # by a wrong clock everything is over
                    await self._app.broadcasts.finish(self._app.clockwork.now())
                return True
            if self._stop.is_set():
                self._desk.warn("said.stopped")
                return False
            if working is not None and working.done():
                await working  # raises what ended it
            if await self._off(reports):
                return False
            if self._stuck(dispatcher, loop.time() - self._moved_at):
                self._desk.warn("said.left-waiting")
                return False
            await self._pause(max(_LOOK, 4 * (loop.time() - began)))  # counting a million takes a while

    async def _off(self, reports: Sequence[Report]) -> bool:
        """Say why this copy sends nothing of this; whether waiting is of no use."""
        off = await self._app.arming.off()
        if off is None or (off in DOUBTS and all(report.why for report in reports)):
            return False
        warn_off(self._desk, off)
        return True

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    def _show(self, reports: Sequence[Report]) -> None:
        for report in reports:
            total = sum(report.counts.values())
            description = self._desk.place(self._app.project, report.community)
            self.progress.update(
                self._bars[report.broadcast],
                description=description,
                total=total,
                completed=total - report.open,
            )

    def _stuck(self, dispatcher: Dispatcher | None, quiet: float) -> bool:
        """Say once what each lane complains of; whether waiting longer is of no use."""
        if dispatcher is None:
            return quiet > _PATIENCE_WITH_OTHERS
        patience = None
        for lane in dispatcher.lanes:
            for one in of_lane(lane):
                if one.broadcast in {0, *self._bars}:
                    self._complain(one)
                    patience = max(patience or 0.0, _PATIENCE[one.kind != "lane-theirs"])
            if lane.trouble is None and lane.resting > 1 and lane.sender not in self._waited:
                self._waited.add(lane.sender)
                self._desk.warn("said.lane-waits", sender=lane.sender, seconds=round(lane.resting))
        return patience is not None and quiet > patience

    def _complain(self, hindrance: Hindrance) -> None:
        alike = replace(hindrance, code="")
        if alike not in self._said:
            self._said.add(alike)
            warn_hindered(self._desk, [hindrance])
