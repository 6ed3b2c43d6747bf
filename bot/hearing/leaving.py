"""Whether a message asks to leave, to come back or to be forgotten, in the person's own words.

What may enter: how the taught sayings weigh against each other. The words are taught in `leaving.toml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rapidfuzz.distance import OSA

from bot.hearing.sayings import Sayings

if TYPE_CHECKING:
    from collections.abc import Sequence

Wish = Literal["erase", "leave", "join", "doubt"]

_PRECEDENCE: tuple[Wish, ...] = ("erase", "leave", "join", "doubt")
"""Being forgotten includes leaving; leaving goes before anything that keeps a person."""

_ADVERTISED = ("stop", "stopall", "alto", "baja", "unsubscribe")
"""What our own messages tell people to write: one slip in such a word alone is worth asking about."""

_RIGHT = frozenset({"alta", "shop", "step", "stop", "bajo", "caja", "baja", "alto", "altos", "algo", "alt"})


class Leaving:
    """What a message wishes of us."""

    def __init__(self) -> None:
        self._sayings = Sayings("common.toml", "leaving.toml")

    def heard(self, words: Sequence[str], *, in_crisis: bool = False) -> Wish | None:
        """What is wished; "doubt" when a reasonable reader could take it for leaving, and for something else.

        Args:
            words: As `ear.words` gives them.
            in_crisis: The message tells of a crisis: a leaving word that it begins with is enough, for nobody
                in danger explains twice.
        """
        found = self._sayings.heard(words)
        if in_crisis and "beside" in found:
            return "leave"
        sure = next((wish for wish in _PRECEDENCE if wish in found), None)
        return sure or ("doubt" if _slipped(words) else None)


def _slipped(words: Sequence[str]) -> bool:
    """A word that was advertised, alone and with one letter wrong."""
    if len(words) != 1 or words[0] in _RIGHT or len(words[0]) < 3:  # noqa: PLR2004 - "no" is not half of "stop"
        return False
    return any(OSA.distance(words[0], word) == 1 for word in _ADVERTISED)
