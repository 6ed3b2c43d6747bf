"""An entry in one community, language and channel: the one function behind preview, announce and check.

What you preview is what arrives, because it is made here, once, and stored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import channels
from bot import languages, library
from bot.words import Phrases
from channels.base import Message
from channels.markdown import Block, Document, Span, parse
from channels.segments import visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.library import Entry, Library
    from bot.library.front_matter import Edition
    from bot.timetable import Community
    from channels.base import ChannelName, Part


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as it will arrive.

    Attributes:
        language: Of the reader.
        edition: The language of the edition they get; another one where theirs is missing.
        open: For somebody who wrote within the reply window.
        closed: For anybody else; empty when it must be held until they write.
    """

    community: str
    language: str
    edition: str
    channel: ChannelName
    open: tuple[Part, ...]
    closed: tuple[Part, ...]


def render(
    found: Library, entry: Entry, community: Community, channel: ChannelName, language: str, now: datetime
) -> Rendered:
    """Write an entry for the readers of one language on one channel of a community.

    Args:
        now: Aware UTC; a fact that is over on this day in the community is not quoted.

    Raises:
        Faults: the entry quotes something that is not there, or no longer true.
    """
    desk = _Desk(found, community, language, now)
    message, edition = desk.message(entry)
    return desk.written(message, edition.language, channel)


def render_choices(
    found: Library,
    entries: Sequence[Entry],
    community: Community,
    channel: ChannelName,
    language: str,
    now: datetime,
) -> Rendered:
    """Ask a reader which of several entries they mean: writing its name leads to it. Raises as `render`."""
    desk = _Desk(found, community, language, now)
    names = [desk.message(entry)[0].title for entry in entries]
    phrases = Phrases(desk.language)
    blocks = [Block("paragraph", (Span(phrases.say("bot.choose")),))]
    blocks += [Block("item", (Span(name),), "•", 1) for name in names]
    return desk.written(Message(Document(tuple(blocks)), fold=community.fold), phrases.language, channel)


def render_letter(
    found: Library,
    text: str,
    reference: str,
    community: Community,
    channel: ChannelName,
    language: str,
    now: datetime,
) -> Rendered | None:
    """What a consulate answers one person: its name in front, and at the end how to write back.

    Args:
        text: Small Markdown, in whatever language the desk wrote it.
        reference: Of the thread.

    Returns:
        None when the text says nothing.
    """
    body = parse(text).blocks
    if not any(visible(block.text) for block in body):
        return None
    desk = _Desk(found, community, language, now)
    phrases = Phrases(desk.language)
    write_back = Block("paragraph", (Span(phrases.say("letter.write-back", reference=reference)),))
    message = Message(Document((*body, write_back)), title=community.name, fold=community.fold)
    return desk.written(message, phrases.language, channel)


class _Desk:
    """What one reader of one community is written, on one day."""

    def __init__(self, found: Library, community: Community, language: str, now: datetime) -> None:
        self._library = replace(found, today=now.astimezone(community.zone).date())
        self._community = community
        self._asked = language
        try:
            self.language = languages.normalise(language)
        except ValueError:  # a vendor's hint may be anything, and one person must not silence a community
            self.language = community.languages[0]

    def message(self, entry: Entry) -> tuple[Message, Edition]:
        place = library.Place(self._community.slug, self._community.name, self._community.zone)
        return self._library.message(entry, self.language, place, fold=self._community.fold)

    def written(self, message: Message, edition: str, channel: ChannelName) -> Rendered:
        return Rendered(
            self._community.slug,
            self._asked,
            edition,
            channel,
            tuple(channels.render(channel, message, window_open=True)),
            tuple(channels.render(channel, message, window_open=False)),
        )
