"""How schedules/<community>.toml is written, key by key.

What may enter: what can be judged of one key, or of one table, alone. What it means is `timetable`.
"""

from __future__ import annotations

import re
import zoneinfo
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, model_validator

from bot import languages
from bot.timetable import resting, spoken
from bot.timetable.recurrence import Every  # noqa: TC001 - pydantic reads it
from bot.timetable.spoken import Before  # noqa: TC001 - pydantic reads it
from bot.toml.shapes import Table, nearest, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.timetable.recurrence import NamedDate

zoneinfo.reset_tzpath(to=())
ZoneInfo.clear_cache()
"""The zones of the `tzdata` package, not of the machine.

A machine in a back room is seldom updated: one from before October 2022 still moves Mexico's clocks in
summer. The package is pinned and renewed with the program.
"""

_YEARS = range(2000, 2200)
"""A year outside is a slip of the pen, and would overflow when zones are reckoned."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _zone(value: object) -> ZoneInfo:
    known = zoneinfo.available_timezones()
    if not isinstance(value, str):
        raise wrong("timetable.zone")
    if value in known:
        return ZoneInfo(value)
    places = {name.rpartition("/")[2]: name for name in sorted(known) if "/" in name}
    place = nearest(value.rpartition("/")[2].replace(" ", "_"), places)
    meant = nearest(value.replace(" ", "_"), known) or (places[place] if place else None)
    if meant:
        raise wrong("timetable.zone-near", written=value, meant=meant)
    raise wrong("timetable.zone")


def _language(value: str) -> str:
    try:
        return languages.normalise(value)
    except ValueError:
        raise wrong("timetable.language", written=value) from None


def _holiday(value: str) -> str:
    """A country of ISO 3166-1, or one of its parts of ISO 3166-2, whose holidays are known."""
    known = resting.countries()
    country, _, part = value.partition("-")
    if country not in known.values():
        meant = nearest(value, known)
        if meant is None:
            raise wrong("timetable.holiday", written=value)
        raise wrong("timetable.holiday-near", written=value, meant=known[meant])
    if (part or "-" in value) and part not in (parts := resting.parts(country)):
        meant = nearest(part, parts)
        choices = f"{country}-{meant}" if meant else ", ".join(f"{country}-{one}" for one in parts) or country
        raise wrong("timetable.holiday-part", written=value, country=country, known=choices)
    return value


def _quiet_hours(value: object) -> object:
    """One table or several; none for "none"."""
    if value == "none":
        return []
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return value
    raise wrong("timetable.quiet-hours")


def _apart(value: list[_QuietHours]) -> list[_QuietHours]:
    """Quiet hours that do not overlap, and leave some of the day."""
    whole = [hours for hours in value if hours.start == hours.end]
    if whole or sum((hours.last for hours in value), timedelta()) >= timedelta(days=1):
        raise wrong("timetable.quiet-all-day")
    for index, one in enumerate(value):
        for other in value[:index]:
            if one.within(other.start) or other.within(one.start):
                named = {"one": other.written, "other": one.written}
                raise wrong("timetable.quiet-overlap", **named)
    return value


def _rest_day(value: object) -> object:
    """A day alone, as the table it stands for."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return {"day": value}
    if not isinstance(value, dict):
        raise wrong("timetable.rest-day")
    return value


def _day(value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime) or value.year not in _YEARS:
        raise wrong("timetable.rest-day")
    return value


def _clock_time(value: object) -> time:
    if not isinstance(value, time):
        raise wrong("timetable.clock-time")
    return value


def _local(value: object) -> datetime:
    if isinstance(value, str):
        value = spoken.once(value)
    if not isinstance(value, datetime) or value.year not in _YEARS:
        raise wrong("timetable.at")
    if value.tzinfo:
        raise wrong("timetable.at-with-offset")
    return value


def _every(value: object, info: ValidationInfo) -> Every:
    """Words that come back; the named dates are the context."""
    if not isinstance(value, str):
        raise wrong("timetable.every", written=str(value))
    dates: Mapping[str, NamedDate] = info.context or {}
    return spoken.every(value, dates)


def _before(value: object) -> tuple[Before, ...]:
    """One time before the start, or several."""
    times = value if isinstance(value, list) else [value]
    words = [one for one in times if isinstance(one, str)]
    if not words or words != times:
        raise wrong("timetable.before", written=str(value))
    return tuple(map(spoken.before, words))


def _slots(value: object) -> object:
    if isinstance(value, dict):
        raise wrong("timetable.single-slot")
    return value


def length(written: str) -> timedelta | None:
    """How long something lasts, as `30m`, `6h` or `2d`; None for what says nothing of the kind."""
    found = re.fullmatch(r"([1-9]\d{0,3}) ?([mhd])", written)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def _late(value: object) -> timedelta:
    found = length(value) if isinstance(value, str) else None
    if found is None:
        raise wrong("timetable.late")
    return found


Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
"""`America/Los_Angeles`, or who says what was probably meant."""

ClockTime = Annotated[time, BeforeValidator(_clock_time)]


class _QuietHours(Table):
    start: ClockTime = Field(default=time(21), alias="from")
    end: ClockTime = Field(default=time(8), alias="to")

    def within(self, shown: time) -> bool:
        """Whether a clock that shows this time stands in them."""
        after, before = shown >= self.start, shown < self.end
        return (after and before) if self.start < self.end else (after or before)

    @property
    def last(self) -> timedelta:
        """How long they are on a day on which no clock changes."""
        begin, end = (
            timedelta(hours=t.hour, minutes=t.minute, seconds=t.second) for t in (self.start, self.end)
        )
        return (end - begin) % timedelta(days=1)

    @property
    def written(self) -> str:
        """As people say them."""
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


class _RestDays(Table):
    """Days of rest: one, or from the first to the last."""

    day: Annotated[date | None, BeforeValidator(_day)] = None
    first: Annotated[date | None, BeforeValidator(_day)] = Field(default=None, alias="from")
    last: Annotated[date | None, BeforeValidator(_day)] = Field(default=None, alias="to")
    name: str = ""
    mourning: bool = False

    @model_validator(mode="after")
    def _whole(self) -> _RestDays:
        if (self.day is None) == (self.first is None) or (self.first is None) != (self.last is None):
            raise wrong("timetable.rest-day")
        if self.first and self.last and self.last < self.first:
            raise wrong("timetable.rest-backwards")
        return self


class SlotShape(Table):
    """A slot as written: what, and when. That there is one of each is judged with the whole file."""

    announce: Annotated[str, Field(min_length=1)] | None = None
    digest: Annotated[list[Annotated[str, Field(min_length=1)]] | None, Field(min_length=1)] = None
    at: Annotated[datetime | None, BeforeValidator(_local)] = None
    every: Annotated[Every | None, PlainValidator(_every)] = None
    before: Annotated[tuple[Before, ...], PlainValidator(_before)] = ()
    late: Annotated[timedelta, BeforeValidator(_late)] = timedelta(hours=2)

    @property
    def entry(self) -> str:
        """What is said, as `Slot.entry`; "" when it does not say."""
        return f"digest:{'+'.join(self.topics)}" if self.digest else self.announce or ""

    @property
    def topics(self) -> tuple[str, ...]:
        """Of a digest, as subscribers follow them, sorted and each once."""
        return tuple(sorted({topic.strip().lower() for topic in self.digest or ()}))

    @property
    def times(self) -> tuple[datetime | Every | Before, ...]:
        """When."""
        one = self.at or self.every
        return (one,) if one else self.before


class Schedule(Table):
    """A community's file, key by key."""

    name: Annotated[str, Field(min_length=1)]
    timezone: Zone
    languages: list[Annotated[str, AfterValidator(_language)]] = Field(min_length=1)
    senders: list[str] = Field(min_length=1)
    quiet_hours: Annotated[list[_QuietHours], BeforeValidator(_quiet_hours), AfterValidator(_apart)] = Field(
        default_factory=lambda: [_QuietHours()]
    )
    holidays: list[Annotated[str, AfterValidator(_holiday)]] = Field(default_factory=list)
    rest_days: list[Annotated[_RestDays, BeforeValidator(_rest_day)]] = Field(default_factory=list)
    fold_accents: bool = False
    ask_opinions: bool = False
    consulate: Annotated[str, Field(min_length=1)] | None = None
    approval: Literal["none", "required"] = "none"
    most_a_day: Annotated[int, Field(gt=0)] | None = None
    next_channel_after: Annotated[timedelta, BeforeValidator(_late)] = timedelta(hours=1)
    stale_translations: Literal["refuse", "source"] = "refuse"
    slot: Annotated[list[SlotShape], BeforeValidator(_slots)] = Field(default_factory=list)
