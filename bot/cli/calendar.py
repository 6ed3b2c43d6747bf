"""The command `calendar`: every moment of the days to come, in local time and in UTC, and what holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import timetable, words
from bot.app import App
from bot.cli.desk import Desk, command, shown, wait_for
from bot.cli.writing import find_communities

if TYPE_CHECKING:
    from datetime import date, datetime

    from bot.check import Project
    from bot.timetable import Community, Planned

_BACK = timedelta(days=31)
"""How long before the first day moments are looked at: what the night or days of rest hold leaves later."""


@click.command()
@click.option(
    "--from",
    "first",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="The first day, like 2026-12-01; today if not said.",
)
@click.option("--days", type=click.IntRange(1, 400), default=14, show_default=True, help="How many days.")
@click.option("--community", "-c", multiple=True, help="Only this community (may be repeated).")
@click.option("--ics", type=click.Path(path_type=Path, dir_okay=False), help="Write a calendar file.")
@command
def calendar(
    desk: Desk, first: datetime | None, days: int, community: tuple[str, ...], ics: Path | None
) -> None:
    """Show every moment of the days to come.

    What each community will be told, in its local time and in UTC, and what waits for the morning or for the
    end of a holiday.
    """

    async def work() -> None:
        project = desk.project()
        planned = []
        async with App(project) as app:
            for place in find_communities(desk, project, None, community):
                day = first.date() if first else timetable.shown(place, desk.now).date()
                planned += await _planned(app, place, day, days)
        planned.sort(key=lambda one: (one.local.date(), one.utc, one.community))
        _tell(desk, project, planned, ics)

    wait_for(work())


async def _planned(app: App, place: Community, first: date, days: int) -> list[Planned]:
    """What leaves from a community's local day `first` on, of its slots and of what was announced by hand."""
    begin, last = first - _BACK, first + timedelta(days=days)
    moments = timetable.calendar(place, app.project.library.starts, begin, (last - begin).days)
    known = {one.key: one for one in moments}
    for row in await app.reports.planned(place, begin, last, app.clockwork.now()):
        slot = known.get(row.key)
        known[row.key] = replace(slot, rest=row.rest or slot.rest, state=row.state) if slot else row
    return [one for one in known.values() if timetable.shown(place, one.sends_at).date() >= first]


def _tell(desk: Desk, project: Project, planned: list[Planned], ics: Path | None) -> None:
    if ics is not None:
        ics.write_bytes(timetable.as_ics(planned, desk.now, lambda one: _described(desk, project, one)))
        desk.say("calendar-written", file=str(shown(ics)))
    if desk.as_json:
        desk.answer([_as_row(one) for one in planned])
        return
    if not planned:
        desk.say("calendar-empty")
    for day, moments in groupby(planned, key=lambda one: one.local.date()):
        desk.console.print(f"\n{words.date(day, desk.phrases.language)}", style="bold", markup=False)
        for one in moments:
            _show(desk, project, one)


def _show(desk: Desk, project: Project, one: Planned) -> None:
    what = " · ".join((_entry(desk, one), desk.place(project, one.community), _slot(desk, one)))
    desk.console.print(f"  {one.local:%H:%M}", style="green", end="", markup=False)
    desk.console.print(f"  {one.utc:%Y-%m-%d %H:%M} UTC", style="dim", end="", markup=False)
    desk.console.print(f"  {what}", markup=False)
    if note := _note(desk, project, one):
        desk.console.print(f"         {note}", style="yellow", markup=False)


def _entry(desk: Desk, one: Planned) -> str:
    topics = one.entry.removeprefix("digest:")
    return desk.phrases.say("calendar.digest", topics=topics) if topics != one.entry else one.entry


def _slot(desk: Desk, one: Planned) -> str:
    return one.slot or desk.phrases.say("calendar.by-hand")


def _note(desk: Desk, project: Project, one: Planned) -> str:
    """What has become of it, and what holds it until when."""
    say, zone = desk.phrases.say, project.communities[one.community].zone
    notes = [say(f"report.state-{one.state}")] if one.state else []
    if one.local != one.utc.astimezone(zone).replace(tzinfo=None):
        notes.append(say("calendar.skipped", when=desk.moment(one.utc, zone)))
    if one.rest:
        when = desk.moment(one.sends_at, zone)
        notes.append(say("calendar.waits", when=when, why=desk.rest(one.rest)))
    return "; ".join(notes)


def _described(desk: Desk, project: Project, one: Planned) -> tuple[str, str]:
    """A moment's title and text for a calendar file."""
    place = project.communities[one.community]
    when = desk.moment(one.utc, place.zone)
    lines = [when, _slot(desk, one), _note(desk, project, one)]
    return f"{_entry(desk, one)} · {place.name}", "\n".join(line for line in lines if line)


def _as_row(one: Planned) -> dict[str, object]:
    """The promised shape, and the name of the day that holds it and what has become of it."""
    return {
        "community": one.community,
        "slot": one.slot,
        "entry": one.entry,
        "local": one.local.isoformat(),
        "utc": one.utc.isoformat(),
        "sends_at": one.sends_at.isoformat(),
        "why": one.rest.why if one.rest else "",
        "name": one.rest.name if one.rest else "",
        "state": one.state,
    }
