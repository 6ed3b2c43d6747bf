"""What a tap tells us: `#` and a word of ours, with what it is about. Good in every message, however old.

Numbers and names that people type are turned into the same values, so that a tap and a text are one road.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.hearing import ear, replies
from bot.words import Phrases
from channels.base import Choice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.conversation.answers import Asked

_VALUE = re.compile(r"#([a-z-]+)(?::([A-Za-z0-9-]+))?(?::([a-z0-9-]+))?", re.ASCII)

_YES_OR_NO = frozenset({"leave", "confirm", "pass-on", "opinion"})
"""Questions whose two choices are yes and no, in this order."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value, read: `#language:en-US`, `#more:pasaporte:2`."""

    word: str
    about: str = ""
    more: str = ""


def read(text: str) -> Chosen | None:
    """A value as it reaches us, or None for anything else that people write."""
    found = _VALUE.fullmatch(text)
    return Chosen(found[1], found[2] or "", found[3] or "") if found else None


def choice(label: str, word: str, about: str = "", more: str = "") -> Choice:
    """Something to choose, whose value `read` understands."""
    return Choice(label, "#" + ":".join(filter(None, (word, about, more))))


def yes_or_no(language: str, yes: str, no: str, about: str = "") -> tuple[Choice, Choice]:
    """Yes and no, in the reader's words; about the same thing, they also differ in what they say of it."""
    say = Phrases(language).say
    answers = ("yes", "no") if about else ("", "")
    return (
        choice(say("bot.label.yes"), yes, about, answers[0]),
        choice(say("bot.label.no"), no, about, answers[1]),
    )


def picked(text: str, words: Sequence[str], asked: Asked) -> list[Chosen]:
    """What was chosen of what we asked, by its number, its name, or a yes or no; nothing when nothing was.

    Args:
        text: What they wrote.
        words: The same, as `ear.words` gives it.
        asked: What we wait for.
    """
    return [chosen for one in _picked(text, words, asked) if (chosen := read(one.value))]


def _picked(text: str, words: Sequence[str], asked: Asked) -> Iterator[Choice]:
    folded = ear.fold(text)
    named = [one for one in asked.choices if ear.fold(one.label) == folded]
    if named:
        yield named[0]
        return
    numbers = _numbers(words)
    if numbers:
        yield from (asked.choices[n - 1] for n in numbers if n <= len(asked.choices))
        return
    match replies.heard(words):
        case int(n) if n <= len(asked.choices):
            yield asked.choices[n - 1]
        case "yes" if asked.question in _YES_OR_NO:
            yield asked.choices[0]
        case "no" | "skip" if asked.question in _YES_OR_NO:
            yield asked.choices[1]
        case "no" | "skip":
            yield Choice("-", "#skip")


def _numbers(words: Sequence[str]) -> list[int]:
    """`1 3 4`: several at once, when nothing else was written."""
    if len(words) > 1 and all(word.isascii() and word.isdigit() and len(word) < 3 for word in words):  # noqa: PLR2004 - nobody offers a hundred
        return [int(word) for word in words if int(word)]
    return []
