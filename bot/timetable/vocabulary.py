"""The words in which people say when: Spanish and English, each with what it means.

What may enter: words, one kind a table. How they stand together is `spoken`.
"""

from __future__ import annotations

import re
import unicodedata

_WEEKDAYS = (
    "lunes monday mondays",
    "martes tuesday tuesdays",
    "miércoles wednesday wednesdays",
    "jueves thursday thursdays",
    "viernes friday fridays",
    "sábado sábados saturday saturdays",
    "domingo domingos sunday sundays",
)
"""From Monday, as `date.weekday` counts; the Spanish name comes first."""

_MONTHS = (
    "enero january",
    "febrero february",
    "marzo march",
    "abril april",
    "mayo may",
    "junio june",
    "julio july",
    "agosto august",
    "septiembre setiembre september",
    "octubre october",
    "noviembre november",
    "diciembre december",
)
_ORDINALS = {
    1: "primer primero primera first",
    2: "segundo segunda second",
    3: "tercer tercero tercera third",
    4: "cuarto cuarta fourth",
    -1: "último última last",
}
_NUMBERS = {
    1: "un una uno one",
    2: "dos two",
    3: "tres three",
    4: "cuatro four",
    5: "cinco five",
    6: "seis six",
    7: "siete seven",
    8: "ocho eight",
    9: "nueve nine",
    10: "diez ten",
}
_KINDS = {
    "d": "día días day days",
    "w": "semana semanas week weeks",
    "m": "mes meses month months",
    "y": "año años year years",
    "a": "diario diariamente daily",
    "k": "weekday weekdays",
    "e": "weekend weekends",
    "t": "a to through",
    "b": "antes before",
    "f": "después after",
    "h": "hoy today",
    "u": "mañana tomorrow",
    "": "every each on of the cada todos todas el los la las de del en and y",
}
_PHRASES = {
    "entre semana": "weekdays",
    "fines? de semana": "weekend",
    "todos los dias": "daily",
    "al mediodia": "at 12:00",
    "at noon": "at 12:00",
    "a las?": "at",
    "de la (madrugada|manana|tarde|noche)": "\\1",
    "([ap])[. ]{0,2}m\\b\\.?": "\\1m",
}
"""What several words say together, folded, and the word that stands for them."""


def folded(text: str) -> str:
    """A text without capitals, accents and commas: "Sábado" is "sabado", "1º" is "1o"."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace(",", " "))
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


def whole(text: str) -> str:
    """A folded text in which words that only mean something together are one."""
    for phrase, word in _PHRASES.items():
        text = re.sub(rf"(?<!\S){phrase}(?!\S)" if phrase[0] != "(" else rf"(?<=[\d ]){phrase}", word, text)
    return text


def weekday(number: int, like: str) -> str:
    """The name of a weekday, from Monday as 0, in the language of the words `like`."""
    spanish, *others = _WEEKDAYS[number].split()
    english = next(name for name in others if name.endswith("day"))
    return english if re.search(r"days?\b", like) else spanish


def _words() -> dict[str, tuple[str, int]]:
    kinds = {("D", number): words for number, words in enumerate(_WEEKDAYS)}
    kinds |= {("M", number): words for number, words in enumerate(_MONTHS, start=1)}
    kinds |= {("O", number): words for number, words in _ORDINALS.items()}
    kinds |= {("N", number): words for number, words in _NUMBERS.items()}
    kinds |= {(kind, 0): words for kind, words in _KINDS.items()}
    return {word: meaning for meaning, words in kinds.items() for word in words.split()}


_SAID = _words()

SPELT = {folded(word): word for word in _SAID}
"""Each word as it is written, by its folded form."""

MEANING = {folded(word): meaning for word, meaning in _SAID.items()}
"""What kind of word a folded one is, in one letter, and which of its kind: ("D", 4) is Friday.

D weekday, M month, O ordinal, N number, d day, w week, m month, y year, a daily, k weekdays, e weekend,
t to, b before, f after, h today, u tomorrow; "" for words that say nothing.
"""
