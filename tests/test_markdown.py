"""The small Markdown: any text is accepted, and no word of it is lost."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.markdown import Block, Span, parse

EXAMPLES: list[dict[str, str]] = json.loads(
    Path(__file__).with_name("data").joinpath("commonmark.json").read_text(encoding="utf-8")
)["examples"]
ALT = re.compile(r'<img [^>]*?alt="([^"]*)"[^>]*>')
TAG = re.compile(r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>|<![A-Z].*?>|</?[a-zA-Z][^>]*>", re.DOTALL)
ANYTHING = st.text(st.characters(exclude_categories=()), max_size=200)
MARKS = st.lists(
    st.sampled_from(
        [*"*_`#>-+1.)[](<&!~\\ \n\t:/\"'", "palabra", "ñandú", "\n\n", "    ", "**", "](", "](https://a.mx)"]
    ),
    max_size=60,
).map("".join)


def spoken(page: str) -> Counter[str]:
    """The words a reader of this HTML sees, the descriptions of its images included."""
    seen = html.unescape(TAG.sub(" ", ALT.sub(r" \1 ", page)))
    return Counter(re.findall(r"[^\W_]+", seen))  # what Markdown takes for a mark is not a word


def spans(source: str) -> tuple[Span, ...]:
    (block,) = parse(source).blocks
    return block.spans


@pytest.mark.parametrize("example", EXAMPLES)
def test_commonmark_examples_keep_every_word(example: dict[str, str]) -> None:
    """Every word of every CommonMark example is still there."""
    said = "\n".join(block.text for block in parse(example["markdown"]).blocks)
    assert [word for word, times in spoken(example["html"]).items() if said.count(word) < times] == []


@given(st.one_of(ANYTHING, MARKS))
def test_any_text_is_accepted(source: str) -> None:
    """Whatever is typed parses, and no block of it is without something to say."""
    for block in parse(source).blocks:
        assert block.text.strip()
        assert all(span.text for span in block.spans)


@given(
    st.lists(st.text("abcñáZ09", min_size=1), min_size=1),
    st.sampled_from([" ", "\n", "\n\n", "\n> ", "\n* "]),
)
def test_plain_words_come_out_in_their_order(said: list[str], between: str) -> None:
    """Words with lines, paragraphs, quotes or bullets between them come out as they went in."""
    blocks = parse(between.join(said)).blocks
    assert " ".join(block.text for block in blocks).split() == said


@given(st.sampled_from([">", "> ", "- ", "1. ", "> - "]), st.integers(1, 300))
def test_deep_nesting_loses_nothing(mark: str, depth: int) -> None:
    """A word under hundreds of quotes or lists is not lost."""
    assert "palabra" in parse(mark * depth + " palabra").blocks[-1].text


def test_looks_are_read() -> None:
    """Strong, emphasis, code and links are what the author marked, and nothing around them is."""
    assert spans("Un **fuerte** *suave* `x` [ir](https://a.mx/ñ)") == (
        Span("Un "),
        Span("fuerte", strong=True),
        Span(" "),
        Span("suave", emphasis=True),
        Span(" "),
        Span("x"),
        Span(" "),
        Span("ir", link="https://a.mx/%C3%B1"),
    )


def test_the_same_mark_inside_itself_lasts_to_the_outer_end() -> None:
    """What follows an inner strong is still strong when the outer one goes on."""
    assert all(span.strong for span in spans("**a **b** c**"))
    assert all(span.emphasis for span in spans("*a *b* c*"))


def test_lines_are_kept_where_the_author_broke_them() -> None:
    """A soft end of line is a space, a hard one is a line feed."""
    (block,) = parse("uno\ndos  \ntres").blocks
    assert block.text == "uno dos\ntres"


def test_lists_count_and_indent() -> None:
    """Items carry their mark and depth, start where the author starts, and may hold paragraphs."""
    blocks = parse("0. cero\n\n   más\n1. uno\n   - dos\n     # tres\n2. cuatro").blocks
    assert [(block.marker, block.depth, block.text, block.kind) for block in blocks] == [
        ("0.", 1, "cero", "item"),
        ("", 1, "más", "item"),
        ("1.", 1, "uno", "item"),
        ("•", 2, "dos", "item"),
        ("", 2, "tres", "heading"),
        ("2.", 1, "cuatro", "item"),
    ]


def test_quotes_and_headings_are_blocks_of_their_kind() -> None:
    """A quote ends where it ends, and a heading inside it is a heading."""
    assert [(block.kind, block.text) for block in parse("> # a\n> b\n\nc\n\nd\n===").blocks] == [
        ("heading", "a"),
        ("quote", "b"),
        ("paragraph", "c"),
        ("heading", "d"),
    ]


def test_raw_html_is_text() -> None:
    """A tag that staff paste is shown as they wrote it and never becomes a tag of ours."""
    assert [block.text for block in parse("<div>\nhola\n</div>\n\na <b>b</b> &amp; &copy;").blocks] == [
        "<div> hola </div>",
        "a <b>b</b> & ©",
    ]


def test_images_say_their_description_and_lead_to_their_file() -> None:
    """An image is its description; one without, its file; one inside a link leads where the link does."""
    assert spans("![foto de la *fila*](f.jpg)") == (Span("foto de la fila", link="f.jpg"),)
    assert spans("![](f.jpg)") == (Span("f.jpg", link="f.jpg"),)
    assert spans("[![foto](f.jpg)](https://a.mx)") == (Span("foto", link="https://a.mx"),)


def test_a_link_without_words_says_its_target() -> None:
    """An address in an empty link is not lost."""
    assert spans("vea [](https://a.mx)")[-1] == Span("https://a.mx", link="https://a.mx")


def test_references_and_code_are_read() -> None:
    """A link defined below is a link; a code block keeps its lines and the word after its fence."""
    blocks = parse("[ir][x]\n\n---\n\n```nota\nuno\n\n  dos\n```\n\n[x]: https://a.mx 'título'").blocks
    assert blocks == (
        Block("paragraph", (Span("ir", link="https://a.mx"),)),
        Block("paragraph", (Span("nota\nuno\n\n  dos"),)),
    )
