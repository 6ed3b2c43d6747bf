"""From what a community's clocks show to the moment when they do.

What may enter: the two hours a year that clocks skip or show twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.timetable.communities import Community


def local_moment(community: Community, local: datetime) -> datetime:
    """The moment, aware UTC, at which the community's clocks show `local` (naive).

    An hour that is shown twice (autumn) means its first time; one that is skipped (spring) means the moment
    of the change, the first that is shown after it.
    """
    earlier, later = (local.replace(tzinfo=community.zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    if later <= earlier:  # not skipped: without fold it is the first time
        return later
    before = earlier.astimezone(community.zone).utcoffset()
    while later - earlier > timedelta(seconds=1):  # both sides of the change: close in on it
        middle = earlier + (later - earlier) // 2
        if middle.astimezone(community.zone).utcoffset() == before:
            earlier = middle
        else:
            later = middle
    return later.replace(microsecond=0)


def shown(community: Community, moment: datetime) -> datetime:
    """What the community's clocks show (naive) at a moment (aware)."""
    return moment.astimezone(community.zone).replace(tzinfo=None)
