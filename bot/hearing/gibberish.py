"""Whether a message is made of letters that make no words: a cat on the keyboard, marks, pictures.

What may enter: the look of a word. Names and words of languages that nobody here knows must pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_RUN = 4
"""How many neighbours of the keyboard in a row no word has."""

_LOOKS = regex.compile(r"[bcdfghjklmnpqrstvwxz]{5,}|(.)\1{3,}|^[^aeiouy\d]{4,}$|[aeiou]{5,}")
"""Five consonants or five vowels in a row, one letter four times, or four letters without a vowel."""

_SHORT = 3
"""A word of so few letters may be anything."""


def is_gibberish(words: Sequence[str]) -> bool:
    """Whether hardly a word in it could be one.

    Args:
        words: As `ear.words` gives them; none is a message of marks and pictures only.
    """
    telling = [word for word in words if len(word) > _SHORT]
    if not telling:
        return not words or all(len(word) == 1 and not word.isdecimal() for word in words)
    return sum(map(_is_mash, telling)) * 2 > len(telling)


def _is_mash(word: str) -> bool:
    return bool(_LOOKS.search(word)) or any(
        row[at : at + _RUN] in word or row[at : at + _RUN][::-1] in word
        for row in _ROWS
        for at in range(len(row) - _RUN + 1)
    )
