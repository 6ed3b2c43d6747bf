"""What Telegram receives: HTML that its parser accepts, short enough, with every word in it."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Message, Part
from channels.markdown import Block, Document, Span, parse
from channels.telegram_html import MAX_ENTITIES, MAX_HTML, MAX_UNITS, render

EXAMPLES: list[dict[str, str]] = json.loads(
    Path(__file__).with_name("data").joinpath("commonmark.json").read_text(encoding="utf-8")
)["examples"]
ALT = re.compile(r'<img [^>]*?alt="([^"]*)"[^>]*>')
TAG = re.compile(r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>|<![A-Z].*?>|</?[a-zA-Z][^>]*>", re.DOTALL)
INVISIBLE = regex.compile(r"[\s\p{Cc}\p{Cs}\uFFFE\uFFFF]")

TOKEN = re.compile(r"<(/?)([a-z]+)(?: href=\"([^\"<>]*)\")?>|&(lt|gt|amp|quot);|([^<>&])", re.DOTALL)
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=80)
TARGETS = st.one_of(
    st.just(""), ANYTHING, st.sampled_from(["https://a.mx/?a=1&b=<\"'>", "tel:+15595550100", "http://["])
)
SPANS = st.builds(Span, ANYTHING.filter(bool), st.booleans(), st.booleans(), TARGETS)
BLOCKS = st.builds(
    Block,
    st.sampled_from(["heading", "paragraph", "item", "quote"]),
    st.lists(SPANS, min_size=1, max_size=6).map(tuple),
    st.sampled_from(["", "•", "12."]),
    st.integers(0, 4),
)
DOCUMENTS = st.lists(BLOCKS, max_size=8).map(lambda blocks: Document(tuple(blocks)))


def accepted(page: str) -> tuple[str, list[tuple[str, str]]]:
    """The text and the (tag, target) entities of a page, read as strictly as Telegram may ever read it."""
    text, entities, position = "", [], 0
    open_tags: list[tuple[str, int, str]] = []
    while position < len(page):
        token = TOKEN.match(page, position)
        assert token, f"not Telegram's HTML: {page[position : position + 30]!r}"
        closing, tag, target, entity, character = token.groups()
        position = token.end()
        if not tag:
            text += NAMED[entity] if entity else character
        elif closing:
            opened, start, target = open_tags.pop()
            assert opened == tag, "tags cross"
            assert text[start:].strip(), "a tag around nothing"
            entities.append((tag, target))
        else:
            assert tag in {"b", "i", "a", "blockquote"}, "a tag that Telegram does not know"
            assert (tag == "a") == (target is not None)
            assert tag not in [opened for opened, _, _ in open_tags], "a tag inside itself"
            open_tags.append((tag, len(text), html.unescape(target or "")))
    assert not open_tags, "a tag is not closed"
    return text, entities


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def told(parts: list[Part]) -> list[str]:
    """The texts of parts, each held against all that Telegram asks of a message."""
    texts = []
    for part in parts:
        text, entities = accepted(part.text)
        assert text == text.strip() != ""
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", text)
        assert units(text) == part.units <= MAX_UNITS
        assert len(entities) <= MAX_ENTITIES
        assert len(part.text) <= MAX_HTML
        assert (part.format, part.encoding, part.segments) == ("html", "utf-16", 1)
        texts.append(text)
    return texts


def written(source: str, title: str = "") -> list[Part]:
    return render(Message(parse(source), title), window_open=True)


def only(source: str, title: str = "") -> str:
    (part,) = written(source, title)
    told([part])
    return part.text


@pytest.mark.parametrize("example", EXAMPLES)
def test_commonmark_examples_are_accepted_and_whole(example: dict[str, str]) -> None:
    """Every CommonMark example is a message Telegram accepts, with every word of it."""
    said = "\n".join(told(written(example["markdown"])))
    seen = html.unescape(TAG.sub(" ", ALT.sub(r" \1 ", example["html"])))
    expected = Counter(re.findall(r"[^\W_]+", seen))
    assert [word for word, times in expected.items() if said.count(word) < times] == []


@given(DOCUMENTS, ANYTHING)
def test_any_document_is_accepted(document: Document, title: str) -> None:
    """Whatever text, look, nesting or target there is, Telegram can read what we write."""
    told(render(Message(document, title), window_open=False))


@given(st.one_of(ANYTHING, st.text("<>&\"'*_[]()`\n #-", max_size=80)))
def test_any_markdown_is_accepted(source: str) -> None:
    """Whatever staff type, Telegram can read what we write."""
    told(written(source, source))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(ANYTHING.filter(bool), st.integers(1, 150)), min_size=1, max_size=12), st.booleans()
)
def test_cutting_loses_no_letter(pieces: list[tuple[str, int]], one_block: bool) -> None:  # noqa: FBT001 - drawn
    """All parts together hold every visible letter, in order, however long the text is."""
    spans = [Span(text * times, strong=times % 2 == 0) for text, times in pieces]
    blocks = (
        [Block("paragraph", tuple(spans))] if one_block else [Block("paragraph", (span,)) for span in spans]
    )
    said = "".join(told(render(Message(Document(tuple(blocks))), window_open=True)))
    expected = INVISIBLE.sub("", "".join(span.text for span in spans))
    if said:
        assert INVISIBLE.sub("", said) == expected


def test_paragraphs_are_not_cut() -> None:
    """A long text parts between paragraphs; each message is as full as whole paragraphs make it."""
    paragraphs = [f"{number} " + "palabra " * 120 for number in range(12)]
    texts = told(written("\n\n".join(paragraphs)))
    assert len(texts) == 3
    assert [text.count("\n\n") + 1 for text in texts] == [4, 4, 4]
    assert "\n\n".join(texts).split() == " ".join(paragraphs).split()


def test_a_long_paragraph_is_cut_after_a_sentence_and_never_in_a_mark() -> None:
    """A paragraph longer than a message is cut where a sentence ends, and its bold goes on after the cut."""
    first, second = written("**" + "Esta es una frase. " * 300 + "Fin.**")
    assert first.text.endswith("frase.</b>")
    assert second.text.startswith("<b>Esta")
    told([first, second])


def test_a_title_stays_with_a_long_paragraph() -> None:
    """A paragraph that must be cut anyway begins under its title, not in a message of its own."""
    first, _second = told(written("palabra " * 600, "Aviso"))
    assert first.startswith("Aviso\n\npalabra")


@pytest.mark.parametrize("letter", ["👨‍👩‍👧‍👦", "🇲🇽", "e\u0301", "👋🏽", "क्षि"])
def test_a_letter_is_never_torn(letter: str) -> None:
    """What a reader sees as one letter stays in one message, even without a space to cut at."""
    for text in told(written(letter * 3000)):
        assert text == letter * (len(text) // len(letter))


def test_a_letter_longer_than_a_message_still_goes_out() -> None:
    """A letter under thousands of accents is cut somewhere, because it must be."""
    assert "".join(told(written("e" + "\u0301" * 5000))) == "e" + "\u0301" * 5000


def test_length_is_counted_as_telegram_counts() -> None:
    """4096 units are one message, 4097 are two; an emoji is two units; tags and entities cost none."""
    assert len(written("a" * 4096)) == 1
    assert len(written("a" * 4097)) == 2
    assert len(written("😀" * 2048)) == 1
    assert len(written("😀" * 2049)) == 2
    assert [part.units for part in written("**&**" * 1 + "<" * 4095)] == [4096]


def test_no_link_or_bold_is_beyond_the_hundredth() -> None:
    """Telegram forgets marks after the hundredth, so more of them go into another message."""
    parts = written(" ".join(f"[uno{number}](https://a.mx/{number})" for number in range(250)))
    links = [target for part in parts for _, target in accepted(part.text)[1]]
    assert links == [f"https://a.mx/{number}" for number in range(250)]
    told(parts)


def test_the_title_is_a_bold_first_line() -> None:
    """The title stands in bold above the text, once."""
    assert only("Hola.", " Consulado  móvil ") == "<b>Consulado móvil</b>\n\nHola."
    assert only("# Consulado móvil\n\nHola.", "Consulado móvil") == "<b>Consulado móvil</b>\n\nHola."
    assert only("# Otro\n\nHola.", "Aviso") == "<b>Aviso</b>\n\n<b>Otro</b>\n\nHola."


def test_blocks_have_a_good_form() -> None:
    """Paragraphs stand apart, items stand close and indented, a quote is one quote."""
    assert only("a **b *c*** `d`\n\n- e\n  1. f\n\n     g\n- h\n\n> i\n\n> j") == (
        "a <b>b <i>c</i></b> d\n\n• e\n  1. f\n    g\n• h\n\n<blockquote>i\n\nj</blockquote>"
    )


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("[ir](https://a.mx/x?a=1&b=2)", '<a href="https://a.mx/x?a=1&amp;b=2">ir</a>'),
        ("[ir](tg://resolve?domain=x)", '<a href="tg://resolve?domain=x">ir</a>'),
        ("[llame](tel:+1-559-555-0100)", "llame (+1-559-555-0100)"),
        ("[+1 (559) 555-0100](tel:+15595550100)", "+1 (559) 555-0100"),
        ("[escriba](mailto:a@example.org?subject=x)", "escriba (a@example.org)"),
        ("<a@example.org>", "a@example.org"),
        ("[ir](/local)", "ir (/local)"),
        ("[ir](http://localhost/x)", "ir (http://localhost/x)"),
        ("[ir](https://banco.mx@a.mx/)", "ir (https://banco.mx@a.mx/)"),
        ("[ir](https://a.mx:99999/)", "ir (https://a.mx:99999/)"),
        ("![la fila](fila.jpg)", "la fila (fila.jpg)"),
        ("**[ir](https://a.mx)**", '<a href="https://a.mx"><b>ir</b></a>'),
    ],
)
def test_links_lead_somewhere(source: str, form: str) -> None:
    """A link that Telegram keeps is a link; of any other the target can be read."""
    assert only(source) == form


@pytest.mark.parametrize("source", ["", "\n\n", "---", "\u200b", "&#8203;", "\u2800", "- \n- "])
def test_nothing_to_see_is_nothing_to_send(source: str) -> None:
    """A text in which nobody would see anything makes no message: Telegram would refuse it."""
    assert written(source) == []


def test_control_characters_do_not_glue_words() -> None:
    """Bytes that parsers choke on are dropped, and those that parted words still part them."""
    assert (
        only("a\x00b c\x07d e\x0bf g\x1fh i\u2028j", "T\x00\ti") == "<b>T i</b>\n\na\ufffdb cd e f g h i\nj"
    )
