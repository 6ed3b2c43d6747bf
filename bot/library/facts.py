"""`content/facts.toml`: each fee, telephone, link and short text once, with its source and its expiry.

What may enter: what a fact is and how it is read. How a text quotes it is in `bot/library/filling.py`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import phonenumbers

from bot.toml.lines import read_toml
from bot.toml.shapes import Source, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bot.findings import Finding

CURRENCIES = ("USD", "CAD", "MXN", "EUR")
KINDS = (*CURRENCIES, "phone", "url", "text")
_FIELDS = (*KINDS, "source", "until", "confidence", "note")
_MOST = 10**9
"""No consular fee is as high; a slip of the pen may be."""
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_SHORT_NUMBER = re.compile(r"[0-9]{3,6}", re.ASCII)
"""911, 988, 88788: they have no country and are not asked of phonenumbers."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is true for a while.

    Attributes:
        name: Dotted, as texts quote it after `facts.`.
        kind: Which of `KINDS` the value is.
        value: A number for a currency, in whole units; else text as written.
        source: Where it was read, for the next person who doubts it.
        until: The last day on which it is known to be true, or None.
    """

    name: str
    kind: str
    value: Decimal | str
    source: str
    until: dt.date | None = None

    def expired(self, today: dt.date) -> bool:
        """Whether it may no longer be quoted."""
        return self.until is not None and self.until < today


def read_facts(file: Path) -> tuple[dict[str, Fact], list[Finding]]:
    """Read `facts.toml`; a missing file is a project without facts.

    Returns:
        The good facts by name, and everything that is wrong with the others.
    """
    if not file.exists():
        return {}, []
    value, text, findings = read_toml(file)
    source = Source(file, text, value or {})
    facts: dict[str, Fact] = {}
    for path, table in _leaves(source.value, ()):
        faults = list(_faults(source, path, table))
        findings += faults
        if all(fault.level == "warning" for fault in faults):
            facts[".".join(path)] = _fact(".".join(path), table)
    return facts, findings


def _leaves(table: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What is not a mere group of tables: a fact, or something that stands where a fact should."""
    for key, value in table.items():
        here = (*path, key)
        if isinstance(value, dict) and value and all(isinstance(inner, dict) for inner in value.values()):
            yield from _leaves(value, here)
        else:
            yield here, value


def _fact(name: str, table: dict[str, Any]) -> Fact:
    kind = next(key for key in KINDS if key in table)
    value = Decimal(str(table[kind])) if kind in CURRENCIES else table[kind].strip()
    return Fact(name, kind, value, table["source"], table.get("until"))


def _faults(source: Source, path: tuple[str, ...], table: object) -> Iterator[Finding]:
    if not all(_NAME.fullmatch(name) for name in path):
        yield source.finding("library.fact-name", path)
    if not isinstance(table, dict):
        yield source.finding("library.fact-shape", path)
        return
    for key in table.keys() - set(_FIELDS):
        meant = nearest(key, _FIELDS) or ", ".join(_FIELDS)
        yield replace(source.finding("library.unknown-field", (*path, key), meant=meant), level="warning")
    given = [kind for kind in KINDS if kind in table]
    if len(given) != 1:
        rule = "library.fact-values" if given else "library.fact-no-value"
        yield source.finding(rule, path, kinds=", ".join(given or KINDS))
    for kind in given:
        rule, is_good = _VALUES.get(kind, ("library.fact-amount", _is_amount))
        if not is_good(table[kind]):
            yield source.finding(rule, (*path, kind))
    if not _is_text(table.get("source")):
        yield source.finding("library.fact-source", path)
    until = table.get("until")
    if until is not None and (not isinstance(until, dt.date) or isinstance(until, dt.datetime)):
        yield source.finding("library.fact-until", (*path, "until"))


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MOST


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_phone(value: object) -> bool:
    if not isinstance(value, str):
        return False
    if _SHORT_NUMBER.fullmatch(value.strip()):
        return True
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(value))
    except phonenumbers.NumberParseException:
        return False


def _is_url(value: object) -> bool:
    try:
        parts = urlsplit(value.strip() if isinstance(value, str) else "")
    except ValueError:
        return False
    return (
        parts.scheme in {"https", "http"}
        and "." in (parts.hostname or "")
        and not re.search(r"\s", parts.geturl())
    )


_VALUES: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "phone": ("library.fact-phone", _is_phone),
    "url": ("library.fact-url", _is_url),
    "text": ("library.fact-text", _is_text),
}
