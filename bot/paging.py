"""A long text page by page: what fits a telephone's screen, or three SMS, before somebody asks for MÁS.

Pure. A page breaks between blocks; a heading goes with what it stands over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.markdown import Block, Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from channels.base import ChannelName

_ROOM: Mapping[ChannelName, int] = {"sms": 420, "whatsapp": 1400, "telegram": 3500}
"""Letters on a page: three SMS segments of GSM-7, and what the others send as one message (1600, 4096)."""


def pages(document: Document, channel: ChannelName) -> list[Document]:
    """A document in pages, each of whole blocks; a block longer than a page has one of its own."""
    found: list[list[Block]] = []
    left = 0
    for group in _groups(document):
        size = sum(len(block.text) for block in group)
        if not found or size > left:
            found.append([])
            left = _ROOM[channel]
        found[-1] += group
        left -= size
    return [Document(tuple(blocks)) for blocks in found]


def _groups(document: Document) -> Iterator[list[Block]]:
    """Blocks that must stay together: headings and the block after them."""
    group: list[Block] = []
    for block in document.blocks:
        group.append(block)
        if block.kind != "heading":
            yield group
            group = []
    if group:
        yield group
