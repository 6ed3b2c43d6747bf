"""Commands for a broadcast that was made: `report`, `pause`, `resume`, `cancel`."""

from __future__ import annotations

import click

from bot.app import App
from bot.broadcasts.history import OVER, Decision
from bot.cli.arming import warn_if_off
from bot.cli.desk import Desk, command, signed, wait_for
from bot.cli.reporting import as_row, known, show, show_history, warn_hindered, warn_of_silence
from bot.dispatcher import at_work
from bot.lookout import standing


@click.command()
@click.argument("broadcast", type=int, required=False)
@command
def report(desk: Desk, broadcast: int | None) -> None:
    """Say what became of BROADCAST, or of all of them.

    In JSON, `sending` is whether a process sends from this database now.
    """

    async def work() -> None:
        async with App(desk.deployment()) as app:
            now = app.clockwork.now()
            await warn_if_off(desk, app)
            await warn_of_silence(desk, app)
            try:
                reports = (
                    await app.reports.reports(now)
                    if broadcast is None
                    else [await app.reports.report(broadcast, now)]
                )
            except KeyError:
                desk.fail("said.no-broadcast", broadcast=str(broadcast))
            held, hindrances = await app.editing.held(), await standing(app.store)
        warn_hindered(desk, hindrances)
        if held:
            desk.warn("said.held")
            desk.findings(held, to=desk.notes)
        if desk.as_json:
            sending = at_work(app.project.settings.database_path)
            rows = [as_row(each) | {"sending": sending} for each in reports]
            desk.answer(rows if broadcast is None else rows[0])
            return
        if not reports:
            desk.say("no-broadcasts")
        for each in reports:
            show(desk, app.project, each)
        if broadcast is not None:
            show_history(desk, app.project, reports[0])

    wait_for(work())


@click.command()
@click.argument("broadcast", type=int)
@signed
@command
def pause(desk: Desk, broadcast: int, by: str) -> None:
    """Let nothing more of BROADCAST leave until it is resumed."""

    async def work() -> None:
        async with App(desk.deployment()) as app:
            await known(desk, app, broadcast)
            moved = await app.broadcasts.pause(broadcast, Decision(by, app.clockwork.now()))
            await _after(desk, app, broadcast, "paused" if moved else "not-running", moved=moved)

    wait_for(work())


@click.command()
@click.argument("broadcast", type=int)
@signed
@command
def resume(desk: Desk, broadcast: int, by: str) -> None:
    """Go on with BROADCAST where it was paused.

    What missed its moment leaves at the next good one.
    """

    async def work() -> None:
        async with App(desk.deployment()) as app:
            before = await known(desk, app, broadcast)
            if before.entry not in app.project.library.entries and before.state == "missed":
                desk.fail("said.approval.gone", broadcast=str(broadcast), entry=before.entry)
            state = await app.broadcasts.resume(broadcast, Decision(by, app.clockwork.now()))
            key = "resumed" if state == "running" else f"approval.resumed-{state}" if state else "not-paused"
            await _after(desk, app, broadcast, key, moved=state == "running")

    wait_for(work())


@click.command()
@click.argument("broadcast", type=int)
@signed
@command
def cancel(desk: Desk, broadcast: int, by: str) -> None:
    """End BROADCAST for good; what has gone has gone."""

    async def work() -> None:
        async with App(desk.deployment()) as app:
            before = await known(desk, app, broadcast)
            if before.state in OVER:
                await _after(desk, app, broadcast, "not-open", moved=False)
            stopped = await app.broadcasts.cancel(broadcast, Decision(by, app.clockwork.now()))
            counts = (await app.reports.report(broadcast, app.clockwork.now())).counts
            gone = sum(counts[state] for state in ("claimed", "sent", "delivered", "read", "unknown"))
            gone += await app.broadcasts.begun(broadcast)
            key = "cancelled" if stopped or gone else "cancelled-unsent"
            await _after(desk, app, broadcast, key, moved=True, n=stopped, gone=gone)

    wait_for(work())


async def _after(desk: Desk, app: App, broadcast: int, key: str, *, moved: bool, **values: object) -> None:
    desk.say(key, broadcast=str(broadcast), **values)
    if desk.as_json:
        desk.answer(as_row(await app.reports.report(broadcast, app.clockwork.now())))
    if not moved:
        desk.fail()
