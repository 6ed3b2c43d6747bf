"""A broadcast's report, as a row of JSON and in words people use."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING

from bot.broadcasts.history import CLOCK
from bot.broadcasts.reports import COUNTED
from bot.disk import RESERVE
from bot.dispatcher import at_work
from bot.news import PREFIX
from bot.tallies import Tallies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.app import App
    from bot.broadcasts.history import Step
    from bot.broadcasts.reports import Report
    from bot.check import Project
    from bot.cli.desk import Desk
    from bot.lookout import Hindrance
    from bot.timetable import Community

_LOOKS = {
    "sent": "green",
    "delivered": "green",
    "read": "green",
    "failed": "red",
    "unknown": "yellow",
    "held": "yellow",
    "expired": "yellow",
}


_KEPT = {"asked": "dim", "open": "yellow", "repeated": "yellow", "unknown": "yellow"}
_TELLING = frozenset(
    {"draft", "returned", "rejected", "missed", "expired", "scheduled", "cancelled", "paused"}
)
"""States of which everybody asks why."""


async def known(desk: Desk, app: App, broadcast: int) -> Report:
    """The report of a broadcast, or the end of the command: there is none of this number."""
    try:
        return await app.reports.report(broadcast, app.clockwork.now())
    except KeyError:
        desk.fail("said.no-broadcast", broadcast=str(broadcast))


async def warn_of_silence(desk: Desk, app: App) -> None:
    """Say of which senders far more receipts are missing than usual."""
    senders = app.project.settings.receipted
    for silence in await Tallies(app.store).silences(senders, app.clockwork.now()):
        if silence.alarming:
            shown = {"n": silence.messages, "untold": silence.untold, "usual": round(100 * silence.usual)}
            desk.warn("said.receipts.missing", sender=silence.sender, **shown)


def as_row(report: Report) -> dict[str, object]:
    """The promised shape, and why: of each state, and of a rest until when (UTC) and for which day.

    And what was decided, by whom; and what each sender can promise of it.
    """
    rest = report.rest
    return {
        "broadcast": report.broadcast,
        "community": report.community,
        "entry": report.entry,
        "state": report.state,
        "counts": dict(report.counts),
        "reasons": [
            {
                "state": each.state,
                "reason": each.reason,
                "sender": each.sender,
                "people": each.people,
                "until": each.until.isoformat() if each.until else None,
            }
            for each in report.reasons
        ],
        "history": [
            {"state": step.state, "who": step.who, "at": step.at.isoformat(), "reason": step.reason}
            for step in report.history
        ],
        "rest": {"until": rest.until.isoformat(), "why": rest.why, "name": rest.name} if rest else None,
        "corrects": report.corrects,
        "corrected_by": report.corrected_by,
        "kept": [asdict(each) for each in report.kept],
    }


def warn_hindered(desk: Desk, hindrances: Iterable[Hindrance]) -> None:
    """Say what keeps messages waiting now."""
    for one in hindrances:
        reason = desk.phrases.say(f"reasons.{one.reason}") if one.reason else ""
        room = f"{RESERVE // 1024**2:,}"
        values = {"sender": one.sender, "broadcast": str(one.broadcast), "reason": reason, "room": room}
        desk.warn(f"hindrance.{one.kind}", **values)


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
    if report.corrects:
        desk.console.print(say("report.corrects", broadcast=str(report.corrects)), markup=False)
    if report.corrected_by:
        desk.console.print(say("report.corrected-by", broadcast=str(report.corrected_by)), markup=False)
    if report.history and report.state in _TELLING and (why_so := _reason(desk, report.history[-1])):
        desk.console.print(f"  {why_so}", style="yellow", markup=False)
    if report.state in ("draft", "submitted", "missed", "returned"):
        next_ = say(f"report.next.{report.state}", broadcast=str(report.broadcast), entry=report.entry)
        desk.console.print(f"  {next_}", style="yellow", markup=False)
    if report.entry.startswith(PREFIX) and report.state == "done" and not sum(report.counts.values()):
        desk.console.print(f"  {say('report.nothing-new')}", markup=False)
    idle = report.open > 0 and not at_work(project.settings.database_path)
    _show_counts(desk, report, community, idle=idle)
    _show_kept(desk, report)
    if idle:
        desk.console.print(f"  {say('report.idle')}", style="yellow", markup=False)
    _show_waits(desk, report, community)


def _show_waits(desk: Desk, report: Report, community: Community | None) -> None:
    """Until when all of it waits."""
    say = desk.phrases.say
    if report.state in ("scheduled", "approved") and report.due_at and community:
        when = desk.moment(report.due_at, community.zone)
        desk.console.print(f"  {say('report.due', when=when)}", markup=False)
    if report.rest and community and report.counts["held"]:
        when = desk.moment(report.rest.until, community.zone)
        waits = say("report.until", when=when, why=desk.rest(report.rest))
        desk.console.print(f"  {waits}", style="yellow", markup=False)


def _show_counts(desk: Desk, report: Report, community: Community | None, *, idle: bool) -> None:
    """How many people are in each state, and why.

    Args:
        idle: Whether nobody sends now: then nothing is leaving either.
    """
    say = desk.phrases.say
    for state in COUNTED:
        people = report.counts[state]
        if not people:
            continue
        desk.console.print(f"  {people:>9,}", style=_LOOKS.get(state, ""), end="", markup=False)
        word = "claimed-idle" if state == "claimed" and idle else state
        desk.console.print(f"  {say(f'report.{word}', n=people)}", markup=False)
        for why in report.reasons:
            if why.state == state:
                because = say("report.because", reason=say(f"reasons.{why.reason}"), n=why.people)
                if why.until and community:
                    when = desk.moment(why.until, community.zone)
                    because = say("report.because-until", because=because, when=when)
                desk.console.print(f"             {because} ({why.sender})", style="dim", markup=False)


def _show_kept(desk: Desk, report: Report) -> None:
    """How often people get it through each sender, and what nobody knows yet or ever."""
    say = desk.phrases.say
    for kept in report.kept:
        channel = say(f"channel.{kept.channel}")
        promise = say(f"report.kept.{kept.promise}", channel=channel, sender=kept.sender)
        desk.console.print(f"  {promise}", style="dim", markup=False)
        for word, style in _KEPT.items():
            if people := getattr(kept, word):
                told = say(f"report.kept.{word}", n=people)
                desk.console.print(f"             {told}", style=style, markup=False)


def show_history(desk: Desk, project: Project, report: Report) -> None:
    """Who decided what of it, and when by the community's clocks."""
    community = project.communities.get(report.community)
    for step in report.history:
        when = desk.moment(step.at, community.zone if community else UTC)
        who = desk.phrases.say("report.by-clock") if step.who == CLOCK else step.who
        state = desk.phrases.say(f"report.state-{step.state}")
        why = _reason(desk, step)
        desk.console.print(f"  {when} · {state} · {who}" + (f": {why}" if why else ""), markup=False)


def _reason(desk: Desk, step: Step) -> str:
    """In a person's own words, or what the clock's word means."""
    if step.reason is None or step.who != CLOCK:
        return step.reason or ""
    return desk.phrases.say(f"report.clock.{step.reason}")
