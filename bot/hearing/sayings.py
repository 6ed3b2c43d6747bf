"""What words mean together: concepts and small grammar, taught from a TOML file beside this one.

What may enter: how a taught file is read and how a message is held against it; no word of any language.

`[words]` names concepts: forms divided by spaces, `llev*` for every word that begins so, `=ice` for exactly
these letters (else a form is heard, and a slip of the finger forgiven). `[says]` lists, under each name, the
sayings that mean it: `<concept>`, words, `a|b` for either, `a?` for perhaps; between two of them small words
are passed over, `..` passes over four others and `...` nine; `^` and `$` are the message's ends. `innocent`
lists sayings whose words mean nothing more in that message.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bot.hearing.ear import fold, nearest, slips, sound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_GAPS = {"..": 4, "...": 9}
_SMALL = "<small>"
_KNOWN_LENGTH = 7
"""From how many letters a slip is forgiven in the beginning of a word."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One element of a saying: what may stand there, and how many other words may stand before it."""

    means: frozenset[str]
    gap: int


@dataclass(frozen=True, slots=True)
class _Saying:
    """What a name is heard by.

    Attributes:
        first: Nothing but small words may stand before it.
        tail: How many other words may stand after it; None for any number.
    """

    name: str
    steps: tuple[_Step, ...]
    first: bool
    tail: int | None


class Sayings:
    """What taught files say.

    Args:
        files: Their names.
        concepts: Forms that are taught elsewhere, by the concept's name.
    """

    def __init__(self, *files: str, **concepts: Iterable[str]) -> None:
        taught = [_read(file) for file in files]
        words = {name: forms.split() for one in taught for name, forms in one["words"].items()}
        self._words = _Words({f"<{name}>": forms for name, forms in {**words, **concepts}.items()})
        said = [(name, text) for one in taught for name, texts in one["says"].items() for text in texts]
        innocent = [("innocent", text) for one in taught for text in one.get("innocent", ())]
        self._says = _by_first(self._taught(said))
        self._innocent = _by_first(self._taught(innocent))
        self._words.close()

    def heard(self, words: Sequence[str]) -> set[str]:
        """The names whose sayings are in a message, given as `ear.words` gives it."""
        means = [self._words.means(word) for word in words]
        innocent = [_find(saying, means, start) or () for saying, start in _candidates(self._innocent, means)]
        for place in {place for places in innocent for place in places}:
            means[place] = frozenset()
        found: set[str] = set()
        for saying, start in _candidates(self._says, means):
            if saying.name not in found and _find(saying, means, start) is not None:
                found.add(saying.name)
        return found

    def _taught(self, said: Iterable[tuple[str, str]]) -> Iterator[_Saying]:
        for name, text in said:
            for variant in _variants(text.split()):
                yield self._saying(name, variant)

    def _saying(self, name: str, parts: list[str]) -> _Saying:
        first, last = parts[0] == "^", parts[-1] == "$"
        steps: list[_Step] = []
        gap = 0
        for part in parts[first : len(parts) - last]:
            if part in _GAPS:
                gap = _GAPS[part]
                continue
            steps.append(_Step(frozenset(self._words.form(one) for one in part.split("|")), gap))
            gap = 0
        return _Saying(name, tuple(steps), first, gap if last else None)


class _Words:
    """From a word as written to everything taught that it can be."""

    def __init__(self, concepts: Mapping[str, Iterable[str]]) -> None:
        self._exact: dict[str, set[str]] = defaultdict(set)
        self._sounds: dict[str, set[str]] = defaultdict(set)
        self._begins: dict[str, set[str]] = defaultdict(set)
        self._names = set(concepts)
        for name, forms in concepts.items():
            for form in forms:
                self._add(form, name)
        self.means = lru_cache(maxsize=50_000)(self._means)

    def form(self, part: str) -> str:
        """A form written in a saying itself is a concept of its own; a concept must have been taught."""
        if part.startswith("<"):
            if part not in self._names:
                raise ValueError(f"nobody taught {part}")
            return part
        self._add(part, part)
        return part

    def close(self) -> None:
        """Nothing more is taught."""
        self._long = [heard for heard in self._sounds if slips(len(heard))]
        self._long_begins = [heard for heard in self._begins if len(heard) >= _KNOWN_LENGTH]

    def _add(self, form: str, name: str) -> None:
        if form.startswith("="):
            self._exact[form[1:]].add(name)
        elif form.endswith("*"):
            self._begins[sound(fold(form) + "a")[:-1]].add(name)  # as inside a word, not as at its end
        else:
            self._sounds[sound(fold(form))].add(name)

    def _means(self, word: str) -> frozenset[str]:
        heard = sound(word)
        found = set(self._exact.get(word, ())) | self._sounds.get(heard, set())
        for end in range(2, len(heard) + 1):
            found |= self._begins.get(heard[:end], set())
        return frozenset(found if found or heard in _everyday() else self._slips(heard))

    def _slips(self, heard: str) -> set[str]:
        """What a word nobody taught is probably a slip of."""
        found: set[str] = set()
        for other in nearest(heard, self._long):
            found |= self._sounds[other]
        if not found and len(heard) >= _KNOWN_LENGTH:
            for end in {min(len(heard), len(one)) for one in self._long_begins}:
                for other in nearest(heard[:end], self._long_begins):
                    found |= self._begins[other]
        return found


def _read(file: str) -> dict[str, dict[str, str]]:
    path = Path(__file__).with_name(file)
    return {"words": {}, "says": {}, **tomllib.loads(path.read_text(encoding="utf-8"))}


@cache
def _everyday() -> frozenset[str]:
    """The sounds of words that are right as they stand."""
    lines = Path(__file__).with_name("everyday.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(sound(word) for line in lines if not line.startswith("#") for word in line.split())


def _variants(parts: list[str]) -> Iterator[list[str]]:
    """A saying with and without each of its perhapses."""
    for place, part in enumerate(parts):
        if part.endswith("?"):
            yield from _variants([*parts[:place], part[:-1], *parts[place + 1 :]])
            yield from _variants([*parts[:place], *parts[place + 1 :]])
            return
    yield parts


def _by_first(sayings: Iterable[_Saying]) -> dict[str, list[_Saying]]:
    found: dict[str, list[_Saying]] = defaultdict(list)
    for saying in sayings:
        for meaning in saying.steps[0].means:
            found[meaning].append(saying)
    return found


def _candidates(
    sayings: Mapping[str, list[_Saying]], means: Sequence[frozenset[str]]
) -> Iterator[tuple[_Saying, int]]:
    for start, meanings in enumerate(means):
        for meaning in meanings:
            for saying in sayings.get(meaning, ()):
                yield saying, start


def _find(saying: _Saying, means: Sequence[frozenset[str]], start: int) -> list[int] | None:
    """The places of a saying's words when it begins at `start`, or None."""
    if saying.first and not all(_SMALL in one for one in means[:start]):
        return None
    if not saying.steps[0].means & means[start]:
        return None
    return _rest(saying, 1, means, [start])


def _rest(saying: _Saying, step: int, means: Sequence[frozenset[str]], places: list[int]) -> list[int] | None:
    if step == len(saying.steps):
        after = sum(_SMALL not in one for one in means[places[-1] + 1 :])
        return places if saying.tail is None or after <= saying.tail else None
    wanted, passed = saying.steps[step], 0
    for place in range(places[-1] + 1, len(means)):
        if wanted.means & means[place]:
            found = _rest(saying, step + 1, means, [*places, place])
            if found is not None:
                return found
        if _SMALL not in means[place]:
            passed += 1
            if passed > wanted.gap:
                return None
    return None
