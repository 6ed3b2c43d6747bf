"""An entry in one community, language and channel: the one road behind preview, announce, check and replies.

What you preview is what arrives, because it is made here, once, and stored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import channels
from bot import languages, library, taps, words
from bot.findings import Faults
from bot.rendering.events import Event
from bot.rendering.lines import ending, headed
from bot.words import Phrases
from channels.base import Message
from channels.markdown import Block, Document, Span, parse
from channels.segments import visible

if TYPE_CHECKING:
    from datetime import datetime

    from bot.library import Brief, Entry, Library
    from bot.library.front_matter import Category, Edition
    from bot.rendering.lines import Heading
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
        category: Of the template in `closed`, as Meta approved it; None where it is none.
    """

    community: str
    language: str
    edition: str
    channel: ChannelName
    open: tuple[Part, ...]
    closed: tuple[Part, ...]
    category: Category | None = None


def render(
    found: Library,
    entry: Entry,
    community: Community,
    channel: ChannelName,
    language: str,
    now: datetime,
    *,
    heading: Heading = "",
    again: bool = False,
    revision: int = 0,
) -> Rendered:
    """Write an entry for the readers of one language on one channel of a community.

    Args:
        now: Aware UTC; a fact that is over on this day in the community is not quoted, and an announcement
            of what has not begun yet brings its `.ics`.
        heading: What it says it is.
        again: Whether it says, before that, that they may have it already.
        revision: How often it was corrected, for the `.ics`.

    Raises:
        Faults: the entry quotes something that is not there, or no longer true.
    """
    desk = Desk(found, community, language, now)
    message, edition = desk.message(entry)
    if entry.kind == "announcement" and entry.starts is not None:
        event = Event(entry, entry.starts, community)
        if event.lies_ahead(now):
            message = event.told(message, edition, words.formats(desk.language, edition.language), revision)
    if entry.asks_about:
        message = _asking(message, edition.language, entry.asks_about)
    message = headed(message, edition.language, heading, "again" if again else "")
    written = desk.written(message, edition.language, channel)
    template = edition.front.whatsapp
    if template is None or channel != "whatsapp":
        return written
    return replace(written, category=template.category)


def render_announcement(
    found: Library,
    entry: Entry,
    community: Community,
    channel: ChannelName,
    language: str,
    now: datetime,
    *,
    heading: Heading = "",
    again: bool = False,
    revision: int = 0,
) -> Rendered:
    """As `render`, for people who did not ask.

    Raises:
        Faults: as `render`; also where their edition is older than its source and the community refuses that.
    """
    text = render(
        found,
        entry,
        community,
        channel,
        language,
        now,
        heading=heading,
        again=again,
        revision=revision,
    )
    edition = entry.editions[text.edition]
    if edition.stale and community.stale_translations == "refuse":
        raise Faults([library.behind(entry.source, edition)])
    return text


def _asking(message: Message, language: str, about: str) -> Message:
    """A text that ends with the question whether something was of use."""
    question = Phrases(language).say("bot.useful")
    message = ending(message, question, body=True, short=True)
    return replace(message, choices=taps.of_use(language, about))


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
    desk = Desk(found, community, language, now)
    phrases = Phrases(desk.language)
    write_back = Block("paragraph", (Span(phrases.say("letter.write-back", reference=reference)),))
    message = Message(Document((*body, write_back)), title=community.name, fold=community.fold)
    return desk.written(message, phrases.language, channel)


class Desk:
    """What one reader of one community is written, on one day.

    Attributes:
        language: What they read, or what their community reads where that is no language.
    """

    def __init__(self, found: Library, community: Community, language: str, now: datetime) -> None:
        self._library = replace(found, today=now.astimezone(community.zone).date())
        self._community = community
        self._asked = language
        try:
            self.language = languages.normalise(language)
        except ValueError:  # a vendor's hint may be anything, and one person must not silence a community
            self.language = community.languages[0]

    def message(self, entry: Entry) -> tuple[Message, Edition]:
        """An entry as no channel has written it yet, and its edition. Raises Faults as `render`."""
        place = library.Place.of(self._community)
        return self._library.message(entry, self.language, place, fold=self._community.fold)

    def brief(self, entry: Entry) -> Brief:
        """An entry in a few words. Raises Faults as `render`."""
        place = library.Place.of(self._community)
        return self._library.brief(entry, self.language, place)

    def written(self, message: Message, edition: str, channel: ChannelName) -> Rendered:
        """A message, in the language of an edition, as the channel writes it."""
        return Rendered(
            self._community.slug,
            self._asked,
            edition,
            channel,
            tuple(channels.render(channel, message, window_open=True)),
            tuple(channels.render(channel, message, window_open=False)),
        )
