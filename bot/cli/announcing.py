"""The command `announce`: one entry to the communities it is for, now or later."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bot import timetable
from bot.app import App
from bot.arming import DOUBTS
from bot.broadcasts.fanning import texts_for
from bot.broadcasts.history import Decision
from bot.broadcasts.wanted import Wanted
from bot.cli.arming import warn_if_off
from bot.cli.asking import checked, local_of
from bot.cli.desk import Desk, command, signed, wait_for
from bot.cli.planning import group_rows, plans_for, show_plan, warn_if_over
from bot.cli.reporting import as_row, show
from bot.cli.urgency import with_emergency
from bot.cli.watching import stop_signals, watch
from bot.cli.writing import find_communities, find_entry

if TYPE_CHECKING:
    from datetime import datetime

    from bot.broadcasts.reports import Readers, Report
    from bot.check import Project
    from bot.cli.urgency import Asked, Emergency
    from bot.library import Entry
    from bot.timetable import Community


@click.command()
@click.argument("entry")
@click.option("--community", "-c", multiple=True, help="Only this community (may be repeated).")
@click.option(
    "--at", metavar="WHEN", help="When, in each community's own time: 2026-12-01T18:00, or in words."
)
@with_emergency
@click.option("--again", is_flag=True, help="Also where it was announced before.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, as `plan` does; store nothing.")
@click.option("--wait", is_flag=True, help="Send now, show the progress to the end, and report.")
@signed
@command
def announce(
    desk: Desk,
    entry: str,
    community: tuple[str, ...],
    at: str | None,
    by: str,
    *,
    asked: Asked,
    again: bool,
    dry_run: bool,
    wait: bool,
) -> None:
    """Announce ENTRY to the communities it is for.

    Nobody gets it twice: where it was announced before, it is not repeated without --again.
    """
    project = desk.project(community)
    found = find_entry(desk, project, entry, kind="announcement")
    places = find_communities(desk, project, found, community)
    local = local_of(desk, at, places, found)
    emergency = asked.emergency(desk, found, by)
    checked(desk, project, found, places)
    order = _Order(desk, App(project), found, places, local, by, emergency)
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
        by: str,
        emergency: Emergency | None,
    ) -> None:
        self._desk, self._app, self._entry = desk, app, entry
        self._places, self._local, self._by, self._emergency = places, local, by, emergency
        self._made: set[int] = set()

    async def rehearse(self) -> None:
        """Say what would happen: the plan, as `plan` says it; in JSON a row for each group of people."""
        plans = await plans_for(
            self._app, self._entry, self._places, self._local, emergency=bool(self._emergency)
        )
        if self._desk.as_json:
            self._desk.answer([row for plan in plans for row in group_rows(plan)])
            return
        self._desk.say("would")
        for plan in plans:
            show_plan(self._desk, plan)
            warn_if_over(self._desk, self._entry, plan)

    async def carry_out(self, *, wait: bool, again: bool) -> None:
        """Make the broadcasts; see them through when asked to."""
        stop = asyncio.Event()
        with stop_signals(stop):
            async with self._app as app:
                off = await warn_if_off(self._desk, app)
                silent = off is not None and not (off in DOUBTS and self._emergency)
                if wait and silent:
                    self._desk.fail()
                # Every text for everyone before the first row: what cannot be said somewhere is said nowhere.
                readers = [(place, await app.reports.readers(place.slug)) for place in self._places]
                for place, groups in readers:
                    self._try_texts(place, groups)
                numbers = [await self._announce(place, groups, again=again) for place, groups in readers]
                told = [number for number in numbers if number is not None]
                reports = await self._reports(told)
                running = [report.broadcast for report in reports if report.state == "running"]
                finished = True
                if wait and running:
                    finished = await watch(self._desk, app, running, stop)
                    reports = await self._reports(told)
                elif not silent and any(one.open for one in reports if one.broadcast in self._made):
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
        """The number of the broadcast that says it there, also of one before; None where nobody hears it."""
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
        wanted = Wanted(self._entry, place, moment, due_at)
        if self._emergency:
            wanted = replace(wanted, why=self._emergency.why, until=max(due_at, now) + self._emergency.lasts)
        number = await self._app.broadcasts.announce(wanted, by=self._by, now=now)
        if number is None:
            self._desk.say("already", **names)
            return None
        self._made.add(number)
        if self._emergency and self._emergency.second:
            await self._app.approvals.approve(number, Decision(self._emergency.second, now))
        self._tell_made(await self._app.reports.report(number, now), place)
        return number

    def _tell_made(self, report: Report, place: Community) -> None:
        names = {"entry": report.entry, "community": place.name, "broadcast": str(report.broadcast)}
        match report.state:
            case "submitted":
                tell_submitted(self._desk, self._app.project, report)
            case "scheduled" | "approved" if report.due_at:
                self._desk.say("scheduled", when=self._desk.moment(report.due_at, place.zone), **names)
            case "expired":
                self._desk.say("already-was-expired", **names)
            case _:
                self._desk.say("announced", n=sum(report.counts.values()), **names)
                self._warn_held(report, place)

    def _warn_held(self, report: Report, place: Community) -> None:
        """Say what does not leave with the rest: until when the community rests, who has to write first."""
        if report.rest and report.counts["held"]:
            until = self._desk.moment(report.rest.until, place.zone)
            self._desk.warn("report.until", when=until, why=self._desk.rest(report.rest))
        closed = sum(why.people for why in report.reasons if (why.state, why.reason) == ("held", "window"))
        if closed:
            self._desk.warn("plan.window", n=closed)

    def _try_texts(self, place: Community, readers: list[Readers]) -> None:
        """Raises Faults when it cannot be said to some of them."""
        texts_for(self._app.project.library, self._entry, place, readers, self._app.clockwork.now())

    def _unreached(self, place: Community, readers: list[Readers]) -> None:
        for group in readers:
            if group.channel not in place.channels:
                channel = self._desk.phrases.say(f"channel.{group.channel}")
                self._desk.warn("said.no-sender", n=group.people, community=place.name, channel=channel)


def tell_submitted(desk: Desk, project: Project, report: Report) -> None:
    """What a second person has to type."""
    key = "approval.emergency" if report.why else "approval.submitted"
    place = project.communities[report.community]
    when = desk.moment(report.due_at, place.zone) if report.due_at else ""
    desk.say(key, broadcast=str(report.broadcast), entry=report.entry, community=place.name, when=when)
