"""Which consulate serves a county, a state, a country or a point on the map.

What may enter: what follows from `[office]` of the consulates and from distances. How people name a place is
`names`; lines between districts are a hint and not a bar, and where none is known the nearest office serves.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from bot.places.atlas import distance
from bot.places.spelling import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.library.office import Office
    from bot.places.atlas import Atlas, County, Point

_MOST = 3
_ALIKE = 1.2
"""How much farther than the nearest another office may be, to be offered too where no district is known."""

PART = "parte"
"""How an area begins whose counties nobody has listed: `OH: parte norte`."""

_FAR = 500.0
"""From how many km on an office abroad is nobody's consulate."""

_CANADA = ((49.0, -141.0), (43.0, -66.9))
"""Corners of the Canadian ground that is no border: what lies north and east of one of them."""

_OCEAN = -50.0
"""Degrees east where Canada ends."""


class Districts:
    """The offices and whom they serve. Consulates are named by slug."""

    def __init__(self, offices: Mapping[str, Office], atlas: Atlas) -> None:
        self._offices, self._atlas = offices, atlas
        self._whole: dict[str, list[str]] = defaultdict(list)
        self._part: dict[str, list[str]] = defaultdict(list)
        self._exact: dict[tuple[str, str], list[str]] = defaultdict(list)
        for slug, office in offices.items():
            for area in office.serves:
                state, _, name = area.partition(": ")
                if not name:
                    self._whole[state].append(slug)
                elif name.startswith(PART):
                    self._part[state].append(slug)
                else:
                    self._exact[state, plain(name)].append(slug)
        self._serving: dict[str, set[str]] = defaultdict(set)
        for state, slugs in (*self._whole.items(), *self._part.items()):
            self._serving[state].update(slugs)
        for (state, _), slugs in self._exact.items():
            self._serving[state].update(slugs)
        self._counties: dict[County, Sequence[str]] = {}

    def county(self, county: County) -> Sequence[str]:
        """Who serves a county: one, up to three where nobody knows which, or none."""
        if county not in self._counties:
            self._counties[county] = self._of_county(county)
        return self._counties[county]

    def counties(self, counties: Mapping[County, float]) -> Mapping[str, float]:
        """Who serves several counties, by the weight of each."""
        found: dict[str, float] = defaultdict(float)
        for county, weight in counties.items():
            for slug in self.county(county):
                found[slug] += weight
        return found

    def state(self, code: str) -> Mapping[str, float]:
        """Who serves a state or province, by the number of its ZIP codes."""
        zips: dict[County, float] = {county: county.zips for county in self._atlas.states.get(code, ())}
        return self.counties(zips) if zips else dict.fromkeys(self._whole.get(code, ()), 1.0)

    def country(self, code: str) -> Mapping[str, float]:
        """The offices of a country; none where they are so many that it says nothing."""
        found = [slug for slug, office in self._offices.items() if office.country == code]
        return dict.fromkeys(found, 1.0) if len(found) <= _MOST else {}

    def point(self, here: Point) -> Sequence[str]:
        """Who serves a point, given in degrees north and east.

        Near a border the ground does not tell the country: a nearer office beyond it is offered as well.
        """
        if _in_canada(here):
            canadian = [slug for slug, office in self._offices.items() if office.country == "CA"]
            return self._nearest(canadian, here)[:1]
        county, nearest = self._atlas.nearest(here), self._nearest(self._offices, here)[:1]
        beyond = distance(here, county.point)
        away = min((self._away(slug, here) for slug in nearest), default=beyond)
        if min(away, beyond) > _FAR:
            return ()
        if away < beyond:  # in the very city of the office
            return nearest
        serving = self.county(county)
        abroad = [slug for slug in nearest if self._offices[slug].country != "US"]
        if all(away < self._away(slug, here) for slug in serving):
            return [*abroad, *serving][:_MOST]
        return serving

    def _of_county(self, county: County) -> Sequence[str]:
        exact = self._exact.get((county.state, county.name))
        whole, part = (served.get(county.state, []) for served in (self._whole, self._part))
        if exact or (whole and not part):
            return exact or whole
        rest = [*whole, *part] if whole else sorted(self._serving.get(county.state, ()))
        return self._nearest(rest, county.point)

    def _nearest(self, slugs: Iterable[str], here: Point) -> Sequence[str]:
        """The nearest of some offices, and those that are not much farther."""
        by_distance = sorted(slugs, key=lambda slug: self._away(slug, here))
        near = [
            slug
            for slug in by_distance
            if self._away(slug, here) <= _ALIKE * self._away(by_distance[0], here)
        ]
        return near[:_MOST]

    def _away(self, slug: str, here: Point) -> float:
        office = self._offices[slug]
        return distance(here, (office.latitude, office.longitude))


def _in_canada(here: Point) -> bool:
    """Whether a point is surely in Canada: north of 49° but for Alaska, or between Maine and the ocean."""
    return here[1] < _OCEAN and any(here[0] > south and here[1] > west for south, west in _CANADA)
