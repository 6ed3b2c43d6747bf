"""The tables, as sqlite-utils' own migrations: applied in order, each once, each in its transaction.

What every table has in common: times are whole milliseconds since 1970 in UTC; words for states are closed
lists; no column holds a name, a place, an IP address or a free note (docs/decisions/0002-what-we-hold.md).
"""

from __future__ import annotations

from contextlib import closing

from sqlite_utils import Database, Migrations

from bot.store.faults import Unusable
from bot.store.migrations.conversation import CONVERSATION
from bot.store.migrations.first_day import FIRST_DAY
from bot.store.migrations.outbox import OUTBOX
from bot.store.migrations.refusals import REFUSALS
from bot.store.migrations.schedules import SCHEDULES

migrations = Migrations("pregonero")


@migrations()
def m0001_first_day(db: Database) -> None:
    """Everything the first real day needs."""
    _run(db, FIRST_DAY)


@migrations()
def m0002_conversation(db: Database) -> None:
    """What joining, asking, leaving and being forgotten by chat need, and the community's voice."""
    _run(db, CONVERSATION)


@migrations()
def m0003_schedules(db: Database) -> None:
    """What schedules that staff can trust need: approval, missed moments, corrections, digests, arming."""
    _run(db, SCHEDULES)


@migrations()
def m0004_outbox(db: Database) -> None:
    """What an outbox that one can bet on needs."""
    _run(db, OUTBOX)


@migrations()
def m0005_refusals(db: Database) -> None:
    """What is told of a broadcast that waits alone needs."""
    _run(db, REFUSALS)


def refuse_strangers(db: Database) -> None:
    """Another program's database is not written to, nor one with migrations that we do not know."""
    if db.table_names() and migrations.migrations_table not in db.table_names():
        raise Unusable("not-a-database")
    applied = {migration.name for migration in migrations.applied(db)}
    with closing(Database(memory=True)) as empty:
        ours = {migration.name for migration in migrations.pending(empty)}
    if applied - ours:
        raise Unusable("newer")


def _run(db: Database, script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            db.execute(statement)
