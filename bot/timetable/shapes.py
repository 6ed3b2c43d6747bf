"""How schedules/<community>.toml is written, key by key.

What may enter: what can be judged of one key, or of one table, alone. What it means is `timetable`.
"""

from __future__ import annotations

import re
import zoneinfo
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bot import languages
from bot.toml.shapes import Table, nearest, wrong

zoneinfo.reset_tzpath(to=())
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
    """A country of ISO 3166-1, or one of its parts of ISO 3166-2: what the `holidays` library takes."""
    if not re.fullmatch("[A-Z]{2}(-[A-Z0-9]{1,3})?", value):
        raise wrong("timetable.holiday", written=value)
    return value


def _quiet_hours(value: object) -> object:
    if value == "none":
        return None
    if not isinstance(value, dict):
        raise wrong("timetable.quiet-hours")
    return value


def _clock_time(value: object) -> time:
    if not isinstance(value, time):
        raise wrong("timetable.clock-time")
    return value


def _local(value: object) -> datetime:
    if not isinstance(value, datetime) or value.year not in _YEARS:
        raise wrong("timetable.at")
    if value.tzinfo:
        raise wrong("timetable.at-with-offset")
    return value


def _slots(value: object) -> object:
    if isinstance(value, dict):
        raise wrong("timetable.single-slot")
    return value


def _late(value: object) -> timedelta:
    found = re.fullmatch(r"([1-9]\d{0,3}) ?([mhd])", value) if isinstance(value, str) else None
    if not found:
        raise wrong("timetable.late")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
"""`America/Los_Angeles`, or who says what was probably meant."""

ClockTime = Annotated[time, BeforeValidator(_clock_time)]


class _QuietHours(Table):
    start: ClockTime = Field(default=time(21), alias="from")
    end: ClockTime = Field(default=time(8), alias="to")

    @model_validator(mode="after")
    def _differ(self) -> _QuietHours:
        if self.start == self.end:
            raise wrong("timetable.quiet-all-day")
        return self


class _Slot(Table):
    """A slot as written. `every` and `digest` belong to slots that recur: read, not judged."""

    announce: Annotated[str, Field(min_length=1)] | None = None
    at: Annotated[datetime, BeforeValidator(_local)] | None = None
    late: Annotated[timedelta, BeforeValidator(_late)] = timedelta(hours=2)
    every: Any = None
    digest: Any = None

    @model_validator(mode="after")
    def _whole(self) -> _Slot:
        if not self.recurs and not (self.announce and self.at):
            raise wrong("timetable.slot-incomplete")
        return self

    @property
    def recurs(self) -> bool:
        return self.every is not None or self.digest is not None


class Schedule(Table):
    """A community's file, key by key."""

    name: Annotated[str, Field(min_length=1)]
    timezone: Zone
    languages: list[Annotated[str, AfterValidator(_language)]] = Field(min_length=1)
    senders: list[str] = Field(min_length=1)
    quiet_hours: Annotated[_QuietHours | None, BeforeValidator(_quiet_hours)] = _QuietHours()
    holidays: list[Annotated[str, AfterValidator(_holiday)]] = Field(default_factory=list)
    fold_accents: bool = False
    ask_opinions: bool = False
    consulate: Annotated[str, Field(min_length=1)] | None = None
    approval: Literal["none", "required"] = "none"
    most_a_day: Annotated[int, Field(ge=1)] | None = None
    next_channel_after: Annotated[timedelta, BeforeValidator(_late)] = timedelta(hours=1)
    stale_translations: Literal["refuse", "source"] = "refuse"
    slot: Annotated[list[_Slot], BeforeValidator(_slots)] = Field(default_factory=list)
