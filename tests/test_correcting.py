"""`pregonero correct`: who may have got a wrong text is told the right one; nobody else is, or twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from tests.deployment import Deployment, deploy, number

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal

PEOPLE = [("telegram", str(1000 + n), ("es", "en")[n % 2], "fresno") for n in range(40)]
PEOPLE += [("sms", number(n), "es", "fresno") for n in range(40)]
PEOPLE += [("whatsapp", number(n), "es", "fresno") for n in range(40)]
SOME = "SELECT 1 FROM deliveries WHERE state IN ('sent', 'delivered') GROUP BY 1 = 1 HAVING count(*) >= 30"
EVENT = "+++\ntitle = {title}\nstarts = 2099-10-04T09:00:00\n+++\n{body}, el {{{{ starts | date }}}}.\n"


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A hundred and twenty people on three lanes slow enough to be stopped in the middle."""
    made = deploy(tmp_path, rehearsal.url, rate=15)
    await rehearsal.people(*({"channel": channel, "address": address} for channel, address, _, _ in PEOPLE))
    await made.take_in(PEOPLE)
    return made


async def phones(rehearsal: Rehearsal) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """What each person got, in order: whether it came or was changed, and the words."""
    got: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in await rehearsal.ledger():
        if row["outcome"] in {"accepted", "edited"}:
            got[row["channel"], row["address"]].append((row["outcome"], row["text"]))
    return got


async def half_told(made: Deployment) -> None:
    """The wrong text to a part of the people; then whoever sends is stopped, and the announcement paused."""
    assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
    async with made.running() as working:
        await made.until(SOME)
        await working.stop()
    assert (await made.do("pause", "1")).status == 0


def mend(made: Deployment, wrong: str, right: str) -> None:
    """Change a word of the text in both editions, wherever it stands."""
    for name in ("es", "en"):
        made.edit(f"content/announcements/feria/{name}.md", wrong, right)


async def test_only_who_got_the_wrong_text_gets_the_correction(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """Half the people have the wrong text: they get the correction, Telegram's copies are made right, the
    other half gets the right text alone, and nobody anything twice.
    """
    await half_told(made)
    wrong = set(await phones(rehearsal))
    assert 30 <= len(wrong) < len(PEOPLE)
    mend(made, "1 < 2", "3 < 4")
    made.edit("content/announcements/feria/es.md", "vacunas gratis", "consultas gratis")
    made.edit("content/announcements/feria/es.md", "Vacunas gratis", "Consultas gratis")
    corrected = await made.do("correct", "1", "--wait", "--json")
    assert corrected.status == 0, corrected.said
    assert f"{len(wrong)} personas pudieron recibir" in corrected.err
    assert f"{len(PEOPLE) - len(wrong)} personas aún no lo recibían" in corrected.err
    got = await phones(rehearsal)
    assert set(got) == {(channel, address) for channel, address, _, _ in PEOPLE}
    for who, said in got.items():
        check_phone(who[0], said, wrong=who in wrong)
    first, second = (await made.do("report", "--json")).json()
    assert (first["state"], first["corrected_by"], second["corrects"]) == ("cancelled", 2, 1)
    assert "2" in (await made.do("report", "1")).out
    kept = made.rows("SELECT open FROM texts WHERE broadcast = 1")
    assert all("Consultas" not in said and "3 &lt; 4" not in said for (said,) in kept)


def check_phone(channel: str, said: list[tuple[str, str]], *, wrong: bool) -> None:
    """One phone: the wrong text and its correction, or the right text alone."""
    ways = [way for way, _ in said]
    words = [text for _, text in said]
    new = {"telegram": "3 &lt; 4", "sms": "consultas", "whatsapp": "Consultas"}[channel]
    if not wrong:
        assert ways == ["accepted"]
        assert new in words[0]
        assert not any(heading in words[0] for heading in ("Corrección", "Correction", "corregido"))
    elif channel == "telegram":
        assert ways == ["accepted", "edited", "accepted"]
        assert (new in words[0], new in words[1], new in words[2]) == (False, True, True)
        assert not words[1].startswith("<b>Corre")
        assert words[2].startswith(("<b>Corrección: Feria", "<b>Correction: Health"))
    else:
        assert ways == ["accepted", "accepted"]
        assert (new in words[0], new in words[1]) == (False, True)
        assert channel == "whatsapp" or words[1].startswith("Aviso corregido: Feria")


async def test_to_correct_twice_changes_nothing(made: Deployment, rehearsal: Rehearsal) -> None:
    """Where the text has not changed nothing is made or stopped, before a correction and after it: no second
    command can send twice (listmonk#2070).
    """
    await half_told(made)
    same = await made.do("correct", "1")
    assert (same.status, "no ha cambiado" in same.out) == (1, True)
    assert made.rows("SELECT state FROM broadcasts") == [("paused",)]
    mend(made, "1 < 2", "3 < 4")
    assert (await made.do("correct", "1", "--wait")).status == 0
    for broadcast in ("1", "2"):
        again = await made.do("correct", broadcast)
        assert (again.status, "El texto del aviso 2 no ha cambiado" in again.out) == (1, True)
    assert made.rows("SELECT count(*) FROM broadcasts") == [(2,)]
    assert (
        max(Counter(way for way, _ in said)["accepted"] for said in (await phones(rehearsal)).values()) == 2
    )


async def test_a_correction_is_corrected(made: Deployment, rehearsal: Rehearsal) -> None:
    """A correction that was wrong too is corrected like any text; on Telegram every copy ends right."""
    await half_told(made)
    wrong = set(await phones(rehearsal))
    mend(made, "1 < 2", "3 < 4")
    assert (await made.do("correct", "1", "--wait")).status == 0
    mend(made, "3 < 4", "5 < 6")
    again = await made.do("correct", "1", "--wait", "--json")
    assert again.status == 0, again.said
    assert (again.json()["broadcast"], again.json()["corrects"]) == (3, 2)
    for (channel, _), rows in (await by_message(rehearsal)).items():
        assert all("5 &lt; 6" in text for text in rows.values()) or channel != "telegram"
    got = await phones(rehearsal)
    for who, said in got.items():
        if who[0] == "telegram":
            first = ["accepted", "edited", "accepted"] if who in wrong else ["accepted"]
            edits = ["edited", "edited"] if who in wrong else ["edited"]
            assert [way for way, _ in said] == [*first, *edits, "accepted"]


async def by_message(rehearsal: Rehearsal) -> dict[tuple[str, str], dict[str, str]]:
    """What stands on each phone in the end, by the vendor's number of the message."""
    standing: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in await rehearsal.ledger():
        if row["outcome"] in {"accepted", "edited"}:
            standing[row["channel"], row["address"]][row["vendor_id"]] = row["text"]
    return standing


async def test_an_event_is_corrected_with_its_file(made: Deployment, rehearsal: Rehearsal) -> None:
    """Who got a wrong date for their calendar gets another file, in the old message and with the new."""
    rosa: dict[str, Any] = {"channel": "telegram", "address": "101", "shown": True}
    await rehearsal.people(rosa)
    made.write("content/announcements/feria/en.md", EVENT.format(title='"Fair"', body="Come"))
    made.write("content/announcements/feria/es.md", EVENT.format(title='"Feria"', body="Ven"))
    await made.take_in([("telegram", "101", "es", "phoenix")])
    assert (await made.do("announce", "feria", "-c", "phoenix", "--wait")).status == 0
    made.edit("content/announcements/feria/es.md", "2099-10-04", "2099-10-11")
    assert (await made.do("correct", "1", "--wait")).status == 0
    old, new = await rehearsal.messages("telegram", "101")
    assert (old["edited"], new["edited"]) == (True, False)
    assert "domingo 11 de octubre" in old["text"]
    assert new["text"].startswith("Corrección: Feria")
    assert old["file"] == new["file"]
    assert old["file"]["file_name"] == "feria.ics"
    assert [row["file"] for row in await rehearsal.ledger()] == ["feria.ics"] * 3


async def test_there_must_be_something_to_correct(made: Deployment) -> None:
    """A broadcast that does not exist, or that nobody was sent yet, is said in a sentence."""
    assert "No hay ningún aviso" in (await made.do("correct", "7")).err
    assert (await made.do("announce", "feria", "-c", "fresno", "--at", "2099-01-01T10:00")).status == 0
    ended = await made.do("correct", "1")
    assert (ended.status, "todavía no se le envió a nadie" in ended.out) == (1, True)


async def test_a_text_that_is_wrong_again_stops_nothing(made: Deployment) -> None:
    """While the mended file cannot be said, nothing is made and the wrong one goes on as it was."""
    await half_told(made)
    mend(made, "1 < 2", "{{ facts.nothing.here }}")
    ended = await made.do("correct", "1")
    assert (ended.status, "facts.nothing.here" in ended.err) == (1, True)
    assert made.rows("SELECT id, state FROM broadcasts") == [(1, "paused")]
