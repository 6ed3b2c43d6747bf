"""The commands as people's scripts meet them: answers in JSON, exit statuses, truthful previews."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployment import PLACES, Deployment, deploy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal

ROSA, JOEL, CITLALI = "101", "+16025550102", "+12125550103"
COUNTS = "queued held claimed sent delivered read failed expired cancelled unknown".split()  # noqa: SIM905 - design
EVERYBODY = [
    ("telegram", ROSA, "es", "fresno"),
    ("sms", JOEL, "en", "phoenix"),
    ("whatsapp", CITLALI, "es", "nueva-york"),
]


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A deployment with the rehearsal's three people."""
    made = deploy(tmp_path, rehearsal.url)
    await made.take_in(EVERYBODY)
    return made


async def test_a_script_can_count_on_the_shape_of_check(made: Deployment) -> None:
    """Each finding has the six promised fields; a warning alone is no failure, an error is."""
    clean = await made.do("check", "--json")
    assert clean.status == 0
    assert {row["level"] for row in clean.json()} == {"warning"}
    made.write("content/announcements/feria/nah.md", "Sin título")
    found = await made.do("check", "--json")
    assert found.status == 1
    for row in found.json():
        assert list(row) == ["file", "line", "level", "rule", "message", "remedy"]
    assert "library.no-front-matter" in {row["rule"] for row in found.json()}


async def test_a_script_can_count_on_the_shape_of_preview(made: Deployment) -> None:
    """One row for each community, language and channel, with the parts and what they cost."""
    rows = (await made.do("preview", "feria", "--json")).json()
    assert len(rows) == len(PLACES) * 2 * 3
    for row in rows:
        assert set(row) >= {"community", "language", "edition", "channel", "parts"}
        assert row["language"] == row["edition"]
        for part in row["parts"]:
            assert set(part) == {"text", "format", "encoding", "units", "segments"}
    one = await made.do("preview", "feria", "--json", "-c", "phoenix")
    assert {row["community"] for row in one.json()} == {"phoenix"}


async def test_a_script_can_count_on_the_shape_of_a_broadcast(made: Deployment) -> None:
    """`announce`, `report`, `pause`, `resume` and `cancel` all tell a broadcast in the promised shape."""
    rows = (await made.do("announce", "feria", "--json")).json()
    rows += (await made.do("report", "--json")).json()
    for words in (("report", "1"), ("pause", "1"), ("resume", "1"), ("cancel", "1")):
        ended = await made.do(*words, "--json")
        assert ended.status == 0, ended.err
        rows.append(ended.json())
    for row in rows:
        assert set(row) >= {"broadcast", "community", "entry", "counts"}
        assert list(row["counts"]) == COUNTS
        assert sum(row["counts"].values()) == 1
    assert [row["broadcast"] for row in rows[:3]] == [1, 2, 3]
    assert rows[-1]["counts"]["cancelled"] == 1


async def test_a_dry_run_stores_nothing(made: Deployment) -> None:
    """`--dry-run` says who would get which text, in numbers, and leaves no broadcast behind."""
    rows = (await made.do("announce", "feria", "--dry-run", "--json")).json()
    assert {(row["community"], row["channel"], row["people"], row["segments"]) for row in rows} == {
        ("fresno", "telegram", 1, 1),
        ("phoenix", "sms", 1, 1),
        ("nueva-york", "whatsapp", 1, 1),
    }
    assert (await made.do("report", "--json")).json() == []


@pytest.mark.parametrize(
    ("text", "intent", "entry"),
    [
        ("PASAPORTE!", "entry", "pasaporte"),
        ("Baja", "leave", "baja"),
        ("ALTA", "join", "confirmar"),
        ("ayuda", "help", "ayuda"),
        ("hola", "greeting", "bienvenida"),
        ("quiero un unicornio", "nothing", "no-encontrado"),
    ],
)
async def test_a_script_can_count_on_the_shape_of_ask(
    made: Deployment, text: str, intent: str, entry: str
) -> None:
    """`ask` tells what was meant, which entry answers, and the texts."""
    row = (await made.do("ask", text, "--json")).json()
    assert set(row) == {"intent", "entry", "choices", "language", "texts"}
    assert (row["intent"], row["entry"]) == (intent, entry)
    assert row["texts"]


async def test_ask_reads_one_message_a_line(made: Deployment) -> None:
    """`ask -` answers as many messages as there are lines, one JSON a line."""
    ended = await made.do("ask", "-", "--json", typed="hola\nbaja\nñandú\n")
    assert len(ended.out.splitlines()) == 3


async def test_a_script_can_count_on_the_shape_of_stats(made: Deployment) -> None:
    """How many people of each kind there are, and nobody's address."""
    rows = (await made.do("subscribers", "stats", "--json")).json()
    assert [tuple(row) for row in rows] == [("community", "channel", "language", "state", "people")] * 3
    assert sum(row["people"] for row in rows) == 3


async def test_wrong_usage_is_told_from_something_wrong(made: Deployment) -> None:
    """Wrong usage exits 2, something wrong exits 1 and says what, and JSON never shares its output."""
    for words in (("announce",), ("report", "one"), ("nonsense",), ("ask", "hola", "--language", "!")):
        assert (await made.do(*words)).status == 2
    for words in (
        ("report", "9"),
        ("preview", "nada"),
        ("announce", "pasaporte"),
        ("announce", "feria", "-c", "marte"),
        ("announce", "feria", "--at", "mañana"),
        ("announce", "feria", "--at", "2020-01-01T10:00"),
        ("announce", "feria", "--emergency", " "),
    ):
        ended = await made.do(*words, "--json")
        assert (ended.status, ended.out) == (1, "")
        assert len(ended.err.strip().splitlines()) == 1
    assert made.rows("SELECT * FROM broadcasts") == []


async def test_what_was_previewed_is_what_arrives(made: Deployment, rehearsal: Rehearsal) -> None:
    """Byte for byte, on all three channels, in the reader's language."""
    previewed = {
        (row["community"], row["language"], row["channel"]): [part["text"] for part in row["outside_window"]]
        for row in (await made.do("preview", "feria", "--json")).json()
    }
    assert (await made.do("announce", "feria", "--wait")).status == 0
    arrived = {(row["channel"], row["address"]): row["text"] for row in await rehearsal.ledger()}
    assert len(arrived) == 3
    for channel, address, language, place in EVERYBODY:
        (text,) = previewed[place, language, channel]
        if channel == "whatsapp":  # the words around a template's variables are Meta's copy, not ours
            assert all(line in arrived[channel, address] for line in text.splitlines())
        else:
            assert arrived[channel, address] == text


async def test_announcing_twice_reaches_nobody_twice(made: Deployment, rehearsal: Rehearsal) -> None:
    """The arrow-up key and Enter is not a second announcement; `--again` is."""
    assert (await made.do("announce", "feria", "--wait")).status == 0
    again = await made.do("announce", "feria", "--wait", "-c", "fresno", "-c", "fresno")
    assert "--again" in again.out
    assert len(await rehearsal.ledger()) == 3
    assert (await made.do("announce", "feria", "--wait", "--again", "-c", "fresno")).status == 0
    assert len(await rehearsal.ledger()) == 4


async def test_a_cancelled_broadcast_stays_cancelled(made: Deployment) -> None:
    """What has ended cannot be paused, resumed or cancelled again, and the command says so."""
    await made.do("announce", "feria", "-c", "fresno")
    assert (await made.do("cancel", "1")).status == 0
    for word in ("pause", "resume", "cancel"):
        ended = await made.do(word, "1")
        assert ended.status == 1
        assert "1" in ended.said
    assert (await made.do("report", "1", "--json")).json()["state"] == "cancelled"


async def test_nobody_leaves_a_trace_of_erasing(made: Deployment) -> None:
    """`erase` takes the address from the keyboard, and no import brings a forgotten person back."""
    erased = await made.do("subscribers", "erase", "sms", typed=JOEL + "\n")
    assert (erased.status, JOEL in erased.said) == (0, False)
    await made.take_in(EVERYBODY)
    rows = (await made.do("subscribers", "stats", "--json")).json()
    assert {row["channel"] for row in rows} == {"telegram", "whatsapp"}


async def test_a_new_deployment_is_ready_to_rehearse(tmp_path: Path, made: Deployment) -> None:
    """`init` makes a deployment without an error, in its maker's language; twice does no harm."""
    for language, word in (("es", "Listo"), ("en", "Done")):
        spoken = f"{language}_MX.UTF-8"
        ended = await made.do("init", language, LANG=spoken)
        assert (ended.status, word in ended.out) == (0, True)
        folder = made.folder / language
        key = (folder / "pregonero.key").read_bytes()
        assert (folder / "pregonero.key").stat().st_mode & 0o077 == 0
        again = await made.do("init", language, LANG=spoken)
        assert again.status == 0
        assert (folder / "pregonero.key").read_bytes() == key
        assert f'language = "{language}"' in (folder / "config.toml").read_text(encoding="utf-8")
    checked = await made.do("check", "--json", "--config", "en/config.toml")
    faults = {row["rule"] for row in checked.json() if row["level"] == "error"}
    assert faults <= {"library.expired-fact"}  # the starter's prices end with 2026, as they must


@pytest.mark.parametrize("language", ["es", "en"])
async def test_help_is_whole_sentences(made: Deployment, language: str) -> None:
    """Every command explains itself, and no line of the list of commands is cut short."""
    ended = await made.do("--help", LANG=f"{language}.UTF-8", COLUMNS="80")
    assert ended.status == 0
    assert "..." not in ended.out.replace("[ARGS]...", "")
    commands = (
        "demo init check preview ask plan announce report pause resume cancel inbox invite rehearsal run"
    )
    for command in commands.split():
        helped = await made.do(command, "--help", LANG=f"{language}.UTF-8")
        assert helped.status == 0
        assert "..." not in helped.out.replace("[ARGS]...", "")
