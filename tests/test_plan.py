"""The plan, through the front door: its numbers are what then happens, person by person."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from bot.broadcasts.forecast import Load, finishes
from bot.pace import HEADROOM
from tests import core
from tests.deployment import HEADER, PLACES, Deployment, deploy, number

if TYPE_CHECKING:
    from pathlib import Path

    from bot.timetable import Community
    from tests.conftest import Rehearsal

MARKETING = f"HX{63049:032}"
"""The template that the rehearsal knows as marketing."""
LONG = (
    "Feria de salud con vacunas gratis para toda tu familia el sábado, trae tus papeles y llega temprano. "
    * 2
)

REMINDER = '\n[[slot]]\nannounce = "feria"\nbefore = "1 day"\n'


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """Three communities, a promotion in two languages, an SMS that takes several, topics, a price."""
    made = deploy(tmp_path, rehearsal.url)
    for language in ("es", "en"):
        file = f"content/announcements/feria/{language}.md"
        made.edit(file, 'category = "utility"', 'category = "marketing"')
        made.edit(file, "HX00000000000000000000000000000001", MARKETING)
    made.edit("content/announcements/feria/es.md", "[whatsapp]", 'topics = ["salud"]\n[whatsapp]')
    made.edit("content/services/pasaporte/es.md", "keywords", 'topics = ["empleo"]\nkeywords')
    sms = 'sms = "Feria de salud en {{ community.name }}: vacunas gratis el sábado."'
    made.edit("content/announcements/feria/es.md", sms, f'sms = "{LONG}"')
    made.edit(
        "config.toml",
        f'from = "{"+12025550100"}"',
        'from = "+12025550100"\nprice = { currency = "USD", segment = 0.0079 }',
    )
    return made


async def crowd(made: Deployment, rehearsal: Rehearsal) -> None:
    """People of every kind: languages, topics, linked and left, outside the window, of three countries."""
    chance, rows = Random(4), []  # noqa: S311 - a crowd, not a secret
    for n in range(240):
        channel = ("telegram", "sms", "whatsapp")[n % 3]
        mobile = chance.choice([number(n), f"+1416555{n:04}", f"+52555555{n:04}"])
        address = str(1000 + n) if channel == "telegram" else mobile
        language, place = chance.choice(["es", "en", "nah"]), chance.choice(list(PLACES))
        topics = chance.choice(["", "salud", "empleo", "salud|empleo"])
        rows.append(f"{channel},{address},{language},{place},{topics},web")
    made.write("people.csv", "\n".join([HEADER, *rows]))
    assert (await made.do("subscribers", "import", "people.csv")).status == 0
    await rehearsal.people(*({"channel": row.split(",")[0], "address": row.split(",")[1]} for row in rows))
    written = [row.split(",")[1] for n, row in enumerate(rows) if n % 3 == 2 and n % 7 == 0]
    async with made.running():
        await rehearsal.webhook("whatsapp", "+12025550101", f"{made.url}/hooks/whatsapp")
        for address in written:
            await rehearsal.say("whatsapp", address, "hola", "+12025550101")
        while len(made.rows("SELECT 1 FROM subscribers WHERE heard_at > 0")) < len(written):  # noqa: ASYNC110 - another process does not wake us
            await asyncio.sleep(0.02)
        await made.until(
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE state IN ('queued', 'claimed'))"
        )
    with closing(sqlite3.connect(made.folder / "pregonero.db")) as database, database:
        database.execute("UPDATE subscribers SET person = id % 20 WHERE id % 3 < 2 AND id > 150")
        database.execute("UPDATE subscribers SET state = 'left' WHERE id % 23 = 0")
        database.execute("UPDATE subscribers SET state = 'gone' WHERE id % 29 = 0")


def counted(groups: list[dict[str, Any]]) -> Counter[tuple[object, ...]]:
    """How many people of a plan get what, in which way."""
    found: Counter[tuple[object, ...]] = Counter()
    for row in groups:
        way = row["held"] or row["way"]
        found[row["community"], row["channel"], row["language"], row["edition"], way] += row["people"]
    return found


DELIVERIES = """
    SELECT b.community, t.channel, t.language, t.edition, d.state, d.reason, d.sender, s.heard_at,
           t.open, t.closed
    FROM deliveries d JOIN broadcasts b ON b.id = d.broadcast JOIN texts t ON t.id = d.text
    JOIN subscribers s ON s.id = d.subscriber
    WHERE d.reason IS NOT 'other-channel'
"""


async def test_what_was_planned_is_what_happens(made: Deployment, rehearsal: Rehearsal) -> None:
    """Who gets which text by which channel, in how many segments, who is held: plan, rows, vendor agree."""
    await crowd(made, rehearsal)
    plans = (await made.do("plan", "feria", "--json")).json()
    assert made.rows("SELECT * FROM broadcasts") == []
    before = len(await rehearsal.ledger())
    assert (await made.do("announce", "feria", "--wait")).status == 0

    happened: Counter[tuple[object, ...]] = Counter()
    for place, channel, language, edition, _, reason, _, heard, opened, closed in made.rows(DELIVERIES):
        template = channel == "whatsapp" and not heard and opened != closed
        held = reason if reason in ("window", "us-template") else None
        happened[place, channel, language, edition, held or ("template" if template else "text")] += 1
    assert happened == counted([group for plan in plans for group in plan["groups"]])

    ledger = (await rehearsal.ledger())[before:]
    assert {row["outcome"] for row in ledger} == {"accepted"}  # nobody of the United States got marketing
    goes = [group for plan in plans for group in plan["groups"] if not group["held"]]
    assert len(ledger) == sum(plan["messages"] for plan in plans)
    assert Counter(row["channel"] for row in ledger) == {
        channel: sum(group["people"] * group["messages"] for group in goes if group["channel"] == channel)
        for channel in ("telegram", "sms", "whatsapp")
    }
    assert max(Counter((row["channel"], row["address"]) for row in ledger).values()) == 1

    sent = [row for row in made.rows(DELIVERIES) if row[4] in ("sent", "delivered", "read")]
    paid = sum(
        sum(part["segments"] for part in json.loads(row[8] if row[7] or row[1] != "whatsapp" else row[9]))
        for row in sent
    )
    assert paid == sum(plan["segments"] for plan in plans) > len(ledger)
    sms = sum(group["people"] * group["segments"] for group in goes if group["channel"] == "sms")
    told = sum(float(cost["amount"]) for plan in plans for cost in plan["costs"])
    assert told == pytest.approx(sms * 0.0079)
    assert {sender for plan in plans for sender in plan["unpriced"]} == {"bot", "whatsapp"}


async def test_everybody_is_accounted_for(made: Deployment, rehearsal: Rehearsal) -> None:
    """Each address of a community is in one group of the plan, or passed over for a reason that is told."""
    await crowd(made, rehearsal)
    made.edit("schedules/phoenix.toml", 'senders = ["bot", "whatsapp", "sms"]', 'senders = ["sms", "bot"]')
    for plan in (await made.do("plan", "feria", "--json")).json():
        there = dict(made.rows("SELECT community, count(*) FROM subscribers GROUP BY community"))
        assert plan["people"] + sum(plan["passed_over"].values()) == there[plan["community"]]
        assert (plan["passed_over"]["no-sender"] > 0) == (plan["community"] == "phoenix")
        assert all(plan["passed_over"][why] for why in ("topics", "linked", "left"))
        readers = [group for group in plan["groups"] if group["language"] == "nah"]
        assert plan["fallback"] == sum(group["people"] for group in readers) > 0
        us, window = plan["us_numbers"], plan["window"]
        assert us["people"] == us["held"] + us["next_channel"]
        assert window["outside"] == window["template"] + window["held"]


async def test_the_dry_run_says_the_same(made: Deployment, rehearsal: Rehearsal) -> None:
    """`announce --dry-run --json` has a row for each group of the plan, with the whole plan beside it."""
    await crowd(made, rehearsal)
    plans = {plan["community"]: plan for plan in (await made.do("plan", "feria", "--json")).json()}
    rows = (await made.do("announce", "feria", "--dry-run", "--json")).json()
    for row in rows:
        beside, plan = row.pop("plan"), plans[row["community"]]
        assert {key for key in plan if plan[key] != beside.get(key)} <= {"at", "starts", "finishes", "groups"}
    assert rows == [group for plan in plans.values() for group in plan["groups"]]
    assert made.rows("SELECT * FROM broadcasts") == []


async def test_a_plan_knows_the_night_and_the_limit(made: Deployment) -> None:
    """At night everybody waits for the morning; who has had the day's announcements waits for another."""
    here = datetime.now(ZoneInfo(PLACES["fresno"]))
    start, end = ((here + timedelta(hours=hours)).strftime("%H:00:00") for hours in (-1, 3))
    quiet = f"quiet_hours = {{ from = {start}, to = {end} }}\nmost_a_day = 1"
    made.edit("schedules/fresno.toml", 'quiet_hours = "none"', quiet)
    await made.take_in([("sms", number(n), "es", "fresno") for n in range(30)])
    [plan] = (await made.do("plan", "feria", "-c", "fresno", "--json")).json()
    assert (plan["rest"]["why"], plan["starts"]) == ("night", plan["rest"]["until"])
    assert (plan["people"], plan["enough"]) == (30, [])
    assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
    await made.take_in([("telegram", "900", "es", "fresno")])
    [second] = (await made.do("plan", "feria", "-c", "fresno", "--json")).json()
    later = (datetime.fromisoformat(plan["starts"]) + timedelta(days=1)).isoformat()
    assert second["enough"] == [{"until": later, "people": 30}]
    told = await made.do("announce", "feria", "-c", "fresno", "--again", "--json")
    [why] = told.json()[0]["reasons"]
    assert (why["state"], why["reason"], why["people"], why["until"]) == ("held", "enough", 30, later)


async def test_a_plan_tells_what_was_said_before(made: Deployment, rehearsal: Rehearsal) -> None:
    """Who had the same text in the last days is counted, also when it now comes under another name."""
    await rehearsal.people({"channel": "telegram", "address": "101"})
    await made.take_in([("telegram", "101", "es", "fresno")])
    assert (await made.do("announce", "feria", "-c", "fresno", "--wait")).status == 0
    await made.take_in([("telegram", "102", "es", "fresno")])
    text = (made.folder / "content/announcements/feria/es.md").read_text(encoding="utf-8")
    made.write("content/announcements/feria-otra-vez/es.md", text)
    [plan] = (await made.do("plan", "feria-otra-vez", "-c", "fresno", "--json")).json()
    assert (plan["people"], plan["repeated"]) == (2, 1)
    said = (await made.do("plan", "feria-otra-vez", "-c", "fresno")).out
    assert "ya recibió este mismo texto" in said
    made.edit("content/announcements/feria-otra-vez/es.md", "señora", "señorita")
    [plan] = (await made.do("plan", "feria-otra-vez", "-c", "fresno", "--json")).json()
    assert plan["repeated"] == 0


async def test_a_plan_for_later_has_each_communitys_own_hour(made: Deployment) -> None:
    """`--at` is the local hour of each community, the earliest first, and what is over by then is said."""
    day = datetime.now(UTC).date() + timedelta(days=3)
    plans = (await made.do("plan", "feria", "--at", f"{day}T18:00", "--json")).json()
    assert plans[0]["community"] == "nueva-york"
    for plan in plans:
        local = datetime.fromisoformat(plan["at"]).astimezone(ZoneInfo(PLACES[plan["community"]]))
        assert (local.hour, local.date()) == (18, day)
    assert (await made.do("plan", "feria", "--at", "mañana")).status == 1
    assert (await made.do("plan", "pasaporte")).status == 1


async def test_a_plan_counts_that_it_reminds(made: Deployment) -> None:
    """“Reminder:” makes a full SMS one of two segments, and the plan for that moment says so."""
    for language in ("es", "en"):
        file = f"content/announcements/feria/{language}.md"
        made.edit(file, "title =", "starts = 2099-10-04T12:00:00\ntitle =")
    full = "El {{ starts | date }}. ".ljust(143, "a")
    made.edit("content/announcements/feria/es.md", LONG, full)
    schedule = made.folder / "schedules/fresno.toml"
    schedule.write_text(schedule.read_text("utf-8") + REMINDER, "utf-8")
    await made.take_in([("sms", number(0), "es", "fresno")])
    segments = []
    for at in ("2099-10-03T12:00", "2099-10-03T15:00"):
        [plan] = (await made.do("plan", "feria", "-c", "fresno", "--at", at, "--json")).json()
        segments.append(plan["segments"])
    assert segments == [2, 1]


async def test_a_plan_can_be_read(made: Deployment, rehearsal: Rehearsal) -> None:
    """In both languages of the desk: no placeholder, no key, no line of a table that is broken."""
    await crowd(made, rehearsal)
    config = (made.folder / "config.toml").read_text(encoding="utf-8")
    for language, cost in (("es", "USD"), ("en", "$")):
        made.write("config.toml", re.sub('language = ".."', f'language = "{language}"', config))
        said = await made.do("plan", "feria")
        assert said.status == 0
        assert not {"{", "}", "plan."} & set(said.out.split())
        assert cost in said.out


def community(folder: Path, name: str) -> Community:
    """A community of the tests' own."""
    return core.project(folder).communities[name]


def test_lanes_are_shared_and_rest_at_night(tmp_path: Path) -> None:
    """Loads of one sender follow each other, others go beside them, and a night is slept through."""
    awake, asleep = community(tmp_path, "fresno"), community(tmp_path, "noche")
    morning, hour = core.MORNING, 3600 * HEADROOM
    loads = [
        Load(awake, "sms", morning, round(2 * hour)),
        Load(asleep, "sms", morning, round(10 * hour)),
        Load(asleep, "bot", morning, round(25 * hour)),
        Load(awake, "slow", morning, round(1000 * hour)),
        Load(asleep, "night", morning + timedelta(hours=12), 1, passes=True),
    ]
    first, second, third, fourth, fifth = finishes(loads, {"sms": 1, "bot": 25, "slow": 1, "night": 1})
    minute = timedelta(minutes=1)
    assert first is not None
    assert abs(first - morning - timedelta(hours=2)) < minute
    assert second is not None  # nine hours until nine in the evening, the rest from eight
    assert abs(second - datetime(2026, 11, 21, 17, tzinfo=UTC)) < minute
    assert third is not None
    assert abs(third - morning - timedelta(hours=1)) < minute
    assert fourth is None
    assert fifth is not None
    assert abs(fifth - morning - timedelta(hours=12)) < minute
