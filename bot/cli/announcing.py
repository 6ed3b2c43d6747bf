"""The command `announce`: one entry to the communities it is for, now or later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from bot import check, timetable
from bot.app import App
from bot.broadcasts.fanning import texts_for
from bot.cli.desk import Desk, command, wait_for
from bot.cli.planning import group_rows, local_of, plans_for, show_plan, unsayable
from bot.cli.reporting import as_row, show
from bot.cli.watching import stop_signals, watch
from bot.cli.writing import find_communities, find_entry
from bot.findings import errors

if TYPE_CHECKING:
    from datetime import datetime

    from bot.broadcasts.reports import Readers, Report
    from bot.library import Entry
    from bot.timetable import Community


@click.command()
@click.argument("entry")
@click.option("--community", "-c", multiple=True, help="Only this community (may be repeated).")
@click.option("--at", metavar="WHEN", help="When, in each community's own time: 2026-12-01T18:00.")
@click.option("--emergency", metavar="WHY", help="Pass quiet hours and every queue, for this reason.")
@click.option("--again", is_flag=True, help="Also where it was announced before.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, as `plan` does; store nothing.")
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
    local = local_of(desk, at, places)
    if emergency is not None and not emergency.strip():
        desk.fail("said.no-reason")
    findings = check.of_entry(project, found, desk.now) + unsayable(project, found, places, desk.now)
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
        """Say what would happen: the plan, as `plan` says it; in JSON a row for each group of people."""
        plans = await plans_for(self._app, self._entry, self._places, self._local, emergency=bool(self._why))
        if self._desk.as_json:
            self._desk.answer([row for plan in plans for row in group_rows(plan)])
            return
        self._desk.say("would")
        for plan in plans:
            show_plan(self._desk, plan)

    async def carry_out(self, *, wait: bool, again: bool) -> None:
        """Make the broadcasts; see them through when asked to."""
        stop = asyncio.Event()
        with stop_signals(stop):
            async with self._app as app:
                # Every text for everyone before the first row: what cannot be said somewhere is said nowhere.
                readers = [(place, await app.reports.readers(place.slug)) for place in self._places]
                for place, groups in readers:
                    self._try_texts(place, groups)
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

    def _try_texts(self, place: Community, readers: list[Readers]) -> None:
        """Raises Faults when it cannot be said to some of them."""
        texts_for(self._app.project.library, self._entry, place, readers, self._app.clockwork.now())

    def _unreached(self, place: Community, readers: list[Readers]) -> None:
        for group in readers:
            if group.channel not in place.channels:
                channel = self._desk.phrases.say(f"channel.{group.channel}")
                self._desk.warn("said.no-sender", n=group.people, community=place.name, channel=channel)
