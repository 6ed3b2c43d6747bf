"""What a message wants of us before anything is looked up: rescue, leaving, coming in, being forgotten.

Two ears listen: taught sayings, which are sure of what they know, and what was learned from examples, which
has a feeling for the rest. What may enter: how the two are weighed (docs/decisions/0008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.hearing import learned
from bot.hearing.crisis import PRECEDENCE, Crises
from bot.hearing.leaving import Leaving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.hearing.leaving import Wish

_SURE, _LIKELY = 0.8, 0.4
"""From what probability a crisis is one, and from what one it is unless it looks like a plain question."""

_PLAIN, _PLAINER = 0.5, 0.85
"""From what probability a message is a plain question: against a likely crisis, and against a saying."""

_NOTHING = 0.88
"""When nothing special is so probable, a saying was heard in other words."""

_CERTAINLY = 0.985
"""When nothing special is so probable, a saying was heard by mistake."""

_AS_PRESSING = 0.4
"""From what part of the likeliest crisis another one is in the message too."""

_OUT, _PERHAPS = 0.8, 0.3
"""From what probability somebody leaves, and from what one they are asked."""

_FEW_WORDS = 3
"""A saying that is nearly the whole message is not overruled; in fewer words nothing is felt."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a message wants.

    Attributes:
        crises: The entries that answer it, the most pressing first.
        wish: Besides, or alone.
    """

    crises: tuple[str, ...] = ()
    wish: Wish | None = None


class Wishes:
    """Both ears."""

    def __init__(self) -> None:
        self._learned = learned.load("wish")
        self._crises, self._leaving = Crises(), Leaving()

    def heard(self, words: Sequence[str], *, plain: float) -> Wanted:
        """What a message wants.

        Args:
            words: As `ear.words` gives them.
            plain: How probably it is a question for one of our entries.
        """
        scores = self._learned.strongest(words)
        crises = self._in_danger(words, scores, plain)
        return Wanted(crises, self._wish(words, scores, in_crisis=bool(crises)))

    def _in_danger(self, words: Sequence[str], scores: dict[str, float], plain: float) -> tuple[str, ...]:
        said = self._crises.heard(words)
        danger = sum(scores[slug] for slug in PRECEDENCE)
        short = len(words) <= _FEW_WORDS
        believed = said and (short or (scores[learned.OTHER] < _NOTHING and plain < _PLAINER))
        felt = len(words) >= _FEW_WORDS and (danger >= _SURE or (danger >= _LIKELY and plain < _PLAIN))
        if not (believed or felt):
            return ()
        highest = max(scores[slug] for slug in PRECEDENCE)
        close = {slug for slug in PRECEDENCE if scores[slug] >= highest * _AS_PRESSING} if felt else set()
        return tuple(slug for slug in PRECEDENCE if slug in close or (believed and slug in said))

    def _wish(self, words: Sequence[str], scores: dict[str, float], *, in_crisis: bool) -> Wish | None:
        said = self._leaving.heard(words, in_crisis=in_crisis)
        out = scores["leave"] + scores["erase"]
        if said in ("leave", "erase", "join"):
            if in_crisis or len(words) <= _FEW_WORDS or scores[learned.OTHER] < _NOTHING:
                return said
            return "doubt" if scores[learned.OTHER] < _CERTAINLY else None
        if said or in_crisis or len(words) < _FEW_WORDS:
            return said
        if out >= _OUT:
            return "erase" if scores["erase"] > scores["leave"] else "leave"
        if scores["join"] >= _OUT:
            return "join"
        return "doubt" if out >= _PERHAPS else None
