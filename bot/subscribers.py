"""Subscribers: joining, leaving, being forgotten, and the ledger of their consent.

An address enters here in clear and leaves sealed. Leaving is one thing on every channel: the row says so, and
nothing but the person's own word brings them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.moments import month_of
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
class Subscriber:
    """One address on one channel, as the rest of the bot knows it: without the address."""

    id: int
    channel: ChannelName
    language: str
    community: str
    state: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        active: Who will hear the next announcement.
        left: Who was not brought back, because they left.
        forgotten: Who was not brought back, because they asked to be erased.
    """

    active: int
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
            states = [_take_in(tx, person, sealed, tag, month_of(now)) for person, sealed, tag in ready]
            return Imported(states.count("active"), states.count("left"), states.count("forgotten"))

        return await self._store.write(work)

    async def get(self, person: int) -> Subscriber | None:
        """A subscriber, or None when they were erased."""
        row = await self._store.read(lambda tx: tx.one(sql.SUBSCRIBER, {"id": person}))
        if row is None:
            return None
        return Subscriber(row["id"], row["channel"], row["language"], row["community"], row["state"])

    async def join(self, person: Subscriber, how: str, now: datetime) -> None:
        """Their own word brings them in, or back, also after they asked to be forgotten."""

        def work(tx: Transaction) -> None:
            _change(tx, person, "active", _entry(person.id, person.channel, "given", how, month_of(now)))
            if row := tx.one(sql.SUBSCRIBER, {"id": person.id}):
                address = self._vault.open(person.channel, row["address"])
                tx.run(sql.SUPPRESSED_LIFT, {"tag": self._vault.tag(person.channel, address)})

        await self._store.write(work)

    async def leave(self, person: Subscriber, how: str, now: datetime) -> None:
        """They said enough. What is still queued for them is cancelled when its turn comes."""
        entry = _entry(person.id, person.channel, "withdrawn", how, month_of(now))
        await self._store.write(lambda tx: _change(tx, person, "left", entry))

    async def erase(self, channel: ChannelName, address: str, now: datetime) -> bool:
        """Forget somebody for real; keep only what lets us recognise, never know, them. False: nobody there.

        Deliveries keep their place in the counts, without the person.
        """
        sealed, tag = self._vault.seal(channel, address), self._vault.tag(channel, address)
        month = month_of(now)

        def work(tx: Transaction) -> bool:
            tx.run(sql.SUPPRESS, {"tag": tag, "month": month})
            person = tx.one(sql.SUBSCRIBER_BY_ADDRESS, {"channel": channel, "address": sealed})
            if person is None:
                return False
            tx.run(sql.CONSENT, _entry(person["id"], channel, "erased", "desk", month))
            tx.run(sql.PERSON_FORGET_REPLIES, {"subscriber": person["id"]})
            tx.run(sql.SUBSCRIBER_ERASE, {"id": person["id"]})
            return True

        erased = await self._store.write(work)
        await self._store.forget()
        return erased

    async def counted(self) -> list[Group]:
        """How many of each kind there are."""
        return [Group(**row) for row in await self._store.read(lambda tx: tx.rows(sql.SUBSCRIBERS_COUNTED))]


def _change(tx: Transaction, person: Subscriber, state: str, entry: dict[str, object]) -> None:
    tx.run(sql.SUBSCRIBER_STATE, {"id": person.id, "state": state})
    tx.run(sql.CONSENT, entry)


def _take_in(tx: Transaction, person: Newcomer, sealed: bytes, tag: bytes, month: str) -> str:
    if tx.one(sql.SUPPRESSED, {"tag": tag}):
        return "forgotten"
    values = {
        "channel": person.channel,
        "address": sealed,
        "language": person.language,
        "community": person.community,
        "joined": month,
    }
    row = tx.rows(sql.SUBSCRIBER_IMPORT, values)[0]
    if row["state"] == "left":
        return "left"
    tx.run(sql.TOPICS_FORGET, {"subscriber": row["id"]})
    tx.each(sql.TOPIC_FOLLOW, _topics(row["id"], person.topics))
    tx.run(sql.CONSENT, _entry(row["id"], person.channel, "given", person.how, month))
    return "active"


def _topics(person: int, topics: Iterable[str]) -> list[dict[str, object]]:
    return [{"subscriber": person, "topic": topic} for topic in topics]


def _entry(person: int, channel: str, action: str, how: str, month: str) -> dict[str, object]:
    return {"subscriber": person, "channel": channel, "action": action, "how": how, "month": month}
