"""A great audience: how long its fan-out takes, what it weighs on disk, what a broadcast to it needs.

    python -m benchmarks.audience build PEOPLE FOLDER SERVER    write them down, on three channels
    python -m benchmarks.audience fan-out FOLDER                the broadcast: a row for each person
    python -m benchmarks.audience broadcast FOLDER              end to end, until the last is settled
    python -m benchmarks.audience fold FOLDER                   what folding it once it is old gives back

Each of the last three changes the database.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import deployment
from benchmarks.runs import Run, measure, peak_mb, until_done
from bot import vault
from bot.app import App
from bot.housekeeping import Housekeeping
from channels.base import CHANNELS

if TYPE_CHECKING:
    from bot.store import Transaction

_LATER = timedelta(days=400)
"""By when every broadcast of today is old."""
_PAGES = ("page_size", "page_count", "freelist_count")


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


async def broadcast(folder: Path) -> dict[str, Any]:
    """One broadcast to everybody, from fan-out to the last settled row."""
    async with App(deployment.read(folder)) as app:
        people = sum(group.people for group in await app.subscribers.counted())
        at_rest, run = peak_mb(), Run(people)
        with run.timed():
            number = await deployment.announce(app)
            async with app.dispatching() as (dispatcher, dispatching):
                await until_done(app, dispatcher, dispatching, number)
        report = await app.reports.report(number, app.clockwork.now())
        if report.counts["sent"] != people:
            raise ValueError(f"not everything was sent: {report.counts}")
        await app.store.forget()
    return {"run": vars(run), "at_rest_mb": at_rest}


async def fold(folder: Path) -> dict[str, Any]:
    """Let the housekeeping do what it does with old broadcasts; deliveries and bytes before and after."""
    async with App(deployment.read(folder)) as app:
        seal = vault.Vault(app.project.settings.vault_key.get_secret_value())
        tidy, later = Housekeeping(app.store, seal), app.clockwork.now() + _LATER
        rows = [await app.store.read(_deliveries)]
        size, run = _used(folder), Run(rows[0])
        with run.timed():
            while True:
                await tidy.tidy(later)
                rows.append(await app.store.read(_deliveries))
                if rows[-1] == rows[-2]:
                    break
        await app.store.forget()
    return {"run": vars(run), "rows": [rows[0], rows[-1]], "bytes": [size, _used(folder)]}


def _deliveries(tx: Transaction) -> int:
    return int(tx.tuples("SELECT count(*) FROM deliveries")[0][0])


def _used(folder: Path) -> int:
    """Bytes of the file that hold something: a page that is free is written again before the file grows."""
    with contextlib.closing(sqlite3.connect(folder / "people.db")) as db:
        size, pages, free = (db.execute(f"PRAGMA {what}").fetchone()[0] for what in _PAGES)
    return int(size * (pages - free))


def _bytes(folder: Path) -> int:
    return (folder / "people.db").stat().st_size


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["build", people, folder, server]:
            measure(build(int(people), Path(folder), server))
        case ["fan-out", folder]:
            measure(fan_out(Path(folder)))
        case ["broadcast", folder]:
            measure(broadcast(Path(folder)))
        case ["fold", folder]:
            measure(fold(Path(folder)))
