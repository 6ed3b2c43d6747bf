"""A stolen disk and a copied log name nobody: no address, word, name or secret, at any level of talk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aiohttp

from tests.conftest import BOT_TOKEN, TOKEN
from tests.deployment import Deployment, connect, deploy, number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Rehearsal

CROWD = 1000
SECRETS = ("Xochiquetzal", "mi hermano Tonatiuh", BOT_TOKEN, TOKEN)
"""A name that the vendor tells, words that a person writes, and the tokens."""


def addresses() -> list[tuple[str, str]]:
    """A thousand numbers, and one of each channel who also writes."""
    people = [(("sms", "whatsapp")[n % 2], number(n)) for n in range(CROWD)]
    return [*people, ("telegram", "7738291045"), ("sms", "+15595550177"), ("whatsapp", "+16025550188")]


def digits() -> set[bytes]:
    """What would give somebody away: the number as it is dialled, with and without the country code."""
    bare = [address.removeprefix("+") for _, address in addresses()]
    return {one.encode() for one in bare} | {one[1:].encode() for one in bare if len(one) == 11}


def stored(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file that the deployment wrote."""
    for path in folder.glob("pregonero.db*"):
        yield path.name, path.read_bytes()


async def whole_life(made: Deployment, rehearsal: Rehearsal) -> str:
    """Everything that happens to a deployment, with all the talk there is; what was said."""
    said = [(await made.do("subscribers", "import", "people.csv")).said]
    async with made.running(PREGONERO_LOG="DEBUG") as working:
        said.append((await made.do("announce", "feria", "--wait", PREGONERO_LOG="DEBUG")).said)
        for channel, address in addresses()[-3:]:
            for text in ("pasaporte", "mi hermano Tonatiuh", "baja"):
                await rehearsal.say(channel, address, text)
        async with aiohttp.ClientSession() as session:
            form = {"From": "+15595550177", "Body": "mi hermano Tonatiuh"}
            async with session.post(made.url + "/hooks/sms", data=form) as answer:
                assert answer.status == 403
        await made.until(
            "SELECT 1 FROM inbounds GROUP BY 1 = 1 HAVING count(*) = 9 AND sum(text IS NOT NULL) = 0"
        )
        found = dict(stored(made.folder))  # while it runs, the WAL is there
        assert {"pregonero.db", "pregonero.db-wal"} <= set(found)
        hides(found)
        said += [
            line
            for words in (("report",), ("report", "--json"), ("subscribers", "stats"), ("check",))
            for line in [(await made.do(*words, PREGONERO_LOG="DEBUG")).said]
        ]
        ended = await working.stop()
        said.append(ended.said)
    made.write("broken.csv", (made.folder / "people.csv").read_text("utf-8").replace(",web", ",no"))
    said.append((await made.do("subscribers", "import", "broken.csv", PREGONERO_LOG="DEBUG")).said)
    return "\n".join(said)


def hides(found: dict[str, bytes]) -> None:
    """No digit string and no secret in any of it."""
    numbers = digits()
    lengths = {len(one) for one in numbers}
    for name, content in found.items():
        for secret in SECRETS:
            assert secret.encode() not in content, f"{name} holds a secret"
        for run in re.findall(rb"\d{10,}", content):
            for length in lengths:
                pieces = {run[i : i + length] for i in range(len(run) - length + 1)}
                assert not pieces & numbers, f"{name} holds a number"


async def test_nothing_that_is_kept_or_said_names_anybody(tmp_path: Path, rehearsal: Rehearsal) -> None:
    """A thousand numbers imported, announced to and heard: none is in database, WAL, logs or reports."""
    made = deploy(tmp_path, rehearsal.url)
    people = addresses()
    await rehearsal.people(
        *(
            {
                "channel": channel,
                "address": address,
                "name": "Xochiquetzal",
                "state": ("ok", "dead")[n % 50 == 7],
            }
            for n, (channel, address) in enumerate(people)
        )
    )
    await connect(made, rehearsal)
    rows = [f"{channel},{address},es,fresno,,web" for channel, address in people]
    made.write("people.csv", "\n".join(["channel,address,language,community,topics,consent", *rows]))
    said = await whole_life(made, rehearsal)
    assert '"event"' in said, "nothing was logged, so nothing was proved"
    hides({"what was said": said.encode(), **dict(stored(tmp_path))})
