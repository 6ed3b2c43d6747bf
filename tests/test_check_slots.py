"""What is wrong with when something is said: found at the desk, not on the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.test_check import FRESNO, Deployment, aviso

if TYPE_CHECKING:
    from pathlib import Path

DATES = """
[date.dia-madres]
es = "Día de las Madres"
en = "Mother's Day"
rule = "RRULE:FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=10"
source = "test"
confidence = "confirmed"
[date.semana-pale]
es = "Semana PALE"
en = "PALE Week"
rule = "MONTH:08"
known = [{known}]
source = "test"
confidence = "confirmed"
[date.semana-salud]
es = "Semana de Salud"
en = "Health Week"
rule = "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=1MO"
known = [2023-10-02]
confirm = true
source = "test"
confidence = "confirmed"
"""
FEAST = 'holidays = ["MX"]\n'


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def slots(deployment: Deployment, *written: str, rest: str = "") -> None:
    tables = "".join(f"[[slot]]\n{one}\n" for one in written)
    deployment.write("schedules/fresno.toml", f"{FRESNO}{rest}{tables}")


def announce(when: str, entry: str = "aviso") -> str:
    return f'announce = "{entry}"\n{when}'


@pytest.mark.parametrize(
    ("when", "front", "found"),
    [
        ('before = "1 day"', "starts = 2026-12-05T09:00:00", None),
        ('before = "1 day at 18:00"', "starts = 2026-12-05", None),
        ('before = "1 day"', "", "check.before-no-start"),
        ('before = "1 day"', "starts = 2026-12-05", "check.before-no-hour"),
        ('before = "1 hour"', "starts = 2026-12-05", "check.before-no-hour"),
        ('before = "2 days"', "starts = 2026-11-23T09:00:00", None),  # its time has passed: a record
    ],
)
def test_a_reminder_needs_a_start_to_count_from(
    deployment: Deployment, when: str, front: str, found: str | None
) -> None:
    """A reminder of something without a date, or without its hour where that is needed, is refused."""
    slots(deployment, announce(when))
    aviso(deployment, front)
    assert deployment.said() == ({("fresno.toml", 6, found, "error")} if found else set())


def test_a_slot_in_the_past_is_said(deployment: Deployment) -> None:
    """A slip in the year is seen: nothing would go out, and nobody would know why."""
    slots(deployment, announce("at = 2025-12-01T18:00:00"))
    assert deployment.said() == {("fresno.toml", 6, "check.slot-past", "warning")}


def test_a_slot_on_a_day_of_rest_is_said_with_its_name(deployment: Deployment) -> None:
    """Staff learn before the day that their announcement will wait, and for which day."""
    slots(deployment, announce("at = 2026-12-25T12:00:00"), rest='holidays = ["MX"]\n')
    _, [finding] = deployment.check()
    assert (finding.rule, finding.level, finding.values["name"]) == (
        "check.slot-at-rest",
        "warning",
        "Navidad",
    )
    slots(deployment, announce('every = "viernes a las 12:00"'), rest='holidays = ["MX"]\n')
    assert not deployment.said()  # what recurs meets a holiday now and then, and the calendar shows it


def test_what_recurs_ends_with_its_entry(deployment: Deployment) -> None:
    """A weekly slot of an entry that is valid for a while is fine until no time of it is left."""
    slots(deployment, announce('every = "viernes a las 12:00"'))
    aviso(deployment, "valid_until = 2026-12-31")
    assert not deployment.said()
    aviso(deployment, "valid_until = 2026-11-25")
    assert deployment.said() == {("fresno.toml", 6, "check.slot-after-end", "error")}


@pytest.mark.parametrize(
    ("every", "known", "found"),
    [
        ("dia-madres at 10:00", "", None),
        ("31 de cada mes a las 10:00", "", ("check.short-months", "warning")),
        ("last day of the month at 10:00", "", None),
        ("5th friday of the month at 10:00", "", ("check.short-months", "warning")),
        ("semana-pale at 10:00", "", ("timetable.date-inexact", "error")),
        ("semana-pale at 10:00", "2025-08-18", ("check.date-inexact", "error")),
        ("semana-pale at 10:00", "2027-08-16", None),
        ("semana-salud at 10:00", "", ("check.date-unsure", "warning")),
    ],
)
def test_a_date_that_is_not_sure_is_said(
    deployment: Deployment, every: str, known: str, found: tuple[str, str] | None
) -> None:
    """A day that some months lack, a date of which only the month is known, and a guess are each named."""
    deployment.write("content/dates.toml", DATES.format(known=known))
    slots(deployment, announce(f'every = "{every}"'))
    assert {(rule, level) for _, _, rule, level in deployment.said()} == ({found} if found else set())


@pytest.mark.parametrize(
    ("first", "second", "close"),
    [
        ("at = 2026-12-01T18:00:00", "at = 2026-12-01T18:29:00", True),
        ("at = 2026-12-01T18:00:00", "at = 2026-12-01T18:30:00", False),
        ("at = 2026-12-01T18:00:00", "at = 2026-12-02T18:00:00", False),
        ("at = 2026-12-04T17:10:00", 'every = "viernes a las 17:00"', True),
        ('every = "primer viernes del mes a las 17:20"', 'every = "viernes a las 17:00"', True),
        ('every = "jueves a las 17:20"', 'every = "viernes a las 17:00"', False),
        ('before = "1 day"', "at = 2026-12-04T09:15:00", True),
        ("at = 2026-11-01T18:00:00", "at = 2026-11-01T18:10:00", False),  # both are over
    ],
)
def test_two_announcements_within_half_an_hour_are_refused(
    deployment: Deployment, first: str, second: str, *, close: bool
) -> None:
    """The same people do not get two announcements at once: staff move one, or join them."""
    start = "starts = 2026-12-05T09:00:00"
    aviso(deployment, start)
    other = f'+++\ntitle = "Otro"\n{start}\n+++\nOtro aviso.\n'
    deployment.write("content/announcements/otro/es.md", other)
    slots(deployment, announce(first), announce(second, "otro"))
    found = [one for one in deployment.check()[1] if one.level == "error"]
    assert [(one.line, one.rule) for one in found] == ([(9, "check.too-close")] if close else [])


def test_each_two_slots_are_said_once(deployment: Deployment) -> None:
    """Two weekly slots that always meet are one finding, which names the first day of it."""
    deployment.write("content/announcements/otro/es.md", '+++\ntitle = "Otro"\n+++\nOtro aviso.\n')
    slots(
        deployment,
        announce('every = "viernes a las 17:00"'),
        announce('every = "viernes a las 17:10"', "otro"),
    )
    _, [finding] = deployment.check()
    assert (finding.line, finding.values["day"], finding.values["other"]) == (9, "2026-11-27", "aviso")


@pytest.mark.parametrize(
    ("front", "body", "found"),
    [
        ("starts = 2026-12-05T09:00:00", "Nos vemos el sábado 5 de diciembre.", None),
        ("starts = 2026-12-05T09:00:00", "Nos vemos el domingo 5 de diciembre.", "sábado"),
        ("starts = 2026-12-05T09:00:00", "See you on Saturday, December 5.", None),
        ("starts = 2026-12-05T09:00:00", "See you on **Sunday, December 5th**.", "saturday"),
        ("", "Nos vemos el lunes 5 de diciembre de 2026.", "sábado"),
        ("", "Monday 7 December 2026 or Tuesday, December 8, 2026.", None),
        ("", "Nos vemos el domingo 5 de diciembre.", None),  # of which year nobody knows
        ("valid_until = 2026-12-31", "Abrimos el lunes 4 de enero.", None),  # 2027: the nearest
        ("valid_until = 2026-12-31", "Abrimos el martes 4 de enero.", "lunes"),
        ("starts = 2026-10-05\nends = 2026-10-30", "Hasta el viernes 30 de octubre.", None),
        ("", "Nos vemos el viernes 5/12/2026.", "sábado"),
        ("", "Nos vemos el sábado 05/12/2026, o el domingo 2026-12-06.", None),
        ("", "Hay 30 personas en mayo 45 veces, el 5 de mayo y los lunes.", None),
    ],
)
def test_a_weekday_is_that_of_its_date(
    deployment: Deployment, front: str, body: str, found: str | None
) -> None:
    """A weekday beside a date must be its own, in Spanish and English; what nobody can know is left."""
    aviso(deployment, front, body)
    wrong = [one for one in deployment.check()[1] if one.level == "error"]
    assert [(one.rule, one.values["meant"]) for one in wrong] == ([("check.weekday", found)] if found else [])


def test_titles_and_short_texts_are_judged_too(deployment: Deployment) -> None:
    """The line of the field is named, whether title, summary, SMS or a template's gap."""
    aviso(
        deployment,
        'summary = "El lunes 5 de diciembre de 2026"\nsms = "El martes 5 de diciembre de 2026"\n'
        f'[whatsapp]\ntemplate = "HX{"0" * 32}"\nvariables = {{ 1 = "El jueves 5 de diciembre de 2026" }}\n',
    )
    assert deployment.said() == {("es.md", line, "check.weekday", "error") for line in (3, 4, 7)}


@pytest.mark.parametrize(
    "body",
    [
        "El 31 de noviembre.",
        "On February 30, 2027.",
        "El lunes 32 de mayo de 2027.",
        "Ven el 2027-02-30.",
        "Ven el 30/02/2027.",
        "Ven el 12/31/2026.",  # in Spanish the day stands first
    ],
)
def test_a_day_that_does_not_exist_is_refused(deployment: Deployment, body: str) -> None:
    """Nobody is invited to a day that never comes."""
    aviso(deployment, body=body)
    assert {rule for _, _, rule, _ in deployment.said()} == {"check.no-such-day"}


def test_a_translation_behind_its_source_is_refused_unless_the_source_may_stand_in(
    deployment: Deployment,
) -> None:
    """A text older than its source is an error, or gives way to the source, as the community says."""
    english = '+++\ntitle = "Consulate on wheels"\ntranslates = "00000000"\n+++\nSee you in Madera.\n'
    deployment.write("content/announcements/aviso/en.md", english)
    assert deployment.said() == {("en.md", 3, "library.stale", "error")}
    deployment.write("schedules/fresno.toml", f'{FRESNO}stale_translations = "source"\n')
    assert deployment.said() == {("en.md", 3, "library.stale", "warning")}
    deployment.write("schedules/phoenix.toml", FRESNO)
    assert deployment.said() == {("en.md", 3, "library.stale", "error")}


@pytest.mark.parametrize(
    ("rest", "first", "second", "level"),
    [
        ("", "at = 2026-12-01T22:00:00", "at = 2026-12-02T08:10:00", "error"),
        ("", "at = 2026-12-01T22:00:00", "at = 2026-12-02T08:30:00", None),
        (FEAST, "at = 2026-12-25T12:00:00", "at = 2026-12-26T08:10:00", "warning"),
        (FEAST, "at = 2026-12-25T12:00:00", "at = 2026-12-25T18:00:00", "warning"),
    ],
)
def test_what_is_held_is_compared_when_it_leaves(
    deployment: Deployment, rest: str, first: str, second: str, level: str | None
) -> None:
    """Two announcements that a night, or a day of rest, brings together are said."""
    aviso(deployment)
    deployment.write("content/announcements/otro/es.md", '+++\ntitle = "Otro"\n+++\nOtro aviso.\n')
    slots(deployment, announce(first), announce(second, "otro"), rest=rest)
    found = [one.level for one in deployment.check()[1] if one.rule == "check.too-close"]
    assert found == ([level] if level else [])


def test_a_digest_beside_an_announcement_is_said(deployment: Deployment) -> None:
    """Who follows a topic does not get its digest and an announcement at once."""
    aviso(deployment)
    digest = 'digest = ["salud"]\nevery = "viernes a las 17:10"'
    slots(deployment, announce('every = "viernes a las 17:00"'), digest)
    assert [one.rule for one in deployment.check()[1] if one.level == "error"] == ["check.too-close"]
