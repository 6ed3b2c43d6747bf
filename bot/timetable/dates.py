"""`content/dates.toml`: the dates of the year that a consulate lives by, each with a name that slots can use.

What may enter: reading that file. Which days a rule gives is `recurrence`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, PlainValidator, ValidationError

from bot.timetable.recurrence import Days, NamedDate
from bot.timetable.vocabulary import MEANING
from bot.toml.lines import read_toml
from bot.toml.shapes import Source, Table, nearest, shape, wrong

if TYPE_CHECKING:
    from pathlib import Path

    from bot.findings import Finding

_DAY_OF_WEEK = "(?:-?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU)"
_PARTS = (
    "INTERVAL=[1-9]",
    "BYMONTH={0}(?:,{0})*".format("(?:1[0-2]|[1-9])"),
    "BYMONTHDAY={0}(?:,{0})*".format("-?(?:[12][0-9]|3[01]|[1-9])"),
    f"BYDAY={_DAY_OF_WEEK}(?:,{_DAY_OF_WEEK})*",
)
"""What a date of the year needs of RFC 5545; some of the rest would keep dateutil counting for ever."""
_RULE = re.compile(rf"RRULE:(FREQ=YEARLY(?:;(?:{'|'.join(_PARTS)}))*)(?:;DTSTART=(\d{{8}}))?")
_EASTER = re.compile(r"EASTER([+-]\d{1,3})?")
_OFFSET = re.compile(r"OFFSET:(.+?)([+-]\d{1,3})")
_DAYS = re.compile(r"(?:RANGE|DATES):(\d\d-\d\d)(?:\.\.\d\d-\d\d|(?:,\d\d-\d\d)*)")
_MONTHS = re.compile(r"MONTHS?:\d\d(?:\.\.\d\d)?")
_TRIED = (date(2024, 1, 1), date(2039, 12, 31))
"""Years in which a rule must give a day, or it gives none: the longest INTERVAL in use is six years."""


def _slug(value: str) -> str:
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", value, re.ASCII) or value in MEANING or value.isdigit():
        raise wrong("timetable.date-name", written=value)
    return value


def _rule(value: str) -> str:
    if _MONTHS.fullmatch(value) or _OFFSET.fullmatch(value) or _reckoned(value):
        return value
    raise wrong("timetable.date-rule", written=value)


def _known(value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise wrong("timetable.date-known")
    return value


class _NamedDate(Table):
    """A date as written.

    Attributes:
        es: What it is called in Spanish.
        en: In English.
        rule: `RRULE:…` of RFC 5545, once or more a year; `EASTER-3`, days from Easter Sunday;
            `OFFSET:us-labor-day-7`, days from another date; `RANGE:02-01..04-15`, of which the first day
            counts; `DATES:05-05,09-15`; `MONTH:08` and `MONTHS:04..08`, which say no day.
        known: Days on which it was, or will be.
        confirm: Whether it is decided anew each year.
        where: Where it is kept: MX, US, CA, worldwide.
        source: How that is known.
        confidence: How sure that is.
        note: For the staff.
    """

    es: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]
    rule: Annotated[str, AfterValidator(_rule)]
    known: list[Annotated[date, PlainValidator(_known)]] = Field(default_factory=list)
    confirm: bool = False
    where: str = ""
    source: Annotated[str, Field(min_length=1)]
    confidence: Annotated[str, Field(min_length=1)]
    note: str = ""


class _Dates(Table):
    """The file."""

    date: dict[Annotated[str, AfterValidator(_slug)], _NamedDate] = Field(default_factory=dict)


def read_dates(file: Path) -> tuple[dict[str, NamedDate], list[Finding]]:
    """Read the named dates; none, and nothing wrong, when there is no such file.

    Returns:
        The dates without an error, by name; and everything that is wrong.
    """
    if not file.exists():
        return {}, []
    value, text, findings = read_toml(file)
    if value is None:
        return {}, findings
    source = Source(file, text, value)
    _, findings = shape(_Dates, source)
    written = _good(value.get("date"))
    alone = {
        slug: NamedDate(slug, _reckoned(one.rule), tuple(one.known), one.confirm)
        for slug, one in written.items()
    }
    dates = dict(alone)
    for slug, one in written.items():
        if not (based := _OFFSET.fullmatch(one.rule)):
            continue
        if (base := alone.get(based[1])) and base.days:
            dates[slug] = replace(dates[slug], days=replace(base.days, shift=int(based[2])))
        else:
            values = {"written": based[1], "meant": nearest(based[1], alone) or ", ".join(alone)}
            findings.append(source.finding("timetable.date-offset", ("date", slug, "rule"), **values))
            del dates[slug]
    return dates, findings


def _good(tables: object) -> dict[str, _NamedDate]:
    """Those without a fault of their own: one slip must not take every date away."""
    good: dict[str, _NamedDate] = {}
    for slug, table in tables.items() if isinstance(tables, Mapping) else ():
        try:
            good |= _Dates.model_validate({"date": {slug: table}}).date
        except ValidationError:
            continue  # said by the shape
    return good


def _reckoned(rule: str) -> Days | None:
    """The days of a rule that stands alone; None when it is none, or gives no day."""
    try:
        if found := _RULE.fullmatch(rule):
            days = Days((found[1],), date.fromisoformat(found[2]) if found[2] else None)
        elif found := _EASTER.fullmatch(rule):
            days = Days(("FREQ=YEARLY;BYEASTER=0",), shift=int(found[1] or 0))
        elif _DAYS.fullmatch(rule):
            written = re.findall(r"(?<!\.)\d\d-\d\d", rule)  # of a RANGE only the first
            dates = [date.fromisoformat(f"2024-{each}") for each in written]
            days = Days(tuple(f"FREQ=YEARLY;BYMONTH={day.month};BYMONTHDAY={day.day}" for day in dates))
        else:
            return None
        return days if days.between(*_TRIED) else None
    except ValueError:  # a month 13, a DTSTART that is no day
        return None
