"""A small answer to something we have just asked: yes, no, not now, or the number of a choice.

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

_MOST_WORDS = 4
_MOST_CHOICES = 99


@dataclass(frozen=True, slots=True)
class _Taught:
    replies: Mapping[str, Reply]
    around: frozenset[str]
    numbers: Mapping[str, int]


def heard(words: Sequence[str]) -> Reply | int | None:
    """What a message answers, or None when it says more than that.

    Args:
        words: As `ear.words` gives them.
    """
    if not words or len(words) > _MOST_WORDS:
        return None
    bare = [word for word in words if word not in _taught().around] or [words[0]]
    if len(bare) != 1:
        return None
    number = _number(bare[0])
    return number if number is not None else _taught().replies.get(bare[0])


def _number(word: str) -> int | None:
    if word.isascii() and word.isdecimal() and 0 < int(word) <= _MOST_CHOICES:
        return int(word)
    return _taught().numbers.get(word)


@cache
def _taught() -> _Taught:
    file = tomllib.loads(Path(__file__).with_name("replies.toml").read_text(encoding="utf-8"))
    replies: tuple[Reply, ...] = ("yes", "no", "skip")
    return _Taught(
        replies={word: reply for reply in replies for word in file[reply].split()},
        around=frozenset(file["around"].split()),
        numbers={word: n for n, names in enumerate(file["numbers"], start=1) for word in names.split()},
    )
