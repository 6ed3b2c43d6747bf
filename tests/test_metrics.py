"""The operators' door: what Prometheus is told is what happened, and nobody is told who it happened to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from bot.broadcasts.reports import COUNTED
from bot.words import Phrases
from tests.deployment import Deployment, connect, deploy, free_port, number

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.conftest import Rehearsal

CHATS = [("telegram", str(3000 + n), "es", "fresno") for n in range(12)]
PHONES = [("sms", number(n), "es", "fresno") for n in range(6)]
LABELS = {
    "lane": {"bot", "sms", "whatsapp"},
    "priority": {"reply", "emergency", "announcement", "digest"},
    "outcome": {*COUNTED, "next"},
    "ours": {"true", "false"},
}
"""What labels may hold; nothing in them comes from a person."""


class Told:
    """What Prometheus is told at one moment."""

    def __init__(self, text: str) -> None:
        self.samples = [one for family in text_string_to_metric_families(text) for one in family.samples]

    def of(self, name: str, **labels: str) -> float:
        """The sum of a metric over the samples with these labels."""
        found = [
            one.value for one in self.samples if one.name == name and labels.items() <= one.labels.items()
        ]
        assert found or name.endswith("_total"), name
        return sum(found)


class Door:
    """The operators' own port."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self.session = url, session

    async def told(self) -> Told:
        """What `/metrics` says."""
        async with self.session.get(f"{self.url}/metrics") as answer:
            assert answer.status == 200
            return Told(await answer.text())

    async def until(self, name: str, value: float, **labels: str) -> Told:
        """Wait until a metric has a value: it is looked every few seconds."""
        async with asyncio.timeout(20):
            while (told := await self.told()).of(name, **labels) != value:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.2)
        return told


@asynccontextmanager
async def door(made: Deployment) -> AsyncIterator[Door]:
    async with aiohttp.ClientSession() as session:
        port = made.environ["METRICS_PORT"]
        yield Door(f"http://127.0.0.1:{port}", session)


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A deployment with a door for its operators."""
    made = deploy(tmp_path, rehearsal.url)
    made.environ["METRICS_PORT"] = str(free_port())
    made.edit(
        "config.toml", "[senders.bot]", f"[metrics]\nport = {made.environ['METRICS_PORT']}\n[senders.bot]"
    )
    people = [{"channel": channel, "address": address} for channel, address, *_ in (*CHATS, *PHONES)]
    await rehearsal.people(*people)
    await connect(made, rehearsal)
    await made.take_in([*CHATS, *PHONES])
    return made


async def test_what_was_sent_is_told(made: Deployment, rehearsal: Rehearsal) -> None:
    """Sends by outcome, what left against the rate, webhooks answered, the beat, the disk, the build."""
    async with made.running(), door(made) as asked:
        assert (await made.do("announce", "feria", "--wait")).status == 0
        await made.until(
            "SELECT 1 FROM deliveries WHERE sender = 'sms' AND state = 'delivered' "
            "GROUP BY 1 = 1 HAVING count(*) = 6"
        )
        told = await asked.told()
        assert told.of("pregonero_sends_total", lane="bot", outcome="sent", reason="") == 12
        assert told.of("pregonero_sends_total", lane="sms", outcome="sent", reason="") == 6
        assert told.of("pregonero_spent_total", lane="bot") == 12
        assert told.of("pregonero_spent_total", lane="sms") >= 6
        assert told.of("pregonero_rate_budget", lane="sms") == 900
        assert told.of("pregonero_webhook_answers_total", lane="sms", status="200") >= 12
        assert told.of("pregonero_breaker", lane="sms", state="closed") == 1
        assert told.of("pregonero_resting_seconds") == 0
        assert told.of("pregonero_health", status="ok") == 1
        assert told.of("pregonero_beat_age_seconds") < 30
        assert told.of("pregonero_database_bytes") > 0
        assert told.of("pregonero_disk_free_bytes") > 0
        assert told.of("pregonero_build_info") == 1
        async with asked.session.post(made.url + "/hooks/sms", data={"Body": "forged"}) as answer:
            assert answer.status == 403
        async with asked.session.post(made.url + "/hooks/%2B15595550100") as answer:
            assert answer.status == 404
        told = await asked.told()
        assert told.of("pregonero_webhook_answers_total", status="403") == 1
        assert told.of("pregonero_webhook_answers_total", status="404") == 0  # a stranger makes no label


async def test_what_waits_is_told(made: Deployment) -> None:
    """Queue depth by lane and priority; what is paused has no age, for it waits for nobody."""
    assert (await made.do("announce", "feria")).status == 0
    assert (await made.do("pause", "1", "--by", "ana")).status == 0
    async with made.running(), door(made) as asked:
        told = await asked.told()
        assert told.of("pregonero_queue", lane="bot", priority="announcement") == 12
        assert told.of("pregonero_queue", lane="sms") == 6
        assert told.of("pregonero_queue", priority="digest") == 0
        assert told.of("pregonero_queue_age_seconds") == 0
        assert (await made.do("resume", "1", "--by", "ana")).status == 0
        await asked.until("pregonero_queue", 0)


async def test_what_is_not_known_is_told(made: Deployment, rehearsal: Rehearsal) -> None:
    """Requests that were under way when the process died are unknown, and counted as that."""
    await rehearsal.faults("telegram", "hang")
    assert (await made.do("announce", "feria")).status == 0
    async with made.running() as working:
        await made.until("SELECT 1 FROM deliveries WHERE sender = 'bot' AND state = 'claimed'")
        working.process.kill()
        await working.process.wait()
    await rehearsal.faults("telegram", "ok")
    async with made.running(), door(made) as asked:
        [(unknown,)] = made.rows("SELECT count(*) FROM deliveries WHERE state = 'unknown'")
        assert unknown
        await asked.until("pregonero_unknown", unknown, lane="bot")


async def test_a_broken_lane_is_red_and_says_why(made: Deployment, rehearsal: Rehearsal) -> None:
    """A wrong token: `/health` is red on both ports, and only the operators' tells which lane and why."""
    made.write("token", "5:wrong")
    async with made.running(), door(made) as asked:
        assert (await made.do("announce", "feria")).status == 0
        told = await asked.until("pregonero_health", 1, status="failing")
        assert told.of("pregonero_trouble", lane="bot", ours="true") == 1
        assert told.of("pregonero_breaker", lane="bot", state="closed") == 0
        async with asked.session.get(f"{asked.url}/health") as answer:
            health = await answer.json()
            assert (answer.status, health["status"]) == (503, "failing")
        assert health["lanes"]["bot"]["state"] == "broken"
        assert health["lanes"]["bot"]["reason"] == "credentials"
        assert health["lanes"]["sms"] == {"state": "ok"}
        async with asked.session.get(made.url + "/health") as answer:
            assert (answer.status, await answer.json()) == (503, {"status": "failing"})


async def test_a_copy_that_may_not_send_tells_its_operators(made: Deployment) -> None:
    """A restored database answers, sends nothing, and says so to whoever asks how it is."""
    async with made.running():
        pass
    (made.folder / "pregonero.db.armed").unlink()
    async with made.running(), door(made) as asked:
        async with asked.session.get(f"{asked.url}/health") as answer:
            health = await answer.json()
        assert (answer.status, health["reasons"]) == (200, ["copied-database"])
        assert {lane["state"] for lane in health["lanes"].values()} == {"off"}


async def test_labels_hold_only_words_of_ours(made: Deployment, rehearsal: Rehearsal) -> None:
    """After a day with every kind of end, each label's values come from a closed list."""
    reasons = Phrases("es")
    await rehearsal.people({"channel": "telegram", "address": CHATS[0][1], "state": "blocked"})
    await rehearsal.faults("sms", "429", retry_after=1, count=2)
    async with made.running(), door(made) as asked:
        await made.do("announce", "feria")
        await made.until(
            "SELECT 1 FROM deliveries GROUP BY 1 = 1 HAVING sum(state IN ('queued', 'claimed')) = 0"
        )
        told = await asked.told()
        async with asked.session.get(
            f"{asked.url}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
        ) as answer:
            assert list(read_openmetrics(await answer.text()))  # type: ignore[no-untyped-call]  # theirs
    assert told.of("pregonero_sends_total", outcome="failed", reason="blocked") == 1
    for one in told.samples:
        for label, value in one.labels.items():
            assert value in LABELS.get(label, {value})
            if label == "reason" and value:
                assert reasons.say(f"reasons.{value}")


async def test_the_door_is_shut_unless_it_is_wanted(tmp_path: Path, rehearsal: Rehearsal) -> None:
    """Vendors' port has no metrics, and without [metrics] there is no other."""
    made = deploy(tmp_path, rehearsal.url)
    async with made.running(), aiohttp.ClientSession() as session:
        async with session.get(made.url + "/metrics") as answer:
            assert answer.status == 404
        async with session.get(made.url + "/health") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok"})


async def test_a_taken_port_is_said(made: Deployment) -> None:
    """Whose port is taken learns which, and the service does not run unwatched."""
    made.environ["METRICS_PORT"], before = str(made.port), made.environ["METRICS_PORT"]
    made.edit("config.toml", f"[metrics]\nport = {before}", f"[metrics]\nport = {made.port}")
    ended = await made.do("run")
    assert ended.status == 1
    assert str(made.port) in ended.err
    assert "[metrics]" in ended.err
