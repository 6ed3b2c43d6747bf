"""What an emergency says once more to whoever may have it already: the same, and that it does.

What may enter: the marked text. Who gets it, and when, is decided in `settling`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.broadcasts.corrections import read_text
from bot.broadcasts.mending import AGAIN, as_said, reads_as
from bot.findings import Faults
from bot.store import settling
from bot.texts import add_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.current import Current
    from bot.rendering import Rendered
    from bot.store import Store, Transaction


class Repeating:
    """The texts of one store that may be said once more."""

    def __init__(self, store: Store, current: Current) -> None:
        self._store = store
        self._current = current

    async def marked(self, text: int, now: datetime, *, free: bool) -> int | None:
        """The number of the text that says `text` of a broadcast once more, and that it does.

        None where that cannot be: its entry was edited since, and what it says now nobody approved; or it is
        gone; or they get a template, which says only what Meta approved.

        Args:
            text: The number of what was said.
            now: Aware UTC.
            free: Whether they wrote within the reply window.
        """
        row, broadcast, before = await self._store.read(lambda tx: read_text(tx, text))
        project = self._current.project
        entry = project.library.entries.get(broadcast["entry"])
        community = project.communities.get(broadcast["community"])
        if entry is None or community is None:
            return None
        marked = {**row, "variant": f"{row['variant']} {AGAIN}".lstrip()}
        try:
            same, said = (
                as_said(project.library, entry, community, one, before, now) for one in (row, marked)
            )
        except Faults:
            return None
        if not reads_as(row, same):
            return None
        said = replace(said, closed=() if any(part.template for part in said.closed) else said.closed)
        if not (said.open if free else said.closed):
            return None
        return await self._store.write(lambda tx: _kept(tx, marked, said))


def _kept(tx: Transaction, marked: Mapping[str, Any], said: Rendered) -> int:
    """The text's number; it is kept once, however many get it."""
    if found := tx.one(settling.TEXT_OF, marked):
        return int(found["id"])
    return add_text(tx, said, marked["sender"], marked["broadcast"], marked["variant"])
