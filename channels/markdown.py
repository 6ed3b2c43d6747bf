"""The small Markdown we allow, as a flat value: a document is blocks, a block is spans.

markdown-it-py reads it. What the small Markdown has no form for (code, raw HTML, rules) loses its form and
keeps its words. Each channel writes the spans in its own marks.

Nothing here knows a channel.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

Kind = Literal["heading", "paragraph", "item", "quote"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text with one look. `text` holds a line feed where the author broke the line.

    Attributes:
        link: Where it leads, or "". An image or a sound is a span whose text is its description.
    """

    text: str
    strong: bool = False
    emphasis: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph's worth of spans.

    Attributes:
        kind: What it is. A list is a run of "item" blocks.
        spans: Never empty.
        marker: For an item that begins here: "•" or "1."; "" for what continues an item.
        depth: How deep in lists, 0 outside.
    """

    kind: Kind
    spans: tuple[Span, ...]
    marker: str = ""
    depth: int = 0

    @property
    def text(self) -> str:
        """The words without any look."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole text."""

    blocks: tuple[Block, ...] = ()


_NESTING = 20
_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING})
"""Raw HTML is text to us: nothing of a document may reach a vendor as a tag we did not write."""

_FLAT_PARSER = MarkdownIt("commonmark", {"html": False}).disable(["blockquote", "list"])
"""For lists and quotes nested deeper than anyone writes, where markdown-it 4.3 drops the words (2026-11)."""


def parse(source: str) -> Document:
    """Read Markdown. Any text is accepted; no word of it is lost."""
    tokens = _PARSER.parse(source)
    if any(token.level >= _NESTING - 1 for token in tokens):
        tokens = _FLAT_PARSER.parse(source)
    return Document(tuple(_Reader().blocks(tokens)))


class _Reader:
    """Walks markdown-it's tokens once, remembering the lists and quotes it stands in."""

    def __init__(self) -> None:
        self._lists: list[int | None] = []  # next number of each open list; None for bullets
        self._marker = ""
        self._inside: Counter[str] = Counter()  # quotes and headings we stand in

    def blocks(self, tokens: Sequence[Token]) -> Iterator[Block]:
        for token in tokens:
            match token.type:
                case "bullet_list_open":
                    self._lists.append(None)
                case "ordered_list_open":
                    self._lists.append(int(token.attrs.get("start", 1)))
                case "bullet_list_close" | "ordered_list_close":
                    self._lists.pop()
                case "list_item_open":
                    self._open_item()
                case "list_item_close":
                    self._marker = ""
                case "blockquote_open" | "blockquote_close" | "heading_open" | "heading_close":
                    self._inside[token.type.partition("_")[0]] += token.nesting
                case "inline":
                    yield from self._block(tuple(_spans(token.children or [])))
                case "fence" | "code_block":
                    yield from self._block((Span(_code(token)),))

    def _open_item(self) -> None:
        number = self._lists[-1]
        self._marker = "•" if number is None else f"{number}."
        if number is not None:
            self._lists[-1] = number + 1

    def _block(self, spans: tuple[Span, ...]) -> Iterator[Block]:
        if not any(span.text.strip() for span in spans):
            return
        depth = len(self._lists)
        yield Block(self._kind(depth), spans, self._marker, depth)
        self._marker = ""

    def _kind(self, depth: int) -> Kind:
        if self._inside["heading"]:
            return "heading"
        if depth:
            return "item"
        return "quote" if self._inside["blockquote"] else "paragraph"


def _code(token: Token) -> str:
    """The lines of a code block. What follows the backticks is a word of the author's too."""
    lines = unescapeAll(token.info).strip(), token.content.rstrip("\n")
    return "\n".join(filter(None, lines))


def _spans(tokens: Sequence[Token]) -> Iterator[Span]:
    open_marks: Counter[str] = Counter()  # counted: strong may stand inside strong
    link, named = "", True
    for token in tokens:
        look = Span("", open_marks["strong"] > 0, open_marks["em"] > 0, link)
        match token.type:
            case "strong_open" | "strong_close" | "em_open" | "em_close":
                open_marks[token.tag] += token.nesting
            case "link_open":
                link, named = str(token.attrGet("href") or ""), False
            case "link_close":
                if link and not named:
                    yield replace(look, text=link)
                link, named = "", True
            case _:
                for span in _leaf(token, look):
                    named = True
                    yield span


def _leaf(token: Token, look: Span) -> Iterator[Span]:
    """What one token says: text, inline code, a line's end, an image."""
    match token.type:
        case "softbreak":
            yield replace(look, text=" ")
        case "hardbreak":
            yield replace(look, text="\n")
        case "image":
            target = str(token.attrGet("src") or "")
            description = "".join(span.text for span in _spans(token.children or []))
            if description.strip() or target:
                text = description if description.strip() else target
                yield replace(look, text=text, link=look.link or target)
        case _ if token.content:
            yield replace(look, text=token.content)
