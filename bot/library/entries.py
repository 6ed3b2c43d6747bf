"""One folder of `content/` into an entry: its editions, which of them is the source, which are stale.

What may enter: what concerns the editions of one entry. What a reader is told is the library's.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bot import languages
from bot.findings import Finding
from bot.library.front_matter import Edition, read_edition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from bot.library.office import Office

Kind = Literal["announcement", "service", "program", "page", "consulate"]
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_ENTRY_WIDE = ("starts", "ends", "valid_until", "communities", "topics", "urgency", "asks_about", "office")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in `content/`, in one or more languages.

    Attributes:
        kind: By its folder.
        slug: Its name, unique in `content/`.
        editions: By language.
        source: The edition the others translate; what concerns the whole entry is read from it.
    """

    kind: Kind
    slug: str
    editions: Mapping[str, Edition]
    source: Edition

    @property
    def starts(self) -> dt.date | None:
        """A day, a community's wall time (naive) or one instant (aware)."""
        return self.source.front.starts

    @property
    def ends(self) -> dt.date | None:
        """As `starts`."""
        return self.source.front.ends

    @property
    def valid_until(self) -> dt.date | None:
        """As `starts`; a day counts to its end."""
        return self.source.front.valid_until

    @property
    def communities(self) -> frozenset[str]:
        """Slugs; empty means all."""
        return frozenset(self.source.front.communities)

    @property
    def topics(self) -> tuple[str, ...]:
        """What subscribers choose by."""
        return tuple(self.source.front.topics)

    @property
    def urgency(self) -> Literal["normal", "high", "emergency"]:
        """How pressing it is."""
        return self.source.front.urgency

    @property
    def asks_about(self) -> str:
        """The slug of the entry of which readers are asked whether it was of use; "" asks nothing."""
        return self.source.front.asks_about

    @property
    def office(self) -> Office | None:
        """Where it stands and whom it serves: of a consulate, and of nothing else."""
        return self.source.front.office

    def edition_for(self, language: str, *, fresh: bool = False) -> Edition:
        """The nearest edition for a reader, the source if none is near.

        Args:
            fresh: The source, also, where the nearest is older than it.

        Raises:
            ValueError: `language` is not a language code.
        """
        found = languages.best(language, self.editions)
        edition = self.editions[found] if found else self.source
        return self.source if fresh and edition.stale else edition

    def expires(self, zone: ZoneInfo) -> dt.datetime | None:
        """When the text stops being true in a community, aware UTC; None for never."""
        return _end(self.valid_until, zone)

    def over(self, zone: ZoneInfo) -> dt.datetime | None:
        """When it is no answer any more, aware UTC: as `expires`, or when an announcement's event ends."""
        event = (self.ends or self.starts) if self.kind == "announcement" else None
        return _end(self.valid_until or event, zone)


def _end(when: dt.date | None, zone: ZoneInfo) -> dt.datetime | None:
    """The end of a day, or a moment, of a community's clocks, aware UTC."""
    if when is None:
        return None
    if not isinstance(when, dt.datetime):
        when = dt.datetime.combine(when + dt.timedelta(days=1), dt.time())
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(dt.UTC)


def listed(folder: Path) -> list[Path]:
    """What lies in a folder, by name, without hidden files, symbolic links and a readme."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if not path.name.startswith(".") and not path.is_symlink())
    return sorted(path for path in found if path.name.casefold() != "readme.md")


def read_entry(kind: Kind, folder: Path) -> tuple[Entry | None, list[Finding]]:
    """Read the folder of one entry.

    Returns:
        The entry with the editions that could be read, None if there is none; and everything that is wrong.
    """
    if not folder.is_dir():
        return None, [
            Finding("library.not-read", folder, level="warning", values={"known": f"{folder.stem}/es.md"})
        ]
    if not _SLUG.fullmatch(folder.name):
        return None, [Finding("library.slug", folder)]
    editions: dict[str, Edition] = {}
    findings: list[Finding] = []
    whole = True
    for file in listed(folder):
        edition, found = _read_file(file, editions)
        findings += found
        whole = whole and all(finding.level == "warning" for finding in found)
        if edition:
            editions[edition.language] = edition
    if not editions:
        return None, findings or [Finding("library.no-edition", folder, level="warning")]
    source = min(editions.values(), key=_source_first)
    if whole:  # else the source may be the one that could not be read
        findings += _translations(source, editions.values())
    if kind == "consulate" and source.front.office is None:
        findings.append(Finding("library.no-office", source.file, 1))
    return Entry(kind, folder.name, _judged(source, editions), source), findings


def _read_file(file: Path, editions: Mapping[str, Edition]) -> tuple[Edition | None, list[Finding]]:
    if file.suffix != ".md" or not file.is_file():
        return None, [Finding("library.not-read", file, level="warning", values={"known": f"{file.stem}.md"})]
    try:
        language = languages.normalise(file.stem)
    except ValueError:
        return None, [Finding("library.language", file)]
    if language in editions:
        return None, [Finding("library.same-language", file, values={"other": editions[language].file.name})]
    return read_edition(file, language)


def _source_first(edition: Edition) -> tuple[bool, bool, bool, str]:
    """The source: what translates nothing; then Spanish, its regions, and the alphabet."""
    language = edition.language
    return bool(edition.front.translates), language != "es", languages.base(language) != "es", language


def behind(source: Edition, edition: Edition) -> Finding:
    """That a translation was made from an older text of its source."""
    values = {"hash": source.source_hash, "source": source.file.name}
    return edition.written.finding("library.stale", ("translates",), **values)


def _judged(source: Edition, editions: Mapping[str, Edition]) -> dict[str, Edition]:
    return {
        language: replace(edition, stale=_is_stale(source, edition)) for language, edition in editions.items()
    }


def _is_stale(source: Edition, edition: Edition) -> bool:
    made_from = edition.front.translates
    return edition is not source and bool(made_from) and made_from != source.source_hash


def _translations(source: Edition, editions: Collection[Edition]) -> Iterator[Finding]:
    """What a translation does not say of its source, or says otherwise."""
    known = {"hash": source.source_hash, "source": source.file.name}
    if source.front.translates:
        yield replace(source.written.finding("library.no-source", ("translates",)), level="warning")
    for edition in editions:
        if edition.language == source.language:
            continue
        if not edition.front.translates:
            yield Finding("library.no-translates", edition.file, 1, "warning", known)
        elif _is_stale(source, edition):
            yield replace(behind(source, edition), level="warning")
        for name in _ENTRY_WIDE:
            if name in edition.written.value and getattr(edition.front, name) != getattr(source.front, name):
                finding = edition.written.finding("library.elsewhere", (name,), source=source.file.name)
                yield replace(finding, level="warning")
