"""Babel's only door: dates, numbers, money and lists as the reader writes them; and the bot's own sentences.

A language that Babel does not know, or of which it knows only a skeleton, borrows the formats of its chain
(Babel 2.18 has none of Mexico's indigenous languages). Babel's narrow spaces stay; a channel folds them.

An aware datetime must already stand in the community's zone: nothing is converted here.
"""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_datetime_format
from babel.languages import get_official_languages
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

from bot import languages

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from bot.findings import Finding

Number = int | float | Decimal

_PHRASES = Path(__file__).with_name("phrases")
_BETWEEN_LETTER_AND_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")
_SOUNDS_LIKE_I = re.compile(r"\W*(?:h?[ií](?![aeoáéó])|y(?![aeiouáéíóú]))", re.IGNORECASE)
"""Where Spanish writes "e" for "y": Irapuato, hilo; not hielo, nor yo."""
_SOUNDS_LIKE_O = re.compile(r"\W*(?:h?[oó]|8|11(?!\d))", re.IGNORECASE)
"""Where Spanish writes "u" for "o": otro, hoja, 8, 11."""


def formats(reader: str, text: str | None = None) -> str:
    """The language whose formats suit `reader`, as a code Babel knows well.

    Args:
        reader: What the person reads.
        text: The language of the words around; a Spanish date does not stand in an English sentence.

    Raises:
        ValueError: one of them is not a language code.
    """
    chosen = next(code for code in map(languages.formats, languages.chain(reader)) if _knows(code))
    if text is None:
        return chosen
    around = formats(text)
    return chosen if languages.base(chosen) == languages.base(around) else around


def date(value: dt.date, language: str) -> str:
    """A day with its weekday: "sábado 5 de diciembre de 2026". A datetime gives its own day."""
    locale = _locale(language)
    # CLDR puts a comma after the weekday, which breaks a running Spanish sentence.
    return format_date(value, "EEEE d 'de' MMMM 'de' y" if locale.language == "es" else "full", locale=locale)


def time(value: dt.time | dt.datetime, language: str) -> str:
    """An hour, as in "9:00 a.m."."""
    return format_time(value, "short", locale=_locale(language))


def datetime(value: dt.datetime, language: str) -> str:
    """A day and an hour, as in "sábado 5 de diciembre de 2026, 9:00 a.m."."""
    joint = str(get_datetime_format("medium", locale=_locale(language)))
    return joint.replace("{1}", date(value, language)).replace("{0}", time(value, language))


def month(value: dt.date, language: str) -> str:
    """The name of a month: "diciembre"."""
    # Not "LLLL": after any Chinese locale, Babel 2.18 gives that name in Chinese to everyone (2026-11).
    return format_date(value, "MMMM", locale=_locale(language))


def spoken_in(country: str) -> tuple[str, ...]:
    """The official languages of a country (ISO 3166-1), the most used first; Spanish where CLDR has none."""
    return get_official_languages(country, de_facto=True) or ("es",)


def number(value: Number, language: str) -> str:
    """A number with its groups: "1,598.5"."""
    return format_decimal(value, locale=_locale(language))


def money(amount: Number, currency: str, language: str) -> str:
    """An amount that names its currency unless it is the reader's own: "USD 98.00".

    Args:
        amount: In whole units of `currency`.
        currency: ISO 4217.
        language: The reader's.
    """
    text = format_currency(amount, currency, locale=_locale(language))
    # CLDR asks for a space between a currency's letters and the digits; Babel 2.18 leaves it out (2026-11).
    return _BETWEEN_LETTER_AND_DIGIT.sub("\u00a0", text)


def join(items: Iterable[str], language: str, style: Literal["and", "or"] = "and") -> str:
    """A list in words: "a, b y c", with Spanish's "e" and "u" where the ear asks for them."""
    words, locale = list(items), _locale(language)
    text = format_list(words, style="standard" if style == "and" else "or", locale=locale)
    if locale.language != "es" or len(words) < 2:  # noqa: PLR2004 - a conjunction needs two
        return text
    last, sound = words[-1], _SOUNDS_LIKE_I if style == "and" else _SOUNDS_LIKE_O
    plain, euphonic = (" y ", " e ") if style == "and" else (" o ", " u ")
    head = text.removesuffix(plain + last)
    return f"{head}{euphonic}{last}" if head != text and sound.match(last) else text


class Phrases:
    """The bot's own sentences in the language nearest to a reader's.

    Attributes:
        language: The language they are in.
    """

    def __init__(self, language: str) -> None:
        """Choose the nearest of `bot/phrases/`.

        Raises:
            ValueError: `language` is not a language code.
        """
        self.language = languages.best(language, _offered()) or "es"
        self._reader = formats(language, self.language)
        self._said = _phrases(self.language)

    def say(self, key: str, /, **values: object) -> str:
        """One sentence.

        Args:
            key: Its dotted path in the file. A table of plural forms is chosen by `n`.
            values: What fills it. An int, float or Decimal is written as the reader writes numbers; what only
                looks like a number (a port, a year) comes as text.

        Raises:
            KeyError: there is no such sentence, or a value is missing: a fault of ours that the tests find.
        """
        phrase = self._said[key]
        if not isinstance(phrase, str):
            n = values["n"]
            form = _locale(self._reader).plural_form(n) if isinstance(n, Number) else "other"
            phrase = phrase.get(form, phrase["other"])
        return phrase.format_map({name: self._written(value) for name, value in values.items()})

    def finding(self, finding: Finding) -> tuple[str, str]:
        """What is wrong, and what to write instead."""
        return (
            self.say(f"rules.{finding.rule}.message", **finding.values),
            self.say(f"rules.{finding.rule}.remedy", **finding.values),
        )

    def _written(self, value: object) -> object:
        return number(value, self._reader) if isinstance(value, Number) else value


@cache
def _offered() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _PHRASES.glob("*.toml")))


@cache
def _phrases(language: str) -> Mapping[str, str | Mapping[str, str]]:
    text = (_PHRASES / f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flat(tomllib.loads(text), ""))


def _flat(table: Mapping[str, object], path: str) -> Iterable[tuple[str, str | Mapping[str, str]]]:
    for key, value in table.items():
        here = f"{path}{key}"
        if isinstance(value, str) or (isinstance(value, dict) and "other" in value):
            yield here, value
        elif isinstance(value, dict):
            yield from _flat(value, f"{here}.")


@cache
def _knows(code: str) -> bool:
    try:
        locale = Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    # Babel 2.18 opens some languages (quc, nv) without a single month's name: "2026 M12 5" (2026-11).
    return str(locale.months["format"]["wide"][1]) != "M01"


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(formats(language), sep="-")
