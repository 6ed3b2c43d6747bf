"""Our Markdown tree in the HTML that Telegram's parser accepts, cut into messages of its size.

Pure: text in, text out. The rules of tags, entities and lengths are those of
https://core.telegram.org/bots/api#formatting-options; what Telegram's server does with a link it doubts is
read from https://github.com/tdlib/td (LinkManager): it drops the link and says nothing, so we write the
target out instead.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

import regex

from channels.base import Part
from channels.choices import labelled, offering
from channels.markdown import Block, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from channels.base import Message
    from channels.markdown import Document

MAX_UNITS = 4096
"""UTF-16 code units of one message, counted after its tags and entities are read."""

MAX_CAPTION = 1024
"""The same of a text that stands under a file."""

MAX_ENTITIES = 100
"""Telegram forgets the bold and the links after the hundredth (found by experiment, telegram.constants)."""

MAX_HTML = 32_768
"""Ours: characters of one message with all its tags, so that a page of links makes no giant request."""

_MAX_TARGET = 2048
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}
_SPACES = "\t\v\f\x1c\x1d\x1e\x1f\x85"
_CLEAN = {
    **{code: None for code in (*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF) if code != ord("\n")},
    **dict.fromkeys(map(ord, _SPACES), " "),
    **dict.fromkeys(map(ord, "\u2028\u2029"), "\n"),
    **dict.fromkeys(range(0xD800, 0xE000)),
}
_SEEN = regex.compile(r"[^\s\p{Z}\p{Cc}\p{Cf}\p{Cs}\u2800\uFFFC]")
"""Telegram calls a message empty when it holds nothing but these."""

_CLUSTER = regex.compile(r"\X")
_LINE_END = regex.compile(r"\n")
_SENTENCE_END = regex.compile(r"[.!?…:;。！？][\"'”’»)\]]*\s")
_WORD_END = regex.compile(r"\s")
_HOST = regex.compile(r"[\w-]+(?:\.[\w-]+)+", regex.ASCII)
_TG_LINK = regex.compile(r"tg://[a-z0-9_-]+(?:\?\S*)?", regex.IGNORECASE)


class _Run(NamedTuple):
    """Text and the opening tags around it, outermost first; "" where a mark is absent."""

    text: str
    tags: tuple[str, ...] = ("", "", "", "")  # blockquote, a, b, i


class _Cost(NamedTuple):
    """What runs take of a message. Of tags it is an upper bound: neighbours may share one."""

    units: int = 0
    entities: int = 0
    html: int = 0

    def plus(self, other: _Cost) -> _Cost:
        return _Cost(self.units + other.units, self.entities + other.entities, self.html + other.html)

    @property
    def fits(self) -> bool:
        return self.units <= MAX_UNITS and self.entities <= MAX_ENTITIES and self.html <= MAX_HTML


def render(message: Message, *, window_open: bool) -> list[Part]:  # noqa: ARG001 - Telegram has no window
    """Write a message as Telegram's HTML, its title in bold above it.

    Returns:
        Parts of at most 4096 UTF-16 units, cut at the ends of paragraphs; none when there is nothing to see.
        A file has the text as its caption, or follows it where the text is too long for one.
    """
    parts = []
    for page in _pages(list(_blocks(_titled(message.document, message.title)))):
        runs = _stripped(page)
        text = "".join(run.text for run in runs)
        if _SEEN.search(text):
            parts.append(Part(_html(runs), format="html", encoding="utf-16", units=_units(text), segments=1))
    file = message.file if parts else None
    if file and len(parts) == 1 and parts[0].units <= MAX_CAPTION:
        parts, file = [replace(parts[0], file=file)], None
    alone = [Part("", format="html", encoding="utf-16", units=0, segments=1, file=file)] if file else []
    return [*offering(parts, labelled(message.choices)), *alone]


def _titled(document: Document, title: str) -> tuple[Block, ...]:
    """The blocks with the title before them, unless the text begins with that very heading."""
    words = title.split()
    first = document.blocks[0] if document.blocks else None
    if not words or (first and first.kind == "heading" and first.text.split() == words):
        return document.blocks
    return (Block("heading", (Span(" ".join(words)),)), *document.blocks)


def _blocks(blocks: Sequence[Block]) -> Iterator[list[_Run]]:
    """Each block as runs, begun by what parts it from the block before."""
    before: Block | None = None
    for block in blocks:
        quote = "<blockquote>" if block.kind == "quote" else ""
        runs = [_Run(_indent(block), (quote, "", "", "")), *_block_runs(block, quote)]
        if before is not None:
            gap = "\n" if before.depth and block.depth else "\n\n"
            runs.insert(0, _Run(gap, (quote if before.kind == "quote" else "", "", "", "")))
        yield runs
        before = block


def _indent(block: Block) -> str:
    if not block.depth:
        return ""
    return "  " * (block.depth - 1) + (f"{block.marker} " if block.marker else "  ")


def _block_runs(block: Block, quote: str) -> Iterator[_Run]:
    for target, group in groupby(block.spans, key=lambda span: span.link):
        spans = list(group)
        anchor = _anchor(target)
        for span in spans:
            bold = "<b>" if span.strong or block.kind == "heading" else ""
            yield _Run(span.text.translate(_CLEAN), (quote, anchor, bold, "<i>" if span.emphasis else ""))
        if target and not anchor:
            yield _Run(_spelled(target, "".join(span.text for span in spans)), (quote, "", "", ""))


def _anchor(target: str) -> str:
    """The tag for a link that Telegram keeps, or "".

    Not for tel: and mailto:, of which Telegram's server makes nothing or a wrong address: written out, its
    apps make them a link themselves.
    """
    if not target.isprintable() or " " in target or len(target) > _MAX_TARGET or not _kept(target):
        return ""
    return f'<a href="{target.translate(_ESCAPES)}">'


def _kept(target: str) -> bool:
    try:
        pieces = urlsplit(target)
        host, _ = pieces.netloc.removesuffix(":"), pieces.port
    except ValueError:
        return False
    if pieces.scheme in {"http", "https"}:
        return _HOST.fullmatch(host.partition(":")[0]) is not None
    return _TG_LINK.fullmatch(target) is not None


def _spelled(target: str, text: str) -> str:
    """A target in brackets, for those that cannot be a link; "" if the text says it already."""
    scheme, _, rest = target.partition(":")
    match scheme.lower():
        case "tel":
            told, shown = _digits(rest) in _digits(text), rest
        case "mailto":
            shown = unquote(rest.partition("?")[0])
            told = shown.lower() in text.lower()
        case _:
            told, shown = target in text, target
    return "" if told else f" ({shown})".translate(_CLEAN)


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _pages(blocks: Sequence[list[_Run]]) -> Iterator[list[_Run]]:
    """Fill messages with whole blocks. Only a block longer than a message is cut."""
    page: list[_Run] = []
    spent = _Cost()
    for runs in blocks:
        price = _cost(runs)
        if spent.plus(price).fits:
            page, spent = page + runs, spent.plus(price)
            continue
        if price.fits:
            yield page
            page, spent = runs, price
            continue
        *whole, page = _cut(page + runs)
        yield from whole
        spent = _cost(page)
    yield page


def _cut(runs: list[_Run]) -> Iterator[list[_Run]]:
    """Cut runs into messages, each as long as may be."""
    while runs:
        text = "".join(run.text for run in runs)
        page, runs = _split(runs, _breaking_point(text, _reach(runs, len(text))))
        yield page


def _reach(runs: list[_Run], length: int) -> int:
    """How many of the characters from the start fit into one message; at least one."""
    lengths = range(1, min(length, MAX_UNITS) + 1)
    return max(1, bisect_left(lengths, 1, key=lambda stop: not _cost(_split(runs, stop)[0]).fits))


def _breaking_point(text: str, reach: int) -> int:
    """The best place to cut at or before `reach`: a line's end, a sentence's, a word's, a letter's."""
    if reach >= len(text):
        return len(text)
    whole: list[int] = [0]  # where a grapheme cluster ends
    for cluster in _CLUSTER.finditer(text):
        if cluster.end() > reach:
            break
        whole.append(cluster.end())
    for pattern, earliest in ((_LINE_END, reach // 2), (_SENTENCE_END, reach // 2), (_WORD_END, 0)):
        ends: set[int] = {found.end() for found in pattern.finditer(text, earliest, reach)}.intersection(
            whole
        )
        if ends:
            return max(ends)
    return whole[-1] or reach  # one cluster may be longer than a message


def _split(runs: list[_Run], at: int) -> tuple[list[_Run], list[_Run]]:
    """The runs of the first `at` characters, and those of the rest."""
    for index, run in enumerate(runs):
        if at < len(run.text):
            head = [run._replace(text=run.text[:at])] if at else []
            return runs[:index] + head, [run._replace(text=run.text[at:]), *runs[index + 1 :]]
        at -= len(run.text)
    return runs, []


def _stripped(runs: list[_Run]) -> list[_Run]:
    text = "".join(run.text for run in runs)
    body = text.strip()
    _, kept = _split(runs, len(text) - len(text.lstrip()))
    return _split(kept, len(body))[0]


def _cost(runs: Sequence[_Run]) -> _Cost:
    units = entities = html = 0
    for text, tags in runs:
        units += _units(text)
        entities += sum(map(bool, tags))
        html += len(text.translate(_ESCAPES)) + sum(2 * len(tag) + 1 for tag in tags if tag)
    return _Cost(units, entities, html)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _html(runs: Sequence[_Run], level: int = 0) -> str:
    """Runs in tags: neighbours with the same mark share it, so tags nest and never cross."""
    if level == len(_Run("").tags):
        return "".join(run.text for run in runs).translate(_ESCAPES)
    written = []
    for tag, group in groupby(runs, key=lambda run: run.tags[level]):
        inner = _html(list(group), level + 1)
        name = tag.strip("<>").partition(" ")[0]
        written.append(f"{tag}{inner}</{name}>" if tag and inner.strip() else inner)
    return "".join(written)
