"""What stands in the way while the service runs: told when it begins and when it is over, kept in between.

What may enter: what staff should know of without asking. What became of a broadcast is `broadcasts/reports`.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import structlog

from bot.store import Unusable, sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bot.disk import Disk
    from bot.lane import Lane
    from bot.store import Store, Transaction

log = structlog.get_logger()

_LOOK = 1.0

Kind = Literal["disk-full", "disk-short", "lane-ours", "lane-theirs", "broadcast"]


@dataclass(frozen=True, slots=True)
class Hindrance:
    """One thing that keeps messages waiting.

    Attributes:
        kind: The disk is full or nearly so; or a lane's sender has a trouble that is ours to mend, or its
            vendor's; or its vendor refuses what one broadcast says.
        sender: Whose lane; "" for the disk.
        broadcast: Which broadcast alone; 0 where it is not one.
        reason: A closed word of the channel; "" for the disk.
        code: The vendor's own.
    """

    kind: Kind
    sender: str = ""
    reason: str = ""
    code: str = ""
    broadcast: int = 0


async def standing(store: Store) -> list[Hindrance]:
    """What hinders the running service; after a kill, what hindered it then, until the next start."""
    rows = await store.read(lambda tx: tx.rows(sql.HINDRANCES))
    return [Hindrance(**row) for row in rows]


class Lookout:
    """Looks until cancelled.

    Args:
        tell: Hears of each hindrance when it begins (True), and when it is over (False).
    """

    def __init__(
        self, store: Store, lanes: Sequence[Lane], disk: Disk, tell: Callable[[Hindrance, bool], None]
    ) -> None:
        self._store = store
        self._lanes = lanes
        self._disk = disk
        self._tell = tell
        self._told: list[Hindrance] = []
        self._kept: list[Hindrance] | None = None  # what a killed service left behind may stand there

    async def run(self) -> None:
        """Look, tell and keep."""
        while True:
            seen = self._seen()
            for one in self._told:
                if one not in seen:
                    log.warning("hindrance.over", **_safe(one))
                    self._tell(one, False)  # noqa: FBT003 - its only argument beside the thing itself
            for one in seen:
                if one not in self._told:
                    log.error("hindrance", **_safe(one))
                    self._tell(one, True)  # noqa: FBT003 - as above
            self._told = seen
            await self._keep(seen)
            await asyncio.sleep(_LOOK)

    async def end(self) -> None:
        """The service ends: nothing hinders it any more."""
        await self._keep([])

    def _seen(self) -> list[Hindrance]:
        disk: list[Kind] = ["disk-full"] if self._disk.full else ["disk-short"] if self._disk.short else []
        return [*map(Hindrance, disk), *(one for lane in self._lanes for one in of_lane(lane))]

    async def _keep(self, seen: list[Hindrance]) -> None:
        """Where `report` finds them; on a full disk as soon as there is room."""
        if seen == self._kept:
            return

        def work(tx: Transaction) -> None:
            tx.run(sql.HINDRANCES_CLEAR)
            tx.each(sql.HINDRANCE_NOTE, [asdict(one) for one in seen])

        try:
            await self._store.write(work)
        except Unusable as fault:
            if not self._disk.passing(fault):
                raise
        else:
            self._kept = seen


def of_lane(lane: Lane) -> Iterator[Hindrance]:
    """What hinders one lane, and which broadcasts wait in it alone."""
    if trouble := lane.trouble:
        kind: Kind = "lane-ours" if trouble.ours else "lane-theirs"
        yield Hindrance(kind, lane.sender, trouble.reason, trouble.code)
    for broadcast, why in lane.refused.items():
        yield Hindrance("broadcast", lane.sender, why.reason, why.code, broadcast)


def _safe(hindrance: Hindrance) -> dict[str, str | int]:
    """As the log may say it."""
    shown = asdict(hindrance) | {"reason": hindrance.reason or hindrance.kind}
    del shown["kind"]
    return {name: value for name, value in shown.items() if value}
