"""An emergency that is approved while other news is leaving: when the first of it reaches the vendor.

    python -m benchmarks.emergency QUEUED FOLDER

From the second person's yes, just before it is given and just after its commit, until the vendor reads the
first request that says it. The lanes have no limit of rate; with one it also waits for its turn of that.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from benchmarks import deployment
from benchmarks.runs import NotMeasuredError, on_core, report
from bot.app import App
from bot.broadcasts.history import Decision
from bot.broadcasts.wanted import Wanted

if TYPE_CHECKING:
    from bot.dispatcher import Dispatcher

_WORD = "Evacuen"
_TEXT = """\
+++
title = "Aviso urgente"
sms = "Evacuen ahora."
urgency = "emergency"
+++
Evacuen ahora. Sigan a la gente de rojo.
"""
_MEANWHILE = 1.0
"""Seconds of the other news before anybody says yes, and after."""


def emergency(queued: int, folder: Path) -> dict[str, float]:
    """Seconds from the yes, and from its commit, to the first request; and how many waited then."""
    command = [sys.executable, "-m", "benchmarks.server", _WORD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as vendor:
        try:
            assert vendor.stdout is not None
            _write(folder, f"http://127.0.0.1:{int(vendor.stdout.readline())}")
            on_core(0)
            asked, said, waiting = uvloop.run(_approved_under(queued, folder))
            came = float(vendor.stdout.readline())
        finally:
            vendor.kill()
    if not waiting:
        raise NotMeasuredError("the other news had left before the emergency")
    return {"seconds": came - asked, "since_commit": came - said, "waiting": waiting}


async def _approved_under(queued: int, folder: Path) -> tuple[float, float, int]:
    """Say yes while other news is leaving: just before, just after, and how many waited then."""
    async with App(deployment.read(folder)) as app:
        await deployment.fill(app, queued, deployment.MEASURED)
        news = await deployment.announce(app)
        async with app.dispatching() as (dispatcher, dispatching):
            await asyncio.sleep(_MEANWHILE)
            asked, said = await _approved(app, dispatcher)
            waiting = (await app.reports.report(news, app.clockwork.now())).counts["queued"]
            await asyncio.sleep(_MEANWHILE)
            dispatcher.stop()
            await dispatching
    return asked, said, waiting


async def _approved(app: App, dispatcher: Dispatcher) -> tuple[float, float]:
    """Just before the yes, and just after."""
    now = app.clockwork.now()
    entry, community = app.project.library.entries["alerta"], app.project.communities["plaza"]
    wanted = Wanted(entry, community, "now", now, why="fire", until=now + timedelta(hours=1))
    number = await app.approvals.submit(wanted, "Ana", now)
    assert number is not None
    asked = time.time()
    answer = await app.approvals.approve(number, Decision("Luis", app.clockwork.now()))
    said = time.time()
    dispatcher.stir()
    if answer != "running":
        raise NotMeasuredError(f"the emergency was not approved: {answer}")
    return asked, said


def _write(folder: Path, server: str) -> None:
    deployment.write(folder, deployment.MEASURED, server)
    for language in ("es", "en"):
        text = folder / "content" / "announcements" / "alerta" / f"{language}.md"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(_TEXT)


if __name__ == "__main__":
    report(emergency(int(sys.argv[1]), Path(sys.argv[2])))
