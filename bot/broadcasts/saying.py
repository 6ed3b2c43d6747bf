"""What a broadcast says when its moment has come: an announcement, a digest, or a correction.

What may enter: from a broadcast's row to what writes its texts and deliveries. Whether it may leave is
decided before; who gets what, in the room of each kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.broadcasts import digests
from bot.broadcasts.corrections import Corrections
from bot.broadcasts.fanning import fan_out, texts_for
from bot.broadcasts.wanted import heading_of
from bot.news import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bot.broadcasts.reports import Reports
    from bot.current import Current
    from bot.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class Said:
    """What is to be written down.

    Attributes:
        write: Writes the texts and the deliveries.
        anything: Whether there is anything to say: a digest may hold nothing new.
    """

    write: Callable[[Transaction], None]
    anything: bool = True


class Saying:
    """What the broadcasts of one store say, by what the deployment's texts are now."""

    def __init__(self, store: Store, current: Current, reports: Reports) -> None:
        self._current = current
        self._reports = reports
        self._digests = digests.Digests(store, current)
        self._corrections = Corrections(store, current)

    async def said(self, row: Mapping[str, Any], now: datetime) -> Said:
        """What a broadcast says at `now` (aware UTC).

        Raises:
            KeyError: its entry or its community is not there any more.
            Faults: a text cannot be said now.
        """
        number, project = int(row["id"]), self._current.project
        community = project.communities[row["community"]]
        if row["entry"].startswith(PREFIX):
            digest = await self._digests.gather(number, row["entry"], community, now)
            return Said(
                lambda tx: digests.fan_out(tx, number, community, digest, now), anything=bool(digest.texts)
            )
        entry = project.library.entries[row["entry"]]
        if row["corrects"] is not None:
            mending = await self._corrections.prepare(row, now)
            return Said(lambda tx: mending.fan_out(tx, number, now))
        readers = await self._reports.readers(community.slug)
        heading = heading_of(community, entry, row["moment"])
        texts = texts_for(project.library, entry, community, readers, now, heading)
        return Said(lambda tx: fan_out(tx, number, community, entry, texts, now))
