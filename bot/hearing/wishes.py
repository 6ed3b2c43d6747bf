"""What a message wants of us before anything is looked up: rescue, leaving, coming in, being forgotten.

Words that are the whole message are obeyed to the letter; the rest is felt by what was learned from examples
(docs/decisions/0008). What may enter: how probable is probable enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rapidfuzz.distance import OSA

from bot.hearing import learned
from bot.hearing.crisis import PRECEDENCE
from bot.hearing.sayings import Sayings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Wish = Literal["erase", "leave", "join", "doubt"]

_EXACT: tuple[Wish, ...] = ("erase", "leave", "join", "doubt")
"""Being forgotten includes leaving; leaving goes before what keeps a person."""

_DANGER, _TRACE = 0.3, 0.1
"""From what probability a message is a crisis against its being nothing special, and of all things together:
who wants to leave besides is no less in danger."""

_AS_PRESSING, _PLAINLY = 0.4, 0.95
"""From what part of the likeliest crisis another one is in the message too; from what probability it is, in a
part of the message."""

_WISHED, _PERHAPS = 0.5, 0.2
"""From what probability a wish is obeyed, and from what one leaving is asked about."""

_PART, _DANGER_BESIDE, _LEAVES_BESIDE = 5, 0.85, 0.5
"""How many words are enough to say a thing beside another; from what probability they tell of danger when
somebody leaves, and of leaving when somebody is in danger."""

_FEW_WORDS, _ONE_WORD = 3, 1
"""In fewer words than this no danger is felt, and in one word no wish."""

_ADVERTISED = ("stop", "stopall", "alto", "baja", "unsubscribe")
"""What our own messages tell people to write: one slip in such a word alone is worth asking about."""

_RIGHT = frozenset({"alta", "shop", "step", "bajo", "caja", "altos", "algo", "alt"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a message wants.

    Attributes:
        crises: The entries that answer it, the most pressing first.
        wish: Besides, or alone; "doubt" is what a reasonable reader could take for leaving, or not.
    """

    crises: tuple[str, ...] = ()
    wish: Wish | None = None


class Wishes:
    """To the letter, and by feeling."""

    def __init__(self) -> None:
        self._learned = learned.load("wish")
        self._exact = Sayings("common.toml", "exact.toml")

    def heard(self, words: Sequence[str]) -> Wanted:
        """What a message wants.

        Args:
            words: As `ear.words` gives them.
        """
        said = self._exact.heard(words)
        scores = self._learned.strongest(words)
        leaves = "leave" in said or "erase" in said or _out(scores) >= _WISHED
        crises = _in_danger(said, scores, felt=len(words) >= _FEW_WORDS)
        if leaves and not crises and len(words) > _PART:
            part = max(self._parts(words), key=_danger)
            crises = _in_danger(said, part, felt=_danger(part) >= _DANGER_BESIDE)
        if crises:
            parts = self._parts(words)
            leaves = leaves or "beside" in said or max(map(_out, parts)) >= _LEAVES_BESIDE
            return Wanted(_with_others(crises, parts), "leave" if leaves and "denied" not in said else None)
        exact = next((wish for wish in _EXACT if wish in said), None)
        if "denied" in said and exact in ("leave", None):
            return Wanted(wish="doubt")
        if exact:
            return Wanted(wish=exact)
        if len(words) <= _ONE_WORD:
            return Wanted(wish="doubt" if _slipped(words) else None)
        return Wanted(wish=_wish(said, scores))

    def _parts(self, words: Sequence[str]) -> list[Mapping[str, float]]:
        """What each part of a message says, whatever else is said."""
        starts = range(max(1, len(words) - _PART + 1))
        return [self._learned.scores(words[start : start + _PART]) for start in starts]


def _in_danger(said: Collection[str], scores: Mapping[str, float], *, felt: bool) -> tuple[str, ...]:
    likely: list[str] = []
    danger = _danger(scores)
    if felt and danger >= max(_TRACE, _DANGER * (danger + scores[learned.OTHER])):
        highest = max(scores[slug] for slug in PRECEDENCE)
        likely = [slug for slug in PRECEDENCE if scores[slug] >= highest * _AS_PRESSING]
    return tuple(slug for slug in PRECEDENCE if slug in likely or slug in said)


def _with_others(crises: tuple[str, ...], parts: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    return tuple(
        slug for slug in PRECEDENCE if slug in crises or any(part[slug] >= _PLAINLY for part in parts)
    )


def _wish(said: Collection[str], scores: Mapping[str, float]) -> Wish | None:
    out = _out(scores)
    if scores["join"] >= _WISHED:
        return "join"
    if "stay" in said:
        return None
    if out >= _WISHED:
        return "erase" if scores["erase"] > scores["leave"] else "leave"
    return "doubt" if out + scores["doubt"] >= _PERHAPS else None


def _danger(scores: Mapping[str, float]) -> float:
    return sum(scores[slug] for slug in PRECEDENCE)


def _out(scores: Mapping[str, float]) -> float:
    return scores["leave"] + scores["erase"]


def _slipped(words: Sequence[str]) -> bool:
    """A word that was advertised, alone and with one letter wrong."""
    if len(words) != 1 or words[0] in _RIGHT or len(words[0]) < 3:  # noqa: PLR2004 - "no" is not half of "stop"
        return False
    return any(OSA.distance(words[0], word) == 1 for word in _ADVERTISED)
