"""Gathers `counties.tsv` from the `zipcodes` package: `python -m bot.places.gather`.

What may enter: how the package's post offices become lines. Nobody imports this while the bot runs: the
package needs 40 MB and half a second to open, its counties as lines a tenth of both.

`zipcodes` (MIT, © Sean Pianka) puts together the USPS ZIP Locale Detail (public domain), GeoNames (CC BY
4.0) and unitedstateszipcodes.org.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zipcodes

from bot.places.spelling import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path(__file__).with_name("counties.tsv")

_ABROAD = frozenset({"AA", "AE", "AP", "AS", "FM", "GU", "MH", "MP", "PW"})
"""Soldiers' post offices and islands that no Mexican consulate is known to serve."""

_HEAD = """\
# What bot/places/gather.py makes of the package zipcodes (MIT, (c) Sean Pianka). Not to be edited.
# state, county, latitude and longitude (the mean of its post offices), ZIP codes,
# towns * how many ZIP codes are called so first; 0 is a second name
"""


@dataclass
class _County:
    """What is known of a county so far.

    Attributes:
        towns: How many ZIP codes are of each name first; 0 where it is only another name for one.
    """

    zips: set[int] = field(default_factory=set)
    points: list[tuple[float, float]] = field(default_factory=list)
    towns: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, office: dict[str, Any]) -> None:
        self.zips.add(int(office["zip_code"]))
        if float(office["lat"] or 0):
            self.points.append((float(office["lat"]), float(office["long"])))
        self.towns[plain(office["city"])] += 1
        for name in map(plain, office["acceptable_cities"]):
            self.towns.setdefault(name, 0)


def gathered() -> str:
    """The file, from the package that is installed."""
    counties: dict[tuple[str, str], _County] = defaultdict(_County)
    for office in zipcodes.list_all():  # type: ignore[no-untyped-call]  # its inner module alone has types
        if office["active"] and office["state"] not in _ABROAD:
            counties[office["state"], plain(office["county"])].add(office)
    return _HEAD + "".join(
        _line(*place, county) for place, county in sorted(counties.items()) if county.points
    )


def _line(state: str, name: str, county: _County) -> str:
    latitude, longitude = (sum(side) / len(county.points) for side in zip(*county.points, strict=True))
    towns = (town if zips == 1 else f"{town}*{zips}" for town, zips in sorted(county.towns.items()) if town)
    fields = (state, name, f"{latitude:.2f}", f"{longitude:.2f}", " ".join(_runs(sorted(county.zips))))
    return "\t".join((*fields, "|".join(towns))) + "\n"


def _runs(zips: list[int]) -> Iterator[str]:
    """`93701-93712 93714`: codes that follow each other as their first and last."""
    first = last = zips[0]
    for code in [*zips[1:], -1]:
        if code != last + 1:
            yield f"{first:05}" if first == last else f"{first:05}-{last:05}"
            first = code
        last = code


if __name__ == "__main__":
    FILE.write_text(gathered(), encoding="utf-8")
