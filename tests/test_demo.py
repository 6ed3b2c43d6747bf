"""What a newcomer sees first: the demo, in its short form and with the phones."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import aiohttp

from tests.conftest import Rehearsal
from tests.deployment import Deployment

if TYPE_CHECKING:
    from pathlib import Path

ENDS = ("sent", "delivered", "read", "failed")


async def test_the_short_demo_ends_with_everyone_accounted_for(tmp_path: Path) -> None:
    """Every rehearsal subscriber is in exactly one end state, and the exit status is 0."""
    ended = await Deployment(tmp_path, 0).do("demo", "--once", "--json")
    assert (ended.status, "Traceback" in ended.err) == (0, False)
    reports = ended.json()
    assert sorted(report["community"] for report in reports) == ["fresno", "nueva-york", "phoenix"]
    for report in reports:
        assert sum(report["counts"].values()) == sum(report["counts"][state] for state in ENDS) > 0
        assert report["state"] == "done"
    assert sum(sum(report["counts"].values()) for report in reports) == 3000


async def test_the_demo_waits_for_the_page_and_ends_in_peace(tmp_path: Path) -> None:
    """It says where the phones are, announces when the page opens, answers, and ends on Ctrl-C."""
    async with Deployment(tmp_path, 0).at_work("demo") as working:
        line = await working.line("http://127.0.0.1")
        found = re.search(r"http://\S+/", line)
        assert found is not None
        phones = Rehearsal(found[0])
        assert await phones.ledger() == []
        async with aiohttp.ClientSession() as session, session.get(f"{phones.url}rehearsal/events") as page:
            assert page.status == 200
            await phones.until(lambda now: sum(one["accepted"] for one in now["counts"].values()) == 9)
            people = (await phones.people())["people"]
            assert len(people) == 12
            for one in people[:3]:
                await phones.say(one["channel"], one["address"], "BAJA")
            await phones.until(lambda now: sum(one["accepted"] for one in now["counts"].values()) == 12)
        ended = await working.stop(signal.SIGINT)
    assert (ended.status, ended.err) == (0, "")
    assert "No se perdió nada" in ended.out
