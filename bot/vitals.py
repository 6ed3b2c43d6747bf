"""What the rows tell of how we are: how much waits and since when, what is not known, who is not answered.

What may enter: counting for those who watch over the service. It is asked for every few seconds beside a
broadcast to a million, so no question reads more than a bounded number of rows.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.broadcasts.reports import ANNOUNCEMENT, DIGEST, EMERGENCY
from bot.moments import from_ms, to_ms
from bot.store import seeing, sql

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from bot.store import Store, Transaction

PRIORITIES = {None: "reply", EMERGENCY: "emergency", ANNOUNCEMENT: "announcement", DIGEST: "digest"}
"""What may wait, the most urgent first; a reply belongs to no broadcast."""
MOST = 100_000
"""Where counting ends: so many, or more. To count them takes some milliseconds."""


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits in one lane with one priority.

    Attributes:
        deliveries: How many, those that rest or are paused among them; `MOST` at most.
        awake: Whether some of them wait for nothing but their turn, or to be tried again.
        due_since: Since when the oldest waits that may leave now (aware UTC); None when none may.
    """

    sender: str
    priority: str
    deliveries: int
    awake: bool
    due_since: datetime | None


@dataclass(frozen=True, slots=True)
class Vitals:
    """How we are, at one moment.

    Attributes:
        at: When, aware UTC.
        unknown: Per sender, the deliveries of which nobody knows; `MOST` at most.
        unanswered: How many messages wait to be read; `MOST` at most.
        unanswered_since: Since when the oldest does.
        database_bytes: The file and its log.
        free_bytes: What is left for us on its disk.
    """

    at: datetime
    queues: Sequence[Queue]
    unknown: Mapping[str, int]
    unanswered: int
    unanswered_since: datetime | None
    database_bytes: int
    free_bytes: int

    def due(self, sender: str) -> bool:
        """Whether something waits in a lane that may leave now."""
        return any(one.due_since for one in self.queues if one.sender == sender)

    def awake(self, sender: str) -> bool:
        """The same, with what is only to be tried again later."""
        return any(one.awake for one in self.queues if one.sender == sender)


async def look(
    store: Store, database: Path, senders: Sequence[str], speaking: Collection[int], now: datetime
) -> Vitals:
    """Count.

    Args:
        database: The store's file.
        speaking: The broadcasts that may speak now.

    Raises:
        Unusable: the database cannot be read.
        OSError: its disk cannot be asked.
    """
    used, free = await asyncio.to_thread(_disk, database)
    queues, unknown, unanswered = await store.read(
        lambda tx: (
            [queue for sender in senders for queue in _queues(tx, sender, speaking, now)],
            {
                sender: tx.rows(seeing.UNKNOWN, {"sender": sender, "most": MOST})[0]["deliveries"]
                for sender in senders
            },
            tx.rows(seeing.UNANSWERED, {"most": MOST})[0],
        )
    )
    return Vitals(
        at=now,
        queues=queues,
        unknown=unknown,
        unanswered=unanswered["inbounds"],
        unanswered_since=from_ms(unanswered["heard_at"]),
        database_bytes=used,
        free_bytes=free,
    )


def _queues(tx: Transaction, sender: str, speaking: Collection[int], now: datetime) -> list[Queue]:
    """A lane's queues, the most urgent first."""
    values: dict[str, Any] = {"sender": sender, "now": to_ms(now), "most": MOST}
    depth = dict.fromkeys(PRIORITIES.values(), 0)
    since: dict[str, int] = {}
    depth["reply"] = tx.rows(seeing.DEPTH_REPLIES, values)[0]["deliveries"]
    _older(since, "reply", tx.rows(seeing.OLDEST_REPLIES, values)[0])
    awake = {"reply"} if depth["reply"] else set()
    for row in tx.rows(sql.BROADCASTS_OPEN):
        priority = PRIORITIES[row["priority"]]
        values |= {"broadcast": row["id"], "most": MOST - depth[priority]}
        found = tx.rows(seeing.DEPTH_BROADCAST, values)[0]["deliveries"]
        depth[priority] += found
        if found and row["id"] in speaking:
            awake.add(priority)
            _older(since, priority, tx.rows(seeing.OLDEST_BROADCAST, values | {"most": MOST})[0])
    return [Queue(sender, one, depth[one], one in awake, from_ms(since.get(one))) for one in depth]


def _older(since: dict[str, int], priority: str, row: Mapping[str, int | None]) -> None:
    """Keep the oldest of a priority."""
    found = [moment for moment in (since.get(priority), row["whole"], row["begun"]) if moment is not None]
    if found:
        since[priority] = min(found)


def _disk(database: Path) -> tuple[int, int]:
    """The bytes of a database with its log, and those that are free for us."""
    files = (database, database.with_name(database.name + "-wal"))
    used = sum(file.stat().st_size for file in files if file.exists())
    return used, shutil.disk_usage(database.parent).free
