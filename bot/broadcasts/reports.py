"""What became of broadcasts, counted from the rows.

What may enter: reading. What changes a broadcast stands in the rooms beside this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, Literal

from bot import timetable
from bot.broadcasts import history
from bot.moments import from_ms, to_ms
from bot.store import corrections, settling, sql
from bot.timetable import Planned
from channels.base import LISTED_AFTER

if TYPE_CHECKING:
    from datetime import date

    from bot.broadcasts.history import State, Step
    from bot.check import Project
    from bot.current import Current
    from bot.store import Store
    from bot.timetable import Community, Rest
    from channels.base import ChannelName

Row = Mapping[str, Any]

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
    """How many deliveries ended or wait in one state for one reason.

    Attributes:
        until: The first moment at which some of those who wait for another day may go, aware UTC.
    """

    state: str
    reason: str
    sender: str
    people: int
    until: datetime | None = None


Promise = Literal["exactly-once", "at-most-once", "at-least-once", "at-most-twice"]


@dataclass(frozen=True, slots=True)
class Kept:
    """How often each person gets a broadcast through one sender, as far as its vendor lets us know.

    Attributes:
        asked: Of how many the vendor's own list told what became of them.
        open: Of how many it is yet to be asked.
        unknown: Of how many nobody can tell: they may not have arrived.
        repeated: How many were sent it once more, marked.
    """

    sender: str
    channel: ChannelName
    promise: Promise
    asked: int = 0
    open: int = 0
    unknown: int = 0
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a broadcast: each person in exactly one of `counts`.

    Attributes:
        rest: What holds what is queued, if the community rests now.
        why: The reason of an emergency.
        history: Who decided what of it, oldest first.
        corrects: The broadcast whose text was wrong, if this is a correction.
        corrected_by: The last correction of this one.
        kept: What each sender can promise of it.
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
    history: tuple[Step, ...] = ()
    corrects: int | None = None
    corrected_by: int | None = None
    kept: tuple[Kept, ...] = ()

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
        which = {"id": broadcast, "broadcast": broadcast, "now": to_ms(now)} | settling.since(now)
        row, counted, reasons, steps, later, kept = await self._store.read(
            lambda tx: (
                tx.one(sql.BROADCAST, which),
                tx.rows(sql.COUNTS, which),
                tx.rows(sql.REASONS, which),
                history.steps(tx, broadcast),
                tx.one(corrections.CORRECTED_BY, which),
                tx.rows(settling.KEPT, which),
            )
        )
        if row is None:
            raise KeyError(broadcast)
        counts = dict.fromkeys(COUNTED, 0) | {each["shown"]: each["people"] for each in counted}
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
            reasons=tuple(_reason(each) for each in reasons),
            due_at=from_ms(row["due_at"]),
            rest=rest,
            why=row["why"],
            history=steps,
            corrects=row["corrects"],
            corrected_by=later["id"] if later else None,
            kept=tuple(_kept(each, reasons, row) for each in kept),
        )

    async def last(self, entry: str, community: str, now: datetime) -> Report | None:
        """The latest broadcast of an entry to a community, unless it was cancelled or rejected."""
        values = {"entry": entry, "community": community}
        row = await self._store.read(lambda tx: tx.one(sql.BROADCAST_LAST, values))
        return await self.report(row["id"], now) if row else None

    async def planned(self, community: Community, first: date, last: date, now: datetime) -> list[Planned]:
        """The broadcasts of a community whose moment lies from the local day `first` until before `last`.

        Without those that somebody announced there and then, which were never planned; but with those of them
        that wait now (aware UTC) for the morning, or for the end of a day of rest.
        """
        since, until = (
            timetable.local_moment(community, datetime.combine(day, time())) for day in (first, last)
        )
        values = {"community": community.slug, "since": to_ms(since), "until": to_ms(until)}
        rows = await self._store.read(lambda tx: tx.rows(sql.BROADCASTS_BETWEEN, values))
        held = [resting(self.project, row, now) if row["waiting"] else None for row in rows]
        found = (_planned(community, row, rest) for row, rest in zip(rows, held, strict=True))
        return [one for one in found if one]

    async def reports(self, now: datetime) -> list[Report]:
        """Every broadcast, oldest first."""
        return [
            await self.report(row["id"], now)
            for row in await self._store.read(lambda tx: tx.rows(sql.BROADCASTS))
        ]


def _planned(community: Community, row: Row, held: Rest | None) -> Planned | None:
    """A broadcast as a calendar has it; `held` is what it waits for now."""
    moment = from_ms(row["due_at"]).replace(microsecond=0)
    try:
        local = datetime.fromisoformat(row["moment"])
    except ValueError:  # "now", and whatever else is no local date and time
        if held is None:
            return None
        local = timetable.shown(community, moment)
    rest = held or (None if row["priority"] == EMERGENCY else timetable.rest(community, moment))
    return Planned(community.slug, "", row["entry"], local, moment, rest, row["state"])


def _reason(row: Mapping[str, Any]) -> Reason:
    until = from_ms(row["until"]) if row["shown"] == "held" else None
    return Reason(row["shown"], row["reason"], row["sender"], row["people"], until)


def _kept(sender: Row, reasons: Sequence[Row], broadcast: Row) -> Kept:
    """What a sender can promise: a vendor with a list is asked, of the others an emergency is repeated."""
    unknown = sum(
        each["people"]
        for each in reasons
        if each["shown"] == "unknown" and each["sender"] == sender["sender"]
    )
    listed = sender["channel"] in LISTED_AFTER
    if not listed:
        sender = {**sender, "asked": 0, "open": 0}
    lost, repeated = unknown - sender["open"], sender["repeated"]
    promise: Promise
    if lost:
        promise = "at-most-twice" if repeated else "at-most-once"
    elif repeated:
        promise = "at-least-once"
    elif listed:
        promise = "exactly-once"
    else:
        promise = "at-least-once" if broadcast["priority"] == EMERGENCY else "at-most-once"
    return Kept(promise=promise, unknown=lost, **sender)


def resting(project: Project, row: Mapping[str, object], now: datetime) -> Rest | None:
    """What holds a broadcast's row now: the rest of its community, unless this is an emergency."""
    community = project.communities.get(str(row["community"]))
    if community is None or row["priority"] == EMERGENCY or row["state"] not in ("running", "paused"):
        return None
    return timetable.rest(community, now)
