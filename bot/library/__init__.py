"""`content/` into entries, and an entry into what one reader in one community is to be told.

What may enter: what concerns all entries together, and what is said to whom. One folder is `entries`, one
file `front_matter`, facts are `facts`; what a text may quote is `quoting`, and filling it in `filling`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

from bot import languages, words
from bot.findings import Faults, Finding
from bot.library.entries import Entry, Kind, behind, listed, read_entry
from bot.library.facts import Fact, read_facts
from bot.library.filling import Fault, Unfilled, fill
from bot.library.quoting import faults
from bot.toml.lines import line_of
from bot.toml.shapes import nearest
from channels.base import Message, Template
from channels.markdown import parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from bot.library.front_matter import Edition
    from bot.timetable import Community

__all__ = ("Brief", "Entry", "Library", "Place", "behind", "read", "try_entry", "try_every")

_FOLDERS: Mapping[str, Kind] = {
    "announcements": "announcement",
    "services": "service",
    "programs": "program",
    "pages": "page",
    "consulates": "consulate",
}


@dataclass(frozen=True, slots=True)
class Place:
    """What a text may know of the community it is read in.

    Attributes:
        fresh: Whether a translation that is older than its source gives way to it.
    """

    slug: str
    name: str
    zone: ZoneInfo
    fresh: bool = False

    @classmethod
    def of(cls, community: Community) -> Place:
        """The place of a community."""
        return cls(community.slug, community.name, community.zone, community.stale_translations == "source")


@dataclass(frozen=True, slots=True)
class Brief:
    """An entry in a few words.

    Attributes:
        edition: The language of these words.
        title: On one line.
        summary: A sentence, or "".
        when: The day and hour it starts, as the reader writes them; "" for what has none.
    """

    edition: str
    title: str
    summary: str
    when: str


@dataclass(frozen=True, slots=True)
class Library:
    """All of `content/`.

    Attributes:
        entries: By slug.
        facts: By dotted name.
        today: The day by which facts expire.
    """

    entries: Mapping[str, Entry]
    facts: Mapping[str, Fact]
    today: dt.date

    @property
    def consulates(self) -> Mapping[str, Entry]:
        """The consulates by name, which is the slug without `consulado-`: `fresno`, `nueva-york`."""
        return {
            slug.removeprefix("consulado-"): entry
            for slug, entry in self.entries.items()
            if entry.kind == "consulate"
        }

    @property
    def starts(self) -> Mapping[str, dt.date | None]:
        """When each entry starts, by slug: what reminders count from."""
        return {slug: entry.starts for slug, entry in self.entries.items()}

    def message(self, entry: Entry, language: str, place: Place, *, fold: bool) -> tuple[Message, Edition]:
        """What a reader of `language` in a community is told, and the edition it was made from.

        Raises:
            Faults: the texts quote what is not there; all of it, in this edition.
            ValueError: `language` is not a language code.
        """
        desk, edition, values = self._opened(entry, language, place)
        short = desk.fill("sms", edition.front.sms, values).strip()
        body = desk.fill("", edition.body, values)
        template = _template(desk, edition, values)
        if desk.findings:
            raise Faults(desk.findings)
        return Message(parse(body), str(values["title"]), short or None, template, fold), edition

    def brief(self, entry: Entry, language: str, place: Place) -> Brief:
        """What stands of an entry beside others in a list. Raises as `message`."""
        desk, edition, values = self._opened(entry, language, place)
        when = desk.fill("starts", "{{ starts }}", values) if entry.starts else ""
        if desk.findings:
            raise Faults(desk.findings)
        return Brief(edition.language, str(values["title"]), str(values.get("summary", "")), when)

    def _opened(self, entry: Entry, language: str, place: Place) -> tuple[_Desk, Edition, dict[str, object]]:
        """The edition a reader gets, on the desk, with all that it may quote."""
        edition = entry.edition_for(language, fresh=place.fresh)
        desk = _Desk(self, edition, words.formats(language, edition.language))
        values = _values(entry, language, place)
        values["title"] = desk.fill("title", edition.title, values)
        if edition.front.summary:
            values["summary"] = desk.fill("summary", edition.front.summary, values)
        return desk, edition, values


class _Desk:
    """Fills the texts of one edition and gathers what is wrong in any of them."""

    def __init__(self, library: Library, edition: Edition, formats: str) -> None:
        self.findings: list[Finding] = []
        self._library, self._edition, self._formats = library, edition, formats

    def fill(self, key: str, text: str, values: Mapping[str, object]) -> str:
        """The text of a front matter's key, or of the body for ""; as it was, when it cannot be filled."""
        library = self._library
        found = faults(text, values, library.facts, library.today)
        if not found:
            try:
                return fill(text, values, library.facts, self._formats)
            except Unfilled as error:
                found = [error.fault]
        self.findings += [self._finding(key, fault) for fault in found]
        return text

    def _finding(self, key: str, fault: Fault) -> Finding:
        edition = self._edition
        line = (
            line_of(edition.written.text, tuple(key.split(".")))
            if key
            else edition.body_line + fault.line - 1
        )
        return Finding(fault.rule, edition.file, line, values=fault.values)


def _template(desk: _Desk, edition: Edition, values: Mapping[str, object]) -> Template | None:
    whatsapp = edition.front.whatsapp
    if whatsapp is None:
        return None
    filled = {n: desk.fill(f"whatsapp.variables.{n}", text, values) for n, text in whatsapp.variables.items()}
    return Template(whatsapp.template, filled)


def _values(entry: Entry, language: str, place: Place) -> dict[str, object]:
    """What a text may quote, but for its own title and summary. Times stand in the community's zone."""
    moments = {"starts": entry.starts, "ends": entry.ends, "valid_until": entry.valid_until}
    return {
        "language": languages.normalise(language),
        "community": SimpleNamespace(name=place.name, slug=place.slug, timezone=place.zone.key),
        **{name: _local(when, place.zone) for name, when in moments.items() if when is not None},
    }


def _local(when: dt.date, zone: ZoneInfo) -> dt.date:
    if not isinstance(when, dt.datetime):
        return when
    return when.astimezone(zone) if when.tzinfo else when.replace(tzinfo=zone)


def read(root: Path, *, today: dt.date) -> tuple[Library, list[Finding]]:
    """Read `content/`. Hidden files and symbolic links are passed over.

    Args:
        root: The folder.
        today: The day by which facts expire.

    Returns:
        What could be read, and everything that is wrong. Never raises for what people wrote.
    """
    if not root.is_dir():
        return Library({}, {}, today), [Finding("library.no-content", root)]
    facts, findings = read_facts(root / "facts.toml")
    entries: dict[str, Entry] = {}
    for folder, kind in _FOLDERS.items():
        for place in listed(root / folder):
            entry, found = read_entry(kind, place)
            findings += found
            if entry and entry.slug in entries:
                other = entries[entry.slug].source.file.parent
                findings.append(
                    Finding("library.same-slug", place, values={"other": f"{other.parent.name}/{other.name}"})
                )
            elif entry:
                entries[entry.slug] = entry
    return Library(entries, facts, today), [*_strangers(root), *findings]


def try_every(library: Library, place: Place, readers: Collection[str], today: dt.date) -> list[Finding]:
    """Say every entry of a community to readers of every language, and gather what cannot be said.

    Args:
        library: As `read` gave it.
        place: The community.
        readers: Its languages.
        today: Its day, by which facts expire.
    """
    return [
        finding
        for entry in library.entries.values()
        if not entry.communities or place.slug in entry.communities
        for finding in try_entry(library, entry, place, readers, today)
    ]


def try_entry(
    library: Library, entry: Entry, place: Place, readers: Collection[str], today: dt.date
) -> list[Finding]:
    """Say one entry in a community, whether it is addressed or not; arguments as for `try_every`."""
    library = replace(library, today=today)
    findings: list[Finding] = []
    by_edition = {entry.edition_for(language, fresh=place.fresh).language: language for language in readers}
    for language in by_edition.values():
        try:
            library.message(entry, language, place, fold=False)
        except Faults as error:
            findings += error.findings
    return findings


def _strangers(root: Path) -> Iterator[Finding]:
    """What lies in `content/` under a name that is never read."""
    names = [*_FOLDERS, "facts.toml", "dates.toml"]
    for path in listed(root):
        if path.name not in names:
            known = nearest(path.name, names) or ", ".join(names)
            yield Finding("library.not-read", path, level="warning", values={"known": known})
