"""A digest: what is new on the topics a person follows, in one text, and nothing where nothing is new.

What may enter: which sets of topics are followed, the text for each, and the rows of them. What is news, and
how it is told, is `bot/news.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bot.broadcasts.fanning import good_days, leaves, order
from bot.findings import Faults
from bot.moments import to_ms
from bot.news import MOST, News, topics_in, topics_of
from bot.store import audience
from bot.store import digests as sql
from bot.texts import add_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from bot.current import Current
    from bot.library import Entry
    from bot.news import Item
    from bot.rendering import Rendered
    from bot.store import Store, Transaction
    from bot.timetable import Community
    from channels.base import ChannelName

log = structlog.get_logger()


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
        name: As `news.name` gave it.
        texts: Each with the sender it leaves through and the topics that its readers follow.
        told: The slugs of what stands in any of them.
        until: When the last of it is over, aware UTC; None for never. Who reads only of what is over before
            gets it late rather than that nobody hears of the rest.
    """

    name: str
    texts: tuple[tuple[str, Rendered, frozenset[str]], ...]
    told: frozenset[str]
    until: datetime | None


class Digests:
    """The digests of one store."""

    def __init__(self, store: Store, current: Current) -> None:
        self._store, self._current = store, current

    async def gather(self, broadcast: int, entry: str, community: Community, now: datetime) -> Digest:
        """What is new, and the text for each set of topics that somebody follows.

        What cannot be said in one of the languages that are read is left for another time. What is over
        before the digest leaves is no news.

        Args:
            broadcast: Its row, which has been made.
            entry: As `news.name` gave it.
        """
        project = self._current.project
        news = News(project.library, self._current.conversation, community, leaves(community, now))
        topics = topics_in(entry)
        found = news.fresh(topics, await self._told(community))
        readers = await self._readers(broadcast, community, topics, found)
        items = self._chosen(news, community, found, readers)
        texts = []
        for each in readers:
            theirs = [said[each.language] for one, said in items if topics_of(one) & each.follows]
            if theirs:
                said = news.write(theirs, each.language, each.channel)
                texts.append((community.channels[each.channel], said, each.follows))
        ends = [one.over(community.zone) for one, _ in items]
        known = [end for end in ends if end]
        until = max(known) if known and len(known) == len(ends) else None
        return Digest(entry, tuple(texts), frozenset(one.slug for one, _ in items), until)

    async def _told(self, community: Community) -> set[str]:
        rows = await self._store.read(lambda tx: tx.rows(sql.TOLD, {"community": community.slug}))
        return {row["entry"] for row in rows}

    async def _readers(
        self, broadcast: int, community: Community, topics: Collection[str], found: Iterable[Entry]
    ) -> list[_Readers]:
        """Who follows something that is new, and has a sender."""
        new = frozenset(topics) & frozenset[str]().union(*map(topics_of, found))
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

    @staticmethod
    def _chosen(
        news: News, community: Community, found: Iterable[Entry], readers: Collection[_Readers]
    ) -> list[tuple[Entry, dict[str, Item]]]:
        """The first of what is new to somebody, in every language that is read."""
        languages = sorted({each.language for each in readers})
        followed = frozenset[str]().union(*(each.follows for each in readers))
        chosen = []
        for one in found:
            if not topics_of(one) & followed:
                continue
            try:
                chosen.append((one, news.items(one, languages)))
            except Faults as faults:
                rule = faults.findings[0].rule
                log.error("digest.faults", entry=one.slug, community=community.slug, reason=rule)  # noqa: TRY400 - only the rule
            if len(chosen) == MOST:
                break
        return chosen


def _named(bits: int, topics: Iterable[Mapping[str, int]]) -> frozenset[str]:
    return frozenset(str(row["topic"]) for row in topics if bits & row["bit"])


def fan_out(tx: Transaction, broadcast: int, community: Community, digest: Digest, now: datetime) -> None:
    """Write a digest's texts, its deliveries, and what was told in it."""
    for sender, text, follows in digest.texts:
        add_text(tx, text, sender, broadcast, "|".join(sorted(follows)))
    tx.each(sql.DIGESTED, [{"broadcast": broadcast, "entry": slug} for slug in sorted(digest.told)])
    tx.run(sql.UNTIL, {"broadcast": broadcast, "until": to_ms(digest.until)})
    days = good_days(community, now)
    values = order(broadcast, community, digest.name, days, now)
    tx.run(sql.fan_out(len(days)), values)
    tx.run(audience.TAKE_BACK, values)
    if days:
        tx.run(audience.ENOUGH, values)
