"""schedules/*.toml: what is read, and every fault at once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.timetable import QuietHours, Slot, quiet_until, read
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
