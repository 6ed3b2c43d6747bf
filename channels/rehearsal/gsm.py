"""How many parts an SMS is charged for, counted here a second time: a stand-in must not trust our own count.

Alphabet: 3GPP TS 23.038. A letter of two units is never cut in half.
"""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
_GSM, _UCS = (160, 153), (70, 67)
"""Units in a text of one part, and in each part of a longer one."""


def segments(text: str) -> int:
    """The parts Twilio would charge for `text`."""
    if _BASIC.issuperset(text):
        widths, (alone, joined) = [1] * len(text), _GSM
    elif (_BASIC | _EXTENDED).issuperset(text):
        widths, (alone, joined) = [1 + (letter in _EXTENDED) for letter in text], _GSM
    else:
        widths, (alone, joined) = [1 + (ord(letter) > 0xFFFF) for letter in text], _UCS  # noqa: PLR2004 - beyond the BMP
    if sum(widths) <= alone:
        return 1
    parts, room = 1, joined
    for width in widths:
        if width > room:
            parts, room = parts + 1, joined
        room -= width
    return parts
