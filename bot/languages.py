"""Language codes: how they are written, and which text to offer a reader when theirs is missing.

Only codes and `languages.toml` enter here; dates, money and sentences stand in `bot/words.py`.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_CODE = re.compile(r"([a-z]{2,3})(-[a-z]{4})?(-(?:[a-z]{2}|[0-9]{3}))?((?:-[a-z0-9]{5,8})*)")
"""BCP 47 as people use it: language, script, region, variants (RFC 5646, section 2.1), in lower case."""

_LAST = ("es", "en")
"""Where every chain ends: what our staff write first, and what most neighbours read."""


class _Language(TypedDict, total=False):
    autonym: str
    es: str
    en: str
    chain: list[str]
    formats: str


def normalise(code: str) -> str:
    """Write a language code in one way: `es`, `es-MX`, `zh-Hant-TW`.

    Accepts `-` or `_` and any case.

    Raises:
        ValueError: it is not a language code. The message does not quote it: in an import with its columns
            exchanged it could be somebody's number.
    """
    found = _CODE.fullmatch(code.strip().replace("_", "-").lower())
    if not found:
        raise ValueError("a language code looks like es, es-MX or nah")
    language, script, region, variants = found.groups(default="")
    return language + script.title() + region.upper() + variants


def chain(code: str) -> tuple[str, ...]:
    """What to offer a reader of `code`, nearest first: itself, its relatives, then Spanish and English.

    Raises:
        ValueError: as `normalise`.
    """
    return _chain(normalise(code))


def best(wanted: str, offered: Collection[str]) -> str | None:
    """The nearest of `offered` for a reader of `wanted`, written as it was offered.

    A language without region also stands for its regions: a reader of `es` is glad of `es-MX`.

    Returns:
        None when nothing of the chain is offered.

    Raises:
        ValueError: `wanted` or one of `offered` is not a language code.
    """
    codes = {normalise(code): code for code in offered}
    return next((codes[code] for code in _nearest(wanted, sorted(codes, key=_rank))), None)


def as_offered(code: str, offered: Collection[str]) -> str:
    """`code` as it is among `offered`: `en` as `en-US`; itself where that language is not offered.

    Raises:
        ValueError: as `normalise`.
    """
    known = normalise(code)
    return known if known in offered else next((one for one in offered if base(one) == base(known)), known)


def known(code: str) -> bool:
    """Whether our table has the language of a normalised code: its readers are readers everywhere."""
    return not _table().keys().isdisjoint((code, base(code)))


def autonym(code: str) -> str:
    """What speakers call their language; the code itself when we do not know.

    Raises:
        ValueError: as `normalise`.
    """
    known = normalise(code)
    for name in (known, base(known)):
        if name in _table():
            return _table()[name]["autonym"]
    return known


def called() -> Mapping[str, tuple[str, str, str]]:
    """Every language of our table as its speakers, Spanish and English call it; the nearest first."""
    return {code: (one["autonym"], one["es"], one["en"]) for code, one in _table().items()}


def formats(code: str) -> str:
    """Whose dates, numbers and money a reader of `code` is used to; mostly its own.

    Raises:
        ValueError: as `normalise`.
    """
    known = normalise(code)
    return _table().get(known, {}).get("formats", known)


def base(code: str) -> str:
    """The language of a normalised code without script, region and variants: `es` of `es-MX`."""
    return code.partition("-")[0]


@cache
def _chain(code: str) -> tuple[str, ...]:
    if code in _table():
        return (code, *_table()[code]["chain"])
    shorter = code.rpartition("-")[0]
    return tuple(dict.fromkeys((code, *(_chain(shorter) if shorter else _LAST))))


def _nearest(wanted: str, offered: list[str]) -> Iterator[str]:
    for code in chain(wanted):
        yield from (other for other in offered if other == code)
        yield from (other for other in offered if base(other) == code)


def _rank(code: str) -> tuple[int, str]:
    """Among equals, the languages of our table first, in its order; then by alphabet."""
    order = list(_table())
    return (order.index(code) if code in order else len(order), code)


@cache
def _table() -> Mapping[str, _Language]:
    table: Mapping[str, _Language] = tomllib.loads(
        Path(__file__).with_name("languages.toml").read_text(encoding="utf-8"),
    )
    return table
