"""The learned ear: what it hears in words that stand in no example, and that it is what was taught."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hearing import ear, learned
from bot.hearing.crisis import PRECEDENCE
from bot.hearing.wishes import Wishes
from teaching.__main__ import mark, read

WISHES = Wishes()


@pytest.mark.parametrize("name", ["wish", "topic"])
def test_the_model_is_what_the_examples_teach(name: learned.Name) -> None:
    """Whoever changes an example and forgets `make teach` is told."""
    with gzip.open(learned.MODELS / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        assert json.load(file)["examples"] == mark(name), "run make teach"


@pytest.mark.parametrize("name", ["wish", "topic"])
def test_no_example_holds_a_number_that_could_be_somebodys(name: learned.Name) -> None:
    """Nobody can be called from what the bot was taught with."""
    number = re.compile(r"\d[\d\s().-]{6,}\d")
    assert [text for _, text in read(name) if number.search(text)] == []


@given(st.text(max_size=400))
def test_anything_can_be_heard(text: str) -> None:
    """Whatever is written, the scores are probabilities."""
    for name in ("wish", "topic"):
        scores = learned.load(name).scores(ear.words(text))
        assert all(0 <= score <= 1 for score in scores.values())
        assert abs(sum(scores.values()) - 1) < 1e-6


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("mi vecina esta tirada en el piso y no reacciona por mas que le hablo", "emergencia-911"),
        ("ya escribi las cartas para mis hijos y guarde todas las pastillas", "emergencia-suicidio"),
        ("cada que toma agarra el cinto y nos deja marcados a mi y a las niñas", "emergencia-violencia"),
        ("the man who brought us keeps the door locked until my uncle pays the rest", "emergencia-trata"),
        (
            "unos hombres con chaleco subieron a mi suegro a una camioneta blanca y no sabemos pa donde",
            "emergencia-detencion",
        ),
        ("worked 6 weeks hanging drywall and the guy wont pay nobody", "emergencia-trabajo"),
    ],
)
def test_a_cry_for_help_in_new_words_is_heard(text: str, slug: str) -> None:
    """No saying was taught for these; they are crises all the same, of the right kind."""
    assert slug in WISHES.heard(ear.words(text)).crises


@pytest.mark.parametrize(
    "text",
    [
        "que calor hace hoy me estoy derritiendo",
        "mi hermano ya salio de la carcel hace años y quiere sacar su pasaporte",
        "they killed it at the concert last night",
        "mi patron me dio permiso para ir a la cita del martes",
    ],
)
def test_ordinary_life_is_no_crisis(text: str) -> None:
    """Words of danger in a harmless sentence raise no alarm."""
    assert WISHES.heard(ear.words(text)).crises == ()


def test_a_story_does_not_drown_the_cry_in_it() -> None:
    """A long voice message with the danger in its middle is heard as if that stood alone."""
    before = "buenas tardes señorita disculpe mire yo hablo de la casa de mi comadre porque no tengo saldo "
    cry = "mi esposo me esta golpeando y tengo miedo de que me mate "
    after = "y pues ya le digo uno viene de lejos y no conoce a nadie y la gente anda en su trabajo verdad"
    assert set(WISHES.heard(ear.words(before + cry + after)).crises) & set(PRECEDENCE)


def test_the_whole_word_is_never_overruled() -> None:
    """STOP, ALTO and BAJA alone are leaving, whatever examples feel."""
    for word in ("STOP", "alto", "Baja", "unsubscribe", "QUIT", "end", "cancelar"):
        assert WISHES.heard(ear.words(word)).wish == "leave", word
