"""Where the names of places stand in a message, and which of its words are only words.

What may enter: the order in which a message is looked through. What one name means is `names`. In a message
of which nobody knows that it is about a place, a town counts only where a place is said: beside its state, or
behind `en`, `cerca de`, `consulado de`; `salida`, `mesa` and `hope` are words before they are towns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import regex

from bot.hearing.ear import fold
from bot.places.spelling import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.places.names import Meanings, Names

_WORDS = 100
"""More words than anybody needs to say where they live; what stands after them is not read."""
_LONGEST, _LONGEST_HEARD = 5, 3
"""The most words of a name, and of one that is spelt by ear."""
_SMALL = ("links", "articles", "fillers", "never")
"""The lists of words that no name is made of alone."""
_SHOUTED = 3
"""From more letters than these on, capitals alone are loud and not a code."""
_INITIALS = regex.compile(r"(?<!\p{L})(\p{L})\.\s?(\p{L})\.?(?!\p{L})")
_TOKEN = regex.compile(r"[\p{L}\p{M}\p{N}'’`´]+")
_Span = tuple[int, int]
"""Words of a message, from one to before another."""


@dataclass(frozen=True, slots=True)
class _State:
    """A state that a message names, from word `start` to before word `end`.

    Attributes:
        code: Its code; empty for an office that has a code of two letters.
        sure: It is no other word, as `or` and `me` are.
        alone: It says where somebody is without a town beside it.
    """

    start: int
    end: int
    code: str
    sure: bool = True
    alone: bool = True


def read(text: str, names: Names, *, asked: bool) -> list[Meanings]:
    """The places of a message, each with everything that its name may mean.

    Args:
        text: As written.
        names: What is known.
        asked: The person was asked where they live: the whole message may be a name.
    """
    message = _Message(text, names)
    return (
        [*message.beside_states(), *message.behind("homes", by_ear=True)]
        or [*message.behind("marks", by_ear=asked), *message.unmistakable()]
        or [*message.alone()]
        or ([whole] if asked and (whole := message.whole()) else [])
    )


class _Message:
    """One message. Each word is taken once: what it was read as first is what it means."""

    def __init__(self, text: str, names: Names) -> None:
        written = _TOKEN.findall(_INITIALS.sub(r"\1\2", text))[:_WORDS]
        letters = [letter for letter in text if letter.isalpha()]
        shouted = len(letters) > _SHOUTED and all(map(str.isupper, letters))
        spelt = [(fold(word), word.isupper() and not shouted) for word in written]
        self._folded = [word for word, _ in spelt if word]
        self._capital = [capital for word, capital in spelt if word]
        self._free = [not word.isdigit() for word in self._folded]
        self._names, self._words = names, names.words
        self._small = frozenset().union(*(self._words[name] for name in _SMALL))
        self._mexico: list[_Span] = []
        self._states = list(self._all_states())

    def beside_states(self) -> Iterator[Meanings]:
        """Towns, counties and offices before or behind the name of their state."""
        for state in self._states:
            if not all(self._free[state.start : state.end]):
                continue
            beside = self._before(state.start) if state.sure or self._closes(state) else ()
            behind = self._behind(state.end) if state.sure else ()
            for start, end in (*beside, *behind):
                if self._words["fillers"].issuperset(self._folded[start:end]):
                    continue
                close = end == state.start or start == state.end
                if found := self._names.inside(self._name(start, end), state.code, by_ear=close):
                    self._take(min(start, state.start), max(end, state.end))
                    yield found
                    break
        self._leave_to_mexico()

    def behind(self, words: str, *, by_ear: bool) -> Iterator[Meanings]:
        """What stands behind one of `words` that say that a place follows: "homes" or "marks".

        Args:
            words: Which list.
            by_ear: Any town may be misspelt, if a small word stands before it; else only an office.
        """
        for place, word in enumerate(self._folded):
            starts = self._starts(place + 1, words) if word in self._words[words] else ()
            if found := next((one for start in starts for one in self._from(start, by_ear=by_ear)), None):
                start, end, meanings = found
                self._take(start, end)
                yield meanings

    def unmistakable(self) -> Iterator[Meanings]:
        """Offices and counties, which are named by no other word."""
        for start, end in self._spans(self._unmistakable):
            self._take(start, end)
            yield self._names.written(self._name(start, end))

    def alone(self) -> Iterator[Meanings]:
        """States without a town."""
        for state in self._states:
            if state.alone and all(self._free[state.start : state.end]):
                name = self._name(state.start, state.end)
                yield self._names.known(name) or self._names.code(self._folded[state.start])

    def whole(self) -> Meanings:
        """The whole message as one name, with or without the small words around it."""
        fillers, last = self._words["fillers"], len(self._folded)
        letters = [place for place in range(last) if not self._folded[place].isdigit()]
        telling = [place for place in letters if self._folded[place] not in fillers]
        if not telling or not all(self._free[place] for place in letters):
            return ()
        spans = [(start, end) for start in range(telling[0] + 1) for end in range(last, telling[-1], -1)]
        names = [self._name(start, end) for start, end in spans if end - start <= _LONGEST]
        written = filter(None, map(self._names.written, names))
        return next(written, ()) or self._names.heard(names[-1] if names else "", towns=True)

    def _all_states(self) -> Iterator[_State]:
        """States by name, then by code; none inside a longer name of Mexico, and Mexico in none of theirs."""
        mexico = list(self._spans(lambda name: name in self._words["mexico"]))
        named = list(self._spans(lambda name: self._names.states(name) is not None))
        self._mexico = [one for one in mexico if not any(_inside(one, other) for other in named)]
        for start, end in named:
            if not any(_inside((start, end), other) for other in self._mexico):
                yield _State(start, end, self._names.states(self._name(start, end)) or "")
        spelt = {place for span in named for place in range(*span)}
        yield from filter(
            None, (self._code(place) for place in range(len(self._folded)) if place not in spelt)
        )

    def _code(self, place: int) -> _State | None:
        word, capital = self._folded[place], self._capital[place]
        if not self._names.code(word):
            return None
        code = word.upper() if self._names.is_code(word) else ""
        sure = capital or word not in self._words["codes"]
        marked = place > 0 and self._folded[place - 1] in self._words["marks"] | self._words["homes"]
        others = (other for index, other in enumerate(self._folded) if index != place)
        last = place == len(self._folded) - 1
        said = capital or marked or last or self._words["fillers"].issuperset(others)
        alone = sure and said and (marked or word not in self._words["never"])
        return _State(place, place + 1, code, sure, alone)

    def _leave_to_mexico(self) -> None:
        """States and cities of Mexico, and what stands before the name of one: Nogales, Sonora."""
        for start, end in self._mexico:
            if all(self._free[start:end]):
                before = self._before(start) if self._name(start, end) != "mexico" else ()
                named = (span[0] for span in before if self._names.written(self._name(*span)))
                self._take(next(named, start), end)

    def _unmistakable(self, name: str) -> bool:
        if self._names.states(name):
            return False
        return bool(self._names.known(name) or self._names.county(name))

    def _starts(self, place: int, words: str) -> Iterator[int]:
        """Where a name may begin behind a mark: small words are passed over.

        An article only where somebody lives, or before another small word: `en la ciudad de`. What else
        stands behind one is a thing: `en la fila`. And `vive solo` names no town, `vive en Solo` does.
        """
        links, articles = self._words["links"], self._words["articles"]
        for start in range(place, len(self._folded)):
            if words == "marks" or self._folded[start - 1] in links | articles:
                yield start
            to_a_place = words == "homes" or links.issuperset(self._folded[start + 1 : start + 2])
            if self._folded[start] not in (links | articles if to_a_place else links):
                return

    def _from(self, start: int, *, by_ear: bool) -> Iterator[tuple[int, int, Meanings]]:
        """Names that begin here and are no state: as they are written, else by ear."""
        ends = range(min(start + _LONGEST, len(self._folded)), start, -1)
        free = [end for end in ends if all(self._free[start:end])]
        free = [end for end in free if not self._small.issuperset(self._folded[start:end])]
        for end in free:
            name = self._name(start, end)
            if self._names.states(name):
                return
            if found := self._names.written(name):
                yield start, end, found
        towns = by_ear and self._folded[start - 1] in self._words["links"]
        for end in (end for end in free if end <= start + _LONGEST_HEARD):
            may_be = self._small.isdisjoint(self._folded[start:end])
            if may_be and (found := self._names.heard(self._name(start, end), towns=towns)):
                yield start, end, found

    def _before(self, place: int) -> Iterator[_Span]:
        """Free spans that end at a place, or before the small words before it; the longest first."""
        end = place
        while end > 0:
            yield from (
                (start, end) for start in range(max(0, end - _LONGEST), end) if all(self._free[start:end])
            )
            if self._folded[end - 1] not in self._words["links"]:
                return
            end -= 1

    def _behind(self, place: int) -> Iterator[_Span]:
        """Free spans that begin at a place, or behind the small words behind it; the longest first."""
        last = len(self._folded)
        for start in range(place, last):
            ends = range(min(last, start + _LONGEST), start, -1)
            yield from ((start, end) for end in ends if all(self._free[start:end]))
            if self._folded[start] not in self._words["links"]:
                return

    def _spans(self, wanted: Callable[[str], bool]) -> Iterator[_Span]:
        """Free spans whose names are wanted, from left to right, the longest first."""
        start, last = 0, len(self._folded)
        while start < last:
            ends = range(min(last, start + _LONGEST), start, -1)
            found = (end for end in ends if all(self._free[start:end]) and wanted(self._name(start, end)))
            end = next(found, None)
            if end:
                yield start, end
            start = end or start + 1

    def _closes(self, state: _State) -> bool:
        """Whether nothing but numbers stands behind it."""
        return all(map(str.isdigit, self._folded[state.end :]))

    def _name(self, start: int, end: int) -> str:
        return joined(self._folded[start:end])

    def _take(self, start: int, end: int) -> None:
        self._free[start:end] = [False] * (end - start)


def _inside(one: _Span, other: _Span) -> bool:
    return other[0] <= one[0] and one[1] <= other[1]
