"""What is new to a community, and how a digest tells it: several announcements in one text.

What may enter: which announcements are news, and the text for those who read one language on one channel.
Who gets it is `bot/broadcasts/digests.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from bot.conversation import Asker
from bot.hearing import ear
from bot.rendering import Desk
from bot.search import is_for, is_urgent
from bot.words import Phrases
from channels.base import Message
from channels.markdown import Block, Document, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from bot.conversation import Conversation
    from bot.library import Brief, Entry, Library
    from bot.rendering import Rendered
    from bot.timetable import Community
    from channels.base import ChannelName

PREFIX = "digest:"
MOST = 5
"""How many announcements stand in a digest; the others wait for the next."""
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


def name(topics: Iterable[str]) -> str:
    """What stands for the entry of a digest on these topics: `digest:educacion+salud`."""
    return PREFIX + "+".join(sorted({topic.strip().lower() for topic in topics}))


def topics_in(name: str) -> frozenset[str]:
    """The topics of a digest, from its name."""
    return frozenset(name.removeprefix(PREFIX).split("+"))


def topics_of(entry: Entry) -> frozenset[str]:
    """An entry's topics as people follow them."""
    return frozenset(topic.strip().lower() for topic in entry.topics)


def topics_there_are(library: Library) -> frozenset[str]:
    """Every topic that something is written about, as people follow them."""
    return frozenset().union(*map(topics_of, library.entries.values()))


def fresh(library: Library, community: Community, now: datetime, topics: Collection[str]) -> list[Entry]:
    """The announcements that are news, the soonest first, those without a day last.

    What is over is none, nor what has a slot of its own, nor what cannot wait.

    Args:
        now: Aware UTC.
        topics: Of which one must be theirs.
    """
    planned = {slot.entry for slot in community.slots}
    found = (
        entry
        for entry in library.entries.values()
        if entry.kind == "announcement"
        and not topics_of(entry).isdisjoint(topics)
        and entry.slug not in planned
        and not is_urgent(entry)
        and is_for(entry, community, now)
    )
    return sorted(found, key=lambda entry: (_begins(entry.starts, community), entry.slug))


class News:
    """What is new in one community at one moment, aware UTC."""

    def __init__(
        self, library: Library, conversation: Conversation, community: Community, now: datetime
    ) -> None:
        self._library, self._conversation = library, conversation
        self._community, self._now = community, now

    def fresh(self, topics: Collection[str], told: Collection[str] = ()) -> list[Entry]:
        """As `fresh`, but for what was told already, by slug."""
        return [
            entry
            for entry in fresh(self._library, self._community, self._now, topics)
            if entry.slug not in told
        ]

    def items(self, entry: Entry, languages: Iterable[str]) -> dict[str, Item]:
        """An announcement for the readers of each language. Raises Faults when it cannot be said in one."""
        return {
            language: Item(self._desk(language).brief(entry), self._word(entry, language))
            for language in languages
        }

    def write(self, items: Sequence[Item], language: str, channel: ChannelName) -> Rendered:
        """The text of a digest; by SMS as much of it as three segments hold."""
        desk, edition = self._desk(language), items[0].brief.edition
        for form in _FORMS if channel == "sms" else (_WHOLE,):
            said = desk.written(_message(desk, items, self._community, form), edition, channel)
            if channel != "sms" or sum(part.segments for part in said.open) <= _SEGMENTS:
                break
        return said

    def _desk(self, language: str) -> Desk:
        return Desk(self._library, self._community, language, self._now)

    def _word(self, entry: Entry, language: str) -> str:
        """The shortest of its own words that finds it, tried as if somebody wrote them; "" for none.

        Where a service is called the same, asking for the date finds what is news.
        """
        desk = self._desk(language)
        edition = entry.edition_for(desk.language)
        words = [*edition.front.keywords, " ".join(ear.words(edition.title))]
        if edition is entry.source:
            words.append(entry.slug.replace("-", " "))
        words.sort(key=len)
        words += [Phrases(desk.language).say("bot.digest.date", word=word) for word in words]
        asker = Asker(self._community, "sms", desk.language, state="active")
        return next(
            (word for word in words if self._conversation.answer(word, asker, self._now).entry == entry), ""
        )


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
