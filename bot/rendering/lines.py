"""What is added to a message before any channel writes it. Pure: a message in, a message out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from bot.words import Phrases
from channels.markdown import Block, Document, Span

if TYPE_CHECKING:
    from channels.base import Message

Heading = Literal["", "reminder", "correction", "again"]
"""What a text says it is, before anything else; "" for an announcement, which says it by itself."""


def ending(message: Message, line: str, *, body: bool, short: bool) -> Message:
    """A text with one line more at the end of its body, its short words, or both."""
    blocks = (*message.document.blocks, *((Block("paragraph", (Span(line),)),) if body else ()))
    words = f"{message.short} {line}" if message.short and short else message.short
    return replace(message, document=Document(blocks), short=words)


def headed(message: Message, language: str, *headings: Heading) -> Message:
    """A text that says what it is before it says anything else; the last heading stands first."""
    for heading in headings:
        message = _headed(message, language, heading) if heading else message
    return message


def _headed(message: Message, language: str, heading: Heading) -> Message:
    say = Phrases(language).say
    blocks = message.document.blocks
    if blocks and blocks[0].kind == "heading" and blocks[0].text.split() == message.title.split():
        blocks = blocks[1:]  # the title is said once
    title = say(f"bot.{heading}.title", said=message.title)
    short = say(f"bot.{heading}.short", said=message.short) if message.short else None
    return replace(message, document=Document(blocks), title=title, short=short)
