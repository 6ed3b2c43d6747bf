"""`pregonero calendar`: what will happen, equal to what a clock on the wall shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from tests.deployment import PLACES, Deployment, deploy
from tests.local_time import CONSULATES, NEIGHBOURS, ODD, first_shown

if TYPE_CHECKING:
    from pathlib import Path

NIGHT = "quiet_hours = { from = 21:00:00, to = 08:00:00 }"
FIRST, DAYS = date(2027, 3, 1), 60
"""Within it, spring in North America, Europe and Cuba, autumn in Chile and Australia, and a holiday."""


@pytest.fixture
def made(tmp_path: Path) -> Deployment:
    """A deployment that nobody has to answer for."""
    return deploy(tmp_path, "http://127.0.0.1:9")


def slots(made: Deployment, place: str, *written: str) -> None:
    """Give a community slots for the fair."""
    file = made.folder / f"schedules/{place}.toml"
    tables = "".join(f"\n[[slot]]\n{one}\n" for one in written)
    file.write_text(file.read_text("utf-8") + tables, "utf-8")


def announcing(when: str) -> str:
    """A slot for the fair."""
    return f'announce = "feria"\n{when}'


async def test_the_calendar_is_what_clocks_show_in_every_zone(made: Deployment) -> None:
    """In each zone of a consulate each moment is where a clock first shows it, gaps and repeats included."""
    zones = {
        zone.replace("/", "-").replace("_", "-").lower(): zone for zone in [*CONSULATES, *NEIGHBOURS, *ODD]
    }
    base = made.folder / "schedules/fresno.toml"
    text = base.read_text("utf-8")
    for slug, zone in zones.items():
        made.write(f"schedules/{slug}.toml", text.replace("America/Los_Angeles", zone))
        slots(
            made, slug, announcing('every = "every day at 2:30"'), announcing('every = "domingo a las 00:00"')
        )
    rows = await _rows(made)
    expected = set()
    for slug, zone in zones.items():
        last = FIRST + timedelta(days=DAYS - 1)
        for local, moment in first_shown(zone, FIRST, last, timedelta(minutes=30)).items():
            if local.time() == time(2, 30) or (local.time() == time(0) and local.weekday() == 6):
                expected.add((slug, local.isoformat(), moment.isoformat(), moment.isoformat()))
    assert {(row["community"], row["local"], row["utc"], row["sends_at"]) for row in rows} == expected
    assert len(rows) == len(expected)


async def test_the_calendar_says_what_waits_and_why(made: Deployment) -> None:
    """Night, holidays, days of its own and of mourning each hold until the next good morning."""
    rest = 'rest_days = [{ day = 2027-03-03, name = "Cierre" }, { day = 2027-03-04, mourning = true }]'
    made.edit("schedules/fresno.toml", 'quiet_hours = "none"', f'{NIGHT}\nholidays = ["MX"]\n{rest}')
    slots(
        made,
        "fresno",
        announcing("at = 2027-03-01T12:00:00"),
        announcing("at = 2027-03-01T22:00:00"),
        announcing("at = 2027-03-03T12:00:00"),
        announcing("at = 2027-03-04T12:00:00"),
        announcing('at = "15 de marzo de 2027 a las 5 pm"'),
    )
    rows = {row["local"]: (row["sends_at"], row["why"], row["name"]) for row in await _rows(made)}
    assert rows == {
        "2027-03-01T12:00:00": ("2027-03-01T20:00:00+00:00", "", ""),
        "2027-03-01T22:00:00": ("2027-03-02T16:00:00+00:00", "night", ""),
        "2027-03-03T12:00:00": ("2027-03-05T16:00:00+00:00", "rest-day", "Cierre"),
        "2027-03-04T12:00:00": ("2027-03-05T16:00:00+00:00", "mourning", ""),
        "2027-03-15T17:00:00": ("2027-03-16T15:00:00+00:00", "holiday", "Natalicio de Benito Juárez"),
    }
    spoken = await made.do("calendar", "--from", str(FIRST), "--days", "20")
    assert (spoken.status, spoken.err) == (0, "")
    for words in ("lunes 1 de marzo de 2027", "12:00", "Natalicio de Benito Juárez", "hay luto"):
        assert words in spoken.out


async def test_what_was_planned_by_hand_stands_in_the_calendar(made: Deployment) -> None:
    """An `announce --at` is shown beside the slots with its state; what went out at once is not planned."""
    await made.take_in([("telegram", "101", "es", "fresno")])
    slots(made, "phoenix", announcing("at = 2027-03-02T12:00:00"))
    for words in (
        ("--at", "2 de marzo de 2027 a las 6 pm", "-c", "fresno"),
        ("-c", "nueva-york"),
        ("-c", "phoenix", "--at", "2027-03-02T12:00"),
    ):
        ended = await made.do("announce", "feria", *words)
        assert ended.status == 0, ended.said
    found = [(row["community"], row["slot"], row["local"], row["state"]) for row in await _rows(made)]
    assert found == [
        ("phoenix", "2027-03-02T12:00:00", "2027-03-02T12:00:00", "scheduled"),
        ("fresno", "", "2027-03-02T18:00:00", "scheduled"),
    ]


async def test_what_waits_stands_in_the_calendar(made: Deployment) -> None:
    """What was announced on a day of rest leaves on a day to come: the calendar has it until it has left."""
    today = datetime.now(ZoneInfo(PLACES["fresno"])).date()
    before, after, until = (today + timedelta(days=n) for n in (-1, 1, 2))
    rest = f'rest_days = [{{ from = {before}, to = {after}, name = "Feria" }}]'
    made.edit("schedules/fresno.toml", 'quiet_hours = "none"', f"{NIGHT}\n{rest}")
    await made.take_in([("telegram", "101", "es", "fresno"), ("telegram", "102", "es", "phoenix")])
    assert (await made.do("announce", "feria", "-c", "fresno", "-c", "phoenix")).status == 0
    morning = datetime.combine(until, time(8), ZoneInfo(PLACES["fresno"])).astimezone(UTC).isoformat()
    for day in (today, until):
        (row,) = (await made.do("calendar", "--json", "--from", str(day), "--days", "3")).json()
        assert (row["community"], row["entry"], row["state"]) == ("fresno", "feria", "running")
        assert (row["sends_at"], row["why"], row["name"]) == (morning, "rest-day", "Feria")
    said = (await made.do("calendar")).out
    assert "feria · Consulado en fresno · anunciado a mano" in said
    assert "en marcha; espera hasta el " in said
    assert (await made.do("cancel", "1")).status == 0
    assert (await made.do("calendar", "--json")).json() == []


async def test_a_report_says_which_day_holds_what_waits(made: Deployment) -> None:
    """What is announced on a day of rest is shown as held, until when, and for which day."""
    today = datetime.now(ZoneInfo(PLACES["fresno"])).date()
    before, after, until = (today + timedelta(days=n) for n in (-1, 1, 2))
    rest = f'rest_days = [{{ from = {before}, to = {after}, name = "Feria" }}]'
    made.edit("schedules/fresno.toml", 'quiet_hours = "none"', f"{NIGHT}\n{rest}")
    await made.take_in([("telegram", "101", "es", "fresno")])
    (row,) = (await made.do("announce", "feria", "-c", "fresno", "--json")).json()
    morning = datetime.combine(until, time(8), ZoneInfo(PLACES["fresno"])).astimezone(UTC)
    assert (row["counts"]["held"], row["state"]) == (1, "running")
    assert row["rest"] == {"until": morning.isoformat(), "why": "rest-day", "name": "Feria"}
    said = (await made.do("report")).out
    assert "La comunidad descansa: del " in said
    assert "la comunidad descansa (Feria). Lo que falta sale el " in said


async def test_staff_take_the_calendar_with_them(made: Deployment) -> None:
    """The .ics file has each moment once, in UTC, under a name that a second file repeats."""
    slots(made, "fresno", announcing('every = "viernes a las 17:00"'))
    read = []
    for name in ("uno.ics", "dos.ics"):
        ended = await made.do("calendar", "--from", str(FIRST), "--days", "30", "--ics", name)
        assert ended.status == 0, ended.said
        calendar = Calendar.from_ical((made.folder / name).read_bytes())
        assert isinstance(calendar, Calendar)
        assert all(event.DTSTAMP and event.DTSTAMP.utcoffset() == timedelta() for event in calendar.events)
        read.append({event.uid: event.DTSTART for event in calendar.events})
    assert read[0] == read[1]
    assert list(read[0].values()) == [
        datetime(2027, 3, 6, 1, tzinfo=UTC),
        datetime(2027, 3, 13, 1, tzinfo=UTC),
        datetime(2027, 3, 20, 0, tzinfo=UTC),
        datetime(2027, 3, 27, 0, tzinfo=UTC),
    ]


async def test_an_empty_calendar_says_so(made: Deployment) -> None:
    """Nothing planned is a sentence for people and an empty list for scripts."""
    ended = await made.do("calendar")
    assert (ended.status, ended.out.strip()) == (0, "En esos días no sale nada.")
    assert await _rows(made) == []
    assert (await made.do("calendar", "--days", "0")).status == 2
    assert (await made.do("calendar", "--from", "mañana")).status == 2
    assert (await made.do("calendar", "-c", "marte")).status == 1


async def _rows(made: Deployment) -> list[dict[str, str]]:
    ended = await made.do("calendar", "--json", "--from", str(FIRST), "--days", str(DAYS))
    assert (ended.status, ended.err) == (0, ""), ended.said
    rows: list[dict[str, str]] = ended.json()
    for row in rows:
        assert list(row) == ["community", "slot", "entry", "local", "utc", "sends_at", "why", "name", "state"]
    return rows
