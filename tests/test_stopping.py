"""Ctrl-C and SIGTERM in the middle: what left is settled, the rest waits, nobody hears twice."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot import check
from bot.app import App
from bot.service import serving
from tests.deployment import Deployment, deploy, number

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal

PEOPLE = [("telegram", str(1000 + n), "es", "fresno") for n in range(120)]
PEOPLE += [("sms", number(n), "en", "phoenix") for n in range(120)]
SIGNALS = pytest.mark.parametrize("number_", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
SOME_LEFT = (
    "SELECT 1 FROM deliveries WHERE state IN ('sent', 'delivered') GROUP BY 1 = 1 HAVING count(*) >= 20"
)
SOME_FLYING = "SELECT 1 FROM deliveries WHERE state = 'claimed' GROUP BY 1 = 1 HAVING count(*) >= 20"
SOME_MORE = (
    "SELECT 1 FROM deliveries WHERE state IN ('sent', 'delivered') GROUP BY 1 = 1 HAVING count(*) >= {}"
)
STOPS, HANGING = 2, 3
NOTHING_LEFT = "SELECT 1 FROM deliveries GROUP BY 1 = 1 HAVING sum(state IN ('queued', 'claimed')) = 0"


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """Two hundred and forty people on two lanes slow enough to be interrupted."""
    made = deploy(tmp_path, rehearsal.url, rate=100)
    await rehearsal.people(*({"channel": channel, "address": address} for channel, address, _, _ in PEOPLE))
    await made.take_in(PEOPLE)
    return made


async def reached(rehearsal: Rehearsal) -> Counter[tuple[str, str]]:
    """How often the vendors took a message for each person."""
    rows = await rehearsal.ledger()
    return Counter((row["channel"], row["address"]) for row in rows if row["outcome"] == "accepted")


def counts(made: Deployment) -> dict[str, int]:
    """The deliveries by state."""
    return dict(made.rows("SELECT state, count(*) FROM deliveries GROUP BY state"))


async def everybody_once(made: Deployment, rehearsal: Rehearsal) -> None:
    """Go on to the end, and see that each person was reached exactly once."""
    again = await made.do("announce", "feria", "--wait")
    assert again.status == 0, again.said
    assert await reached(rehearsal) == Counter((channel, address) for channel, address, _, _ in PEOPLE)


@SIGNALS
async def test_an_announcement_can_be_interrupted(
    made: Deployment, rehearsal: Rehearsal, number_: signal.Signals
) -> None:
    """`announce --wait`, stopped in the middle, settles what left and keeps the rest for the next."""
    async with made.at_work("announce", "feria", "--wait") as working:
        await made.until(SOME_LEFT)
        ended = await working.stop(number_)
    assert (ended.status, "no se pierde" in ended.err) == (1, True)
    left = counts(made)
    assert set(left) <= {"queued", "sent", "delivered"}
    assert left["queued"] > 0
    assert (await reached(rehearsal)).total() == len(PEOPLE) - left["queued"]
    await everybody_once(made, rehearsal)


@SIGNALS
async def test_the_service_can_be_interrupted(
    made: Deployment, rehearsal: Rehearsal, number_: signal.Signals
) -> None:
    """`run`, stopped in the middle however impatiently, ends in peace and goes on where it was."""
    async with made.running() as working:
        assert (await made.do("announce", "feria")).status == 0
        await made.until(SOME_LEFT)
        working.process.send_signal(number_)
        ended = await working.stop(number_)
    assert (ended.status, ended.err) == (0, "")
    left = counts(made)
    assert set(left) <= {"queued", "sent", "delivered"}
    assert left["queued"] > 0
    async with made.running():
        await made.until(NOTHING_LEFT)
    await everybody_once(made, rehearsal)


async def test_a_vendor_that_never_answers_does_not_keep_the_service(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """Requests that nobody answers are counted as unknown when we end, and are not sent again."""
    await rehearsal.faults("telegram", "hang")
    async with made.at_work("announce", "feria", "--wait", "-c", "fresno") as working:
        await made.until(SOME_FLYING)
        ended = await working.stop()
    assert ended.status == 1
    assert set(counts(made)) == {"queued", "unknown"}
    await rehearsal.faults("telegram", "ok")
    assert (await made.do("announce", "feria", "--wait", "-c", "fresno")).status == 0
    assert set((await reached(rehearsal)).values()) == {1}


async def test_the_service_ends_in_time_whatever_its_vendor_does(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """Stopped twice under load while a vendor keeps some requests open, `run` ends within ten seconds.

    It says that it ended well; what is unknown then was one of those requests, and nothing else.
    """
    for stop in range(1, STOPS + 1):
        await rehearsal.faults("telegram", "hang", count=HANGING)
        before = sum(counts(made).get(state, 0) for state in ("sent", "delivered"))
        async with made.running() as working:
            assert (await made.do("announce", "feria", "--again")).status == 0
            await made.until(SOME_MORE.format(before + 10))
            ended = await working.stop()  # raises after ten seconds
        assert ended.status == 0
        left = counts(made)
        assert "claimed" not in left
        assert 0 < left["unknown"] <= stop * HANGING
    await rehearsal.faults("telegram", "ok")
    async with made.running():
        await made.until(NOTHING_LEFT)
    everybody = Counter((channel, address) for channel, address, _, _ in PEOPLE)
    assert await reached(rehearsal) == Counter(dict.fromkeys(everybody, STOPS))


async def test_nothing_begins_while_the_service_ends(
    made: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else has to end may take a while: meanwhile no request leaves any more."""
    project, _ = check.read(made.folder / "config.toml", made.environ, datetime.now(UTC))
    assert project is not None
    left: list[float] = []
    async with App(project) as app, serving(app) as (dispatcher, _):
        end = app.editing.end

        async def slow() -> None:
            left.append(sum(lane.spent for lane in dispatcher.lanes))
            await asyncio.sleep(0.3)
            left.append(sum(lane.spent for lane in dispatcher.lanes))
            await end()

        monkeypatch.setattr(app.editing, "end", slow)
        assert (await made.do("announce", "feria")).status == 0
        await made.until(SOME_LEFT)
    before, after = left
    assert 0 < before == after < len(PEOPLE)


async def test_an_announcement_beside_the_service_only_watches(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """`announce --wait` while `run` is on leaves the sending to it, and reaches nobody twice."""
    async with made.running():
        ended = await made.do("announce", "feria", "--wait")
    assert (ended.status, "Otro proceso" in ended.out) == (0, True)
    assert await reached(rehearsal) == Counter((channel, address) for channel, address, _, _ in PEOPLE)
