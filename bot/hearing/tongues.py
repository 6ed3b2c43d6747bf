"""Languages in a message: which one it names, and which one it is written in.

The names are those of `bot/languages.toml`; the small words that give a language away, of `tongues.toml`.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot import languages
from bot.hearing import ear

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PARTS = re.compile(r"[/(),]")
_AMBIGUOUS = frozenset({"mayo"})
"""Names that are another word first: the month."""
_DENYING = frozenset({"no", "not", "dont", "nunca", "sin", "ni"})
_REACH = 4
"""How many words after a "no" a name is still denied: no hablo bien español."""
_SURE, _MUCH = 2, 3
"""From how many small words a message is in a language, if there are so many times fewer of the other."""


def named(words: Sequence[str]) -> str | None:
    """The code of the language that a message asks for by name; None when it names none.

    A language that they do not speak is not the one they want: `no hablo español` names none.

    Args:
        words: As `ear.words` gives them.
    """
    wanted = [
        "" if not _DENYING.isdisjoint(words[max(0, at - _REACH) : at]) else ear.sound(word)
        for at, word in enumerate(words)
    ]
    names = _names()
    for at in range(len(wanted)):
        for length in (3, 2, 1):
            if code := names.get(" ".join(wanted[at : at + length])):
                return code
    return _misspelt(wanted)


def written_in(words: Sequence[str]) -> Literal["es", "en"] | None:
    """Spanish or English, where the small words leave no doubt; None for `pasaporte`, `ok` and mixtures."""
    spanish, english = (sum(word in _small()[code] for word in words) for code in ("es", "en"))
    if english >= _SURE and english >= _MUCH * spanish:
        return "en"
    if spanish >= _SURE and spanish >= _MUCH * english:
        return "es"
    return None


def _misspelt(heard: Sequence[str]) -> str | None:
    known = sorted(name for name in _names() if " " not in name)
    for word in heard:
        near = ear.nearest(word, known)
        if len(near) == 1 and ear.slips(len(word)):
            return _names()[near[0]]
    return None


@cache
def _names() -> Mapping[str, str]:
    """From how a name sounds to its code; of several, the first in our table."""
    found: dict[str, str] = {}
    for code, (own, spanish, english) in languages.called().items():
        parts = [part for name in (own, spanish, english) for part in (name, *_PARTS.split(name))]
        for name in (*parts, spanish.split()[0], english.split()[-1]):  # francés de Canadá, Canadian French
            words = [word for word in ear.fold(name.replace("ʼ", "'")).split() if word not in _AMBIGUOUS]
            if words:
                found.setdefault(" ".join(map(ear.sound, words)), code)
    return found


@cache
def _small() -> Mapping[str, frozenset[str]]:
    text = Path(__file__).with_name("tongues.toml").read_text(encoding="utf-8")
    return {code: frozenset(words.split()) for code, words in tomllib.loads(text).items()}
