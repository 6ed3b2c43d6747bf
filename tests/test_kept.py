"""The report says, of each sender, how often people get it, and what nobody knows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.deployment import Deployment, deploy

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = [
    *(("telegram", str(100 + n), "es", "phoenix") for n in range(4)),
    *(("sms", f"+1602555010{n}", "es", "phoenix") for n in range(4)),
    *(("whatsapp", f"+1602555011{n}", "es", "phoenix") for n in range(2)),
]
SENT = "UPDATE deliveries SET state = 'sent', claimed_at = unixepoch() * 1000"
UNKNOWN = "UPDATE deliveries SET state = 'unknown', reason = 'crash' WHERE id = ?"
LONG_AGO = "UPDATE deliveries SET claimed_at = claimed_at - 260000000 WHERE id = ?"
ASKED = "UPDATE deliveries SET looked = 1 WHERE id = ?"
REPEATED = "UPDATE deliveries SET repeated = 1 WHERE id = ?"


def change(made: Deployment, sql: str, *deliveries: int) -> None:
    """Change what became of it, or of some."""
    with closing(sqlite3.connect(made.folder / "pregonero.db")) as database, database:
        for one in deliveries or [None]:
            database.execute(sql, [] if one is None else [one])


def through(made: Deployment, sender: str) -> list[int]:
    """The deliveries through a sender."""
    return [
        number for number, its in made.rows("SELECT id, sender FROM deliveries ORDER BY id") if its == sender
    ]


@pytest.fixture
async def made(tmp_path: Path) -> Deployment:
    """A deployment that has said something."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    await made.take_in(PEOPLE)
    assert (await made.do("announce", "feria", "-c", "phoenix")).status == 0
    change(made, SENT)
    return made


async def test_each_channel_says_what_it_can_promise(made: Deployment) -> None:
    """Without trouble: once and exactly once where the vendor can be asked, at most once on Telegram."""
    ended = await made.do("report", "1")
    assert "Telegram (bot): a lo más una vez por persona\n" in ended.out
    assert "SMS (sms): exactamente una vez por persona\n" in ended.out
    assert "WhatsApp (whatsapp): exactamente una vez por persona\n" in ended.out


async def test_what_nobody_knows_is_counted(made: Deployment) -> None:
    """Lost on Telegram; by SMS one to be asked for, one told of, and one lost for three days."""
    change(made, UNKNOWN, *through(made, "bot")[:3])
    lost, open_, asked, _ = through(made, "sms")
    change(made, UNKNOWN, lost, open_)
    change(made, LONG_AGO, lost)
    change(made, ASKED, asked)
    row = (await made.do("report", "1", "--json")).json()
    zero = {"asked": 0, "open": 0, "unknown": 0, "repeated": 0}
    assert row["kept"] == [
        {"sender": "bot", "channel": "telegram", "promise": "at-most-once", **zero, "unknown": 3},
        {"sender": "sms", "channel": "sms", "promise": "at-most-once"}
        | {"asked": 1, "open": 1, "unknown": 1, "repeated": 0},
        {"sender": "whatsapp", "channel": "whatsapp", "promise": "exactly-once", **zero},
    ]
    ended = await made.do("report", "1")
    assert (
        "Telegram (bot): a lo más una vez por persona\n             3 pueden no haber llegado\n" in ended.out
    )
    assert "1 no tuvo respuesta; se le va a preguntar al proveedor\n" in ended.out


async def test_an_emergency_that_was_repeated_says_so(made: Deployment) -> None:
    """An emergency on Telegram promises at least once, and tells how many were sent it twice.

    Where nobody knows of somebody, it says no such thing.
    """
    change(made, "UPDATE broadcasts SET priority = 1")
    change(made, REPEATED, through(made, "bot")[0])
    ended = await made.do("report", "1")
    assert "Telegram (bot): al menos una vez por persona, y a lo más dos\n" in ended.out
    assert "1 se mandó otra vez, y dice que tal vez ya lo tienen\n" in ended.out
    change(made, UNKNOWN, through(made, "bot")[1])
    assert "Telegram (bot): a lo más dos veces por persona\n" in (await made.do("report", "1")).out
    change(made, "UPDATE deliveries SET repeated = 0")
    assert "Telegram (bot): a lo más una vez por persona\n" in (await made.do("report", "1")).out
