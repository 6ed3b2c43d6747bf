"""The tables, as sqlite-utils' own migrations: applied in order, each once, each in its transaction.

What every table has in common: times are whole milliseconds since 1970 in UTC; words for states are closed
lists; no column holds a name, a place, an IP address or a free note (docs/decisions/0002-what-we-hold.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils import Migrations

from bot.store.migrations.conversation import CONVERSATION
from bot.store.migrations.first_day import FIRST_DAY
from bot.store.migrations.outbox import OUTBOX
from bot.store.migrations.schedules import SCHEDULES

if TYPE_CHECKING:
    from sqlite_utils import Database

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


def _run(db: Database, script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            db.execute(statement)
