"""Whatever people write wrong, and whatever the machine lacks: one clear sentence, and nothing half done."""

from __future__ import annotations

import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bot.vault import write_key
from tests.deployment import HEADER, PLACES, Deployment, deploy, number

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Rehearsal

ROSA = ("telegram", "101", "es", "fresno")
SPEAKING = pytest.mark.parametrize("language", ["es", "en"])


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A deployment with one person."""
    made = deploy(tmp_path, rehearsal.url)
    await made.take_in([ROSA])
    return made


def sentence(said: str) -> str:
    """The one line that was said; nobody is shown a traceback."""
    assert "Traceback" not in said
    (line,) = said.strip().splitlines()
    return line


@SPEAKING
async def test_every_fault_of_every_file_is_said_at_once(tmp_path: Path, language: str) -> None:
    """Config, content, facts and schedules: each fault with file, line and remedy, in both languages."""
    made = deploy(tmp_path, "http://127.0.0.1:9", language=language)
    made.edit("config.toml", 'updates = "polling"', 'updates = "pigeon"')
    made.edit("config.toml", "port = ", 'host = 7\nprot = 1\nport = "')
    made.write(
        "content/announcements/roto/es.md", '+++\ntitle = "Roto"\nstars = 2026-12-05\n+++\n{{ nada }}\n'
    )
    made.write("content/facts.toml", "[pasaporte]\nprecio = { USD = 98 }\n")
    made.edit("schedules/fresno.toml", "America/Los_Angeles", "America/Los_Angelos")
    made.write("schedules/phoenix.toml", 'name = "Phoenix\n')
    ended = await made.do("check", "--json", LANG=f"{language}_MX.UTF-8")
    assert (ended.status, ended.err) == (1, "")
    found = {(row["file"].rpartition("/")[2], row["rule"]) for row in ended.json()}
    assert {file for file, _ in found} >= {
        "config.toml",
        "facts.toml",
        "es.md",
        "fresno.toml",
        "phoenix.toml",
    }
    for row in ended.json():
        assert row["message"].endswith((".", ")", "}"))
        assert row["remedy"]
    spoken = await made.do("check", LANG=f"{language}_MX.UTF-8")
    assert (spoken.status, "Traceback" in spoken.said) == (1, False)
    assert ("Error" in spoken.out, "es.md:5" in spoken.out) == (True, True)
    for words in (("announce", "roto"), ("preview", "roto"), ("run",), ("report",), ("subscribers", "stats")):
        refused = await made.do(*words)
        assert (refused.status, "config.toml" in refused.err, "Traceback" in refused.err) == (1, True, False)
    assert not (made.folder / "pregonero.db").exists()


@SPEAKING
async def test_an_import_with_bad_rows_stores_nothing(made: Deployment, language: str) -> None:
    """Each bad row is named by its line and never quoted; only `--good-rows` stores the others."""
    made.edit("config.toml", 'language = "es"', f'language = "{language}"')
    made.edit("content/announcements/feria/es.md", "summary =", 'topics = ["salud", "becas"]\nsummary =')
    bad = ["telegram,no,es,fresno,,web", "sms,+1555,es,fresno,,web", "pigeon,1,es,fresno,,web"]
    bad += [
        f"sms,{number(1)},!!,fresno,,web",
        f"sms,{number(2)},es,marte,,web",
        f"sms,{number(3)},es,fresno,,no",
        f"sms,{number(5)},es,fresno,salut,web",
        f"sms,{number(6)},fr,fresno,,web",
    ]
    good = [f"sms,{number(4)},es,fresno,,web", "telegram,102,nah,phoenix,salud|becas,paper"]
    made.write("people.csv", "\n".join([HEADER, *bad, *good, good[0]]))
    refused = await made.do("subscribers", "import", "people.csv")
    assert (refused.status, refused.out, "Traceback" in refused.err) == (1, "", False)
    for line in (2, 3, 4, 5, 6, 7, 8, 9, 12):
        assert f"people.csv:{line}:" in refused.err
    assert ("Did you mean salud?" if language == "en" else "¿Quiso decir salud?") in refused.err
    assert "es, en" in refused.err
    assert not any(word in refused.err for word in ("555", "salut"))
    assert made.rows("SELECT count(*) FROM subscribers") == [(1,)]
    loaded = await made.do("subscribers", "import", "people.csv", "--good-rows", "--json")
    assert loaded.status == 1
    assert (loaded.json()["imported"], loaded.json()["skipped"]) == (2, 9)
    assert made.rows("SELECT count(*) FROM subscribers") == [(3,)]


async def test_a_file_that_is_no_csv_is_refused_whole(made: Deployment) -> None:
    """A missing file, a wrong header, another encoding, a picture: said in a sentence, nothing stored."""
    made.write("empty.csv", "")
    made.write("header.csv", "name,phone\nRosa,1\n")
    (made.folder / "latin.csv").write_bytes(
        f"{HEADER}\nsms,+12025550111,es,fresno,niños,web\n".encode("latin-1")
    )
    (made.folder / "picture.csv").write_bytes(bytes(range(256)) * 10)
    for name in ("missing.csv", "empty.csv", "header.csv", "latin.csv", "picture.csv"):
        ended = await made.do("subscribers", "import", name)
        assert (ended.status, ended.out) == (1, "")
        assert (f"{name}" in ended.err, "Traceback" in ended.err) == (True, False)
    assert made.rows("SELECT count(*) FROM subscribers") == [(1,)]


async def test_what_cannot_be_said_in_one_place_is_said_in_none(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """A text that is wrong for one of three communities makes no broadcast in any."""
    made.write(
        "content/announcements/feria/en.md",
        '+++\ntitle = "Fair"\n+++\nAt {% if "phoenix" in community.name %}{{ nowhere }}{% endif %}\n',
    )
    await made.take_in([("sms", number(1), "en", "phoenix"), ("sms", number(2), "en", "nueva-york")])
    ended = await made.do("announce", "feria", "--wait")
    assert (ended.status, "en.md" in ended.err) == (1, True)
    assert made.rows("SELECT count(*) FROM broadcasts") == [(0,)]
    assert await rehearsal.ledger() == []


async def test_an_expired_fact_stops_at_the_desk(made: Deployment, rehearsal: Rehearsal) -> None:
    """An announcement that quotes a fee which no longer holds is not sent, and the fee is named."""
    made.write("content/facts.toml", '[fee]\nvisa = { USD = 53, until = 2020-12-31, source = "test" }\n')
    made.edit("content/announcements/feria/es.md", "Ven con", "Cuesta {{ facts.fee.visa | money }}. Ven con")
    ended = await made.do("announce", "feria", "--wait")
    assert (ended.status, "facts.toml" in ended.err or "es.md" in ended.err) == (1, True)
    assert await rehearsal.ledger() == []


async def test_what_is_over_stops_at_the_desk(made: Deployment, rehearsal: Rehearsal) -> None:
    """An announcement of something that has ended is refused, though `check` lets it stand as a record."""
    made.edit("content/announcements/feria/es.md", "+++\ntitle", "+++\nstarts = 2020-12-05\ntitle")
    assert (await made.do("check")).status == 0
    ended = await made.do("announce", "feria", "--wait")
    assert (ended.status, "es.md:2" in ended.err) == (1, True)
    assert made.rows("SELECT * FROM broadcasts") == []
    assert await rehearsal.ledger() == []


async def test_a_translation_behind_its_source_stops_or_gives_way(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """Nobody is told what the source no longer says: nothing leaves or, where staff so decide, the source."""
    await made.take_in([("sms", number(1), "en", "fresno")])
    made.edit("content/announcements/feria/en.md", "+++\ntitle", '+++\ntranslates = "00000000"\ntitle')
    refused = await made.do("announce", "feria", "-c", "fresno", "--wait")
    assert (refused.status, "en.md:2" in refused.err) == (1, True)
    assert await rehearsal.ledger() == []
    for place in PLACES:
        made.edit(f"schedules/{place}.toml", "quiet_hours", 'stale_translations = "source"\nquiet_hours')
    sent = await made.do("announce", "feria", "-c", "fresno", "--wait")
    assert sent.status == 0, sent.said
    (text,) = [row["text"] for row in await rehearsal.ledger() if row["channel"] == "sms"]
    assert text.startswith("Feria de salud")


async def test_a_wrong_token_is_one_sentence(made: Deployment, rehearsal: Rehearsal) -> None:
    """The sentence names the sender and not the token, and the message waits."""
    made.write("token", "5:not-the-right-one").chmod(0o600)
    ended = await made.do("announce", "feria", "--wait")
    assert ended.status == 1
    assert "bot" in ended.err
    assert "not-the-right-one" not in ended.said
    assert (await made.do("report", "1", "--json")).json()["counts"]["queued"] == 1
    assert await rehearsal.ledger() == []


async def test_a_busy_port_is_one_sentence(made: Deployment) -> None:
    """`run` and `rehearsal` name the port that another program has."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        made.edit("config.toml", f"port = {made.port}", f"port = {port}")
        for words in (("run",), ("rehearsal", "--port", str(port))):
            ended = await made.do(*words)
            assert ended.status == 1
            assert str(port) in sentence(ended.said)


def _newer(made: Deployment) -> None:
    with closing(sqlite3.connect(made.folder / "pregonero.db")) as database, database:
        database.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('pregonero', 'm9', '')"
        )


def _other_key(made: Deployment) -> None:
    (made.folder / "pregonero.key").unlink()
    write_key(made.folder / "pregonero.key")


def _no_database(made: Deployment) -> None:
    made.edit("config.toml", "sqlite:///pregonero.db", "sqlite:///people.csv")


def _damaged(made: Deployment) -> None:
    (made.folder / "pregonero.db-wal").unlink(missing_ok=True)
    whole = (made.folder / "pregonero.db").read_bytes()
    (made.folder / "pregonero.db").write_bytes(whole[:4096] + bytes(len(whole) - 4096))


def _no_folder(made: Deployment) -> None:
    made.edit("config.toml", "sqlite:///pregonero.db", "sqlite:///nowhere/pregonero.db")


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (_newer, "más nueva"),
        (_other_key, "otra llave"),
        (_no_database, "no es una base de datos"),
        (_damaged, "dañado"),
        (_no_folder, "No se puede abrir"),
    ],
)
async def test_a_database_that_cannot_be_used_is_one_sentence(
    made: Deployment, spoil: Callable[[Deployment], None], word: str
) -> None:
    """A newer version's, another key's, none at all, damaged, no folder: said, and nothing changed."""
    spoil(made)
    before = (made.folder / "pregonero.db").read_bytes()
    for words in (("report",), ("announce", "feria", "--wait"), ("run",)):
        ended = await made.do(*words)
        assert ended.status == 1
        assert word in sentence(ended.err.splitlines()[-1])
        assert "Traceback" not in ended.said
    assert (made.folder / "pregonero.db").read_bytes() == before


async def test_a_key_that_others_can_read_is_refused(made: Deployment) -> None:
    """The key opens every address, so its file must be its owner's alone; so say file, line and remedy."""
    (made.folder / "pregonero.key").chmod(0o644)
    ended = await made.do("announce", "feria", "--wait")
    assert (ended.status, "config.toml:5" in ended.err, "chmod 600" in ended.err) == (1, True, True)


async def test_a_missing_key_or_config_is_one_finding(made: Deployment) -> None:
    """A deployment without its key or its config says which file is missing, and nothing else."""
    (made.folder / "pregonero.key").unlink()
    ended = await made.do("report")
    assert (ended.status, len(ended.err.splitlines())) == (1, 2)
    elsewhere = made.folder / "elsewhere"
    elsewhere.mkdir()
    for words in (("report",), ("preview", "feria"), ("run",)):
        ended = await Deployment(elsewhere, 0).do(*words)
        assert (ended.status, len(ended.err.splitlines()), "config.toml" in ended.err) == (1, 2, True)


async def test_a_full_disk_stores_all_of_an_import_or_nothing(tmp_path: Path, rehearsal: Rehearsal) -> None:
    """Files that may not grow stand for a full disk: one sentence, and not one row of the import."""
    made = deploy(tmp_path, rehearsal.url)
    rows = [f"sms,{number(n)},es,fresno,,web" for n in range(3000)]
    made.write("people.csv", "\n".join([HEADER, *rows]))
    assert (await made.do("subscribers", "stats")).status == 0
    ended = await made.do("subscribers", "import", "people.csv", most_bytes=300_000)
    assert ended.status == 1
    assert "disco" in sentence(ended.err)
    assert made.rows("SELECT count(*) FROM subscribers") == [(0,)]
    assert (await made.do("subscribers", "import", "people.csv")).status == 0
    assert made.rows("SELECT count(*) FROM subscribers") == [(3000,)]


async def test_a_vendor_that_cannot_be_reached_loses_nothing(made: Deployment, rehearsal: Rehearsal) -> None:
    """The message waits while nobody answers there, and leaves once when somebody does."""
    here = rehearsal.url.rstrip("/")
    made.edit("config.toml", here, "http://127.0.0.1:9")
    async with made.at_work("announce", "feria", "--wait") as working:
        await made.until("SELECT 1 FROM deliveries WHERE state = 'queued' AND attempt > 0")
        ended = await working.stop()
    assert (ended.status, "no se pierde" in ended.err) == (1, True)
    made.edit("config.toml", "http://127.0.0.1:9", here)
    assert (await made.do("announce", "feria", "--wait")).status == 0
    assert [row["outcome"] for row in await rehearsal.ledger()] == ["accepted"]


async def test_a_fault_in_one_community_keeps_no_other_from_speaking(made: Deployment) -> None:
    """A slip in Phoenix's file is no matter to Fresno, whose warning cannot wait; Phoenix itself is told."""
    made.edit("schedules/phoenix.toml", "languages", "most_a_dya = 3\nlanguages")
    emergency = ("--emergency", "incendio", "--by", "ana", "--second", "luis")
    said = await made.do("announce", "feria", "-c", "fresno", *emergency)
    assert said.status == 0, said.said
    said = await made.do("announce", "feria", "-c", "phoenix", *emergency)
    assert (said.status, "most_a_day" in said.err) == (1, True), said.said
    assert made.rows("SELECT community FROM broadcasts") == [("fresno",)]


async def test_nothing_is_planned_for_after_its_own_end(made: Deployment) -> None:
    """An hour after `valid_until` is refused with both dates, by `announce` and by `plan`."""
    made.edit("content/announcements/feria/es.md", "summary =", "valid_until = 2027-01-02\nsummary =")
    for command in ("announce", "plan"):
        said = await made.do(command, "feria", "-c", "fresno", "--at", "2027-01-03T10:00")
        assert (said.status, "vale hasta el domingo 3 de enero" in said.err) == (1, True), said.said
    assert made.rows("SELECT * FROM broadcasts") == []


async def test_what_was_announced_is_not_submitted_beside_it(made: Deployment) -> None:
    """Where four eyes are asked for, `announce` has handed it in: `submit` makes no second one."""
    made.edit("schedules/fresno.toml", "languages", 'approval = "required"\nlanguages')
    for command in ("announce", "submit"):
        assert (await made.do(command, "feria", "-c", "fresno", "--by", "ana")).status == 0
    assert made.rows("SELECT count(*) FROM broadcasts") == [(1,)]


async def test_a_limit_of_none_a_day_is_said_in_its_own_words(made: Deployment) -> None:
    """`most_a_day = 0` is told what to write instead, and nothing about ports."""
    made.edit("schedules/fresno.toml", "languages", "most_a_day = 0\nlanguages")
    said = await made.do("check")
    assert (said.status, "most_a_day" in said.out, "puerto" in said.out) == (1, True, False), said.said
