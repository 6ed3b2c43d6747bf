"""The command `arm`, and the sentence of every other command where this copy may not send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.app import App
from bot.arming import DOUBTS
from bot.cli.desk import Desk, command, signed, wait_for

if TYPE_CHECKING:
    from bot.arming import Off


@click.command()
@signed
@command
def arm(desk: Desk, by: str) -> None:
    """Let this copy send again.

    Say it when this is the only one, and its clock is right.
    """

    async def work() -> None:
        async with App(desk.deployment()) as app:
            off = await app.arming.arm(by)
        desk.say("arming.already" if off is None else "arming.clock" if off in DOUBTS else "arming.on")
        if desk.as_json:
            desk.answer({"was_off": off})

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
