"""Whoever says where they live, in whatever words, is shown the consulate that serves them.

Only the locator may enter; the consulates' cards are `test_consulates`.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zipcodes
from hypothesis import given
from hypothesis import strategies as st

from bot import library
from bot.places import Places
from bot.places.gather import FILE, gathered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.library import Entry

ROOT = Path(__file__).parents[1]
MESSAGES = [
    tuple(line.split(" => "))
    for line in (ROOT / "tests/data/places.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
CONTENT, _ = library.read(ROOT / "content", today=dt.date(2026, 11, 22))
PLACES = Places(CONTENT)
WORDS = sorted({word for message, _ in MESSAGES for word in message.split()})


def named(found: Sequence[Entry]) -> list[str]:
    """The consulates by name."""
    return [entry.slug.removeprefix("consulado-") for entry in found]


def serving(state: str) -> set[str]:
    """The consulates that say they serve a state, or part of it."""
    return {
        name
        for name, entry in CONTENT.consulates.items()
        if entry.office and any(area[:2] == state for area in entry.office.serves)
    }


POST_OFFICES = [
    office
    for office in zipcodes.list_all()  # type: ignore[no-untyped-call]  # only its inner module has types
    if office["active"] and float(office["lat"]) and serving(office["state"])
]


@pytest.mark.parametrize(("message", "wanted"), MESSAGES)
def test_people_find_their_consulate_in_their_own_words(message: str, wanted: str) -> None:
    """Asked where they live, people write a city, a state, a ZIP or a sentence, by ear and in a hurry."""
    assert named(PLACES.find(message)) == wanted.split("|")


@pytest.mark.parametrize("entry", CONTENT.consulates.values(), ids=lambda entry: entry.slug)
def test_every_consulate_is_found_by_its_name_and_its_city(entry: Entry) -> None:
    """Whoever writes the name that we ourselves show, or the city, in Spanish or English, is led to it."""
    assert entry.office
    for edition in entry.editions.values():
        assert PLACES.find(edition.title)[0] is entry
        assert PLACES.mentioned(f"quiero ir al {edition.title}")[0] is entry
        city = edition.front.summary.split(",")[0].split(maxsplit=1)[1]
        assert entry in PLACES.find(city)
    assert entry in PLACES.find(entry.office.city)


def test_every_county_finds_the_consulate_that_says_it_serves_it() -> None:
    """No county of any consulate's list is lost, or served by another, in whichever way it is written."""
    for name, entry in CONTENT.consulates.items():
        assert entry.office
        for area in entry.office.serves:
            state, _, county = area.partition(": ")
            if county.startswith("parte"):
                assert len(serving(state)) > 3 or name in named(PLACES.find(f"{county} de {state}"))
            elif county:
                condado = f"vivo en el condado de {county.removesuffix(' County')}, {state}"
                assert named(PLACES.find(f"{county}, {state}")) == [name], area
                assert named(PLACES.find(condado)) == [name], area


def test_a_state_is_served_by_those_that_serve_it() -> None:
    """The code of a state leads to the offices that serve it, to three of them where there are more."""
    offices = [entry.office for entry in CONTENT.consulates.values() if entry.office]
    states = {area[:2] for office in offices for area in office.serves}
    assert len(states) == 53 + 13
    for state in states - {"LA"}:  # the city is meant
        found = named(PLACES.find(f"vivo en {state}"))
        assert found, state
        assert set(found) <= serving(state)


@given(st.sampled_from(POST_OFFICES))
def test_a_zip_code_leads_to_an_office_of_its_own_state(office: dict[str, str]) -> None:
    """No ZIP code, with its four or without, sends anybody to a consulate that serves another state."""
    for written in (
        office["zip_code"],
        f"{office['zip_code']}-0001",
        f"mi zip es {office['zip_code']} gracias",
    ):
        found = named(PLACES.find(written))
        assert 0 < len(found) <= 3
        assert set(found) <= serving(office["state"])


@given(st.text() | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_no_text_is_too_strange(text: str) -> None:
    """Whatever somebody sends, three consulates at most come back, each once, and nothing breaks."""
    for found in (PLACES.find(text), PLACES.mentioned(text)):
        assert len(found) <= 3
        assert len({entry.slug for entry in found}) == len(found)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_point_of_the_globe_has_an_answer_or_none(north: float, east: float) -> None:
    """A shared location, wherever it is, names three consulates at most and is never an error."""
    assert len(PLACES.find(f"geo:{north:.5f},{east:.5f}")) <= 3


@pytest.mark.parametrize("entry", CONTENT.consulates.values(), ids=lambda entry: entry.slug)
def test_who_stands_before_the_door_is_told_of_that_door(entry: Entry) -> None:
    """The location of a consulate leads to it, alone or first, but at its own border also across it."""
    assert entry.office
    assert entry in PLACES.find(f"geo:{entry.office.latitude},{entry.office.longitude}")


@pytest.mark.parametrize(
    "message",
    [
        "quiero darme de alta",
        "me dieron salida del hospital",
        "a la salida del trabajo",
        "deje mis papeles en la mesa de mi casa",
        "i am reading your message and i hope you can help",
        "es normal que tarde tanto",
        "an orange folder",
        "mi hija se llama paris",
        "soy de mexico y necesito un pasaporte",
        "my passport from mexico expired",
        "atienden en español en el consulado?",
        "do they speak in english or in spanish",
        "cuando viene el consulado movil en mayo",
        "is the consulate open in march",
        "me toca en linea o en persona",
        "soy de durango y no se cual es mi consulado",
        "mi mama vive en tijuana baja california",
        "nogales sonora",
        "tengo visa h2a",
        "quiero saber del programa H-2B",
        "mi codigo de area es 559",
        "ya no me manden mas mensajes",
        "no vivo en ninguna casa",
        "llamame al 520 623 7874",
        "+52 33312 45678",
        "(559) 123-4567 es mi telefono",
        "gano $15000 al mes",
        "mi recibo es el 123456789012",
        "ok gracias",
        "me or my wife",
        "hi",
        "",
    ],
)
def test_a_word_is_no_town_where_no_place_is_said(message: str) -> None:
    """Everyday words, telephones and places in Mexico lead to no consulate in a message nobody asked for."""
    assert named(PLACES.mentioned(message)) == []


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("cual consulado me toca en orange california", "santa-ana"),
        ("vivo en mesa y no se cual me toca", "phoenix"),
        ("busco consulado, estoy en reading pennsylvania", "filadelfia"),
        ("which consulate for normal, illinois", "chicago"),
        ("we live near hope arkansas", "little-rock"),
        ("vivo en salida colorado", "denver"),
        ("my town is mexico, missouri", "kansas-city"),
        ("cual es el consulado de paris texas", "dallas"),
        ("donde queda el consulado en paris", "paris"),
        ("soy de michoacan pero vivo en yakima washington", "seattle"),
        ("soy de california y ahora vivo en dallas", "dallas"),
    ],
)
def test_a_word_is_a_town_where_a_place_is_said(message: str, wanted: str) -> None:
    """The same words lead to their consulate behind "vivo en" or beside their state."""
    assert named(PLACES.mentioned(message)) == [wanted]


@pytest.mark.parametrize("word", ["salida", "mesa", "alta", "paris", "reading", "hope", "normal", "orange"])
def test_a_word_is_a_town_for_who_was_asked(word: str) -> None:
    """Who was asked for a city and writes one word means the city, whatever else the word means."""
    assert PLACES.find(word)
    assert not PLACES.mentioned(word)


@pytest.mark.parametrize(
    "word", ["hola", "gracias", "no se", "si", "ok", "OK", "mexico", "michoacan", "ayuda", "H2A", "???"]
)
def test_who_was_asked_may_answer_something_else(word: str) -> None:
    """A greeting, a doubt or a place in Mexico is no place that a consulate serves."""
    assert PLACES.find(word) == ()


def test_a_telephone_beside_a_zip_code_is_no_second_place() -> None:
    """Digits of a telephone are never read as a ZIP code, the ZIP code beside them is."""
    assert named(PLACES.find("mi tel es 209-555-0142, zip 93722")) == ["fresno"]
    assert named(PLACES.find("9372212345")) == []


def test_a_library_without_consulates_finds_none() -> None:
    """A deployment that keeps no consulates answers no place, and is not in error."""
    nobody = Places(library.Library({}, {}, dt.date(2026, 11, 22)))
    assert nobody.find("fresno") == nobody.find("93721") == nobody.find("geo:36.75,-119.77") == ()


def test_nothing_that_was_written_is_kept() -> None:
    """After an answer, no part of the locator holds the ZIP code or the town that was asked for."""
    PLACES.find("vivo en zzyzxville 93721")
    assert "zzyzx" not in repr(vars(PLACES._names)) + repr(vars(PLACES._names.atlas))


def test_the_counties_are_those_of_the_package() -> None:
    """The file of counties is what the pinned package says, and nobody's handiwork."""
    assert FILE.read_text(encoding="utf-8") == gathered()
