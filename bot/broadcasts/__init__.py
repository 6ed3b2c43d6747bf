"""Broadcasts: one announcement to one community at one moment, from plan to report.

Deciding writes rows and returns; only the dispatcher sends. Planning a million people is one statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import structlog

from bot.broadcasts import history
from bot.broadcasts.approval import hash_of, hindrance
from bot.broadcasts.fallback import Fallback
from bot.broadcasts.fanning import fan_out, texts_for
from bot.broadcasts.history import CLOCK, OVER, Decision
from bot.broadcasts.reports import EMERGENCY, resting
from bot.broadcasts.saying import Saying
from bot.broadcasts.wanted import first_state, heading_of, is_elsewhere, is_over, missed
from bot.findings import Faults
from bot.moments import to_ms
from bot.news import PREFIX
from bot.store import deciding, settling, sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.broadcasts.history import State
    from bot.broadcasts.reports import Reports
    from bot.broadcasts.wanted import Wanted
    from bot.check import Project
    from bot.current import Current
    from bot.rendering import Rendered
    from bot.store import Store, Transaction

log = structlog.get_logger()


class Broadcasts:
    """Broadcasts in one store, made of a deployment's content and communities."""

    def __init__(self, store: Store, current: Current, reports: Reports) -> None:
        self._store = store
        self._current = current
        self._reports = reports
        self._fallback = Fallback(store, current)
        self._saying = Saying(store, current, reports)

    @property
    def project(self) -> Project:
        """The deployment as it stands."""
        return self._current.project

    async def announce(self, wanted: Wanted, *, by: str, now: datetime) -> int | None:
        """Make a broadcast: its texts and its deliveries if it runs now, else a row that waits.

        An emergency, and anything where approval is required, waits for a second person's yes.

        Args:
            wanted: What, where and when.
            by: Who says so.
            now: Aware UTC.

        Returns:
            Its number, or None when it was already made.

        Raises:
            Faults: a text cannot be rendered; nothing was made.
        """
        row: dict[str, Any] = wanted.row()
        if await self._store.read(lambda tx: tx.one(sql.BROADCAST_MADE, row)):
            return None  # before the texts: what was said may have become false since
        row["state"] = first_state(wanted, now)
        if row["state"] == "submitted":
            row["hash"] = hash_of(self.project, row)
        texts: list[tuple[str, Rendered]] = []
        if row["state"] == "running":
            readers = await self._reports.readers(wanted.community.slug)
            heading = heading_of(wanted.community, wanted.entry, wanted.moment)
            texts = texts_for(self.project.library, wanted.entry, wanted.community, readers, now, heading)

        def work(tx: Transaction) -> int | None:
            number = history.begin(tx, row, Decision(by, now, wanted.why))
            if number is not None and row["state"] == "running":
                fan_out(tx, number, wanted.community, wanted.entry, texts, now)
            return number

        return await self._store.write(work)

    async def appoint(self, row: dict[str, Any], now: datetime) -> None:
        """Make the row of a slot whose moment has come, once; what becomes of it says `launch_due`.

        Where approval is required and nobody asked for it, it is a draft that waits. A digest is put together
        only now, so that nobody could ask before: it is handed in by the clock.

        Args:
            row: As `Wanted.row` and `digest_row` give it.
        """
        if await self._store.read(lambda tx: tx.one(sql.BROADCAST_MADE, row)):
            return
        row, decision = {**row, "state": "scheduled"}, Decision(CLOCK, now)
        if self.project.communities[row["community"]].approval:
            row["state"] = "submitted" if row["entry"].startswith(PREFIX) else "draft"
            decision = decision.because("approval")
        if row["state"] == "submitted":
            row["hash"] = hash_of(self.project, row)
        made = await self._store.write(lambda tx: history.begin(tx, row, decision))
        if made and row["state"] != "scheduled":
            log.warning("broadcast.unapproved", entry=row["entry"], community=row["community"])

    async def said_since(self, entry: str, community: str, since: datetime, now: datetime) -> bool:
        """Whether an entry's moment came in a community since then, whatever became of it (aware UTC)."""
        values = {"entry": entry, "community": community, "since": to_ms(since), "now": to_ms(now)}
        return await self._store.read(lambda tx: tx.one(deciding.SAID_SINCE, values)) is not None

    async def launch_due(self, now: datetime, since: datetime | None = None) -> list[int]:
        """Let run what waits for its moment when that has come; the numbers of what runs.

        What is too late waits for a person, and what cannot be said says why in its history.

        Args:
            now: Aware UTC.
            since: What came due before it waits for a person too: sending was off.
        """
        await self._end_over(now)
        launched = []
        for row in await self._store.read(lambda tx: tx.rows(sql.BROADCASTS_DUE, {"now": to_ms(now)})):
            decision = Decision(CLOCK, now)
            if reason := missed(row, now, since):
                await self._change(row, "missed", decision.because(reason))
                continue
            try:
                if await self._leave(row, decision) == "running":
                    launched.append(int(row["id"]))
            except Faults as faults:  # one text that can no longer be said must not keep the others
                await self._hinder(row, decision.because("unsayable"), faults.findings[0].rule)
            except KeyError:
                await self._hinder(row, decision.because("gone"), "gone")
        return launched

    async def launch(
        self, row: Mapping[str, Any], decision: Decision, *, through: Sequence[State] = ()
    ) -> bool:
        """Make a broadcast's deliveries and let it run. False when somebody else was first.

        Args:
            row: As it was read: in whichever state it still must be.
            through: The states that it passes on its way.

        Raises:
            KeyError: its entry or its community is not there any more.
            Faults: a text cannot be said now.
        """
        said = await self._saying.said(row, decision.at)

        def work(tx: Transaction) -> bool:
            before: State = row["state"]
            last: State = "running" if said.anything else "done"
            for after in (*through, last):
                if not history.move(tx, row["id"], before, after, decision):
                    return False
                before = after
            said.write(tx)
            return True

        return await self._store.write(work)

    async def speaking(
        self, now: datetime, *, doubtful: bool = False, short: bool = False
    ) -> list[tuple[int, int | None]]:
        """The broadcasts that may speak now, first first, each with its `valid_until` (ms).

        Those whose time is over are ended here, so that no lane can send them.

        Args:
            now: Aware UTC.
            doubtful: Whether `now` is not to be believed. Then only emergencies speak, and nothing ends.
            short: Whether the disk has little room. Then only emergencies speak, each until its end.
        """
        rows = await self._store.read(lambda tx: tx.rows(sql.BROADCASTS_OPEN))
        if doubtful:
            return [
                (row["id"], None)
                for row in rows
                if row["state"] == "running" and row["priority"] == EMERGENCY
            ]
        late = [row["id"] for row in rows if is_over(row, now)]
        expired = [{"broadcast": broadcast, "now": to_ms(now)} for broadcast in late]
        if late:
            await self._store.write(lambda tx: tx.each(sql.EXPIRE, expired))
        return [
            (row["id"], row["valid_until"])
            for row in rows
            if row["id"] not in late and row["state"] == "running" and resting(self.project, row, now) is None
            if row["priority"] == EMERGENCY or not short
        ]

    async def next_channels(self, now: datetime) -> list[int]:
        """Try the next address of those who were not reached by one of several; which broadcasts go on."""
        return await self._fallback.look(now)

    async def finish(self, now: datetime) -> list[int]:
        """Close the broadcasts in which nothing is left to do, nor may be."""
        decision = Decision(CLOCK, now)
        asked = settling.since(now)

        def work(tx: Transaction) -> list[int]:
            ended = []
            for row in tx.rows(sql.BROADCASTS_OPEN):
                this, over = asked | {"broadcast": row["id"]}, is_over(row, now)
                if tx.rows(sql.ANY_OPEN, this)[0]["open"]:
                    continue
                if over and tx.rows(deciding.ANY_TOO_LATE, this)[0]["some"]:
                    history.move(tx, row["id"], row["state"], "expired", decision.because("too-late"))
                elif over or not tx.rows(settling.MAY_LEAVE_AGAIN, this)[0]["some"]:
                    history.move(tx, row["id"], row["state"], "done", decision)
                else:
                    continue
                ended.append(int(row["id"]))
            return ended

        return await self._store.write(work)

    async def pause(self, broadcast: int, decision: Decision) -> bool:
        """Claim nothing more for it. False when it was not running."""
        return await self._store.write(lambda tx: history.move(tx, broadcast, "running", "paused", decision))

    async def resume(self, broadcast: int, decision: Decision) -> State | None:
        """Go on with what was never claimed, or say now what missed its moment.

        Returns:
            The new state; None when it was neither paused nor missed.

        Raises:
            KeyError: there is no such broadcast, or no such entry or community any more.
            Faults: a text cannot be said now.
        """
        row = await self._store.read(lambda tx: tx.one(sql.BROADCAST, {"id": broadcast}))
        if row is None:
            raise KeyError(broadcast)
        if row["state"] == "missed":
            return await self._leave(row, decision)
        resumed = await self._store.write(
            lambda tx: history.move(tx, broadcast, "paused", "running", decision)
        )
        return "running" if resumed else None

    async def cancel(self, broadcast: int, decision: Decision) -> int:
        """End it for good, unless it has ended; how many get nothing of it. What has gone has gone."""

        def work(tx: Transaction) -> int:
            row = tx.one(sql.BROADCAST, {"id": broadcast})
            if row is None or row["state"] in OVER:
                return 0
            history.move(tx, broadcast, row["state"], "cancelled", decision)
            values = {"broadcast": broadcast, "reason": "cancelled", "now": to_ms(decision.at)}
            begun = tx.rows(sql.BEGUN, values)[0]["people"]
            stopped = tx.run(sql.CANCEL_OPEN, values)
            return stopped - int(tx.rows(sql.BEGUN, values)[0]["people"] - begun)

        return await self._store.write(work)

    async def begun(self, broadcast: int) -> int:
        """How many have got the first parts of it, and will not get the rest."""
        rows = await self._store.read(lambda tx: tx.rows(sql.BEGUN, {"broadcast": broadcast}))
        return int(rows[0]["people"])

    async def _leave(self, row: Mapping[str, Any], decision: Decision) -> State | None:
        """Let it run, if it is for its community, and as a second person approved it; its new state."""
        found = hindrance(self.project, row)
        if found is None and is_elsewhere(self.project, row):
            await self._hinder(row, Decision(CLOCK, decision.at, "elsewhere"), "elsewhere")
            return cast("State", row["state"])
        if found is None:
            return "running" if await self.launch(row, decision) else None
        state, reason = found
        await self._change(row, state, Decision(CLOCK, decision.at, reason))
        return state

    async def _end_over(self, now: datetime) -> None:
        """What waits for its moment or for a person, and whose time is over, is not sent any more."""
        for row in await self._store.read(lambda tx: tx.rows(deciding.BROADCASTS_OVER, {"now": to_ms(now)})):
            await self._change(row, "expired", Decision(CLOCK, now, "too-late"))

    async def _change(self, row: Mapping[str, Any], after: State, decision: Decision) -> None:
        if await self._store.write(lambda tx: history.move(tx, row["id"], row["state"], after, decision)):
            told = {"broadcast": row["id"], "entry": row["entry"], "state": after}
            log.warning("broadcast.changed", reason=decision.reason, **told)

    async def _hinder(self, row: Mapping[str, Any], decision: Decision, rule: str) -> None:
        if await self._store.write(lambda tx: history.note(tx, row["id"], row["state"], decision)):
            log.error("broadcast.hindered", broadcast=row["id"], entry=row["entry"], reason=rule)
