"""APScheduler's only door: a heartbeat. What is due is asked of the timetable and the rows, at every beat.

So it does not matter that APScheduler 3.11 drops a job one second late and rings twice in the autumn hour: a
missed beat is made up by the next, and a second one finds the broadcast already made.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot import timetable
from bot.broadcasts.wanted import Wanted, digest_row
from bot.store import Unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.arming import Arming
    from bot.broadcasts import Broadcasts
    from bot.disk import Disk
    from bot.housekeeping import Housekeeping
    from bot.timetable import Community, Due

log = structlog.get_logger()

BEAT = timedelta(seconds=5)
_INSTANT = timedelta(milliseconds=1)
_TAKEN_UP = timedelta(minutes=10)
"""How long before an edit was taken up a moment may lie that comes back: it was written just in time."""
_SHOWN = timedelta(days=31)
"""How far back each moment that was missed is shown; of what lies before, the latest of each slot."""
_AGAIN = timedelta(hours=20)
"""For how long after an entry was said another moment of it, written too late, says nothing new."""


class Clock:
    """Beats until stopped.

    Args:
        arming: Whether slots may be judged, and until when they were.
        disk: What finds no room at one beat is done at another.
        stir: Called when a beat made something to send.
    """

    def __init__(
        self,
        broadcasts: Broadcasts,
        housekeeping: Housekeeping,
        arming: Arming,
        disk: Disk,
        *,
        stir: Callable[[], None],
    ) -> None:
        self._broadcasts = broadcasts
        self._housekeeping = housekeeping
        self._arming = arming
        self._disk = disk
        self._stir = stir
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        """Begin to beat, the first time at once: APScheduler goes by its own clock, which may be another."""
        together = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        self._scheduler.add_job(self.beat, **together)
        self._scheduler.add_job(self.beat, "interval", seconds=BEAT.total_seconds(), **together)
        self._scheduler.start()

    def stop(self) -> None:
        """No beat begins any more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def beat(self) -> None:
        """Make the broadcasts that are due, and forget what is to be forgotten.

        Nothing of it while this copy may not send, or the wall clock is in doubt: a year too early would be
        for ever.
        """
        try:
            await self._beat()
        except Unusable as fault:
            if not self._disk.passing(fault):
                raise

    async def _beat(self) -> None:
        now, lived = await self._arming.believed(), await self._arming.lived()
        if now is None:
            return
        for community in self._broadcasts.project.communities.values():
            for due in self._come(community, lived.judged_at, now):
                await self._appoint(community, due, now)
            for due in self._written_late(community, lived.judged_at, now):
                if not await self._broadcasts.said_since(due.slot.entry, community.slug, now - _AGAIN, now):
                    await self._appoint(community, due, now)
        made = await self._broadcasts.launch_due(now, lived.since)
        made += await self._broadcasts.next_channels(now)
        await self._arming.judged(now)
        if made:
            log.info("clock.due", broadcasts=len(made))
            self._stir()
        await self._housekeeping.tidy(now)

    def _come(self, community: Community, judged: datetime | None, now: datetime) -> Iterator[Due]:
        """The moments that came since slots were last looked at, earliest first.

        Of an entry only the latest is of use: what it would have said before is held and shown, as all is
        that is too late. Before we ever looked, that is only a record of what was.
        """
        looked = judged if judged and judged <= now else None  # a clock that was ahead has looked at nothing
        come = self._due(community, looked or now, now)
        come = [due for due in come if (due.moment > looked if looked else not due.late)]
        of_use = {due.slot.entry: due.moment for due in come if not due.late}
        newest = {due.slot: due for due in come}
        for due in come:
            if due.moment == of_use.get(due.slot.entry):
                yield due
            elif looked and (due is newest[due.slot] or (not due.slot.digest and now - due.moment <= _SHOWN)):
                yield replace(due, late=True)

    def _written_late(self, community: Community, judged: datetime | None, now: datetime) -> list[Due]:
        """The moments that lay in the past when slots were last looked at, and of which nobody knew then.

        A date that somebody just wrote is meant to be said while it is of use. An hour that comes back, or
        that counts from a start, is meant from now on: most often it takes the place of one that was said.
        """
        if judged is None:
            return []
        return [
            due
            for due in self._due(community, judged, now)
            if due.moment <= judged and not due.late
            if isinstance(due.slot.when, datetime) or now - due.moment <= _TAKEN_UP
        ]

    def _due(self, community: Community, since: datetime, now: datetime) -> list[Due]:
        """All that came since then, and all that came before and is still of use."""
        longest = max((slot.late for slot in community.slots), default=timedelta())
        since = min(since, now - longest - _INSTANT)  # what is exactly so late is still of use
        return timetable.due(community, self._broadcasts.project.library.starts, since, now)

    async def _appoint(self, community: Community, due: Due, now: datetime) -> None:
        slot = due.slot
        if slot.digest:
            row = digest_row(slot.entry, community, due.key, due.moment, slot.late)
        elif entry := self._broadcasts.project.library.entries.get(slot.entry):
            row = Wanted(entry, community, due.key, due.moment, timedelta() if due.late else slot.late).row()
        else:
            return  # `check` says it
        await self._broadcasts.appoint(row, now)
