"""What was learned from examples: how a message scores for each of a model's labels. Pure Python, no network.

What may enter: how a message becomes features and features a score. The examples, and how a model is learned
from them, stand in `teaching/`; what a score leads to is decided by whoever asks.
"""

from __future__ import annotations

import gzip
import json
import math
import struct
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.hearing import ear

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Name = Literal["wish", "topic"]
"""`wish`: a crisis, leaving, joining, being forgotten, or none of it. `topic`: which entry is the answer."""

MODELS = Path(__file__).with_name("models")
OTHER = ""
"""The label of what belongs to no other."""

_LETTERS = (3, 4, 5)
_LETTERS_WEIGH = 0.5
_WINDOW, _STEP = 24, 12
"""In words: a cry for help in the middle of a long story is heard as if it stood alone."""


class Learned:
    """A model, read.

    A feature's weights for all labels are kept as one long whole number, a label in every 32 bits of it: to
    add up what a message's features say is then one addition for each, not one for each of their labels.

    Args:
        weights: By feature, the number of a label and its weight, the next label and its weight…

    Attributes:
        labels: All it knows, `OTHER` among them.
    """

    def __init__(
        self, labels: Sequence[str], bias: Sequence[float], weights: Mapping[str, Sequence[int]]
    ) -> None:
        self.labels = tuple(labels)
        self._bias = bias
        self._weights = weights
        self._rows: dict[str, int] = {}
        self._nothing = sum(_NOTHING << (_BITS * at) for at in range(len(labels)))

    def scores(self, words: Sequence[str]) -> dict[str, float]:
        """The probability of each label, all together one.

        Args:
            words: As `ear.words` gives them.
        """
        return dict(zip(self.labels, self._probabilities(words), strict=True))

    def strongest(self, words: Sequence[str]) -> dict[str, float]:
        """As `scores`, each label as it scores in the part of the message that says it best."""
        best = self._probabilities(words)
        for start in range(0, max(0, len(words) - _STEP), _STEP) if len(words) > _WINDOW else ():
            part = self._probabilities(words[start : start + _WINDOW])
            best = [max(pair) for pair in zip(best, part, strict=True)]
        return dict(zip(self.labels, best, strict=True))

    def _probabilities(self, words: Sequence[str]) -> list[float]:
        found = _features(tuple(words))
        scale = math.sqrt(sum(weight * weight for weight in found.values())) or 1.0
        halves = 0
        for feature, weight in found.items():
            if feature in self._weights:
                row = self._rows.get(feature) or self._row(feature)
                halves += row if weight == _LETTERS_WEIGH else row << 1
        said = (halves + self._nothing).to_bytes(len(self.labels) * _BITS // 8, "little")
        totals = [
            (label - _NOTHING) * _LETTERS_WEIGH + bias * scale * PRECISION
            for label, bias in zip(struct.unpack(f"<{len(self.labels)}I", said), self._bias, strict=True)
        ]
        highest = max(totals)
        powers = [math.exp((total - highest) / scale / PRECISION) for total in totals]
        whole = sum(powers)
        return [power / whole for power in powers]

    def _row(self, feature: str) -> int:
        """Made when it is first heard: most never are."""
        parts = iter(self._weights[feature])
        row = self._rows[feature] = sum(part << (_BITS * at) for at, part in zip(parts, parts, strict=True))
        return row


PRECISION = 32
"""Weights are kept as whole numbers of this part of one."""


_BITS = 32
_NOTHING = 1 << (_BITS - 1)
"""What a label's bits hold when nothing speaks for it or against it: less is against."""


def features(words: Sequence[str]) -> dict[str, float]:
    """What a message is judged by: how its words sound, which stand together, and their letters."""
    sounds = [ear.sound(word) for word in words]
    found = dict.fromkeys(sounds, 1.0)
    for distance in (1, 2):
        found |= {f"{one} {other}": 1.0 for one, other in zip(sounds, sounds[distance:], strict=False)}
    return found | dict.fromkeys((part for sound in sounds for part in _parts(sound)), _LETTERS_WEIGH)


_features = lru_cache(maxsize=1)(features)
"""Each message is looked at by both models, one after the other."""


def _parts(sound: str) -> Iterator[str]:
    edged = f"_{sound}_"
    for length in _LETTERS:
        for at in range(len(edged) - length + 1):
            yield f"={edged[at : at + length]}"


@cache
def load(name: Name) -> Learned:
    """A model that comes with the program."""
    with gzip.open(MODELS / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        kept = json.load(file)
    return Learned(kept["labels"], kept["bias"], kept["weights"])
