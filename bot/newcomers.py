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
from bot.toml.shapes import nearest
from channels.base import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bot.timetable import Community
    from channels.base import ChannelName

COLUMNS = ("channel", "address", "language", "community", "topics", "consent")
_REQUIRED = ("channel", "address", "language", "community", "consent")
_NOT_CONSENT = frozenset(
    {"no", "false", "0", "none", "left", "withdrawn", "stop", "pending", "asked", "pendiente"}
)
_HOW = frozenset({"bot", "paper", "event", "web", "sms", "telegram", "whatsapp", "phone", "desk"})
"""How consent was given, as the ledger keeps it; any other yes is kept as "other": it may name somebody."""
_Fault = tuple[str, dict[str, str]]
"""A rule of `import.` and what its sentences quote."""
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


def read(
    file: Path, communities: Mapping[str, Community], topics: Collection[str]
) -> tuple[list[Newcomer], list[Finding]]:
    """Read the file. The good rows, and a finding for everything wrong with the others.

    Args:
        file: UTF-8, with or without a byte-order mark, comma or semicolon separated, one header line.
        communities: By slug.
        topics: All that can be followed: who follows only another one would hear nothing.
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
    return _read_rows(rows, header, file, lambda cells: _wrong(cells, communities, topics))


def _delimiter(text: str) -> str:
    """Spreadsheets in Spanish save with semicolons."""
    header = text.partition("\n")[0]
    return ";" if header.count(";") > header.count(",") else ","


def _read_rows(
    rows: Iterator[list[str]],
    header: Sequence[str],
    file: Path,
    faults_of: Callable[[dict[str, str]], Iterable[_Fault]],
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
            wrong = list(faults_of(cells))
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


def _wrong(
    cells: dict[str, str], communities: Mapping[str, Community], topics: Collection[str]
) -> Iterator[_Fault]:
    if cells["channel"].lower() not in CHANNELS:
        yield "channel", {"choices": ", ".join(CHANNELS)}
    elif not address_of(cells["channel"].lower(), cells["address"]):
        yield "chat-id" if cells["channel"].lower() == "telegram" else "number", {}
    community = communities.get(cells["community"])
    yield from _unreadable(cells["language"], community)
    if community is None:
        yield "community", {"choices": ", ".join(sorted(communities))}
    for topic in _topics(cells):
        if topic not in topics:
            meant = nearest(topic, topics)
            known = ", ".join(sorted(topics)) or "—"
            yield ("topic-near", {"meant": meant}) if meant else ("topic", {"choices": known})
    if not cells["consent"] or cells["consent"].lower() in _NOT_CONSENT:
        yield "consent", {}


def _unreadable(written: str, community: Community | None) -> Iterator[_Fault]:
    """A language that is none, or that nothing is written in there and that we do not know either."""
    try:
        language = languages.normalise(written)
    except ValueError:
        yield "language", {}
        return
    if community is None or languages.known(language):
        return
    if languages.base(language) not in map(languages.base, community.languages):
        yield "language-unknown", {"choices": ", ".join(community.languages)}


def _topics(cells: dict[str, str]) -> tuple[str, ...]:
    return tuple(filter(None, (topic.strip().lower() for topic in cells["topics"].split("|"))))


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
        topics=_topics(cells),
        how=how if how in _HOW else "other",
    )
