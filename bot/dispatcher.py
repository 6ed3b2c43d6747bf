"""The one who sends: all lanes at work, and nobody else beside it on the same database.

Whoever holds the lock on `<database>.dispatcher.lock` may dispatch. So a claim that is found when the lock is
taken has no owner any more, and becomes unknown instead of being sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from typing import TYPE_CHECKING

import structlog

from bot.disk import AGAIN
from bot.poison import Sending
from bot.store import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bot.arming import Arming
    from bot.broadcasts import Broadcasts
    from bot.disk import Disk
    from bot.lane import Lane
    from bot.moments import Clockwork
    from bot.outbox import Outbox

log = structlog.get_logger()

_LOOK = 0.5
"""Seconds for which the list of broadcasts that may speak is believed: a pause takes effect within it."""
_OFF = 1.0
"""Seconds between two looks whether somebody armed a copy that may not send."""


class AlreadyDispatching(Exception):  # noqa: N818 - what is so
    """Another process dispatches from this database."""


@contextlib.contextmanager
def alone(database: Path) -> Iterator[None]:
    """Be the one who dispatches from this database. The kernel ends it with the process, however that ends.

    Raises:
        AlreadyDispatching: somebody else does.
    """
    with database.with_name(database.name + ".dispatcher.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyDispatching from None
        yield


def at_work(database: Path) -> bool:
    """Whether a process dispatches from this database now. Whoever asks holds its lock for that instant."""
    try:
        with alone(database):
            return False
    except AlreadyDispatching:
        return True


class Speaking:
    """The broadcasts that may speak now, looked up for all lanes together."""

    def __init__(self, broadcasts: Broadcasts, arming: Arming, disk: Disk, clockwork: Clockwork) -> None:
        self._broadcasts = broadcasts
        self._arming = arming
        self._disk = disk
        self._clockwork = clockwork
        self._known: list[tuple[int, int | None]] = []
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def __call__(self) -> list[tuple[int, int | None]]:
        """Each with its `valid_until` in milliseconds, first first."""
        async with self._lock:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._until:
                shown = self._clockwork.now()
                doubtful = await self._arming.doubts(shown)
                self._known = await self._broadcasts.speaking(
                    shown, doubtful=doubtful, short=self._disk.short
                )
                self._until = loop.time() + _LOOK
        return self._known

    def look(self) -> None:
        """Something changed: look again at once."""
        self._until = 0.0


class Dispatcher:
    """All lanes of one deployment.

    Attributes:
        speaking: The broadcasts that may speak now.
        armed: Set once this copy of the database may send.
        beat_at: When it last showed that it lives, by the loop's time; None before it may send.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        speaking: Speaking,
        *,
        database: Path,
        outbox: Outbox,
        broadcasts: Broadcasts,
        arming: Arming,
        disk: Disk,
        clockwork: Clockwork,
    ) -> None:
        self.lanes = lanes
        self.armed = asyncio.Event()
        self.beat_at: float | None = None
        self.speaking = speaking
        self._sending = Sending(database)
        self._outbox = outbox
        self._broadcasts = broadcasts
        self._arming = arming
        self._disk = disk
        self._clockwork = clockwork
        self._stopped = asyncio.Event()

    def stir(self) -> None:
        """There is something new to send."""
        self.speaking.look()
        for lane in self.lanes:
            lane.stir()

    def replied(self, sender: str) -> None:
        """There is a reply to send through this sender; what may speak beside it is as it was."""
        for lane in self.lanes:
            if lane.sender == sender:
                lane.stir()

    def stop(self) -> None:
        """Let what is in flight end, and return from `run`."""
        self._stopped.set()
        for lane in self.lanes:
            lane.stop()

    @property
    def idle(self) -> bool:
        """No lane has anything in hand."""
        return all(lane.idle for lane in self.lanes)

    async def run(self) -> None:
        """Dispatch until `stop`, for whoever is `alone`.

        To be cancelled is to be stopped: what is in flight ends all the same. A copy that may not send waits
        until somebody arms it, and claims nothing; so does one that finds the disk full.

        Raises:
            Unusable: the database failed; nothing is sent that could not be written down.
        """
        if not await self._begin():
            return
        jobs = [asyncio.create_task(job) for job in (self._keep(), *(lane.run() for lane in self.lanes))]
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self.stop()
            await asyncio.wait(jobs)
            if all(map(_ended_well, jobs)):
                self._sending.end()
        for job in jobs:
            job.result()

    async def _begin(self) -> bool:
        """Find what the last process left, as soon as we may send. False when we are stopped before."""
        said = False
        while not self._stopped.is_set():
            try:
                if not await self._may_send():
                    return False
                if orphans := await self._outbox.recover(self._clockwork.now(), cut_off=self._sending.found):
                    log.warning("dispatcher.unknown", deliveries=orphans)
                self._sending.begin()
            except Unusable as fault:
                if not self._disk.passing(fault):
                    raise
                if not said:
                    log.error("dispatcher.waits", reason=fault.why)  # noqa: TRY400 - the reason is enough
                said = True
                await self._pause(AGAIN)
            else:
                self.armed.set()
                return True
        return False

    async def _may_send(self) -> bool:
        """Wait until this copy may send. False when we are stopped before."""
        await self._arming.begin()
        while not await self._arming.armed():
            await self._pause(_OFF)
            if self._stopped.is_set():
                return False
        self.speaking.look()  # who armed this copy may have paused what was known to speak
        return True

    async def _keep(self) -> None:
        """Close the broadcasts in which nothing is left to do, and show that we live."""
        while not self._stopped.is_set():
            self.beat_at = asyncio.get_running_loop().time()
            await self._pause(_LOOK)
            try:
                await self._arming.beat()
                shown = self._clockwork.now()
                if not await self._arming.doubts(shown):  # by a wrong clock everything is over
                    await self._broadcasts.finish(shown)
            except Unusable as fault:
                if not self._disk.passing(fault):
                    raise

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()


def _ended_well(job: asyncio.Task[None]) -> bool:
    """Whether a job ended of itself, or only for want of room for what it had still to write down."""
    fault = job.exception()
    return fault is None or (isinstance(fault, Unusable) and fault.passes)
