"""Languages in a message: which one it names, and which one it is written in.

The names are those of `bot/languages.toml`; other spellings, and the small words that give a language away,
those of `tongues.toml`.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from bot import languages
from bot.hearing import ear

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PARTS = re.compile(r"[/(),]")
_REACH = 4
"""How many words after a "no" a name is still denied: no hablo bien español."""
_LONGEST = 3
"""Of how many words a name is at most."""
_SURE, _MUCH = 2, 3
"""From how many small words a message is in a language, if there are so many times fewer of the other."""


class _Taught(NamedTuple):
    """What `tongues.toml` says; its words say what for."""

    small: Mapping[str, frozenset[str]]
    also: Mapping[str, str]
    ambiguous: frozenset[str]
    speaking: frozenset[str]
    denying: frozenset[str]
    joining: frozenset[str]


def named(words: Sequence[str]) -> str | None:
    """The code of the language that a message asks for by name; None when it names none.

    A language that they do not speak is not the one they want: `no hablo español` names none, and
    `no hablo español, english please` names English.

    Args:
        words: As `ear.words` gives them.
    """
    heard = [ear.sound(word) for word in words]
    free: list[str] = []
    at, denied, after = 0, 0, -2  # denied: for how many words still; after: behind the name last denied
    while at < len(words):
        if name := _name_at(at, words, heard):
            length, code = name
            if not denied and not (at == after + 1 and words[after] in _taught().joining):
                return code
            denied, at = 0, at + length
            after = at
        else:
            denied = _REACH if words[at] in _taught().denying else max(0, denied - 1)
            free += [] if denied else [heard[at]]
            at += 1
    return _misspelt(free)


def names() -> frozenset[str]:
    """Every name that is one word and no other word, folded."""
    return frozenset(name for name in _spelt() if " " not in name) - _taught().ambiguous


def written_in(words: Sequence[str]) -> Literal["es", "en"] | None:
    """Spanish or English, where the small words leave no doubt; None for `pasaporte`, `ok` and mixtures."""
    spanish, english = (sum(word in _taught().small[code] for word in words) for code in ("es", "en"))
    if english >= _SURE and english >= _MUCH * spanish:
        return "en"
    if spanish >= _SURE and spanish >= _MUCH * english:
        return "es"
    return None


def _name_at(at: int, words: Sequence[str], heard: Sequence[str]) -> tuple[int, str] | None:
    """How long the name is that begins here, and its code."""
    for length in range(_LONGEST, 0, -1):
        code = _names().get(" ".join(heard[at : at + length]))
        if code and at + length <= len(words) and _is_meant(at, words):
            return length, code
    return None


def _is_meant(at: int, words: Sequence[str]) -> bool:
    """Whether a name that is another word first is one here: hablo mayo, not la cita es en mayo."""
    return words[at] not in _taught().ambiguous or not _taught().speaking.isdisjoint(
        words[max(0, at - 2) : at]
    )


def _misspelt(heard: Sequence[str]) -> str | None:
    known = sorted({ear.sound(name) for name in names()})
    for word in heard:
        near = ear.nearest(word, known)
        if len(near) == 1 and ear.slips(len(word)):
            return _names()[near[0]]
    return None


@cache
def _names() -> Mapping[str, str]:
    """From how a name sounds to its code."""
    return {" ".join(map(ear.sound, name.split())): code for name, code in reversed(_spelt().items())}


@cache
def _spelt() -> dict[str, str]:
    """From a folded name to its code; of several, the first in our table."""
    found: dict[str, str] = {}
    for name, code in (*_called(), *_taught().also.items()):
        if folded := ear.fold(name):
            found.setdefault(folded, code)
    return found


def _called() -> Iterator[tuple[str, str]]:
    for code, (own, spanish, english) in languages.called().items():
        for name in (own, spanish, english):
            yield from ((part, code) for part in (name, *_PARTS.split(name)))
        yield from (
            (spanish.split()[0], code),
            (english.split()[-1], code),
        )  # francés de Canadá, Canadian French


@cache
def _taught() -> _Taught:
    file = tomllib.loads(Path(__file__).with_name("tongues.toml").read_text(encoding="utf-8"))
    lists = {key: frozenset(words.split()) for key, words in file["words"].items()}
    small = {code: frozenset(words.split()) for code, words in file["small"].items()}
    also = {name: code for code, spelt in file["also"].items() for name in spelt}
    return _Taught(small=small, also=also, **lists)
