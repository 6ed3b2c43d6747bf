"""The consulate's inbox: `inbox`, `inbox read | reply | consider | close`, and what people miss.

No command here shows an address, nor a figure under ten.
"""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from bot import references
from bot.app import App
from bot.cli.desk import Desk, command, wait_for
from bot.cli.letters import as_row, letter_row, say_replied, show, show_list
from bot.cli.writing import find_communities
from bot.figures import FEWEST, Figures
from bot.inbox import MOST_SEGMENTS, Unanswerable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from bot.check import Project
    from bot.figures import Gap, Opinion
    from bot.inbox import Thread

_NEAR = 0.8
"""How alike two references are of which one is a slip: one sign wrong, missing, or in another place."""


class _Listing(click.Group):
    """Lists when it is told nothing else."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        told = args and (not args[0].startswith("-") or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if told else ["list", *args])


def _joined(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> str:  # noqa: ARG001 - click's
    return " ".join(value)


_REFERENCE = click.argument("reference", nargs=-1, required=True, callback=_joined)
"""Also in two words, as people read it out: r 48k2."""
_COMMUNITY = click.option("--community", "-c", multiple=True, help="Only this community (may be repeated).")


@click.group(cls=_Listing)
def inbox() -> None:
    """What people ask and propose: list, read, answer, close."""


@inbox.command("list")
@_COMMUNITY
@click.option("--all", "closed", is_flag=True, help="Also what was closed, until it is deleted.")
@command
def list_(desk: Desk, community: tuple[str, ...], *, closed: bool) -> None:
    """List what is open, what waits longest first."""
    project = desk.deployment()
    places = _places(desk, project, community)

    async def work() -> None:
        async with App(project) as app:
            threads = [one for one in await app.inbox.listed(closed=closed) if _in(places, one.community)]
        if desk.as_json:
            desk.answer([as_row(thread) for thread in threads])
        elif threads:
            show_list(desk, project, threads)
        else:
            desk.say("inbox.empty")

    wait_for(work())


@inbox.command()
@_REFERENCE
@command
def read(desk: Desk, reference: str) -> None:
    """Read what was written under REFERENCE."""

    async def work() -> None:
        async with App(desk.deployment()) as app:
            thread = await _known(desk, app, reference)
            letters = await app.inbox.read(thread.reference)
        if desk.as_json:
            desk.answer(as_row(thread) | {"letters": [letter_row(letter) for letter in letters]})
        else:
            show(desk, app.project, thread, letters)

    wait_for(work())


@inbox.command()
@click.argument("reference")
@click.argument("text", nargs=-1, required=True)
@command
def reply(desk: Desk, reference: str, text: tuple[str, ...]) -> None:
    """Answer REFERENCE with TEXT, by the channel the person wrote on.

    With - instead of TEXT, read it from standard input.
    """

    async def work() -> None:
        async with App(desk.deployment()) as app:
            thread = await _known(desk, app, reference)
            words = sys.stdin.read() if text == ("-",) else " ".join(text)
            try:
                said = await app.inbox.reply(thread.reference, words, desk.now)
            except Unanswerable as refusal:
                desk.fail(
                    f"said.inbox.refused-{refusal.why}",
                    reference=thread.reference,
                    community=thread.community,
                    channel=desk.phrases.say(f"channel.{thread.channel}"),
                    n=MOST_SEGMENTS,
                )
            thread = await app.inbox.get(thread.reference)
            say_replied(desk, app.project, thread, said)

    wait_for(work())


@inbox.command()
@_REFERENCE
@command
def consider(desk: Desk, reference: str) -> None:
    """Say that REFERENCE is being looked into."""

    async def work() -> None:
        async with App(desk.deployment()) as app:
            thread = await _known(desk, app, reference)
            moved = await app.inbox.consider(thread.reference)
            await _after(desk, app, thread, "considered" if moved else "not-considered", moved=moved)

    wait_for(work())


@inbox.command()
@_REFERENCE
@click.option("--adopted", is_flag=True, help="It was done as they proposed.")
@command
def close(desk: Desk, reference: str, *, adopted: bool) -> None:
    """Close REFERENCE, which is deleted 30 days later."""

    async def work() -> None:
        async with App(desk.deployment()) as app:
            thread = await _known(desk, app, reference)
            moved = await app.inbox.close(thread.reference, app.clockwork.now(), adopted=adopted)
            key = ("adopted" if adopted else "closed") if moved else "not-closed"
            await _after(desk, app, thread, key, moved=moved)

    wait_for(work())


@inbox.command()
@_COMMUNITY
@command
def gaps(desk: Desk, community: tuple[str, ...]) -> None:
    """List the questions that nobody could answer."""
    _count(desk, community, Figures.gaps, ("question", "community", "month", "times"), "inbox.no-gaps")


@inbox.command()
@_COMMUNITY
@command
def opinions(desk: Desk, community: tuple[str, ...]) -> None:
    """Count to how many each entry was of use, and to how many not."""
    _count(
        desk, community, Figures.opinions, ("entry", "community", "useful", "useless"), "inbox.no-opinions"
    )


def _places(desk: Desk, project: Project, slugs: tuple[str, ...]) -> Collection[str] | None:
    """The communities asked for; None for all, also one that is no longer in schedules."""
    return {place.slug for place in find_communities(desk, project, None, slugs)} if slugs else None


def _in(places: Collection[str] | None, community: str) -> bool:
    return places is None or community in places


async def _known(desk: Desk, app: App, written: str) -> Thread:
    """The thread of that reference; ends the command when there is none."""
    reference = references.normal(written)
    try:
        return await app.inbox.get(reference)
    except KeyError:
        known = [thread.reference for thread in await app.inbox.listed(closed=True)]
        near = get_close_matches(reference, known, n=3, cutoff=_NEAR)
        key = "said.inbox.unknown-near" if near else "said.inbox.unknown"
        desk.fail(key, reference=reference, known=", ".join(near))


async def _after(desk: Desk, app: App, thread: Thread, key: str, *, moved: bool) -> None:
    desk.say(f"inbox.{key}", reference=thread.reference)
    if desk.as_json:
        desk.answer(as_row(await app.inbox.get(thread.reference)))
    if not moved:
        desk.fail()


def _count(
    desk: Desk,
    slugs: tuple[str, ...],
    ask: Callable[[Figures], Awaitable[Sequence[Gap | Opinion]]],
    names: Sequence[str],
    none: str,
) -> None:
    """Show what was counted; a figure that is too small to be shown is null in JSON."""
    project = desk.deployment()
    places = _places(desk, project, slugs)

    async def work() -> None:
        async with App(project) as app:
            found = [one for one in await ask(app.figures) if _in(places, one.community)]
        rows = [{name: getattr(one, name) for name in names} for one in found]
        if desk.as_json:
            desk.answer(rows)
        elif rows:
            told = [[_told(desk, project, name, value) for name, value in row.items()] for row in rows]
            desk.table([desk.phrases.say(f"inbox.columns.{name}") for name in names], told)
        else:
            desk.say(none)

    wait_for(work())


def _told(desk: Desk, project: Project, name: str, value: str | int | None) -> str:
    if value is None:
        return desk.phrases.say("inbox.fewer", n=FEWEST)
    if isinstance(value, int):
        return f"{value:,}"
    return desk.place(project, value) if name == "community" else value
