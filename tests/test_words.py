"""Dates, money, lists and sentences as a reader writes them."""

from __future__ import annotations

import ast
import datetime as dt
import re
import string
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import languages, words
from bot.findings import Finding

MOMENT = dt.datetime(2026, 12, 5, 9, 0)  # noqa: DTZ001 - a community's wall time, as words takes it
NARROW = "\u202f"
BOT = Path(words.__file__).parent
READERS = st.sampled_from(
    [
        "es",
        "es-MX",
        "es-US",
        "en",
        "en-US",
        "fr-CA",
        "nah",
        "yua",
        "mix",
        "zap",
        "quc",
        "trc",
        "nv",
        "xx",
        "zh-Hant-TW",
    ]
)


def test_dates_as_people_say_them() -> None:
    """A Spanish date runs in a sentence, and an hour is the hour of North America."""
    assert words.date(MOMENT, "es-MX") == "sábado 5 de diciembre de 2026"
    assert words.time(MOMENT, "es") == f"9:00{NARROW}a.m."
    assert words.datetime(MOMENT, "es-MX") == f"sábado 5 de diciembre de 2026, 9:00{NARROW}a.m."
    assert words.datetime(MOMENT, "en-US") == f"Saturday, December 5, 2026, 9:00{NARROW}AM"
    assert words.month(MOMENT, "es") == "diciembre"


def test_money_says_whose_it_is() -> None:
    """Nobody mistakes dollars for pesos: a currency that is not the reader's is named."""
    assert words.money(Decimal(98), "USD", "es-MX") == "USD\u00a098.00"
    assert words.money(Decimal("1598.5"), "USD", "en-US") == "$1,598.50"
    assert words.money(98, "CAD", "en") == "CA$98.00"
    assert words.number(Decimal("1598.5"), "es") == "1,598.5"


@pytest.mark.parametrize(
    ("items", "style", "text"),
    [
        ([], "and", ""),
        (["Fresno"], "and", "Fresno"),
        (["Fresno", "Madera"], "and", "Fresno y Madera"),
        (["acta", "pasaporte", "identificación"], "and", "acta, pasaporte e identificación"),
        (["aguja", "hilo"], "and", "aguja e hilo"),
        (["agua", "hielo"], "and", "agua y hielo"),
        (["tú", "yo"], "and", "tú y yo"),
        (["siete", "ocho"], "or", "siete u ocho"),
        (["mujer", "hombre"], "or", "mujer u hombre"),
        (["7", "8"], "or", "7 u 8"),
        (["1", "2"], "or", "1 o 2"),
    ],
)
def test_spanish_lists_sound_right(items: list[str], style: str, text: str) -> None:
    """Spanish writes e before i and u before o, as the ear asks."""
    assert words.join(items, "es-MX", "or" if style == "or" else "and") == text


def test_lists_in_english_are_left_alone() -> None:
    """The ear of Spanish does not touch another language."""
    assert words.join(["a", "b", "Irapuato"], "en") == "a, b, and Irapuato"


@given(READERS, st.dates(), st.times(), st.decimals(0, 10**9, places=2))
def test_no_language_crashes(reader: str, day: dt.date, hour: dt.time, amount: Decimal) -> None:
    """A reader of any language gets dates, hours, numbers and money, their own or borrowed."""
    moment = dt.datetime.combine(day, hour)
    assert words.datetime(moment, reader)
    assert words.month(day, reader)
    assert words.number(amount, reader)
    assert words.money(amount, "USD", reader)
    assert words.join(["a", "b"], reader)


def test_borrowed_formats() -> None:
    """Nahuatl, which Babel does not know, and K'iche', of which it knows no month, have Mexican dates."""
    for reader in ("nah", "quc", "mix"):
        assert words.date(MOMENT, reader) == "sábado 5 de diciembre de 2026"


def test_a_date_speaks_the_language_around_it() -> None:
    """A reader of English who is given the Spanish text does not find English dates inside it."""
    assert words.formats("en-US", "es") == "es-MX"
    assert words.formats("es-US", "es") == "es-US"
    assert words.formats("nah", "es") == "es-MX"
    assert words.formats("nah", "nah") == "es-MX"


def test_one_language_does_not_change_another() -> None:
    """After Chinese was written, Spanish months are still Spanish."""
    assert words.month(MOMENT, "zh-Hant-TW")
    assert words.month(MOMENT, "es") == "diciembre"


def _placeholders(phrase: object) -> set[str]:
    """The names a phrase is filled with; in plural tables, those of every form."""
    texts = list(phrase.values()) if isinstance(phrase, dict) else [phrase]
    return {
        name for text in texts for _, name, _, _ in string.Formatter().parse(str(text)) if name is not None
    }


def test_both_files_of_phrases_say_the_same_things() -> None:
    """What is said in Spanish is said in English, with the same values."""
    spanish, english = words._phrases("es"), words._phrases("en")
    assert list(spanish) == list(english)
    differing = [key for key in spanish if _placeholders(spanish[key]) != _placeholders(english[key])]
    assert not differing


def test_every_plural_has_the_forms_of_its_language() -> None:
    """A table of plural forms has one and other, and chooses by n."""
    for language in ("es", "en"):
        for key, phrase in words._phrases(language).items():
            assert isinstance(phrase, str) or {"one", "other"} <= phrase.keys(), key


def _rules_in_code() -> set[str]:
    rule = re.compile(r"(toml|library|settings|timetable|check|import)\.(?!toml$|py$)[a-z][a-z0-9-]*")
    trees = [ast.parse(file.read_text("utf-8")) for file in BOT.rglob("*.py")]
    texts = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and rule.fullmatch(text)}


def test_every_finding_has_its_sentences() -> None:
    """Whatever can be found wrong can be said: each rule has a message and a remedy."""
    said = {
        key.removeprefix("rules.").removesuffix(".message")
        for key in words._phrases("es")
        if key.endswith(".message")
    }
    assert _rules_in_code() <= said
    assert all(f"rules.{rule}.remedy" in words._phrases("es") for rule in said)


def test_a_finding_in_the_language_of_staff(tmp_path: Path) -> None:
    """Staff read what is wrong and what to write, in their language or the nearest."""
    finding = Finding("library.unknown-field", tmp_path, 3, "warning", {"key": "titel", "meant": "title"})
    assert words.Phrases("es-MX").finding(finding) == (
        "El campo «titel» no existe y no se lee.",
        "Cámbielo por title, o bórrelo.",
    )
    assert words.Phrases("nah").language == "es"
    assert words.Phrases("en_US").finding(finding)[1] == "Change it to title, or delete it."


def test_sentences_count_as_the_language_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is one, many are many, and a great number has its groups."""
    told = {"sent": {"one": "{n} mensaje a {who}", "other": "{n} mensajes a {who}"}}
    monkeypatch.setattr(words, "_phrases", lambda _: dict(words._flat(told, "")))
    say = words.Phrases("es").say
    assert say("sent", n=1, who="Ana") == "1 mensaje a Ana"
    assert say("sent", n=12_000, who="8080") == "12,000 mensajes a 8080"
    assert say("sent", n=1_000_000, who="todos") == "1,000,000 mensajes a todos"
    with pytest.raises(KeyError):
        say("unsaid")


def test_every_language_of_the_table_can_be_written() -> None:
    """Each language we carry has a chain, a name and formats."""
    for code in languages._table():
        assert languages.normalise(code) == code
        assert all(languages.normalise(other) == other for other in languages.chain(code))
        assert words.date(MOMENT, code)
        assert languages.autonym(code)
