"""Finding what answers a question: by ear, in any language of an entry, only what is true here and now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot import check, library
from bot.hearing.ear import words
from bot.search import Search
from tests.deployment import deploy

if TYPE_CHECKING:
    from pathlib import Path

    from bot.timetable import Community

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)

PASSPORT = """+++
title = "Pasaporte mexicano"
keywords = ["pasaporte", "renovar pasaporte"]
+++
Lleva tu acta y haz tu cita.
"""
PASSPORT_EN = """+++
title = "Mexican passport"
keywords = ["passport", "lost passport"]
+++
Bring your birth certificate and book an appointment.
"""
CHILD = """+++
title = "Pasaporte para menores"
keywords = ["pasaporte niño", "pasaporte de mi hijo"]
+++
Van mamá y papá.
"""
APPOINTMENT = '+++\ntitle = "Citas"\nkeywords = ["cita", "agendar cita"]\n+++\nEs gratis.\n'
SATURDAY = '+++\ntitle = "Sábados"\nkeywords = ["sin cita", "sábado"]\n+++\nAlgunos sábados.\n'
RAID = '+++\ntitle = "Detención"\nurgency = "emergency"\nkeywords = ["la migra", "patrón"]\n+++\nNo firmes.\n'
VISIT = """+++
title = "Consulado móvil en {where}"
starts = {day}T09:00:00
communities = ["{community}"]
+++
Pasaporte y matrícula.
"""
LASTING = '+++\ntitle = "Consulado móvil"\nkeywords = ["consulado móvil"]\n+++\nVa a muchas ciudades.\n'


@pytest.fixture
def place(tmp_path: Path) -> Community:
    """Fresno, with a few entries."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    for name, text in {
        "services/pasaporte/es.md": PASSPORT,
        "services/pasaporte/en.md": PASSPORT_EN,
        "services/pasaporte-menores/es.md": CHILD,
        "services/citas/es.md": APPOINTMENT,
        "services/sabados/es.md": SATURDAY,
        "services/redada/es.md": RAID,
        "services/movil/es.md": LASTING,
        "announcements/movil-hoy/es.md": VISIT.format(where="Madera", day="2026-12-05", community="fresno"),
        "announcements/movil-ayer/es.md": VISIT.format(where="Tulare", day="2026-11-05", community="fresno"),
        "announcements/movil-lejos/es.md": VISIT.format(where="Reno", day="2026-12-05", community="phoenix"),
    }.items():
        made.write(f"content/{name}", text)
    project, _ = check.read(made.folder / "config.toml", {}, NOW)
    assert project is not None
    return project.communities["fresno"]


@pytest.fixture
def search(place: Community, tmp_path: Path) -> Search:
    """What they are found by."""
    return Search(library.read(place.file.parents[1] / "content", today=NOW.date())[0])


def found(search: Search, place: Community, text: str) -> list[str]:
    """The slugs that answer."""
    return [entry.slug for entry in search.find(words(text), place, NOW)]


@pytest.mark.parametrize(
    "text",
    [
        "pasaporte",
        "PASAPORTE!!!",
        "pasaprte",
        "pazaporte",
        "mipasaporte",
        "oye buenas tardes mira lo que pasa es que kiero renobar el pasaprte",
        "my passport is lost",
        "perdi mi passport",
    ],
)
def test_a_question_is_found_as_people_write_it(search: Search, place: Community, text: str) -> None:
    """By ear, with slips, run together, rambling, in either language of the entry or in both."""
    assert found(search, place, text) == ["pasaporte"]


def test_the_more_exact_answer_wins(search: Search, place: Community) -> None:
    """A keyword of two words beats one of them, and `sin cita` is not `cita`."""
    assert found(search, place, "pasaporte para mi hijo") == ["pasaporte-menores"]
    assert found(search, place, "cita") == ["citas"]
    assert found(search, place, "puedo ir sin sita") == ["sabados"]


def test_what_is_over_or_elsewhere_is_not_told(search: Search, place: Community) -> None:
    """A visit to come is told to whom it is for; a past one, and another community's, never."""
    assert found(search, place, "cuando viene el consulado movil a madera") == ["movil-hoy"]
    for text in ("tulare", "reno", "consulado movil en tulare", "consulado movil en reno"):
        assert not {"movil-ayer", "movil-lejos"} & set(found(search, place, text))


def test_a_crisis_answer_is_found_by_its_own_words_only(search: Search, place: Community) -> None:
    """A keyword alone brings it; the same word in an ordinary question does not raise an alarm."""
    assert found(search, place, "la migra") == ["redada"]
    assert "redada" not in found(search, place, "mi patron quiere mi pasaporte")


@pytest.mark.parametrize("text", ["", "hola que tal", "asdkjh qwpoei", "recipe for pozole", "¿?"])
def test_nothing_is_found_where_nothing_is_asked(search: Search, place: Community, text: str) -> None:
    """Small talk, nonsense and other people's matters find nothing."""
    assert found(search, place, text) == []


def test_at_most_three_are_offered(search: Search, place: Community) -> None:
    """A word that fits many is answered with a few choices, never with a list."""
    assert len(found(search, place, "consulado")) <= 3


def test_marks_and_syntax_of_the_index_are_only_words(search: Search, place: Community) -> None:
    """What means something to the database is a word like any other."""
    for text in ('"', "pasaporte AND", "NEAR(", "pasaporte*", "-- ; drop table entries", "^:+"):
        assert isinstance(found(search, place, text), list)
