"""schedules/: nobody is woken, and each local moment comes once."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.timetable import Community, QuietHours, Slot, due, local_moment, quiet_until
from bot.timetable.recurrence import Days, Every
from bot.timetable.spoken import Before

ZONES = sorted(available_timezones())
RESTLESS = [
    "America/Los_Angeles",
    "America/New_York",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]
"""Gaps and folds in the evening, at midnight, of half an hour, and of a whole day (Apia, December 2011)."""

MINUTE = timedelta(minutes=1)

zones = st.sampled_from(ZONES) | st.sampled_from(RESTLESS)
local_moments = st.datetimes(datetime(1970, 1, 2), datetime(2040, 1, 1)).map(  # noqa: DTZ001 - local, as people say it
    lambda moment: moment.replace(second=0, microsecond=0)
)
clock_times = st.times().map(lambda shown: shown.replace(second=0, microsecond=0))


def community(
    zone: str = "America/Los_Angeles", hours: QuietHours | None = None, slots: tuple[Slot, ...] = ()
) -> Community:
    return Community(
        slug="fresno",
        name="Fresno",
        zone=ZoneInfo(zone),
        languages=("es-MX",),
        senders=("bot",),
        channels={"telegram": "bot"},
        quiet_hours=(hours,) if hours else (),
        holidays=(),
        fold=False,
        opinions=False,
        slots=slots,
        file=Path("fresno.toml"),
    )


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(zones, local_moments, clock_times, clock_times)
def test_nobody_is_woken(zone: str, at: datetime, start: time, end: time) -> None:
    """What waits for the end of quiet hours never leaves inside them, in any zone, on any day."""
    hours = QuietHours(start, end)
    if start == end:
        return  # refused by `read`
    place = community(zone, hours)
    now = at.replace(tzinfo=UTC)
    until = quiet_until(place, now)
    assert (until is not None) == hours.hold(now.astimezone(place.zone).time())
    if until:
        assert until > now
        assert quiet_until(place, until) is None


@given(zones, local_moments, clock_times, clock_times)
def test_nobody_waits_longer_than_the_quiet_hours(zone: str, at: datetime, start: time, end: time) -> None:
    """The wait ends at the first minute that is not quiet, not a day later."""
    if start == end:
        return
    place = community(zone, QuietHours(start, end))
    now = at.replace(tzinfo=UTC)
    until = quiet_until(place, now)
    while until and now < until:
        assert quiet_until(place, now)
        now += timedelta(minutes=17)


@given(zones, local_moments)
def test_each_local_moment_comes_once(zone: str, at: datetime) -> None:
    """A slot has one moment: the one its clocks show, the first if twice, the change itself if never."""
    place = community(zone)
    moment = local_moment(place, at)
    shown = moment.astimezone(place.zone).replace(tzinfo=None)
    assert shown >= at
    if shown == at:
        assert moment.astimezone(place.zone).fold == 0
    else:  # skipped: the instant before, the clocks showed less than what was asked
        before = (moment - timedelta(seconds=1)).astimezone(place.zone).replace(tzinfo=None)
        assert before < at
    assert local_moment(place, at + MINUTE) >= moment


@pytest.mark.parametrize(
    ("zone", "at", "moment"),
    [
        ("America/Los_Angeles", "2026-12-01T18:00", "2026-12-02T02:00"),
        ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00"),  # skipped
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30"),  # shown twice
        ("America/Phoenix", "2026-07-01T12:00", "2026-07-01T19:00"),  # never changes
        ("America/Mexico_City", "2026-07-01T12:00", "2026-07-01T18:00"),  # no summer time since 2022
        (
            "America/Vancouver",
            "2026-12-01T12:00",
            "2026-12-01T19:00",
        ),  # none since March 2026: an old machine errs
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00"),  # a day that never was
    ],
)
def test_local_moments_of_known_days(zone: str, at: str, moment: str) -> None:
    """Days on which clocks change, checked by hand."""
    assert local_moment(community(zone), local(at)) == utc(moment)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-12-01T20:59", None),
        ("2026-12-01T21:00", "2026-12-02T08:00"),
        ("2026-12-02T07:59", "2026-12-02T08:00"),
        ("2026-12-02T08:00", None),
    ],
)
def test_quiet_hours_end_in_the_morning(now: str, until: str | None) -> None:
    """From nine in the evening to eight in the morning, as the community's clocks show it."""
    place = community(hours=QuietHours(time(21), time(8)))
    end = quiet_until(place, local(now).replace(tzinfo=place.zone).astimezone(UTC))
    assert end == (local(until).replace(tzinfo=place.zone).astimezone(UTC) if until else None)


def test_a_slot_is_due_once_and_says_when_it_is_late() -> None:
    """The heartbeat finds a slot in exactly one of its steps, and knows when it is no longer useful."""
    slot = Slot("aviso", local("2026-12-01T18:00"), timedelta(hours=2))
    place = community(slots=(slot,))
    moment = utc("2026-12-02T02:00")
    assert due(place, {}, moment - MINUTE, moment - timedelta(seconds=1)) == []
    assert [(one.moment, one.late) for one in due(place, {}, moment - MINUTE, moment)] == [(moment, False)]
    assert due(place, {}, moment, moment + MINUTE) == []
    assert [one.late for one in due(place, {}, moment - MINUTE, moment + timedelta(hours=2))] == [False]
    assert [one.late for one in due(place, {}, moment - MINUTE, moment + timedelta(hours=2, minutes=1))] == [
        True
    ]
    assert [one.key for one in due(place, {}, moment - MINUTE, moment)] == ["2026-12-01T18:00:00"]


FRIDAYS = Every(Days(("FREQ=WEEKLY;BYDAY=FR",)), time(17))


def test_what_recurs_is_due_each_time_under_its_own_key() -> None:
    """Each Friday is a broadcast of its own, at the same hour before and after the clocks change."""
    place = community("America/New_York", slots=(Slot("aviso", FRIDAYS),))
    found = due(place, {}, utc("2026-10-28T00:00"), utc("2026-11-10T00:00"))
    assert [(one.key, one.moment) for one in found] == [
        ("2026-10-30T17:00:00", utc("2026-10-30T21:00")),
        ("2026-11-06T17:00:00", utc("2026-11-06T22:00")),
    ]


@pytest.mark.parametrize(
    ("starts", "before", "key", "moment"),
    [
        (local("2026-12-05T09:00"), Before(days=1), "2026-12-04T09:00:00", "2026-12-04T17:00"),
        (local("2026-12-05T09:00"), Before(1, time(18)), "2026-12-04T18:00:00", "2026-12-05T02:00"),
        (date(2026, 12, 5), Before(1, time(18)), "2026-12-04T18:00:00", "2026-12-05T02:00"),
        (utc("2026-12-05T17:00"), Before(1, time(18)), "2026-12-04T18:00:00", "2026-12-05T02:00"),
        (
            local("2026-12-05T09:00"),
            Before(span=timedelta(hours=1)),
            "2026-12-05T08:00:00",
            "2026-12-05T16:00",
        ),
        # The night in between is an hour shorter: a day is a day of the calendar, an hour is an hour.
        (local("2027-03-14T09:00"), Before(days=1), "2027-03-13T09:00:00", "2027-03-13T17:00"),
        (
            local("2027-03-14T09:00"),
            Before(span=timedelta(hours=24)),
            "2027-03-13T08:00:00",
            "2027-03-13T16:00",
        ),
        # One hour before half past two is the second half past one of that night.
        (
            local("2026-11-01T02:30"),
            Before(span=timedelta(hours=1)),
            "2026-11-01T01:30:00",
            "2026-11-01T09:30",
        ),
        (
            local("2026-12-05T09:00"),
            Before(span=timedelta(hours=0, minutes=90)),
            "2026-12-05T07:30:00",
            "2026-12-05T15:30",
        ),
    ],
)
def test_a_reminder_counts_from_the_start(starts: date, before: Before, key: str, moment: str) -> None:
    """Days before are days on the community's calendar, hours before are hours by the clock."""
    place = community(slots=(Slot("aviso", before),))
    found = due(place, {"aviso": starts}, utc(moment) - MINUTE, utc(moment))
    assert [(one.key, one.moment) for one in found] == [(key, utc(moment))]


@pytest.mark.parametrize(
    ("starts", "before"),
    [
        (None, Before(days=1)),
        (None, Before(1, time(18))),
        (date(2026, 12, 5), Before(days=1)),
        (date(2026, 12, 5), Before(span=timedelta(hours=1))),
    ],
)
def test_a_reminder_that_cannot_be_counted_never_comes(starts: date | None, before: Before) -> None:
    """Without a start, or without its hour where it is needed, nothing goes out at a guess."""
    place = community(slots=(Slot("aviso", before),))
    assert due(place, {"aviso": starts}, utc("2026-01-01T00:00"), utc("2027-12-31T00:00")) == []


@given(zones, local_moments, st.sampled_from([FRIDAYS, Every(Days(("FREQ=DAILY",)), time(2, 30))]), st.data())
def test_beats_of_any_length_meet_what_recurs_once(
    zone: str, at: datetime, when: Every, data: st.DataObject
) -> None:
    """However often the heart beats, and however long it paused, each time is due in exactly one step."""
    place = community(zone, slots=(Slot("aviso", when),))
    begin = at.replace(tzinfo=UTC)
    steps = data.draw(
        st.lists(st.timedeltas(timedelta(seconds=1), timedelta(days=9)), min_size=1, max_size=6)
    )
    whole = due(place, {}, begin, begin + sum(steps, timedelta()))
    met = []
    for step in steps:
        met += due(place, {}, begin, begin + step)
        begin += step
    assert [(one.key, one.moment) for one in met] == [(one.key, one.moment) for one in whole]
