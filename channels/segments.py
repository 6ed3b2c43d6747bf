"""What an SMS costs: encodings, units, segments, and where a long text may be cut.

Pure arithmetic on one text. Nothing here knows a vendor's API, a channel or our Markdown.

The counting is the one of Twilio's published segment calculator (npm sms-segments-calculator 1.3.0), with its
"smart encoding" off: the text is counted exactly as it is sent.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

BODY_LIMIT = 1600
"""Twilio's longest `Body` in characters (error 21617). Counted in UTF-16 units here, which is never fewer."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The GSM 03.38 default alphabet: one septet each. It has é ñ ü ¿ ¡, and none of á í ó ú."""

_EXTENDED = frozenset("\f^{}\\[~]|€")
"""The extension table: an escape and a code, two septets, never parted."""

_GSM = _BASIC | _EXTENDED

_GSM_SINGLE, _GSM_PART = 160, 153
"""1120 bits in septets: whole, and with the 48 bits of the joining header."""

_UCS_SINGLE, _UCS_PART = 70, 67

_NARROW = str.maketrans({"\u202f": " ", "\xa0": " "})
"""What Babel writes in "6:30 p.m." and "$1,234": U+202F and U+00A0, neither of them in GSM-7."""

_PLAIN = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")
"""Letters whose word a reader still knows without the accent. Not ñ: año is not ano."""

_LETTER = regex.compile(r"\r|\X")
"""A grapheme cluster; CR LF is two, as the network counts it."""

_JOINABLE = "♀♂⚕⚖✈❤🌈🌾🍳🎓🎤🎨🏫🏭👦-👩💋💻💼🔧🔬🗨🚀🚒"
_BASES = r"[\p{Emoji_Modifier_Base}--[👪-👭👯💏💑🤌🤏🤝🤼🥷🦵-🦹🦻🧍-🧏\U0001FAC0-\U0001FAFF]]"
_TORN = regex.compile(
    rf"(?V1)(?<=\u200d)(?=\p{{Extended_Pictographic}})(?![{_JOINABLE}])|(?<!^|{_BASES}\p{{Grapheme_Extend}}*)(?=[🏻-🏿])"
)
"""Where the calculator parts an emoji that is one letter today: it knows those of Unicode 10 (2017) only."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one SMS text is to the network.

    Attributes:
        encoding: The cheapest that can hold every letter.
        units: Septets for gsm-7, 16-bit units for ucs-2.
        segments: What is paid for; an empty text is one.
    """

    encoding: Literal["gsm-7", "ucs-2"]
    units: int
    segments: int


def measure(text: str) -> Measured:
    """Count `text` unit by unit, as it is: composed and decomposed accents are different texts here."""
    if _GSM.issuperset(text):
        sizes = [2 if letter in _EXTENDED else 1 for letter in text]
        return Measured("gsm-7", sum(sizes), _segments(sizes, _GSM_SINGLE, _GSM_PART))
    sizes = [utf16(piece) for letter in _LETTER.findall(text) for piece in _known(letter)]
    return Measured("ucs-2", sum(sizes), _segments(sizes, _UCS_SINGLE, _UCS_PART))


def _known(letter: str) -> list[str]:
    return _TORN.split(letter) if len(letter) > 1 else [letter]


def _segments(sizes: Iterable[int], single: int, part: int) -> int:
    """Fill parts in order; a letter is never parted.

    When a second part is needed the first receives a header too, and gives what no longer fits to the second.
    """
    count, used, kept, room = 1, 0, 0, single
    for size in sizes:
        if used + size > room:
            used = used - kept if count == 1 else 0
            count, room = count + 1, part
        used += size
        if count == 1 and used <= part:
            kept = used
    return count


def costly(text: str) -> tuple[str, ...]:
    """The letters that force UCS-2, in order, each once: what staff are shown when a text is dear."""
    return tuple(dict.fromkeys(letter for letter in _LETTER.findall(text) if not _GSM.issuperset(letter)))


def fold(text: str) -> str:
    """The cheapest form of `text` that every reader still reads.

    Plain spaces for narrow ones first, then a i o u for á í ó ú; each only where it saves a segment. Nothing
    else is ever folded: not ñ, not a letter of an indigenous language.
    """
    spaced = text.translate(_NARROW)
    return min((text, spaced, spaced.translate(_PLAIN)), key=lambda form: measure(form).segments)


def utf16(text: str) -> int:
    """Length in UTF-16 units: an emoji beyond the basic plane is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def visible(text: str) -> bool:
    """Whether a person would see anything of it; vendors refuse a blank body (Twilio 21602)."""
    return any(letter.isprintable() and not letter.isspace() for letter in text)


def tidy(text: str) -> str:
    """Composed letters and LF: the form that is counted, stored and sent."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def split(text: str, limit: int = BODY_LIMIT) -> list[str]:
    """Cut a text into parts of at most `limit` UTF-16 units, where a reader would pause.

    At the end of a paragraph, else of a line, else of a sentence, else at a space, else between two letters.
    Only white space around a cut is dropped. A grapheme cluster stays whole, unless it alone is longer than
    `limit`, which no writing system needs.
    """
    letters = _letters(text, limit)
    parts: list[str] = []
    start = 0
    while start < len(letters):
        if letters[start].isspace():
            start += 1
            continue
        end = _reach(letters, start, limit)
        if end < len(letters):
            end = _pause(letters, start, end)
        parts.append(_trimmed(letters[start:end]))
        start = end
    return parts


def _letters(text: str, limit: int) -> list[str]:
    found: list[str] = []
    for letter in _LETTER.findall(text):
        found.extend(letter if utf16(letter) > limit else (letter,))
    return found


def _reach(letters: Sequence[str], start: int, limit: int) -> int:
    """The end of the longest run from `start` within `limit` units; at least one letter."""
    room = limit - utf16(letters[start])
    end = start + 1
    while end < len(letters) and utf16(letters[end]) <= room:
        room -= utf16(letters[end])
        end += 1
    return end


def _pause(letters: Sequence[str], start: int, end: int) -> int:
    """The best place to cut in (start, end]. A pause in the first half would only waste the part."""
    half = (start + end + 1) // 2
    for pauses, first in ((_paragraph, half), (_line, half), (_sentence, half), (_space, start + 1)):
        found = _last(letters, end, first, pauses)
        if found:
            return found
    return end


def _last(letters: Sequence[str], end: int, first: int, pauses: Callable[[Sequence[str], int], bool]) -> int:
    return next((at for at in range(end, first - 1, -1) if pauses(letters, at)), 0)


def _paragraph(letters: Sequence[str], at: int) -> bool:
    return list(letters[at : at + 2]) == ["\n", "\n"]


def _line(letters: Sequence[str], at: int) -> bool:
    return letters[at] == "\n"


def _sentence(letters: Sequence[str], at: int) -> bool:
    return letters[at].isspace() and letters[at - 1] in ".!?…"


def _space(letters: Sequence[str], at: int) -> bool:
    return letters[at].isspace()


def _trimmed(letters: list[str]) -> str:
    """Without white space at the end; cluster by cluster, since a space may carry an accent."""
    while letters[-1].isspace():
        letters.pop()
    return "".join(letters)
