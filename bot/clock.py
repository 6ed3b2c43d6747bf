"""APScheduler's only door: a heartbeat. What is due is asked of the timetable and the rows, at every beat.

So it does not matter that APScheduler 3.11 drops a job one second late and rings twice in the autumn hour: a
missed beat is made up by the next, and a second one finds the broadcast already made.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot import timetable
from bot.findings import Faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.broadcasts import Broadcasts
    from bot.housekeeping import Housekeeping
    from bot.timetable import Community, Due

log = structlog.get_logger()

BEAT = timedelta(seconds=5)
_LOOK_BACK = timedelta(days=7)
"""How far back a beat looks for slots whose moment came while nobody was running."""


class Clock:
    """Beats until stopped.

    Args:
        stir: Called when a beat made something to send.
    """

    def __init__(
        self,
        broadcasts: Broadcasts,
        housekeeping: Housekeeping,
        *,
        now: Callable[[], datetime],
        stir: Callable[[], None],
    ) -> None:
        self._broadcasts = broadcasts
        self._housekeeping = housekeeping
        self._now = now
        self._stir = stir
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        """Begin to beat, the first time at once."""
        self._scheduler.add_job(
            self.beat,
            "interval",
            seconds=BEAT.total_seconds(),
            next_run_time=self._now(),
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
        self._scheduler.start()

    def stop(self) -> None:
        """No beat begins any more."""
        self._scheduler.shutdown(wait=False)

    async def beat(self) -> None:
        """Make the broadcasts that are due, and forget what is to be forgotten."""
        now = self._now()
        made = [*await self._slots(now), *await self._broadcasts.launch_due(now)]
        made += await self._broadcasts.next_channels(now)
        if made:
            log.info("clock.due", broadcasts=len(made))
            self._stir()
        await self._housekeeping.tidy(now)

    async def _slots(self, now: datetime) -> list[int]:
        made = []
        for community in self._broadcasts.project.communities.values():
            for due in timetable.due(community, now - _LOOK_BACK, now):
                broadcast = None if due.late else await self._slot(community, due, now)
                made += [broadcast] if broadcast else []
        return made

    async def _slot(self, community: Community, due: Due, now: datetime) -> int | None:
        """Announce one slot; None when it was, or cannot be said, which must not keep the others."""
        entry = self._broadcasts.project.library.entries.get(due.slot.announce)
        if entry is None:
            return None  # `check` says it
        try:
            return await self._broadcasts.announce(
                entry, community, moment=due.slot.key, due_at=due.moment, now=now
            )
        except Faults as faults:
            rule = faults.findings[0].rule
            log.error("clock.faults", entry=entry.slug, community=community.slug, reason=rule)  # noqa: TRY400 - only the rule
            return None
