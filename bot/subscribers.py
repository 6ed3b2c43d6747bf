"""Subscribers as the desk knows them: taken in from a list, erased on request, counted.

An address enters here in clear and leaves sealed. What people do themselves by chat is `consent`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import consent
from bot.moments import month_of
from bot.numbers import takes_marketing
from bot.store import Unusable, sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.newcomers import Newcomer
    from bot.store import Store, Transaction
    from bot.vault import Vault
    from channels.base import ChannelName

_SEALED_WORD = "pregonero"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        active: Who will hear the next announcement.
        known: Who of these was subscribed before.
        left: Who was not brought back, because they left.
        forgotten: Who was not brought back, because they asked to be erased.
    """

    active: int
    known: int
    left: int
    forgotten: int


@dataclass(frozen=True, slots=True)
class Group:
    """How many people share a community, channel, language and state."""

    community: str
    channel: str
    language: str
    state: str
    people: int


class Subscribers:
    """Subscribers in one store, under one vault."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    async def keep_key(self) -> None:
        """Remember which key this database is sealed with. Raises Unusable when it is another one."""
        seal = self._vault.seal("vault", _SEALED_WORD)

        def work(tx: Transaction) -> bool:
            kept = tx.one(sql.VAULT_SEAL)
            if kept is None:
                tx.run(sql.VAULT_KEEP, {"seal": seal})
            return kept is None or kept["seal"] == seal

        if not await self._store.write(work):
            raise Unusable("other-key")

    async def take_in(self, newcomers: Sequence[Newcomer], now: datetime) -> Imported:
        """Import people who said yes elsewhere: all of them, or none if anything fails."""
        ready = [
            (
                person,
                self._vault.seal(person.channel, person.address),
                self._vault.tag(person.channel, person.address),
            )
            for person in newcomers
        ]

        def work(tx: Transaction) -> Imported:
            states = [_take_in(tx, person, sealed, tag, now) for person, sealed, tag in ready]
            known = states.count("known")
            active = known + states.count("new")
            return Imported(active, known, states.count("left"), states.count("forgotten"))

        return await self._store.write(work)

    async def erase(self, channel: ChannelName, address: str, now: datetime) -> bool:
        """Forget somebody for real; what stays recognises them and never names them. False: nobody there."""
        sealed, tag = self._vault.seal(channel, address), self._vault.tag(channel, address)

        def work(tx: Transaction) -> bool:
            consent.suppress(tx, tag, now)
            person = tx.one(sql.SUBSCRIBER_BY_ADDRESS, {"channel": channel, "address": sealed})
            if person is None:
                return False
            consent.entry(tx, person["id"], channel, "erased", "desk", now)
            consent.erase(tx, person["id"])
            return True

        erased = await self._store.write(work)
        await self._store.forget()
        return erased

    async def counted(self) -> list[Group]:
        """How many of each kind there are."""
        return [Group(**row) for row in await self._store.read(lambda tx: tx.rows(sql.SUBSCRIBERS_COUNTED))]


def _take_in(tx: Transaction, person: Newcomer, sealed: bytes, tag: bytes, now: datetime) -> str:
    if tx.one(sql.SUPPRESSED, {"tag": tag}):
        return "forgotten"
    values = {
        "channel": person.channel,
        "address": sealed,
        "language": person.language,
        "community": person.community,
        "joined": month_of(now),
        "marketing": takes_marketing(person.channel, person.address),
    }
    before = tx.one(sql.SUBSCRIBER_BY_ADDRESS, values)
    row = tx.rows(sql.SUBSCRIBER_IMPORT, values)[0]
    if row["state"] == "left":
        return "left"
    tx.run(sql.TOPICS_FORGET, {"subscriber": row["id"]})
    tx.each(sql.TOPIC_FOLLOW, _topics(row["id"], person.topics))
    consent.entry(tx, row["id"], person.channel, "given", person.how, now)
    return "known" if before and before["state"] == "active" else "new"


def _topics(person: int, topics: Iterable[str]) -> list[dict[str, object]]:
    return [{"subscriber": person, "topic": topic} for topic in topics]
