"""When, in people's words: read in Spanish and English, and every word checked."""

from __future__ import annotations

from calendar import day_name, month_name
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from bot.timetable import once
from bot.timetable.recurrence import Days, NamedDate
from bot.timetable.spoken import Before, before, every
from bot.words import Phrases

if TYPE_CHECKING:
    from collections.abc import Callable

ES_DAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
ES_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
DATES = {
    "dia-madres": NamedDate("dia-madres", Days(("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=10",))),
    "us-labor-day": NamedDate("us-labor-day", Days(("FREQ=YEARLY;BYMONTH=9;BYDAY=1MO",))),
    "semana-pale": NamedDate("semana-pale", None),
}
FIRST, LAST = date(2027, 1, 1), date(2028, 12, 31)
ALL_DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


def days(text: str) -> list[datetime]:
    return every(text, DATES).between(FIRST, LAST)


def fault(read: Callable[[], object]) -> tuple[str, str]:
    """The rule that was broken, and what was probably meant; it has sentences in both languages."""
    with pytest.raises(PydanticCustomError) as caught:
        read()
    error, context = caught.value, caught.value.context or {}
    for language in ("es", "en"):
        assert Phrases(language).say(f"rules.{error.type}.message", **context)
        assert Phrases(language).say(f"rules.{error.type}.remedy", **context)
    return error.type, str(context.get("meant", ""))


@pytest.mark.parametrize(
    "text",
    [
        "every friday at 17:00",
        "Friday at 5 pm",
        "fridays at 5:00 p.m.",
        "cada viernes a las 17:00",
        "los viernes a las 5 de la tarde",
        "todos los viernes, a las 17:00",
    ],
)
def test_a_weekday_is_said_in_many_ways(text: str) -> None:
    """Spanish or English, with or without "every", with the hour as people say it: the same Fridays."""
    assert days(text) == [datetime.combine(day, time(17)) for day in ALL_DAYS if day.weekday() == 4]


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [
        ("monday and thursday at 9:00", {0, 3}),
        ("lunes, miércoles y viernes a las 9:00", {0, 2, 4}),
        ("weekdays at 9 am", {0, 1, 2, 3, 4}),
        ("entre semana a las 9 de la mañana", {0, 1, 2, 3, 4}),
        ("de lunes a viernes a las 9:00", {0, 1, 2, 3, 4}),
        ("monday through thursday at 9:00", {0, 1, 2, 3}),
        ("saturday to monday at 9:00", {5, 6, 0}),
        ("los fines de semana a las 9:00", {5, 6}),
        ("every weekend at 9:00", {5, 6}),
        ("every day at 9:00", {0, 1, 2, 3, 4, 5, 6}),
        ("daily at 9:00", {0, 1, 2, 3, 4, 5, 6}),
        ("cada día a las 9:00", {0, 1, 2, 3, 4, 5, 6}),
        ("todos los días a las 9:00", {0, 1, 2, 3, 4, 5, 6}),
        ("diario a las 9:00", {0, 1, 2, 3, 4, 5, 6}),
    ],
)
def test_several_weekdays_are_said_in_many_ways(text: str, weekdays: set[int]) -> None:
    """Lists, ranges and the words for groups of days give exactly those days."""
    assert days(text) == [datetime.combine(day, time(9)) for day in ALL_DAYS if day.weekday() in weekdays]


@pytest.mark.parametrize(
    ("text", "first_ones"),
    [
        ("first saturday of the month at 10:00", ["2027-01-02", "2027-02-06", "2027-03-06"]),
        ("primer sábado del mes a las 10:00", ["2027-01-02", "2027-02-06", "2027-03-06"]),
        ("primer y tercer sábado del mes a las 10:00", ["2027-01-02", "2027-01-16", "2027-02-06"]),
        ("1st and 3rd saturday of the month at 10:00", ["2027-01-02", "2027-01-16", "2027-02-06"]),
        ("every month on the first saturday at 10:00", ["2027-01-02", "2027-02-06"]),
        ("el último viernes de cada mes a las 10:00", ["2027-01-29", "2027-02-26", "2027-03-26"]),
        ("day 1 of the month at 10:00", ["2027-01-01", "2027-02-01", "2027-03-01"]),
        ("el día 15 de cada mes a las 10:00", ["2027-01-15", "2027-02-15", "2027-03-15"]),
        ("1 y 15 de cada mes a las 10:00", ["2027-01-01", "2027-01-15", "2027-02-01"]),
        ("último día del mes a las 10:00", ["2027-01-31", "2027-02-28", "2027-03-31"]),
        ("every year on october 1 at 10:00", ["2027-10-01", "2028-10-01"]),
        ("cada año el 1 de octubre a las 10:00", ["2027-10-01", "2028-10-01"]),
        ("1º de octubre a las 10:00", ["2027-10-01", "2028-10-01"]),
        ("first monday of october at 10:00", ["2027-10-04", "2028-10-02"]),
        ("29 de febrero a las 10:00", ["2028-02-29"]),
        ("dia-madres at 10:00", ["2027-05-10", "2028-05-10"]),
        ("7 days before dia-madres at 10:00", ["2027-05-03", "2028-05-03"]),
        ("una semana antes de día-madres a las 10:00", ["2027-05-03", "2028-05-03"]),
        ("2 días después de us-labor-day a las 10:00", ["2027-09-08", "2028-09-06"]),
        ("the day before us-labor-day at 10:00", ["2027-09-05", "2028-09-03"]),
    ],
)
def test_days_of_the_month_and_of_the_year(text: str, first_ones: list[str]) -> None:
    """Ordinals, days of the month and of the year, named dates and the days around them, checked by hand."""
    found = [each.isoformat() for each in days(text)]
    assert found[: len(first_ones)] == [f"{day}T10:00:00" for day in first_ones]


@given(st.sampled_from(ALL_DAYS), st.times(), st.booleans())
def test_a_date_of_the_year_comes_on_that_date(day: date, at: time, english: bool) -> None:  # noqa: FBT001 - hypothesis draws it
    """Any day and hour, written out in either language, is read back as that day and hour, every year."""
    hour = f"{at:%H:%M}"
    text = (
        f"{month_name[day.month]} {day.day} at {hour}"
        if english
        else f"{day.day} de {ES_MONTHS[day.month - 1]} a las {hour}"
    )
    expected = [each for each in ALL_DAYS if (each.month, each.day) == (day.month, day.day)]
    assert days(text) == [datetime.combine(each, time(at.hour, at.minute)) for each in expected]
    weekday = day_name[day.weekday()] if english else ES_DAYS[day.weekday()]
    written = (
        f"{weekday} {text.replace(' at ', f', {day.year} at ').replace(' a las', f' de {day.year} a las')}"
    )
    assert once(written) == datetime.combine(day, time(at.hour, at.minute))


@pytest.mark.parametrize(
    ("hour", "shown"),
    [
        ("at 17:00", time(17)),
        ("at 5:30 p.m.", time(17, 30)),
        ("at 12 am", time(0)),
        ("at 12 pm", time(12)),
        ("at noon", time(12)),
        ("at 9h", time(9)),
        ("a las 9 de la mañana", time(9)),
        ("a las 5 de la madrugada", time(5)),
        ("a las 12 de la tarde", time(12)),
        ("a la 1:15 de la tarde", time(13, 15)),
        ("a las 8 de la noche", time(20)),
        ("al mediodía", time(12)),
        ("a las 17:00:00", time(17)),
        ("a las 12 de la noche", None),  # of this day or of the next?
        ("a las 9 de la tarde", None),
        ("at 0 pm", None),
        ("at 24:00", None),
        ("at 9:60", None),
        ("at 9", None),
    ],
)
def test_an_hour_is_said_in_many_ways(hour: str, shown: time | None) -> None:
    """Of 24 or of 12 hours, with the half of the day as people say it; what may mean two hours is refused."""
    if shown is None:
        assert fault(lambda: every(f"friday {hour}", DATES)) == ("timetable.hour", "")
    else:
        assert every(f"friday {hour}", DATES).at == shown


@pytest.mark.parametrize(
    ("text", "rule", "meant"),
    [
        ("every fryday at 17:00", "timetable.word-near", "friday"),
        ("cada viernez a las 17:00", "timetable.word-near", "viernes"),
        ("el primer sabdo del mes a las 10:00", "timetable.word-near", "sábado"),
        ("every year on octubr 1 at 9:00", "timetable.word-near", "octubre"),
        ("7 days before dia-madre at 10:00", "timetable.word-near", "dia-madres"),
        ("7 days befor dia-madres at 10:00", "timetable.word-near", "before"),
        ("xyzzy at 9:00", "timetable.word", ""),
        ("every friday", "timetable.no-hour", ""),
        ("every friday at", "timetable.no-hour", ""),
        ("every friday at 5", "timetable.hour", ""),
        ("every friday at 25:00", "timetable.hour", ""),
        ("every friday at 13 pm", "timetable.hour", ""),
        ("day 32 of the month at 9:00", "timetable.no-such-day", ""),
        ("0 de cada mes a las 9:00", "timetable.no-such-day", ""),
        ("30 de febrero a las 9:00", "timetable.no-such-day", ""),
        ("9th friday of the month at 9:00", "timetable.no-such-day", ""),
        ("every two weeks at 9:00", "timetable.interval", ""),
        ("semana-pale at 9:00", "timetable.date-inexact", ""),
        ("friday saturday of at 9:00 october 1", "timetable.hour", ""),
        ("before at 9:00", "timetable.every", ""),
        ("9:00", "timetable.word", ""),
        ("", "timetable.no-hour", ""),
    ],
)
def test_what_is_not_understood_is_said(text: str, rule: str, meant: str) -> None:
    """Each word that is wrong is named, with the one that was probably meant; nothing is guessed."""
    assert fault(lambda: every(text, DATES)) == (rule, meant)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 day", Before(days=1)),
        ("1 día a las 18:00", Before(days=1, at=time(18))),
        ("dos días antes a las 6 pm", Before(days=2, at=time(18))),
        ("1 week", Before(days=7)),
        ("1 hora", Before(span=timedelta(hours=1))),
        ("2 hours before", Before(span=timedelta(hours=2))),
        ("90 minutos", Before(span=timedelta(minutes=90))),
    ],
)
def test_how_long_before(text: str, expected: Before) -> None:
    """Days of the calendar, with or without an hour of their own, and hours by the clock."""
    assert before(text) == expected


@pytest.mark.parametrize("text", ["1 hour at 9:00", "0 hours", "a while", "2 fridays", "1 month", "hour"])
def test_what_is_no_time_before_is_refused(text: str) -> None:
    """What is neither days nor hours is answered with how to write them."""
    assert fault(lambda: before(text))[0].startswith("timetable.")


TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-05T18:00", "2026-12-05T18:00"),
        ("2026-12-05 18:00", "2026-12-05T18:00"),
        ("sábado 5 de diciembre de 2026 a las 6 de la tarde", "2026-12-05T18:00"),
        ("5 de diciembre a las 18:00", "2026-12-05T18:00"),
        ("25 de noviembre a las 18:00", "2027-11-25T18:00"),
        ("mañana a las 9 de la mañana", "2026-11-27T09:00"),
        ("tomorrow at noon", "2026-11-27T12:00"),
        ("hoy a las 18:00", "2026-11-26T18:00"),
        ("saturday at 10:00", "2026-11-28T10:00"),
    ],
)
def test_one_moment_as_people_say_it(text: str, moment: str) -> None:
    """A command takes a date as it is written down or said; without a year it is the next one."""
    assert once(text, TODAY) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("text", "rule", "meant"),
    [
        ("domingo 5 de diciembre de 2026 a las 18:00", "timetable.weekday", "sábado"),
        ("Sunday, December 5, 2026 at 6 pm", "timetable.weekday", "saturday"),
        ("30 de febrero de 2027 a las 18:00", "timetable.no-such-day", ""),
        ("29 de febrero de 2027 a las 18:00", "timetable.no-such-day", ""),
        ("2026-12-05", "timetable.once", ""),
        ("5 de diciembre a las 18:00", "timetable.once", ""),
        ("mañana a las 9:00", "timetable.once", ""),
        ("every friday at 9:00", "timetable.once", ""),
    ],
)
def test_one_moment_that_is_wrong_is_said(text: str, rule: str, meant: str) -> None:
    """In a file a date needs its year; another date's weekday, and a day that never is, are refused."""
    assert fault(lambda: once(text)) == (rule, meant)


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            [
                "every",
                "friday",
                "1st",
                "at",
                "9:00",
                "de",
                "octubre",
                "last",
                "day",
                "2027",
                "before",
                "dia-madres",
                "999",
            ]
        ),
        max_size=8,
    ).map(" ".join)
)
def test_no_words_make_it_fall(text: str) -> None:
    """Whatever is typed where a time belongs is read, or answered with one of our rules."""
    for read in (lambda: days(text), lambda: once(text, TODAY), lambda: before(text)):
        with suppress(PydanticCustomError):
            read()
