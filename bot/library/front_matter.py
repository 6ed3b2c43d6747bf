"""One Markdown file of `content/` into an edition: TOML between `+++` lines, then the body.

What may enter: what can be judged of one file alone. How editions of an entry relate is the library's.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import tomllib
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator

from bot.findings import Finding
from bot.library.office import Office
from bot.toml.lines import syntax_fault
from bot.toml.shapes import Source, Table, nearest, shape, wrong

if TYPE_CHECKING:
    from pathlib import Path

    from bot.toml.lines import Key

_FENCE = "+++"
_YEARS = range(2000, 2200)
"""A year outside is a slip of the pen, and would overflow when zones are reckoned."""


def _when(value: object) -> dt.date:
    if not isinstance(value, dt.date) or value.year not in _YEARS:
        raise wrong("library.not-date")
    return value


def _one_line(value: str) -> str:
    if not value.strip():
        raise wrong("toml.empty")
    if "\n" in value.strip():
        raise wrong("library.title-lines")
    return value.strip()


def _template(value: str) -> str:
    if not re.fullmatch(r"HX[0-9a-fA-F]{32}", value):  # Twilio's ContentSid
        raise wrong("library.template")
    return value


def _variables(value: dict[str, str]) -> dict[str, str]:
    if not all(re.fullmatch(r"[1-9][0-9]?", name, re.ASCII) for name in value):
        raise wrong("library.template-variables")
    return value


When = Annotated[dt.date | None, PlainValidator(_when)]
"""A day, a community's own wall time (naive datetime) or one instant (aware datetime)."""


Category = Literal["marketing", "utility"]
"""What Meta takes a template for; of the two, what is not plainly a service message is marketing."""


class Whatsapp(Table):
    """`[whatsapp]`: what Meta approved, for readers who did not write in the last day."""

    template: Annotated[str, AfterValidator(_template)]
    category: Category = "marketing"
    variables: Annotated[dict[str, str], AfterValidator(_variables)] = Field(default_factory=dict)


class FrontMatter(Table):
    """What staff may write between the `+++` lines.

    Attributes:
        title: One line.
        summary: A sentence for lists and digests.
        starts: When it happens.
        ends: When that is over.
        valid_until: When the text is no longer true; a day counts to its end.
        communities: Slugs; empty for all.
        topics: What subscribers choose by.
        keywords: What people write to find it.
        misspellings: How they write it when they spell by ear.
        sms: The whole thing in one SMS; else it is derived from the body.
        translates: The `source_hash` of the source text this was made from; only in a translation.
        urgency: An emergency passes quiet hours.
        asks_about: The entry of which readers are asked whether it was of use: after an event, the event.
        whatsapp: An approved template, if there is one.
        office: Where a consulate stands and whom it serves.
    """

    title: Annotated[str, AfterValidator(_one_line)] = ""
    summary: str = ""
    starts: When = None
    ends: When = None
    valid_until: When = None
    communities: list[str] = Field(default_factory=list)
    topics: list[str] = Field(default_factory=list)
    keywords: list[str] = Field(default_factory=list)
    misspellings: list[str] = Field(default_factory=list)
    sms: str = ""
    translates: str = ""
    urgency: Literal["normal", "high", "emergency"] = "normal"
    asks_about: str = ""
    whatsapp: Whatsapp | None = None
    office: Office | None = None


@dataclass(frozen=True, slots=True)
class Edition:
    """An entry in one language.

    Attributes:
        language: As `languages.normalise` writes it.
        front: What stands between the `+++` lines.
        body: Our small Markdown, with `{{ … }}` not yet filled.
        body_line: The line of the file on which the body begins.
        written: The front matter as TOML, for the lines of its keys.
        stale: The source changed after this translation was made.
    """

    language: str
    front: FrontMatter
    body: str
    body_line: int
    written: Source
    stale: bool = False

    @property
    def file(self) -> Path:
        """Where it is written."""
        return self.written.file

    @property
    def title(self) -> str:
        """Its title as written, `{{ … }}` not yet filled."""
        return self.front.title

    @property
    def source_hash(self) -> str:
        """What a translation of this text writes as `translates`: eight hexadecimal digits.

        It changes with title, body or sms, and not with how an editor saves lines or accents.
        """
        texts = (self.front.title, self.body, self.front.sms)
        plain = "\0".join(unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip() for text in texts)
        return hashlib.sha256(plain.encode()).hexdigest()[:8]


def read_edition(file: Path, language: str) -> tuple[Edition | None, list[Finding]]:
    """Read one file.

    Returns:
        The edition, or None when something is wrong that cannot be overlooked; and everything that is wrong.
    """
    text, findings = _text(file)
    lines = text.split("\n")
    if findings:
        return None, findings
    if lines[0].rstrip() != _FENCE:
        return None, [Finding("library.no-front-matter", file, 1)]
    close = next((n for n, line in enumerate(lines[1:], start=1) if line.rstrip() == _FENCE), None)
    if close is None:
        return None, [Finding("library.unclosed-front-matter", file, 1)]
    # An empty line in place of the first fence keeps the lines of the TOML those of the file.
    front, written, findings = _front(file, "\n".join(("", *lines[1:close])))
    if front is None or written is None:
        return None, findings
    edition = Edition(language, front, "\n".join(lines[close + 1 :]), close + 2, written)
    if not edition.body.strip() and not front.sms.strip():
        findings.append(Finding("library.empty", file, close + 1))
    usable = all(finding.level == "warning" for finding in findings)
    return edition if usable else None, findings


def _text(file: Path) -> tuple[str, list[Finding]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError:
        return "", [Finding("toml.unreadable", file)]
    except UnicodeDecodeError as error:
        return "", [Finding("toml.not-utf8", file, error.object.count(b"\n", 0, error.start) + 1)]
    return text.replace("\r\n", "\n"), []


def _front(file: Path, text: str) -> tuple[FrontMatter | None, Source | None, list[Finding]]:
    try:
        written = Source(file, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        return None, None, [syntax_fault(file, text, str(error))]
    except (ValueError, RecursionError):  # a number of thousands of digits, brackets in thousands
        return None, None, [Finding("toml.syntax", file, 2)]
    findings, known = _known(written)
    front, faults = shape(FrontMatter, known)
    findings += faults
    if "title" not in written.value:
        findings.append(Finding("library.missing-title", file, 1))
    if front and _backwards(front.starts, front.ends):
        findings.append(written.finding("library.ends-first", ("ends",)))
    return front, written, findings


def _known(written: Source) -> tuple[list[Finding], Source]:
    """Set aside the keys that are not ours: they are said, and never in the way."""
    findings: list[Finding] = []
    value = _ours(FrontMatter, written.value, (), written, findings)
    tables: tuple[tuple[str, type[Table]], ...] = (("whatsapp", Whatsapp), ("office", Office))
    for name, model in tables:
        if isinstance(value.get(name), dict):
            value[name] = _ours(model, value[name], (name,), written, findings)
    return findings, replace(written, value=value)


def _ours(
    model: type[Table], table: dict[str, Any], path: Key, written: Source, findings: list[Finding]
) -> dict[str, Any]:
    fields = model.model_fields
    for key in table:
        if key not in fields:
            meant = nearest(key, fields) or ", ".join(fields)
            finding = written.finding("library.unknown-field", (*path, key), meant=meant)
            findings.append(replace(finding, level="warning"))
    return {key: value for key, value in table.items() if key in fields}


def _backwards(starts: dt.date | None, ends: dt.date | None) -> bool:
    """Whether something ends before it starts; a day and an hour are not compared."""
    if isinstance(starts, dt.datetime) and isinstance(ends, dt.datetime):
        return (starts.tzinfo is None) == (ends.tzinfo is None) and ends < starts
    if isinstance(starts, dt.datetime) or isinstance(ends, dt.datetime):
        return False
    return starts is not None and ends is not None and ends < starts
