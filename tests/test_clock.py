"""What is due is said once, at its community's own moment, by whoever is awake then."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bot import check
from bot.app import App
from bot.broadcasts.history import Decision
from bot.broadcasts.wanted import Wanted
from bot.clock import Clock
from bot.housekeeping import Housekeeping
from bot.moments import Clockwork
from bot.newcomers import Newcomer
from tests.deployment import PLACES, Deployment, deploy, number

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.broadcasts.reports import Report
    from tests.conftest import Rehearsal

NOON = datetime(2027, 3, 1, 12)  # noqa: DTZ001 - as the community's clocks show it
ZONE = ZoneInfo(PLACES["fresno"])
SLOT = "\n[[slot]]\nannounce = {slug!r}\nat = {at}\nlate = '1h'\n"


@pytest.fixture
def made(tmp_path: Path) -> Deployment:
    """A deployment that announces the fair at noon, wherever that is."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    for place in PLACES:
        slot(made, place, "feria", NOON)
    return made


def slot(made: Deployment, place: str, slug: str, at: datetime) -> None:
    """Add a slot to a community."""
    file = made.folder / f"schedules/{place}.toml"
    file.write_text(file.read_text("utf-8") + SLOT.format(slug=slug, at=at.isoformat()), "utf-8")


class Hand:
    """A clock in our hand, in front of a real database."""

    app: App
    clock: Clock

    def __init__(self) -> None:
        self.now = datetime(2027, 3, 1, tzinfo=UTC)
        self.slipped = 0.0  # seconds by which somebody set the wall clock

    def ticks(self) -> float:
        """The seconds that truly passed."""
        return self.now.timestamp() - self.slipped

    async def beat(self, now: datetime) -> Counter[str]:
        """One beat at that moment; how many broadcasts each community has that left."""
        self.now = now
        await self.clock.beat()
        return Counter(report.community for report in await self.reports("running"))

    async def reports(self, *states: str) -> list[Report]:
        """The broadcasts in one of these states."""
        return [one for one in await self.app.reports.reports(self.now) if one.state in states]


@asynccontextmanager
async def hand(made: Deployment) -> AsyncIterator[Hand]:
    """The deployment, opened, with its clock stopped."""
    project, _ = check.read(made.folder / "config.toml", os.environ, datetime(2027, 3, 1, tzinfo=UTC))
    assert project is not None
    held = Hand()
    clockwork = Clockwork(now=lambda: held.now, jitter=lambda: 0.0, ticks=held.ticks)
    async with App(project, clockwork) as app:
        tidy = Housekeeping(app.store, app.vault)
        held.app = app
        held.clock = Clock(app.broadcasts, tidy, app.arming, app.disk, stir=lambda: None)
        await app.arming.begin()
        yield held


def at(place: str, hours: float = 0) -> datetime:
    """Noon in a community, and so much later, in UTC."""
    return NOON.replace(tzinfo=ZoneInfo(PLACES[place])).astimezone(UTC) + timedelta(hours=hours)


async def test_each_community_hears_it_at_its_own_noon(made: Deployment) -> None:
    """New York first, Phoenix two hours later, Fresno last; and a minute before, nobody."""
    async with hand(made) as clock:
        assert await clock.beat(at("nueva-york", -1 / 60)) == {}
        assert await clock.beat(at("nueva-york")) == {"nueva-york": 1}
        assert await clock.beat(at("phoenix")) == {"nueva-york": 1, "phoenix": 1}
        assert await clock.beat(at("fresno")) == {"nueva-york": 1, "phoenix": 1, "fresno": 1}


async def test_beating_twice_says_it_once(made: Deployment) -> None:
    """A second beat, another process's and one after a restart change nothing (glific#2197)."""
    async with hand(made) as one, hand(made) as other:
        assert await one.beat(at("nueva-york")) == {"nueva-york": 1}
        assert await other.beat(at("nueva-york")) == {"nueva-york": 1}
        assert await one.beat(at("nueva-york", 0.1)) == {"nueva-york": 1}
    async with hand(made) as restarted:
        assert await restarted.beat(at("nueva-york", 0.2)) == {"nueva-york": 1}


async def test_what_was_missed_is_made_up_while_it_is_useful(made: Deployment) -> None:
    """Asleep at noon: within its hour the slot is still said, later it waits for a person."""
    async with hand(made) as clock:
        assert await clock.beat(at("nueva-york", 0.9)) == {"nueva-york": 1}
    async with hand(made) as clock:
        assert await clock.beat(at("fresno", 1.1)) == {"nueva-york": 1}
        assert {one.community for one in await clock.reports("missed")} == {"fresno", "phoenix"}


async def test_a_slot_that_cannot_be_said_keeps_no_other(made: Deployment) -> None:
    """A text that quotes an expired fee is left out; the slots after it in the same beat are said."""
    made.write("content/facts.toml", '[fee]\nvisa = { USD = 53, until = 2027-01-31, source = "test" }\n')
    made.write("content/announcements/cara/es.md", '+++\ntitle = "Cara"\n+++\n{{ facts.fee.visa | money }}\n')
    for place in PLACES:
        slot(made, place, "cara", NOON - timedelta(minutes=1))
    async with hand(made) as clock:
        people = [Newcomer("sms", number(n), "es", place, (), "web") for n, place in enumerate(PLACES)]
        await clock.app.subscribers.take_in(people, clock.now)
        assert await clock.beat(at("nueva-york")) == {"nueva-york": 1}
        assert await clock.beat(at("fresno")) == {"nueva-york": 1, "phoenix": 1, "fresno": 1}
        waiting = await clock.reports("scheduled")
        assert {(one.entry, one.history[-1].reason) for one in waiting} == {("cara", "unsayable")}


async def test_a_slot_whose_translation_is_behind_waits(made: Deployment) -> None:
    """A text that was corrected in one language alone is not said in the other; mended, it goes out."""
    english = "content/announcements/feria/en.md"
    made.edit(english, "+++\ntitle", '+++\ntranslates = "00000000"\ntitle')
    async with hand(made) as clock:
        await clock.app.subscribers.take_in(
            [Newcomer("sms", number(1), "en", "fresno", (), "web")], clock.now
        )
        assert await clock.beat(at("fresno")) == {"phoenix": 1}
    made.edit(english, 'translates = "00000000"\n', "")
    async with hand(made) as clock:
        assert (await clock.beat(at("fresno", 0.5)))["fresno"] == 1


async def test_an_announcement_for_later_leaves_when_it_is_due(made: Deployment) -> None:
    """`announce --at` is a note until its moment in each community; then its deliveries are made, once."""
    async with hand(made) as clock:
        project = clock.app.project
        for place in ("nueva-york", "fresno"):
            feria, community = project.library.entries["feria"], project.communities[place]
            wanted = Wanted(feria, community, "2027-03-02T12:00:00", at(place, 24))
            assert await clock.app.broadcasts.announce(wanted, by="Ana", now=at(place, -12))
        assert await clock.beat(at("nueva-york", -1)) == {}
        assert (await clock.beat(at("nueva-york", 24)))["nueva-york"] == 1
        assert (await clock.beat(at("nueva-york", 24.1)))["fresno"] == 0
        assert (await clock.beat(at("fresno", 24)))["fresno"] == 1


async def test_the_service_keeps_its_appointments(tmp_path: Path, rehearsal: Rehearsal) -> None:
    """A slot and an `announce --at` whose moments come while `run` is on reach the phone, each once."""
    made = deploy(tmp_path, rehearsal.url)
    await rehearsal.people({"channel": "telegram", "address": "101", "shown": True})
    await made.take_in([("telegram", "101", "es", "fresno")])
    soon = datetime.now(ZoneInfo(PLACES["fresno"])).replace(tzinfo=None, microsecond=0) + timedelta(seconds=5)
    slot(made, "fresno", "feria", soon)
    noted = await made.do(
        "announce", "feria", "-c", "fresno", "--at", (soon + timedelta(seconds=1)).isoformat()
    )
    assert noted.status == 0, noted.said
    async with made.running(), asyncio.timeout(30):
        while len(await rehearsal.ledger()) < 2:  # noqa: ASYNC110 - another process does not wake us
            await asyncio.sleep(0.1)
    assert len(await rehearsal.ledger()) == 2


async def told(clock: Hand, *states: str) -> list[tuple[str, str | None]]:
    """The communities whose slot is in one of these states, and why."""
    return [(one.community, one.history[-1].reason) for one in await clock.reports(*states)]


@pytest.mark.parametrize(
    ("hours", "left", "missed"),
    [(0.5, ["fresno"], []), (0.98, ["fresno"], []), (1.1, [], [("fresno", "late")])],
)
async def test_late_is_decided_once(
    tmp_path: Path, hours: float, left: list[str], missed: list[tuple[str, str]]
) -> None:
    """Down at noon and back later: sent while of use, else shown (glific#3900, #3824)."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    slot(made, "fresno", "feria", NOON)
    async with hand(made) as clock:
        assert await clock.beat(at("fresno", -1)) == {}
    async with hand(made) as clock:
        assert list(await clock.beat(at("fresno", hours))) == left
        assert await told(clock, "missed") == missed
        assert list(await clock.beat(at("fresno", hours + 9))) == left
        assert await told(clock, "missed") == missed


async def test_the_end_of_a_text_comes_before_late(tmp_path: Path) -> None:
    """Back within the hour but after the text's own end: it is not sent, and its history says so."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    slot(made, "fresno", "feria", NOON)
    made.edit(
        "content/announcements/feria/es.md", "summary =", "valid_until = 2027-03-01T12:30:00\nsummary ="
    )
    async with hand(made) as clock:
        await clock.beat(at("fresno", -1))
        assert await clock.beat(at("fresno", 0.6)) == {}
        assert await told(clock, "expired") == [("fresno", "too-late")]


async def test_what_was_before_our_time_is_a_record(made: Deployment) -> None:
    """A slot whose moment lies before anybody ever looked makes nothing; one of five minutes ago is said."""
    async with hand(made) as clock:
        assert await clock.beat(at("fresno", 30)) == {}
        assert await clock.reports("missed", "scheduled") == []
        now = at("fresno", 30)
        slot(made, "fresno", "feria", (now - timedelta(minutes=5)).astimezone(ZONE).replace(tzinfo=None))
    async with hand(made) as clock:
        assert await clock.beat(now + timedelta(seconds=5)) == {"fresno": 1}


async def test_to_the_last_instant_it_is_of_use(tmp_path: Path) -> None:
    """Written and looked at exactly an hour after its moment, where an hour is late: it is said."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    slot(made, "fresno", "feria", NOON)
    async with hand(made) as clock:
        assert await clock.beat(at("fresno", 1)) == {"fresno": 1}


async def test_a_missed_slot_is_sent_by_a_person(tmp_path: Path) -> None:
    """Nobody is surprised by it the day after, and whoever says so sends it."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    slot(made, "fresno", "feria", NOON)
    async with hand(made) as clock:
        await clock.beat(at("fresno", -1))
        await clock.beat(at("fresno", 24))
        [missed] = await clock.reports("missed")
        decision = Decision("Ana", clock.now)
        assert await clock.app.broadcasts.resume(missed.broadcast, decision) == "running"
        assert await clock.beat(at("fresno", 25)) == {"fresno": 1}


async def test_the_day_the_clocks_change_stops_nothing(tmp_path: Path) -> None:
    """Each day at five, before and after the change from summer time (GOV.UK Notify, October 2022)."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    days = [datetime(2027, 11, day, 17) for day in range(4, 11)]  # noqa: DTZ001 - the community's clocks
    for day in days:
        slot(made, "fresno", "feria", day)
    async with hand(made) as clock:
        moment = datetime(2027, 11, 4, tzinfo=UTC)
        while moment < datetime(2027, 11, 12, tzinfo=UTC):
            moment += timedelta(minutes=30)
            await clock.beat(moment)
        running = await clock.reports("running")
    said = [one.due_at.astimezone(ZONE).replace(tzinfo=None) for one in running if one.due_at]
    assert said == days


@pytest.mark.parametrize(
    ("local", "utc"),
    [("2027-03-14T02:30:00", "2027-03-14T10:00:00"), ("2027-11-07T01:30:00", "2027-11-07T08:30:00")],
)
async def test_an_hour_that_is_not_there_or_there_twice(tmp_path: Path, local: str, utc: str) -> None:
    """Half past two, skipped, runs at three; half past one, shown twice, runs once (mautic#10612)."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    slot(made, "fresno", "feria", datetime.fromisoformat(local))
    due = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    async with hand(made) as clock:
        assert await clock.beat(due - timedelta(seconds=5)) == {}
        for minutes in range(0, 180, 5):
            assert await clock.beat(due + timedelta(minutes=minutes)) == {"fresno": 1}


@pytest.mark.parametrize("jump", [1, -1, 24, -24, 24 * 365, -24 * 365])
async def test_a_wall_clock_that_jumps_makes_nothing_due(made: Deployment, jump: int) -> None:
    """An hour, a day, a year, either way: no slot is judged until it agrees again, and then each once."""
    async with hand(made) as clock:
        assert await clock.beat(at("nueva-york", -0.1)) == {}
        clock.slipped = jump * 3600
        assert await clock.beat(at("nueva-york", 0.1 + jump)) == {}
        assert await clock.app.arming.off() == "clock-jumped"
        assert await clock.reports("missed", "expired", "scheduled") == []
        clock.slipped = 0
        assert await clock.beat(at("nueva-york", 0.2)) == {"nueva-york": 1}
        assert await clock.beat(at("fresno")) == {"nueva-york": 1, "phoenix": 1, "fresno": 1}


async def test_two_processes_at_once_say_it_once(made: Deployment) -> None:
    """Two clocks that beat at one instant on one database make one broadcast (chatwoot#12821)."""
    async with hand(made) as one, hand(made) as other:
        one.now = other.now = at("nueva-york")
        await asyncio.gather(one.clock.beat(), other.clock.beat(), one.clock.beat(), other.clock.beat())
        assert await one.beat(at("nueva-york")) == {"nueva-york": 1}
        [said] = await one.app.reports.reports(one.now)
        assert [(step.state, step.who) for step in said.history] == [
            ("scheduled", "clock"),
            ("running", "clock"),
        ]


async def edit(
    clock: Hand, made: Deployment, old: str, new: str, file: str = "schedules/fresno.toml"
) -> None:
    """An edit that the running service takes up."""
    made.edit(file, old, new)
    project, _ = check.read(made.folder / "config.toml", os.environ, clock.now)
    assert project is not None
    await clock.app.current.take_up(project)


@pytest.fixture
def daily(tmp_path: Path) -> Deployment:
    """Fresno hears of the fair every day at a quarter past ten."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    file = made.folder / "schedules/fresno.toml"
    file.write_text(file.read_text("utf-8") + "\n[[slot]]\nannounce = 'feria'\nevery = 'day at 10:15'\n")
    return made


def today(hour: int, minute: int) -> datetime:
    """That minute in Fresno on the first of March, in UTC."""
    return datetime(2027, 3, 1, hour, minute, tzinfo=ZONE).astimezone(UTC)


async def times(clock: Hand) -> list[str]:
    """The local times at which something was said, or is held."""
    reports = await clock.app.reports.reports(clock.now)
    return sorted(f"{one.due_at.astimezone(ZONE):%d %H:%M}" for one in reports if one.due_at)


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("hour", ["10:05", "10:12", "9:00"])
async def test_an_hour_that_is_moved_back_is_not_said_again(
    daily: Deployment, hour: str, *, restarted: bool
) -> None:
    """Said at 10:15 and moved to an earlier hour at 10:21, a daily notice is next said tomorrow."""
    async with hand(daily) as clock:
        await clock.beat(today(10, 0))
        await clock.beat(today(10, 15))
        await clock.beat(today(10, 20))
        await edit(clock, daily, "10:15", hour)
        if not restarted:
            await clock.beat(today(10, 21))
    async with hand(daily) as clock:
        await clock.beat(today(10, 21))
        assert await times(clock) == ["01 10:15"]
        await clock.beat(today(10, 22) + timedelta(days=1))
        assert len(await times(clock)) == 2


async def test_a_reminder_is_not_said_again_when_its_event_moves(daily: Deployment) -> None:
    """Reminded an hour before, people are not reminded again when the event moves by ten minutes."""
    spanish, english = ("content/announcements/feria/es.md", "content/announcements/feria/en.md")
    daily.edit(spanish, "summary =", "starts = 2027-03-01T11:15:00\nsummary =")
    daily.edit("schedules/fresno.toml", "every = 'day at 10:15'", "before = '1 hour'")
    assert (daily.folder / english).exists()
    async with hand(daily) as clock:
        await clock.beat(today(10, 0))
        await clock.beat(today(10, 15))
        await edit(clock, daily, "11:15", "11:10", spanish)
        await clock.beat(today(10, 16))
        assert await times(clock) == ["01 10:15"]


async def test_an_hour_long_past_is_meant_from_tomorrow_on(daily: Deployment) -> None:
    """A daily hour of 09:00 that is written at 10:20 does not leave at once."""
    async with hand(daily) as clock:
        await clock.beat(today(8, 0))
        await edit(clock, daily, "10:15", "23:00")
        await clock.beat(today(10, 20))
        await edit(clock, daily, "23:00", "9:00")
        await clock.beat(today(10, 21))
        assert await times(clock) == []
        await clock.beat(today(9, 0) + timedelta(days=1))
        assert await times(clock) == ["02 09:00"]


async def test_a_date_just_past_is_said_unless_it_was(daily: Deployment) -> None:
    """Written at 18:05, «today at 18:00» goes out once; moved to 17:30 it is not said again."""
    daily.edit("schedules/fresno.toml", "every = 'day at 10:15'", "at = 2027-03-02T18:00:00")
    async with hand(daily) as clock:
        await clock.beat(today(18, 4))
        await edit(clock, daily, "2027-03-02T18:00:00", "2027-03-01T18:00:00")
        await clock.beat(today(18, 5))
        assert await times(clock) == ["01 18:00"]
        await edit(clock, daily, "T18:00:00", "T17:30:00")
        await clock.beat(today(18, 6))
        assert await times(clock) == ["01 18:00"]


async def test_each_missed_day_is_held_and_shown(daily: Deployment) -> None:
    """Away for 40 days, a daily notice is said once; the days of the last month wait for a person, each."""
    daily.edit("schedules/fresno.toml", "every =", "late = '3d'\nevery =")
    async with hand(daily) as clock:
        await clock.beat(today(10, 16) - timedelta(days=1))
        await clock.beat(today(10, 0))
    back = datetime(2027, 4, 10, 12, tzinfo=ZONE).astimezone(UTC)
    async with hand(daily) as clock:
        assert await clock.beat(back) == {"fresno": 2}
        _, said = await clock.reports("running")
        assert said.due_at == datetime(2027, 4, 10, 10, 15, tzinfo=ZONE)
        missed = [one.due_at.astimezone(ZONE).date() for one in await clock.reports("missed") if one.due_at]
    assert sorted(missed) == [said.due_at.date() - timedelta(days=n) for n in range(30, 0, -1)]


async def test_two_hours_of_one_entry_are_not_said_together(daily: Deployment) -> None:
    """Away over both hours of a notice, people get it once on return, and the first hour is shown."""
    slot(daily, "fresno", "feria", datetime(2027, 3, 1, 10))  # noqa: DTZ001 - as the community's clocks show it
    async with hand(daily) as clock:
        await clock.beat(today(9, 0))
    async with hand(daily) as clock:
        assert await clock.beat(today(10, 30)) == {"fresno": 1}
        assert [one.due_at for one in await clock.reports("missed")] == [today(10, 0)]
