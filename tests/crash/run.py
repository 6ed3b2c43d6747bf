"""A run: one deployment at work, killed again and again, then left in peace, then judged.

What may enter: what happens before, between and after the kills.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.crash.mother import AT_ONCE
from tests.crash.points import AT_THE_VENDOR, IN_LIFE, LANES, POINTS, SELDOM
from tests.crash.verdict import Verdict, judge
from tests.deployment import Deployment, deploy, number
from tests.lives import Lives, alive, death

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

PEOPLE = 100
"""On each channel, who joined; whoever writes meanwhile are others."""
ERASE = "BORRAR"
LEAVING = 0.1
"""How often somebody who joined asks to be erased, before a life begins."""
CHANNELS = ("telegram", "sms", "whatsapp")
SENDERS = ("bot", "sms", "whatsapp")
RATE = 600
LEAST_WAITING = 150
"""With fewer messages queued, something more is announced."""
LONGEST_LIFE = 0.3
"""Seconds after which a life is cut off at any instant."""
PATIENCE = 3.0
"""Seconds that a life has to come to the point at which it is to die."""
AGAIN = 0.2
"""How often somebody who missed a point tries again, where any instant would do."""
LATE = 0.15
"""After how many kills it is minutes until the next life, else a second."""
LOOKS = 12
"""In how many steps it is waited for; after each a minute has passed for those who live."""
REST = timedelta(hours=76)
"""What passes at most while a last life is at rest: three days long vendors are asked."""
STEP = timedelta(minutes=4)
"""What passes at once of it: in longer leaps a life that reads the clock, and then how much time has passed,
would take its clock for wrong."""
STILL = 4
"""At how many looks in a row nothing is left to do."""
OF_A_BROADCAST = ("due", "fanned-out")
CLAIMED = "SELECT id, sender FROM deliveries WHERE state = 'claimed' AND state IN ('held', 'claimed')"
UNKNOWN = "SELECT id, sender FROM deliveries WHERE state = 'unknown'"
WAITING = """
    SELECT (SELECT count(*) FROM deliveries WHERE state = 'queued'),
           (SELECT count(*) FROM broadcasts WHERE state = 'scheduled')
"""
BUSY = """
    SELECT 1 FROM deliveries WHERE state IN ('queued', 'claimed')
    UNION ALL SELECT 1 FROM deliveries
              WHERE state = 'unknown' AND sender <> 'bot' AND subscriber IS NOT NULL
                AND (sender = 'sms' OR broadcast IS NULL OR looked > 0 OR due_at <= claimed_at)
    LIMIT 1
"""
"""What is to be sent, or its vendor has not said yet whether it can tell."""
UNQUIET = """
    SELECT 1 FROM broadcasts WHERE state IN ('running', 'scheduled')
    UNION ALL SELECT 1 FROM inbounds WHERE text IS NOT NULL LIMIT 1
"""
_ENTRY = """+++
title = "Aviso {n}"
[whatsapp]
template = "HX00000000000000000000000000000001"
category = "utility"
variables = {{ 1 = "{{{{ title }}}}" }}
+++
{body}
"""
_NOWHERE = "http://127.0.0.1:9"
"""Where the vendors are, until they say it."""
_FRESH = 4
"""How many of the announcements made last still have their files."""


@dataclass
class Outcome:
    """What a run came to.

    Attributes:
        killed: How often lives died at each point; "" is any instant.
        in_flight: Requests at the kills that were begun and whose answer was not on the disk, by lane.
        claimed: Rows found claimed after the kills, by lane: these, and what was about to leave.
        unknown: Rows that became unknown after the kills, by lane.
        ahead: Kills after which a lane had more claimed than it may have in flight, by lane.
        unclaimed: Kills after which a lane had more unknown than they left claimed there, by lane.
        verdict: What the rows say.
    """

    killed: Counter[str] = field(default_factory=Counter)
    in_flight: Counter[str] = field(default_factory=Counter)
    claimed: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    ahead: Counter[str] = field(default_factory=Counter)
    unclaimed: Counter[str] = field(default_factory=Counter)
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def faults(self) -> list[str]:
        """What must not be, a sentence each; nothing after a good run."""
        return [
            *(f"never killed there: {POINTS[point]}" for point in POINTS if not self.killed[point]),
            *self.verdict.faults,
            *(f"{lane}: more claimed than may be in flight, at {n} kills" for lane, n in self.ahead.items()),
            *(f"{lane}: more unknown than was claimed, at {n} kills" for lane, n in self.unclaimed.items()),
        ]


class Run:
    """One deployment, its vendors, and its lives."""

    def __init__(self, made: Deployment, lives: Lives, vendor: aiohttp.ClientSession, seed: int) -> None:
        self.outcome = Outcome()
        self._made, self._lives, self._vendor = made, lives, vendor
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._announced = self._wrote = 0
        self._erased: list[tuple[str, str]] = []
        self._cut_off: Counter[int] = Counter()
        self._left: set[tuple[int, str]] = set()
        self._doubted: set[tuple[int, str]] = set()

    async def kill(self, kills: int, after_each: Callable[[], object]) -> None:
        """Half of the lives die at any instant, half at the points in turn; who missed one tries later."""
        points = itertools.cycle(POINTS)
        first = [next(points) if n % 3 else "" for n in range(3 * kills // 4)]
        self._chance.shuffle(first)
        plan = [*first, *[""] * (kills - len(first))]  # the last are for those who missed
        missed: list[str] = []
        for wanted in plan:
            again = bool(missed) and self._chance.random() < AGAIN
            point = wanted or (missed.pop(0) if again else "")
            await self._make_work(point)
            if not await self._one_life(point):
                missed.append(point)
            self._count()
            after_each()
            late = self._chance.random() < LATE
            self._lives.let_pass(timedelta(minutes=7) if late else timedelta(seconds=1))

    async def rest(self) -> None:
        """Let a last life do all that is left, while the days pass for which vendors are asked.

        While there is something to do at once time does not run away from it.
        """
        self._lives.begin()
        still, left = 0, REST
        with suppress(TimeoutError):  # what is not settled by then is judged as it stands
            async with asyncio.timeout(180 + self.outcome.killed.total()):
                while still < STILL:
                    busy = self._made.rows(BUSY)
                    for _ in range(5):
                        step = min(left, STEP / 10 if busy else STEP)
                        self._lives.let_pass(step)
                        left -= step
                        await asyncio.sleep(0.05)
                    self._count_unknown()
                    writing = (await self._ask("all"))["writing"]
                    still = 0 if writing or busy or self._made.rows(UNQUIET) else still + 1
        self._lives.kill()

    async def judge(self) -> None:
        """Compare the rows with the ledger."""
        told = await self._ask("all")
        strangers = [_stranger(n)[:2] for n in range(self._wrote)]
        self.outcome.verdict = judge(
            self._made.folder,
            [*members(), *strangers],
            self._announced,
            told["ledger"],
            told["heard"],
            self._erased,
            self._cut_off,
        )

    async def _make_work(self, point: str) -> None:
        """Something to send, and somebody to answer; something due for who is to die of that."""
        [(queued, to_come)] = self._made.rows(WAITING)
        if not to_come and (queued < LEAST_WAITING or point in OF_A_BROADCAST):
            await self._announce(self._announced)
            self._announced += 1
        wrote = range(self._wrote, self._wrote + self._chance.randint(1, 3))
        words = [_stranger(n) for n in wrote]
        if self._chance.random() < LEAVING and (still := sorted({*members()} - {*self._erased})):
            words.append((*self._chance.choice(still), ERASE))
        self._erased += [(channel, address) for channel, address, said in words if said == ERASE]
        await self._ask("write", words)
        self._wrote = wrote.stop

    async def _announce(self, n: int) -> None:
        """One more, each third in several parts; no two paragraphs are ever alike."""
        some = range(5 if n % 3 == 2 else 1)
        sentence = "Trae tus papeles en original y copia. " * (25 if len(some) > 1 else 1)
        body = "\n\n".join(f"Aviso {n}, parte {each}. {sentence}" for each in some)
        self._made.write(f"content/announcements/aviso-{n}/es.md", _ENTRY.format(n=n, body=body))
        shutil.rmtree(self._made.folder / f"content/announcements/aviso-{n - _FRESH}", ignore_errors=True)
        await death(self._lives.ask("announce", f"aviso-{n}"), 20)
        assert self._made.rows("SELECT count(*) FROM broadcasts") == [(n + 1,)]

    async def _one_life(self, point: str) -> bool:
        """From a start to a kill; False when it never came to the point."""
        met = self._made.folder / "met"
        met.unlink(missing_ok=True)
        (self._made.folder / "in-flight").write_bytes(bytes(len(LANES)))
        times = 1 if point in SELDOM else self._chance.choice((1, 1, 2, 3, 5))
        pid = self._lives.begin(*((point, times) if point in IN_LIFE else ()))
        await self._ask("aim", {"pid": pid, "point": point if point in AT_THE_VENDOR else "", "times": times})
        if point:
            await self._wait_for(pid)
        else:
            await asyncio.sleep(self._chance.uniform(0, LONGEST_LIFE))
        if not met.exists() and not alive(pid):
            raise AssertionError("a life ended by itself: " + (self._made.folder / "mother.err").read_text())
        self._lives.kill()
        await death(pid, PATIENCE)
        self.outcome.killed[point if met.exists() else ""] += 1
        return not point or met.exists()

    async def _wait_for(self, pid: int) -> None:
        """Until a life has died at its point; what comes only after minutes comes sooner so."""
        for _ in range(LOOKS):
            await death(pid, PATIENCE / LOOKS)
            if not alive(pid):
                break
            self._lives.let_pass(timedelta(minutes=1))

    def _count(self) -> None:
        """What this kill left claimed, what was in flight, and what of the kill before is unknown now."""
        flying = dict(zip(SENDERS, (self._made.folder / "in-flight").read_bytes(), strict=True))
        self.outcome.in_flight.update(flying)
        self._count_unknown()
        self._left = set(self._made.rows(CLAIMED))
        self._cut_off.update(delivery for delivery, _ in self._left)
        claimed = _by_lane(self._left)
        self.outcome.claimed.update(claimed)
        self.outcome.ahead.update(lane for lane, claims in claimed.items() if claims > AT_ONCE)

    def _count_unknown(self) -> None:
        """Only what the kill before left claimed may have become unknown since."""
        unknown = set(self._made.rows(UNKNOWN))
        fresh = unknown - self._doubted
        self.outcome.unknown.update(_by_lane(fresh))
        self.outcome.unclaimed.update(_by_lane(fresh - self._left).keys())
        self._doubted = unknown

    async def _ask(self, what: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        async with self._vendor.request(
            "GET" if body is None else "POST", f"/crash/{what}", json=body
        ) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


async def crash(folder: Path, kills: int, seed: int, after_each: Callable[[], object] = bool) -> Outcome:
    """Kill a deployment so many times, let it come to rest, and judge."""
    async with _vendors(folder) as (made, vendor):
        await made.take_in([(channel, address, "es", "fresno") for channel, address in members()])
        with Lives(folder, datetime.now(UTC), "tests.crash.mother") as lives:
            run = Run(made, lives, vendor, seed)
            await run.kill(kills, after_each)
            await run.rest()
            await run.judge()
        return run.outcome


@asynccontextmanager
async def _vendors(folder: Path) -> AsyncIterator[tuple[Deployment, aiohttp.ClientSession]]:
    """A deployment whose vendors are a process of their own."""
    made = deploy(folder, _NOWHERE, rate=RATE)
    command = [sys.executable, "-m", "tests.crash.vendor", str(folder), made.url]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        made.edit("config.toml", _NOWHERE, url)
        async with aiohttp.ClientSession(url) as vendor:
            yield made, vendor
    finally:
        process.stdin.close()
        await process.wait()


def _by_lane(rows: Iterable[tuple[int, str]]) -> Counter[str]:
    return Counter(sender for _, sender in rows)


def members() -> list[tuple[str, str]]:
    """Who joined."""
    chats = [("telegram", str(1000 + n)) for n in range(PEOPLE)]
    return chats + [(channel, number(n)) for channel in CHANNELS[1:] for n in range(PEOPLE)]


def _stranger(n: int) -> tuple[str, str, str]:
    """Who writes next, and what: every fourth asks to be erased, and whoever comes next is new."""
    channel = CHANNELS[n % 3]
    address = str(10_000 + n) if channel == "telegram" else number(PEOPLE + n)
    return channel, address, ERASE if n % 4 == 3 else "pasaporte"
