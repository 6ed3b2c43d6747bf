"""Small answers to what we have just asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hearing import ear, replies


@pytest.mark.parametrize(
    "text",
    [
        "si",
        "sí claro",
        "claro que sí",
        "por supuesto",
        "así es",
        "ándale",
        "órale",
        "sí por favor",
        "yes please",
        "👍",
        "ok",
    ],
)
def test_yes(text: str) -> None:
    """However a Mexican or a texting teenager says it."""
    assert replies.heard(ear.words(text)) == "yes"


@pytest.mark.parametrize(
    "text", ["no", "nel", "no gracias", "mejor no", "para nada", "no thank you", "nope", "👎", "claro que no"]
)
def test_no(text: str) -> None:
    """Politely, in slang, or with a thumb."""
    assert replies.heard(ear.words(text)) == "no"


@pytest.mark.parametrize(
    "text",
    [
        "saltar",
        "omitir",
        "luego",
        "después",
        "no importa",
        "más tarde",
        "ahorita no",
        "al rato",
        "me da igual",
        "skip",
        "not now",
    ],
)
def test_not_now(text: str) -> None:
    """What we asked can wait: neither a yes nor a no."""
    assert replies.heard(ear.words(text)) == "skip"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("2.", 2),
        ("1️⃣", 1),
        ("la 2", 2),
        ("opción 3", 3),
        ("no. 4", 4),
        ("quiero la 2 por favor", 2),
        ("sí, la dos", 2),
        ("el primero", 1),
        ("dos", 2),
        ("number two", 2),
        ("the second one", 2),
        ("one", 1),
        ("12", 12),
    ],
)
def test_a_number_is_a_choice(text: str, number: int) -> None:
    """In figures, in words, in order."""
    assert replies.heard(ear.words(text)) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "si no",
        "la 1 y la 2",
        "una pregunta",
        "si quiero pasaporte",
        "no me paga mi patrón",
        "100",
        "0",
        "el último",
        "un momento",
    ],
)
def test_what_says_more_or_two_things_is_no_small_answer(text: str) -> None:
    """It is read as a message of its own."""
    assert replies.heard(ear.words(text)) is None


@pytest.mark.parametrize(
    "text",
    ["gracias", "Muchas gracias señorita 🙏", "ok gracias", "thank you so much", "gracias, Dios los bendiga"],
)
def test_mere_thanks(text: str) -> None:
    """However it is dressed, nobody has to answer it."""
    assert replies.only_thanks(ear.words(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "🙏",
        "ok",
        "sí gracias",
        "no gracias",
        "gracias pero cuándo",
        "gracias ¿y mi acta?",
        "thanks but when",
    ],
)
def test_thanks_beside_something_else(text: str) -> None:
    """A yes, a no or a question is for somebody to read."""
    assert not replies.only_thanks(ear.words(text))


@given(
    st.integers(min_value=1, max_value=99), st.sampled_from(["{}", "la {}", "opcion {}", "#{}", "{}.", "{})"])
)
def test_every_number_that_we_offer_can_be_chosen(number: int, written: str) -> None:
    """With the mark that people put around it."""
    assert replies.heard(ear.words(written.format(number))) == number
