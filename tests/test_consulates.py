"""Every consulate is a card that costs one SMS and says only what is known; what is wrong in one is said.

The cards of `content/consulates` and their faults may enter; who finds which is `test_places`.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot import check, library, timetable
from bot.rendering import render
from bot.search import Search
from bot.vault import write_key
from bot.words import Phrases

if TYPE_CHECKING:
    from bot.findings import Finding
    from bot.library import Entry
    from channels.base import ChannelName

ROOT = Path(__file__).parents[1]
NOW = dt.datetime(2026, 11, 22, 18, tzinfo=dt.UTC)
CONTENT, _ = library.read(ROOT / "content", today=NOW.date())
COMMUNITIES, _ = timetable.read(ROOT / "schedules", {"bot": "telegram", "whatsapp": "whatsapp", "sms": "sms"})
CARDS = pytest.mark.parametrize("entry", CONTENT.consulates.values(), ids=lambda entry: entry.slug)
ANSWERED = {"US", "CA"}
"""Countries where CIAM and MiConsulado answer; they are said nowhere else."""
NUMBER = re.compile(r"\d[\d ()+.-]*\d")


def said(entry: Entry, language: str, channel: ChannelName) -> str:
    """A card as it arrives, in a community that takes no accent away."""
    parts = render(CONTENT, entry, COMMUNITIES["nueva-york"], channel, language, NOW).open
    assert len(parts) == 1
    return parts[0].text


def test_every_office_has_its_card() -> None:
    """The 53 offices of the United States, the 6 of Canada and the 17 others are there."""
    countries = [entry.office.country for entry in CONTENT.consulates.values() if entry.office]
    assert (countries.count("US"), countries.count("CA"), len(countries)) == (53, 6, 76)


@CARDS
@pytest.mark.parametrize("language", ["es", "en"])
def test_a_card_costs_one_sms_in_every_community(entry: Entry, language: str) -> None:
    """No consulate's card is ever two messages, whether a community folds accents or not."""
    for community in COMMUNITIES.values():
        part = render(CONTENT, entry, community, "sms", language, NOW).open
        assert [(one.encoding, one.segments) for one in part] == [("gsm-7", 1)]


@CARDS
@pytest.mark.parametrize("language", ["es", "en"])
def test_a_card_says_no_number_that_is_not_a_fact(entry: Entry, language: str) -> None:
    """Each telephone is CIAM's or MiConsulado's, said only where they answer; never an office's own."""
    assert entry.office
    known = {str(CONTENT.facts[name].value) for name in ("ciam.phone", "miconsulado.phone")}
    channels: tuple[ChannelName, ...] = ("sms", "telegram", "whatsapp")
    for channel in channels:
        numbers = set(NUMBER.findall(re.sub(r"https?://\S+|24 h", "", said(entry, language, channel))))
        plus = {number if number.startswith("+") else f"+{number}" for number in numbers}
        assert plus == (known if entry.office.country in ANSWERED else set()), channel


@CARDS
def test_a_card_leads_to_the_page_of_its_own_office(entry: Entry) -> None:
    """The page on a card is the foreign ministry's, and no two offices share one."""
    name = entry.slug.removeprefix("consulado-").replace("-", "_")
    url = str(CONTENT.facts[f"consulates.{name}.url"].value)
    assert re.fullmatch(r"https://(consulmex|embamex)\.sre\.gob\.mx/[a-z-]+/", url)
    assert [str(fact.value) for fact in CONTENT.facts.values()].count(url) == 1
    for language in ("es", "en"):
        assert url in said(entry, language, "sms")
        assert url in said(entry, language, "telegram")


def test_a_consulate_is_never_the_answer_to_a_word() -> None:
    """Whoever asks for a service is never shown one of 76 consulates because a word is on its card."""
    search = Search(CONTENT)
    for entry in CONTENT.consulates.values():
        found = search.find(entry.source.title.lower().split(), COMMUNITIES["fresno"], NOW)
        assert [one.slug for one in found if one.kind == "consulate"] == []


OFFICE = """city = "El Paso"
state = "TX"
country = "US"
timezone = "America/Denver"
latitude = 31.76
longitude = -106.49
serves = ["TX: El Paso County", "NM: parte sur"]"""


def found(root: Path, office: str | None, community: str = "") -> list[Finding]:
    """What is found in a deployment of one consulate and one community of the same name, `el-paso`."""
    card = root / "content/consulates/consulado-el-paso/es.md"
    card.parent.mkdir(parents=True, exist_ok=True)
    table = f"[office]\n{office}\n" if office else ""
    card.write_text(f'+++\ntitle = "Consulado"\n{table}+++\nEn El Paso.\n', encoding="utf-8")
    schedule = root / "schedules/el-paso.toml"
    schedule.parent.mkdir(exist_ok=True)
    schedule.write_text(
        'name = "El Paso"\ntimezone = "America/Denver"\nlanguages = ["es"]\nsenders = ["bot"]\n' + community
    )
    (root / "config.toml").write_text(
        '[vault]\nkey = { file = "key" }\n[senders.bot]\nchannel = "telegram"\ntoken = { env = "TOKEN" }\n'
    )
    if not (root / "key").exists():
        write_key(root / "key")
    findings = check.check(root / "config.toml", {"TOKEN": "1:canary"}, NOW)
    assert all(all(Phrases(language).finding(one)) for one in findings for language in ("es", "en"))
    return findings


def test_a_whole_consulate_has_nothing_to_say(tmp_path: Path) -> None:
    """What is right is not commented on; a community may name its consulate or be called as it is."""
    assert found(tmp_path, OFFICE) == []
    assert found(tmp_path, OFFICE, 'consulate = "el-paso"\n') == []


@pytest.mark.parametrize(
    ("written", "instead", "line", "rule", "meant"),
    [
        (OFFICE, None, 1, "library.no-office", None),
        ('state = "TX"', 'state = "Texas"', 5, "library.office-code", None),
        ("31.76", "3176.0", 8, "library.office-point", None),
        ("America/Denver", "America/Denverr", 7, "timetable.zone-near", "America/Denver"),
        ("TX: El Paso County", "El Paso County, TX", 10, "library.office-area", None),
        ("TX: El Paso County", "TX: El Passo County", 10, "check.area-near", "El Paso County"),
        ("TX: El Paso County", "TX: Narnia", 10, "check.area", ""),
        ("serves", "servs", 10, "library.unknown-field", "serves"),
    ],
)
def test_a_fault_in_an_office_is_said_with_its_line(
    tmp_path: Path, written: str, instead: str | None, line: int, rule: str, meant: str | None
) -> None:
    """A slip of the pen in `[office]` is answered with what was meant, before anybody is sent elsewhere."""
    findings = found(tmp_path, OFFICE.replace(written, instead) if instead else None)
    assert [(one.file.name, one.line, one.rule, one.values.get("meant")) for one in findings] == [
        ("es.md", line, rule, meant)
    ]


@pytest.mark.parametrize(
    ("name", "rule", "meant"),
    [("el-pasto", "check.consulate-near", "el-paso"), ("xyzzy", "check.consulate", "")],
)
def test_a_community_names_a_consulate_that_exists(tmp_path: Path, name: str, rule: str, meant: str) -> None:
    """A misspelt consulate in a community's file is said on its line, with the nearest name."""
    findings = found(tmp_path, OFFICE, f'consulate = "{name}"\n')
    assert [(one.file.name, one.line, one.rule, one.values["meant"]) for one in findings] == [
        ("el-paso.toml", 5, rule, meant)
    ]


def test_every_starter_community_has_its_consulate() -> None:
    """A newcomer's communities are led to their own consulates without a word in their files."""
    for community in COMMUNITIES.values():
        assert (community.consulate or community.slug) in CONTENT.consulates
