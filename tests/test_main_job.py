"""The main job, through the front door: one text in, each of ten thousand people reached once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.deployment import PLACES, deploy, number

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal

PEOPLE, RATE = 10_000, 900
CHANNELS = ("telegram", "sms", "whatsapp")
WORDS = {"es": "vacunas gratis", "en": "free vaccines"}


def crowd() -> list[tuple[str, str, str, str]]:
    """Channel, address, language, community: every mixture of them, a third of all on each channel."""
    places = list(PLACES)
    return [
        (
            channel := CHANNELS[n % 3],
            str(100_000 + n) if channel == "telegram" else number(n),
            ("es", "en")[n // 9 % 2],
            places[n // 3 % 3],
        )
        for n in range(PEOPLE)
    ]


def busiest_second(rows: list[dict[str, Any]]) -> int:
    """The most requests that came within any one second."""
    times = sorted(datetime.fromisoformat(row["at"]).timestamp() for row in rows)
    most = first = 0
    for last, time in enumerate(times):
        while time - times[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


async def test_ten_thousand_people_are_each_reached_once(tmp_path: Path, rehearsal: Rehearsal) -> None:
    """One `announce --wait`: one message each, in their language, on their channel, within the rate."""
    made, people = deploy(tmp_path, rehearsal.url, rate=RATE), crowd()
    await rehearsal.people(*({"channel": channel, "address": address} for channel, address, _, _ in people))
    await made.take_in(people)

    ended = await made.do("announce", "feria", "--wait", "--json")
    assert ended.status == 0, ended.err

    rows = await rehearsal.ledger()
    assert {row["outcome"] for row in rows} == {"accepted"}
    assert Counter((row["channel"], row["address"]) for row in rows) == Counter(
        (channel, address) for channel, address, _, _ in people
    )
    language = {(channel, address): spoken for channel, address, spoken, _ in people}
    place = {(channel, address): slug for channel, address, _, slug in people}
    for row in rows:
        who = row["channel"], row["address"]
        if row["channel"] == "telegram":
            assert ("familia" in row["text"]) == (language[who] == "es")
        else:
            assert WORDS[language[who]] in row["text"].lower()
        if row["channel"] == "sms":
            assert place[who] in row["text"]

    reports = ended.json()
    assert [report["community"] for report in reports] == sorted(PLACES)
    for report in reports:
        counts = report["counts"]
        assert report["state"] == "done"
        assert sum(counts.values()) == sum(slug == report["community"] for _, _, _, slug in people)
        assert sum(counts[state] for state in ("sent", "delivered", "read")) == sum(counts.values())

    for channel in CHANNELS:
        assert busiest_second([row for row in rows if row["channel"] == channel]) <= RATE


async def test_no_second_exceeds_a_lanes_rate(tmp_path: Path, rehearsal: Rehearsal) -> None:
    """Where the rate is what limits, the vendor sees no more than it in any one second."""
    rate = 40
    made = deploy(tmp_path, rehearsal.url, rate=rate)
    people = [("telegram", str(1000 + n), "es", "fresno") for n in range(3 * rate)]
    await rehearsal.people(*({"channel": channel, "address": address} for channel, address, _, _ in people))
    await made.take_in(people)
    assert (await made.do("announce", "feria", "--wait")).status == 0
    rows = await rehearsal.ledger()
    assert len(rows) == len(people)
    assert busiest_second(rows) <= rate
