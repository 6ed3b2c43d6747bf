"""When, in people's words: "every friday at 17:00", "el día 15 de cada mes a las 9:00", "1 day at 18:00".

What may enter: reading such words, and saying which one was not understood. Each function raises one of our
rules, for a shape to gather. The words themselves stand in `vocabulary`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from bot.timetable.recurrence import Days, Every, NamedDate
from bot.timetable.vocabulary import MEANING, SPELT, folded, weekday, whole
from bot.toml.shapes import nearest, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LEAP_YEAR = 2024
_LONGEST_MONTH = 31
_MOST_WEEKS = 5
_HALF_DAYS = {
    "am": {12: 0} | {hour: hour for hour in range(1, 12)},
    "pm": {12: 12} | {hour: hour + 12 for hour in range(1, 12)},
    "madrugada": {hour: hour for hour in range(1, 6)},
    "manana": {hour: hour for hour in range(1, 12)},
    "tarde": {12: 12} | {hour: hour + 12 for hour in range(1, 9)},
    "noche": {hour: hour + 12 for hour in range(6, 12)},  # not twelve: of which day?
}
"""What each hour of a half of the day is on a clock of 24 hours."""
_HOUR = re.compile(rf"(\d{{1,2}})(?:[:.](\d{{2}}))?(?::00)? ?({'|'.join(_HALF_DAYS)}|h|hrs|horas)?")
_SPAN = re.compile(r"(\d{1,3}|una?|one) (?:([m])inut[oe]s?|h|horas?|hours?|hrs)(?: antes| before)?")
_HOURS, _MINUTES = 24, 60
_EIGHT_YEARS = 8 * 366
"""The longest that the 29th of February is away."""
_UNITS = {"d": 1, "w": 7}


@dataclass(frozen=True, slots=True)
class Before:
    """How long before something begins.

    Attributes:
        days: Of the calendar: the day before is the day before, however long it lasts.
        at: What the clocks show on that day; None for what they show when it begins.
        span: Real time, instead of days; None for days.
    """

    days: int = 0
    at: time | None = None
    span: timedelta | None = None


class _Said:
    """A text as a string of kinds, one letter a word, and what each word means."""

    def __init__(self, text: str, dates: Mapping[str, NamedDate]) -> None:
        named = {folded(slug): date for slug, date in dates.items()}
        words: list[tuple[str, int | NamedDate]] = [
            ("X", named[word]) if word in named else _meaning(word, dates) for word in text.split()
        ]
        meant = [(kind, value) for kind, value in words if kind]
        self.kinds = re.sub("n(?=n*[Dd])", "O", "".join(kind for kind, _ in meant)).replace("n", "N")
        self._values = [value for _, value in meant]

    def numbers(self, kind: str) -> list[int]:
        """What the words of one kind mean, in their order."""
        pairs = zip(self.kinds, self._values, strict=True)
        return [value for each, value in pairs if each == kind and isinstance(value, int)]

    @property
    def date(self) -> NamedDate:
        """The date that is named."""
        return next(value for value in self._values if isinstance(value, NamedDate))


def _meaning(word: str, dates: Mapping[str, NamedDate]) -> tuple[str, int]:
    if word in MEANING:
        return MEANING[word]
    if found := re.fullmatch(r"(\d{1,3})(st|nd|rd|th|o|a|er)?", word):
        return "n" if found[2] else "N", int(found[1])
    if re.fullmatch(r"2[01]\d\d", word):
        return "Y", int(word)
    meant = nearest(word, [*(each for each, (kind, _) in MEANING.items() if kind), *dates])
    if meant:
        raise wrong("timetable.word-near", written=word, meant=SPELT.get(meant, meant))
    raise wrong("timetable.word", written=word)


def every(text: str, dates: Mapping[str, NamedDate]) -> Every:
    """Read what comes back: "cada viernes a las 17:00", "7 days before dia-madres at 10:00".

    Args:
        dates: Those that have a name, by it.

    Raises:
        PydanticCustomError: a word is not known, a day does not exist, or the hour is missing.
    """
    days, hour = _halves(text)
    said = _Said(days, dates)
    if hour is None:
        raise wrong("timetable.no-hour", written=text)
    if "X" in said.kinds:
        return _around(said, hour, text)
    rule = _weekly(said) or _monthly(said) or _yearly(said)
    if rule is None:
        counted = re.fullmatch("N[dwmy]+", said.kinds)
        raise wrong("timetable.interval" if counted else "timetable.every", written=text)
    return Every(Days((rule,)), hour)


def once(text: str, today: date | None = None) -> datetime:
    """Read one moment, naive: "2026-12-05 18:00", "sábado 5 de diciembre de 2026 a las 6 de la tarde".

    Args:
        today: From when "mañana a las 9:00", a weekday alone or a day without its year are counted; None
            where it will be read again on other days, so that they mean nothing.

    Raises:
        PydanticCustomError: a word is not known, the day does not exist or is another weekday, the year or
            the hour is missing, or it carries an offset.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        pass
    else:
        if ":" not in text:  # a day, without an hour
            raise wrong("timetable.once", written=text)
        if found.tzinfo:
            raise wrong("timetable.at-with-offset", key=text)
        return found
    days, hour = _halves(text)
    said = _Said(days, {})
    day = _dated(said) or (_from(today, said) if today else None)
    if day is None or hour is None:
        raise wrong("timetable.once", written=text)
    if said.numbers("D") not in ([], [day.weekday()]):
        raise wrong("timetable.weekday", written=text, meant=weekday(day.weekday(), like=text.casefold()))
    return datetime.combine(day, hour)


def _dated(said: _Said) -> date | None:
    """The day that is named with its year."""
    return (
        date(said.numbers("Y")[0], *_month_day(said)) if re.fullmatch("D?d?(NM|MN|OM)Y", said.kinds) else None
    )


def _from(today: date, said: _Said) -> date | None:
    """The first day from today on that is meant, when no year is named."""
    if said.kinds in ("h", "u"):
        return today + timedelta(days=1 if said.kinds == "u" else 0)
    if said.kinds == "D":
        return today + timedelta(days=(said.numbers("D")[0] - today.weekday()) % 7)
    if re.fullmatch("D?d?(NM|MN|OM)", said.kinds):
        month, day = _month_day(said)
        rule = f"FREQ=YEARLY;BYMONTH={month};BYMONTHDAY={day}"
        return Days((rule,)).between(today, today + timedelta(days=_EIGHT_YEARS))[0]
    return None


def before(text: str) -> Before:
    """Read how long before: "1 day", "1 día a las 18:00", "2 horas".

    Raises:
        PydanticCustomError: it is none of these.
    """
    days, hour = _halves(text)
    if (found := _SPAN.fullmatch(days.strip())) and hour is None:
        count = int(found[1]) if found[1].isdigit() else 1
        if not count:
            raise wrong("timetable.before", written=text)
        return Before(span=timedelta(minutes=count) if found[2] == "m" else timedelta(hours=count))
    said = _Said("" if found else days, {})
    if not re.fullmatch("N[dw]b?", said.kinds):
        raise wrong("timetable.before", written=text)
    return Before(said.numbers("N")[0] * _UNITS[said.kinds[1]], hour)


def _halves(text: str) -> tuple[str, time | None]:
    """The words before the hour, folded, and the hour."""
    days, at, hour = f" {whole(folded(text))} ".rpartition(" at ")
    return (days, _hour(hour.strip())) if hour.strip() and at else (days or hour, None)


def _hour(text: str) -> time:
    found = _HOUR.fullmatch(text)
    if not found or not (found[2] or found[3]):  # "at 5" is five in the morning to us, and to nobody else
        raise wrong("timetable.hour", written=text)
    hour: int | None = int(found[1])
    if found[3] in _HALF_DAYS:
        hour = _HALF_DAYS[found[3]].get(int(found[1]))
    minute = int(found[2] or 0)
    if hour is None or not (hour < _HOURS and minute < _MINUTES):
        raise wrong("timetable.hour", written=text)
    return time(hour, minute)


def _weekly(said: _Said) -> str | None:
    weekdays = said.numbers("D")
    if re.fullmatch("[ad]", said.kinds):
        return "FREQ=DAILY"
    if said.kinds == "DtD":
        first, last = weekdays
        weekdays = [day % 7 for day in range(first, last + 1 + (7 if last < first else 0))]
    elif said.kinds == "k":
        weekdays = [0, 1, 2, 3, 4]
    elif said.kinds == "e":
        weekdays = [5, 6]
    elif not re.fullmatch("D+", said.kinds):
        return None
    return f"FREQ=WEEKLY;BYDAY={','.join(_CODES[day] for day in weekdays)}"


def _monthly(said: _Said) -> str | None:
    if re.fullmatch("m?O+D|O+Dm", said.kinds):
        return f"FREQ=MONTHLY;BYDAY={_weekday_of(said)}"
    if re.fullmatch("m?Od|Odm|d?Om|m?d(Nd?)+|d?(Nd?)+m|md?(Nd?)+", said.kinds):
        days = said.numbers("N") or said.numbers("O")
        for day in days:
            _within(day, _LONGEST_MONTH)
        return f"FREQ=MONTHLY;BYMONTHDAY={','.join(map(str, days))}"
    return None


def _yearly(said: _Said) -> str | None:
    if re.fullmatch("y?O+DMy?", said.kinds):
        return f"FREQ=YEARLY;BYMONTH={said.numbers('M')[0]};BYDAY={_weekday_of(said)}"
    if re.fullmatch("y?d?(NM|MN|OM)y?", said.kinds):
        month, day_number = _month_day(said)
        return f"FREQ=YEARLY;BYMONTH={month};BYMONTHDAY={day_number}"
    return None


def _month_day(said: _Said) -> tuple[int, int]:
    month = said.numbers("M")[0]
    day = (said.numbers("N") or said.numbers("O"))[0]
    last = monthrange((said.numbers("Y") or [_LEAP_YEAR])[0], month)[1]
    _within(day, last)
    return month, last if day == -1 else day


def _weekday_of(said: _Said) -> str:
    """The first and third Saturday, as RFC 5545 writes them: `1SA,3SA`."""
    code = _CODES[said.numbers("D")[0]]
    for which in said.numbers("O"):
        _within(which, _MOST_WEEKS)
    return ",".join(f"{which}{code}" for which in said.numbers("O"))


def _within(day: int, last: int) -> None:
    """Refuse a day that is in no month; -1 is the last."""
    if day != -1 and not 1 <= day <= last:
        raise wrong("timetable.no-such-day", written=str(day))


def _around(said: _Said, hour: time, text: str) -> Every:
    """A named date, or so many days before or after it."""
    found = re.fullmatch("y?(?:(N?)([dw])([bf]))?Xy?", said.kinds)
    if not found:
        raise wrong("timetable.every", written=text)
    named = said.date
    if named.days is None and not named.known:
        raise wrong("timetable.date-inexact", written=named.slug)
    count = (said.numbers("N") or [1])[0] * _UNITS[found[2]] if found[2] else 0
    return Every(named, hour, -count if found[3] == "b" else count)
