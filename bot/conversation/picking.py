"""What was picked of what we asked: by its number, by its name, or with a yes or no.

A number or a name that somebody types becomes what a tap would have told us, so that both are one road.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import taps
from bot.hearing import ear, replies
from channels.base import Choice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.conversation.answers import Asked
    from bot.taps import Tap

_YES_OR_NO = frozenset({"leave", "confirm", "pass-on", "opinion"})
"""Questions whose two choices are yes and no, in this order."""
_STEPS = frozenset({"language", "community", "topics", "join-language", "join-community", "join-topics"})
"""Questions that are passed over with a no; to any other it is an answer."""


def picked(text: str, words: Sequence[str], asked: Asked) -> list[Tap]:
    """What was chosen of what we asked, by its number, its name, or a yes or no; nothing when nothing was.

    Args:
        text: What they wrote.
        words: The same, as `ear.words` gives it.
        asked: What we wait for.
    """
    return [chosen for one in _picked(text, words, asked) if (chosen := taps.read(one.value))]


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
            yield Choice("-", "#skip" if asked.question in _STEPS else "#no")
        case "yes" if asked.question.startswith("join-"):  # as they are: on with it
            yield Choice("-", "#skip")


def _numbers(words: Sequence[str]) -> list[int]:
    """`1 3 4`: several at once, when nothing else was written."""
    if len(words) > 1 and all(word.isascii() and word.isdigit() and len(word) < 3 for word in words):  # noqa: PLR2004 - nobody offers a hundred
        return [int(word) for word in words if int(word)]
    return []
