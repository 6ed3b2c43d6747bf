"""Choices as a person reads them: on one line, short enough for a button, or numbered where there is none.

What every channel does to choices before it writes them in its own way may enter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from channels.segments import split, tidy, utf16

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from channels.base import Choice, Part

LONGEST_LABEL = 40
"""UTF-16 units: what one line of a telephone shows."""


def labelled(
    choices: Iterable[Choice], longest: int = LONGEST_LABEL, ellipsis: str = "…"
) -> tuple[Choice, ...]:
    """The choices with labels on one line of at most `longest` UTF-16 units."""
    return tuple(replace(choice, label=one_line(choice.label, longest, ellipsis)) for choice in choices)


def numbered(choices: Sequence[Choice]) -> str:
    """A line for each choice, with the number that chooses it."""
    return "\n".join(f"{number} {choice.label}" for number, choice in enumerate(choices, start=1))


def tappable(choices: Iterable[Choice]) -> tuple[Choice, ...]:
    """Without those that ask for a place: only Telegram has a button for that."""
    return tuple(choice for choice in choices if not choice.place)


def offering(parts: Sequence[Part], choices: tuple[Choice, ...]) -> list[Part]:
    """The same parts, the last of which offers the choices."""
    return [*parts[:-1], *(replace(last, choices=choices) for last in parts[-1:])]


def one_line(text: str, longest: int, ellipsis: str = "…") -> str:
    """`text` without line breaks; what is longer than so many UTF-16 units ends where a word ends."""
    line = " ".join(tidy(text).split())
    return line if utf16(line) <= longest else split(line, longest - len(ellipsis))[0] + ellipsis
