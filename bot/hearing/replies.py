"""A small answer to something we have just asked: yes, no, not now, the number of a choice, or mere thanks.

What may enter: words that answer a question and mean little without one, taught in `replies.toml`. Names of
choices are the question's own.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Reply = Literal["yes", "no", "skip"]

_MOST_WORDS = 6
_MOST_CHOICES = 99


@dataclass(frozen=True, slots=True)
class _Taught:
    """What `replies.toml` says: `phrases` are replies of more than one word."""

    replies: Mapping[str, Reply]
    phrases: Mapping[str, Reply]
    around: frozenset[str]
    thanks: frozenset[str]
    around_thanks: frozenset[str]
    numbers: Mapping[str, int]


def heard(words: Sequence[str]) -> Reply | int | None:
    """What a message answers, or None when it says more than that, or two things.

    Args:
        words: As `ear.words` gives them.
    """
    if not words or len(words) > _MOST_WORDS:
        return None
    taught = _taught()
    bare = [word for word in words if word not in taught.around] or list(words)
    for said in (" ".join(words), " ".join(bare)):
        if said in taught.phrases:
            return taught.phrases[said]
    numbers = {number for word in bare if (number := _number(word)) is not None}
    given = {taught.replies[word] for word in words if word in taught.replies}
    known = all(word in taught.around or word in taught.replies or _number(word) in numbers for word in bare)
    meant: set[Reply | int] = {*(numbers or given)}
    return meant.pop() if known and len(meant) == 1 else None


def only_thanks(words: Sequence[str]) -> bool:
    """Whether a message thanks, and says nothing that somebody could have to answer.

    Args:
        words: As `ear.words` gives them.
    """
    taught = _taught()
    return not taught.thanks.isdisjoint(words) and taught.thanks.union(taught.around_thanks).issuperset(words)


def _number(word: str) -> int | None:
    if word.isascii() and word.isdecimal() and 0 < int(word) <= _MOST_CHOICES:
        return int(word)
    return _taught().numbers.get(word)


@cache
def _taught() -> _Taught:
    file = tomllib.loads(Path(__file__).with_name("replies.toml").read_text(encoding="utf-8"))
    replies: tuple[Reply, ...] = ("yes", "no", "skip")
    return _Taught(
        replies={word: reply for reply in replies for word in file["words"][reply].split()},
        phrases={phrase: reply for reply in replies for phrase in file["phrases"][reply]},
        around=frozenset(file["around"].split()),
        thanks=frozenset(file["thanks"]["words"].split()),
        around_thanks=frozenset(file["thanks"]["around"].split()),
        numbers={word: n for n, names in enumerate(file["numbers"], start=1) for word in names.split()},
    )
