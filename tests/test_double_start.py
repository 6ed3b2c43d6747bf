"""Two services on one database: one serves, the other stands by, and takes over when the first ends."""

from __future__ import annotations

import signal
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.deployment import Deployment, deploy, number

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal

ENDINGS = [signal.SIGKILL, signal.SIGTERM] * 2
"""How each service ends beside one that stands by."""
PEOPLE = [("sms", number(n), "es", "fresno") for n in range(30)]
STANDS_BY, RUNS = "Este espera", "está en marcha"
SOME_LEFT = "SELECT 1 FROM deliveries WHERE broadcast = {} AND state NOT IN ('queued', 'claimed')"
NOTHING_LEFT = "SELECT 1 FROM deliveries GROUP BY 1 = 1 HAVING sum(state IN ('queued', 'claimed')) = 0"


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """Thirty people, something else to tell them at each start, and a lane slow enough to be cut off."""
    made = deploy(tmp_path, rehearsal.url, rate=100)
    for start in range(len(ENDINGS)):
        made.write(
            f"content/announcements/aviso-{start}/es.md", f'+++\ntitle = "Aviso {start}."\n+++\nDicho.\n'
        )
    await rehearsal.people(*({"channel": channel, "address": address} for channel, address, _, _ in PEOPLE))
    await made.take_in(PEOPLE)
    return made


async def test_the_second_stands_by_and_takes_over(made: Deployment, rehearsal: Rehearsal) -> None:
    """Through four double starts the second says that it stands by, and goes on when the first dies or ends.

    Nobody hears anything twice, and only what was in flight at a kill may be unknown.
    """
    async with AsyncExitStack() as alive:
        serving = await alive.enter_async_context(made.running())
        for start, ending in enumerate(ENDINGS):
            second = await alive.enter_async_context(made.at_work("run"))
            await second.line(STANDS_BY)
            await announced(made, start)
            assert (await serving.stop(ending)).status == (0 if ending == signal.SIGTERM else -ending)
            await second.line(RUNS)
            serving = second
        await made.until(NOTHING_LEFT)
        assert (await serving.stop()).status == 0
    accepted = Counter(
        (row["address"], row["text"].partition(".")[0])
        for row in await rehearsal.ledger()
        if row["outcome"] == "accepted"
    )
    rows = made.rows(
        "SELECT subscriber, entry, d.state FROM deliveries d JOIN broadcasts b ON b.id = broadcast"
    )
    assert len(rows) == len(ENDINGS) * len(PEOPLE)
    for person, entry, state in rows:
        times = accepted[PEOPLE[person - 1][1], entry.replace("aviso-", "Aviso ")]
        assert times in ((0, 1) if state == "unknown" else (1,)), (entry, state)


async def announced(made: Deployment, start: int) -> None:
    """Something is on its way, and the first service answers for it."""
    ended = await made.do("announce", f"aviso-{start}", "-c", "fresno")
    assert ended.status == 0, ended.said
    await made.until(SOME_LEFT.format(start + 1))
    async with aiohttp.ClientSession() as session, session.get(f"{made.url}/health") as answer:
        assert answer.status == 200


async def test_whoever_stands_by_can_be_stopped(made: Deployment) -> None:
    """SIGTERM ends the one that waits at once and in peace, and the one that serves goes on."""
    async with made.running() as serving, made.at_work("run") as second:
        await second.line(STANDS_BY)
        ended = await second.stop()
        assert (ended.status, ended.err) == (0, "")
        assert serving.process.returncode is None
