"""Reading one TOML file that people edit, and telling on which line a key stands.

What may enter: what is true of any TOML file. What its keys mean is `bot.toml.shapes` and the rooms above it.

`tomllib` gives no positions, and neither does `tomlkit` 0.15 (2026-11). So a file is read a second time,
statement by statement: lines are gathered until `tomllib` itself accepts them, and the keys of that
statement get the line it began on. There is no second grammar here that could disagree with the first.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from bot.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Key = tuple[str | int, ...]
"""A way into a TOML value: names, and numbers for the tables of an array, as `("slot", 0, "at")`."""

_NAMED_LINE = re.compile(r"at line (\d+)")
_SHORT_TIME = re.compile(r"(?<![\d:])\d{1,2}:\d{2}(?![\d:])")
"""TOML 1.0 wants seconds; people write 21:00."""

_CURLY_QUOTES = re.compile("[“”„«»‘’]")
"""What a word processor makes of a quotation mark."""


def read_toml(file: Path) -> tuple[dict[str, Any] | None, str, list[Finding]]:
    """Read a file as people save it: UTF-8, with or without a byte order mark.

    Returns:
        Its value, its text (for `line_of`) and what is wrong. The value is None when it cannot be read.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None, "", [Finding("toml.missing-file", file)]
    except OSError:
        return None, "", [Finding("toml.unreadable", file)]
    except UnicodeDecodeError as error:
        return None, "", [Finding("toml.not-utf8", file, error.object.count(b"\n", 0, error.start) + 1)]
    text = text.replace("\r\n", "\n")
    try:
        return tomllib.loads(text), text, []
    except tomllib.TOMLDecodeError as error:
        return None, text, [syntax_fault(file, text, str(error))]
    except (ValueError, RecursionError):  # a number of thousands of digits, brackets in thousands
        return None, text, [Finding("toml.syntax", file)]


def line_of(text: str, path: Key) -> int:
    """The line, from 1, on which the key at `path` stands in a valid TOML text.

    A key inside a value that spans lines has the line on which that value begins. For a key that is not
    there, the line of the nearest table above it; 0 when there is none.
    """
    lines: dict[Key, int] = {}
    for key, line in _keys(text):
        lines.setdefault(key, line)
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


def syntax_fault(file: Path, text: str, complaint: str) -> Finding:
    """What `tomllib` complains of, with the slip of the pen that it probably is."""
    lines = text.split("\n")
    named = _NAMED_LINE.search(complaint)
    number = int(named[1]) if named else max(len(text.rstrip().split("\n")), 1)
    line = re.sub(r"""#.*|"[^"]*"|'[^']*'""", "", lines[number - 1])
    if _CURLY_QUOTES.search(line):
        rule = "toml.curly-quotes"
    elif _SHORT_TIME.search(line):
        rule = "toml.short-time"
    elif "date" in complaint.lower():
        rule = "toml.no-such-date"
    elif "overwrite" in complaint or "twice" in complaint:
        rule = "toml.repeated-key"
    else:
        rule = "toml.syntax"
    return Finding(rule, file, number)


def _keys(text: str) -> Iterator[tuple[Key, int]]:
    """Every key with the line of its statement, in the order of the file."""
    table: Key = ()
    arrays: dict[Key, int] = {}  # how many tables each array has so far
    for number, lines, value in _statements(text):
        if lines[0].lstrip().startswith("["):
            table = _opened(value, arrays)
            yield from ((table[:depth], number) for depth in range(1, len(table) + 1))
        else:
            for path in _paths(value):
                yield (*table, *path), number


def _statements(text: str) -> Iterator[tuple[int, Sequence[str], dict[str, Any]]]:
    """Each statement's first line number, its lines, and what it alone says."""
    gathered: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        gathered.append(line)
        try:
            value = tomllib.loads("\n".join(gathered))
        except tomllib.TOMLDecodeError:
            continue
        if value:
            yield number - len(gathered) + 1, gathered, value
        gathered = []


def _opened(header: Mapping[str, Any], arrays: dict[Key, int]) -> Key:
    """The path that `[a.b]` or `[[a.b]]`, read alone, opens; counts the tables of arrays."""
    path: Key = ()
    value: Any = header
    while value:
        if isinstance(value, list):
            arrays[path] = arrays.get(path, 0) + 1
            value = value[0]
        else:
            (name, value), *_ = value.items()
            path = (*path, name)
        if path in arrays and not isinstance(value, list):
            path = (*path, arrays[path] - 1)
    return path


def _paths(value: object) -> Iterator[Key]:
    """Every way into a value, outermost first."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (name,)
            yield from ((name, *path) for path in _paths(inner))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield (index,)
            yield from ((index, *path) for path in _paths(inner))
