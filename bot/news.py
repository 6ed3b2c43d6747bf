"""What is new to a community, and how a digest tells it: several announcements in one text.

What may enter: which announcements are news, and the text for those who read one language on one channel.
Who gets it is `bot/broadcasts/digests.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from bot.hearing import ear
from bot.search import is_for, is_urgent
from bot.words import Phrases
from channels.base import Message
from channels.markdown import Block, Document, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from bot.library import Brief, Entry, Library
    from bot.rendering import Desk, Rendered
    from bot.timetable import Community
    from channels.base import ChannelName

_SEGMENTS = 3
"""What a digest may cost as SMS: the summaries give way first, then all but the titles, then their ends."""
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Item:
    """An announcement in a digest, in one language.

    Attributes:
        word: What somebody writes who wants all of it; "" when nothing short finds it.
    """

    brief: Brief
    word: str


@dataclass(frozen=True, slots=True)
class _Form:
    """How much is said of each.

    Attributes:
        longest: Letters of a title.
    """

    summary: bool = False
    when: bool = False
    word: bool = False
    longest: int = 1000


_WHOLE = _Form(summary=True, when=True, word=True)
_FORMS = (
    _WHOLE,
    replace(_WHOLE, summary=False),
    _Form(when=True),
    _Form(),
    *(_Form(longest=letters) for letters in (60, 40, 30, 20)),
)
"""From all that there is to say to what always fits: five titles of twenty letters."""


def topics_of(entry: Entry) -> frozenset[str]:
    """Its topics as people follow them."""
    return frozenset(topic.strip().lower() for topic in entry.topics)


def fresh(
    library: Library, community: Community, topics: Collection[str], told: Collection[str], now: datetime
) -> list[Entry]:
    """The announcements that are news to a community, the soonest first, those without a day last.

    Args:
        topics: Of which one must be theirs.
        told: The slugs of what was told already.
        now: Aware UTC: what is over is no news.
    """
    alone = {slot.announce for slot in community.slots}
    found = (
        entry
        for entry in library.entries.values()
        if entry.kind == "announcement"
        and not topics_of(entry).isdisjoint(topics)
        and entry.slug not in told
        and entry.slug not in alone
        and not is_urgent(entry)
        and is_for(entry, community, now)
    )
    return sorted(found, key=lambda entry: (_begins(entry.starts, community), entry.slug))


def word_for(entry: Entry, language: str, finds: Callable[[str], object]) -> str:
    """The shortest of its own words with which somebody who writes them finds it; "" for none.

    Args:
        language: Of the reader.
        finds: What an answer to these words would say: an entry, or something else.
    """
    edition = entry.edition_for(language)
    words = [*edition.front.keywords, " ".join(ear.words(edition.title))]
    if edition is entry.source:
        words.append(entry.slug.replace("-", " "))
    return next((word for word in sorted(words, key=len) if finds(word) == entry), "")


def write(desk: Desk, items: Sequence[Item], community: Community, channel: ChannelName) -> Rendered:
    """The text of a digest; by SMS as much of it as three segments hold."""
    edition = items[0].brief.edition
    forms = _FORMS if channel == "sms" else (_WHOLE,)
    for form in forms:
        said = desk.written(_message(desk, items, community, form), edition, channel)
        if sum(part.segments for part in said.open) <= _SEGMENTS:
            return said
    return said


def _message(desk: Desk, items: Sequence[Item], community: Community, form: _Form) -> Message:
    say = Phrases(desk.language).say
    blocks = tuple(Block("paragraph", tuple(_spans(item, form, say))) for item in items)
    return Message(Document(blocks), say("bot.digest.title", community=community.name), fold=community.fold)


def _spans(item: Item, form: _Form, say: Callable[..., str]) -> Iterator[Span]:
    brief = item.brief
    title = brief.title[: form.longest]
    if title != brief.title:
        title = (title.rpartition(" ")[0] or title) + "..."
    yield Span(title, strong=True)
    for wanted, text in (
        (form.summary, brief.summary),
        (form.when, brief.when),
        (form.word, say("bot.digest.more", word=item.word) if item.word else ""),
    ):
        if wanted and text:
            yield Span(f"\n{text}")


def _begins(starts: date | None, community: Community) -> datetime:
    if starts is None:
        return _NEVER
    moment = starts if isinstance(starts, datetime) else datetime.combine(starts, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=community.zone)
