"""What an edit brings to a deployment at work: the good is taken up, the broken keeps its last good version.

What may enter: comparing what was read before with what is read now. When it is read is `bot/editing.py`.

One community, one entry and facts.toml are a unit each. A broken unit keeps its last version, unless that is
as broken by what is known now; one that is deleted is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot import check, library
from bot.check import Project
from bot.findings import errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from bot.findings import Finding
    from bot.library import Entry, Library
    from bot.library.facts import Fact
    from bot.timetable import Community

_OVER = "library.expired-fact"
"""Staff say that something is no longer true: no reason to go on saying it."""


def reread(last: Project, now: datetime) -> tuple[Project, list[Finding]]:
    """Read content/ and schedules/ anew, under the settings that are at work.

    Args:
        last: What goes on where an edit is broken.
        now: Aware UTC.

    Returns:
        What to work on from now on; and the errors that kept something from being taken up.
    """
    root = last.settings.root
    texts, communities, findings = check.read_beside(root, last.settings, now, last.settings.language)
    edit = _Edit(last, texts, communities, errors(findings), now)
    heard = edit.heard()
    entries, facts = edit.content(heard)
    good = replace(texts, entries=entries, facts=facts)
    return Project(last.settings, good, edit.planned(heard, good)), check.in_order(edit.findings)


@dataclass
class _Edit:
    """One reading beside the last.

    Attributes:
        findings: The errors for which something is not taken up.
    """

    last: Project
    texts: Library
    communities: Mapping[str, Community]
    findings: list[Finding]
    now: datetime

    def heard(self) -> dict[str, Community]:
        """The communities whose files can be read, and the last version of those whose file cannot."""
        kept = {slug: one for slug, one in self.last.communities.items() if _concern(one.file, self.findings)}
        heard = {**self.communities, **kept}
        return {one.slug: one for one in sorted(heard.values(), key=lambda one: one.file)}  # as `timetable`

    def content(self, heard: Mapping[str, Community]) -> tuple[dict[str, Entry], Mapping[str, Fact]]:
        """The entries and facts that can be said together.

        New facts that would silence a text which nobody touched are not taken up, nor what quotes them.
        """
        last = self.last.library
        if not _concern(self.last.settings.content / "facts.toml", self.findings):
            entries, broken = self._entries(self.texts.facts, heard)
            silenced = self._silenced(entries, heard) if self.texts.facts != last.facts else []
            if not silenced:
                self.findings += broken
                return entries, self.texts.facts
            self.findings += silenced
        entries, broken = self._entries(last.facts, heard)
        self.findings += broken
        return entries, last.facts

    def planned(self, heard: Mapping[str, Community], good: Library) -> dict[str, Community]:
        """The communities whose plans hold beside the texts; of the others the last version."""
        planned = dict(heard)
        for slug, before in self.last.communities.items():
            if slug not in heard or heard[slug] == before:
                continue
            faults = self._faults_of_plan(heard[slug], good)
            if faults and not self._faults_of_plan(before, good):
                planned[slug] = before
                self.findings += faults
        return planned

    def _entries(
        self, facts: Mapping[str, Fact], heard: Mapping[str, Community]
    ) -> tuple[dict[str, Entry], list[Finding]]:
        """Every entry, new or last, beside these facts; and what is wrong with those that are not new."""
        entries = dict(self.texts.entries)
        touched: dict[str, Entry] = {}
        for slug, before in self.last.library.entries.items():
            if _concern(before.source.file.parent, self.findings):
                entries[slug] = before
            elif slug in entries and entries[slug] != before:
                touched[slug] = before
        broken: list[Finding] = []
        beside = replace(self.texts, entries=entries, facts=facts)
        for slug, before in touched.items():
            faults = self._faults_of(entries[slug], beside, heard)
            if faults and not self._faults_of(before, beside, heard):
                entries[slug] = before
                broken += faults
        return entries, broken

    def _silenced(self, entries: Mapping[str, Entry], heard: Mapping[str, Community]) -> list[Finding]:
        """What keeps the last version of a text from being said with the new facts, and not with the last."""
        now, before = replace(self.texts, entries=entries), replace(self.last.library, entries=entries)
        return [
            finding
            for slug, entry in entries.items()
            if entry == self.last.library.entries.get(slug)
            for finding in _unsayable(entry, now, heard, self.now)
            if finding.rule != _OVER and not _unsayable(entry, before, heard, self.now)
        ]

    def _faults_of(self, entry: Entry, beside: Library, heard: Mapping[str, Community]) -> list[Finding]:
        about = check.about_entry(entry, beside, heard, self.last.settings.root, self.now)
        return [*errors(about), *_unsayable(entry, beside, heard, self.now)]

    def _faults_of_plan(self, community: Community, good: Library) -> list[Finding]:
        return errors(check.about_community(community, good, self.last.settings.root, self.now))


def _concern(path: Path, findings: Iterable[Finding]) -> bool:
    """Whether one of them is about a file or folder, something in it, or the folder around it."""
    return any(path == one.file or path in one.file.parents or one.file in path.parents for one in findings)


def _unsayable(entry: Entry, beside: Library, heard: Mapping[str, Community], now: datetime) -> list[Finding]:
    """What keeps an entry from being said where it is addressed."""
    return [
        finding
        for one in heard.values()
        if not entry.communities or one.slug in entry.communities
        for finding in library.try_entry(
            beside,
            entry,
            library.Place.of(one),
            one.languages,
            now.astimezone(one.zone).date(),
        )
    ]
