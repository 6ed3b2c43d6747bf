"""What commands tell staff is true, complete and can be read: who sends, what waits, until when and why."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bot import words
from tests.deployment import PLACES, Deployment, deploy, number

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal

ROSA, LUIS = "101", "102"


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A deployment with two people on Telegram."""
    made = deploy(tmp_path, rehearsal.url)
    await rehearsal.people(*({"channel": "telegram", "address": address} for address in (ROSA, LUIS)))
    await made.take_in([("telegram", address, "es", "fresno") for address in (ROSA, LUIS)])
    return made


def rest_for_two_days(made: Deployment) -> tuple[str, ...]:
    """Today and tomorrow Fresno rests, each day for its own reason; these days as staff read them."""
    today = datetime.now(ZoneInfo(PLACES["fresno"])).date()
    days = (today, today + timedelta(days=1), today + timedelta(days=2))
    rest = f'rest_days = [{{ day = {days[0]}, name = "Feria" }}, {{ day = {days[1]}, mourning = true }}]'
    made.edit("schedules/fresno.toml", 'quiet_hours = "none"', f'quiet_hours = "none"\n{rest}')
    return tuple(words.date(day, "es") for day in days)


async def test_a_plan_says_of_each_day_why_nothing_leaves(made: Deployment) -> None:
    """Today and tomorrow are days of rest, not the day on which it leaves."""
    today, tomorrow, after = rest_for_two_days(made)
    said = (await made.do("plan", "feria", "-c", "fresno")).out
    assert f"Todo espera hasta el {after}, " in said
    assert f": el {today} la comunidad descansa (Feria) y el {tomorrow} hay luto." in said
    made.edit("config.toml", 'language = "es"', 'language = "en"')
    said = (await made.do("plan", "feria", "-c", "fresno")).out
    assert ": the community rests on " in said
    assert "(Feria) and there is mourning on " in said


async def test_announce_says_until_when_it_waits(made: Deployment) -> None:
    """On a day of rest nobody is told that it leaves now, but when it does."""
    _, _, after = rest_for_two_days(made)
    told = await made.do("announce", "feria", "-c", "fresno")
    assert (told.status, f"sale el {after}" in told.err) == (0, True)
    assert "los envía" not in told.said


async def test_a_report_says_that_nobody_sends(made: Deployment) -> None:
    """What is under way while no `run` is on waits for one, and the report says so; one person is one."""
    assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
    said = (await made.do("report", "1")).out
    assert "2  esperan su turno" in said
    assert "Ahora no envía nadie" in said
    assert (await made.do("report", "1", "--json")).json()["sending"] is False
    async with made.running():
        await made.until("SELECT 1 FROM broadcasts WHERE state = 'done'")
        assert (await made.do("report", "1", "--json")).json()["sending"] is True
    assert "Ahora no envía nadie" not in (await made.do("report", "1")).out
    await made.take_in([("sms", number(1), "es", "phoenix")])
    assert (await made.do("announce", "feria", "-c", "phoenix")).status == 0
    assert "1  espera su turno" in (await made.do("report", "2")).out


async def test_what_is_under_way_is_not_promised_again(made: Deployment) -> None:
    """“No se empieza otro” is not followed by who sends it now."""
    assert "los envía" in (await made.do("announce", "feria", "-c", "fresno")).out
    again = await made.do("announce", "feria", "-c", "fresno")
    assert "No se empieza otro" in again.out
    assert "los envía" not in again.said


async def test_a_trouble_that_is_over_is_not_told(made: Deployment, rehearsal: Rehearsal) -> None:
    """Whoever was reached at the second try is no failure."""
    await rehearsal.faults("telegram", "429", retry_after=1, count=1)
    assert (await made.do("announce", "feria", "-c", "fresno", "--wait")).status == 0
    assert made.rows("SELECT state, reason FROM deliveries WHERE state = 'sent'") == [("sent", None)] * 2
    assert ": 1" not in (await made.do("report", "1")).out


async def test_each_row_of_a_plan_is_another(made: Deployment) -> None:
    """Who wrote lately gets the same on Telegram as who did not: they stand in one row."""
    with closing(sqlite3.connect(made.folder / "pregonero.db")) as database, database:
        database.execute("UPDATE subscribers SET heard_at = strftime('%s', 'now') * 1000 WHERE id = 1")
    [plan] = (await made.do("plan", "feria", "-c", "fresno", "--json")).json()
    assert [group["people"] for group in plan["groups"]] == [2]


async def test_a_restored_database_is_told_and_kept_close(made: Deployment) -> None:
    """When it last worked is a sentence with whose time it is; nobody else of the machine can read it."""
    async with made.running() as working:
        await working.stop()
    assert (await made.do("backup", "respaldo.db")).status == 0
    told = await made.do("restore", "respaldo.db")
    assert (told.status, "hora de Consulado en fresno." in told.out) == (0, True)
    assert ".." not in told.out.replace("...", "")
    databases = [made.folder / "pregonero.db", *made.folder.glob("pregonero.db.replaced-*")]
    assert [oct(file.stat().st_mode & 0o777) for file in databases] == ["0o600", "0o600"]


async def test_an_import_tells_who_is_new(made: Deployment) -> None:
    """The same list again adds nobody, and says so; the help names what there is to type."""
    made.write(
        "more.csv",
        "channel,address,language,community,topics,consent\n"
        f"telegram,{ROSA},es,fresno,,web\ntelegram,103,es,fresno,,web\n",
    )
    told = await made.do("subscribers", "import", "more.csv", "--json")
    assert (told.json()["imported"], told.json()["new"]) == (2, 1)
    told = await made.do("subscribers", "import", "more.csv")
    assert "0 personas nuevas" in told.out
    assert "2 personas ya estaban suscritas" in told.out
    assert "import, stats, erase" in (await made.do("--help", COLUMNS="120")).out
