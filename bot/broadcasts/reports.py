"""What became of broadcasts, counted from the rows.

What may enter: reading. What changes a broadcast stands in the rooms beside this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot import timetable
from bot.moments import from_ms
from bot.store import sql

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.check import Project
    from bot.current import Current
    from bot.store import Store
    from bot.timetable import Rest
    from channels.base import ChannelName

State = Literal[
    "draft",
    "submitted",
    "returned",
    "rejected",
    "approved",
    "scheduled",
    "missed",
    "running",
    "paused",
    "done",
    "cancelled",
    "expired",
]
_UNDER_WAY = ("queued", "held", "claimed")
COUNTED = (*_UNDER_WAY, "sent", "delivered", "read", "failed", "expired", "cancelled", "unknown")
EMERGENCY, ANNOUNCEMENT, DIGEST = 1, 2, 3
"""Priorities; replies, which belong to no broadcast, come before all."""


@dataclass(frozen=True, slots=True)
class Readers:
    """How many active people read one language on one channel of a community."""

    channel: ChannelName
    language: str
    people: int


@dataclass(frozen=True, slots=True)
class Reason:
    """How many deliveries ended or wait in one state for one reason."""

    state: str
    reason: str
    sender: str
    people: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a broadcast: each person in exactly one of `counts`.

    Attributes:
        rest: What holds what is queued, if the community rests now.
        why: The reason of an emergency.
    """

    broadcast: int
    community: str
    entry: str
    state: State
    counts: Mapping[str, int]
    reasons: tuple[Reason, ...] = ()
    due_at: datetime | None = None
    rest: Rest | None = None
    why: str | None = None

    @property
    def open(self) -> int:
        """How many may still be sent without anybody doing anything."""
        return self.counts["queued"] + self.counts["claimed"]


class Reports:
    """The broadcasts of one store, as they stand."""

    def __init__(self, store: Store, current: Current) -> None:
        self._store = store
        self._current = current

    @property
    def project(self) -> Project:
        """The deployment as it stands."""
        return self._current.project

    async def readers(self, community: str) -> list[Readers]:
        """Who would read an announcement to a community."""
        rows = await self._store.read(lambda tx: tx.rows(sql.READERS, {"community": community}))
        return [Readers(**row) for row in rows]

    async def report(self, broadcast: int, now: datetime) -> Report:
        """What became of one broadcast. Raises KeyError when there is none."""
        which = {"id": broadcast, "broadcast": broadcast}
        row, counted, reasons = await self._store.read(
            lambda tx: (tx.one(sql.BROADCAST, which), tx.rows(sql.COUNTS, which), tx.rows(sql.REASONS, which))
        )
        if row is None:
            raise KeyError(broadcast)
        counts = dict.fromkeys(COUNTED, 0) | {each["state"]: each["people"] for each in counted}
        rest = resting(self.project, row, now) if counts["queued"] else None  # it speaks of what is queued
        if row["state"] == "paused" or rest is not None:
            counts["held"] += counts["queued"]
            counts["queued"] = 0
        return Report(
            broadcast=broadcast,
            community=row["community"],
            entry=row["entry"],
            state=row["state"],
            counts=counts,
            reasons=tuple(Reason(**each) for each in reasons),
            due_at=from_ms(row["due_at"]),
            rest=rest,
            why=row["why"],
        )

    async def last(self, entry: str, community: str, now: datetime) -> Report | None:
        """The latest broadcast of an entry to a community, unless it was cancelled."""
        values = {"entry": entry, "community": community}
        row = await self._store.read(lambda tx: tx.one(sql.BROADCAST_LAST, values))
        return await self.report(row["id"], now) if row else None

    async def reports(self, now: datetime) -> list[Report]:
        """Every broadcast, oldest first."""
        return [
            await self.report(row["id"], now)
            for row in await self._store.read(lambda tx: tx.rows(sql.BROADCASTS))
        ]


def resting(project: Project, row: Mapping[str, object], now: datetime) -> Rest | None:
    """What holds a broadcast's row now: the rest of its community, unless this is an emergency."""
    community = project.communities.get(str(row["community"]))
    if community is None or row["priority"] == EMERGENCY or row["state"] not in ("running", "paused"):
        return None
    return timetable.rest(community, now)
