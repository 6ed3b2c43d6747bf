"""A digest: what is new on the topics a person follows, in one text, and nothing where nothing is new.

What may enter: which sets of topics are followed, the text for each, and the rows of them. What is news, and
how it is told, is `bot/news.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bot import news
from bot.conversation import Asker
from bot.findings import Faults
from bot.moments import to_ms
from bot.outbox import window_from
from bot.rendering import Desk
from bot.store import digests as sql
from bot.texts import add_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from bot.current import Current
    from bot.library import Entry
    from bot.rendering import Rendered
    from bot.store import Store, Transaction
    from bot.timetable import Community
    from channels.base import ChannelName

log = structlog.get_logger()

PREFIX = "digest:"
"""What the entry of a digest begins with, as `digest:educacion+salud`."""
_MOST = 5
"""How many announcements stand in a digest; the others wait for the next."""


def name(topics: Iterable[str]) -> str:
    """What stands in a broadcast's row for its entry."""
    return PREFIX + "+".join(sorted({topic.strip().lower() for topic in topics}))


@dataclass(frozen=True, slots=True)
class _Readers:
    """People of one community who get the same text."""

    channel: ChannelName
    language: str
    follows: frozenset[str]


@dataclass(frozen=True, slots=True)
class Digest:
    """What is told to whom, before it is written down.

    Attributes:
        texts: Each with the sender it leaves through and the topics that its readers follow.
        told: The slugs of what stands in any of them.
        until: When the first of it is over, aware UTC; None for never.
    """

    texts: tuple[tuple[str, Rendered, frozenset[str]], ...]
    told: frozenset[str]
    until: datetime | None


class Digests:
    """The digests of one store."""

    def __init__(self, store: Store, current: Current) -> None:
        self._store, self._current = store, current

    async def gather(self, broadcast: int, entry: str, community: Community, now: datetime) -> Digest:
        """What is new, and the text for each set of topics that somebody follows.

        What cannot be said in one of the languages that are read is left for another time.

        Args:
            broadcast: Its row, which has been made.
            entry: As `name` gave it.
        """
        topics = entry.removeprefix(PREFIX).split("+")
        told = await self._told(community)
        found = news.fresh(self._current.project.library, community, topics, told, now)
        readers = await self._readers(broadcast, community, topics, found)
        languages = sorted({each.language for each in readers})
        items = {one.slug: self._items(one, community, languages, now) for one in found}
        followed = frozenset[str]().union(*(each.follows for each in readers))
        chosen = [one for one in found if items[one.slug] and news.topics_of(one) & followed][:_MOST]
        texts = []
        for each in readers:
            theirs = [items[one.slug][each.language] for one in chosen if news.topics_of(one) & each.follows]
            if theirs:
                desk = Desk(self._current.project.library, community, each.language, now)
                said = news.write(desk, theirs, community, each.channel)
                texts.append((community.channels[each.channel], said, each.follows))
        ends = [end for one in chosen if (end := one.over(community.zone))]
        return Digest(tuple(texts), frozenset(one.slug for one in chosen), min(ends, default=None))

    async def _told(self, community: Community) -> set[str]:
        rows = await self._store.read(lambda tx: tx.rows(sql.TOLD, {"community": community.slug}))
        return {row["entry"] for row in rows}

    async def _readers(
        self, broadcast: int, community: Community, topics: Collection[str], found: Iterable[Entry]
    ) -> list[_Readers]:
        """Who follows something that is new, and has a sender."""
        new = frozenset(topics) & frozenset[str]().union(*map(news.topics_of, found))
        rows = [{"broadcast": broadcast, "topic": topic} for topic in sorted(new)]
        await self._store.write(lambda tx: tx.each(sql.TOPIC, rows))
        which = {"broadcast": broadcast, "community": community.slug}
        bits, counted = await self._store.read(
            lambda tx: (tx.rows(sql.TOPICS, which), tx.rows(sql.READERS, which))
        )
        return [
            _Readers(row["channel"], row["language"], _named(row["followed"], bits))
            for row in counted
            if row["followed"] and row["channel"] in community.channels
        ]

    def _items(
        self, entry: Entry, community: Community, languages: Iterable[str], now: datetime
    ) -> dict[str, news.Item]:
        """An announcement in each language; empty when it cannot be said in one of them."""
        items = {}
        try:
            for language in languages:
                desk = Desk(self._current.project.library, community, language, now)
                items[language] = news.Item(desk.brief(entry), self._word(entry, community, desk, now))
        except Faults as faults:
            rule = faults.findings[0].rule
            log.error("digest.faults", entry=entry.slug, community=community.slug, reason=rule)  # noqa: TRY400 - only the rule
            return {}
        return items

    def _word(self, entry: Entry, community: Community, desk: Desk, now: datetime) -> str:
        """What they write who want to read all of it, tried as if somebody did."""
        asker = Asker(community, "sms", desk.language, state="active")
        return news.word_for(
            entry, desk.language, lambda word: self._current.conversation.answer(word, asker, now).entry
        )


def _named(bits: int, topics: Iterable[Mapping[str, int]]) -> frozenset[str]:
    return frozenset(str(row["topic"]) for row in topics if bits & row["bit"])


def fan_out(tx: Transaction, broadcast: int, community: Community, digest: Digest, now: datetime) -> None:
    """Write a digest's texts, its deliveries, and what was told in it."""
    for sender, text, follows in digest.texts:
        add_text(tx, text, sender, broadcast, "|".join(sorted(follows)))
    tx.each(sql.DIGESTED, [{"broadcast": broadcast, "entry": slug} for slug in sorted(digest.told)])
    tx.run(sql.UNTIL, {"broadcast": broadcast, "until": to_ms(digest.until)})
    first, second = (*community.channels, "", "")[:2]
    order = {"broadcast": broadcast, "community": community.slug, "first": first, "second": second}
    tx.run(sql.FAN_OUT, order | {"now": to_ms(now), "window_from": window_from(now)})
