"""What is wrong between entries and communities: dates, areas, languages.

What may enter: judgements that need both an entry and a community, and no text of it. Slots are `slots`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from bot import languages
from bot.findings import Finding
from bot.places.districts import PART
from bot.places.spelling import plain
from bot.toml.lines import line_of, read_toml
from bot.toml.shapes import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from bot.library import Entry, Library
    from bot.timetable import Community

OVER = ("check.valid-until-past", "check.starts-past", "check.ends-past")
"""What is said of a text whose time has passed."""


def unknown_subject(entry: Entry, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """What an entry asks people's opinion about, when there is no such entry."""
    about = entry.asks_about
    if about and about not in entries:
        meant = nearest(about, entries)
        rule = "check.asks-about-near" if meant else "check.asks-about"
        yield entry.source.written.finding(rule, ("asks_about",), about=about, meant=meant or "")


def unknown_communities(entry: Entry, schedules: Path) -> Iterator[Finding]:
    """Communities that an entry is for and that have no file."""
    known = sorted(file.stem for file in schedules.glob("*.toml"))
    for index, slug in enumerate(entry.source.front.communities):
        if slug not in known:
            meant = nearest(slug, known)
            yield entry.source.written.finding(
                "check.community-near" if meant else "check.community",
                ("communities", index),
                written=slug,
                meant=meant or "",
                known=", ".join(known),
            )


def unknown_consulate(community: Community, known: Collection[str]) -> Iterator[Finding]:
    """A consulate that a community says is its own and that has no folder."""
    if community.consulate and community.consulate not in known:
        meant = nearest(community.consulate, known)
        _, text, _ = read_toml(community.file)
        rule = "check.consulate-near" if meant else "check.consulate"
        values = {"written": community.consulate, "meant": meant or ""}
        yield Finding(rule, community.file, line_of(text, ("consulate",)), values=values)


def unknown_areas(entry: Entry, counties: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    """Counties that a consulate says it serves and that are not in that state."""
    for index, area in enumerate(entry.office.serves if entry.office else ()):
        state, _, name = area.partition(": ")
        if not name or name.startswith(PART) or plain(name) in counties.get(state, ()):
            continue
        meant = nearest(plain(name), counties.get(state, ()))
        yield entry.source.written.finding(
            "check.area-near" if meant else "check.area",
            ("office", "serves", index),
            written=name,
            state=state,
            meant=meant.title() if meant else "",
        )


def stale(
    found: Iterable[Finding], texts: Library, communities: Mapping[str, Community]
) -> Iterator[Finding]:
    """The findings, with a translation that is behind its source as an error where nothing else may be said.

    A community that writes `stale_translations = "source"` has its readers get the source instead.
    """
    behind = {
        edition.file: entry
        for entry in texts.entries.values()
        for edition in entry.editions.values()
        if edition.stale
    }
    for one in found:
        entry = behind.get(one.file) if one.rule == "library.stale" else None
        places = addressed(entry, communities) if entry else []
        refused = any(place.stale_translations == "refuse" for place in places)
        yield replace(one, level="error") if refused else one


def addressed(entry: Entry, communities: Mapping[str, Community]) -> list[Community]:
    """The communities an entry is for."""
    return [one for one in communities.values() if not entry.communities or one.slug in entry.communities]


def over(entry: Entry, addressed: Collection[Community], now: datetime) -> Iterator[Finding]:
    """Texts that are no longer true anywhere, and announcements of what has begun, or ended, everywhere."""
    ends: list[tuple[str, date | None]] = [("valid_until", entry.valid_until)]
    if entry.kind == "announcement":
        ends.append(("ends", entry.ends) if entry.ends else ("starts", entry.starts))
    for key, when in ends:
        if when and addressed and all(_end(when, one.zone) <= now for one in addressed):
            finding = entry.source.written.finding(f"check.{key.replace('_', '-')}-past", (key,))
            yield replace(finding, level="warning")
            return


def _end(when: date, zone: ZoneInfo) -> datetime:
    """When a day is over, or a moment is there, in aware UTC."""
    moment = when if isinstance(when, datetime) else datetime.combine(when + timedelta(days=1), time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def uncovered(entry: Entry, addressed: Collection[Community]) -> Iterator[Finding]:
    """Languages of communities whose readers would get this entry in another language."""
    wanted = dict.fromkeys(language for community in addressed for language in community.languages)
    bases = dict.fromkeys(
        languages.base(language)
        for language in wanted
        if languages.base(entry.edition_for(language).language) != languages.base(language)
    )
    for language in bases:
        values = {"language": languages.autonym(language), "file": f"{language}.md"}
        yield Finding("check.no-edition", entry.source.file, 0, "warning", values)
