"""Edits while the service runs are taken up; what is broken keeps its last good version, and is told."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bot.check.edited import reread
from bot.conversation import Asker, Conversation
from tests.core import MORNING, project
from tests.deployment import PLACES, Deployment, deploy

if TYPE_CHECKING:
    from pathlib import Path

    from bot.check import Project
    from tests.conftest import Rehearsal

ROSA = "101"
SERVICE = "content/services/pasaporte/es.md"
SLOT = "\n[[slot]]\nannounce = {slug!r}\nat = {at}\nlate = '1h'\n"


class Edited:
    """A deployment on the disk, and the reading that a service works with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read: Project = project(folder)

    def write(self, file: str, text: str) -> None:
        """Save a file."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def take_up(self) -> set[str]:
        """Read anew; the rules for which something was not taken up."""
        self.read, findings = reread(self.read, MORNING)
        return {finding.rule for finding in findings}

    def body(self, slug: str, language: str = "es") -> str:
        """What an entry says."""
        return self.read.library.entries[slug].editions[language].body.strip()


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    """The harness's deployment."""
    return Edited(tmp_path)


def text(body: str, front: str = "") -> str:
    """An edition."""
    return f'+++\ntitle = "Aviso"\n{front}+++\n{body}\n'


def test_nothing_edited_is_nothing_changed(edited: Edited) -> None:
    """Reading the same files again gives the same deployment."""
    before = edited.read
    assert edited.take_up() == set()
    assert edited.read == before


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ("Sin cabeza.", "library.no-front-matter"),
        ('+++\ntitle = "A\n+++\nHola.\n', "toml.syntax"),
        (text("Cuesta {{ facts.nada.aqui | money }}."), "library.unknown-fact"),
        (text("Cuesta {{ starts | date }}."), "library.unset-name"),
        (text("Hola.", 'communities = ["fresnoo"]\n'), "check.community-near"),
        (text("Mira https://bit.ly/x"), "check.shortener"),
    ],
)
def test_a_broken_text_keeps_its_last_good_version(edited: Edited, broken: str, rule: str) -> None:
    """Whatever is wrong with an edit, people go on reading the last good text; what is mended is taken up."""
    edited.write("content/announcements/feria/es.md", broken)
    edited.write("content/announcements/larga/es.md", text("Más corta."))
    assert rule in edited.take_up()
    assert edited.body("feria") == "Vacunas gratis."
    assert edited.body("larga") == "Más corta."
    edited.write("content/announcements/feria/es.md", text("Vacunas y lentes gratis."))
    assert edited.take_up() == set()
    assert edited.body("feria") == "Vacunas y lentes gratis."


def test_all_languages_of_an_entry_go_on_together(edited: Edited) -> None:
    """A translation that is broken keeps the original back too, or the two would not say the same."""
    edited.write("content/announcements/feria/es.md", text("El domingo."))
    edited.write("content/announcements/feria/en.md", "On Sunday.")
    assert edited.take_up() == {"library.no-front-matter"}
    assert (edited.body("feria"), edited.body("feria", "en")) == ("Vacunas gratis.", "Free vaccines.")


def test_what_is_deleted_is_gone(edited: Edited) -> None:
    """A text and a community whose files were deleted are no more; a new text and community are there."""
    for file in ("es", "en"):
        (edited.folder / f"content/announcements/feria/{file}.md").unlink()
    (edited.folder / "schedules/noche.toml").rename(edited.folder / "schedules/tarde.toml")
    edited.write("content/announcements/nueva/es.md", text("Nueva."))
    assert edited.take_up() == set()
    assert "feria" not in edited.read.library.entries
    assert edited.body("nueva") == "Nueva."
    assert list(edited.read.communities) == ["fresno", "tarde"]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ('timezone = "America/Los_Angles"', "timetable.zone-near"),
        ("timezone = America", "toml.syntax"),
        (
            'timezone = "America/Los_Angeles"\n[[slot]]\nannounce = "no-hay"\nat = 2027-01-01T10:00:00\n',
            "check.slot-entry",
        ),
    ],
)
def test_a_broken_schedule_keeps_its_last_good_version(edited: Edited, line: str, rule: str) -> None:
    """A community whose schedule is broken goes on by the old one, whole; another's edit is taken up."""
    before = edited.read.communities["fresno"]
    for name in ("fresno", "noche"):
        file = edited.folder / f"schedules/{name}.toml"
        file.write_text(file.read_text("utf-8").replace("Consulado", "Consulado de México"), "utf-8")
    lines = (edited.folder / "schedules/fresno.toml").read_text("utf-8").split("\n")
    first = [one for one in lines if not one.startswith("timezone")]
    edited.write("schedules/fresno.toml", "\n".join([*first, line]))
    assert rule in edited.take_up()
    assert edited.read.communities["fresno"] == before
    assert edited.read.communities["noche"].name == "Consulado de México en noche"


def test_a_slot_may_be_saved_before_its_text(edited: Edited) -> None:
    """The schedule waits for the text that it names, and is taken up together with it."""
    file = edited.folder / "schedules/fresno.toml"
    file.write_text(file.read_text("utf-8") + SLOT.format(slug="nueva", at="2027-01-01T10:00:00"), "utf-8")
    assert edited.take_up() == {"check.slot-entry"}
    assert not edited.read.communities["fresno"].slots
    edited.write("content/announcements/nueva/es.md", text("Nueva."))
    assert edited.take_up() == set()
    assert edited.read.communities["fresno"].slots


def test_new_facts_silence_no_text(edited: Edited) -> None:
    """A price that a text quotes cannot be taken away from under it, nor by a slip of the pen."""
    good = '[fee]\nvisa = { USD = 53, source = "t" }\nother = { USD = 1, source = "t" }\n'
    edited.write("content/facts.toml", good)
    edited.write("content/announcements/cara/es.md", text("{{ facts.fee.visa | money }}"))
    assert edited.take_up() == set()
    for broken in ('[fee]\nother = { USD = 1, source = "t" }\n', good + "x = {", good.replace("USD", "EURO")):
        edited.write("content/facts.toml", broken)
        assert edited.take_up()
        assert edited.read.library.facts["fee.visa"].value == 53
    edited.write("content/facts.toml", good.replace("53", "54"))
    assert edited.take_up() == set()
    assert edited.read.library.facts["fee.visa"].value == 54


def test_what_is_over_is_not_said_because_it_was_good_once(edited: Edited) -> None:
    """Staff who write that a price is over are believed, whatever quotes it."""
    good = '[fee]\nvisa = { USD = 53, source = "t" }\n'
    edited.write("content/facts.toml", good)
    edited.write("content/announcements/cara/es.md", text("{{ facts.fee.visa | money }}"))
    edited.take_up()
    edited.write("content/facts.toml", good.replace(", source", ", until = 2026-11-01, source"))
    assert edited.take_up() == set()
    assert edited.read.library.facts["fee.visa"].expired(MORNING.date())


def test_what_was_never_good_has_no_last_good_version(edited: Edited) -> None:
    """A text that was broken when the service began is taken up as it is edited."""
    edited.write("content/announcements/falsa/es.md", text("Todavía {{ facts.nothing.here | money }}."))
    edited.take_up()
    assert edited.body("falsa").startswith("Todavía")


def test_a_folder_that_is_away_for_a_moment_silences_nobody(edited: Edited) -> None:
    """While content or schedules are being replaced as a whole, all that was good goes on."""
    before = edited.read
    for name in ("content", "schedules"):
        (edited.folder / name).rename(edited.folder / f"{name}-old")
    assert edited.take_up() == {"library.no-content", "timetable.no-community"}
    assert edited.read.library.entries == before.library.entries
    assert edited.read.library.facts == before.library.facts
    assert edited.read.communities == before.communities


def test_a_reading_that_was_replaced_is_let_go(edited: Edited) -> None:
    """A service that runs for months, edited daily, does not grow: nothing of a reading holds itself."""
    conversation = Conversation(edited.read.library, edited.read.communities)
    conversation.answer("vacunas", Asker(edited.read.communities["fresno"], "sms", "es"), MORNING)
    held = [weakref.ref(one) for one in (conversation, conversation._lookup, conversation._lookup._search)]
    gc.disable()
    try:
        del conversation
        assert [one() for one in held] == [None, None, None]
    finally:
        gc.enable()


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A deployment with one phone, on Telegram."""
    made = deploy(tmp_path, rehearsal.url)
    await rehearsal.people({"channel": "telegram", "address": ROSA, "shown": True})
    await made.take_in([("telegram", ROSA, "es", "fresno")])
    return made


async def answers(rehearsal: Rehearsal, question: str, *, until: str) -> None:
    """Ask again and again, as a person would, until the answer says this."""
    async with asyncio.timeout(30):
        while True:
            await rehearsal.say("telegram", ROSA, question)
            await asyncio.sleep(0.5)
            if any(until in str(one) for one in await rehearsal.messages("telegram", ROSA)):
                return


async def test_an_edited_text_answers_without_a_restart(made: Deployment, rehearsal: Rehearsal) -> None:
    """Somebody who asks after an edit reads the new text; after a broken one still the last good."""
    async with made.running() as working:
        await answers(rehearsal, "pasaporte", until="Trae tu acta")
        made.edit(SERVICE, "Trae tu acta.", "Trae tu acta y una foto.")
        await answers(rehearsal, "pasaporte", until="y una foto")
        made.edit(SERVICE, "Trae tu acta y una foto.", "Cuesta {{ facts.nada | money }}.")
        await made.until("SELECT * FROM editing WHERE rule = 'library.unknown-fact'")
        told = await made.do("report")
        assert "pasaporte/es.md:5" in told.said
        before = len(await rehearsal.messages("telegram", ROSA))
        await rehearsal.say("telegram", ROSA, "pasaporte")
        await rehearsal.until_phone("telegram", ROSA, lambda phone: len(phone) >= before + 2)
        assert "y una foto" in str((await rehearsal.messages("telegram", ROSA))[-1])
        ended = await working.stop()
    held = [json.loads(line) for line in ended.err.splitlines() if "editing.held" in line]
    assert [(one["file"], one["line"], one["reason"]) for one in held] == [
        (SERVICE, 5, "library.unknown-fact")
    ]
    assert made.rows("SELECT * FROM editing") == []
    assert "editing" not in (await made.do("report")).said


async def test_an_edited_schedule_rings_without_a_restart(made: Deployment, rehearsal: Rehearsal) -> None:
    """The slots of a broken schedule go on by the last good one; once mended, the new slot rings too."""
    file = "schedules/fresno.toml"
    soon = datetime.now(ZoneInfo(PLACES["fresno"])).replace(tzinfo=None, microsecond=0)
    text = (made.folder / file).read_text("utf-8")
    made.write("content/announcements/otra/es.md", '+++\ntitle = "Otra"\nsms = "Otra."\n+++\nOtra feria.\n')
    made.write(file, text + SLOT.format(slug="feria", at=(soon + timedelta(seconds=9)).isoformat()))
    async with made.running():
        made.write(file, text.replace("America", "Amerika"))
        await made.until("SELECT * FROM editing WHERE rule = 'timetable.zone-near'")
        assert made.rows("SELECT count(*) FROM broadcasts") == [(0,)]
        await rehearsal.until_phone("telegram", ROSA, lambda phone: "familia" in str(phone))
        made.write(file, text + SLOT.format(slug="otra", at=soon.isoformat()))
        await rehearsal.until_phone("telegram", ROSA, lambda phone: "Otra feria" in str(phone))
        await made.until("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM editing)")


async def test_a_changed_config_asks_for_a_restart(made: Deployment) -> None:
    """Senders and keys are not taken up while running, and `report` says so."""
    async with made.running():
        await made.until("SELECT 1 FROM sqlite_master WHERE name = 'editing'")
        await asyncio.sleep(2.5)  # it has looked once
        made.edit("config.toml", "rate = 900", "rate = 800")
        await made.until("SELECT * FROM editing WHERE rule = 'settings.restart'")
        assert "config.toml" in (await made.do("report")).said
