"""WhatsApp: how our small Markdown becomes its marks or an approved template, and the channel itself.

Only what is particular to WhatsApp may enter; what it shares with SMS is in `plain` and `twilio_api`.

WhatsApp has no escape character. U+200B beside a mark that the author meant as a letter keeps it one.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import replace
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from channels.base import Part, Template
from channels.choices import labelled, numbered, offering, one_line, tappable
from channels.markdown import Block, Span
from channels.plain import title_of, with_addresses
from channels.segments import BODY_LIMIT, split, tidy, utf16, visible
from channels.twilio_api import TwilioSender
from channels.whatsapp_menu import menu

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from channels.base import ChannelName, Choice, Message

_MARKS = (("strong", "*"), ("emphasis", "_"))
_DEEPEST = 4
"""Lists deeper than this are indented no further: a telephone is narrow."""

_OPENS = r"(?<![^\W_])[*_~`](?=\S)"
_CLOSES = r"(?<=\S)[*_~`](?![^\W_])"
_LOOSE = re.compile(f"{_OPENS}|{_CLOSES}")
"""A mark that WhatsApp could pair with another: at the edge of a word. One inside a word cannot pair."""

_LINK_OR_LOOSE = re.compile(rf"https?://\S+|{_LOOSE.pattern}")


def render(message: Message, *, window_open: bool) -> list[Part]:
    """Write `message` freely inside the reply window, as its approved template outside.

    Args:
        message: What is to be said.
        window_open: Whether the person wrote to us within 24 hours.

    Returns:
        Parts of at most 1600 UTF-16 units; outside the window one template part, or nothing when there is no
        template, so that the delivery is held.
    """
    if not window_open:
        return [_template(message, message.template)] if message.template else []
    blocks = list(_blocks(message))
    choices = tappable(message.choices)
    content_sid = message.menus.get(len(choices))
    with_menu = _with_menu(blocks, choices, content_sid) if content_sid else []
    return with_menu or _with_numbers(blocks, choices)


def _with_menu(blocks: Sequence[Block], choices: Sequence[Choice], content_sid: str) -> list[Part]:
    """The last paragraph and its heading above the buttons; all before it as text. [] where it cannot be."""
    start = len(blocks) - 1
    if start > 0 and blocks[start].kind == "paragraph" and blocks[start - 1].kind == "heading":
        start -= 1
    asking = blocks[max(start, 0) :]
    if any(block.kind not in {"heading", "paragraph"} for block in asking):
        return []
    part = menu(" ".join(filter(visible, map(_in_one, asking))), choices, content_sid)
    return [*_free(blocks[:start]), part] if part else []


def _in_one(block: Block) -> str:
    return " ".join(_fitted(block))


def _with_numbers(blocks: list[Block], choices: Sequence[Choice]) -> list[Part]:
    """All of it as text, the choices numbered below."""
    shown = labelled(choices)
    lines = [Block("paragraph", (Span(numbered(shown)),))] if shown and _free(blocks) else []
    return offering(_free([*blocks, *lines]), shown)


def _free(blocks: Iterable[Block]) -> list[Part]:
    parts = filter(visible, _packed(blocks))
    return [Part(text, "whatsapp", "utf-16", utf16(text), 1) for text in parts]


def _template(message: Message, template: Template) -> Part:
    """Each value on one line: Twilio refuses five white spaces in a row (63013), Meta refuses line breaks."""
    filled = {name: one_line(value, BODY_LIMIT) for name, value in template.variables.items()}
    text = "\n".join(filled.values())
    text = text if visible(text) else title_of(message) or template.content_sid
    return Part(text, "template", "utf-16", utf16(text), 1, Template(template.content_sid, filled))


def _blocks(message: Message) -> Iterator[Block]:
    title = title_of(message)
    if title:
        yield Block("heading", (Span(title),))
    yield from message.document.blocks


def _packed(blocks: Iterable[Block]) -> list[str]:
    """As few parts as hold all blocks: an empty line between paragraphs, none inside a list."""
    parts: list[str] = []
    before = ""
    for block in blocks:
        for text in filter(visible, _fitted(block)):
            gap = "\n" if before == block.kind == "item" else "\n\n"
            if parts and utf16(parts[-1] + gap + text) <= BODY_LIMIT:
                parts[-1] += gap + text
            else:
                parts.append(text)
            before = block.kind
    return parts


def _fitted(block: Block) -> list[str]:
    """A block in as many pieces as it needs. Marks and indents count too, so words may get less room."""
    spans = tuple(replace(span, text=tidy(span.text)) for span in with_addresses(block.spans))
    if block.kind == "heading":
        spans = tuple(replace(span, strong=True) for span in spans)
    limit = BODY_LIMIT
    while True:
        pieces = [_written(block, piece) for piece in _divided(spans, limit)]
        if all(utf16(piece) <= BODY_LIMIT for piece in pieces):
            return pieces
        limit = limit * 3 // 4


def _divided(spans: Sequence[Span], limit: int) -> Iterator[tuple[Span, ...]]:
    """The same spans, cut where `split` cuts their words."""
    starts = list(accumulate((len(span.text) for span in spans), initial=0))
    text = "".join(span.text for span in spans)
    end = 0
    for piece in split(text, limit):
        start = text.index(piece, end)
        end = start + len(piece)
        found = range(bisect_right(starts, start) - 1, bisect_left(starts, end))
        cut = ((spans[at], max(0, start - starts[at]), end - starts[at]) for at in found)
        yield tuple(replace(span, text=span.text[first:last]) for span, first, last in cut)


def _written(block: Block, spans: Sequence[Span]) -> str:
    """A piece of a block with its marker, its indent or its quote sign on every line."""
    looks = [replace(span, strong=False, emphasis=False) if span.link else span for span in spans]
    text = _marked_up(looks, _MARKS, "", "")
    if block.kind == "quote":
        return "> " + text.replace("\n", "\n> ")
    if block.kind != "item":
        return text
    depth = min(block.depth, _DEEPEST)
    first = "  " * (depth - 1) + f"{block.marker} " if block.marker else "  " * depth
    return first + text.replace("\n", "\n" + "  " * depth)


def _marked_up(spans: Sequence[Span], marks: tuple[tuple[str, str], ...], before: str, after: str) -> str:
    """Write runs of one look inside that look's mark, the first of `marks` outermost."""
    if not marks:
        return "".join(map(_quiet, spans))
    (look, mark), *deeper = marks
    runs = [(on, list(run)) for on, run in groupby(spans, key=lambda span: bool(getattr(span, look)))]
    written = ""
    for number, (on, run) in enumerate(runs, start=1):
        behind = written[-1:] or before
        ahead = runs[number][1][0].text[:1] if number < len(runs) else after
        edges = (mark, mark) if on else (behind, ahead)
        inner = _marked_up(run, tuple(deeper), *edges)
        written += _hugged(inner, mark, behind, ahead) if on else inner
    return written


def _hugged(text: str, mark: str, behind: str, ahead: str) -> str:
    """Put `mark` around the words of each line, where WhatsApp will honour it."""
    lines = text.split("\n")
    last = len(lines) - 1
    return "\n".join(
        _hugged_line(line, mark, behind if at == 0 else "", ahead if at == last else "")
        for at, line in enumerate(lines)
    )


def _hugged_line(line: str, mark: str, behind: str, ahead: str) -> str:
    words = line.strip()
    start = line.find(words)
    head, tail = line[:start], line[start + len(words) :]
    honoured = _edge(head or behind) and _edge(tail or ahead) and any(map(str.isalnum, words))
    return f"{head}{mark}{words}{mark}{tail}" if honoured else line


def _edge(neighbour: str) -> bool:
    """Whether a mark beside `neighbour` is at the edge of a word: nothing, a space or punctuation."""
    return not neighbour or neighbour[0].isspace() or unicodedata.category(neighbour[0])[0] in "PSZ"


def _quiet(span: Span) -> str:
    """The author's own * _ ~ ` as letters; in an address as %2A and so on, since U+200B would break it."""
    if span.link:
        return _quiet_link(span.text) if span.text.startswith("http") else span.text
    return _LINK_OR_LOOSE.sub(_quiet_match, span.text)


def _quiet_match(match: re.Match[str]) -> str:
    found = match[0]
    if len(found) > 1:
        return _quiet_link(found)
    start, end = match.span()
    before, after = match.string[max(0, start - 1) : start], match.string[end : end + 1]
    return ("\u200b" if before.strip() else "") + found + ("\u200b" if after.strip() else "")


def _quiet_link(link: str) -> str:
    return _LOOSE.sub(lambda mark: f"%{ord(mark[0]):02X}", link)


class WhatsApp(TwilioSender):
    """One WhatsApp sender of a Twilio account."""

    name: ChannelName = "whatsapp"
    prefix = "whatsapp:"

    def render(self, message: Message, *, window_open: bool) -> list[Part]:
        """See `render` of this module."""
        return render(message, window_open=window_open)

    async def send(self, address: str, part: Part, key: str, replaces: str | None = None) -> str:
        """Send one part. See `base.Channel.send`; raises one of the five kinds of `Trouble`."""
        del replaces  # Twilio has no edits
        if part.template is None:
            return await self.create(address, key, Body=part.text)
        content = {"ContentSid": part.template.content_sid}
        if part.template.variables:
            content["ContentVariables"] = json.dumps(dict(part.template.variables), ensure_ascii=False)
        return await self.create(address, key, **content)
