"""What a question is about, as far as examples tell: which of our entries, or no question at all.

What may enter: how the learned scores are read. What is written in the entries themselves is `search`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.hearing import learned

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_KIND = "="
"""What the labels begin with that are no entry: `=greeting`, `=foreign`, `=off-topic`."""
_CLEARLY = 0.6
"""From what probability a message is one of these."""


@dataclass(frozen=True, slots=True)
class About:
    """What a message is about.

    Attributes:
        entries: How probably each entry answers it.
        kind: What it is instead, when that is clear: `greeting`, `foreign`, `spam`, `off-topic`…
    """

    entries: Mapping[str, float]
    kind: str | None

    @property
    def plain(self) -> float:
        """How probably it is a question for one of our entries."""
        return max(self.entries.values(), default=0.0)


class Topics:
    """What was learned of questions, as far as a library has the entries.

    Args:
        known: The slugs of its entries.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._learned = learned.load("topic")
        self.taught = frozenset(known).intersection(self._learned.labels)

    def about(self, words: Sequence[str]) -> About:
        """What a message is about.

        Args:
            words: As `ear.words` gives them.
        """
        scores = self._learned.scores(words)
        kinds = {label: score for label, score in scores.items() if label.startswith(_KIND)}
        kind = max(kinds, key=lambda label: kinds[label])
        entries = {slug: scores[slug] for slug in self.taught}
        return About(entries, kind.removeprefix(_KIND) if kinds[kind] >= _CLEARLY else None)
