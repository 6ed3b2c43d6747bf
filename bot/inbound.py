"""What vendors tell us: one heard message or receipt in, rows out; each at most once.

A message is stored before it is acknowledged and read after, so a crash in between loses nothing. Its reply
is a delivery like any other, and what it changes is changed together with that, or not at all.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot import consent, strangers
from bot.acting import Acting
from bot.conversation import Answer
from bot.conversation.answers import Asked, Asker, Link, OfferLink, PassOn, WriteAgain
from bot.moments import month_of, to_ms
from bot.numbers import takes_marketing
from bot.settings import Whatsapp
from bot.store import Unusable, sql, talk
from bot.texts import add_text
from channels.base import Choice, Heard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.current import Current
    from bot.outbox import Outbox
    from bot.rendering import Rendered
    from bot.store import Store, Transaction
    from bot.vault import Vault
    from channels.base import Receipt

log = structlog.get_logger()

_AT_ONCE = 20
"""How many are read before others have their turn: a few milliseconds."""
_TOLD_AFTERWARDS = (PassOn, WriteAgain, OfferLink, Link)
"""Acts that the reply can only tell of once they are done."""
_WAITS = {"confirm": consent.VISIT, "opinion": timedelta(days=7)}
_WAIT = timedelta(hours=24)
"""For how long we wait for an answer to what we asked, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A message to be answered, and who wrote it; no asker when there is nobody to answer."""

    id: int
    sender: str
    person: int
    text: str
    asker: Asker | None
    left_there: bool


@dataclass(frozen=True, slots=True)
class _Decided:
    """What a message is answered; `said` when that can be written before anything is done."""

    waiting: _Waiting
    answer: Answer | None
    said: Rendered | None


class Inbounds:
    """What was heard, in one store."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        *,
        current: Current,
        outbox: Outbox,
    ) -> None:
        self._store = store
        self._vault = vault
        self._current = current
        self._outbox = outbox

    async def accept(self, sender: str, facts: Sequence[Heard | Receipt], now: datetime) -> None:
        """Store what a vendor told us. When this returns, the vendor may be told that we have it."""
        for fact in facts:
            if isinstance(fact, Heard):
                await self._hear(sender, fact, now)
            else:
                await self._outbox.receipt(sender, fact, now)

    async def answer_waiting(self, now: datetime) -> int:
        """Read what was stored and queue the replies; how many were read.

        Raises:
            Unusable: the database failed; what was not answered still waits.
        """
        values = {"limit": _AT_ONCE, "now": to_ms(now)}
        waiting = await self._store.read(
            lambda tx: [self._waiting(tx, row) for row in tx.rows(talk.INBOUNDS_UNANSWERED, values)]
        )
        decided = [self._decide(one, now) for one in waiting]
        if decided:
            await self._settle(decided, now)
        return len(decided)

    async def _hear(self, sender: str, heard: Heard, now: datetime) -> None:
        channel = self._current.project.settings.senders[sender].channel
        community = strangers.community_of(sender, self._current.project.communities)
        person = {
            "channel": channel,
            "address": self._vault.seal(channel, heard.address),
            "language": strangers.language_of(heard, community),
            "community": community.slug,
            "heard_at": to_ms(now),
            "joined": month_of(now),
            "marketing": takes_marketing(channel, heard.address),
            "forget_at": to_ms(now + consent.VISIT),
        }
        inbound = {
            "sender": sender,
            "vendor_id": heard.vendor_id,
            "text": self._vault.seal_text(heard.text, _owner(sender, heard.vendor_id)),
            "left_there": int(heard.left),
            "heard_at": to_ms(now),
        }
        await self._store.write(lambda tx: _store_heard(tx, person, inbound))

    def _waiting(self, tx: Transaction, row: Mapping[str, object]) -> _Waiting:
        person, sender = int(str(row["subscriber"] or 0)), str(row["sender"])
        text = self._vault.open_text(_bytes(row["text"]), _owner(sender, str(row["vendor_id"])))
        asker = self._asker(tx, row, person, sender) if row["state"] is not None else None
        return _Waiting(int(str(row["id"])), sender, person, text, asker, bool(row["left_there"]))

    def _asker(self, tx: Transaction, row: Mapping[str, object], person: int, sender: str) -> Asker:
        communities = self._current.project.communities
        mine = communities.get(str(row["community"]))
        topics = tx.rows(talk.TOPICS, {"subscriber": person})
        asked = None
        if row["question"] is not None:
            choices = tuple(Choice(**choice) for choice in json.loads(str(row["choices"])))
            kept = self._vault.open_text(_bytes(row["kept"]), _kept(person)) if row["kept"] else ""
            asked = Asked(row["question"], choices, kept)  # type: ignore[arg-type] # only ours are stored
        return Asker(
            community=mine or strangers.community_of(sender, communities),
            channel=row["channel"],  # type: ignore[arg-type] # only ours are stored
            language=str(row["language"]),
            state=str(row["state"]),
            topics=frozenset(topic["topic"] for topic in topics),
            asked=asked,
        )

    def _decide(self, waiting: _Waiting, now: datetime) -> _Decided:
        """Pure but for the log. A fault of ours with one message must not keep the others waiting."""
        if waiting.asker is None or waiting.left_there:
            return _Decided(waiting, None, None)
        try:
            answer = self._current.conversation.answer(waiting.text, waiting.asker, now)
            later = any(isinstance(act, _TOLD_AFTERWARDS) for act in answer.does)
            return _Decided(waiting, answer, None if later else self._said(waiting.sender, answer, now, {}))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this message alone
            log.error("answer.fault", inbound=waiting.id, error=type(error).__name__)  # noqa: TRY400 - a trace could quote what they wrote
            answer = Answer("nothing", waiting.asker, self._current.conversation.honestly())
            return _Decided(waiting, answer, self._said(waiting.sender, answer, now, {}))

    def _said(self, sender: str, answer: Answer, now: datetime, told: Mapping[str, str]) -> Rendered | None:
        through = self._current.project.settings.senders[sender]
        menus = through.menus if isinstance(through, Whatsapp) else {}
        return self._current.writer.write(answer, now, menus=menus, ended=told)

    async def _settle(self, decided: Sequence[_Decided], now: datetime) -> None:
        """All of them in one transaction; where one cannot be written, each in its own."""
        try:
            await self._store.write(lambda tx: self._write_all(tx, decided, now))
        except Unusable:
            raise
        except Exception:  # noqa: BLE001 - looked for below, one by one
            for one in decided:
                await self._settle_alone(one, now)

    async def _settle_alone(self, one: _Decided, now: datetime) -> None:
        try:
            await self._store.write(lambda tx: self._write(tx, one, now))
        except Unusable:
            raise
        except Exception as error:  # noqa: BLE001 - as in `_decide`
            log.error("answer.fault", inbound=one.waiting.id, error=type(error).__name__)  # noqa: TRY400 - as in `_decide`
            await self._store.write(lambda tx: tx.run(talk.INBOUND_ANSWERED, {"id": one.waiting.id}))

    def _write_all(self, tx: Transaction, decided: Sequence[_Decided], now: datetime) -> None:
        for one in decided:
            self._write(tx, one, now)

    def _write(self, tx: Transaction, decided: _Decided, now: datetime) -> None:
        """What follows from one message: what it changes, its reply, and what we wait for."""
        waiting, answer = decided.waiting, decided.answer
        tx.run(talk.INBOUND_ANSWERED, {"id": waiting.id})
        if waiting.asker is None:
            return
        if answer is None:  # the vendor has let them go, and told them so
            consent.leave(tx, self._vault, waiting.person, waiting.asker.channel, now)
            tx.run(talk.ASKED_NOTHING, {"subscriber": waiting.person})
            return
        acting = Acting(tx, self._vault, waiting.person, waiting.asker, waiting.sender, now)
        told = acting.perform(answer.does)
        if not answer.leaving:  # what waited for their word may go now, unless that word was goodbye
            tx.run(sql.RELEASE_WINDOW, {"subscriber": waiting.person, "now": to_ms(now)})
        said = self._said(waiting.sender, answer, now, told) if told else decided.said
        self._wait_for(tx, waiting.person, answer.asks, now)
        if said is not None and said.open:
            reply = {"inbound": waiting.id, "subscriber": waiting.person, "sender": waiting.sender}
            tx.run(sql.REPLY_ADD, reply | {"text": add_text(tx, said, waiting.sender), "now": to_ms(now)})

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


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)  # noqa: S101 - the column's type
    return value


def _owner(sender: str, vendor_id: str) -> str:
    """What a sealed text is bound to."""
    return f"inbounds|{sender}|{vendor_id}"


def _kept(person: int) -> str:
    """What a question that waits to be passed on is bound to."""
    return f"asked|{person}"


def _store_heard(tx: Transaction, person: Mapping[str, object], inbound: Mapping[str, object]) -> None:
    known = tx.one(sql.SUBSCRIBER_BY_ADDRESS, {"channel": person["channel"], "address": person["address"]})
    subscriber = known["id"] if known else tx.rows(sql.SUBSCRIBER_HEARD, person)[0]["id"]
    if tx.one(talk.INBOUND_ADD, {**inbound, "subscriber": subscriber}) is None:
        return  # a replay: nothing is heard twice, and the reply window stays as it was
    tx.rows(sql.SUBSCRIBER_HEARD, person)
