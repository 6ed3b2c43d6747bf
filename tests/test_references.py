"""References: as people write them back, and never a word of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import hearing, references

drawn = st.builds(references.draw)
around = st.sampled_from(["", " ", "  ", "¿", "(", "«", "\n"])
between = st.sampled_from(["-", "", " ", " - ", "_", ".", "–"])
after = st.sampled_from(["", ".", ": ", " ", ", ", "\n", ") "])


@given(drawn, around, between, after, st.sampled_from(["", "Sí, el sábado", "5 personas"]))
def test_a_reference_is_read_however_it_is_written(
    reference: str, before: str, sign: str, behind: str, text: str
) -> None:
    """Small or large, with another sign or none, quoted or at a sentence's end; the rest is the letter."""
    written = reference.replace("-", sign)
    for said in (written, written.lower()):
        found = references.leading(f"{before}{said}{behind or ' '}{text}")
        assert found
        assert found[0] == reference
        assert found[1] == text
    assert references.normal(written.lower()) == references.normal(reference[2:]) == reference


@pytest.mark.parametrize("file", ["everyday.txt", "small.txt"])
def test_no_word_of_every_day_is_a_reference(file: str) -> None:
    """No word that people write is taken for a reference, whatever stands before it."""
    text = (Path(hearing.__file__).with_name(file)).read_text(encoding="utf-8")
    for word in text.split():
        assert references.leading(f"{word} 48K2") is None


@given(st.text())
def test_any_text_can_be_asked(text: str) -> None:
    """Whatever people write, the answer is a well-formed reference and words of theirs, or none."""
    found = references.leading(text)
    if found:
        assert references.normal(found[0]) == found[0]
        assert found[1] in text
