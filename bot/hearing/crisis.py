"""Which crisis a message tells of, by precedence: a near miss counts as a crisis.

What may enter: the order, and which entry answers. The words are taught in `crisis.toml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.hearing.sayings import Sayings

if TYPE_CHECKING:
    from collections.abc import Sequence

PRECEDENCE = (
    "emergencia-911",
    "emergencia-suicidio",
    "emergencia-violencia",
    "emergencia-trata",
    "emergencia-menor",
    "emergencia-desierto",
    "emergencia-detencion",
    "emergencia-trabajo",
)
"""Entries that answer a crisis, the most pressing first."""

_THREAT, _AT_WORK, _AT_HOME = "amenaza", "emergencia-trabajo", "emergencia-violencia"


class Crises:
    """What a message in danger says."""

    def __init__(self) -> None:
        self._sayings = Sayings("common.toml", "crisis.toml")

    def heard(self, words: Sequence[str]) -> list[str]:
        """The entries a message needs, the most pressing first; empty when it tells of no crisis.

        Args:
            words: As `ear.words` gives them.
        """
        found = self._sayings.heard(words)
        if _THREAT in found:  # threatened with the police or the migra, by whom decides
            if _AT_WORK in found:
                found.discard("emergencia-detencion")
            else:
                found.add(_AT_HOME)
        return [slug for slug in PRECEDENCE if slug in found]
