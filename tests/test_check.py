"""Everything wrong in a deployment is said before anything is sent, in the staff's language."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.check import Project, as_row, check, read
from bot.findings import Finding, errors
from bot.vault import write_key
from bot.words import Phrases

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STARTER = Path(__file__).parent.parent

CONFIG = """
[vault]
key = { file = "pregonero.key" }
[senders.bot]
channel = "telegram"
token = { env = "TOKEN" }
[senders.sms]
channel = "sms"
account_sid = "AC0"
auth_token = { env = "TOKEN" }
from = "+12025550100"
"""

FRESNO = """name = "Fresno"
timezone = "America/Los_Angeles"
languages = ["es-MX"]
senders = ["bot", "sms"]
"""

AVISO = """+++
title = "Consulado sobre ruedas"
+++
Nos vemos en Madera.
"""


class Deployment:
    """A folder that a test writes into and checks; what is found has its sentences."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("config.toml", CONFIG)
        self.write("schedules/fresno.toml", FRESNO)
        self.write("content/announcements/aviso/es.md", AVISO)
        write_key(root / "pregonero.key")

    def write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def check(self) -> tuple[Project | None, list[Finding]]:
        where: tuple[Path, dict[str, str], datetime] = (self.root / "config.toml", {"TOKEN": "1:canary"}, NOW)
        project, findings = read(*where)[0], check(*where)
        assert all(all(Phrases(language).finding(one)) for one in findings for language in ("es", "en"))
        return project, findings

    def said(self) -> set[tuple[str, int, str, str]]:
        return {(one.file.name, one.line, one.rule, one.level) for one in self.check()[1]}


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def test_a_good_deployment_has_nothing_to_say(deployment: Deployment) -> None:
    """What is whole is not commented on, and is handed to the commands as one value."""
    project, findings = deployment.check()
    assert not findings
    assert project is not None
    assert set(project.communities) == {"fresno"}
    assert set(project.library.entries) == {"aviso"}


def test_the_starter_deployment_is_without_error(tmp_path: Path) -> None:
    """A newcomer's first check finds no error, only what they still have to add for WhatsApp."""
    for name in ("content", "schedules"):
        shutil.copytree(STARTER / name, tmp_path / name)
    shutil.copy(STARTER / "config.toml", tmp_path)
    write_key(tmp_path / "pregonero.key")
    (tmp_path / "secrets").mkdir()
    for name in ("telegram-token", "twilio-account-sid", "twilio-auth-token"):
        (tmp_path / "secrets" / name).write_text("1:rehearsal")
        (tmp_path / "secrets" / name).chmod(0o600)
    where: tuple[Path, dict[str, str], datetime] = (tmp_path / "config.toml", {}, NOW)
    project, findings = read(*where)[0], check(*where)
    assert project is not None
    assert set(project.communities) == {"fresno", "phoenix", "nueva-york"}
    assert not errors(findings)
    assert {one.rule for one in findings} <= {"check.no-template"}


def test_content_is_judged_even_when_the_config_is_not_usable(deployment: Deployment) -> None:
    """One round shows the faults of all three: config, schedules and content."""
    deployment.write("config.toml", "[vault]\n")
    deployment.write("schedules/fresno.toml", FRESNO.replace("Los_Angeles", "Los_Angles"))
    deployment.write("content/announcements/aviso/es.md", AVISO.replace("title", "tittle"))
    project, findings = deployment.check()
    assert project is None
    assert {one.file.name for one in errors(findings)} == {"config.toml", "fresno.toml", "es.md"}


def slot(deployment: Deployment, announce: str = "aviso", at: str = "2026-12-01T18:00:00") -> None:
    deployment.write("schedules/fresno.toml", f'{FRESNO}[[slot]]\nannounce = "{announce}"\nat = {at}\n')


def aviso(deployment: Deployment, front: str = "", body: str = "Nos vemos en Madera.") -> None:
    deployment.write(
        "content/announcements/aviso/es.md", f'+++\ntitle = "Consulado sobre ruedas"\n{front}\n+++\n{body}\n'
    )


def test_a_slot_names_an_entry_that_exists(deployment: Deployment) -> None:
    """A slip of the pen in a slot is answered with the entry that was meant, not with silence on the day."""
    slot(deployment, "avisos")
    _, findings = deployment.check()
    assert [(one.line, one.rule, one.values["meant"]) for one in findings] == [
        (6, "check.slot-entry-near", "aviso")
    ]
    slot(deployment, "xyzzy")
    assert deployment.said() == {("fresno.toml", 6, "check.slot-entry", "error")}


def test_a_slot_at_night_is_said(deployment: Deployment) -> None:
    """Staff learn before the day that their announcement will wait for the morning."""
    slot(deployment, at="2026-12-01T22:00:00")
    assert deployment.said() == {("fresno.toml", 6, "check.slot-at-night", "warning")}


def test_a_slot_after_the_end_of_its_entry_is_an_error(deployment: Deployment) -> None:
    """Nothing is planned to be announced when it is no longer true."""
    slot(deployment)
    aviso(deployment, "valid_until = 2026-11-30")
    assert deployment.said() == {("fresno.toml", 6, "check.slot-after-end", "error")}


def test_a_slot_for_another_community_is_an_error(deployment: Deployment) -> None:
    """A slot whose entry leaves this community out would reach nobody."""
    slot(deployment)
    deployment.write("schedules/phoenix.toml", FRESNO.replace("Los_Angeles", "Phoenix"))
    aviso(deployment, 'communities = ["phoenix"]')
    assert deployment.said() == {("fresno.toml", 6, "check.slot-elsewhere", "error")}


def test_an_entry_names_communities_that_exist(deployment: Deployment) -> None:
    """An announcement for a community that is misspelt would reach nobody there."""
    aviso(deployment, 'communities = ["fresno", "frezno", "xyzzy"]')
    assert deployment.said() == {
        ("es.md", 3, "check.community-near", "error"),
        ("es.md", 3, "check.community", "error"),
    }


@pytest.mark.parametrize(
    ("front", "rule"),
    [
        ("valid_until = 2026-11-21", "check.valid-until-past"),
        ("starts = 2026-11-21T09:00:00", "check.starts-past"),
        ("starts = 2026-11-01\nends = 2026-11-20", "check.ends-past"),
        ("starts = 2026-11-01\nends = 2026-12-20", None),
        ("starts = 2026-11-22", None),
    ],
)
def test_what_is_over_is_said(deployment: Deployment, front: str, rule: str | None) -> None:
    """Yesterday's news does not go out unnoticed; what still runs, or runs today, is fine."""
    aviso(deployment, front)
    assert {one[2] for one in deployment.said()} == ({rule} if rule else set())


def test_a_language_without_an_edition_is_said_once(deployment: Deployment) -> None:
    """Staff see which readers get a text in another language, once an entry, not once a community."""
    for name in ("fresno", "phoenix"):
        languages = FRESNO.replace('["es-MX"]', '["es-MX", "en-US", "en"]')
        deployment.write(f"schedules/{name}.toml", languages)
    assert deployment.said() == {("es.md", 0, "check.no-edition", "warning")}
    _, [finding] = deployment.check()
    assert finding.values == {"language": "English", "file": "en.md"}


def test_a_dear_sms_names_the_letters_that_cost(deployment: Deployment) -> None:
    """One accent makes an SMS of 100 letters cost double; the letter is named."""
    aviso(deployment, f'sms = "{"Sin acentos " * 9} Habrá atención"')
    _, [finding] = deployment.check()
    assert (finding.rule, finding.line, finding.level) == ("check.sms-long-letters", 3, "warning")
    assert (finding.values["letters"], finding.values["segments"]) == ("á ó", "2")
    deployment.write("schedules/fresno.toml", FRESNO + "fold_accents = true\n")
    assert not deployment.said()


def test_a_long_announcement_is_said_with_its_segments(deployment: Deployment) -> None:
    """An announcement of more than three SMS is known to be dear before it is sent."""
    aviso(deployment, body="Palabras sin acento. " * 30)
    _, [finding] = deployment.check()
    assert (finding.rule, finding.level) == ("check.announcement-long", "warning")
    assert int(finding.values["segments"]) > 3


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("Ve a https://bit.ly/abc ahora.", True),
        ("[Aquí](http://TinyURL.com/abc)", True),
        ("t.co/abc", True),
        ("https://wa.link/abc", True),
        ("https://www.lnkd.in.example.org/ y https://not.ly/", False),
        ("https://habit.ly/abc, https://t.com/a y https://bit.ly.example.org/", False),
    ],
)
def test_a_shortened_link_is_an_error(deployment: Deployment, body: str, *, found: bool) -> None:
    """A link that hides where it leads does not go out; one that only looks similar does."""
    aviso(deployment, body=f"Hola.\n\n{body}")
    assert deployment.said() == ({("es.md", 7, "check.shortener", "error")} if found else set())


def test_a_telephone_that_no_fact_vouches_for_is_said(deployment: Deployment) -> None:
    """A number typed into a text is doubted until it stands in facts.toml."""
    aviso(deployment, body="Llama al (559) 555-0123.")
    assert deployment.said() == {("es.md", 5, "check.phone", "error")}
    deployment.write(
        "content/facts.toml", '[office]\nphone = { phone = "+1 559 555 0123", source = "test" }\n'
    )
    assert not deployment.said()


def test_one_mistake_is_told_once(deployment: Deployment) -> None:
    """A head that cannot be read is told, and not all that its translations then seem to lack."""
    aviso(deployment, 'starts = 2026-12-05T09:00:00\nsms = "El sábado')
    english = '+++\ntitle = "Notice"\n+++\nIt starts {{ starts | time }}.\n'
    deployment.write("content/announcements/aviso/en.md", english)
    fresno = FRESNO.replace('["es-MX"]', '["es-MX", "en"]')
    before = '[[slot]]\nannounce = "aviso"\nbefore = "1 day"\n'
    deployment.write("schedules/fresno.toml", fresno + before)
    assert {(file, level) for file, _, _, level in deployment.said()} == {("es.md", "error")}


def test_without_a_config_nothing_else_is_missed(deployment: Deployment) -> None:
    """Whoever asks in the wrong folder is told that, not that every other file is missing too."""
    (deployment.root / "config.toml").unlink()
    shutil.rmtree(deployment.root / "content")
    assert deployment.said() == {("config.toml", 0, "toml.missing-file", "error")}


@pytest.mark.parametrize("phone", ["55 5658 1111", "800 0990 773", "233-3065", "+52 55 5658 1111"])
def test_a_telephone_of_mexico_is_one_too(deployment: Deployment, phone: str) -> None:
    """Written as people in Mexico do, with or without an area, a number needs a fact as well."""
    aviso(deployment, body=f"Llama al {phone}, de 9:00 a 13:00.")
    assert deployment.said() == {("es.md", 5, "check.phone", "error")}
    if "5658" in phone:
        deployment.write(
            "content/facts.toml", '[office]\nphone = { phone = "+52 55 5658 1111", source = "test" }\n'
        )
        assert not deployment.said()


def test_an_announcement_without_template_is_said_where_whatsapp_speaks(deployment: Deployment) -> None:
    """Staff learn that WhatsApp will hold an announcement, before they wonder who did not get it."""
    whatsapp = CONFIG.replace('channel = "sms"', 'channel = "whatsapp"')
    deployment.write("config.toml", whatsapp)
    assert deployment.said() == {("es.md", 0, "check.no-template", "warning")}
    aviso(deployment, f'[whatsapp]\ntemplate = "HX{"0" * 32}"')
    assert not deployment.said()


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_finding_is_a_row_with_a_remedy(deployment: Deployment, language: str) -> None:
    """Each finding has file, line, level, rule and two sentences in the staff's language."""
    slot(deployment, "avisos", "2026-12-01T18:00:00-08:00")
    deployment.write("schedules/phoenix.toml", "name = 1\nquiet_hours = 1\ncolour = 1\n")
    deployment.write("config.toml", CONFIG.replace("+12025550100", "no") + 'rate = "x"\ncolor = 1\n')
    aviso(deployment, 'sms = "' + "Habrá " * 40 + '"', "bit.ly/a (559) 555-0123")
    _, findings = deployment.check()
    assert len(findings) > 8
    for finding in findings:
        row = as_row(finding, Phrases(language))
        assert list(row) == ["file", "line", "level", "rule", "message", "remedy"]
        assert not re.search(r"(?<!\{)\{\w+\}", f"{row['message']} {row['remedy']}")
