"""The command `correct`: the right text to exactly those who may have got the wrong one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from bot import check
from bot.app import App
from bot.broadcasts.history import Decision
from bot.cli.desk import Desk, command, signed, wait_for
from bot.cli.reporting import as_row, show
from bot.cli.watching import stop_signals, watch
from bot.findings import errors

if TYPE_CHECKING:
    from bot.broadcasts.corrections import Corrected
    from bot.broadcasts.reports import Report


@click.command()
@click.argument("broadcast", type=int)
@click.option("--wait", is_flag=True, help="Send now, show the progress to the end, and report.")
@signed
@command
def correct(desk: Desk, broadcast: int, by: str, *, wait: bool) -> None:
    """Tell those who may have got BROADCAST what its text says now.

    First mend the text in content/. Whoever was still to get it gets the right text alone; nobody else gets
    anything.
    """

    async def work() -> None:
        stop = asyncio.Event()
        with stop_signals(stop):
            async with App(desk.deployment()) as app:
                corrected = await _corrected(desk, app, broadcast, by)
                finished = True
                if corrected.outcome == "made" and wait:
                    finished = await watch(desk, app, [corrected.broadcast or 0], stop)
                report = await _report(app, corrected.broadcast or corrected.wrong)
                if corrected.outcome == "made" and not wait and report.state == "running":
                    desk.say("run-sends")
                if desk.as_json:
                    desk.answer(as_row(report))
                elif wait:
                    show(desk, app.project, report)
        if not finished or corrected.broadcast is None:
            desk.fail()

    wait_for(work())


async def _corrected(desk: Desk, app: App, broadcast: int, by: str) -> Corrected:
    """Make the correction, once the text is in order, and say what came of it."""
    now = app.clockwork.now()
    try:
        entry = app.project.library.entries.get((await app.reports.report(broadcast, now)).entry)
    except KeyError:
        desk.fail("said.no-broadcast", broadcast=str(broadcast))
    findings = check.of_entry(app.project, entry, now) if entry else []
    desk.findings(findings, to=desk.notes)
    if errors(findings):
        desk.fail()
    corrected = await app.corrections.correct(broadcast, Decision(by, now))
    names = {"wrong": str(corrected.wrong), "broadcast": str(corrected.broadcast)}
    desk.say(f"correct-{corrected.outcome}", **names)
    if corrected.outcome == "made":
        desk.say("correct-told", n=corrected.told)
        desk.say("correct-instead", n=corrected.instead)
    return corrected


async def _report(app: App, broadcast: int) -> Report:
    return await app.reports.report(broadcast, app.clockwork.now())
