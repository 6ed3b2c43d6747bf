"""What an answer changes, as rows, in the transaction of its reply: all of it or nothing.

What may enter: each act of `conversation.answers` to the room that owns its rows. No decision is taken here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import consent, figures, links, threads
from bot.conversation.answers import (
    AskToJoin,
    Follow,
    Forget,
    Join,
    Judge,
    Leave,
    Link,
    Miss,
    Move,
    OfferLink,
    PassOn,
    Speak,
    WriteAgain,
)
from bot.store import sql

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.conversation.answers import Act, Asker
    from bot.store import Transaction
    from bot.vault import Vault


class Acting:
    """The acts of one person's answer, in one transaction.

    Args:
        person: The subscriber.
        asker: As they were when they wrote.
        sender: Through which they wrote.
    """

    def __init__(
        self, tx: Transaction, vault: Vault, person: int, asker: Asker, sender: str, now: datetime
    ) -> None:
        self._tx, self._vault, self._now = tx, vault, now
        self._person, self._asker, self._sender = person, asker, sender

    def perform(self, acts: Sequence[Act]) -> dict[str, str]:
        """Do all of it; what the reply has to tell: a `reference`, an `outcome`."""
        told: dict[str, str] = {}
        for act in acts:
            told |= self._consent(act) or self._choose(act) or self._voice(act)
        return told

    def _consent(self, act: Act) -> dict[str, str]:
        tx, person, now = self._tx, self._person, self._now
        match act:
            case Join(words):
                consent.join(tx, self._vault, person, self._asker.channel, words, now)
            case AskToJoin():
                consent.ask_to_join(tx, person, now)
            case Leave():
                consent.leave(tx, self._vault, person, self._asker.channel, now)
            case Forget():
                consent.forget(tx, self._vault, person, now)
        return {}

    def _choose(self, act: Act) -> dict[str, str]:
        tx, person = self._tx, self._person
        match act:
            case Speak(language):
                tx.run(sql.SUBSCRIBER_LANGUAGE, {"id": person, "language": language})
            case Move(community):
                tx.run(sql.SUBSCRIBER_COMMUNITY, {"id": person, "community": community})
            case Follow(topics):
                tx.run(sql.TOPICS_FORGET, {"subscriber": person})
                tx.each(sql.TOPIC_FOLLOW, [{"subscriber": person, "topic": topic} for topic in topics])
            case OfferLink():
                return {"reference": links.offer(tx, person, self._now)}
            case Link(code):
                channels = self._asker.community.channels
                good = links.accept(tx, person, code, self._now, channels)
                return {"outcome": "linked" if good else "unknown"}
        return {}

    def _voice(self, act: Act) -> dict[str, str]:
        tx, vault, person, now = self._tx, self._vault, self._person, self._now
        community = self._asker.community.slug
        match act:
            case PassOn(kind, text):
                reference = threads.new_reference(tx)
                threads.open_thread(
                    tx,
                    vault,
                    reference=reference,
                    kind=kind,
                    community=community,
                    subscriber=person,
                    sender=self._sender,
                    text=text,
                    now=now,
                )
                return {"reference": reference}
            case WriteAgain(reference, text):
                if text:
                    threads.add_letter(tx, vault, reference=reference, subscriber=person, text=text, now=now)
                return {"outcome": threads.state_of(tx, reference, person) or "unknown"}
            case Miss(text):
                figures.count_gap(tx, vault, community=community, text=text, now=now)
            case Judge(entry, useful):
                figures.count_opinion(tx, entry=entry, community=community, subscriber=person, useful=useful)
        return {}
