"""A CSV of people who said yes, into values: every bad row found at once, none of them quoted.

Columns: channel,address,language,community,topics,consent. Topics are joined by `|`; an address is E.164 or
a Telegram chat id. A finding names the line and the column, never what stands there: an import's findings
end up on screens and in tickets.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import phonenumbers

from bot import languages
from bot.findings import Finding
from channels.base import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from channels.base import ChannelName

COLUMNS = ("channel", "address", "language", "community", "topics", "consent")
_REQUIRED = ("channel", "address", "language", "community", "consent")
_NOT_CONSENT = frozenset(
    {"no", "false", "0", "none", "left", "withdrawn", "stop", "pending", "asked", "pendiente"}
)
_HOW = frozenset({"bot", "paper", "event", "web", "sms", "telegram", "whatsapp", "phone", "desk"})
"""How consent was given, as the ledger keeps it; any other yes is kept as "other": it may name somebody."""
_CHAT_ID = re.compile(r"-?0*[1-9][0-9]{0,15}", re.ASCII)  # 52 bits (Bot API, Chat)
_NUMBER = re.compile(r"\+[0-9][0-9 ().-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """One good row."""

    channel: ChannelName
    address: str = field(repr=False)
    language: str
    community: str
    topics: tuple[str, ...]
    how: str


def read(file: Path, communities: Collection[str]) -> tuple[list[Newcomer], list[Finding]]:
    """Read the file. The good rows, and a finding for everything wrong with the others.

    Args:
        file: UTF-8, with or without a byte-order mark, comma or semicolon separated, one header line.
        communities: The slugs there are.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError:
        return [], [Finding("import.unreadable", file)]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return [], [Finding("import.not-utf8", file, line)]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        header = [name.strip().lower() for name in next(rows, [])]
    except csv.Error:
        return [], [Finding("import.not-csv", file, 1)]
    if missing := [column for column in _REQUIRED if column not in header]:
        return [], [Finding("import.columns", file, 1, values={"missing": ", ".join(missing)})]
    return _read_rows(rows, header, file, communities)


def _delimiter(text: str) -> str:
    """Spreadsheets in Spanish save with semicolons."""
    header = text.partition("\n")[0]
    return ";" if header.count(";") > header.count(",") else ","


def _read_rows(
    rows: Iterator[list[str]], header: Sequence[str], file: Path, communities: Collection[str]
) -> tuple[list[Newcomer], list[Finding]]:
    good: list[Newcomer] = []
    findings: list[Finding] = []
    seen: dict[tuple[str, str], int] = {}
    line = 1
    try:
        for line, row in enumerate(rows, 2):
            if not any(map(str.strip, row)):
                continue
            if any("\n" in cell for cell in row):
                break  # a quote that was never closed swallowed the rows below it
            cells = dict.fromkeys(COLUMNS, "") | {
                name: cell.strip() for name, cell in zip(header, row, strict=False)
            }
            wrong = list(_wrong(cells, communities))
            address = address_of(cells["channel"].lower(), cells["address"])
            if not wrong and (first := seen.setdefault((cells["channel"].lower(), address), line)) != line:
                wrong = [("twice", {"first": str(first)})]
            findings += [Finding(f"import.{rule}", file, line, values=values) for rule, values in wrong]
            if not wrong:
                good.append(_newcomer(cells, address))
        else:
            return good, findings
    except csv.Error:
        line += 1
    return good, [*findings, Finding("import.not-csv", file, line)]


def _wrong(cells: dict[str, str], communities: Collection[str]) -> Iterator[tuple[str, dict[str, str]]]:
    if cells["channel"].lower() not in CHANNELS:
        yield "channel", {"choices": ", ".join(CHANNELS)}
    elif not address_of(cells["channel"].lower(), cells["address"]):
        yield "chat-id" if cells["channel"].lower() == "telegram" else "number", {}
    try:
        languages.normalise(cells["language"])
    except ValueError:
        yield "language", {}
    if cells["community"] not in communities:
        yield "community", {"choices": ", ".join(sorted(communities))}
    if not cells["consent"] or cells["consent"].lower() in _NOT_CONSENT:
        yield "consent", {}


def address_of(channel: str, written: str) -> str:
    """The address as the vendor knows it, or "" when it is not one."""
    if channel == "telegram":
        return str(int(written)) if _CHAT_ID.fullmatch(written) else ""
    if not _NUMBER.fullmatch(written):
        return ""  # the library would take letters for digits, and drop an extension
    try:
        number = phonenumbers.parse(written)
    except phonenumbers.NumberParseException:
        return ""
    # Possible, not valid: tables of valid numbers lag behind the carriers, and a wrong one ends as "gone".
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _newcomer(cells: dict[str, str], address: str) -> Newcomer:
    channel = next(name for name in CHANNELS if name == cells["channel"].lower())
    how = cells["consent"].lower()
    return Newcomer(
        channel=channel,
        address=address,
        language=languages.normalise(cells["language"]),
        community=cells["community"],
        topics=tuple(filter(None, (topic.strip().lower() for topic in cells.get("topics", "").split("|")))),
        how=how if how in _HOW else "other",
    )
