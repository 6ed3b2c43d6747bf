"""A message that kills whoever sends it: quarantined after its third kill, and shown; all others arrive."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.deployment import Deployment, deploy, number
from tests.lives import Lives, alive, death
from tests.poisoned import POISON

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal

PEOPLE = [number(n) for n in range(60)]
CRASHED = "SELECT subscriber FROM deliveries WHERE state = 'unknown' AND reason = 'crash'"
REST = """
    SELECT 1 FROM deliveries GROUP BY 1 = 1
    HAVING sum(state IN ('queued', 'claimed')) = 0 AND sum(reason IS NOT NULL) = 1
"""


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """Sixty people on one lane."""
    made = deploy(tmp_path, rehearsal.url)
    await rehearsal.people(*({"channel": "sms", "address": each} for each in PEOPLE))
    await made.take_in([("sms", each, "es", "fresno") for each in PEOPLE])
    return made


async def test_a_message_that_kills_is_quarantined(made: Deployment, rehearsal: Rehearsal) -> None:
    """After the third process that ended while sending it, it leaves no more; who was beside it is served.

    What else was in hand at a death is suspected with it, and cleared: nobody else is ever quarantined.
    """
    assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
    with Lives(made.folder, datetime.now(UTC), "tests.poisoned") as lives:
        await death(lives.begin(), 20)
        for _ in range(2):
            life = lives.begin()
            await made.until(CRASHED)
            await _vendor_tells(made, rehearsal)
            await death(life, 20)
        last = lives.begin()
        await made.until("SELECT 1 FROM deliveries WHERE reason = 'quarantined'")
        await _vendor_tells(made, rehearsal)
        await made.until(REST)
        assert alive(last)
    assert made.rows("SELECT subscriber, reason, deaths FROM deliveries WHERE deaths > 1") == [
        (PEOPLE.index(POISON) + 1, "quarantined", 3)
    ]
    accepted = Counter(row["address"] for row in await rehearsal.ledger() if row["outcome"] == "accepted")
    assert accepted == Counter(each for each in PEOPLE if each != POISON)
    assert "tres veces se cortó" in (await made.do("report", "1")).out


async def _vendor_tells(made: Deployment, rehearsal: Rehearsal) -> None:
    """What had no answer is settled as its vendor tells: it was accepted, or never and leaves again."""
    accepted = {row["address"] for row in await rehearsal.ledger() if row["outcome"] == "accepted"}
    with closing(sqlite3.connect(made.folder / "pregonero.db", timeout=10)) as database, database:
        database.execute("UPDATE broadcasts SET state = 'running'")  # it is not over before that is known
        for (person,) in database.execute(CRASHED).fetchall():
            state = "sent" if PEOPLE[person - 1] in accepted else "queued"
            database.execute(
                "UPDATE deliveries SET state = ?, reason = NULL WHERE subscriber = ?", (state, person)
            )
