"""How a thread is named, as in R-48K2: it fits an SMS, and is read off a screen without a mistake.

What may enter: making a reference, and finding one in what people write. Whose it is, is `threads`.
"""

from __future__ import annotations

import re
import secrets

_SIGNS = "23456789CFHJKMNPTVWXY"
"""None is taken for another (0 O D Q, 1 I L, 5 S, 6 G, 8 B, 2 Z, U V), and without vowels none is a word."""
_LENGTH = 4
_LEADING = re.compile(
    rf"[^a-z0-9]*r[^a-z0-9]{{0,3}}([{_SIGNS}]{{{_LENGTH}}})(?![a-z0-9])[\s.,:;)-]*", re.IGNORECASE | re.ASCII
)


def draw() -> str:
    """One by chance, of some two hundred thousand."""
    return "R-" + "".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))


def leading(text: str) -> tuple[str, str] | None:
    """The reference that a message begins with, however it is written (r 48k2), and what follows it."""
    found = _LEADING.match(text)
    return (f"R-{found[1].upper()}", text[found.end() :].strip()) if found else None


def normal(written: str) -> str:
    """What was meant to be one, as all are written: `48k2` as `R-48K2`."""
    return "R-" + re.sub(r"[\W_]", "", written).upper().removeprefix("R")
