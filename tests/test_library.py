"""content/ into entries: what is read, who gets which edition, and what it says to them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bot import library
from bot.findings import Faults, Finding
from bot.library import Place
from channels.markdown import parse

if TYPE_CHECKING:
    from bot.library import Library

TODAY = dt.date(2026, 11, 22)
FRESNO = Place("fresno", "Consulado de México en Fresno", ZoneInfo("America/Los_Angeles"))
PHOENIX = Place("phoenix", "Consulado General de México en Phoenix", ZoneInfo("America/Phoenix"))
READERS = ("es-MX", "en-US", "nah", "yua")
EXAMPLES = json.loads((Path(__file__).parent / "data" / "commonmark.json").read_text("utf-8"))["examples"]

FACTS = """
[passport]
fee_3y = { USD = 98, until = 2026-12-31, source = "the list of fees" }
fee_old = { USD = 95.5, until = 2025-12-31, source = "the list of fees" }

[ciam]
phone = "911"
source = "a page"

[citas.web]
url = "https://citas.sre.gob.mx/"
source = "a page"
"""


def write(root: Path, path: str, text: str | bytes) -> Path:
    """Put a file into content/."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def visit(root: Path, body: str, front: str = 'title = "Consulado móvil"', name: str = "es") -> Path:
    """Write one announcement; its body begins on the line after the front matter's."""
    return write(root, f"announcements/visita/{name}.md", f"+++\n{front}\n+++\n{body}")


def everything(root: Path) -> tuple[Library, list[Finding]]:
    """Read, and try to say every entry to everybody."""
    found, findings = library.read(root, today=TODAY)
    return found, findings + library.try_every(found, FRESNO, READERS, TODAY)


def told(found: Library, language: str, place: Place = FRESNO, slug: str = "visita") -> tuple[str, str]:
    """The edition and the words that a reader gets, with Babel's narrow spaces as plain ones."""
    message, edition = found.message(found.entries[slug], language, place, fold=False)
    text = "\n".join(block.text for block in message.document.blocks)
    return edition.language, text.replace("\u202f", " ").replace("\u00a0", " ")


def test_a_text_is_filled_for_its_reader(tmp_path: Path) -> None:
    """Dates, money, telephones and links are written as the reader writes them."""
    write(tmp_path, "facts.toml", FACTS)
    front = """title = "Visita a {{ community.name }}"
starts = 2026-12-05T09:00:00
sms = "El {{ starts | date }}\""""
    body = (
        "{{ title }}: {{ starts | datetime }}, {{ facts.passport.fee_3y | money }}, "
        "{{ facts.passport.fee_3y }}, {{ facts.ciam.phone }}, [citas]({{ facts.citas.web }}), "
        "{{ ['acta', 'INE'] | list }}, {{ 1500 | number }}"
    )
    visit(tmp_path, body, front)
    found, findings = everything(tmp_path)
    assert findings == []
    assert told(found, "es-MX")[1] == (
        "Visita a Consulado de México en Fresno: sábado 5 de diciembre de 2026, 9:00 a.m., "
        "USD 98.00, USD 98.00, 911, citas, acta e INE, 1,500"
    )
    message, _ = found.message(found.entries["visita"], "es-MX", FRESNO, fold=True)
    assert (message.title, message.short, message.fold) == (
        "Visita a Consulado de México en Fresno",
        "El sábado 5 de diciembre de 2026",
        True,
    )
    assert message.document.blocks[0].spans[1].link == "https://citas.sre.gob.mx/"


def test_a_local_time_is_each_communitys_own_and_an_instant_is_shown_in_its_zone(tmp_path: Path) -> None:
    """Nine o'clock without zone is nine everywhere; with a zone it is one moment, told in local time."""
    front = 'title = "V"\nstarts = 2026-12-05T09:00:00\nends = 2026-12-05T12:00:00-08:00'
    visit(tmp_path, "{{ starts | time }}, {{ ends | time }}", front)
    found, findings = everything(tmp_path)
    assert findings == []
    assert told(found, "es", FRESNO)[1] == "9:00 a.m., 12:00 p.m."
    assert told(found, "es", PHOENIX)[1] == "9:00 a.m., 1:00 p.m."


@pytest.mark.parametrize(
    ("until", "fresno"),
    [
        ("2026-12-31", "2027-01-01T08:00:00+00:00"),
        ("2026-12-31T18:00:00", "2027-01-01T02:00:00+00:00"),
        ("2026-12-31T18:00:00-05:00", "2026-12-31T23:00:00+00:00"),
    ],
)
def test_until_when_a_text_is_true(tmp_path: Path, until: str, fresno: str) -> None:
    """A day counts to its end in the community, an hour is the community's, an instant is one for all."""
    visit(tmp_path, "Texto", f'title = "V"\nvalid_until = {until}')
    found, _ = everything(tmp_path)
    expires = found.entries["visita"].expires(FRESNO.zone)
    assert expires is not None
    assert expires.isoformat() == fresno


def test_readers_get_the_nearest_edition(tmp_path: Path) -> None:
    """A reader of Nahuatl gets Spanish rather than English, and a language we lack gets the source."""
    source = visit(tmp_path, "Hola, {{ language }}")
    found, _ = library.read(tmp_path, today=TODAY)
    made_from = found.entries["visita"].source.source_hash
    visit(tmp_path, "Hello", f'title = "Visit"\ntranslates = "{made_from}"', "en")
    found, findings = everything(tmp_path)
    assert findings == []
    assert told(found, "nah") == ("es", "Hola, nah")
    assert told(found, "en-US") == ("en", "Hello")
    assert told(found, "fr")[0] == "es"
    assert found.entries["visita"].source.file == source


def test_an_english_date_does_not_stand_in_a_spanish_text(tmp_path: Path) -> None:
    """Who falls back to the Spanish text gets its dates in Spanish."""
    visit(tmp_path, "{{ starts }}", 'title = "V"\nstarts = 2026-12-05')
    found, _ = everything(tmp_path)
    assert told(found, "en-US")[1] == "sábado 5 de diciembre de 2026"
    assert told(found, "yua")[1] == "sábado 5 de diciembre de 2026"


def test_a_translation_whose_source_changed_is_seen(tmp_path: Path) -> None:
    """A translation is stale once a word of its source changed, not when an editor saved it another way."""
    visit(tmp_path, "Canción")
    hashed = library.read(tmp_path, today=TODAY)[0].entries["visita"].source.source_hash
    english = visit(tmp_path, "Song", f'title = "V"\ntranslates = "{hashed}"', "en")
    visit(tmp_path, "Cancio\u0301n\r\n\n")
    assert not library.read(tmp_path, today=TODAY)[0].entries["visita"].editions["en"].stale
    visit(tmp_path, "Otra canción")
    found, findings = library.read(tmp_path, today=TODAY)
    assert found.entries["visita"].editions["en"].stale
    assert [(f.rule, f.file, f.line, f.level) for f in findings] == [("library.stale", english, 3, "warning")]
    assert told(found, "en") == ("en", "Song")
    assert told(found, "en", replace(FRESNO, fresh=True)) == ("es", "Otra canción")


def test_the_source_is_what_translates_nothing_and_spanish_first(tmp_path: Path) -> None:
    """With several texts and no word of who translated whom, Spanish is the source."""
    for name in ("en", "es-MX", "es", "nah"):
        visit(tmp_path, name, name=name)
    found, findings = library.read(tmp_path, today=TODAY)
    assert found.entries["visita"].source.language == "es"
    assert [(f.rule, f.file.name) for f in findings] == [
        ("library.no-translates", name) for name in ("en.md", "es-MX.md", "nah.md")
    ]


def test_all_that_an_entry_says_of_itself(tmp_path: Path) -> None:
    """Every field that staff may write is read."""
    front = """title = "V"
summary = "S {{ title }}"
communities = ["fresno"]
topics = ["salud"]
keywords = ["visita"]
misspellings = ["bisita"]
urgency = "high"
[whatsapp]
template = "HX0123456789abcdef0123456789abcdef"
variables = { 1 = "{{ title }}", 2 = "{{ summary }}" }"""
    visit(tmp_path, "Texto", front)
    found, findings = everything(tmp_path)
    entry = found.entries["visita"]
    assert findings == []
    assert (entry.kind, entry.communities, entry.topics, entry.urgency) == (
        "announcement",
        frozenset({"fresno"}),
        ("salud",),
        "high",
    )
    assert (entry.source.front.keywords, entry.source.front.misspellings) == (["visita"], ["bisita"])
    message, _ = found.message(entry, "es", FRESNO, fold=False)
    assert message.template is not None
    assert message.template.variables == {"1": "V", "2": "S V"}


def test_a_text_may_ask_whether_there_is_an_end(tmp_path: Path) -> None:
    """What a text asks for before it uses it need not be there."""
    visit(tmp_path, "Hola{% if ends is defined %}, hasta {{ ends | date }}{% endif %}!")
    found, findings = everything(tmp_path)
    assert findings == []
    assert told(found, "es")[1] == "Hola!"


def test_a_translation_says_nothing_else_of_the_entry(tmp_path: Path) -> None:
    """When a translation gives another date, the source's holds and staff are told."""
    visit(tmp_path, "Texto", 'title = "V"\nstarts = 2026-12-05')
    hashed = library.read(tmp_path, today=TODAY)[0].entries["visita"].source.source_hash
    visit(tmp_path, "Text", f'title = "V"\ntranslates = "{hashed}"\nstarts = 2026-12-06', "en")
    found, findings = everything(tmp_path)
    assert [(f.rule, f.line, f.level) for f in findings] == [("library.elsewhere", 4, "warning")]
    assert found.entries["visita"].starts == dt.date(2026, 12, 5)


def test_a_fact_expires_by_the_day_that_is_handed_in(tmp_path: Path) -> None:
    """On its last day a fact may be quoted; the day after, the text stops at the desk."""
    write(tmp_path, "facts.toml", FACTS)
    visit(tmp_path, "{{ facts.passport.fee_3y | money }} ({{ facts.passport.fee_3y.until | date }})")
    found, _ = library.read(tmp_path, today=dt.date(2026, 12, 31))
    assert told(found, "es")[1] == "USD 98.00 (jueves 31 de diciembre de 2026)"
    found, _ = library.read(tmp_path, today=dt.date(2027, 1, 1))
    with pytest.raises(Faults):
        told(found, "es")


def test_hidden_files_and_links_are_passed_over(tmp_path: Path) -> None:
    """What an editor or the system leaves in the folders is not content."""
    content, elsewhere = tmp_path / "content", tmp_path / "elsewhere"
    write(elsewhere, "x/es.md", "not ours")
    write(content, ".git/config", "")
    write(content, "README.md", "how to write")
    visit(content, "Texto")
    write(content, "announcements/.DS_Store", b"\0")
    write(content, "announcements/visita/.es.md.swp", b"\xff")
    (content / "announcements" / "linked").symlink_to(elsewhere / "x")
    (content / "announcements" / "visita" / "en.md").symlink_to(elsewhere / "x" / "es.md")
    found, findings = library.read(content, today=TODAY)
    assert findings == []
    assert list(found.entries) == ["visita"]
    assert list(found.entries["visita"].editions) == ["es"]


def test_an_entry_of_another_community_is_not_tried(tmp_path: Path) -> None:
    """A text is only asked of the communities it is for."""
    visit(tmp_path, "{{ ends }}", 'title = "V"\ncommunities = ["phoenix"]')
    found, _ = library.read(tmp_path, today=TODAY)
    assert library.try_every(found, FRESNO, READERS, TODAY) == []
    assert len(library.try_every(found, PHOENIX, READERS, TODAY)) == 1


def test_every_example_of_commonmark_is_a_body(tmp_path: Path) -> None:
    """No text that people may write in Markdown crashes; the words arrive, or the braces are a finding."""
    for number, example in enumerate(EXAMPLES):
        write(tmp_path, f"pages/p{number}/es.md", f"+++\ntitle = 'V'\nsms = 'x'\n+++\n{example['markdown']}")
    found, findings = everything(tmp_path)
    assert len(found.entries) == len(EXAMPLES)
    refused = {finding.file.parent.name for finding in findings}
    for number, example in enumerate(EXAMPLES):
        if f"p{number}" not in refused:
            message, _ = found.message(found.entries[f"p{number}"], "es", FRESNO, fold=False)
            assert message.document == parse(example["markdown"])
        else:
            assert "{{" in example["markdown"] or "{%" in example["markdown"] or "{#" in example["markdown"]
