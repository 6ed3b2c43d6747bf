"""Dates that a text writes out: whether they exist, and whether the weekday beside them is theirs.

What may enter: what can be judged of a date and the words around it. A date that a text quotes, as
`{{ starts | date }}`, is always right.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime
from typing import TYPE_CHECKING

from bot import languages
from bot.check.texts import lines
from bot.findings import Finding
from bot.timetable import vocabulary
from bot.timetable.vocabulary import MEANING, folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.library import Entry

_LONGEST_MONTH = 31
_LEAP_YEAR = 2024
_MONTHS = 12


def _either(kind: str) -> str:
    return "|".join(word for word, (each, _) in MEANING.items() if each == kind)


_WEEKDAY = rf"(?:\b(?P<weekday>{_either('D')}) )?(?:el |the )?(?:dia )?"
_MONTH = rf"(?P<month>{_either('M')})\b"
_YEAR = r"(?: (?:de |del |of )?(?P<year>2[01]\d\d)\b)?"
_WRITTEN = (
    re.compile(rf"{_WEEKDAY}\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|o)? (?:de |of )?{_MONTH}{_YEAR}"),
    re.compile(rf"{_WEEKDAY}\b{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?![:%]){_YEAR}"),
)
"""«sábado 5 de diciembre», "Saturday, December 5, 2026", "Saturday 5 December": folded, without commas."""

_NUMBERS = rf"(?:\b(?P<weekday>{_either('D')}) )?(?:el |the )?(?:dia )?(?<![\w./-])"
_ISO = re.compile(rf"{_NUMBERS}(?P<year>2[01]\d\d)-(?P<month>\d\d)-(?P<day>\d\d)(?![\w/-])")
_DAY_FIRST = re.compile(rf"{_NUMBERS}(?P<day>\d{{1,2}})/(?P<month>\d{{1,2}})/(?P<year>2[01]\d\d)(?![\w/-])")
_MONTH_FIRST = re.compile(rf"{_NUMBERS}(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})/(?P<year>2[01]\d\d)(?![\w/-])")
"""«2026-12-05»; «5/12/2026» as everybody writes it but those who read English."""


def wrong_days(entry: Entry) -> Iterator[Finding]:
    """Dates that do not exist, and weekdays that are not those of their dates."""
    near = [when for when in (entry.starts, entry.ends, entry.valid_until) if when]
    for edition in entry.editions.values():
        slashes = _MONTH_FIRST if languages.base(edition.language) == "en" else _DAY_FIRST
        for number, text in lines(edition):
            for written in (*_WRITTEN, _ISO, slashes):
                for found in written.finditer(folded(text)):
                    rule, meant = _fault(found, near)
                    if rule:
                        values = {"written": found[0].strip(), "meant": meant}
                        yield Finding(rule, edition.file, number, values=values)


def _fault(found: re.Match[str], near: list[date]) -> tuple[str, str]:
    """What is wrong with a date, and which weekday it is; ("", "") where nothing is, or nobody can know."""
    day, month, weekday = int(found["day"]), _month(found["month"]), found["weekday"]
    if not 1 <= month <= _MONTHS:
        return "check.no-such-day", ""
    years = [int(found["year"])] if found["year"] else [_year(month, day, when) for when in near]
    if not 1 <= day <= max(monthrange(year, month)[1] for year in years or [_LEAP_YEAR]):
        meant = weekday or 1 <= day <= _LONGEST_MONTH  # «en mayo 45 personas» is no date
        return ("check.no-such-day" if meant else ""), ""
    if not weekday or not years:
        return "", ""
    said = MEANING[weekday][1]
    days = [date(year, month, min(day, monthrange(year, month)[1])).weekday() for year in years]
    if said in days:
        return "", ""
    return "check.weekday", vocabulary.weekday(days[0], like=weekday)


def _month(written: str) -> int:
    return int(written) if written.isdigit() else MEANING[written][1]


def _year(month: int, day: int, when: date) -> int:
    """The year in which a day of the year is nearest to a date of the entry."""
    anchor = when.date() if isinstance(when, datetime) else when

    def distance(year: int) -> int:
        return abs((date(year, month, min(day, monthrange(year, month)[1])) - anchor).days)

    return min((anchor.year - 1, anchor.year, anchor.year + 1), key=distance)
