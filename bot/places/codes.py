"""Places written as codes: ZIP codes, Canadian postal codes, a point on the map.

What may enter: how a code stands in a text. Where it lies is `atlas`. Nothing read here is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from bot.places.atlas import Point

_DIGITS = regex.compile(r"(?<![\p{L}\d$#])\d[\d\s().+–-]*(?<=\d)(?![\p{L}\d])")
_ZIP, _ZIP_4 = regex.compile(r"(?<!\d)\d{5}(?!\d)"), regex.compile(r"(\d{5})[ –-]\d{4}")
_TELEPHONE = 10
"""So many digits together are somebody's telephone, not where they live."""

_PREFIX = regex.compile(r"(?i)(?:[^\d]*(?:zip|cp|c[oó]digo|postal)[^\d]*)?(\d{3})")
_HALF = r"([ABCEGHJ-NPRSTVXY])\d[A-Z]"
_CANADIAN = regex.compile(rf"(?i)(?<!\w){_HALF}[ -]?\d[A-Z]\d(?!\w)")
_FIRST_HALF = regex.compile(rf"(?i)(?!h1b|h2[ab]){_HALF}")
"""Some are also visas: H-2A is read as what our people have, not as where they live."""

_POINT = regex.compile(r"(?i)geo:(-?\d{1,3}(?:\.\d+)?),\s*(-?\d{1,3}(?:\.\d+)?)")
"""RFC 5870, as our channels hand on a location that somebody shares."""
_POLE, _DATE_LINE = 90, 180


def zip_codes(text: str) -> list[str]:
    """The ZIP codes in a text, five digits each; ZIP+4 without its four."""
    found: list[str] = []
    for run in _DIGITS.findall(text):
        whole = _ZIP_4.fullmatch(run.strip())
        if whole:
            found.append(whole[1])
        elif sum(map(str.isdigit, run)) < _TELEPHONE:
            found += _ZIP.findall(run)
    return found


def prefix(text: str) -> str | None:
    """The first three digits of a ZIP code in a text that says only them: `937`, `zip 937`."""
    found = _PREFIX.fullmatch(text.strip())
    return found[1] if found else None


def canadian(text: str) -> str | None:
    """The first letter of a Canadian postal code, or of its first half where a text says only that."""
    found = _CANADIAN.search(text) or _FIRST_HALF.fullmatch(text.strip())
    return found[1] if found else None


def point(text: str) -> Point | None:
    """Degrees north and east of a `geo:` address; None for what lies on no globe."""
    found = _POINT.search(text)
    if not found:
        return None
    north, east = float(found[1]), float(found[2])
    return (north, east) if abs(north) <= _POLE and abs(east) <= _DATE_LINE else None
