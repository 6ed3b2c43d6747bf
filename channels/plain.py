"""What SMS and WhatsApp share: neither has links with words of their own, nor a place for a title.

Nothing here knows a vendor's marks.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import unquote

from channels.markdown import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from channels.base import Message

_NUMBER = re.compile(r"[\d\s()+./–-]+")
_NOT_DIGIT = re.compile(r"\D+")
_FULL_NUMBER = 10
"""Digits of a North American number without its country code."""

_ENDS_ADDRESS = tuple(" \n\t.,;:!?)]»”\"'")
"""What may follow an address at once without becoming part of it."""


def title_of(message: Message) -> str:
    """The title on one line, or "" when there is none or the text begins with the same words."""
    title = " ".join(message.title.split())
    blocks = message.document.blocks
    if blocks and " ".join(blocks[0].text.split()).casefold() == title.casefold():
        return ""
    return title


def with_addresses(spans: Sequence[Span]) -> Iterator[Span]:
    """Write every link out: "text: address", or one of them when they say the same.

    Returns:
        Spans of which only those with a `link` are addresses; their `text` is what to show.
    """
    before = Span("")
    for link, run in groupby(spans, key=lambda span: span.link):
        for span in _linked(list(run), link) if link else run:
            if _would_merge(before, span):
                yield Span(" ")
            yield span
            before = span


def _would_merge(before: Span, span: Span) -> bool:
    """Whether an address and a word touch, so that a telephone would take them for one."""
    if before.link:
        return not span.text.startswith(_ENDS_ADDRESS)
    return bool(span.link) and before.text[-1:].isalnum()


def _linked(words: Sequence[Span], link: str) -> Iterator[Span]:
    text = "".join(word.text for word in words).strip()
    address = _address(link)
    if _same(text, address, link):
        yield Span(text if _is_number(link) else address, link=link)
        return
    yield from (replace(word, link="") for word in words)
    yield Span(" " if text.endswith(":") else ": ")
    yield Span(address, link=link)


def _is_number(link: str) -> bool:
    return link.casefold().startswith(("tel:", "sms:"))


def _address(link: str) -> str:
    """What a person can dial, write to or open: the number, the mail address, or the link itself."""
    if _is_number(link) or link.casefold().startswith("mailto:"):
        return unquote(link.partition(":")[2].partition("?")[0])
    return link


def _same(text: str, address: str, link: str) -> bool:
    """Whether `text` already says the address, in any of the ways people write it."""
    if not _is_number(link):
        return _bare(text) == _bare(address)
    written, dialled = (_NOT_DIGIT.sub("", number) for number in (text, address))
    if not _NUMBER.fullmatch(text):
        return False
    return written == dialled or (len(written) >= _FULL_NUMBER and dialled.endswith(written))


def _bare(address: str) -> str:
    """An address as people say it: without scheme, without the last slash, in letters."""
    return re.sub(r"^https?://(www\.)?", "", unquote(address).casefold()).removesuffix("/")
