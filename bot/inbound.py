"""What vendors tell us: one heard message or receipt in, rows out; each at most once.

A message is answered before it is acknowledged: that it was heard, what it changes and its reply, a delivery
like any other, are one commit. A crash before it loses nothing, for the vendor was told nothing and says it
again.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import structlog

from bot import consent, strangers
from bot.acting import Acting
from bot.answering import Message, Reader, Standing
from bot.conversation.answers import Asked, Asker
from bot.moments import month_of, to_ms
from bot.numbers import takes_marketing
from bot.store import Unusable, sql, talk
from bot.texts import add_text
from bot.vault import BadKey
from channels.base import Choice, Heard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.answering import Decided
    from bot.current import Current
    from bot.outbox import Outbox
    from bot.poison import Note
    from bot.store import Row, Store, Transaction
    from bot.vault import Vault
    from channels.base import Receipt

log = structlog.get_logger()

_AT_ONCE = 20
_WAITS = {"confirm": consent.VISIT, "opinion": timedelta(days=7)}
_WAIT = timedelta(hours=24)
"""For how long we wait for an answer to what we asked, where nothing else is said."""


class Inbounds:
    """What was heard, in one store."""

    def __init__(self, store: Store, vault: Vault, note: Note, *, current: Current, outbox: Outbox) -> None:
        self._store = store
        self._vault = vault
        self._note = note
        self._current = current
        self._outbox = outbox
        self._reader = Reader(current, note)
        self._writers: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()

    async def begin(self, now: datetime) -> None:
        """Count the message that the last process died of, if it did. Before anything is accepted.

        Raises:
            Unusable: that could not be written.
        """
        if found := self._note.found():
            sender, vendor_id = found
            values = {"sender": sender, "vendor_id": vendor_id, "nothing": b"", "now": to_ms(now)}
            await self._store.write(lambda tx: tx.run(talk.INBOUND_DEADLY, values))
            log.error("answer.deadly", sender=sender)
            self._note.clear()

    async def accept(self, sender: str, facts: Sequence[Heard | Receipt], now: datetime) -> None:
        """Answer what a vendor told us. When this returns, the vendor may be told that we have it.

        Raises:
            Unusable: the database failed; some of it may not be answered, so it has to be told again.
        """
        await self._current.prepare()
        await asyncio.gather(*(self._accept(sender, fact, now) for fact in facts))

    async def answer_waiting(self, now: datetime) -> int:
        """Answer what an earlier version stored and did not come to answer; how many were seen to.

        Raises:
            Unusable: the database failed; what was not answered still waits.
        """
        await self._current.prepare()
        waiting = await self._store.read(lambda tx: tx.rows(talk.INBOUNDS_WAITING, {"limit": _AT_ONCE}))
        for row in waiting:
            if heard := self._stored(row):
                await self._hear(row["sender"], heard, now)
            else:
                await self._store.write(_given_up(row["id"]))
        return len(waiting)

    def _stored(self, row: Row) -> Heard | None:
        """What was stored; None where it is damaged, or its sender is gone."""
        sender, vendor_id, left = row["sender"], row["vendor_id"], bool(row["left_there"])
        if sender not in self._current.project.settings.senders:
            return None
        try:
            text = self._vault.open_text(row["text"], f"inbounds|{sender}|{vendor_id}")
            return Heard(vendor_id, self._vault.open(row["channel"], row["address"]), text, left=left)
        except BadKey:
            return None

    async def _accept(self, sender: str, fact: Heard | Receipt, now: datetime) -> None:
        if isinstance(fact, Heard):
            await self._hear(sender, fact, now)
        else:
            await self._outbox.receipt(sender, fact, now)

    async def _hear(self, sender: str, heard: Heard, now: datetime) -> None:
        """Answer one message, unless it is answered already. Each person's come one after the other."""
        message = self._message(sender, heard, now)
        async with self._writers.setdefault(message.writer["address"], asyncio.Lock()):
            standing = await self._store.read(lambda tx: self._standing(tx, message))
            while standing:  # once, unless what was decided on has changed meanwhile
                decided = await self._reader.read(message, standing)
                standing = await self._settle(message, standing, decided)

    def _message(self, sender: str, heard: Heard, now: datetime) -> Message:
        channel = self._current.project.settings.senders[sender].channel
        community = strangers.community_of(sender, self._current.project.communities)
        writer = {
            "channel": channel,
            "address": self._vault.seal(channel, heard.address),
            "language": strangers.language_of(heard, community),
            "community": community.slug,
            "heard_at": to_ms(now),
            "joined": month_of(now),
            "marketing": takes_marketing(channel, heard.address),
            "forget_at": to_ms(now + consent.VISIT),
        }
        return Message(sender, heard, writer, now)

    def _standing(self, tx: Transaction, message: Message) -> Standing | None:
        """How things stand; None when the message is answered already."""
        named = {"sender": message.sender, "vendor_id": message.heard.vendor_id}
        known = tx.one(talk.INBOUND_KNOWN, named)
        if known and known["answered"]:
            return None
        row = tx.one(talk.WRITER, {**message.writer, "now": to_ms(message.now)})
        return Standing(self._asker(tx, message, row), known["deaths"] if known else 0)

    def _asker(self, tx: Transaction, message: Message, row: Row | None) -> Asker:
        communities = self._current.project.communities
        known = row or message.writer
        topics = tx.rows(talk.TOPICS, {"subscriber": row["id"]}) if row else ()
        asked = None
        if row and row["question"]:
            choices = tuple(Choice(**choice) for choice in json.loads(row["choices"]))
            kept = self._vault.open_text(row["kept"], _kept(row["id"])) if row["kept"] else ""
            asked = Asked(row["question"], choices, kept)
        return Asker(
            community=communities.get(known["community"])
            or strangers.community_of(message.sender, communities),
            channel=known["channel"],
            language=known["language"],
            state=row["state"] if row and row["state"] != "gone" else "visitor",  # who writes is there again
            topics=frozenset(topic["topic"] for topic in topics),
            asked=asked,
        )

    async def _settle(self, message: Message, standing: Standing, decided: Decided) -> Standing | None:
        """Write an answer down. None once it is on the disk; else how things stand by now."""
        try:
            return await self._store.write(lambda tx: self._write(tx, message, standing, decided))
        except Unusable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this message alone
            sorry = self._reader.sorry(message, standing, error)
            return await self._store.write(lambda tx: self._write(tx, message, standing, sorry))

    def _write(
        self, tx: Transaction, message: Message, standing: Standing, decided: Decided
    ) -> Standing | None:
        """What follows from one message: what it changes, its reply, and what we wait for."""
        stands = self._standing(tx, message)
        if stands != standing:
            return stands
        now, asker, answer = message.now, standing.asker, decided.answer
        person = int(tx.rows(sql.SUBSCRIBER_HEARD, message.writer)[0]["id"])
        inbound = int(tx.rows(talk.INBOUND_ADD, _row(message, person))[0]["id"])
        if answer is None:
            consent.leave(tx, self._vault, person, asker.channel, now)
            tx.run(talk.ASKED_NOTHING, {"subscriber": person})
            return None
        told = Acting(tx, self._vault, person, asker, message.sender, now).perform(answer.does)
        if not answer.leaving:  # what waited for their word may go now, unless that word was goodbye
            tx.run(sql.RELEASE_WINDOW, {"subscriber": person, "now": to_ms(now)})
        said = self._reader.said(message, answer, told) if told else decided.said
        self._wait_for(tx, person, answer.asks, now)
        if said is not None and said.open:
            text = add_text(tx, said, message.sender)
            reply = {"inbound": inbound, "subscriber": person, "sender": message.sender, "text": text}
            tx.run(sql.REPLY_ADD, {**reply, "now": to_ms(now)})
        return None

    def _wait_for(self, tx: Transaction, person: int, asks: Asked | None, now: datetime) -> None:
        if asks is None:
            tx.run(talk.ASKED_NOTHING, {"subscriber": person})
            return
        values = {
            "subscriber": person,
            "question": asks.question,
            "choices": json.dumps([asdict(one) for one in asks.choices], ensure_ascii=False),
            "kept": self._vault.seal_text(asks.kept, _kept(person)) if asks.kept else None,
            "until": to_ms(now + _WAITS.get(asks.question, _WAIT)),
        }
        tx.run(talk.ASKED, values)


def _kept(person: int) -> str:
    """What a question that waits to be passed on is bound to."""
    return f"asked|{person}"


def _row(message: Message, person: int) -> Row:
    return {
        "sender": message.sender,
        "vendor_id": message.heard.vendor_id,
        "subscriber": person,
        "left_there": int(message.heard.left),
        "heard_at": to_ms(message.now),
    }


def _given_up(inbound: int) -> Callable[[Transaction], int]:
    return lambda tx: tx.run(talk.INBOUND_ANSWERED, {"id": inbound})
