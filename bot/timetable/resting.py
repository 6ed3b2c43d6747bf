"""When a community is left in peace: by night, on holidays, on its own days of rest and of mourning.

`holidays`' only door. What may enter: whether now is a good moment, and which is the next.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import holidays
from holidays.registry import COUNTRIES

from bot.timetable.clocks import local_moment, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.timetable.communities import Community, QuietHours

_DAY = timedelta(days=1)
_NAMES: Mapping[str, Mapping[str, str]] = tomllib.loads(
    Path(__file__).with_name("holidays.toml").read_text("utf-8")
)
"""By language, what the library names in English alone."""


@dataclass(frozen=True, slots=True)
class DaysOff:
    """A day of rest, or several in a row under one name.

    Attributes:
        name: What they are called; "" for days without a name.
    """

    first: date
    last: date
    why: Literal["holiday", "rest-day", "mourning"]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Rest:
    """Why nobody of a community is written to now.

    Attributes:
        until: The next moment that is good, aware UTC: outside the night and outside days of rest.
        days: The days of rest that lie before it, in their order; none where it is only night.
    """

    until: datetime
    days: tuple[DaysOff, ...] = ()

    @property
    def why(self) -> Literal["night", "holiday", "rest-day", "mourning"]:
        """What it is; of a night that leads into a day of rest, that day."""
        return self.days[0].why if self.days else "night"

    @property
    def name(self) -> str:
        """What the first day is called; "" for the night."""
        return self.days[0].name if self.days else ""


def rest(community: Community, now: datetime) -> Rest | None:
    """What keeps a community from being written to at `now` (aware UTC); None when nothing does."""
    until, days = now, list[DaysOff]()
    while True:
        if day := _resting(community, shown(community, until).date()):
            days.append(day)
            until = local_moment(community, datetime.combine(day.last + _DAY, time()))
        elif awake := quiet_until(community, until):
            until = awake
        elif until == now:
            return None
        else:
            return Rest(until, tuple(days))


def quiet_until(community: Community, now: datetime) -> datetime | None:
    """When the quiet hours that hold at `now` end.

    Args:
        community: Whose clocks are looked at.
        now: Aware UTC.

    Returns:
        Aware UTC, later than `now` and outside quiet hours; None when nobody is woken now.
    """
    until = now
    while hours := _holding(community, until):
        until = _end(community, hours, until)
    return until if until > now else None


def _holding(community: Community, moment: datetime) -> QuietHours | None:
    clock = shown(community, moment).time()
    return next((hours for hours in community.quiet_hours if hours.hold(clock)), None)


def _end(community: Community, hours: QuietHours, now: datetime) -> datetime:
    """The end of the quiet hours that hold now."""
    day = shown(community, now).date()
    while True:
        end = local_moment(community, datetime.combine(day, hours.end))
        if end <= now:  # also when that hour is shown twice and we are between the two
            end = datetime.combine(day, hours.end, community.zone).replace(fold=1).astimezone(UTC)
        if end > now and not hours.hold(shown(community, end).time()):
            return end
        day += _DAY


def _resting(community: Community, day: date) -> DaysOff | None:
    for one in community.rest_days:
        if one.first <= day <= one.last:
            return DaysOff(one.first, one.last, "mourning" if one.mourning else "rest-day", one.name)
    for code in community.holidays:
        if name := _holidays(code, day.year, community.staff_language).get(day):
            return DaysOff(day, day, "holiday", name)
    return None


def countries() -> Mapping[str, str]:
    """The code of each country that the calendar of holidays knows, by its code and by its English name."""
    codes = {code: code for _, code, *_ in COUNTRIES.values()}
    return {name.replace("_", " "): code for name, (_, code, *_) in COUNTRIES.items()} | codes


@cache
def parts(country: str) -> tuple[str, ...]:
    """The codes of a country's parts that have holidays of their own, as `CA` of `US`."""
    return tuple(holidays.country_holidays(country).subdivisions)


@cache
def _holidays(code: str, year: int, language: str) -> Mapping[date, str]:
    """The public holidays of a country or a part of it in one year, observed days included."""
    country, _, part = code.partition("-")
    offered = holidays.country_holidays(country).supported_languages
    spoken = next((one for one in offered if one.partition("_")[0] == language), None)
    named = holidays.country_holidays(country, subdiv=part or None, years=year, language=spoken)
    return {day: _called(name, language) for day, name in named.items()}


def _called(name: str, language: str) -> str:
    """What staff call a holiday; one that falls on a weekend is kept on another day, as others are."""
    ours = _NAMES.get(language, {})
    return "; ".join(ours.get(one.removesuffix(" (observed)"), one) for one in name.split("; "))
