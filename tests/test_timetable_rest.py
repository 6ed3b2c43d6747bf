"""Nobody is written to at night, on a holiday or on a day of rest, and everybody learns until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.timetable import Community, QuietHours, RestDays, rest
from tests.test_timetable import MINUTE, RESTLESS, community

NIGHT = QuietHours(time(21), time(8))
FRESNO = replace(
    community(hours=NIGHT),
    holidays=("MX", "US-CA"),
    rest_days=(
        RestDays(date(2026, 12, 24), date(2026, 12, 26), "Cierre"),
        RestDays(date(2026, 12, 10), date(2026, 12, 10), "Duelo", mourning=True),
        RestDays(date(2026, 12, 15), date(2026, 12, 15)),
    ),
)


def here(text: str, place: Community = FRESNO) -> datetime:
    """What the community's clocks show, as a moment."""
    return datetime.fromisoformat(text).replace(tzinfo=place.zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until", "why", "name"),
    [
        ("2026-12-01T12:00", None, "", ""),
        ("2026-12-01T22:00", "2026-12-02T08:00", "night", ""),
        (
            "2026-11-26T12:00",
            "2026-11-28T08:00",
            "holiday",
            "Día de Acción de Gracias",
        ),  # California keeps the Friday
        ("2026-11-25T22:00", "2026-11-28T08:00", "holiday", "Día de Acción de Gracias"),
        ("2026-11-28T03:00", "2026-11-28T08:00", "night", ""),
        ("2026-11-16T12:00", "2026-11-17T08:00", "holiday", "Día de la Revolución"),
        ("2026-12-10T12:00", "2026-12-11T08:00", "mourning", "Duelo"),
        ("2026-12-15T12:00", "2026-12-16T08:00", "rest-day", ""),
        ("2026-12-24T09:00", "2026-12-27T08:00", "rest-day", "Cierre"),
        ("2026-07-03T12:00", "2026-07-05T08:00", "holiday", "Día de la Independencia de Estados Unidos"),
    ],
)
def test_a_day_of_rest_holds_until_a_good_morning(now: str, until: str | None, why: str, name: str) -> None:
    """Holidays, days of its own and of mourning hold until the first hour that is neither night nor rest."""
    found = rest(FRESNO, here(now))
    if until is None:
        assert found is None
    else:
        assert found
        assert (found.until, found.why, found.name) == (here(until), why, name)


def test_each_day_that_holds_is_told() -> None:
    """Who asks why something waits until Saturday learns of the Thursday and of the Friday."""
    found = rest(FRESNO, here("2026-11-26T12:00"))
    assert found
    assert [(one.first.day, one.last.day, one.why) for one in found.days] == [
        (26, 26, "holiday"),
        (27, 27, "holiday"),
    ]
    closed = rest(FRESNO, here("2026-12-25T09:00"))
    assert closed
    assert [(one.first.day, one.last.day, one.name) for one in closed.days] == [(24, 26, "Cierre")]
    night = rest(FRESNO, here("2026-12-01T22:00"))
    assert night
    assert night.days == ()


def test_holidays_have_the_names_that_staff_read() -> None:
    """Holidays of each country are named in the staff's language."""
    english = replace(FRESNO, staff_language="en")
    for day, name in (("2026-11-16T12:00", "Revolution Day"), ("2026-11-26T12:00", "Thanksgiving Day")):
        found = rest(english, here(day))
        assert found
        assert found.name == name


@pytest.mark.parametrize(
    ("codes", "day"),
    [
        (("MX",), "2026-09-16"),
        (("US",), "2026-07-04"),
        (("US-TX",), "2026-03-02"),  # Texas alone
        (("CA-ON",), "2026-02-16"),  # Family Day
        (("CA-QC",), "2026-06-24"),  # Quebec alone
        (("CA", "MX"), "2026-07-01"),
    ],
)
def test_each_country_and_part_keeps_its_own_days(codes: tuple[str, ...], day: str) -> None:
    """A federal holiday holds everywhere, that of a state or province only there."""
    noon = here(f"{day}T12:00")
    assert rest(replace(FRESNO, holidays=codes, rest_days=()), noon)
    assert rest(replace(FRESNO, holidays=(), rest_days=()), noon) is None


@given(
    st.sampled_from([*RESTLESS[:4], "America/New_York", "America/Toronto"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)),  # noqa: DTZ001 - UTC by hand
    st.lists(st.tuples(st.dates(date(2026, 1, 1), date(2028, 12, 31)), st.integers(0, 9)), max_size=4),
    st.lists(st.tuples(st.integers(0, 23), st.integers(1, 5)), max_size=3),
)
@settings(max_examples=150)
def test_what_is_held_leaves_at_the_first_good_minute(
    zone: str, now: datetime, closed: list[tuple[date, int]], quiet: list[tuple[int, int]]
) -> None:
    """A walk from minute to minute that asks only whether this one is good ends where `rest` says."""
    place = replace(
        community(zone),
        quiet_hours=tuple(QuietHours(time(begin), time((begin + last) % 24)) for begin, last in quiet),
        rest_days=tuple(RestDays(day, day + timedelta(days=last)) for day, last in closed),
    )
    clock = ZoneInfo(zone)

    def good(moment: datetime) -> bool:
        shown = moment.astimezone(clock)
        resting = any(day <= shown.date() <= day + timedelta(days=last) for day, last in closed)
        return not resting and not any(hours.hold(shown.time()) for hours in place.quiet_hours)

    begin = now.replace(second=0, microsecond=0, tzinfo=UTC)
    walked = begin
    while not good(walked):
        walked += timedelta(days=1) if _all_day(place, clock, walked) else MINUTE
    found = rest(place, begin)
    assert (found.until if found else begin) == walked


def _all_day(place: Community, clock: ZoneInfo, moment: datetime) -> bool:
    """Whether the walk may take a day at once: far inside days of rest."""
    days = [(moment.astimezone(clock) + timedelta(days=n)).date() for n in (0, 1, 2)]
    return any(one.first <= days[0] and days[2] <= one.last for one in place.rest_days)
