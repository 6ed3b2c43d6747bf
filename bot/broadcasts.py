"""Broadcasts: one announcement to one community at one moment, from plan to report.

Deciding writes rows and returns; only the dispatcher sends. Planning a million people is one statement.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from bot import taps, timetable
from bot.findings import Faults
from bot.moments import from_ms, to_ms
from bot.outbox import window_from
from bot.rendering import render
from bot.store import sql, talk
from bot.texts import add_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.check import Project
    from bot.library import Entry
    from bot.rendering import Rendered
    from bot.store import Store, Transaction
    from bot.timetable import Community
    from channels.base import ChannelName

State = Literal["scheduled", "running", "paused", "done", "cancelled"]
_UNDER_WAY = ("queued", "held", "claimed")
COUNTED = (*_UNDER_WAY, "sent", "delivered", "read", "failed", "expired", "cancelled", "unknown")
_OPINION = timedelta(days=7)
"""How long after it was said people may answer whether something was of use."""
EMERGENCY, ANNOUNCEMENT = 1, 2
"""Priorities; replies, which belong to no broadcast, come before both."""


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
        held_until: Until when the community's night holds what is queued (aware UTC), if it does.
        why: The reason of an emergency.
    """

    broadcast: int
    community: str
    entry: str
    state: State
    counts: Mapping[str, int]
    reasons: tuple[Reason, ...] = ()
    due_at: datetime | None = None
    held_until: datetime | None = None
    why: str | None = None

    @property
    def open(self) -> int:
        """How many may still be sent without anybody doing anything."""
        return self.counts["queued"] + self.counts["claimed"]


class Broadcasts:
    """Broadcasts in one store, made of one project's content and communities."""

    def __init__(self, store: Store, project: Project) -> None:
        self._store = store
        self.project = project

    async def readers(self, community: str) -> list[Readers]:
        """Who would read an announcement to a community."""
        rows = await self._store.read(lambda tx: tx.rows(sql.READERS, {"community": community}))
        return [Readers(**row) for row in rows]

    async def announce(
        self,
        entry: Entry,
        community: Community,
        *,
        moment: str,
        due_at: datetime,
        now: datetime,
        why: str | None = None,
    ) -> int | None:
        """Make a broadcast: its texts and its deliveries if it is due, else only a note to make them then.

        Args:
            moment: What makes it one and the same broadcast, however often it is asked for.
            why: The reason of an emergency, which passes quiet hours.

        Returns:
            Its number, or None when it was already made.

        Raises:
            Faults: a text cannot be rendered; nothing was made.
        """
        row: dict[str, object] = {"entry": entry.slug, "community": community.slug, "moment": moment}
        if await self._store.read(lambda tx: tx.one(sql.BROADCAST_MADE, row)):
            return None  # before the texts: what was said may have become false since
        row |= {"state": "running" if due_at <= now else "scheduled", "why": why}
        row |= {"due_at": to_ms(due_at), "valid_until": to_ms(entry.expires(community.zone))}
        row["priority"] = EMERGENCY if why else ANNOUNCEMENT
        texts = await self._texts(entry, community, now) if due_at <= now else []

        def work(tx: Transaction) -> int | None:
            made = tx.one(sql.BROADCAST_ADD, row)
            if made and due_at <= now:
                _fan_out(tx, made["id"], community.slug, entry, texts, now)
            return int(made["id"]) if made else None

        return await self._store.write(work)

    async def launch_due(self, now: datetime) -> list[int]:
        """Make the deliveries of scheduled broadcasts whose moment has come."""
        launched = []
        for row in await self._store.read(lambda tx: tx.rows(sql.BROADCASTS_DUE, {"now": to_ms(now)})):
            entry = self.project.library.entries.get(row["entry"])
            community = self.project.communities.get(row["community"])
            if entry is None or community is None:
                continue  # stays scheduled, and the report shows it
            try:
                await self._launch(row["id"], entry, community, now)
            except Faults:
                continue  # stays scheduled: one text that can no longer be said must not keep the others
            launched.append(int(row["id"]))
        return launched

    async def _launch(self, broadcast: int, entry: Entry, community: Community, now: datetime) -> None:
        texts = await self._texts(entry, community, now)

        def work(tx: Transaction) -> None:
            if tx.run(sql.BROADCAST_STATE, {"id": broadcast, "from": "scheduled", "to": "running"}):
                _fan_out(tx, broadcast, community.slug, entry, texts, now)

        await self._store.write(work)

    async def speaking(self, now: datetime) -> list[tuple[int, int | None]]:
        """The broadcasts that may speak now, first first, each with its `valid_until` (ms).

        Those whose time is over are ended here, so that no lane can send them.
        """
        rows = await self._store.read(lambda tx: tx.rows(sql.BROADCASTS_OPEN))
        late = [
            row["id"] for row in rows if row["valid_until"] is not None and row["valid_until"] <= to_ms(now)
        ]
        expired = [{"broadcast": broadcast, "now": to_ms(now)} for broadcast in late]
        if late:
            await self._store.write(lambda tx: tx.each(sql.EXPIRE, expired))
        return [
            (row["id"], row["valid_until"])
            for row in rows
            if row["id"] not in late and row["state"] == "running" and self._held_until(row, now) is None
        ]

    async def finish(self) -> list[int]:
        """Close the broadcasts in which nothing is left to do."""

        def work(tx: Transaction) -> list[int]:
            over = [
                (row["id"], row["state"])
                for row in tx.rows(sql.BROADCASTS_OPEN)
                if not tx.rows(sql.ANY_OPEN, {"broadcast": row["id"]})[0]["open"]
            ]
            tx.each(sql.BROADCAST_STATE, [{"id": b, "from": state, "to": "done"} for b, state in over])
            return [broadcast for broadcast, _ in over]

        return await self._store.write(work)

    async def report(self, broadcast: int, now: datetime) -> Report:
        """What became of one broadcast. Raises KeyError when there is none."""
        which = {"id": broadcast, "broadcast": broadcast}
        row, counted, reasons = await self._store.read(
            lambda tx: (tx.one(sql.BROADCAST, which), tx.rows(sql.COUNTS, which), tx.rows(sql.REASONS, which))
        )
        if row is None:
            raise KeyError(broadcast)
        counts = dict.fromkeys(COUNTED, 0) | {each["state"]: each["people"] for each in counted}
        held_until = (
            self._held_until(row, now) if counts["queued"] else None
        )  # it speaks of what the night holds
        if row["state"] == "paused" or held_until is not None:
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
            held_until=held_until,
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

    async def pause(self, broadcast: int) -> bool:
        """Claim nothing more for it. False when it was not running."""
        return await self._move(broadcast, "running", "paused")

    async def resume(self, broadcast: int) -> bool:
        """Go on with what was never claimed. False when it was not paused."""
        return await self._move(broadcast, "paused", "running")

    async def cancel(self, broadcast: int, now: datetime) -> int:
        """End it for good, unless it has ended; how many will not get it. What has gone has gone."""

        def work(tx: Transaction) -> int:
            if not tx.run(sql.BROADCAST_CANCEL, {"id": broadcast}):
                return 0
            return tx.run(sql.CANCEL_OPEN, {"broadcast": broadcast, "reason": "cancelled", "now": to_ms(now)})

        return await self._store.write(work)

    async def _move(self, broadcast: int, before: State, after: State) -> bool:
        values = {"id": broadcast, "from": before, "to": after}
        return bool(await self._store.write(lambda tx: tx.run(sql.BROADCAST_STATE, values)))

    def _held_until(self, row: Mapping[str, object], now: datetime) -> datetime | None:
        """The end of the community's night, unless this is an emergency."""
        community = self.project.communities.get(str(row["community"]))
        if community is None or row["priority"] == EMERGENCY or row["state"] not in ("running", "paused"):
            return None
        return timetable.quiet_until(community, now)

    async def _texts(self, entry: Entry, community: Community, now: datetime) -> list[tuple[str, Rendered]]:
        """Each text its readers need, with the sender it leaves through; none for a channel without one."""
        return [
            (
                community.channels[group.channel],
                render(self.project.library, entry, community, group.channel, group.language, now),
            )
            for group in await self.readers(community.slug)
            if group.channel in community.channels
        ]


def _fan_out(
    tx: Transaction,
    broadcast: int,
    community: str,
    entry: Entry,
    texts: Sequence[tuple[str, Rendered]],
    now: datetime,
) -> None:
    for sender, text in texts:
        add_text(tx, text, sender, broadcast)
    wanted = {topic.strip().lower() for topic in entry.topics}  # as an import writes them
    tx.each(sql.TOPIC_WANTED, [{"broadcast": broadcast, "topic": topic} for topic in wanted])
    order = {
        "broadcast": broadcast,
        "community": community,
        "now": to_ms(now),
        "window_from": window_from(now),
    }
    tx.run(sql.FAN_OUT, order)
    if entry.asks_about:
        choices = [asdict(one) for one in taps.of_use("es", entry.asks_about)]
        waits = {"broadcast": broadcast, "choices": json.dumps(choices), "until": to_ms(now + _OPINION)}
        tx.run(talk.ASK_OPINION, waits)
