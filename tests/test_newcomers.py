"""The import of people: every bad row is found at once, and nothing that stands in one is ever quoted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import newcomers, timetable
from bot.newcomers import Newcomer, address_of
from bot.words import Phrases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.findings import Finding
    from bot.timetable import Community

    Read = Callable[..., tuple[list[Newcomer], list[Finding]]]

HEADER = "channel,address,language,community,topics,consent"
SCHEDULE = """name = "Consulado"
timezone = "America/Los_Angeles"
languages = ["es-MX", "en-US"]
senders = ["sms"]
quiet_hours = "none"
"""
GOOD = "sms,+12015550100,es-MX,fresno,salud|educacion,paper"


TOPICS = ("documentos", "educacion", "salud")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Community]:
    """Two communities that read Spanish and English."""
    folder = tmp_path_factory.mktemp("schedules")
    for slug in ("fresno", "phoenix"):
        (folder / f"{slug}.toml").write_text(SCHEDULE)
    return dict(timetable.read(folder, {"sms": "sms"})[0])


@pytest.fixture
def read(tmp_path: Path, places: dict[str, Community]) -> Read:
    """Write a file of these lines and read it."""

    def work(*lines: str, encoding: str = "utf-8") -> tuple[list[Newcomer], list[Finding]]:
        file = tmp_path / "people.csv"
        file.write_bytes("\n".join(lines).encode(encoding))
        return newcomers.read(file, places, TOPICS)

    return work


def told(findings: list[Finding]) -> list[tuple[int, str]]:
    return [(finding.line, finding.rule.removeprefix("import.")) for finding in findings]


def test_a_good_row_is_a_person(read: Read) -> None:
    """Channel, address, language, community, topics and consent are written in one way."""
    people, findings = read(HEADER, GOOD, " Telegram , 700000001 , es_mx ,phoenix,,Web ")
    assert not findings
    assert people == [
        Newcomer("sms", "+12015550100", "es-MX", "fresno", ("salud", "educacion"), "paper"),
        Newcomer("telegram", "700000001", "es-MX", "phoenix", (), "web"),
    ]


def test_every_bad_row_is_found_at_once(read: Read) -> None:
    """Each fault of each row is told with its line, and the good rows are there all the same."""
    people, findings = read(
        HEADER,
        "fax,+12015550101,es,fresno,,paper",
        "sms,2015550101,es,fresno,,paper",
        "telegram,@canary,es,fresno,,web",
        "sms,+12015550101,canary tongue,fresno,,paper",
        "sms,+12015550101,es,canary,,paper",
        "sms,+12015550101,es,fresno,,",
        "sms,+12015550101,es,fresno,,No",
        "",
        "whatsapp,canary,canary tongue,canary,canary,pending",
        GOOD,
        GOOD,
        "sms",
    )
    assert told(findings) == [
        (2, "channel"),
        (3, "number"),
        (4, "chat-id"),
        (5, "language"),
        (6, "community"),
        (7, "consent"),
        (8, "consent"),
        (10, "number"),
        (10, "language"),
        (10, "community"),
        (10, "topic"),
        (10, "consent"),
        (12, "twice"),
        (13, "number"),
        (13, "language"),
        (13, "community"),
        (13, "consent"),
    ]
    assert [person.address for person in people] == ["+12015550100"]


def test_a_typo_that_would_silence_somebody_is_told(read: Read) -> None:
    """A topic or a language that nothing is written in is a fault of its row, with what was meant."""
    people, findings = read(
        HEADER,
        "sms,+12015550101,es,fresno,salut|Educación,paper",
        "sms,+12015550102,fr,fresno,xyz,paper",
        "sms,+12015550103,nah,fresno,salud,paper",
        "sms,+12015550104,es-GT,fresno, Salud ,paper",
    )
    assert told(findings) == [(2, "topic-near"), (2, "topic-near"), (3, "language-unknown"), (3, "topic")]
    assert [finding.values for finding in findings] == [
        {"meant": "salud"},
        {"meant": "educacion"},
        {"choices": "es-MX, en-US"},
        {"choices": "documentos, educacion, salud"},
    ]
    assert [(person.language, person.topics) for person in people] == [
        ("nah", ("salud",)),
        ("es-GT", ("salud",)),
    ]


@pytest.mark.parametrize("language", ["es", "en"])
def test_no_finding_quotes_a_row(read: Read, language: str) -> None:
    """Neither a finding nor its sentence holds anything that stood in the row."""
    rows = [f"canary{n},canary{n},canary {n},canary{n},canary{n},no" for n in range(3)]
    _, findings = read(HEADER, *rows, "sms,+12015550177,es,fresno,,", 'sms,"+12015550177,es')
    assert len(findings) == 17
    phrases = Phrases("es" if language == "es" else "en")
    sentences = " ".join(f"{finding} {phrases.finding(finding)}" for finding in findings)
    assert "canary" not in sentences
    assert "5550177" not in sentences


@pytest.mark.parametrize(
    "lines",
    [
        ["\ufeff" + HEADER, GOOD],
        [HEADER.replace(",", ";"), GOOD.replace(",", ";")],
        [HEADER + "\r", GOOD + "\r", ""],
        [HEADER.upper(), GOOD],
        ["consent,topics,community,language,address,channel", ",".join(reversed(GOOD.split(",")))],
        [HEADER, ",".join(f'"{cell}"' for cell in GOOD.split(","))],
        [HEADER + ",more", GOOD + ",thing"],
        [HEADER, GOOD + ",one cell too many"],
    ],
)
def test_what_spreadsheets_make_of_it_is_read(read: Read, lines: list[str]) -> None:
    """A byte-order mark, semicolons, CRLF, capitals, another order and quotes change nothing."""
    people, findings = read(*lines)
    assert not findings
    assert people == [Newcomer("sms", "+12015550100", "es-MX", "fresno", ("salud", "educacion"), "paper")]


def test_a_file_that_is_no_csv_of_ours(tmp_path: Path, read: Read) -> None:
    """A missing, a Latin-1, an empty file and one without its columns are each told in one finding."""
    assert told(newcomers.read(tmp_path / "none.csv", {}, TOPICS)[1]) == [(0, "unreadable")]
    assert told(newcomers.read(tmp_path, {}, TOPICS)[1]) == [(0, "unreadable")]
    latin = read(HEADER, GOOD, "sms,+12015550101,es,fresno,educación,paper", encoding="latin-1")
    assert (latin[0], told(latin[1])) == ([], [(3, "not-utf8")])
    assert told(read()[1]) == [(1, "columns")]
    _, findings = read("channel,language,consent", "sms,es,paper")
    assert [finding.values for finding in findings] == [{"missing": "address, community"}]


@pytest.mark.parametrize("quoted", ['"paper', '"pa"per', '"paper\nsms"'])
def test_an_open_quote_swallows_nobody(read: Read, quoted: str) -> None:
    """Where a quote is out of place, the row it stands in is named: nobody below it is lost in silence."""
    bad = f"sms,+12015550101,es,fresno,,{quoted}"
    people, findings = read(HEADER, GOOD, bad, "sms,+12015550102,es,fresno,,paper")
    assert told(findings) == [(3, "not-csv")]
    assert [person.address for person in people] == ["+12015550100"]


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("+12015550100", "+12015550100"),
        ("+1 (201) 555-0100", "+12015550100"),
        ("+52 55 5555 0100", "+525555550100"),
        ("12015550100", ""),
        ("0012015550100", ""),
        ("+1201555010", ""),
        ("+120155501000", ""),
        ("+1201555010O", ""),
        ("+1 201 555 0100 ext. 7", ""),
        ("tel:+12015550100", ""),
        ("+1-800-FLOWERS", ""),
        ("+0012015550100", ""),
        ("++12015550100", ""),
        ("+１２０１５５５０１００", ""),
        ("+", ""),
        ("", ""),
    ],
)
def test_a_number_is_whole_or_nothing(written: str, address: str) -> None:
    """A telephone number has its plus, its country and all of its digits, and nothing else."""
    assert address_of("sms", written) == address
    assert address_of("whatsapp", written) == address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("700000001", "700000001"),
        ("-1001234567890", "-1001234567890"),
        ("0700000001", "700000001"),
        ("0", ""),
        ("-", ""),
        ("@somebody", ""),
        ("+12015550100", ""),
        ("7.0", ""),
        ("٧٠٠", ""),
        ("12345678901234567", ""),
    ],
)
def test_a_chat_id_is_written_in_one_way(written: str, address: str) -> None:
    """Two spellings of one chat are one person, and what is no chat id is nobody."""
    assert address_of("telegram", written) == address


@given(st.lists(st.lists(st.text(max_size=12), max_size=8), max_size=8), st.sampled_from(",;\t"))
def test_any_file_is_answered(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], by: str
) -> None:
    """Whatever a file holds, it is answered with people and findings, and each line is right or wrong."""
    text = "\n".join([HEADER.replace(",", by), *(by.join(row) for row in rows)])
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    people, findings = newcomers.read(file, {}, TOPICS)
    assert not people
    assert all(finding.line <= text.count("\n") + text.count("\r") + 1 for finding in findings)
