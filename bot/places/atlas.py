"""Counties of the United States: which one a ZIP code, the name of a town or a point on the map lies in.

What may enter: what `counties.tsv` says, and how it is looked up. Which consulate serves a county is
`districts`; the file is made by `gather`.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from bot.hearing import ear
from bot.places.spelling import heard, initial

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_FILE = Path(__file__).with_name("counties.tsv")
_EARTH = 6371.0
"""Its mean radius in km."""

_SECOND = 0.25
"""What a name weighs, in ZIP codes, that the post office does not put first."""

_WINDOW = 2.0
"""Degrees: in most places a county is nearer."""

Point = tuple[float, float]
"""Degrees north, degrees east."""


@dataclass(frozen=True, slots=True, eq=False)
class County:
    """A county, parish, borough or municipality.

    Attributes:
        state: Its USPS code.
        name: Plain, with "county"; empty for what belongs to none, as the District of Columbia.
        point: The mean of its post offices: nearer to its people than its middle.
        zips: How many ZIP codes it has: the nearest thing to how many people.
    """

    state: str
    name: str
    point: Point
    zips: int


class Atlas:
    """The file, read once: 0.6 s and 21 MB on one core of a small server, most of it to hear how names sound.

    Attributes:
        states: The counties by the code of their state.
    """

    def __init__(self) -> None:
        self.states: dict[str, list[County]] = defaultdict(list)
        self._towns: dict[str, dict[County, float]] = {}
        runs: list[tuple[int, int, County]] = []
        for line in _FILE.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                continue
            state, name, latitude, longitude, codes, towns = line.split("\t")
            spans = [(int(run[:5]), int(run[-5:])) for run in codes.split()]
            zips = sum(last - first + 1 for first, last in spans)
            county = County(state, name, (float(latitude), float(longitude)), zips)
            self.states[state].append(county)
            runs += [(*span, county) for span in spans]
            for town in towns.split("|"):
                called, _, count = town.partition("*")
                weight = (int(count or 1) or _SECOND) * math.sqrt(zips)
                self._towns.setdefault(called, {})[county] = weight
        self._by_ear = _by_ear(self._towns)
        self._runs = sorted(runs, key=itemgetter(0))
        self._named: dict[str, list[County]] = defaultdict(list)
        self._northward = sorted((one for inside in self.states.values() for one in inside), key=_latitude)
        for county in self._northward:
            self._named[county.name].append(county)

    def zip_code(self, code: str) -> County | None:
        """Where a ZIP code of five digits lies."""
        place = bisect_right(self._runs, int(code), key=itemgetter(0)) - 1
        first, last, county = self._runs[place]
        return county if first <= int(code) <= last else None

    def prefix(self, digits: str) -> Mapping[County, int]:
        """Where the ZIP codes lie that begin with these three digits, and how many in each county."""
        begin, end = int(digits) * 100, int(digits) * 100 + 99
        found: dict[County, int] = defaultdict(int)
        for first, last, county in self._runs[bisect_left(self._runs, begin, key=itemgetter(1)) :]:
            if first > end:
                break
            found[county] += min(last, end) - max(first, begin) + 1
        return found

    def town(self, name: str) -> Mapping[County, float]:
        """The counties of the towns with this plain name, and how much each weighs.

        Nobody tells us how many people live there. Its ZIP codes say something; those of its county, by their
        square root, say which of two towns with one code each is the suburb of a city.
        """
        return self._towns.get(name, {})

    def county(self, name: str) -> Mapping[County, float]:
        """The counties with this plain name, "county" included, and how many ZIP codes they have."""
        return {county: county.zips for county in self._named.get(name, ())}

    def town_by_ear(self, name: str) -> Mapping[County, float]:
        """As `town`, for a name that is spelt by ear or has a slip; its first letter must sound right."""
        sounds, sound = self._by_ear.get(initial(name), {}), heard(name)
        called = sounds.get(len(sound), {}).get(sound)
        if called is None:
            allowed = ear.slips(len(sound))
            lengths = range(len(sound) - allowed, len(sound) + allowed + 1)
            near = {one: names for length in lengths for one, names in sounds.get(length, {}).items()}
            called = [town for one in ear.nearest(sound, [*near]) for town in near[one]]
        found: dict[County, float] = defaultdict(float)
        for one in called:
            for county, weight in self._towns[one].items():
                found[county] += weight
        return found

    def nearest(self, point: Point) -> County:
        """The county whose post offices are the nearest to a point: in 98 of 100 cases its own consulate."""
        north, east = point
        narrow = math.cos(math.radians(north))  # so near, the earth is flat

        def away(county: County) -> float:
            return math.hypot(county.point[0] - north, (county.point[1] - east) * narrow)

        south, end = (
            bisect_left(self._northward, north + side, key=_latitude) for side in (-_WINDOW, _WINDOW)
        )
        nearest = min(self._northward[south:end], key=away, default=None)
        if nearest is None or away(nearest) > _WINDOW:
            return min(self._northward, key=away)
        return nearest


def _by_ear(names: Iterable[str]) -> Mapping[str, Mapping[int, Mapping[str, Sequence[str]]]]:
    """Names by their initial, how long they sound, and how they sound."""
    found: dict[str, dict[int, dict[str, list[str]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for name in names:
        sound = heard(name)
        found[initial(name)][len(sound)][sound].append(name)
    return found


def _latitude(county: County) -> float:
    return county.point[0]


def distance(here: Point, there: Point) -> float:
    """Along the great circle, in km."""
    (north, east), (north2, east2) = (map(math.radians, point) for point in (here, there))
    half = math.sin((north2 - north) / 2) ** 2
    half += math.cos(north) * math.cos(north2) * math.sin((east2 - east) / 2) ** 2
    return 2 * _EARTH * math.asin(min(1.0, math.sqrt(half)))
