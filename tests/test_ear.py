"""How a word sounds: what is one word to a Mexican ear however it is spelt, and what stays two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hearing.ear import fold, nearest, sound, words


@pytest.mark.parametrize(
    ("right", "written"),
    [
        ("quiero", "kiero"),
        ("consulado", "konsulado"),
        ("vacuna", "bacuna"),
        ("cita", "sita"),
        ("cita", "zita"),
        ("nacimiento", "nasimiento"),
        ("pensión", "pencion"),
        ("llegar", "yegar"),
        ("cartilla", "cartiya"),
        ("hospital", "ospital"),
        ("ahora", "aora"),
        ("agendar", "ajendar"),
        ("gente", "jente"),
        ("enfermo", "emfermo"),
        ("cambio", "canbio"),
        ("año", "ano"),
        ("niña", "ninia"),
        ("becas", "beccas"),
        ("agua", "awa"),
        ("hay", "ai"),
        ("oaxaqueños", "oaxakeños"),
        ("texas", "tejas"),
        ("salud", "salu"),
    ],
)
def test_what_sounds_alike_is_one_word(right: str, written: str) -> None:
    """Spelling by ear, as in every line of a Mexican telephone, changes nothing."""
    assert sound(fold(right)) == sound(fold(written))


@pytest.mark.parametrize(
    ("one", "other"), [("pega", "paga"), ("cita", "visita"), ("hijo", "fijo"), ("alta", "alto")]
)
def test_other_words_stay_others(one: str, other: str) -> None:
    """What sounds otherwise is otherwise: a payment is not a blow."""
    assert sound(one) != sound(other)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no me a yegado xq?", "no me a yegado porque"),
        ("q ago pa sacarlo", "que ago para sacarlo"),
        ("porfavor ami mama", "por favor a mi mama"),
        ("I can't, won't & don't", "i can not will not and do not".replace(" and", "")),
        ("HOLAAAA!!! 😭🙏", "hola"),
        ("op-7 y H-2A", "op7 y h2a"),
        ("🛑", "stop"),
        ("🍎🍎🍎", ""),
    ],
)
def test_texting_is_spelt_out(written: str, meant: str) -> None:
    """Shortenings, run-together words, drawn-out letters and emoji become the words they stand for."""
    assert words(written) == meant.split()


def test_a_slip_of_the_finger_is_forgiven_in_long_words_only() -> None:
    """A letter missing, doubled or exchanged is the same word; a short word one letter away is another."""
    assert nearest(sound("pasaprte"), [sound("pasaporte")]) == [sound("pasaporte")]
    assert nearest(sound("matrcula"), [sound("matricula")]) == [sound("matricula")]
    assert nearest(sound("paga"), [sound("pega")]) == []
    assert nearest(sound("tests"), [sound("texas")]) == []


@given(st.text())
def test_any_text_is_words(text: str) -> None:
    """Whatever arrives, in any script, becomes lower-case words without a space in them, or nothing."""
    assert all(word and word == word.casefold() and " " not in word for word in words(text))


@given(st.text(alphabet="abcçdeghijklmnopqrstuvwxyz", max_size=30))
def test_any_word_has_a_sound(word: str) -> None:
    """A sound is never longer than what is written, so that nothing grows with a message."""
    assert len(sound(word)) <= len(word)
