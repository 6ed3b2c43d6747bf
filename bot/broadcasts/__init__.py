"""Broadcasts: one announcement to one community at one moment, from plan to report.

Deciding writes rows and returns; only the dispatcher sends. Planning a million people is one statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot import news, timetable
from bot.broadcasts import digests
from bot.broadcasts.fanning import fan_out, texts_for
from bot.broadcasts.reports import ANNOUNCEMENT, DIGEST, EMERGENCY, resting
from bot.findings import Faults
from bot.moments import to_ms
from bot.store import sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.broadcasts.reports import Reports, State
    from bot.check import Project
    from bot.current import Current
    from bot.library import Entry
    from bot.rendering import Rendered
    from bot.store import Store, Transaction
    from bot.timetable import Community


class Broadcasts:
    """Broadcasts in one store, made of a deployment's content and communities."""

    def __init__(self, store: Store, current: Current, reports: Reports) -> None:
        self._store = store
        self._current = current
        self._reports = reports
        self._digests = digests.Digests(store, current)

    @property
    def project(self) -> Project:
        """The deployment as it stands."""
        return self._current.project

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
                fan_out(tx, made["id"], community.slug, entry, texts, now)
            return int(made["id"]) if made else None

        return await self._store.write(work)

    async def digest(
        self, community: Community, topics: Sequence[str], *, moment: str, due_at: datetime, now: datetime
    ) -> int | None:
        """Make the digest of a slot, which is put together when its community does not rest any more.

        Where approval is required it is a draft that waits.

        Args:
            topics: Of the slot.
            moment: What makes it one and the same, however often it is asked for.

        Returns:
            Its number, or None when it was already made.
        """
        rest = timetable.rest(community, due_at)
        row: dict[str, object] = {
            "entry": news.name(topics),
            "community": community.slug,
            "moment": moment,
            "state": "draft" if community.approval else "scheduled",
            "priority": DIGEST,
            "why": None,
            "due_at": to_ms(rest.until if rest else due_at),
            "valid_until": None,
        }
        made = await self._store.write(lambda tx: tx.one(sql.BROADCAST_ADD, row))
        if made and row["state"] == "scheduled" and to_ms(now) >= int(str(row["due_at"])):
            await self._launch_digest(made | row, community, now)
        return int(made["id"]) if made else None

    async def _launch_digest(self, row: Mapping[str, Any], community: Community, now: datetime) -> None:
        """Put it together and let it go; where nobody has anything new it is done at once."""
        digest = await self._digests.gather(row["id"], row["entry"], community, now)
        after = {"from": row["state"], "to": "running" if digest.texts else "done"}

        def work(tx: Transaction) -> None:
            if tx.run(sql.BROADCAST_STATE, {"id": row["id"]} | after):
                digests.fan_out(tx, row["id"], community, digest, now)

        await self._store.write(work)

    async def launch_due(self, now: datetime) -> list[int]:
        """Make the deliveries of scheduled broadcasts whose moment has come."""
        launched = []
        for row in await self._store.read(lambda tx: tx.rows(sql.BROADCASTS_DUE, {"now": to_ms(now)})):
            entry = self.project.library.entries.get(row["entry"])
            community = self.project.communities.get(row["community"])
            if community and row["entry"].startswith(news.PREFIX):
                await self._launch_digest(row, community, now)
                launched.append(int(row["id"]))
                continue
            if entry is None or community is None:
                continue  # stays scheduled, and the report shows it
            try:
                await self._launch(row["id"], row["state"], entry, community, now)
            except Faults:
                continue  # stays scheduled: one text that can no longer be said must not keep the others
            launched.append(int(row["id"]))
        return launched

    async def _launch(
        self, broadcast: int, state: State, entry: Entry, community: Community, now: datetime
    ) -> None:
        texts = await self._texts(entry, community, now)

        def work(tx: Transaction) -> None:
            if tx.run(sql.BROADCAST_STATE, {"id": broadcast, "from": state, "to": "running"}):
                fan_out(tx, broadcast, community.slug, entry, texts, now)

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
            if row["id"] not in late and row["state"] == "running" and resting(self.project, row, now) is None
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

    async def _texts(self, entry: Entry, community: Community, now: datetime) -> list[tuple[str, Rendered]]:
        readers = await self._reports.readers(community.slug)
        return texts_for(self.project.library, entry, community, readers, now)
