"""Everything that can be wrong in content/ is said: once, all at once, where it stands, in both languages."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import library, words
from bot.library import Place

if TYPE_CHECKING:
    from bot.findings import Finding
    from bot.library import Library

TODAY = dt.date(2026, 11, 22)
FRESNO = Place("fresno", "Consulado de México en Fresno", ZoneInfo("America/Los_Angeles"))
READERS = ("es-MX", "en-US", "nah", "yua")

FACTS = """
[passport]
fee_3y = { USD = 98, until = 2026-12-31, source = "the list of fees" }
fee_old = { USD = 95.5, until = 2025-12-31, source = "the list of fees" }
"""


def write(root: Path, path: str, text: str | bytes) -> Path:
    """Put a file into content/."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def everything(root: Path) -> tuple[Library, list[Finding]]:
    """Read, and try to say every entry to everybody."""
    found, findings = library.read(root, today=TODAY)
    return found, findings + library.try_every(found, FRESNO, READERS, TODAY)


def said(finding: Finding) -> None:
    """Check that a finding can be said in both languages."""
    for language in ("es", "en"):
        message, remedy = words.Phrases(language).finding(finding)
        assert message
        assert remedy


BROKEN: dict[str, tuple[str | bytes, str, int]] = {
    "no first line": ("title = 1", "library.no-front-matter", 1),
    "nothing": ("", "library.no-front-matter", 1),
    "no second line": ('+++\ntitle = "V"\n', "library.unclosed-front-matter", 1),
    "syntax": ('+++\ntitle = "V"\ntopics = [\n+++\nTexto', "toml.syntax", 3),
    "nested without end": ("+++\ntitle = " + "[" * 5000 + "\n+++\nTexto", "toml.syntax", 2),
    "not UTF-8": (b'+++\ntitle = "V"\n+++\nTexto\nCanci\xf3n', "toml.not-utf8", 5),
    "no title": ("+++\nsummary = 'S'\n+++\nTexto", "library.missing-title", 1),
    "empty title": ("+++\ntitle = ' '\n+++\nTexto", "toml.empty", 2),
    "title of two lines": ("+++\ntitle = '''V\nW'''\n+++\nTexto", "library.title-lines", 2),
    "title not text": ("+++\ntitle = 2026\n+++\nTexto", "toml.not-text", 2),
    "topics not a list": ("+++\ntitle = 'V'\ntopics = 'salud'\n+++\nTexto", "toml.not-list", 3),
    "topic not text": ("+++\ntitle = 'V'\ntopics = ['a', 1]\n+++\nTexto", "toml.not-text", 3),
    "date in quotes": ("+++\ntitle = 'V'\nstarts = '2026-12-05'\n+++\nTexto", "library.not-date", 3),
    "date of another age": ("+++\ntitle = 'V'\nends = 0206-12-05\n+++\nTexto", "library.not-date", 3),
    "no such day": ("+++\ntitle = 'V'\nends = 2026-02-30\n+++\nTexto", "toml.no-such-date", 3),
    "ends first": (
        "+++\ntitle = 'V'\nstarts = 2026-12-05\nends = 2026-12-04\n+++\nTexto",
        "library.ends-first",
        4,
    ),
    "urgency": ("+++\ntitle = 'V'\n\nurgency = 'urgent'\n+++\nTexto", "toml.choice", 4),
    "whatsapp not a table": ("+++\ntitle = 'V'\nwhatsapp = 'HX'\n+++\nTexto", "toml.not-table", 3),
    "no template": ("+++\ntitle = 'V'\n[whatsapp]\nvariables = {}\n+++\nTexto", "toml.missing", 3),
    "not a template": ("+++\ntitle = 'V'\n[whatsapp]\ntemplate = 'HX1'\n+++\nTexto", "library.template", 4),
    "no such category": (
        f"+++\ntitle = 'V'\n[whatsapp]\ntemplate = 'HX{'0' * 32}'\ncategory = 'news'\n+++\nTexto",
        "toml.choice",
        5,
    ),
    "no text": ("+++\ntitle = 'V'\n+++\n \n", "library.empty", 3),
    "braces": ("+++\ntitle = 'V'\n+++\nTexto\n{{ starts", "library.braces", 5),
    "unknown name": ("+++\ntitle = 'V'\n+++\nTexto\n{{ titel }}", "library.unknown-name", 5),
    "unset name": ("+++\ntitle = 'V'\n+++\nTexto\n\n{{ starts | date }}", "library.unset-name", 6),
    "unknown fact": ("+++\ntitle = 'V'\n+++\n{{ facts.passport.fee_3 | money }}", "library.unknown-fact", 4),
    "a group for a fact": ("+++\ntitle = 'V'\n+++\n{{ facts.passport }}", "library.unknown-fact", 4),
    "facts reckoned": ("+++\ntitle = 'V'\n+++\n{{ facts[title] }}", "library.unknown-fact", 4),
    "fact without facts": ("+++\ntitle = 'V'\n+++\n{{ passport.fee_3y }}", "library.unknown-name", 4),
    "expired fact": (
        "+++\ntitle = 'V'\n+++\n\n{{ facts.passport.fee_old | money }}",
        "library.expired-fact",
        5,
    ),
    "unknown filter": ("+++\ntitle = 'V'\n+++\n{{ title | dates }}", "library.unknown-filter", 4),
    "wrong filter": ("+++\ntitle = 'V'\n+++\n\n{{ title | date }}", "library.unfit", 5),
    "an hour of a day": ("+++\ntitle='V'\nstarts=2026-12-05\n+++\n{{ starts | time }}", "library.unfit", 5),
    "by zero": ("+++\ntitle = 'V'\n+++\n{{ 1 / 0 }}", "library.unfilled", 4),
    "forbidden": ("+++\ntitle = 'V'\n+++\n{{ title.__class__ }}", "library.unfilled", 4),
    "include": ("+++\ntitle = 'V'\n+++\n{% include 'facts.toml' %}", "library.unfilled", 4),
    "in the sms": (
        "+++\ntitle = 'V'\nsummary = 'S'\nsms = '{{ ends }}'\n+++\nTexto",
        "library.unset-name",
        4,
    ),
    "in the title": ("+++\ntitle = '{{ title }}'\n+++\nTexto", "library.unset-name", 2),
}
"""One fault each: what is written, its rule, its line."""


@pytest.mark.parametrize("fault", BROKEN)
def test_each_fault_is_one_finding_at_its_line(tmp_path: Path, fault: str) -> None:
    """Whatever is wrong in a file is said once, where it stands, in both languages, and stops the entry."""
    text, rule, line = BROKEN[fault]
    write(tmp_path, "facts.toml", FACTS)
    file = write(tmp_path, "announcements/visita/es.md", text)
    _, findings = everything(tmp_path)
    assert [(f.rule, f.file, f.line, f.level) for f in findings] == [(rule, file, line, "error")]
    said(findings[0])


def test_many_faults_in_many_files_come_all_at_once(tmp_path: Path) -> None:
    """Staff see everything that is wrong in one reading, also several faults of one file."""
    write(tmp_path, "facts.toml", FACTS)
    for number, (text, _, _) in enumerate(BROKEN.values()):
        write(tmp_path, f"services/s{number}/es.md", text)
    write(tmp_path, "pages/p/es.md", "+++\ntitel = 1\nstarts = 'x'\ntopics = 1\n+++\nTexto")
    write(tmp_path, "pages/q/es.md", "+++\ntitle = 'V'\n+++\n{{ a }}\n{{ b | c }}\n{{ facts.d }}")
    _, findings = everything(tmp_path)
    assert len(findings) == len(BROKEN) + 4 + 4
    assert {f.rule for f in findings} >= {rule for _, rule, _ in BROKEN.values()}


@pytest.mark.parametrize(
    ("path", "text", "rule", "level"),
    [
        ("announcements/visita/español.md", "", "library.language", "error"),
        ("announcements/visita/es.txt", "", "library.not-read", "warning"),
        ("announcements/Visita Móvil/es.md", "", "library.slug", "error"),
        ("announcements/visita.md", "", "library.not-read", "warning"),
        ("anuncios/visita/es.md", "", "library.not-read", "warning"),
        ("services/good/es.md", "+++\ntitle = 'V'\n+++\nTexto", "library.same-slug", "error"),
        ("pages/good/ES.md", "+++\ntitle = 'V'\n+++\nTexto", "library.same-language", "error"),
        ("pages/good/en.md", "+++\ntitle = 'V'\n+++\nText", "library.no-translates", "warning"),
        (
            "pages/good/en.md",
            "+++\ntitle = 'V'\ntranslates = '00000000'\n+++\nText",
            "library.stale",
            "warning",
        ),
        (
            "pages/other/es.md",
            "+++\ntitle = 'V'\ntranslates = 'a'\n+++\nTexto",
            "library.no-source",
            "warning",
        ),
        (
            "pages/other/es.md",
            "+++\ntitle = 'V'\nkeyword = ['a']\n+++\nTexto",
            "library.unknown-field",
            "warning",
        ),
    ],
)
def test_what_lies_in_the_wrong_place(tmp_path: Path, path: str, text: str, rule: str, level: str) -> None:
    """A file that is never read, or that another one hides, is named, and the rest is read."""
    write(tmp_path, "pages/good/es.md", "+++\ntitle = 'V'\n+++\nTexto")
    write(tmp_path, path, text)
    found, findings = library.read(tmp_path, today=TODAY)
    assert [(f.rule, f.level) for f in findings if f.rule != "library.no-edition"] == [(rule, level)]
    assert "good" in found.entries
    said(findings[0])


def test_a_misspelt_field_is_recognised(tmp_path: Path) -> None:
    """A field that does not exist is told with the one that was meant, and stops nothing."""
    file = write(tmp_path, "pages/p/es.md", "+++\ntitle = 'V'\nvalid_untill = 2026-12-31\n+++\nTexto")
    found, findings = everything(tmp_path)
    assert [(f.rule, f.file, f.line, f.values["meant"]) for f in findings] == [
        ("library.unknown-field", file, 3, "valid_until")
    ]
    assert "p" in found.entries


def test_what_was_meant_is_named(tmp_path: Path) -> None:
    """A slip in a fact's name is answered with the fact."""
    write(tmp_path, "facts.toml", FACTS)
    body = "{{ facts.pasport.fee_3y }} {{ passport.fee_3y }} {{ comunity.name }} {{ title | mony }}"
    write(tmp_path, "pages/p/es.md", f"+++\ntitle = 'V'\n+++\n{body}")
    _, findings = everything(tmp_path)
    assert [f.values["known"] for f in findings] == [
        "facts.passport.fee_3y",
        "facts.passport.fee_3y",
        "community.name",
        "money",
    ]


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("\na = { USD = 1, phone = '911', source = 's' }", "library.fact-values", 2),
        ("[a.b]\nsource = 's'", "library.fact-no-value", 1),
        ("[a]\nb = { USD = 1 }", "library.fact-source", 2),
        ("a = { USD = 1, source = ' ' }", "library.fact-source", 1),
        ("[a]\nUSD = 1\nsource = 's'\nuntil = '2026'", "library.fact-until", 4),
        ("[a]\nUSD = 1\nsource = 's'\nuntil = 2026-12-31T00:00:00", "library.fact-until", 4),
        ("[a]\nphone = '12 34'\nsource = 's'", "library.fact-phone", 2),
        ("[a]\nphone = 911\nsource = 's'", "library.fact-phone", 2),
        ("[a]\nurl = 'citas.sre.gob.mx'\nsource = 's'", "library.fact-url", 2),
        ("[a]\nUSD = '98'\nsource = 's'", "library.fact-amount", 2),
        ("[a]\nUSD = nan\nsource = 's'", "library.fact-amount", 2),
        ("[a]\ntext = ''\nsource = 's'", "library.fact-text", 2),
        ("a = 98", "library.fact-shape", 1),
        ("[fee-3y]\nUSD = 1\nsource = 's'", "library.fact-name", 1),
        ("[a]\nUSD = 1\nsource = 's'\nuntill = 2026-12-31", "library.unknown-field", 4),
        ("[a]\n[a]", "toml.repeated-key", 2),
    ],
)
def test_each_fault_of_a_fact(tmp_path: Path, text: str, rule: str, line: int) -> None:
    """A fact that cannot be trusted is said at its line."""
    file = write(tmp_path, "facts.toml", text)
    _, findings = library.read(tmp_path, today=TODAY)
    assert [(f.rule, f.file, f.line) for f in findings] == [(rule, file, line)]
    said(findings[0])


def test_no_folder_is_one_finding(tmp_path: Path) -> None:
    """Without content/ there is one sentence, not a crash."""
    found, findings = library.read(tmp_path / "nowhere", today=TODAY)
    assert found.entries == {}
    assert [f.rule for f in findings] == ["library.no-content"]
    said(findings[0])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.binary()
    | st.builds(lambda front, body: f"+++\n{front}\n+++\n{body}".encode(), st.text(), st.text())
    | st.builds(
        lambda *parts: ("+++\ntitle='V'\n+++\n" + "".join(parts)).encode(),
        *[
            st.sampled_from(
                ["{{", "}}", "{%", "%}", "{#", "#}", " facts", ".a", " if ", "|date", "[", "]", "'", "\n"]
            )
        ]
        * 6,
    )
)
def test_any_bytes_are_read_or_said(content: bytes) -> None:
    """Whatever lies in a file, reading it and saying it end in a text or in findings that can be said."""
    with TemporaryDirectory() as folder:
        write(Path(folder), "pages/p/es.md", content)
        found, findings = everything(Path(folder))
    assert found.entries or findings
    for finding in findings:
        said(finding)
