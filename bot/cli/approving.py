"""A second person's yes: the commands `submit`, `approve`, `return` and `reject`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import click

from bot import news, timetable
from bot.app import App
from bot.broadcasts.history import Decision
from bot.broadcasts.wanted import Wanted
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


@dataclass(frozen=True, slots=True)
class _When:
    """The moments that are handed in.

    Attributes:
        local: One, by the clocks of each community; None for all slots.
        ahead: Of the slots, those of so many days.
    """

    local: datetime | None
    ahead: timedelta

    def wanted(self, app: App, entry: Entry, place: Community, now: datetime) -> list[Wanted]:
        """An entry at these moments; empty where it has no slot."""
        if self.local is not None:
            return [Wanted(entry, place, self.local.isoformat(), timetable.local_moment(place, self.local))]
        due = timetable.due(place, app.project.library.starts, now, now + self.ahead)
        return [
            Wanted(entry, place, one.key, one.moment, one.slot.late)
            for one in due
            if one.slot.entry == entry.slug
        ]


_UNDER_WAY = ("submitted", "approved", "scheduled", "running", "paused")
"""States in which an entry is on its way already: whoever hands it in now would have it said twice."""


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
    """Ask for a second person's approval of ENTRY.

    A digest that was returned is asked for by its name: digest:TOPIC+TOPIC.
    """
    project = desk.project(community)
    digest = news.name(news.topics_in(entry)) if entry.startswith(news.PREFIX) else None
    found = None if digest else find_entry(desk, project, entry, kind="announcement")
    places = find_communities(desk, project, found, community)
    when = _When(local_of(desk, at, places, found), timedelta(days=days))
    if found:
        checked(desk, project, found, places)

    async def work() -> None:
        async with App(project) as app:
            made = [
                await app.reports.report(number, app.clockwork.now())
                for place in places
                for number in await _submitted(app, digest or entry, found, place, when, by)
            ]
            for report in made:
                tell_submitted(desk, project, report)
            if not made:
                desk.say("approval.submitted-none", entry=digest or entry)
        if desk.as_json:
            desk.answer([as_row(report) for report in made])

    wait_for(work())


async def _submitted(
    app: App, slug: str, entry: Entry | None, place: Community, when: _When, by: str
) -> list[int]:
    """Hand in an entry, or a digest, in a community; what was handed in.

    Args:
        entry: None for a digest, which can be handed in again only.
    """
    now = app.clockwork.now()
    back = {
        moment: number
        for moment, number in await app.approvals.open(slug, place.slug)
        if when.local is None or moment == when.local.isoformat()
    }
    numbers = [number for number in back.values() if await app.approvals.submit_again(number, by, now)]
    wanted = when.wanted(app, entry, place, now) if entry else []
    last = await app.reports.last(slug, place.slug, now)
    under_way = last is not None and last.state in _UNDER_WAY
    if when.local is None and not back and not wanted and entry and not under_way:
        wanted = [Wanted(entry, place, f"now {now.isoformat()}", now)]
    made = [await app.approvals.submit(one, by, now) for one in wanted if one.moment not in back]
    return numbers + [number for number in made if number is not None]


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
