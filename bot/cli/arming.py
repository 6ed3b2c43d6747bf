"""The command `arm`, and the sentence of every other command where this copy may not send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.app import App
from bot.arming import DOUBTS
from bot.cli.desk import Desk, command, signed, wait_for
from bot.cli.keeping import tell_replayed

if TYPE_CHECKING:
    from bot.arming import Off


@click.command()
@click.option("--nobody-left", is_flag=True, help="The list of who left is lost, and nobody left since.")
@signed
@command
def arm(desk: Desk, by: str, *, nobody_left: bool) -> None:
    """Let this copy send again.

    Say it when this is the only one, and its clock is right.
    """
    project = desk.deployment()

    async def work() -> None:
        async with App(project) as app:
            armed = await app.arming.arm(by, nobody_left=nobody_left)
        if armed.caught is None:
            desk.fail("said.arming.no-optouts", database=project.settings.database_path.name)
        off = armed.was
        tell_replayed(desk, armed.caught.replayed)
        if armed.caught.paused:
            desk.warn("said.arming.paused", n=armed.caught.paused)
        desk.say("arming.already" if off is None else "arming.clock" if off in DOUBTS else "arming.on")
        if desk.as_json:
            desk.answer({"was_off": off, "paused": armed.caught.paused})

    wait_for(work())


async def warn_if_off(desk: Desk, app: App) -> Off | None:
    """Say in red why this copy does not send, and what to type; None when it does."""
    off = await app.arming.off()
    if off is not None:
        warn_off(desk, off)
    return off


def warn_off(desk: Desk, off: Off) -> None:
    """Say it in red, and what to type."""
    for key in (f"off.{off}", "off.what-to-do-clock" if off in DOUBTS else "off.what-to-do"):
        desk.notes.print(desk.phrases.say(key), style="bold red", markup=False)
