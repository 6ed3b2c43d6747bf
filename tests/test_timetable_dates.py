"""content/dates.toml: the dates of the year by name, and what is wrong in the file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.timetable import read_dates
from bot.words import Phrases

if TYPE_CHECKING:
    from bot.timetable.recurrence import NamedDate

STARTER = Path(__file__).parents[1] / "content/dates.toml"
ONE = '[date.{slug}]\nes = "Día"\nen = "Day"\nrule = "{rule}"\nsource = "test"\nconfidence = "confirmed"\n'


@pytest.fixture(scope="module")
def starter() -> dict[str, NamedDate]:
    """The dates that every consulate begins with."""
    dates, findings = read_dates(STARTER)
    assert not findings
    return dates


@pytest.mark.parametrize(
    ("slug", "year", "days"),
    [
        ("mx-constitucion", 2027, ["2027-02-01"]),
        ("us-thanksgiving", 2026, ["2026-11-26"]),
        ("us-memorial", 2027, ["2027-05-31"]),
        ("semana-santa", 2027, ["2027-03-25"]),  # Easter Sunday is March 28
        ("paisano-semana-santa", 2027, ["2027-02-23"]),
        ("semana-derechos-laborales-us", 2027, ["2027-08-30"]),
        ("semana-derechos-laborales-ca", 2027, ["2027-09-07"]),
        ("temporada-taxes", 2027, ["2027-02-01"]),
        ("ohtli-entrega", 2027, ["2027-05-05", "2027-09-15", "2027-11-20"]),
        ("mx-cambio-poder", 2027, []),
        ("mx-cambio-poder", 2030, ["2030-10-01"]),
        ("eleccion-federal", 2027, ["2027-06-06"]),
        ("semana-pale", 2025, ["2025-08-18"]),  # known, though its rule says only the month
        ("semana-pale", 2027, []),
        ("paisano-invierno", 2022, ["2022-11-29"]),  # known, against the rule
        ("grito", 2027, ["2027-09-15"]),
    ],
)
def test_the_dates_of_the_starter_are_the_days_of_the_calendar(
    starter: dict[str, NamedDate], slug: str, year: int, days: list[str]
) -> None:
    """Fixed days, weekdays of a month, Easter, days counted from others and known ones, checked by hand."""
    found = starter[slug].between(date(year, 1, 1), date(year, 12, 31))
    assert [day.isoformat() for day in found] == days


def test_the_starter_knows_which_of_its_dates_are_sure(starter: dict[str, NamedDate]) -> None:
    """Every date is read, and what is decided anew each year says so of the years that nobody knows."""
    assert len(starter) == 45
    assert starter["dia-madres"].sure(date(2027, 5, 10))
    assert not starter["semana-binacional-salud"].sure(date(2027, 10, 4))
    assert starter["semana-binacional-salud"].sure(date(2023, 10, 2))


@pytest.mark.parametrize(
    ("slug", "rule", "found"),
    [
        ("dia-uno", "RRULE:FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1", None),
        ("dia-uno", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "timetable.date-rule"),
        ("dia-uno", "RRULE:FREQ=YEARLY;BYMONTH=13;BYMONTHDAY=1", "timetable.date-rule"),
        ("dia-uno", "RRULE:FREQ=SECONDLY", "timetable.date-rule"),
        ("dia-uno", "RRULE:FREQ=YEARLY;BYDAY=XX", "timetable.date-rule"),
        ("dia-uno", "RRULE:FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1;DTSTART=20241399", "timetable.date-rule"),
        ("dia-uno", "RANGE:13-01..02-01", "timetable.date-rule"),
        ("dia-uno", "RRULE:FREQ=YEARLY;INTERVAL=0", "timetable.date-rule"),
        ("dia-uno", "DATES:05-05,99-99", "timetable.date-rule"),
        ("dia-uno", "EASTER+999", None),
        ("dia-uno", "cada año", "timetable.date-rule"),
        ("dia-uno", "OFFSET:dia-otro-3", "timetable.date-offset"),
        ("friday", "EASTER", "timetable.date-name"),
        ("Día", "EASTER", "timetable.date-name"),
    ],
)
def test_a_rule_that_gives_no_day_is_said(tmp_path: Path, slug: str, rule: str, found: str | None) -> None:
    """A rule, a name or a date to count from that is wrong is named, and the other dates still count."""
    file = tmp_path / "dates.toml"
    name = slug if slug.isascii() else f'"{slug}"'
    good = ONE.format(slug="dia-bueno", rule="EASTER-3")
    file.write_text(good + ONE.format(slug=name, rule=rule), encoding="utf-8")
    dates, findings = read_dates(file)
    assert {one.rule for one in findings} == ({found} if found else set())
    assert all(one.line > 6 for one in findings)
    assert all(all(Phrases(language).finding(one)) for one in findings for language in ("es", "en"))
    assert dates.keys() == ({"dia-bueno"} if found else {"dia-bueno", slug})


def test_keys_of_a_date_are_judged_like_any_others(tmp_path: Path) -> None:
    """A slip in a key, a missing source and a day in quotes are each said on their line."""
    file = tmp_path / "dates.toml"
    wrong = ONE.replace('source = "test"\n', "").replace("confidence", "confidense")
    file.write_text(
        wrong.format(slug="dia-uno", rule="EASTER") + 'known = ["2027-01-01"]\n', encoding="utf-8"
    )
    dates, findings = read_dates(file)
    assert {(one.line, one.rule) for one in findings} == {
        (1, "toml.missing"),
        (5, "toml.unknown-near"),
        (6, "timetable.date-known"),
    }
    assert dates == {}


def test_no_dates_at_all_is_fine(tmp_path: Path) -> None:
    """A deployment need not have named dates."""
    assert read_dates(tmp_path / "dates.toml") == ({}, [])
