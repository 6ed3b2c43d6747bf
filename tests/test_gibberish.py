"""What makes no words, and what only looks so."""

from __future__ import annotations

import pytest

from bot import languages
from bot.hearing import ear
from bot.hearing.gibberish import is_gibberish
from evaluation import cases


@pytest.mark.parametrize(
    "text", ["asdf", "asdfgh jkl", "lsdkfj sdlkfj", "dfgdfg", "🎉🎉", "...", "??", "aaaaa", "qwerty", "zzzz"]
)
def test_a_cat_on_the_keyboard_is_heard_as_one(text: str) -> None:
    """Letters that make no word, pictures and marks."""
    assert is_gibberish(ear.words(text))


@pytest.mark.parametrize(
    "text",
    [
        "hola asdf",
        "ok",
        "k",
        "xd",
        "2",
        "ine",
        "Tlalnepantla",
        "Nezahualcóyotl",
        "Tzintzuntzan",
        "Ixtlahuacán",
        "Schwartz",
        "Xóchitl Cuauhtémoc",
        "tlazohcamati",
        "xinechpalehui",
        "jajajaja",
    ],
)
def test_names_and_short_answers_are_words(text: str) -> None:
    """A town, a family, an indigenous word or two letters are not nonsense."""
    assert not is_gibberish(ear.words(text))


@pytest.mark.parametrize("code", languages.called())
def test_the_name_of_a_language_is_a_word(code: str) -> None:
    """Xnánj nuʼ, Mè'phàà and Hñähñu too."""
    assert not any(is_gibberish(ear.words(name)) for name in languages.called()[code])


def test_nothing_that_people_really_ask_is_nonsense() -> None:
    """Of the words of every committed message that wants something, none, in whatever spelling."""
    asked = [ear.words(case.text) for case in cases.read() if not case.wanted.startswith("=")]
    assert not [words for words in asked if words and is_gibberish(words)]
