"""What vendors tell us: one heard message or receipt in, rows out; each at most once.

A message is stored before it is acknowledged and read after, so a crash in between loses nothing. Its reply
is a delivery like any other.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bot import languages
from bot.conversation import said_of
from bot.moments import month_of, to_ms
from bot.store import sql
from bot.texts import add_text
from channels.base import Heard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.check import Project
    from bot.conversation import Conversation
    from bot.outbox import Outbox
    from bot.rendering import Rendered
    from bot.store import Store, Transaction
    from bot.subscribers import Subscriber, Subscribers
    from bot.timetable import Community
    from bot.vault import Vault
    from channels.base import Receipt

_AT_ONCE = 100


class Inbounds:
    """What was heard, in one store."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        *,
        project: Project,
        subscribers: Subscribers,
        outbox: Outbox,
        conversation: Conversation,
    ) -> None:
        self._store = store
        self._vault = vault
        self._project = project
        self._subscribers = subscribers
        self._outbox = outbox
        self._conversation = conversation

    async def accept(self, sender: str, facts: Sequence[Heard | Receipt], now: datetime) -> None:
        """Store what a vendor told us. When this returns, the vendor may be told that we have it."""
        for fact in facts:
            if isinstance(fact, Heard):
                await self._hear(sender, fact, now)
            else:
                await self._outbox.receipt(fact, now)

    async def answer_waiting(self, now: datetime) -> int:
        """Read what was stored and queue the replies; how many were read."""
        rows = await self._store.read(lambda tx: tx.rows(sql.INBOUNDS_UNANSWERED, {"limit": _AT_ONCE}))
        for row in rows:
            person = await self._subscribers.get(row["subscriber"])
            text = self._vault.open_text(row["text"], _owner(row["sender"], row["vendor_id"]))
            if person is None:
                await self._done(row["id"])
            elif row["left_there"]:
                await self._subscribers.leave(person, person.channel, now)
                await self._done(row["id"])
            else:
                await self._answer(row["id"], row["sender"], person, text, now)
        return len(rows)

    async def _hear(self, sender: str, heard: Heard, now: datetime) -> None:
        channel = self._project.settings.senders[sender].channel
        community = self._community_of(sender)
        person = {
            "channel": channel,
            "address": self._vault.seal(channel, heard.address),
            "language": _reads(heard, community),
            "community": community.slug,
            "heard_at": to_ms(now),
            "joined": month_of(now),
        }
        inbound = {
            "sender": sender,
            "vendor_id": heard.vendor_id,
            "text": self._vault.seal_text(heard.text, _owner(sender, heard.vendor_id)),
            "left_there": int(heard.left),
            "heard_at": to_ms(now),
        }
        await self._store.write(lambda tx: _store_heard(tx, person, inbound, now))

    async def _answer(self, inbound: int, sender: str, person: Subscriber, text: str, now: datetime) -> None:
        community = self._project.communities.get(person.community) or self._community_of(sender)
        answer = self._conversation.answer(text, community, now)
        if answer.leaving:
            await self._subscribers.leave(person, person.channel, now)
        elif answer.intent == "join":
            await self._subscribers.join(person, person.channel, now)
        library, channel = self._project.library, person.channel
        said = said_of(library, answer, community, channel, person.language, now)
        await self._store.write(lambda tx: _reply(tx, inbound, sender, person.id, said, now))

    async def _done(self, inbound: int) -> None:
        await self._store.write(lambda tx: tx.run(sql.INBOUND_ANSWERED, {"id": inbound}))

    def _community_of(self, sender: str) -> Community:
        """Whose a stranger is who writes to this sender: of the first community that speaks through it."""
        communities = self._project.communities.values()
        return next((c for c in communities if sender in c.senders), next(iter(communities)))


def _reads(heard: Heard, community: Community) -> str:
    """What a stranger reads: the vendor's hint where it is a language, else the community's first."""
    with contextlib.suppress(ValueError):
        return languages.normalise(heard.language or "")
    return community.languages[0]


def _owner(sender: str, vendor_id: str) -> str:
    """What a sealed text is bound to."""
    return f"inbounds|{sender}|{vendor_id}"


def _store_heard(
    tx: Transaction, person: Mapping[str, object], inbound: Mapping[str, object], now: datetime
) -> None:
    known = tx.one(sql.SUBSCRIBER_BY_ADDRESS, {"channel": person["channel"], "address": person["address"]})
    subscriber = known["id"] if known else tx.rows(sql.SUBSCRIBER_HEARD, person)[0]["id"]
    if tx.one(sql.INBOUND_ADD, {**inbound, "subscriber": subscriber}) is None:
        return  # a replay: nothing is heard twice, and the reply window stays as it was
    tx.rows(sql.SUBSCRIBER_HEARD, person)
    tx.run(sql.RELEASE_WINDOW, {"subscriber": subscriber, "now": to_ms(now)})


def _reply(
    tx: Transaction, inbound: int, sender: str, person: int, text: Rendered | None, now: datetime
) -> None:
    tx.run(sql.INBOUND_ANSWERED, {"id": inbound})
    if text is None or not text.open:
        return
    stored = add_text(tx, text, sender)
    tx.run(
        sql.REPLY_ADD,
        {"inbound": inbound, "subscriber": person, "text": stored, "sender": sender, "now": to_ms(now)},
    )
