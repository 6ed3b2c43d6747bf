"""What a message asks of the service itself: help, a person, another language.

What may enter: the order in which commands are heard. The words are taught in `commands.toml`,
the names of languages in `bot/languages.toml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bot.hearing import tongues
from bot.hearing.sayings import Sayings

if TYPE_CHECKING:
    from collections.abc import Sequence

Command = Literal[
    "foreign",
    "spam",
    "link",
    "language",
    "person",
    "proposal",
    "question",
    "community",
    "topics",
    "unheard",
    "more",
    "help",
    "thanks",
    "greeting",
]

_PRECEDENCE: tuple[Command, ...] = (
    "foreign",
    "spam",
    "link",
    "language",
    "person",
    "proposal",
    "question",
    "community",
    "topics",
    "unheard",
    "more",
    "help",
    "thanks",
    "greeting",
)
"""What asks for something goes before what is only polite."""


class Commands:
    """What may be asked of the service itself."""

    def __init__(self) -> None:
        self._sayings = Sayings("common.toml", "commands.toml", tongue=tongues.names())

    def heard(self, words: Sequence[str]) -> Command | None:
        """The command of a message, if it is one.

        `foreign` is a question for another country's consulate, `unheard` a complaint that no news arrives.

        Args:
            words: As `ear.words` gives them.
        """
        found = self._sayings.heard(words)
        return next((command for command in _PRECEDENCE if command in found), None)

    def unkind(self, words: Sequence[str]) -> bool:
        """Whether a message that asks for nothing insults somebody."""
        return "insult" in self._sayings.heard(words)
