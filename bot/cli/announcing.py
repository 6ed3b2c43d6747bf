"""The command `announce`: one entry to the communities it is for, now or later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
from pydantic_core import PydanticCustomError

from bot import check, library, timetable
from bot.app import App
from bot.cli.desk import Desk, command, wait_for
from bot.cli.reporting import as_row, show
from bot.cli.watching import stop_signals, watch
from bot.cli.writing import find_communities, find_entry
from bot.findings import Finding, errors
from bot.rendering import render

if TYPE_CHECKING:
    from datetime import datetime

    from bot.broadcasts.reports import Readers, Report
    from bot.check import Project
    from bot.library import Entry
    from bot.timetable import Community


@click.command()
@click.argument("entry")
@click.option("--community", "-c", multiple=True, help="Only this community (may be repeated).")
@click.option(
    "--at", metavar="WHEN", help="When, in each community's own time: 2026-12-01T18:00, or in words."
)
@click.option("--emergency", metavar="WHY", help="Pass quiet hours and every queue, for this reason.")
@click.option("--again", is_flag=True, help="Also where it was announced before.")
@click.option("--dry-run", is_flag=True, help="Say who would get it, store nothing.")
@click.option("--wait", is_flag=True, help="Send now, show the progress to the end, and report.")
@command
def announce(
    desk: Desk,
    entry: str,
    community: tuple[str, ...],
    at: str | None,
    emergency: str | None,
    *,
    again: bool,
    dry_run: bool,
    wait: bool,
) -> None:
    """Announce ENTRY to the communities it is for.

    Nobody gets it twice: where it was announced before, it is not repeated without --again.
    """
    project = desk.project()
    found = find_entry(desk, project, entry, kind="announcement")
    places = find_communities(desk, project, found, community)
    local = _local(desk, at, places)
    if emergency is not None and not emergency.strip():
        desk.fail("said.no-reason")
    findings = check.of_entry(project, found, desk.now) + _unsayable(project, found, places, desk.now)
    desk.findings(findings, to=desk.notes)
    if errors(findings):
        desk.fail()
    order = _Order(desk, App(project), found, places, local, emergency)
    wait_for(order.rehearse() if dry_run else order.carry_out(wait=wait, again=again))


class _Order:
    """One `announce`, on its way through the deployment."""

    def __init__(
        self,
        desk: Desk,
        app: App,
        entry: Entry,
        places: list[Community],
        local: datetime | None,
        why: str | None,
    ) -> None:
        self._desk, self._app, self._entry = desk, app, entry
        self._places, self._local, self._why = places, local, why

    async def rehearse(self) -> None:
        """Say who would get it."""
        async with self._app as app:
            rows = []
            for place in self._places:
                readers = await app.reports.readers(place.slug)
                here = self._would_all(place, readers)
                rows += here
                if not self._desk.as_json:
                    self._say_would(place, here)
                self._unreached(place, readers)
        if self._desk.as_json:
            self._desk.answer(rows)

    async def carry_out(self, *, wait: bool, again: bool) -> None:
        """Make the broadcasts; see them through when asked to."""
        stop = asyncio.Event()
        with stop_signals(stop):
            async with self._app as app:
                # Every text for everyone before the first row: what cannot be said somewhere is said nowhere.
                readers = [(place, await app.reports.readers(place.slug)) for place in self._places]
                for place, groups in readers:
                    self._would_all(place, groups)
                numbers = [await self._announce(place, groups, again=again) for place, groups in readers]
                made = [number for number in numbers if number is not None]
                reports = await self._reports(made)
                running = [report.broadcast for report in reports if report.state == "running"]
                finished = True
                if wait and running:
                    finished = await watch(self._desk, app, running, stop)
                    reports = await self._reports(made)
                elif running:
                    self._desk.say("run-sends")
        self._tell(reports, in_full=wait)
        if not finished:
            self._desk.fail()

    async def _reports(self, made: list[int]) -> list[Report]:
        now = self._app.clockwork.now()
        return [await self._app.reports.report(number, now) for number in made]

    def _tell(self, reports: list[Report], *, in_full: bool) -> None:
        if self._desk.as_json:
            self._desk.answer([as_row(report) for report in reports])
        elif in_full:
            for report in reports:
                show(self._desk, self._app.project, report)

    async def _announce(self, place: Community, readers: list[Readers], *, again: bool) -> int | None:
        """The number of the broadcast that says it there; None where there is nobody to say it to."""
        now = self._app.clockwork.now()
        due_at = timetable.local_moment(place, self._local) if self._local else now
        moment = self._local.isoformat() if self._local else f"now {now.isoformat()}"
        last = await self._app.reports.last(self._entry.slug, place.slug, now)
        names = {"entry": self._entry.slug, "community": place.name}
        if last is not None and not again:
            self._desk.say(f"already-was-{last.state}", broadcast=str(last.broadcast), **names)
            return last.broadcast
        self._unreached(place, readers)
        if not readers and due_at <= now:
            self._desk.say("nobody", community=place.name)
            return None
        number = await self._app.broadcasts.announce(
            self._entry, place, moment=moment, due_at=due_at, now=now, why=self._why
        )
        if number is None:
            self._desk.say("already", **names)
        elif due_at > now:
            when = self._desk.moment(due_at, place.zone)
            self._desk.say("scheduled", broadcast=str(number), when=when, **names)
        else:
            report = await self._app.reports.report(number, now)
            self._desk.say("announced", broadcast=str(number), n=sum(report.counts.values()), **names)
        return number

    def _would_all(self, place: Community, readers: list[Readers]) -> list[dict[str, object]]:
        """What each group of readers would get. Raises Faults when it cannot be said."""
        return [self._would(place, group) for group in readers if group.channel in place.channels]

    def _would(self, place: Community, group: Readers) -> dict[str, object]:
        now = self._app.clockwork.now()
        text = render(self._app.project.library, self._entry, place, group.channel, group.language, now)
        return {
            "community": place.slug,
            "channel": group.channel,
            "language": group.language,
            "edition": text.edition,
            "people": group.people,
            "segments": sum(part.segments for part in text.open),
        }

    def _say_would(self, place: Community, rows: list[dict[str, object]]) -> None:
        people = sum(int(str(row["people"])) for row in rows)
        if not people:
            self._desk.say("nobody", community=place.name)
            return
        self._desk.say("would", n=people, entry=self._entry.slug, community=place.name)
        say = self._desk.phrases.say
        for row in rows:
            segments = say("said.segments", n=row["segments"])
            channel = say(f"channel.{row['channel']}")
            self._desk.say(
                "would-row", **row | {"n": row["people"], "channel": channel, "segments": segments}
            )

    def _unreached(self, place: Community, readers: list[Readers]) -> None:
        for group in readers:
            if group.channel not in place.channels:
                channel = self._desk.phrases.say(f"channel.{group.channel}")
                self._desk.warn("said.no-sender", n=group.people, community=place.name, channel=channel)


def _unsayable(project: Project, entry: Entry, places: list[Community], now: datetime) -> list[Finding]:
    """What keeps the entry from being said in any of the communities: nothing is made in the others then."""
    return [
        finding
        for place in places
        for finding in library.try_entry(
            project.library,
            entry,
            library.Place.of(place),
            place.languages,
            now.astimezone(place.zone).date(),
        )
    ]


def _local(desk: Desk, at: str | None, places: list[Community]) -> datetime | None:
    """What `--at` says, naive; ends the command when it is no date, or is over in one of the communities."""
    if at is None:
        return None
    try:
        local = timetable.once(at, timetable.shown(places[0], desk.now).date())
    except PydanticCustomError as error:
        said = Finding(error.type, desk.config, values={k: str(v) for k, v in (error.context or {}).items()})
        desk.fail("said.bad-when", why=" ".join(desk.phrases.finding(said)))
    for place in places:
        if timetable.local_moment(place, local) <= desk.now:
            desk.fail("said.past-when", when=at, community=place.name)
    return local
