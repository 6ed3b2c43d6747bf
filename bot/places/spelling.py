"""How the name of a place is compared: as it is written, and as it sounds.

What may enter: what is true of one name alone. Where it lies is `atlas`; how a word sounds is `hearing.ear`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.hearing import ear

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORT = {
    "st": "saint",
    "ste": "sainte",
    "ft": "fort",
    "mt": "mount",
    "sta": "santa",
    "sto": "santo",
    "sn": "san",
}
"""How names are shortened on envelopes and road signs."""

_INITIALS = {letter: group[0] for group in ("ckqszx", "bv", "gjhw", "iy", "fp") for letter in group}


def plain(name: str) -> str:
    """A name as it is compared: folded, its shortenings spelt out."""
    return joined(ear.fold(name).split())


def joined(words: Iterable[str]) -> str:
    """The plain name that these folded words make."""
    return " ".join(_SHORT.get(word, word) for word in words)


def heard(name: str) -> str:
    """How a plain name sounds, word by word."""
    return " ".join(map(ear.sound, name.split()))


def initial(name: str) -> str:
    """The first letter of a plain name, or the letter that stands for all that may sound like it."""
    return _INITIALS.get(name[:1], name[:1])
