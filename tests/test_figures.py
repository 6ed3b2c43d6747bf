"""What is counted: the question and never the asker, one opinion a person, and nothing under ten told."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import figures
from bot.figures import Figures, _asked
from tests.core import Core, opened, people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC)

FINDERS = st.one_of(
    st.from_regex(r"\+?[1-9][0-9 ().-]{6,14}[0-9]", fullmatch=True),
    st.from_regex(r"[a-z]{4,9}\.?[a-z]{0,5}@[a-z]{4,8}\.(com|mx|org)", fullmatch=True),
    st.from_regex(r"(https?://|www\.)[a-z]{4,8}\.[a-z]{2,3}/[a-z]{4,8}", fullmatch=True),
    st.from_regex(r"[a-z]{4,8}\.(com|org|gob\.mx|net)(/[a-z]{4,8})?", fullmatch=True),
    st.from_regex(r"@[a-z]{5,12}", fullmatch=True),
    st.from_regex(r"A[0-9]{9}", fullmatch=True),
)
"""What finds a person: numbers, mail addresses, links, names of accounts."""


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    """The core over a new database."""
    async with opened(tmp_path) as core:
        yield core


async def ask(core: Core, *texts: str, community: str = "fresno", now: datetime = NOVEMBER) -> None:
    """People ask what nobody can answer."""
    for text in texts:
        await core.store.write(
            lambda tx, said=text: figures.count_gap(tx, core.vault, community=community, text=said, now=now)  # type: ignore[misc] # the said of this round
        )


@given(
    FINDERS, st.sampled_from(["", "mi número es", "escríbeme a"]), st.sampled_from(["", "gracias", "¿sí?"])
)
def test_what_could_find_a_person_is_not_counted(finder: str, before: str, after: str) -> None:
    """No digit of a number and no letter of an address or a link is kept of a question."""
    asked = _asked(f"{before} {finder} {after}")
    assert not re.search(r"\d", asked)
    kept = set(asked.split()) - {"#"}
    assert kept <= {"mi", "numero", "es", "escribeme", "a", "a#", "gracias", "si"}


@given(st.text())
def test_a_question_is_never_a_story(text: str) -> None:
    """Whatever is asked, no more than twelve words of it are kept, and no digit."""
    asked = _asked(text)
    assert len(asked.split()) <= 12
    assert not re.search(r"\d", asked)


async def test_the_same_question_is_one_row_that_nobody_can_read(core: Core) -> None:
    """However it is spelt in letters and accents; another month, another community, another row."""
    await ask(
        core, "¿Cuánto cuesta el apostille?", "cuanto cuesta EL APOSTILLE", "cuánto, cuesta el apostille!!"
    )
    await ask(core, "cuanto cuesta el apostille", now=datetime(2026, 12, 1, tzinfo=UTC))
    await ask(core, "cuanto cuesta el apostille", community="noche")
    rows = await core.rows("SELECT community, month, times FROM gaps ORDER BY community, month")
    assert rows == [("fresno", "2026-11", 3), ("fresno", "2026-12", 1), ("noche", "2026-11", 1)]
    assert await core.rows("SELECT count(DISTINCT question) FROM gaps") == [(2,)]
    assert not [each for each in core.files() if b"apostille" in each]


async def test_what_is_only_a_number_or_a_link_is_not_kept(core: Core) -> None:
    """Where nothing of a question is left, there is no row."""
    await ask(
        core, "+1 (559) 555-0177", "ana@example.org", "https://example.org/x?y=1", "", "🙏🙏", "...", "12 34"
    )
    assert await core.rows("SELECT * FROM gaps") == []


async def test_months_are_added_up_before_they_are_shown(core: Core) -> None:
    """Nine in one month and one in the next are ten; the rare ones stand in an order that tells nothing."""
    await ask(core, *["zapatos"] * 9, *["abrigos"] * 2, *["botas"] * 8)
    await ask(core, "zapatos", now=datetime(2026, 12, 1, tzinfo=UTC))
    gaps = await Figures(core.store, core.vault).gaps()
    assert [(gap.question, gap.month, gap.times) for gap in gaps] == [
        ("zapatos", "2026-12", 10),
        ("abrigos", "2026-11", None),
        ("botas", "2026-11", None),
    ]


async def test_a_question_is_forgotten_after_a_year(core: Core) -> None:
    """What nobody answered a year ago is not kept for ever."""
    await ask(core, "abrigos")
    for year, month, gone in ((2027, 11, 0), (2027, 12, 1)):
        now = datetime(year, month, 1, tzinfo=UTC)
        assert await core.store.write(lambda tx, now=now: figures.forget_gaps(tx, now)) == gone  # type: ignore[misc] # the now of this round
    assert await core.rows("SELECT * FROM gaps") == []


async def test_a_person_has_one_opinion_of_an_entry(core: Core) -> None:
    """Pressing twice or changing one's mind counts once, another entry again; who said what is not kept."""
    await core.take_in(people(2))
    said = [
        (1, "feria", True),
        (1, "feria", True),
        (1, "feria", False),
        (2, "feria", False),
        (1, "larga", True),
    ]
    counted = [
        await core.store.write(
            lambda tx, s=subscriber, e=entry, u=useful: figures.count_opinion(  # type: ignore[misc] # of this round
                tx, entry=e, community="fresno", subscriber=s, useful=u
            )
        )
        for subscriber, entry, useful in said
    ]
    assert counted == [True, False, False, True, True]
    rows = await core.rows("SELECT entry, useful, useless FROM opinions ORDER BY entry")
    assert rows == [("feria", 1, 1), ("larga", 1, 0)]
    assert {column[1] for column in await core.rows("PRAGMA table_info(opined)")} == {"subscriber", "entry"}
