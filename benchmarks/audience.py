"""A great audience: how long its fan-out takes, what it weighs on disk, what memory a broadcast needs.

    python -m benchmarks.audience build PEOPLE FOLDER SERVER    write them down, on three channels
    python -m benchmarks.audience fan-out FOLDER                the broadcast: a row for each person
    python -m benchmarks.audience broadcast FOLDER SECONDS      fan-out; the lanes at work for so long,
                                                                what is left claimed and settled only

Each of the last two changes the database, so it is given a copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any

from benchmarks import deployment
from benchmarks.runs import Run, measure, peak_mb, until_done
from bot.app import App
from bot.outbox import Settled
from channels.base import CHANNELS

_BATCH = 500
"""Rows claimed in one transaction: a lane's largest batch."""


async def build(people: int, folder: Path, server: str) -> Run:
    """Write down `people` and leave a database that is all in one file."""
    deployment.write(folder, CHANNELS, server)
    run = Run(people)
    async with App(deployment.read(folder)) as app:
        with run.timed():
            await deployment.fill(app, people, CHANNELS)
        await app.store.forget()
    return run


async def fan_out(folder: Path) -> dict[str, Any]:
    """Announce to everybody; the time includes counting the readers, rendering, and the commit."""
    async with App(deployment.read(folder)) as app:
        people = sum(group.people for group in await app.subscribers.counted())
        before = _bytes(folder)
        run = Run(people)
        with run.timed():
            broadcast = await deployment.announce(app)
        report = await app.reports.report(broadcast, app.clockwork.now())
        if report.counts["queued"] != people:
            raise ValueError(f"not everybody is in it: {report.counts}")
        await app.store.forget()
    return {"run": vars(run), "bytes_each": (_bytes(folder) - before) / people}


async def broadcast(folder: Path, most: float) -> dict[str, Any]:
    """One broadcast to everybody from fan-out to the last settled row, and the memory it took at most."""
    async with App(deployment.read(folder)) as app:
        people = sum(group.people for group in await app.subscribers.counted())
        at_rest = peak_mb()
        number = await deployment.announce(app)
        lanes = Run(0)
        with lanes.timed():
            async with app.dispatching() as (dispatcher, dispatching):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(most):
                        await until_done(app, dispatcher, dispatching, number)
        lanes.messages = (await app.reports.report(number, app.clockwork.now())).counts["sent"]
        settled = Run(people - lanes.messages)
        with settled.timed():
            await _settle_rest(app, number)
        report = await app.reports.report(number, app.clockwork.now())
        if report.counts["sent"] != people:
            raise ValueError(f"not everything was settled: {report.counts}")
    return {
        "people": people,
        "lanes": vars(lanes),
        "settled": vars(settled),
        "at_rest_mb": at_rest,
        "peak_mb": peak_mb(),
    }


async def _settle_rest(app: App, number: int) -> None:
    """Claim and settle what is left as a lane does, with nothing between the two."""
    for sender in app.project.settings.senders:
        claims = await app.outbox.turn(sender, [], [(number, None)], _BATCH, app.clockwork.now())
        while claims:
            ended = [Settled(claim, "sent", vendor_id="SM" + "0" * 32) for claim in claims]
            claims = await app.outbox.turn(sender, ended, [(number, None)], _BATCH, app.clockwork.now())


def _bytes(folder: Path) -> int:
    return (folder / "people.db").stat().st_size


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["build", people, folder, server]:
            measure(build(int(people), Path(folder), server))
        case ["fan-out", folder]:
            measure(fan_out(Path(folder)))
        case ["broadcast", folder, seconds]:
            measure(broadcast(Path(folder), float(seconds)))
