"""An event's `.ics`: what a telephone's calendar reads in it, and what is said where no file goes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from bot import library
from bot.rendering import render
from channels.calendar import Occasion, invitation
from tests.core import MORNING, project

if TYPE_CHECKING:
    from pathlib import Path

    from bot.check import Project
    from bot.rendering import Rendered
    from channels.base import ChannelName, File

ZONES = ("America/Los_Angeles", "America/Phoenix", "America/St_Johns", "Europe/Madrid", "Australia/Lord_Howe")

TIMES = st.builds(dt.time, st.integers(0, 23), st.integers(0, 59))


def event_of(file: File) -> dict[str, object]:
    """The one event of a file, its values as Python's."""
    [event] = Calendar.from_ical(file.content).walk("VEVENT")
    return {
        str(name): getattr(value, "dt", value if isinstance(value, int) else str(value))
        for name, value in event.items()
    }


def said(made: Project, front: str, body: str, channel: ChannelName = "telegram", **more: object) -> Rendered:
    """An announcement as one reader in Fresno gets it."""
    folder = made.settings.database_path.parent / "content/announcements/evento"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "es.md").write_text(f'+++\ntitle = "Feria; de, salud"\n{front}\n+++\n{body}\n', "utf-8")
    found, findings = library.read(folder.parents[1], today=MORNING.date())
    assert not [one for one in findings if one.level == "error"]
    place = made.communities["fresno"]
    return render(found, found.entries["evento"], place, channel, "es", MORNING, **more)  # type: ignore[arg-type] # keywords


@pytest.fixture
def made(tmp_path: Path) -> Project:
    """A deployment whose community stands in Los Angeles' time."""
    return project(tmp_path)


@given(
    st.builds(dt.datetime.combine, st.dates(dt.date(2026, 1, 1), dt.date(2028, 12, 31)), TIMES),
    st.sampled_from(ZONES),
    st.integers(0, 1),
)
def test_a_calendar_shows_the_moment_that_was_meant(local: dt.datetime, zone: str, fold: int) -> None:
    """Whatever the zone and the change of its clocks, the file holds the very instant, and UTC names it."""
    starts = local.replace(tzinfo=ZoneInfo(zone), fold=fold)
    ends = starts.astimezone(dt.UTC) + dt.timedelta(hours=3)
    event = event_of(invitation(Occasion("a", "a@b", starts, ends, "Feria", "")))
    assert event["DTSTART"] == starts.astimezone(dt.UTC)
    assert event["DTEND"] == ends
    assert (event["DTSTART"].utcoffset(), event["DTEND"].utcoffset()) == (dt.timedelta(), dt.timedelta())  # type: ignore[attr-defined] # a datetime


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1))
def test_any_words_are_read_back(words: str) -> None:
    """Commas, semicolons, backslashes and letters of any script come out of the file as they went in."""
    [event] = Calendar.from_ical(
        invitation(Occasion("a", "a@b", dt.date(2027, 1, 1), None, words, words)).content
    ).walk("VEVENT")
    assert (str(event["summary"]), str(event["description"])) == (words, words)


@pytest.mark.parametrize(
    ("starts", "utc"),
    [
        ("2027-03-14T09:00:00", "2027-03-14T16:00:00+00:00"),  # the morning after the clocks went forward
        ("2027-03-14T02:30:00", "2027-03-14T10:00:00+00:00"),  # does not exist: the first minute after
        ("2027-11-07T01:30:00", "2027-11-07T08:30:00+00:00"),  # comes twice: the first time
        ("2027-11-07T09:00:00", "2027-11-07T17:00:00+00:00"),
        ("2027-06-01T09:00:00-04:00", "2027-06-01T13:00:00+00:00"),
    ],
)
def test_a_local_time_is_the_communitys(made: Project, starts: str, utc: str) -> None:
    """What staff write in local time is in UTC in the file, around the changes of the clocks too."""
    text = said(made, f"starts = {starts}", "Ven el {{ starts | date }}.")
    assert text.open[0].file is not None
    assert event_of(text.open[0].file)["DTSTART"] == dt.datetime.fromisoformat(utc)


def test_a_day_is_a_day(made: Project) -> None:
    """An event without an hour is a whole day in the calendar, and its last day is in it."""
    text = said(made, "starts = 2027-10-04\nends = 2027-10-08", "Ven el {{ starts | date }}.")
    assert text.open[0].file is not None
    event = event_of(text.open[0].file)
    assert (event["DTSTART"], event["DTEND"]) == (dt.date(2027, 10, 4), dt.date(2027, 10, 9))


def test_a_day_ends_an_hour_in_the_night(made: Project) -> None:
    """What begins at an hour and ends with a day, ends at that day's midnight in the community."""
    text = said(made, "starts = 2027-10-04T09:00:00\nends = 2027-10-05", "Ven el {{ starts | date }}.")
    assert text.open[0].file is not None
    assert event_of(text.open[0].file)["DTEND"] == dt.datetime(2027, 10, 6, 7, tzinfo=dt.UTC)


def test_the_file_is_the_same_whenever_it_is_made(made: Project) -> None:
    """What was previewed and approved is what arrives; a correction only counts up, under the same name."""
    front, body = "starts = 2027-10-04T09:00:00", "Ven el {{ starts | date }}."
    [first], [again] = said(made, front, body).open, said(made, front, body).open
    assert first == again
    [corrected] = said(made, front, body, revision=2).open
    assert first.file is not None
    assert corrected.file is not None
    before, after = event_of(first.file), event_of(corrected.file)
    assert before == after | {"SEQUENCE": 0}
    assert after["SEQUENCE"] == 2
    assert "METHOD:PUBLISH" in first.file.content
    assert before["SUMMARY"] == "Feria; de, salud"
    assert "LOCATION" not in before


def test_what_has_begun_brings_no_file(made: Project) -> None:
    """A calendar has no use for what is over."""
    [part] = said(made, "starts = 2026-11-20T09:00:00", "Ven hoy.").open
    assert (part.file, "Fecha" in part.text) == (None, False)


def test_a_text_too_long_for_a_caption_goes_before_its_file(made: Project) -> None:
    """Up to 1,024 units the text stands under the file, in one message; beyond, the file follows it."""
    front = "starts = 2027-10-04T09:00:00"
    frame = len("Feria; de, salud\n\n") + len("lunes 4 de octubre de 2027")
    fits, over = (said(made, front, "ñ" * n + "{{ starts | date }}") for n in (1024 - frame, 1025 - frame))
    [one] = fits.open
    assert (one.units, one.file is not None) == (1024, True)
    text, file = over.open
    assert (text.units, text.file, file.text, file.file) == (1025, None, "", one.file)


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "telegram"])
def test_who_gets_no_file_reads_the_date(made: Project, channel: ChannelName) -> None:
    """A text that does not say when it is gets a line that does, in the reader's words."""
    front = "starts = 2027-10-04T09:00:00\n"
    silent = said(made, front + 'sms = "Vacunas gratis."', "Vacunas gratis.", channel)
    assert "Fecha: lunes 4 de octubre de 2027, 9:00" in silent.open[0].text
    if channel == "sms":
        assert silent.open[0].encoding == "gsm-7"  # the line costs no accent
    telling = said(
        made, front + 'sms = "Vacunas: {{ starts | date }}."', "Vacunas: {{ starts | date }}.", channel
    )
    assert "Fecha" not in telling.open[0].text
    assert silent.open[-1].file is None or channel == "telegram"


def test_a_heading_says_what_a_text_is(made: Project) -> None:
    """A reminder and a correction say so first, the title once, and by SMS without a letter that costs."""
    body = "# Feria; de, salud\n\nVacunas gratis."
    correction = said(made, 'sms = "Vacunas gratis."', body, heading="correction")
    assert correction.open[0].text == "<b>Corrección: Feria; de, salud</b>\n\nVacunas gratis."
    reminder = said(made, 'sms = "Vacunas gratis."', body, "sms", heading="reminder")
    assert reminder.open[0].text == "Recordatorio: Vacunas gratis."
    [sms] = said(made, 'sms = "Vacunas gratis."', body, "sms", heading="correction").open
    assert (sms.text, sms.encoding) == ("Aviso corregido: Vacunas gratis.", "gsm-7")
