"""schedules/*.toml: what is read, and every fault at once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.timetable import QuietHours, Slot, quiet_until, read
from bot.timetable.recurrence import Days, Every, NamedDate
from bot.timetable.spoken import Before
from bot.words import Phrases

if TYPE_CHECKING:
    from pathlib import Path

    from channels.base import ChannelName

SENDERS: dict[str, ChannelName] = {"bot": "telegram", "other-bot": "telegram", "sms": "sms"}

GOOD = """name = "Consulado de México en Fresno"
timezone = "America/Los_Angeles"
languages = ["es_mx", "en-US"]
senders = ["bot", "sms"]
"""


def written(folder: Path, text: str, name: str = "fresno.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def said(folder: Path) -> set[tuple[int, str, str]]:
    _, findings = read(folder, SENDERS)
    assert all(all(Phrases(language).finding(one)) for one in findings for language in ("es", "en"))
    return {(one.line, one.rule, one.level) for one in findings}


def test_a_schedule_becomes_a_community(tmp_path: Path) -> None:
    """Languages are written one way, quiet hours have their default, slots their two hours."""
    slot = '[[slot]]\nannounce = "aviso"\nat = 2026-12-01T18:00:00\n'
    communities, findings = read(written(tmp_path, GOOD + slot), SENDERS)
    assert not findings
    fresno = communities["fresno"]
    assert fresno.languages == ("es-MX", "en-US")
    assert fresno.channels == {"telegram": "bot", "sms": "sms"}
    assert fresno.quiet_hours == (QuietHours(time(21), time(8)),)
    assert fresno.slots == (
        Slot("aviso", datetime.fromisoformat("2026-12-01T18:00"), timedelta(hours=2), line=6),
    )
    assert not fresno.fold


def test_quiet_hours_can_be_none(tmp_path: Path) -> None:
    """A community may say that any hour is decent."""
    communities, findings = read(written(tmp_path, GOOD + 'quiet_hours = "none"\n'), SENDERS)
    assert not findings
    assert quiet_until(communities["fresno"], datetime(2026, 12, 1, 10, tzinfo=UTC)) is None


def test_every_fault_of_a_schedule_is_said_at_once(tmp_path: Path) -> None:
    """Staff mend a schedule in one round."""
    written(
        tmp_path,
        """name = ""
timezone = "America/Los Angelos"
languages = ["español"]
senders = ["bto", "nobody"]
quiet_hours = { from = 08:00:00, to = 08:00:00 }
holidays = ["México"]
fold_accents = "yes"
colour = "red"
[[slot]]
announce = "aviso"
at = 2026-12-01T18:00:00-08:00
[[slot]]
announce = "aviso"
at = 2026-12-01
late = "two hours"
[[slot]]
announce = "aviso"
""",
    )
    assert said(tmp_path) == {
        (1, "toml.empty", "error"),
        (2, "timetable.zone-near", "error"),
        (3, "timetable.language", "error"),
        (4, "timetable.sender-near", "error"),
        (4, "timetable.sender", "error"),
        (5, "timetable.quiet-all-day", "error"),
        (6, "timetable.holiday-near", "error"),
        (7, "toml.not-yes-or-no", "error"),
        (8, "toml.unknown", "error"),
        (11, "timetable.at-with-offset", "error"),
        (14, "timetable.at", "error"),
        (15, "timetable.late", "error"),
        (16, "timetable.slot-incomplete", "error"),
    }


@pytest.mark.parametrize(
    ("zone", "meant"),
    [
        ("america/phoenix", "America/Phoenix"),
        ("America/Nueva_York", "America/New_York"),
        ("Los Angeles", "America/Los_Angeles"),
        ("US/Pacifico", "US/Pacific"),
    ],
)
def test_a_zone_written_from_memory_is_recognised(tmp_path: Path, zone: str, meant: str) -> None:
    """A wrong time zone is answered with the one that was meant."""
    _, findings = read(written(tmp_path, GOOD.replace("America/Los_Angeles", zone)), SENDERS)
    assert [(one.line, one.values.get("meant")) for one in findings] == [(2, meant)]


def test_two_senders_of_one_channel_warn_and_the_first_speaks(tmp_path: Path) -> None:
    """Nobody gets the same news from two bots."""
    communities, findings = read(
        written(tmp_path, GOOD.replace('"bot", "sms"', '"bot", "other-bot"')), SENDERS
    )
    assert [(one.rule, one.level) for one in findings] == [("timetable.same-channel", "warning")]
    assert communities["fresno"].channels == {"telegram": "bot"}


def test_the_same_slot_twice_is_an_error(tmp_path: Path) -> None:
    """A slot copied without changing its date would be one broadcast, which is not what was meant."""
    slot = '[[slot]]\nannounce = "aviso"\nat = 2026-12-01T18:00:00\n'
    assert said(written(tmp_path, GOOD + slot * 2)) == {(8, "timetable.repeated-slot", "error")}


def test_a_single_bracket_is_answered_with_two(tmp_path: Path) -> None:
    """The commonest slip in TOML is told apart from everything else."""
    slot = '[slot]\nannounce = "aviso"\nat = 2026-12-01T18:00:00\n'
    assert said(written(tmp_path, GOOD + slot)) == {(5, "timetable.single-slot", "error")}


def slot(*lines: str) -> str:
    return "\n".join(("[[slot]]", *lines, ""))


def test_every_kind_of_slot_is_read(tmp_path: Path) -> None:
    """Once, again and again, before an event, and a digest of topics; several reminders are several slots."""
    text = (
        slot('announce = "aviso"', 'at = "sábado 5 de diciembre de 2026 a las 18:00"')
        + slot('announce = "aviso"', 'every = "cada viernes a las 17:00"', 'late = "1d"')
        + slot('announce = "aviso"', 'before = ["1 día a las 18:00", "1 hora"]')
        + slot('digest = ["Salud", "educacion", "salud"]', 'every = "friday at 17:00"')
    )
    communities, findings = read(written(tmp_path, GOOD + text), SENDERS)
    assert not findings
    once, weekly, day, hour, digest = communities["fresno"].slots
    assert (once.when, once.written) == (
        datetime.fromisoformat("2026-12-05T18:00"),
        "sábado 5 de diciembre de 2026 a las 18:00",
    )
    assert (weekly.late, weekly.written) == (timedelta(days=1), "cada viernes a las 17:00")
    assert (day.when, hour.when) == (Before(1, time(18)), Before(span=timedelta(hours=1)))
    assert (day.line, hour.line, hour.written) == (13, 13, "1 hora")
    assert (digest.entry, digest.digest, digest.line) == (
        "digest:educacion+salud",
        ("educacion", "salud"),
        16,
    )
    assert digest.when == weekly.when


def test_a_slot_says_one_thing_once(tmp_path: Path) -> None:
    """What is missing, what is too much and what cannot be read is said at once, each on its line."""
    text = (
        slot('announce = "aviso"')
        + slot('every = "friday at 17:00"')
        + slot(
            'announce = "aviso"',
            'digest = ["salud"]',
            "at = 2026-12-01T18:00:00",
            'every = "friday at 17:00"',
        )
        + slot("digest = []", 'every = "friday at 17:00"')
        + slot('digest = ["salud"]', 'before = "1 day"')
        + slot('announce = "aviso"', 'every = "every fryday at 17:00"')
        + slot('announce = "aviso"', 'before = "1 dya"')
        + slot('announce = "aviso"', "every = 7", "before = 7")
        + slot('announce = "aviso"', 'evry = "friday at 17:00"')
    )
    assert said(written(tmp_path, GOOD + text)) == {
        (5, "timetable.slot-incomplete", "error"),
        (7, "timetable.slot-incomplete", "error"),
        (11, "timetable.slot-both", "error"),
        (13, "timetable.slot-both", "error"),
        (15, "toml.empty", "error"),
        (19, "timetable.digest-before", "error"),
        (22, "timetable.word-near", "error"),
        (25, "timetable.word-near", "error"),
        (28, "timetable.every", "error"),
        (29, "timetable.before", "error"),
        (29, "timetable.slot-both", "error"),
        (30, "timetable.slot-incomplete", "error"),
        (32, "toml.unknown-near", "error"),
    }


def test_the_same_time_in_other_words_is_the_same_slot(tmp_path: Path) -> None:
    """Two slots that come at the same times are one broadcast, in whatever words they say so."""
    text = (
        slot('announce = "aviso"', 'every = "every friday at 17:00"')
        + slot('announce = "aviso"', 'every = "los viernes a las 5 de la tarde"')
        + slot('digest = ["salud", "educacion"]', 'every = "friday at 17:00"')
        + slot('digest = ["educacion", "salud"]', 'every = "friday at 17:00"')
        + slot('announce = "aviso"', 'before = ["1 day", "2 hours"]')
        + slot('announce = "aviso"', 'before = "2 horas"')
    )
    assert said(written(tmp_path, GOOD + text)) == {
        (8, "timetable.repeated-slot", "error"),
        (14, "timetable.repeated-slot", "error"),
        (20, "timetable.repeated-slot", "error"),
    }


def test_a_slot_may_name_a_date(tmp_path: Path) -> None:
    """A date of content/dates.toml is known by its name, and one that is misspelt by the nearest."""
    dates = {"dia-madres": NamedDate("dia-madres", Days(("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=10",)))}
    good = slot('announce = "aviso"', 'every = "7 días antes de dia-madres a las 10:00"')
    wrong = slot('announce = "aviso"', 'every = "dia-madre at 10:00"')
    communities, findings = read(written(tmp_path, GOOD + good), SENDERS, dates)
    assert not findings
    assert communities["fresno"].slots[0].when == Every(dates["dia-madres"], time(10), -7)
    _, findings = read(written(tmp_path, GOOD + wrong), SENDERS, dates)
    assert [(one.line, one.values["meant"]) for one in findings] == [(7, "dia-madres")]


@pytest.mark.parametrize(
    ("hours", "rule"),
    [
        ("[{ from = 21:00:00, to = 08:00:00 }, { from = 14:00:00, to = 15:00:00 }]", None),
        ("[{ from = 21:00:00, to = 08:00:00 }, { from = 08:00:00, to = 09:00:00 }]", None),
        (
            "[{ from = 21:00:00, to = 08:00:00 }, { from = 07:00:00, to = 09:00:00 }]",
            "timetable.quiet-overlap",
        ),
        (
            "[{ from = 13:00:00, to = 16:00:00 }, { from = 14:00:00, to = 15:00:00 }]",
            "timetable.quiet-overlap",
        ),
        (
            "[{ from = 21:00:00, to = 08:00:00 }, { from = 08:00:00, to = 21:00:00 }]",
            "timetable.quiet-all-day",
        ),
        ("[{ from = 08:00:00, to = 08:00:00 }]", "timetable.quiet-all-day"),
        ("[]", "timetable.quiet-hours"),
        ("[21, 8]", "timetable.quiet-hours"),
        ('{ from = "21:00", to = 08:00:00 }', "timetable.clock-time"),
    ],
)
def test_quiet_hours_do_not_overlap(tmp_path: Path, hours: str, rule: str | None) -> None:
    """A community may be silent at night and at noon; hours that overlap, or leave no hour, are refused."""
    found = said(written(tmp_path, f"{GOOD}quiet_hours = {hours}\n"))
    assert found == ({(5, rule, "error")} if rule else set())


@pytest.mark.parametrize(
    ("codes", "rule", "meant"),
    [
        ('["MX", "US", "US-CA", "CA", "CA-ON"]', None, ""),
        ('["USA"]', "timetable.holiday-near", "US"),
        ('["Mexico"]', "timetable.holiday-near", "MX"),
        ('["mx"]', "timetable.holiday-near", "MX"),
        ('["US-CAL"]', "timetable.holiday-part", "US-CA"),
        ('["CA-ONT"]', "timetable.holiday-part", "CA-ON"),
        ('["US-"]', "timetable.holiday-part", ""),
        ('["marte y venus"]', "timetable.holiday", ""),
    ],
)
def test_holidays_are_of_countries_and_parts_that_have_them(
    tmp_path: Path, codes: str, rule: str | None, meant: str
) -> None:
    """A country or a state that the calendar does not know is answered with the nearest it knows."""
    _, findings = read(written(tmp_path, f"{GOOD}holidays = {codes}\n"), SENDERS)
    assert [(one.line, one.rule) for one in findings] == ([(5, rule)] if rule else [])
    for one in findings:
        assert meant in (one.values.get("meant", ""), *one.values.get("known", "").split(", "), "")


@pytest.mark.parametrize(
    ("days", "rule"),
    [
        ("[2026-11-02]", None),
        ('[{ day = 2026-11-02, name = "Día de Muertos" }]', None),
        ("[{ from = 2026-12-24, to = 2026-12-26, mourning = true }]", None),
        ("[{ from = 2026-12-26, to = 2026-12-24 }]", "timetable.rest-backwards"),
        ("[{ from = 2026-12-26 }]", "timetable.rest-day"),
        ("[{ day = 2026-12-26, from = 2026-12-24, to = 2026-12-26 }]", "timetable.rest-day"),
        ("[{}]", "timetable.rest-day"),
        ("[2026-11-02T10:00:00]", "timetable.rest-day"),
        ('["2 de noviembre"]', "timetable.rest-day"),
        ("[{ day = 2026-11-02, nombre = 1 }]", "toml.unknown-near"),
        ("[{ day = 9999-11-02 }]", "timetable.rest-day"),
    ],
)
def test_days_of_rest_are_days(tmp_path: Path, days: str, rule: str | None) -> None:
    """A day, a named day, or days from the first to the last; anything else is said."""
    assert {one[1] for one in said(written(tmp_path, f"{GOOD}rest_days = {days}\n"))} == (
        {rule} if rule else set()
    )


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_a_year_that_nobody_means_is_an_error(tmp_path: Path, year: str) -> None:
    """A slip in the year is said, instead of overflowing on the day it is reckoned."""
    slot = f'[[slot]]\nannounce = "aviso"\nat = {year}-12-31T23:59:59\n'
    assert said(written(tmp_path, GOOD + slot)) == {(7, "timetable.at", "error")}


def test_hours_without_seconds_are_answered_with_how_to_write_them(tmp_path: Path) -> None:
    """TOML wants 21:00:00; people write 21:00, and are told exactly that."""
    assert said(written(tmp_path, GOOD + "quiet_hours = { from = 21:00, to = 08:00 }\n")) == {
        (5, "toml.short-time", "error")
    }


def test_a_file_name_becomes_a_short_name(tmp_path: Path) -> None:
    """A name with spaces or accents is refused, since it stands in commands and imports."""
    assert said(written(tmp_path, GOOD, "Nueva York.toml")) == {(0, "timetable.file-name", "error")}


def test_no_community_at_all_is_an_error(tmp_path: Path) -> None:
    """An empty or missing schedules folder is said, since nothing could be sent."""
    assert said(tmp_path / "schedules") == {(0, "timetable.no-community", "error")}


@given(st.lists(st.sampled_from(GOOD.splitlines()), max_size=6), st.text(max_size=40))
def test_no_schedule_makes_it_fall(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], rest: str
) -> None:
    """Whatever is typed into a schedule ends in a community or in findings, never in a traceback."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "fresno.toml").write_bytes("\n".join([*lines, rest]).encode("utf-8", "surrogatepass"))
    communities, findings = read(folder, SENDERS)
    assert communities or findings
