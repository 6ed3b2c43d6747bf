"""What a name means: an office, a state, a county or a town, with the consulates that serve it.

What may enter: one name at a time. Where names stand in a message is `reading`; the names that no file of
post offices knows are in `names.toml`.
"""

from __future__ import annotations

import math
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from bot.hearing import ear
from bot.places.atlas import Atlas
from bot.places.districts import Districts
from bot.places.spelling import heard, initial, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bot.library.office import Office
    from bot.places.atlas import County

_CITY = 100
"""What the city of an office weighs beside the towns of the atlas: as one of 20 ZIP codes."""

_HERE = frozenset({"US", "CA"})
"""Countries whose offices are named without more: people write to us from there."""

_CODE = 2
"""The letters of a code."""

_MOST, _SHARE = 3, 0.25
"""How many consulates are offered, and from what part of the weight of the likeliest another one is."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a name may mean.

    Attributes:
        state: The code of its state or province; empty elsewhere.
        whole: It is the state itself.
        serving: Slugs of consulates, each with how much speaks for it.
    """

    state: str
    whole: bool
    serving: Mapping[str, float]


Meanings = tuple[Meaning, ...]


class Names:
    """All names that are known without looking into the atlas, and the atlas.

    Attributes:
        atlas: The counties of the United States.
        districts: Who serves them.
        words: The lists of `[words]` in `names.toml`, plain.
    """

    def __init__(self, called: Mapping[str, Iterable[str]], offices: Mapping[str, Office]) -> None:
        """Take in what the offices are called, by slug, beside their cities."""
        taught = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
        self.atlas = Atlas()
        self.districts = Districts(offices, self.atlas)
        self.words = {name: frozenset(_listed(text)) for name, text in taught["words"].items()}
        self._postal = {letter: code for code, letters in taught["postal"].items() for letter in letters}
        self._states = {name: code for code, text in taught["states"].items() for name in _listed(text)}
        self._codes = frozenset(taught["states"])
        self._known: dict[str, list[Meaning]] = defaultdict(list)
        self._abroad: dict[str, list[Meaning]] = defaultdict(list)
        for name, code in self._states.items():
            self._known[name].append(self.state(code))
        for code, text in taught["canada"].items():
            town = Meaning(code, whole=False, serving=self.state(code).serving)
            for name in _listed(text):
                self._known[name].append(town)
        for code, text in taught["countries"].items():
            for name in _listed(text):
                self._abroad[name].append(Meaning("", whole=False, serving=self.districts.country(code)))
        for slug, office in offices.items():
            known = self._known if office.country in _HERE else self._abroad
            for name in {plain(office.city), *map(plain, called[slug])}:
                known[name].append(Meaning(office.state or "", whole=False, serving={slug: _CITY}))
        self._sounds: dict[str, list[str]] = defaultdict(list)
        for name in self._known:
            if len(name) > _CODE:
                self._sounds[heard(name)].append(name)

    def state(self, code: str) -> Meaning:
        """A state or province.

        Whoever serves most of it weighs what the city of an office does; the others by the square root of
        their part, so that those of a sixteenth are still offered.
        """
        serving = self.districts.state(code)
        most = max(serving.values(), default=1.0)
        weights = {slug: _CITY * math.sqrt(zips / most) for slug, zips in serving.items()}
        return Meaning(code, whole=True, serving=weights)

    def province(self, letter: str) -> Meaning | None:
        """The province of a Canadian postal code, by its first letter."""
        code = self._postal.get(letter.upper())
        return self.state(code) if code else None

    def states(self, name: str) -> str | None:
        """The code of the state that this plain name is, or sounds like."""
        return self._states.get(name) or next(
            (self._states[other] for other in self._sounding(name) if other in self._states), None
        )

    def known(self, name: str) -> Meanings:
        """What a plain name means that nobody takes for another word: our offices here, states, provinces."""
        if len(name) <= _CODE:
            return ()
        found = self._known.get(name)
        return tuple(found or [one for other in self._sounding(name) for one in self._known[other]])

    def code(self, letters: str) -> Meanings:
        """What two plain letters mean: `la` is the city before it is the state."""
        if letters in self._known:
            return tuple(self._known[letters])
        return (self.state(letters.upper()),) if self.is_code(letters) else ()

    def is_code(self, letters: str) -> bool:
        """Whether two plain letters are the code of a state or province."""
        return letters.upper() in self._codes

    def written(self, name: str) -> Meanings:
        """Everything that a plain name means, letter by letter."""
        if len(name) <= _CODE or name in self.words["never"]:
            return ()
        found = [*self.known(name), *self._abroad.get(name, ())]
        return (*found, *self._towns(name))

    def inside(self, name: str, state: str, *, by_ear: bool) -> Meanings:
        """What a plain name means beside its state: there it may be any word, also misspelt."""
        found = [*self.known(name), *self._towns(name), *self.county(f"{name} county")]
        inside = [one for one in found if one.state == state and not one.whole]
        if not inside and by_ear:
            inside = [one for one in self._towns_by_ear(name) if one.state == state]
        return tuple(inside)

    def county(self, name: str) -> list[Meaning]:
        """What is called a county: `condado de kern` and `kern county` are the same."""
        first, _, rest = name.partition(" ")
        plainly = f"{rest.removeprefix('de ')} county" if first == "condado" else name
        return list(self._of_counties(self.atlas.county(plainly)))

    def heard(self, name: str, *, towns: bool) -> Meanings:
        """What a plain name means that is misspelt: of a state or an office, and of any town or none."""
        if len(name) <= _CODE or name in self.words["never"] or name in self.words["mexico"]:
            return ()
        near = ear.nearest(heard(name), [*self._sounds])
        found = [one for sound in near for other in self._sounds[sound] for one in self._known[other]]
        return tuple(found or (self._towns_by_ear(name) if towns else ()))

    def _sounding(self, name: str) -> list[str]:
        return [other for other in self._sounds.get(heard(name), ()) if initial(other) == initial(name)]

    def _towns(self, name: str) -> list[Meaning]:
        return [*self._of_counties(self.atlas.town(name)), *self.county(name)]

    def _towns_by_ear(self, name: str) -> list[Meaning]:
        return list(self._of_counties(self.atlas.town_by_ear(name)))

    def _of_counties(self, counties: Mapping[County, float]) -> Iterator[Meaning]:
        by_state: dict[str, dict[County, float]] = defaultdict(dict)
        for county, weight in counties.items():
            by_state[county.state][county] = weight
        for state, inside in by_state.items():
            yield Meaning(state, whole=False, serving=self.districts.counties(inside))


def best(meanings: Iterable[Meaning]) -> list[str]:
    """The consulates of a name, the likeliest first."""
    weights: dict[str, float] = defaultdict(float)
    for meaning in meanings:
        for slug, weight in meaning.serving.items():
            weights[slug] += weight
    return likeliest(weights)


def likeliest(weights: Mapping[str, float]) -> list[str]:
    """The heaviest, and those that are not far behind it; three at most."""
    ranked = sorted(weights.items(), key=itemgetter(1), reverse=True)[:_MOST]
    return [slug for slug, weight in ranked if weight >= _SHARE * ranked[0][1]]


def _listed(text: str) -> Iterator[str]:
    return (plain(name) for name in text.split(",") if name.strip())
