"""Whether this copy of the database may send: a restored or copied one must not, until somebody says so.

What may enter: the row `arming` and the file `<database>.armed` beside it, and what their difference tells.
The database counts first, then the file: a file that counted further belongs to a later state of things.
See docs/decisions/0011-a-copy-does-not-send.md and 0015-words-outlive-the-database.md.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

import structlog

from bot import armed
from bot.backups import Caught, catch_up, set_apart
from bot.moments import from_ms, to_ms
from bot.store import Unusable, deciding, settling
from bot.wallclock import TOLERANCE, WallClock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from bot.moments import Clockwork
    from bot.store import Store, Transaction
    from bot.vault import Vault

log = structlog.get_logger()

Off = Literal[
    "copied-database",
    "older-database",
    "copied-folder",
    "restored-image",
    "clock-jumped",
    "clock-behind",
]
"""Why nothing is sent. In the two of the clock replies and emergencies are, and all else waits."""
DOUBTS: frozenset[Off] = frozenset({"clock-jumped", "clock-behind"})

_EVERY = 5.0
"""Seconds between two beats: what a restored backup may lack without being known for one."""
_LONG = timedelta(hours=24)
"""Asleep for longer than this with messages waiting, a machine may be an image that was put back."""


@dataclass(frozen=True, slots=True)
class Lived:
    """What this deployment remembers of when it was alive.

    Attributes:
        judged_at: Until when slots were looked at; None when they never were.
        since: What came due before it, while sending was off, waits for a person; None when it never was off.
    """

    judged_at: datetime | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Armed:
    """What came of it when somebody said that this copy sends.

    Attributes:
        was: Why it did not; None when it already might.
        caught: Of a copy, what happened since it was made; None when nobody knows who left since, for the
            file that says so is gone. Then nothing has changed.
    """

    was: Off | None
    caught: Caught | None = field(default_factory=Caught)


class Arming:
    """The arming of one deployment.

    Args:
        database: Its file.
    """

    def __init__(self, store: Store, vault: Vault, database: Path, clockwork: Clockwork) -> None:
        self._store = store
        self._vault = vault
        self._database = database
        self._file = database.with_name(database.name + ".armed")
        self._clockwork = clockwork
        self._wall = WallClock(clockwork)
        self._sends = False
        self._doubted = False
        self._beat_at = float("-inf")

    async def off(self) -> Off | None:
        """Why this copy may not send; None when it may. Anybody may ask, and nothing is written."""
        file = await asyncio.to_thread(armed.read, self._file)  # before the row: the row counts first
        row = await self._row()
        return None if row is None else _judge(row, file, self._clockwork.now())

    async def begin(self) -> Off | None:
        """Asked by the one who holds the dispatcher's lock, before anything is sent: may this copy send?

        A new database is armed. A reason not to send is written down, and stays until `arm`. What was on its
        way in a copy is paused with it: what is announced later is this copy's own.
        """
        if await self._row() is None:
            token, now = secrets.token_hex(16), to_ms(self._clockwork.now())
            await asyncio.to_thread(
                armed.write, self._file, token, 1
            )  # first: nobody sees the row without it
            first = {"token": token, "now": now}
            await self._store.write(lambda tx: tx.run(deciding.ARMING_FIRST, first))
        off, row = await self.off(), await self._row()
        if off is not None:
            await self._keep(off, found=off not in DOUBTS and not _is_apart(row))
            log.error("arming.off", reason=off)
        if off in DOUBTS:
            lived = cast("Mapping[str, Any]", row)["beat_at"]
            self._wall.expect(from_ms(lived), or_later=off == "clock-behind")
            self._doubted = True
            await self.doubts(self._clockwork.now())  # a lane must not begin with a wait of a wrong clock's
        if off is None or off in DOUBTS:
            self._sends = True
            await self.beat()
        return off

    async def armed(self) -> bool:
        """Whether the one who began may send by now: somebody may have said so meanwhile."""
        if not self._sends and await self.off() is None:
            self._sends = True
            self._wall.trust()
            await self.beat()
            log.warning("arming.on")
        return self._sends

    async def beat(self) -> None:
        """Count on, in the database and then in the file; no more often than there is need.

        A beat that finds no room is left out: then the file has not counted either.
        """
        if self._clockwork.ticks() - self._beat_at >= _EVERY:
            self._beat_at = self._clockwork.ticks()
            shown = self._clockwork.now()
            try:
                await self._count(shown if not self._doubted and self._wall.agrees(shown) else None)
            except Unusable as fault:
                if not fault.passes:
                    raise

    async def doubts(self, shown: datetime) -> bool:
        """Whether what the wall clock shows is not to be believed. It is again when it agrees, or by `arm`.

        Args:
            shown: What it shows now, aware UTC: the very reading that something is to be judged by.
        """
        agrees = self._wall.agrees(shown)
        if agrees and not self._doubted:
            return False
        if self._doubted and await self._said_on():
            self._wall.expect(shown)
            agrees = True
        if agrees:
            self._doubted = False
            await self._believe(shown)
            log.warning("clock.agrees")
        elif not self._doubted:
            await self._keep("clock-jumped")
            self._doubted = True
            log.error("clock.doubt", reason="clock-jumped")
        return self._doubted

    async def believed(self) -> datetime | None:
        """The time by which slots may be judged now, aware UTC.

        None while this copy may not send, or its clock is in doubt.
        """
        shown = self._clockwork.now()
        return None if not self._sends or await self.doubts(shown) else shown

    async def lived(self) -> Lived:
        """When slots were last looked at, and what waits for a person since sending was off."""
        row = await self._row()
        return Lived(from_ms(row["judged_at"]), from_ms(row["since"])) if row else Lived(None, None)

    async def judged(self, now: datetime) -> None:
        """Slots were looked at until now (aware UTC)."""
        await self._store.write(lambda tx: tx.run(deciding.ARMING_JUDGED, {"now": to_ms(now)}))

    async def arm(self, by: str, *, nobody_left: bool = False) -> Armed:
        """This copy is the one that sends, and its clock is right: `by` says so.

        Whoever left after a copy was made is out before it may send. What came due while it might not, and
        what was on its way, waits for a person: the original may have said it.

        Args:
            nobody_left: Somebody answers for it that nobody left since, although no file is there to tell.
        """
        off, now = await self.off(), self._clockwork.now()
        if off is None:
            return Armed(None)
        if off in DOUBTS:
            trusted = {"now": to_ms(now), "who": by}
            await self._store.write(
                lambda tx: (
                    tx.run(deciding.ARMING_TRUSTED, trusted),
                    tx.run(settling.MOMENTS_DOUBTED),
                )
            )
            return Armed(off)
        file, row = await asyncio.to_thread(armed.read, self._file), await self._row()
        beat = max(row["beat"] if row else 0, file["beat"] if file else 0) + 1
        values = {"token": secrets.token_hex(16), "beat": beat, "now": to_ms(now), "who": by}

        def work(tx: Transaction) -> Caught | None:
            apart = _is_apart(row)
            caught = catch_up(tx, self._vault, self._database, now, apart=apart, nobody_left=nobody_left)
            if caught:
                tx.run(deciding.ARMING_ON, values)
            return caught

        caught = await self._store.write(work)
        if caught:
            await asyncio.to_thread(armed.write, self._file, str(values["token"]), beat)
            await self._store.forget()  # who was erased since
        return Armed(off, caught)

    async def _row(self) -> dict[str, Any] | None:
        return await self._store.read(lambda tx: tx.one(deciding.ARMING))

    async def _said_on(self) -> bool:
        row = await self._row()
        return row is not None and row["off"] is None

    async def _believe(self, now: datetime) -> None:
        """The clock is right again: what a wrong one wrote down for its own future is due."""

        def work(tx: Transaction) -> None:
            tx.run(deciding.ARMING_OFF, {"off": None})
            tx.run(settling.MOMENTS_DOUBTED)
            tx.run(deciding.QUEUED_AHEAD, {"now": to_ms(now)})
            tx.run(deciding.LANES_AHEAD, {"now": to_ms(now)})

        await self._store.write(work)

    async def _keep(self, off: Off, *, found: bool = False) -> None:
        """Write down why nothing is sent; `found`: it is now that a copy is known for one."""
        now = self._clockwork.now()

        def work(tx: Transaction) -> None:
            tx.run(deciding.ARMING_OFF, {"off": off})
            if found:
                set_apart(tx, now)

        await self._store.write(work)

    async def _count(self, now: datetime | None) -> None:
        """One beat; `now` is when we live, None when nobody can tell."""
        counted = await self._store.write(lambda tx: tx.one(deciding.ARMING_BEAT, {"now": to_ms(now)}))
        if counted is None:
            return
        try:
            await asyncio.to_thread(armed.write, self._file, counted["token"], counted["beat"])
        except OSError as error:  # the row is ahead of the file then, which does no harm
            log.error("arming.not-written", error=type(error).__name__)  # noqa: TRY400 - the kind is enough


def _is_apart(row: Mapping[str, Any] | None) -> bool:
    """Whether it was known for a copy before, and set apart then."""
    return row is not None and row["off"] is not None and row["off"] not in DOUBTS


def _judge(row: Mapping[str, Any], file: Mapping[str, Any] | None, now: datetime) -> Off | None:
    """What the row and the file beside it tell together."""
    off, lived = row["off"], from_ms(row["beat_at"])
    if off is not None and off not in DOUBTS:
        return cast("Off", off)
    if file is None or file["token"] != row["token"]:
        return "copied-database"
    if not file["here"]:
        return "copied-folder"
    if file["beat"] > row["beat"]:
        return "older-database"
    if off is not None:
        return cast("Off", off)
    if now < lived - TOLERANCE:
        return "clock-behind"
    return "restored-image" if row["waiting"] and now - lived > _LONG else None
