"""What an SMS costs, counted as the vendor counts it, and where a long text may be cut."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import TypedDict

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from channels.segments import Measured, costly, fold, measure, split, tidy, utf16, visible


class Counted(TypedDict):
    label: str
    text: str
    encoding: str
    units: int
    segments: int


COUNTED: list[Counted] = json.loads(
    Path(__file__).with_name("data").joinpath("twilio_segments.json").read_text(encoding="utf-8")
)["texts"]

SPANISH = st.text(alphabet="abcñÑáéíóúÁÍÓÚü¿¡ .,\n\u202f\xa0€[]", max_size=400)
ANY = st.text(max_size=300)
FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize("counted", COUNTED, ids=lambda counted: counted["label"])
def test_the_vendor_counts_the_same(counted: Counted) -> None:
    """Encoding, units and segments of every text equal those of Twilio's published calculator."""
    measured = measure(counted["text"])
    assert (measured.encoding, measured.units, measured.segments) == (
        counted["encoding"],
        counted["units"],
        counted["segments"],
    )


def test_an_extension_character_is_never_parted() -> None:
    """A euro sign that would straddle two parts moves whole, so a part may hold 152 septets only."""
    assert measure("a" * 152 + "€" + "a" * 152) == Measured("gsm-7", 306, 3)
    assert measure("a" * 153 + "€" + "a" * 151) == Measured("gsm-7", 306, 2)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Pasaporte: traiga su INE y su niño.", ()),
        ("Información y más información", ("ó", "á")),
        ("6:30\u202fp.m.", ("\u202f",)),
        ("it’s", ("’",)),
        (unicodedata.normalize("NFD", "é"), (unicodedata.normalize("NFD", "é"),)),
        (f"familia {FAMILY}", (FAMILY,)),
    ],
)
def test_the_costly_letters_are_named(text: str, letters: tuple[str, ...]) -> None:
    """Staff see each letter that doubles the price, whole, once, in the order of the text."""
    assert costly(text) == letters


def test_folding_happens_only_where_it_saves() -> None:
    """A short text keeps its accents: they cost nothing there."""
    assert fold("Información") == "Información"
    assert fold("Información " * 6) == "Informacion " * 6


def test_spaces_are_given_up_before_accents() -> None:
    """When Babel's narrow spaces alone are dear, no letter is touched."""
    text = "Cita a las 6:30\u202fp.m. y pago de $1,234\u00a0USD; niño o niña con acta original."
    assert fold(text) == text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize("letter", ["ñ", "Ñ", "ü", "é", "É", "ʼ", "ä", "ã", "’", "ꞌ"])
def test_letters_that_carry_meaning_are_never_folded(letter: str) -> None:
    """Folding never touches ñ, nor a letter of an indigenous language, however dear the text."""
    text = ("año " + letter + "á") * 40
    assert fold(text).count(letter) == text.count(letter)
    assert fold(text).count("ñ") == text.count("ñ")


@given(SPANISH | ANY)
def test_folding_never_costs_more(text: str) -> None:
    """The folded text never has more segments, has the same length, and folding twice changes nothing."""
    folded = fold(text)
    assert measure(folded).segments <= measure(text).segments
    assert len(folded) == len(text)
    assert fold(folded) == folded


@given(SPANISH, st.integers(0, 400))
def test_a_longer_text_never_costs_less(text: str, length: int) -> None:
    """Cutting the end off never makes a text dearer."""
    assert measure(text[:length]).segments <= measure(text).segments


@given(ANY)
def test_a_text_is_dear_exactly_when_a_letter_is_named(text: str) -> None:
    """UCS-2 and the list of costly letters always tell the same story."""
    assert (measure(text).encoding == "ucs-2") == bool(costly(text))


def letters_of(text: str) -> list[str]:
    return [letter for letter in regex.findall(r"\r|\X", text) if not letter.isspace()]


@given(ANY | st.text(alphabet="ab á\n.🇲🇽👍🏽\u200d\u0301", max_size=300), st.integers(40, 120))
def test_splitting_loses_nothing_and_tears_nothing(text: str, limit: int) -> None:
    """All letters arrive, in order, whole; no part is blank, too long or begins with white space."""
    kept = [letter for letter in letters_of(text) if utf16(letter) <= limit]
    parts = split(text, limit)
    if len(kept) == len(letters_of(text)):
        assert [letter for part in parts for letter in letters_of(part)] == kept
    assert all(part.strip() and 0 < utf16(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(st.text(alphabet="abc ñ\n.", max_size=1600))
def test_what_fits_is_not_split(text: str) -> None:
    """A text within Twilio's limit stays one request."""
    assert split(text) == ([text.strip()] if text.strip() else [])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("uno dos.\n\ntres\ncuatro", ["uno dos.", "tres\ncuatro"]),
        ("uno dos, tres\ncuatro cinco", ["uno dos, tres", "cuatro cinco"]),
        ("uno dos tres. Cuatro cinco", ["uno dos tres.", "Cuatro cinco"]),
        ("uno dos tres cuatro cinco", ["uno dos tres", "cuatro cinco"]),
        ("a" * 40, ["a" * 16, "a" * 16, "a" * 8]),
        (FAMILY * 2, [FAMILY, FAMILY]),
        ("🇲🇽" * 8, ["🇲🇽" * 4, "🇲🇽" * 4]),
    ],
)
def test_a_cut_falls_where_a_reader_pauses(text: str, parts: list[str]) -> None:
    """Paragraph, line, sentence, word, letter: the first pause that fills the part at least to the half."""
    assert split(text, 16) == parts


def test_a_letter_longer_than_a_message_is_cut_rather_than_refused() -> None:
    """A base with two thousand accents is no letter of any language, and must not stop a broadcast."""
    parts = split("e" + "\u0301" * 2000)
    assert "".join(parts) == "e" + "\u0301" * 2000
    assert max(map(utf16, parts)) <= 1600


@pytest.mark.parametrize("blank", ["", " \n", "\u200b", "\ufeff", "\xa0\u202f", "\x00"])
def test_what_nobody_sees_is_blank(blank: str) -> None:
    """Zero-width letters and spaces alone are nothing to send."""
    assert not visible(blank)


def test_a_text_is_tidied_before_it_is_counted() -> None:
    """A decomposed accent and a CR LF become what a telephone shows, in fewer units."""
    assert tidy(unicodedata.normalize("NFD", "niño\r\n")) == "niño\n"
