"""A broadcast's report, as a row of JSON and in words people use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.broadcasts.reports import COUNTED
from bot.news import PREFIX

if TYPE_CHECKING:
    from bot.broadcasts.reports import Report
    from bot.check import Project
    from bot.cli.desk import Desk

_LOOKS = {
    "sent": "green",
    "delivered": "green",
    "read": "green",
    "failed": "red",
    "unknown": "yellow",
    "held": "yellow",
    "expired": "yellow",
}


def as_row(report: Report) -> dict[str, object]:
    """The promised shape, and why."""
    return {
        "broadcast": report.broadcast,
        "community": report.community,
        "entry": report.entry,
        "state": report.state,
        "counts": dict(report.counts),
        "reasons": [
            {"state": each.state, "reason": each.reason, "sender": each.sender, "people": each.people}
            for each in report.reasons
        ],
    }


def show(desk: Desk, project: Project, report: Report) -> None:
    """What became of it: how many people, in which state, and why."""
    say = desk.phrases.say
    community = project.communities.get(report.community)
    name = desk.place(project, report.community)
    title = say("report.title", broadcast=str(report.broadcast), entry=report.entry, community=name)
    desk.console.print(f"\n{title}", style="bold", end="", markup=False)
    desk.console.print(f" · {say(f'report.state-{report.state}')}", markup=False)
    if report.why:
        desk.console.print(say("report.why", why=report.why), markup=False)
    if report.entry.startswith(PREFIX) and report.state == "done" and not sum(report.counts.values()):
        desk.console.print(f"  {say('report.nothing-new')}", markup=False)
    for state in COUNTED:
        people = report.counts[state]
        if not people:
            continue
        desk.console.print(f"  {people:>9,}", style=_LOOKS.get(state, ""), end="", markup=False)
        desk.console.print(f"  {say(f'report.{state}')}", markup=False)
        for why in report.reasons:
            if why.state == state:
                because = say("report.because", reason=say(f"reasons.{why.reason}"), n=why.people)
                desk.console.print(f"             {because} ({why.sender})", style="dim", markup=False)
    if report.state == "scheduled" and report.due_at and community:
        when = desk.moment(report.due_at, community.zone)
        desk.console.print(f"  {say('report.due', when=when)}", markup=False)
    if report.rest and community and report.counts["held"]:
        when = desk.moment(report.rest.until, community.zone)
        desk.console.print(f"  {say('report.until', when=when)}", style="yellow", markup=False)
