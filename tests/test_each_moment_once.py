"""Each moment once: through kills, clocks that jump, and services that are started twice.

The rehearsal's ledger, which no kill reaches, is compared with the rows.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.deployment import Deployment, deploy
from tests.lives import Lives

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal

KILLS = 250
PEOPLE = ("101", "102")
ZONE = ZoneInfo("America/Los_Angeles")
SLOTS = (("madrugada", "00:30"), ("otono", "01:30"), ("primavera", "02:30"), ("mediodia", "12:00"))
"""What is said every day, and when: also in the hour that clocks show twice, and in the one they skip."""
JUMPS = [timedelta(hours=1), timedelta(days=1), timedelta(days=365)]
LATE = timedelta(hours=2)


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A community with a slot for each of the hours, every day, and two people."""
    made = deploy(tmp_path, rehearsal.url, rate=1000)
    config = made.folder / "config.toml"  # what is compared below is not to be forgotten on the way
    config.write_text(config.read_text(encoding="utf-8").replace("[database]", "[database]\nkeep_days = 90"))
    slots = []
    for name, hour in SLOTS:
        made.write(f"content/announcements/{name}/es.md", f'+++\ntitle = "{name}"\n+++\nDicho.\n')
        slots.append(f'[[slot]]\nannounce = "{name}"\nevery = "day at {hour}"\n')
    file = made.folder / "schedules/fresno.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n".join(slots), encoding="utf-8")
    await rehearsal.people(*({"channel": "telegram", "address": one} for one in PEOPLE))
    await made.take_in([("telegram", one, "es", "fresno") for one in PEOPLE])
    return made


@pytest.mark.parametrize("begins", ["2026-03-06T18:00:00", "2026-10-30T18:00:00"], ids=["spring", "autumn"])
async def test_each_moment_once(made: Deployment, rehearsal: Rehearsal, begins: str) -> None:
    """Through 250 kills, with jumps of an hour, a day and a year and double starts, each moment is said once.

    A moment that passed while nobody lived for longer than it is of use waits for a person instead. Over the
    night in which the clocks change; what was in flight at a kill may be unknown, and is never said again.
    """
    since = datetime.fromisoformat(begins).replace(tzinfo=ZONE)
    chance = random.Random(begins)  # noqa: S311 - no secret
    with Lives(made.folder, since) as lives:
        lives.begin()
        await made.until("SELECT 1 FROM arming WHERE judged_at IS NOT NULL")
        for _ in range(KILLS):
            await _one_life(made, lives, chance)
            if made.rows("SELECT 1 FROM arming WHERE off IS NOT NULL"):
                lives.ask("arm")
                await made.until("SELECT 1 FROM arming WHERE off IS NULL")
        lives.begin()
        await _quiet(made)
        until = lives.now.astimezone(ZONE)
        lives.kill()
    wanted = _moments(since, until)
    made_of = made.rows("SELECT entry, moment, state FROM broadcasts ORDER BY entry, moment")
    assert [row[:2] for row in made_of] == wanted
    assert {state for _, _, state in made_of} <= {"done", "missed"}
    said = [row for row in made_of if row[2] == "done"]
    assert len(said) > len(wanted) / 4
    accepted = Counter(
        (row["address"], name)
        for row in await rehearsal.ledger()
        for name, _ in SLOTS
        if row["outcome"] == "accepted" and name in row["text"]
    )
    for person, address in enumerate(PEOPLE, start=1):
        for name, _ in SLOTS:
            states = made.rows(
                "SELECT d.state FROM deliveries d JOIN broadcasts b ON b.id = d.broadcast"  # noqa: S608 - ours
                f" WHERE d.subscriber = {person} AND b.entry = '{name}'"
            )
            assert len(states) == sum(row[0] == name for row in said)
            sure = len(states) - states.count(("unknown",))
            assert sure <= accepted[address, name] <= len(states)


async def _one_life(made: Deployment, lives: Lives, chance: random.Random) -> None:
    """From a start, or two at once, to a kill at any instant; now and then the clock jumps meanwhile.

    Nobody can tell a clock that is ahead at the start from a long sleep: ahead it jumps only under a life.
    """
    lives.let_pass(_until_next(lives.now.astimezone(ZONE), chance))
    if chance.random() < 0.05:
        lives.show_wrong(-chance.choice(JUMPS))
    before = _beat(made)
    for _ in range(1 + (chance.random() < 0.15)):
        lives.begin()
    if chance.random() < 0.7:
        await made.until(f"SELECT 1 FROM arming WHERE beat > {before}")  # noqa: S608 - a number of ours
        await asyncio.sleep(chance.uniform(0.0, 0.15))
        if chance.random() < 0.2:
            await _jump(lives, chance)
    await asyncio.sleep(chance.uniform(0.0, 0.1))
    lives.kill()
    lives.show_wrong(timedelta())


async def _jump(lives: Lives, chance: random.Random) -> None:
    """The wall clock goes wrong, and is set right again or not."""
    lives.show_wrong(chance.choice(JUMPS) * chance.choice((1, -1)))
    await asyncio.sleep(chance.uniform(0.0, 0.1))
    if chance.random() < 0.5:
        lives.show_wrong(timedelta())


def _beat(made: Deployment) -> int:
    return int(made.rows("SELECT beat FROM arming")[0][0])


def _until_next(now: datetime, chance: random.Random) -> timedelta:
    """How long nobody lives: often until just before something is due, seldom for a day."""
    if chance.random() < 0.6:
        following = next(
            moment
            for day in range(3)
            for moment in sorted(_moment(now.date() + timedelta(days=day), hour) for _, hour in SLOTS)
            if moment > now
        )
        wait = following - now - timedelta(seconds=chance.uniform(-0.1, 0.25))
        if wait < LATE:
            return max(wait, timedelta())
    if chance.random() < 0.97:
        return timedelta(minutes=chance.uniform(0, 40))
    return timedelta(hours=chance.uniform(2, 30))


@cache
def _moment(day: date, hour: str) -> datetime:
    """The first minute at which the community's clocks show that hour of that day, or later."""
    wanted = datetime.combine(day, datetime.fromisoformat(f"2000-01-01T{hour}").time())
    minute = wanted.replace(tzinfo=UTC)  # west of Greenwich it is still to come
    while minute.astimezone(ZONE).replace(tzinfo=None) < wanted:
        minute += timedelta(minutes=1)
    return minute.astimezone(ZONE)


def _moments(since: datetime, until: datetime) -> list[tuple[str, str]]:
    """What was to be said, by name and then by time, each with what the clocks were to show."""
    days = [since.date() + timedelta(days=n) for n in range((until.date() - since.date()).days + 1)]
    return [
        (name, f"{day}T{hour}:00")
        for name, hour in sorted(SLOTS)
        for day in days
        if since < _moment(day, hour) <= until
    ]


async def _quiet(made: Deployment) -> None:
    """Wait until nothing is left to send, and all that is due is there."""
    still = 0
    async with asyncio.timeout(30):
        while still < 3:  # beats fall between two looks
            await asyncio.sleep(0.2)
            waits = made.rows(
                "SELECT 1 FROM broadcasts WHERE state IN ('running', 'scheduled')"
                " UNION ALL SELECT 1 FROM deliveries WHERE state IN ('queued', 'claimed')"
            )
            still = 0 if waits else still + 1
