"""An independent reference of local times: it looks at a clock minute by minute, and never reckons.

What may enter: what a person could check with a clock on the wall and one that shows UTC.
"""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

zoneinfo.reset_tzpath(to=())
"""The zones of the `tzdata` package: a machine's own may not know yet which province stopped changing."""

CONSULATES = (Path(__file__).parent / "data/zones.txt").read_text(encoding="utf-8").split()
"""Every time zone in which a consulate of Mexico stands."""

NEIGHBOURS = ["America/Mexico_City", "America/Tijuana", "America/Ciudad_Juarez", "America/Hermosillo"]
ODD = ["America/Havana", "Australia/Lord_Howe", "America/Santiago", "America/St_Johns", "Africa/Casablanca"]
"""Changes at midnight, of half an hour, in the other half of the year, and backwards for a month."""

_HOUR, _FAR = timedelta(hours=1), timedelta(hours=30)


def first_shown(zone: str, first: date, last: date, step: timedelta) -> dict[datetime, datetime]:
    """For each local time at every `step` of the days from `first` to `last`: the first moment (aware UTC) at
    which a clock in that zone shows it or, where clocks skip it, something later."""
    clock = ZoneInfo(zone)
    wanted, end = datetime.combine(first, time()), datetime.combine(last + timedelta(days=1), time())
    moment = wanted.replace(tzinfo=UTC) - _FAR
    found: dict[datetime, datetime] = {}
    while wanted < end:
        shown = moment.astimezone(clock).replace(tzinfo=None)
        while wanted <= shown and wanted < end:
            found[wanted] = moment
            wanted += step
        moment += step
    return found


def changes(zone: str, first: date, last: date) -> Iterator[date]:
    """The local days on which the clocks of a zone change: two, where they do so at midnight."""
    clock = ZoneInfo(zone)
    moment, end = (datetime.combine(day, time(), UTC) for day in (first, last))
    while moment < end:
        after = moment + _HOUR
        before, now = moment.astimezone(clock), after.astimezone(clock)
        if before.utcoffset() != now.utcoffset():
            yield from sorted({before.date(), now.date()})
        moment = after
