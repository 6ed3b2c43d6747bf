"""A second person's yes: the commands `submit`, `approve`, `return` and `reject`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import click

from bot import timetable
from bot.app import App
from bot.broadcasts.history import Decision
from bot.broadcasts.wanted import LATE, Wanted
from bot.cli.announcing import tell_submitted
from bot.cli.arming import warn_if_off
from bot.cli.asking import checked, local_of
from bot.cli.desk import Desk, command, signed, wait_for
from bot.cli.reporting import as_row, known
from bot.cli.writing import find_communities, find_entry

if TYPE_CHECKING:
    from datetime import datetime

    from bot.library import Entry
    from bot.timetable import Community


@click.command()
@click.argument("entry")
@click.option("--community", "-c", multiple=True, help="Only this community (may be repeated).")
@click.option("--at", metavar="WHEN", help="When, in each community's own time: 2026-12-01T18:00.")
@click.option(
    "--days",
    type=click.IntRange(min=1, max=366),
    default=31,
    show_default=True,
    help="Without --at, all its slots of so many days; without any slot, now.",
)
@signed
@command
def submit(desk: Desk, entry: str, community: tuple[str, ...], at: str | None, days: int, by: str) -> None:
    """Ask for a second person's approval of ENTRY."""
    project = desk.project()
    found = find_entry(desk, project, entry, kind="announcement")
    places = find_communities(desk, project, found, community)
    local = local_of(desk, at, places)
    checked(desk, project, found, places)

    async def work() -> None:
        async with App(project) as app:
            now, made = app.clockwork.now(), []
            for place in places:
                for wanted in await _wanted(app, found, place, local, timedelta(days=days)):
                    number = await app.approvals.submit(wanted, by, now)
                    if number is not None:
                        made.append(await app.reports.report(number, now))
            for report in made:
                tell_submitted(desk, project, report)
            if not made:
                desk.say("approval.submitted-none", entry=found.slug)
        if desk.as_json:
            desk.answer([as_row(report) for report in made])

    wait_for(work())


async def _wanted(
    app: App, entry: Entry, place: Community, local: datetime | None, ahead: timedelta
) -> list[Wanted]:
    """The moments of an entry in a community that somebody hands in."""
    now = app.clockwork.now()
    if local is not None:
        return [Wanted(entry, place, local.isoformat(), timetable.local_moment(place, local))]
    due = timetable.due(place, app.project.library.starts, now, now + ahead)
    slots = {one.key: (one.moment, one.slot.late) for one in due if one.slot.entry == entry.slug}
    back = {moment: (due_at, LATE) for moment, due_at in await app.approvals.open(entry.slug, place.slug)}
    moments = back | slots or {f"now {now.isoformat()}": (now, LATE)}
    return [Wanted(entry, place, moment, due_at, late) for moment, (due_at, late) in moments.items()]


@click.command()
@click.argument("broadcast", type=int)
@signed
@command
def approve(desk: Desk, broadcast: int, by: str) -> None:
    """Say yes to BROADCAST as it stands.

    Nobody approves what they submitted themselves.
    """

    async def work() -> None:
        async with App(desk.deployment()) as app:
            await warn_if_off(desk, app)
            before = await known(desk, app, broadcast)
            answer = await app.approvals.approve(broadcast, Decision(by, app.clockwork.now()))
            place = app.project.communities.get(before.community)
            when = desk.moment(before.due_at, place.zone) if before.due_at and place else ""
            desk.say(f"approval.{answer}", broadcast=str(broadcast), entry=before.entry, when=when, by=by)
            if desk.as_json:
                desk.answer(as_row(await app.reports.report(broadcast, app.clockwork.now())))
        if answer not in ("approved", "running"):
            desk.fail()

    wait_for(work())


_REASON = click.option("--reason", metavar="WHY", required=True, help="Why, for whoever submitted it.")


@click.command("return")
@click.argument("broadcast", type=int)
@_REASON
@signed
@command
def return_(desk: Desk, broadcast: int, reason: str, by: str) -> None:
    """Give BROADCAST back to be mended."""
    _say_no(desk, broadcast, "returned", Decision(by, desk.now, reason))


@click.command()
@click.argument("broadcast", type=int)
@_REASON
@signed
@command
def reject(desk: Desk, broadcast: int, reason: str, by: str) -> None:
    """Say no to BROADCAST for good."""
    _say_no(desk, broadcast, "rejected", Decision(by, desk.now, reason))


def _say_no(desk: Desk, broadcast: int, word: Literal["returned", "rejected"], decision: Decision) -> None:
    async def work() -> None:
        async with App(desk.deployment()) as app:
            before = await known(desk, app, broadcast)
            say_no = app.approvals.give_back if word == "returned" else app.approvals.reject
            done = await say_no(broadcast, decision)
            key = f"approval.{word if done else 'not-submitted'}"
            desk.say(key, broadcast=str(broadcast), entry=before.entry)
            if desk.as_json:
                desk.answer(as_row(await app.reports.report(broadcast, app.clockwork.now())))
        if not done:
            desk.fail()

    wait_for(work())
