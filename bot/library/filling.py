"""Jinja in its sandbox: fills `{{ … }}` in what staff write, in the words of the reader.

What may enter: filters, and how a text sees a fact. What a text may quote is `quoting`; which text and which
reader, the library.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache, partial
from traceback import walk_tb
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import SandboxedEnvironment

from bot import words
from bot.library.facts import CURRENCIES, Fact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text cannot be filled.

    Attributes:
        rule: The name of the finding.
        line: Within the text, from 1.
        values: What the finding's sentences quote.
    """

    rule: str
    line: int
    values: Mapping[str, str] = field(default_factory=dict)


class Unfilled(Exception):  # noqa: N818 - what happened; carries a fault, is not one of ours
    """A text that could not be filled."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.rule)


def fill(text: str, values: Mapping[str, object], facts: Mapping[str, Fact], language: str) -> str:
    """Fill a text.

    Args:
        text: With `{{ … }}`.
        values: What it may quote, without facts. Datetimes aware, in the community's zone.
        facts: By name.
        language: Whose dates, numbers and money: as `words.formats` gives it.

    Raises:
        Unfilled: something in it cannot be said, such as the date of a word.
    """
    try:
        return _template(text, language).render(values, facts=_Group(facts, language))
    except TemplateSyntaxError as error:
        raise Unfilled(Fault("library.braces", error.lineno, {"reason": error.message or ""})) from None
    except _Unfit as error:
        raise Unfilled(Fault("library.unfit", _line(error), {"filter": str(error)})) from None
    except UndefinedError as error:
        raise Unfilled(Fault("library.unfilled", _line(error), {"reason": str(error)})) from None
    except Exception as error:  # noqa: BLE001 - a text may divide by zero, and anything else people can write
        raise Unfilled(Fault("library.unfilled", _line(error), {"reason": type(error).__name__})) from None


class _Unfit(Exception):  # noqa: N818 - what the value is
    """A filter was given what it cannot write; says which filter."""


@dataclass(frozen=True, slots=True)
class _Quote:
    """A fact as a text sees it: prints itself, and answers to its kind and to `until`."""

    fact: Fact
    language: str

    def __str__(self) -> str:
        if isinstance(self.fact.value, Decimal):
            return words.money(self.fact.value, self.fact.kind, self.language)
        return self.fact.value

    def __getitem__(self, name: str) -> Decimal | str | dt.date | None:
        if name == self.fact.kind:
            return self.fact.value
        if name == "until":
            return self.fact.until
        raise KeyError(name)


class _Group:
    """Facts as Jinja reaches them, name by name: `facts.passport.fee_3y`. A text quotes few of hundreds."""

    __slots__ = ("_facts", "_language", "_path")

    def __init__(self, facts: Mapping[str, Fact], language: str, path: str = "") -> None:
        self._facts, self._language, self._path = facts, language, path

    def __getitem__(self, name: str) -> _Quote | _Group:
        path = f"{self._path}{name}"
        if path in self._facts:
            return _Quote(self._facts[path], self._language)
        if any(other.startswith(f"{path}.") for other in self._facts):
            return _Group(self._facts, self._language, f"{path}.")
        raise KeyError(name)


def _line(error: BaseException) -> int:
    """The line of the text where filling it stopped: Jinja names its frames `<template>`."""
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == "<template>"]
    return lines[-1] if lines else 1


def _date(value: object, language: str) -> str:
    if not isinstance(value, dt.date):
        raise _Unfit("date")
    return words.date(value, language)


def _time(value: object, language: str) -> str:
    if not isinstance(value, dt.datetime | dt.time):
        raise _Unfit("time")
    return words.time(value, language)


def _datetime(value: object, language: str) -> str:
    if not isinstance(value, dt.datetime):
        raise _Unfit("datetime")
    return words.datetime(value, language)


def _number(value: object, language: str) -> str:
    plain = value.fact.value if isinstance(value, _Quote) else value
    if not isinstance(plain, words.Number):
        raise _Unfit("number")
    return words.number(plain, language)


def _money(value: object, language: str, currency: str = "") -> str:
    amount = value.fact.value if isinstance(value, _Quote) else value
    currency = value.fact.kind if isinstance(value, _Quote) else currency
    if not isinstance(amount, words.Number) or currency not in CURRENCIES:
        raise _Unfit("money")
    return words.money(amount, currency, language)


def _list(value: object, language: str, style: str = "and") -> str:
    if not isinstance(value, list | tuple) or style not in {"and", "or"}:
        raise _Unfit("list")
    return words.join(map(str, value), language, "or" if style == "or" else "and")


def _plainly(value: object, language: str) -> object:
    """What stands between braces without a filter: a time is written as people do, not as computers do."""
    if isinstance(value, dt.datetime):
        return words.datetime(value, language)
    return words.date(value, language) if isinstance(value, dt.date) else value


FILTERS: Mapping[str, Callable[..., str]] = {
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "number": _number,
    "money": _money,
    "list": _list,
}


@cache
def environment(language: str) -> SandboxedEnvironment:
    """Jinja for the texts of one language: our filters, none of its globals, and no way out."""
    environment = SandboxedEnvironment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # the text becomes Markdown, and each channel escapes for its vendor
        finalize=partial(_plainly, language=language),
    )
    environment.globals.clear()
    environment.filters |= {name: partial(say, language=language) for name, say in FILTERS.items()}
    return environment


@lru_cache(maxsize=4096)
def tree(text: str) -> nodes.Template:
    """A text parsed. Kept, like `_template`: every reply is filled from the same few hundred texts."""
    return environment("es").parse(text)


@lru_cache(maxsize=4096)
def _template(text: str, language: str) -> Template:
    return environment(language).from_string(text)
