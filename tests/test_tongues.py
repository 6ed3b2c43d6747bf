"""Languages in a message: the one it asks for by name, and the one it is written in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import languages
from bot.hearing import ear, tongues
from evaluation import cases

MOST_WRONG = 0.01
"""What part of the committed messages may be told as the other language."""
SELDOM_TOLD = 0.5
"""What part of them must be told at all."""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("english please", "en"),
        ("inglish porfa", "en"),
        ("en mixteco", "mix"),
        ("misteco alto", "mix"),
        ("hablo triqui", "trc"),
        ("¿hablan maya?", "yua"),
        ("purepecha", "tsz"),
        ("P'urhépecha", "tsz"),
        ("sapoteco", "zap"),
        ("nawatl", "nah"),
        ("sotsil", "tzo"),
        ("rarámuri", "tar"),
        ("castellano", "es"),
        ("creole", "ht"),
        ("kreyòl ayisyen", "ht"),
        ("português", "pt"),
        ("en francés", "fr-CA"),
    ],
)
def test_a_language_is_known_by_any_of_its_names(text: str, code: str) -> None:
    """By its own name, the Spanish and the English one, spelt by ear."""
    assert tongues.named(ear.words(text)) == code


@pytest.mark.parametrize("code", languages.called())
def test_every_language_of_the_table_is_named_by_its_spanish_name(code: str) -> None:
    """`hablo …` names it, or the nearest of the same language: español de México is español."""
    own, spanish, _ = languages.called()[code]
    found = tongues.named(ear.words(f"hablo {spanish}"))
    assert found is not None
    assert languages.base(found) == languages.base(code)
    assert tongues.named(ear.words(f"hablo {own}")) is not None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no hablo español", None),
        ("no hablo español ni inglés", None),
        ("I don't speak Spanish or English", None),
        ("je ne parle pas espagnol", None),
        ("no hablo español, hablo mixteco", "mix"),
        ("I don't speak Spanish, English please", "en"),
        ("no sé inglés, mándenlo en español", "es"),
    ],
)
def test_whom_spanish_does_not_reach_is_not_given_spanish(text: str, code: str | None) -> None:
    """A language that they say they do not speak is not the one they ask for."""
    assert tongues.named(ear.words(text)) == code


@pytest.mark.parametrize(
    "text",
    [
        "la cita es en mayo",
        "soy mexicano",
        "quiero mi pasaporte",
        "puede ser en otro idioma",
        "chocolate",
        "",
    ],
)
def test_what_only_sounds_like_a_language_names_none(text: str) -> None:
    """The month, the nationality and sweets change nobody's language."""
    assert tongues.named(ear.words(text)) is None


@pytest.mark.parametrize(("text", "code"), [("hablo mayo", "mfy"), ("lengua mexicana", "nah")])
def test_whoever_speaks_it_may_say_so(text: str, code: str) -> None:
    """The same words are languages after `hablo` and `lengua`."""
    assert tongues.named(ear.words(text)) == code


@given(st.text())
def test_any_text_names_a_known_language_or_none(text: str) -> None:
    """Nothing that can be written makes it stumble."""
    assert tongues.named(ear.words(text)) in {None, *languages.called()}


@pytest.mark.parametrize("text", ["pasaporte", "ok", "ine", "no", "stop", "help me por favor", "cita", ""])
def test_what_may_be_either_language_is_left_open(text: str) -> None:
    """A word that both languages use changes nobody's language."""
    assert tongues.written_in(ear.words(text)) is None


def test_a_message_is_hardly_ever_taken_for_the_other_language() -> None:
    """Of every committed message in Spanish or English, one in a hundred at most; most are told."""
    told = [
        (case.language, tongues.written_in(ear.words(case.text)))
        for case in cases.read()
        if case.language in ("es", "en")
    ]
    wrong = [pair for pair in told if pair[1] is not None and pair[0] != pair[1]]
    assert len(wrong) <= MOST_WRONG * len(told)
    assert sum(pair[1] is not None for pair in told) >= SELDOM_TOLD * len(told)
