"""Commands for a broadcast's life: `announce`, `report`, `pause`, `resume`, `cancel`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import click

from bot import check, library, timetable
from bot.app import App
from bot.cli.desk import Desk, command, wait_for
from bot.cli.reporting import as_row, show
from bot.cli.watching import watch
from bot.cli.writing import find_communities, find_entry
from bot.findings import errors
from bot.rendering import render

if TYPE_CHECKING:
    from bot.broadcasts import Readers
    from bot.check import Project
    from bot.findings import Finding
    from bot.library import Entry
    from bot.timetable import Community


@click.command()
@click.argument("entry")
@click.option("--community", "-c", multiple=True, help="Only this community (may be repeated).")
@click.option("--at", help="When, in each community's own time: 2026-12-01T18:00.")
@click.option("--emergency", metavar="WHY", help="Pass quiet hours and every queue, for this reason.")
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
    dry_run: bool,
    wait: bool,
) -> None:
    """Announce ENTRY to the communities it is for."""
    project = desk.project()
    found = find_entry(desk, project, entry)
    if found.kind != "announcement":
        desk.fail("said.not-announcement", entry=entry)
    local = _local(desk, at)
    places = find_communities(desk, project, found, community)
    findings = check.of_entry(project, found, desk.now) + _unsayable(project, found, places, desk.now)
    desk.findings(findings, to=desk.notes)
    if errors(findings):
        desk.fail()
    order = _Order(desk, App(project), found, places, local, emergency)
    wait_for(order.rehearse() if dry_run else order.carry_out(wait=wait))


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
                readers = await app.broadcasts.readers(place.slug)
                rows += [self._would(place, group) for group in readers if group.channel in place.channels]
                if not self._desk.as_json:
                    people = sum(group.people for group in readers if group.channel in place.channels)
                    self._desk.say("would", n=people, entry=self._entry.slug, community=place.name)
                    for row in rows[-len(readers) :]:
                        self._desk.say("would-row", **row)
                self._unreached(place, readers)
        if self._desk.as_json:
            self._desk.answer([{k: v for k, v in row.items() if k != "n"} for row in rows])

    async def carry_out(self, *, wait: bool) -> None:
        """Make the broadcasts; see them through when asked to."""
        async with self._app as app:
            made = [number for place in self._places if (number := await self._announce(place)) is not None]
            now = app.clockwork.now()
            reports = [await app.broadcasts.report(number, now) for number in made]
            running = [report.broadcast for report in reports if report.state == "running"]
            finished = True
            if wait and running:
                finished = await watch(self._desk, app, running)
                now = app.clockwork.now()
                reports = [await app.broadcasts.report(number, now) for number in made]
            elif running:
                self._desk.say("run-sends")
            if self._desk.as_json:
                self._desk.answer([as_row(report) for report in reports])
            elif wait:
                for report in reports:
                    show(self._desk, app.project, report)
        if not finished:
            self._desk.fail()

    async def _announce(self, place: Community) -> int | None:
        now = self._app.clockwork.now()
        due_at = timetable.local_moment(place, self._local) if self._local else now
        moment = self._local.isoformat() if self._local else f"now {now.isoformat()}"
        readers = await self._app.broadcasts.readers(place.slug)
        self._unreached(place, readers)
        if not readers and due_at <= now:
            self._desk.say("nobody", community=place.name)
            return None
        number = await self._app.broadcasts.announce(
            self._entry, place, moment=moment, due_at=due_at, now=now, why=self._why
        )
        names = {"entry": self._entry.slug, "community": place.name}
        if number is None:
            self._desk.say("already", **names)
        elif due_at > now and self._local is not None:
            when = self._desk.moment(due_at, place.zone)
            self._desk.say("scheduled", broadcast=str(number), when=when, **names)
        else:
            report = await self._app.broadcasts.report(number, now)
            self._desk.say("announced", broadcast=str(number), n=sum(report.counts.values()), **names)
        return number

    def _would(self, place: Community, group: Readers) -> dict[str, object]:
        now = self._app.clockwork.now()
        text = render(self._app.project.library, self._entry, place, group.channel, group.language, now)
        return {
            "n": group.people,
            "community": place.slug,
            "channel": group.channel,
            "language": group.language,
            "edition": text.edition,
            "people": group.people,
            "segments": self._desk.phrases.say("said.segments", n=sum(part.segments for part in text.open)),
        }

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
        for finding in library.try_every(
            replace(project.library, entries={entry.slug: entry}),
            library.Place(place.slug, place.name, place.zone),
            place.languages,
            now.astimezone(place.zone).date(),
        )
    ]


def _local(desk: Desk, at: str | None) -> datetime | None:
    if at is None:
        return None
    try:
        local = datetime.fromisoformat(at)
    except ValueError:
        desk.fail("said.bad-when", when=at)
    if local.tzinfo is not None:
        desk.fail("said.bad-when", when=at)
    return local


@click.command()
@click.argument("broadcast", type=int, required=False)
@command
def report(desk: Desk, broadcast: int | None) -> None:
    """Say what became of BROADCAST, or of all of them."""

    async def work() -> None:
        async with App(desk.deployment()) as app:
            now = app.clockwork.now()
            try:
                reports = (
                    await app.broadcasts.reports(now)
                    if broadcast is None
                    else [await app.broadcasts.report(broadcast, now)]
                )
            except KeyError:
                desk.fail("said.no-broadcast", broadcast=str(broadcast))
        if desk.as_json:
            rows = [as_row(each) for each in reports]
            desk.answer(rows if broadcast is None else rows[0])
            return
        if not reports:
            desk.say("no-broadcasts")
        for each in reports:
            show(desk, app.project, each)

    wait_for(work())


@click.command()
@click.argument("broadcast", type=int)
@command
def pause(desk: Desk, broadcast: int) -> None:
    """Let nothing more of BROADCAST leave until it is resumed."""

    async def work() -> None:
        async with App(desk.deployment()) as app:
            await _known(desk, app, broadcast)
            moved = await app.broadcasts.pause(broadcast)
            await _after(desk, app, broadcast, "paused" if moved else "not-running", moved=moved)

    wait_for(work())


@click.command()
@click.argument("broadcast", type=int)
@command
def resume(desk: Desk, broadcast: int) -> None:
    """Go on with BROADCAST: with whom nothing was ever sent to."""

    async def work() -> None:
        async with App(desk.deployment()) as app:
            await _known(desk, app, broadcast)
            moved = await app.broadcasts.resume(broadcast)
            await _after(desk, app, broadcast, "resumed" if moved else "not-paused", moved=moved)

    wait_for(work())


@click.command()
@click.argument("broadcast", type=int)
@command
def cancel(desk: Desk, broadcast: int) -> None:
    """End BROADCAST for good. What has gone has gone."""

    async def work() -> None:
        async with App(desk.deployment()) as app:
            await _known(desk, app, broadcast)
            stopped = await app.broadcasts.cancel(broadcast, app.clockwork.now())
            counts = (await app.broadcasts.report(broadcast, app.clockwork.now())).counts
            gone = sum(counts[state] for state in ("claimed", "sent", "delivered", "read", "unknown"))
            await _after(desk, app, broadcast, "cancelled", moved=True, n=stopped, gone=gone)

    wait_for(work())


async def _known(desk: Desk, app: App, broadcast: int) -> None:
    try:
        await app.broadcasts.report(broadcast, app.clockwork.now())
    except KeyError:
        desk.fail("said.no-broadcast", broadcast=str(broadcast))


async def _after(desk: Desk, app: App, broadcast: int, key: str, *, moved: bool, **values: object) -> None:
    desk.say(key, broadcast=str(broadcast), **values)
    if desk.as_json:
        desk.answer(as_row(await app.broadcasts.report(broadcast, app.clockwork.now())))
    if not moved:
        desk.fail()
