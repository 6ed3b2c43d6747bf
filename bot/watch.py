"""The one who looks how we are, every few seconds, and remembers it for whoever asks.

What may enter: what must be seen twice to be judged, as a lane that stands still. It changes nothing, but
asks who may speak as the lanes do, who so learn that a broadcast is over. What it cannot read it tells; it
never ends the service.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bot import health, vitals
from bot.health import Health, Shown
from bot.store import Unusable
from bot.tallies import Tallies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bot.arming import Arming
    from bot.dispatcher import Dispatcher
    from bot.lane import Lane
    from bot.moments import Clockwork
    from bot.store import Store
    from bot.tallies import Silence
    from bot.vitals import Vitals

log = structlog.get_logger()

_EVERY = 5.0
"""Seconds between two looks."""
_STALE = 60.0
"""Seconds after which what was seen says nothing any more."""

_IN_VAIN = frozenset({"queued", "unknown"})
"""Ends of a claim that show no vendor at work: a probe that nobody answers has ended too."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look has found.

    Attributes:
        silences: Per sender whose vendor sends receipts.
        beat_age: Seconds since the dispatcher's last beat; None before its first.
    """

    health: Health
    vitals: Vitals | None = None
    silences: Mapping[str, Silence] | None = None
    beat_age: float | None = None


@dataclass(slots=True)
class _Still:
    """Since when (ticks) nothing has moved in a lane although something waits, and how many had by then."""

    since: float
    ended: int


class Watch:
    """Looks until cancelled.

    Args:
        database: The store's file.
        receipted: The senders whose vendors tell what became of a message.

    Attributes:
        seen: What was found last.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        store: Store,
        database: Path,
        receipted: Sequence[str],
        arming: Arming,
        clockwork: Clockwork,
    ) -> None:
        self.seen = Seen(Health("failing", ("not-looked",)))
        self.lanes = dispatcher.lanes
        self._dispatcher = dispatcher
        self._store = store
        self._database = database
        self._tallies = Tallies(store)
        self._receipted = receipted
        self._arming = arming
        self._clockwork = clockwork
        self._still: dict[str, _Still] = {}
        self._alarmed: set[str] = set()
        self._looked_at = float("-inf")

    @property
    def health(self) -> Health:
        """How we are, unless nobody has looked for long."""
        if asyncio.get_running_loop().time() - self._looked_at > _STALE:
            return Health("failing", ("not-looked",), self.seen.health.lanes)
        return self.seen.health

    async def run(self) -> None:
        """Look, again and again."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - who only looks must not end what works; `health` tells of it
                log.error("watch.fault", error=type(error).__name__)  # noqa: TRY400 - a trace could quote values
            await asyncio.sleep(_EVERY)

    async def look(self) -> None:
        """Look once."""
        before = self.seen.health.status
        try:
            self.seen = await self._look()
        except (Unusable, OSError) as error:
            why = error.why if isinstance(error, Unusable) else "unreachable"
            found = Health("failing", (f"database-{why}",), self.seen.health.lanes)
            self.seen = Seen(found, self.seen.vitals, self.seen.silences, self.seen.beat_age)
        self._looked_at = asyncio.get_running_loop().time()
        if self.seen.health.status != before:
            reasons = self.seen.health.reasons
            log.warning("health", state=self.seen.health.status, reason=reasons[0] if reasons else "")

    async def _look(self) -> Seen:
        now = self._clockwork.now()
        off = await self._arming.off()
        speaking = {broadcast for broadcast, _ in await self._dispatcher.speaking()}
        senders = [lane.sender for lane in self.lanes]
        counted = await vitals.look(self._store, self._database, senders, speaking, now)
        silences = {one.sender: one for one in await self._tallies.silences(self._receipted, now)}
        self._tell_of(silences)
        beat_at, ticks = self._dispatcher.beat_at, self._clockwork.ticks()
        beat_age = None if beat_at is None else asyncio.get_running_loop().time() - beat_at
        found = health.judge(
            {lane.sender: self._shown(lane, counted, silences, ticks) for lane in self.lanes},
            off=off,
            beat_age=beat_age,
            free_bytes=counted.free_bytes,
            unusable=self._store.unusable,
        )
        return Seen(found, counted, silences, beat_age)

    def _shown(self, lane: Lane, counted: Vitals, silences: Mapping[str, Silence], ticks: float) -> Shown:
        """What a lane shows of itself, and for how long it has stood still."""
        waiting = counted.due(lane.sender)
        ended = sum(count for (state, _), count in lane.ends.items() if state not in _IN_VAIN)
        still = self._still.setdefault(lane.sender, _Still(ticks, ended))
        asked_to_wait = lane.resting > 0 and lane.trouble is None
        # In trouble, what failed waits to be tried again, and is not due yet.
        wanted = waiting or (lane.trouble is not None and counted.awake(lane.sender))
        if asked_to_wait or not wanted or ended != still.ended:
            still.since, still.ended = ticks, ended
        unreceipted = lane.sender in silences and silences[lane.sender].alarming
        return Shown(lane.trouble, lane.resting, ticks - still.since, waiting, unreceipted, lane.refused)

    def _tell_of(self, silences: Mapping[str, Silence]) -> None:
        """Say once that receipts are missing, and once that they are not any more."""
        alarmed = {sender for sender, silence in silences.items() if silence.alarming}
        for sender in sorted(alarmed - self._alarmed):
            log.warning("receipts.missing", sender=sender)
        for sender in sorted(self._alarmed - alarmed):
            log.warning("receipts.back", sender=sender)
        self._alarmed = alarmed
