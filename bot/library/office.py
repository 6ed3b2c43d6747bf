"""`[office]` in the front matter of a consulate: where it stands and whom it serves.

What may enter: what can be judged of one office alone. Which office serves a place is `bot/places`.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from bot.timetable.shapes import Zone  # noqa: TC001 - pydantic reads it
from bot.toml.shapes import Table, wrong

_LATITUDES, _LONGITUDES = 90, 180


def _code(value: str) -> str:
    if not re.fullmatch("[A-Z]{2}", value):
        raise wrong("library.office-code", written=value)
    return value


def _latitude(value: float) -> float:
    return _within(value, _LATITUDES)


def _longitude(value: float) -> float:
    return _within(value, _LONGITUDES)


def _within(value: float, most: int) -> float:
    if not -most <= value <= most:  # also what is no number at all
        raise wrong("library.office-point", most=str(most))
    return value


def _area(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}(: \S.*)?", value):
        raise wrong("library.office-area", written=value)
    return value


Code = Annotated[str, AfterValidator(_code)]


class Office(Table):
    """What a consulate says of itself.

    Attributes:
        city: As it is called there.
        state: The USPS code of a state, or the Canada Post code of a province; empty elsewhere.
        country: ISO 3166-1.
        timezone: Its clocks.
        latitude: Degrees north, to about a kilometre.
        longitude: Degrees east, likewise.
        serves: `AZ` is a whole state; `TX: El Paso County` one county, which wins over the state of another
            office; `OH: parte norte` a part whose counties nobody has listed yet.
    """

    city: Annotated[str, Field(min_length=1)]
    state: Code | None = None
    country: Code
    timezone: Zone
    latitude: Annotated[float, AfterValidator(_latitude)]
    longitude: Annotated[float, AfterValidator(_longitude)]
    serves: list[Annotated[str, AfterValidator(_area)]] = Field(default_factory=list)
