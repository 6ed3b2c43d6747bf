"""Everything wrong in config.toml, content/ and schedules/, gathered before anything is sent.

What may enter: reading the three together. What single texts can have wrong is `texts` and `weekdays`, what
plans can `plans` and `slots`; the sentences stand in `bot/phrases`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot import library, settings, timetable
from bot.check import plans, slots, weekdays
from bot.check import texts as wording
from bot.places.atlas import Atlas

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import date, datetime
    from pathlib import Path

    from bot.findings import Finding
    from bot.library import Entry, Library
    from bot.settings import Settings
    from bot.timetable import Community
    from bot.words import Phrases


_MISSING = frozenset(
    {
        "library.unset-name",
        "check.no-edition",
        "check.no-template",
        "check.before-no-start",
        "check.before-no-hour",
        "check.asks-about",
        "check.asks-about-near",
    }
)
"""Rules by which something is missed in an entry."""


@dataclass(frozen=True, slots=True)
class Project:
    """A deployment as it was read: what every command works on.

    Attributes:
        settings: config.toml.
        library: content/.
        communities: schedules/, by slug; those without an error.
    """

    settings: Settings
    library: Library
    communities: Mapping[str, Community]


def read(config: Path, environ: Mapping[str, str], now: datetime) -> tuple[Project | None, list[Finding]]:
    """Read a deployment: what each file shows alone.

    Args:
        config: Its config.toml; content/ and schedules/ stand beside it.
        environ: The environment, for secrets.
        now: Aware UTC: what has expired, and what lies in the past.

    Returns:
        What was read, or None when config.toml cannot be used; and what is wrong, by file and line. Content
        and schedules are read even when the config is not usable, but not where there is none.
    """
    found, texts, communities, findings = _parts(config, environ, now)
    return Project(found, texts, communities) if found else None, in_order(findings)


def check(config: Path, environ: Mapping[str, str], now: datetime) -> list[Finding]:
    """Everything that is wrong with a deployment, also what no file shows alone. Arguments as for `read`."""
    _, texts, communities, findings = _parts(config, environ, now)
    unread = _unread(findings)
    for community in communities.values():
        place = library.Place.of(community)
        today = now.astimezone(community.zone).date()
        findings += library.try_every(texts, place, community.languages, today)
        findings += about_community(community, texts, config.parent, now)
        for entry in texts.entries.values():
            if entry.communities and not entry.communities & communities.keys():  # a name may be misspelt
                findings += library.try_entry(texts, entry, place, community.languages, today)
    for entry in texts.entries.values():
        findings += about_entry(entry, texts, communities, config.parent, now)
        findings += wording.templates(entry, plans.addressed(entry, communities))
    if texts.consulates:
        counties = {state: {one.name for one in inside} for state, inside in Atlas().states.items()}
        findings += (
            found for entry in texts.consulates.values() for found in plans.unknown_areas(entry, counties)
        )
    return in_order(plans.stale(_founded(findings, unread), texts, communities))


def of_entry(
    project: Project, entry: Entry, now: datetime, places: Iterable[Community] = ()
) -> list[Finding]:
    """What stands against saying one entry now: in its files, and between it and the schedules.

    What is over is an error here: `check` only warns of it, for a text may stay as a record. That WhatsApp
    holds it for want of a template is told by the plan, with how many.

    Args:
        places: Where it is to be said: nothing may keep it from that in any of them.
    """
    _, findings = library.read(project.settings.content, today=_today(project.communities.values(), now))
    folder = entry.source.file.parent
    own = [one for one in findings if folder in one.file.parents or one.file.name == "facts.toml"]
    unread = _unread(findings)
    own += about_entry(entry, project.library, project.communities, project.settings.root, now)
    for one in places:
        today, place = now.astimezone(one.zone).date(), library.Place.of(one)
        own += library.try_entry(project.library, entry, place, one.languages, today)
    own = [replace(one, level="error") if one.rule in plans.OVER else one for one in own]
    return in_order(plans.stale(_founded(own, unread), project.library, project.communities))


def as_row(finding: Finding, phrases: Phrases) -> dict[str, str | int]:
    """A finding in the shape that `check --json` promises."""
    message, remedy = phrases.finding(finding)
    return {
        "file": str(finding.file),
        "line": finding.line,
        "level": finding.level,
        "rule": finding.rule,
        "message": message,
        "remedy": remedy,
    }


def _today(communities: Iterable[Community], now: datetime) -> date:
    """The earliest day that some community still has: a fact holds until its last day ends everywhere."""
    return min((now.astimezone(one.zone).date() for one in communities), default=now.date())


def _parts(
    config: Path, environ: Mapping[str, str], now: datetime
) -> tuple[Settings | None, Library, dict[str, Community], list[Finding]]:
    found, findings = settings.load(config, environ)
    if not config.exists():  # then nothing is expected beside it
        return None, library.Library({}, {}, now.date()), {}, findings
    language = found.language if found else settings.staff_language(environ)
    texts, communities, faults = read_beside(config.parent, found, now, language)
    return found, texts, communities, [*findings, *faults]


def read_beside(
    root: Path, found: Settings | None, now: datetime, language: str
) -> tuple[Library, dict[str, Community], list[Finding]]:
    """What stands beside a config: content/ and schedules/, and what is wrong in each of their files."""
    senders = {name: sender.channel for name, sender in found.senders.items()} if found else None
    dates, findings = timetable.read_dates(root / "content" / "dates.toml")
    communities, wrong = timetable.read(root / "schedules", senders, dates, language)
    texts, faults = library.read(root / "content", today=_today(communities.values(), now))
    return texts, communities, [*findings, *wrong, *faults]


def about_community(community: Community, texts: Library, root: Path, now: datetime) -> Iterator[Finding]:
    """What the file of a community does not show alone."""
    yield from plans.unknown_consulate(community, texts.consulates)
    yield from slots.slots(community, texts.entries, root / "content", now)


def about_entry(
    entry: Entry, texts: Library, communities: Mapping[str, Community], root: Path, now: datetime
) -> Iterator[Finding]:
    """What the files of an entry do not show alone."""
    addressed = plans.addressed(entry, communities)
    yield from plans.unknown_communities(entry, root / "schedules")
    yield from plans.unknown_subject(entry, texts.entries)
    yield from plans.over(entry, addressed, now)
    yield from plans.uncovered(entry, addressed)
    yield from weekdays.wrong_days(entry)
    yield from wording.links_and_numbers(entry, texts.facts.values())
    yield from wording.costs(texts, entry, addressed)


def _unread(findings: Iterable[Finding]) -> set[str]:
    """The entries, by slug, of which a text could not be read."""
    return {one.file.parent.name for one in findings if one.level == "error" and one.file.suffix == ".md"}


def _founded(findings: Iterable[Finding], unread: Collection[str]) -> Iterator[Finding]:
    """The findings, without those that miss what may well stand in a text that could not be read."""
    for one in findings:
        slug = one.values.get("announce") or one.values.get("about") or one.file.parent.name
        if one.rule not in _MISSING or slug not in unread:
            yield one


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Each fault once, by file and line."""
    return sorted(_once(findings), key=lambda one: (str(one.file), one.line, one.rule))


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """One fault of a text that several communities read is one fault: the first of a line and rule stands.

    Unless it quotes other values in the sentence, as two unknown names on one line do.
    """
    return list({(one.file, one.line, one.rule, str(one.values)): one for one in findings}.values())
