"""The command `plan`: who would get an entry, when, for how much, and who would not.

In JSON it is a row for each community:

    {community, entry, at, rest, starts, finishes, hours, people, messages, segments, fallback,
     groups: [{community, channel, language, edition, sender, way, people, messages, segments, held, until}],
     costs: [{currency, amount}], unpriced: [sender],
     window: {outside, template, held}, us_numbers: {people, held, next_channel},
     enough: [{until, people}], repeated, passed_over: {topics, linked, "no-sender", left, gone}}

Moments are UTC. `people` counts everybody in `groups`, `messages` and `segments` all that goes without
anybody doing anything; those of a group are of one person. `way` is `text` or `template`; `held` is null,
`window`, `us-template`, `enough` or `enough-too-late`. `rest` is null or `{until, why, name}`; `hours` lie
between `starts` and `finishes`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from bot import languages, timetable, words
from bot.app import App
from bot.cli.asking import checked, local_of
from bot.cli.desk import Desk, command, wait_for
from bot.cli.writing import find_communities, find_entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bot.broadcasts.groups import Group, Held
    from bot.broadcasts.plan import Plan
    from bot.library import Entry
    from bot.timetable import Community

_UNTIL_WORD: tuple[Held, ...] = ("window", "us-template")
"""What holds somebody until they write."""
_MINUTE, _HOUR = 60, 3600
_LONG = 2
"""Hours from which an end is told in hours."""


@click.command()
@click.argument("entry")
@click.option("--community", "-c", multiple=True, help="Only this community (may be repeated).")
@click.option(
    "--at", metavar="WHEN", help="When, in each community's own time: 2026-12-01T18:00, or in words."
)
@command
def plan(desk: Desk, entry: str, community: tuple[str, ...], at: str | None) -> None:
    """Say what would happen if ENTRY were announced.

    Nothing is stored and nothing is sent.
    """
    project = desk.project(community)
    found = find_entry(desk, project, entry, kind="announcement")
    places = find_communities(desk, project, found, community)
    local = local_of(desk, at, places, found)
    checked(desk, project, found, places)

    async def work() -> None:
        plans = await plans_for(App(project), found, places, local)
        if desk.as_json:
            desk.answer([plan_row(one) for one in plans])
            return
        for one in plans:
            show_plan(desk, one)
            warn_if_over(desk, found, one)

    wait_for(work())


def warn_if_over(desk: Desk, entry: Entry, plan: Plan) -> None:
    """Say that nothing leaves, where the entry is of no use any more when the first message could."""
    expires = entry.expires(plan.community.zone)
    if expires is not None and plan.starts >= expires:
        desk.warn("said.plan-over", entry=entry.slug, end=desk.moment(expires, plan.community.zone))


async def plans_for(
    app: App, entry: Entry, places: list[Community], local: datetime | None, *, emergency: bool = False
) -> list[Plan]:
    """What would happen in each community, now or when its clocks show `local`; the earliest first."""
    async with app:
        now = app.clockwork.now()
        moments = [(place, timetable.local_moment(place, local) if local else now) for place in places]
        return await app.plans.plan(entry, sorted(moments, key=lambda one: one[1]), emergency=emergency)


def plan_row(plan: Plan) -> dict[str, object]:
    """A plan in the shape that stands above."""
    rest, outside = plan.rest, [group for group in plan.groups if group.template or group.held in _UNTIL_WORD]
    template = sum(group.people for group in outside if group.template)
    return {
        "community": plan.community.slug,
        "entry": plan.entry,
        "at": plan.at.isoformat(),
        "rest": {"until": rest.until.isoformat(), "why": rest.why, "name": rest.name} if rest else None,
        "starts": plan.starts.isoformat(),
        "finishes": plan.finishes.isoformat() if plan.finishes else None,
        "hours": _hours(plan),
        "people": plan.people(),
        "messages": plan.messages,
        "segments": plan.segments,
        "fallback": _fallback(plan),
        "groups": [_group_row(plan, group) for group in plan.groups],
        "costs": [{"currency": currency, "amount": str(amount)} for currency, amount in plan.costs.items()],
        "unpriced": list(plan.unpriced),
        "window": {
            "outside": sum(group.people for group in outside),
            "template": template,
            "held": plan.people(*_UNTIL_WORD),
        },
        "us_numbers": {
            "people": plan.us_numbers,
            "held": plan.people("us-template"),
            "next_channel": plan.us_numbers - plan.people("us-template"),
        },
        "enough": [{"until": until.isoformat(), "people": n} for until, n in _enough(plan).items()],
        "repeated": plan.repeated,
        "passed_over": dict(plan.passed_over),
    }


def group_rows(plan: Plan) -> list[dict[str, object]]:
    """Each group on its own, as `announce --dry-run --json` has it: with the rest of its plan."""
    whole = plan_row(plan)
    del whole["groups"]
    return [_group_row(plan, group) | {"plan": whole} for group in plan.groups]


def _group_row(plan: Plan, group: Group) -> dict[str, object]:
    return {
        "community": plan.community.slug,
        "channel": group.channel,
        "language": group.language,
        "edition": group.edition,
        "sender": group.sender,
        "way": "template" if group.template else "text",
        "people": group.people,
        "messages": group.messages,
        "segments": group.segments,
        "held": group.held,
        "until": group.due.isoformat() if group.held == "enough" else None,
    }


def _hours(plan: Plan) -> float | None:
    return round((plan.finishes - plan.starts).total_seconds() / _HOUR, 2) if plan.finishes else None


def _fallback(plan: Plan) -> int:
    """How many read another language than their own, or a relative of it."""
    return sum(
        group.people
        for group in plan.groups
        if languages.base(group.language) != languages.base(group.edition)
    )


def _enough(plan: Plan) -> Counter[datetime]:
    until: Counter[datetime] = Counter()
    for group in plan.groups:
        if group.held == "enough":
            until[group.due] += group.people
    return until


def show_plan(desk: Desk, plan: Plan) -> None:
    """A plan as staff read it: what leaves when, a table of who gets what, and what to know before."""
    say, zone = desk.phrases.say, plan.community.zone
    desk.console.print()
    title = say("plan.title", entry=plan.entry, community=plan.community.name)
    desk.console.print(title, style="bold", markup=False)
    desk.console.print(say("plan.moment", when=desk.moment(plan.at, zone)), markup=False)
    if plan.rest:
        until = desk.moment(plan.rest.until, zone)
        waits = say("plan.rest", until=until, why=desk.rest(plan.rest))
        desk.console.print(waits, style="yellow", markup=False)
    if not plan.groups:
        desk.say("nobody", community=plan.community.name)
    else:
        names = ("channel", "language", "edition", "way", "each", "people")
        desk.table(
            [say(f"plan.{name}") for name in names],
            (_cells(desk, plan.community, one) for one in plan.groups),
        )
        _show_sums(desk, plan)
    for sentence in _remarks(desk, plan):
        desk.console.print(sentence, style="yellow", markup=False)
    for why, people in plan.passed_over.items():
        if people:
            desk.console.print(say(f"plan.over-{why}", n=people), style="dim", markup=False)


def _cells(desk: Desk, place: Community, group: Group) -> list[str]:
    say = desk.phrases.say
    day = words.date(timetable.shown(place, group.due), desk.phrases.language)  # for who has had enough
    way = say(f"plan.way-{group.held or ('template' if group.template else 'text')}", day=day)
    return [
        say(f"channel.{group.channel}"),
        group.language,
        group.edition,
        way,
        say("plan.segments" if group.channel == "sms" else "plan.messages", n=group.segments),
        words.number(group.people, desk.phrases.language),
    ]


def _show_sums(desk: Desk, plan: Plan) -> None:
    say = desk.phrases.say
    desk.console.print(say("plan.total", people=plan.people(), n=plan.messages), markup=False)
    if plan.segments != plan.messages:
        desk.console.print(say("plan.total-segments", n=plan.segments), markup=False)
    for currency, amount in plan.costs.items():
        money = words.money(amount, currency, desk.phrases.language)
        desk.console.print(say("plan.cost", amount=money), markup=False)
    if plan.unpriced:
        desk.console.print(say("plan.unpriced", senders=", ".join(plan.unpriced)), markup=False)
    hours = _hours(plan)
    if plan.finishes is None or hours is None:
        if any(group.held is None for group in plan.groups):
            desk.console.print(say("plan.endless"), style="yellow", markup=False)
        return
    when = desk.moment(plan.finishes, plan.community.zone)
    minutes = max(1, round((plan.finishes - plan.starts).total_seconds() / _MINUTE))
    key, n = ("plan.finish-minutes", minutes) if hours < _LONG else ("plan.finish-hours", round(hours, 1))
    desk.console.print(say(key, when=when, n=n), markup=False)


def _remarks(desk: Desk, plan: Plan) -> Iterator[str]:
    """What staff should know before they say yes."""
    say = desk.phrases.say
    if n := _fallback(plan):
        yield say("plan.fallback", n=n)
    if n := sum(group.people for group in plan.groups if group.template):
        yield say("plan.template", n=n)
    if n := plan.people("window"):
        yield say("plan.window", n=n)
    if n := plan.us_numbers:
        held = plan.people("us-template")
        yield say("plan.us-numbers", n=n, held=held, next=n - held)
    for until, people in _enough(plan).items():
        yield say("plan.enough", n=people, when=desk.moment(until, plan.community.zone))
    if n := plan.people("enough-too-late"):
        yield say("plan.enough-too-late", n=n)
    if plan.repeated:
        yield say("plan.repeated", n=plan.repeated)
