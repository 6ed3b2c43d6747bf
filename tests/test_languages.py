"""Language codes: one way of writing, and the nearest text for a reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import languages

CODES = st.sampled_from(
    [
        "es",
        "es-MX",
        "es-US",
        "es-419",
        "en",
        "en-US",
        "en-GB",
        "fr-CA",
        "fr",
        "nah",
        "yua",
        "quc",
        "zh-Hant-TW",
        "xx",
    ]
)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("es", "es"),
        ("ES", "es"),
        ("es_mx", "es-MX"),
        (" Es-Mx ", "es-MX"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("nah", "nah"),
    ],
)
def test_one_writing(written: str, code: str) -> None:
    """However people write a code, it is kept in one way."""
    assert languages.normalise(written) == code


@pytest.mark.parametrize(
    "written", ["", "e", "español", "es--MX", "nah-", "es MX", "+1 212 555 0100", "es-MX.UTF-8", "é"]
)
def test_what_is_no_code_is_refused_and_not_quoted(written: str) -> None:
    """Something that is not a language is refused without repeating what may be somebody's number."""
    with pytest.raises(ValueError, match="looks like es, es-MX or nah") as refused:
        languages.normalise(written)
    assert len(written) < 2 or written not in str(refused.value)


@pytest.mark.parametrize(
    ("reader", "offered", "gets"),
    [
        ("nah", ["es-MX", "es", "en"], "es-MX"),
        ("nah", ["es", "en"], "es"),
        ("nah", ["es-US", "en"], "es-US"),
        ("es-US", ["es-MX", "es", "en"], "es-MX"),
        ("es", ["en", "es-US", "es-MX"], "es-MX"),
        ("es-MX", ["en", "es-US"], "es-US"),
        ("en-GB", ["es", "en-US"], "en-US"),
        ("fr-CA", ["en", "es"], "es"),
        ("xx", ["en", "es_MX"], "es_MX"),
        ("pt-BR", ["pt-PT", "es"], "pt-PT"),
        ("mix", ["nah"], None),
        ("es", [], None),
    ],
)
def test_nearest(reader: str, offered: list[str], gets: str | None) -> None:
    """A reader is offered the nearest text there is: their own, a sister's, then along their chain."""
    assert languages.best(reader, offered) == gets


@given(CODES, st.lists(CODES, unique=True))
def test_best_is_one_of_the_offered_and_the_own_before_all(reader: str, offered: list[str]) -> None:
    """Nobody is given what is not offered, nor another language where their own is there."""
    gets = languages.best(reader, offered)
    assert gets is None or gets in offered
    assert reader not in offered or gets == reader


@given(CODES)
def test_chains_begin_at_home_and_end_in_spanish_or_english(code: str) -> None:
    """Every chain starts with the language itself, repeats nothing, and reaches both Spanish and English."""
    chain = languages.chain(code)
    assert chain[0] == code
    assert len(set(chain)) == len(chain)
    assert {"es", "en"} <= set(chain)


@given(CODES, st.sampled_from("-_"), st.booleans())
def test_writing_is_no_difference(code: str, joint: str, upper: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    """es-MX, ES_MX and es_mx are one language."""
    written = code.replace("-", joint)
    assert languages.chain(written.upper() if upper else written.lower()) == languages.chain(code)


@given(st.text())
def test_any_text_is_a_code_or_a_value_error(text: str) -> None:
    """Whatever stands in a file or a column, the answer is a code in its one writing, or a plain refusal."""
    try:
        code = languages.normalise(text)
    except ValueError:
        return
    assert languages.normalise(code) == code
    assert languages.autonym(code)


def test_names_of_languages() -> None:
    """A menu shows a language in its speakers' own words, also for a region we have no line for."""
    assert languages.autonym("yua") == "maayatʼaan"
    assert languages.autonym("es_AR") == "español"
    assert languages.autonym("xx") == "xx"
