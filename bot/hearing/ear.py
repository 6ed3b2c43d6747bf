"""How a written word sounds: what people mean when they spell by ear, in Spanish, English and between.

What may enter: what concerns one word, or where one word ends. What words mean together is `sayings`.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import regex
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORDS = 400
"""More words than anybody writes in one message; what stands after them is not read."""
_JOINED = regex.compile(r"(?<=\p{L})['’`´](?=\p{L})|(?<=\p{L})-(?=\d)|(?<=\d)-(?=\p{L})")
_NOT_WORDS = regex.compile(r"[^\p{L}\p{N}]+")
_MARKS = regex.compile(r"\p{M}+")
_DRAWN_OUT = regex.compile(r"(\p{L})\1{2,}")
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("👍👌✅", " ok "),
        **dict.fromkeys("👎❌", " no "),
        "🛑": " stop ",
        "🆘": " sos ",
        **dict.fromkeys("\N{MODIFIER LETTER APOSTROPHE}\N{LATIN SMALL LETTER SALTILLO}", "'"),
        "ß": "ss",
        "@": "a",
    }
)

_SHORT = {
    **dict.fromkeys(("q", "k", "qe"), "que"),
    **dict.fromkeys(("xq", "pq", "porq", "xk", "xke", "xque", "pk", "porke"), "porque"),
    **dict.fromkeys(("pa", "xa"), "para"),
    **dict.fromkeys(
        ("xfa", "xfavor", "porfa", "porfis", "porfavor", "pofavor", "pls", "plz", "plis"), "por favor"
    ),
    **dict.fromkeys(("tmb", "tb", "tbn", "tmbn"), "tambien"),
    **dict.fromkeys(("msj", "msg", "mjs", "sms"), "mensaje"),
    **dict.fromkeys(("msjs", "msgs"), "mensajes"),
    **dict.fromkeys(("nomas", "nms"), "nada mas"),
    "x": "por",
    "d": "de",
    "m": "me",
    "n": "en",
    "t": "te",
    "s": "es",
    "bn": "bien",
    "dnd": "donde",
    "cdo": "cuando",
    "hno": "hermano",
    "hna": "hermana",
    "tel": "telefono",
    "ntp": "no te preocupes",
    "ami": "a mi",
    "aque": "a que",
    "osea": "o sea",
    "nose": "no se",
    "yano": "ya no",
    "deke": "de que",
    "alas": "a las",
    "ala": "a la",
    "apoco": "a poco",
    "quiubo": "hola",
    "mhijo": "mi hijo",
    "u": "you",
    "ur": "your",
    "r": "are",
    "im": "i am",
    "ive": "i have",
    "theyre": "they are",
    "cant": "can not",
    "dont": "do not",
    "doesnt": "does not",
    "didnt": "did not",
    "wont": "will not",
    "isnt": "is not",
    "havent": "have not",
    "hasnt": "has not",
    "wouldnt": "would not",
    "shes": "she is",
    "hes": "he is",
    "theres": "there is",
    "wanna": "want to",
    "gonna": "going to",
    "cannot": "can not",
    "dnt": "do not",
    "arent": "are not",
    "wasnt": "was not",
    "wana": "want to",
}
"""What texting shortens and what is run together, spelt out."""


def fold(text: str) -> str:
    """Words as they are compared: lower case, without accents or marks, one space between."""
    plain = unicodedata.normalize("NFKD", text.translate(_SIGNS)).casefold()
    letters = unicodedata.normalize("NFKD", _JOINED.sub("", plain))
    return _NOT_WORDS.sub(" ", _MARKS.sub("", letters)).strip()


def words(text: str) -> list[str]:
    """The folded words of a message, shortenings spelt out; never more than a few hundred."""
    spelt: list[str] = []
    for word in fold(text).split()[:_WORDS]:
        plain = _DRAWN_OUT.sub(r"\1", word)
        spelt += _SHORT.get(plain, plain).split()
    return spelt


_BY_EAR = tuple(
    (regex.compile(pattern), sound)
    for pattern, sound in (
        (r"mejic", "mexic"),
        (r"^tej(?=[ao]n?)", "tex"),
        (r"ph", "f"),
        (r"ch", "ç"),
        (r"sh", "ç"),
        (r"ck", "k"),
        (r"^ps", "s"),
        (r"(?<=[aeiou])cc(?=[ei])", "s"),
        (r"xc(?=[ei])", "s"),
        (r"x", "s"),
        (r"sc(?=[ei])", "s"),
        (r"^hie", "ye"),
        (r"(?:[hg]u|wh?)(?=[ao])", "w"),
        (r"h", ""),
        (r"gu(?=[ei])", "g#"),
        (r"g(?=[ei])", "j"),
        (r"g#", "g"),
        (r"qu(?=[ei])", "k"),
        (r"c(?=[eiy])", "s"),
        (r"[cq]", "k"),
        (r"z", "s"),
        (r"v", "b"),
        (r"ll", "y"),
        (r"y(?![aeiou])", "i"),
        (r"ni(?=[aeou])", "n"),
        (r"ny(?=[aeou])", "n"),
        (r"m(?=[bpf])", "n"),
        (r"(.)\1+", r"\1"),
        (r"(?<=..[aeiou])d$", ""),
    )
)


@lru_cache(maxsize=100_000)
def sound(word: str) -> str:
    """How a folded word sounds to a Mexican ear: `kiero` as `quiero`, but `nesecito` not as `necesito`.

    k and qu and c, b and v, c and s and z, ll and y, g and j, m and n before b p f, ñ and n and ni, doubled
    letters and the silent h are one; English words go the same way, on both sides of a comparison.
    """
    for pattern, heard in _BY_EAR:
        word = pattern.sub(heard, word)
    return word


_SURE, _LONG = 5, 9
"""From how many letters one slip is forgiven, and from how many two."""


def slips(length: int) -> int:
    """How many letters may be wrong, missing or exchanged in a sound of this length."""
    return 0 if length < _SURE else 1 if length < _LONG else 2


def nearest(heard: str, known: Sequence[str]) -> list[str]:
    """The sounds among `known` that this one is a slip of, the nearest only; mostly none or one."""
    allowed = slips(len(heard))
    if not allowed:
        return []
    found = [
        (distance, other)
        for other, distance, _ in extract(heard, known, scorer=OSA.distance, score_cutoff=allowed, limit=12)
        if distance <= slips(len(other)) and _alike(heard, other)
    ]
    best = min((distance for distance, _ in found), default=0)
    return [other for distance, other in found if distance == best]


def _alike(heard: str, other: str) -> bool:
    """Whether one may be a slip of the other: in a short word another letter makes another word."""
    if other[0] != heard[0] and other[1:2] != heard[1:2]:
        return False
    return len(heard) > _SURE or len(other) != len(heard) or sorted(other) == sorted(heard)
