"""Days that come back: rules of RFC 5545, and the dates of the year that staff call by name.

dateutil's only door, with its `BYEASTER`. What may enter: which days a rule gives. What people write is
`spoken`, the file of names `dates`; hours and zones are `slots`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from dateutil.rrule import rrulestr

if TYPE_CHECKING:
    from dateutil.rrule import rrule, rruleset

_UNTIL = "UNTIL=21991231"
"""The last day that is reckoned: shapes refuse a later year."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days that come back.

    Attributes:
        rules: Of RFC 5545, or with dateutil's `BYEASTER`, without a time of day.
        since: The first day, from which an INTERVAL is counted; None when nothing is.
        shift: Days later, or earlier if negative, than the rules say.
    """

    rules: tuple[str, ...]
    since: date | None = None
    shift: int = 0

    @property
    def skips_months(self) -> bool:
        """Whether it comes each month, but for those that are too short."""
        year = self.between(date(2027, 1, 1), date(2027, 12, 31))
        return any(rule.startswith("FREQ=MONTHLY") for rule in self.rules) and len(year) % 12 > 0

    def between(self, first: date, last: date) -> list[date]:
        """The days from `first` to `last`, both included, in order and each once."""
        move = timedelta(days=self.shift)
        begin, end = first - move, last - move
        found: set[date] = set()
        for rule in self.rules:
            reckoned = _rule(rule, self.since or begin)
            for each in reckoned.xafter(datetime.combine(begin, time()), inc=True):
                if each.date() > end:
                    break
                found.add(each.date() + move)
        return sorted(found)


@dataclass(frozen=True, slots=True)
class NamedDate:
    """A date of the year that has a name, as `dia-madres`.

    Attributes:
        slug: The name that slots use.
        days: What its rule gives; None when only the month is known.
        known: Days on which it was, or will be: in their years they stand for what the rule gives.
        confirm: Whether somebody decides it anew each year, so that other years are a guess.
    """

    slug: str
    days: Days | None
    known: tuple[date, ...] = ()
    confirm: bool = False

    def between(self, first: date, last: date) -> list[date]:
        """The days from `first` to `last`, both included, in order; of a season its first day."""
        reckoned = self.days.between(first, last) if self.days else []
        years = {day.year for day in self.known}
        known = (day for day in self.known if first <= day <= last)
        return sorted({*known, *(day for day in reckoned if day.year not in years)})

    def sure(self, day: date) -> bool:
        """Whether it is known, and no guess, that it is on this day."""
        return not self.confirm or day in self.known


@dataclass(frozen=True, slots=True)
class Every:
    """A time of day on days that come back.

    Attributes:
        days: Which.
        at: What the clocks show.
        shift: Days later, or earlier if negative.
    """

    days: Days | NamedDate
    at: time
    shift: int = 0

    def between(self, first: date, last: date) -> list[datetime]:
        """What the clocks show, naive, on the days from `first` to `last`, both included."""
        move = timedelta(days=self.shift)
        days = self.days.between(first - move, last - move)
        return [datetime.combine(day + move, self.at) for day in days]


@lru_cache(maxsize=256)
def _rule(text: str, since: date) -> rrule | rruleset:
    return rrulestr(f"{text};{_UNTIL}", dtstart=datetime.combine(since, time()))
