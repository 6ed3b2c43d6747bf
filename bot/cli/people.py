"""Commands for subscribers: `subscribers import | stats | erase`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import newcomers
from bot.app import App
from bot.cli.desk import Desk, command, wait_for
from bot.news import topics_there_are
from channels.base import CHANNELS

if TYPE_CHECKING:
    from channels.base import ChannelName


@click.group()
def subscribers() -> None:
    """People who said yes: import, stats, erase."""


@subscribers.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--good-rows", is_flag=True, help="Store the good rows even if others have faults.")
@command
def import_(desk: Desk, file: Path, *, good_rows: bool) -> None:
    """Subscribe the people in FILE, a CSV.

    Its columns: channel,address,language,community,topics,consent. Topics are joined by |. An address is a
    telephone number with + and the country code, or a Telegram chat id.
    """
    project = desk.project()
    people, findings = newcomers.read(file, project.communities, topics_there_are(project.library))
    rows = len({finding.line for finding in findings if finding.line})
    desk.findings(findings, to=desk.notes)
    if findings and not rows:
        desk.fail()  # the file itself
    if findings and not (good_rows and people):
        desk.fail("said.import-nothing", n=rows)

    async def work() -> None:
        async with App(project) as app:
            done = await app.subscribers.take_in(people, app.clockwork.now())
        if desk.as_json:
            desk.answer(
                {
                    "imported": done.active,
                    "new": done.active - done.known,
                    "left": done.left,
                    "forgotten": done.forgotten,
                    "skipped": rows,
                }
            )
        desk.say("imported", n=done.active - done.known)
        for key, n in (("known", done.known), ("left", done.left), ("forgotten", done.forgotten)):
            if n:
                desk.say(f"import-{key}", n=n)

    wait_for(work())
    if findings:
        desk.fail("said.import-skipped", n=rows)


@subscribers.command()
@command
def stats(desk: Desk) -> None:
    """Count them by community, channel, language and state."""

    async def work() -> None:
        async with App(desk.deployment()) as app:
            groups = await app.subscribers.counted()
        names = ("community", "channel", "language", "state", "people")
        if desk.as_json:
            desk.answer([{name: getattr(group, name) for name in names} for group in groups])
            return
        if not groups:
            desk.say("no-subscribers")
            return
        say = desk.phrases.say
        columns = [
            say(f"subscribers.{name}") for name in ("community", "channel", "language", "state", "people")
        ]
        desk.table(
            columns,
            (
                (
                    g.community,
                    say(f"channel.{g.channel}"),
                    g.language,
                    say(f"subscribers.{g.state}"),
                    f"{g.people:,}",
                )
                for g in groups
            ),
        )

    wait_for(work())


@subscribers.command()
@click.argument("channel", type=click.Choice(CHANNELS))
@command
def erase(desk: Desk, channel: ChannelName) -> None:
    """Forget one person for real.

    Asks for the address, so that no shell keeps it.
    """
    project = desk.deployment()
    asked = desk.phrases.say("said.asks-address")
    hidden = click.prompt(asked, hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    address = newcomers.address_of(channel, hidden.strip())
    if not address:
        desk.fail("rules.import.chat-id.message" if channel == "telegram" else "rules.import.number.message")

    async def work() -> None:
        async with App(project) as app:
            found = await app.subscribers.erase(channel, address, app.clockwork.now())
        desk.say("erased" if found else "not-there")
        if desk.as_json:
            desk.answer({"erased": found})

    wait_for(work())
