"""Every zone with a consulate, every minute of the days on which clocks change: each local time once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.timetable import Slot, due, local_moment
from bot.timetable.recurrence import Days, Every
from tests.local_time import CONSULATES, NEIGHBOURS, ODD, changes, first_shown
from tests.test_timetable import community

MINUTE = timedelta(minutes=1)
FIRST, LAST = date(2026, 1, 1), date(2028, 12, 31)
ORDINARY = [date(2026, 3, 8), date(2027, 7, 1), date(2028, 2, 29)]
"""For zones whose clocks never change: days on which those of others do, and one that is rare."""


@pytest.mark.parametrize("zone", [*CONSULATES, *NEIGHBOURS, *ODD])
def test_every_minute_of_every_change_is_where_a_clock_shows_it(zone: str) -> None:
    """Each local minute has one moment: the first that shows it, or the first valid minute after a gap."""
    place = community(zone)
    days = list(changes(zone, FIRST, LAST)) or ORDINARY
    for day in days:
        expected = first_shown(zone, day, day, MINUTE)
        assert len(expected) == 24 * 60
        assert {local: local_moment(place, local) for local in expected} == expected


@pytest.mark.parametrize("zone", ["America/New_York", "America/Tijuana", *ODD])
def test_a_heartbeat_meets_every_minute_of_a_change_once(zone: str) -> None:
    """However the beats fall, a slot at each minute is due once, under its own local date and time."""
    for day in list(changes(zone, FIRST, LAST))[:2]:
        expected = first_shown(zone, day, day, MINUTE)
        place = community(zone, slots=tuple(Slot("aviso", local) for local in expected))
        end = max(expected.values())
        now = min(expected.values()) - MINUTE
        met: list[tuple[str, datetime]] = []
        beats = [timedelta(minutes=n) for n in (61, 1, 240, 7, 1500)]
        while now < end:
            since, now = now, now + beats[len(met) % len(beats)]
            met += [(one.key, one.moment) for one in due(place, {}, since, now)]
        assert Counter(met) == Counter({(local.isoformat(), moment): 1 for local, moment in expected.items()})


@pytest.mark.parametrize("zone", [*CONSULATES, *ODD])
def test_what_recurs_keeps_its_hour_through_three_years(zone: str) -> None:
    """A slot at half past two every day comes once each day, at that hour or right after the gap."""
    half = timedelta(minutes=30)
    expected = {
        local.isoformat(): moment
        for local, moment in first_shown(zone, FIRST, LAST, half).items()
        if local.time() == time(2, 30)
    }
    daily = Every(Days(("FREQ=DAILY",)), time(2, 30))
    place = community(zone, slots=(Slot("aviso", daily),))
    begin = datetime.combine(FIRST, time(), UTC) - timedelta(days=1)
    found = due(place, {}, begin, begin + timedelta(days=1100))
    assert {one.key: one.moment for one in found if one.key in expected} == expected
    assert len({one.key for one in found}) == len(found)
