"""One message read: what it is answered, by how its writer stands. No row is written here.

What may enter: who is read when, and what is answered where reading fails. What words mean is `conversation`;
what follows from an answer is `inbound`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from bot.conversation import Answer
from bot.conversation.answers import Link, OfferLink, PassOn, WriteAgain
from bot.settings import Whatsapp
from bot.store import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.conversation import Asker
    from bot.current import Current
    from bot.poison import Note
    from bot.rendering import Rendered
    from channels.base import Heard

log = structlog.get_logger()

_DEATHS = 3
"""How many processes may die of one message before nobody reads it any more but a person."""
_TOLD_AFTERWARDS = (PassOn, WriteAgain, OfferLink, Link)
"""Acts that the reply can only tell of once they are done."""


@dataclass(frozen=True, slots=True)
class Message:
    """One heard message on its way to an answer.

    Attributes:
        sender: Through which it came.
        writer: Who wrote it, as the row of somebody who writes for the first time.
        now: Aware UTC.
    """

    sender: str
    heard: Heard
    writer: Mapping[str, Any]
    now: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """All that an answer depends on, as it stood at one moment.

    Attributes:
        asker: The writer.
        deaths: How many processes died of this message.
    """

    asker: Asker
    deaths: int


@dataclass(frozen=True, slots=True)
class Decided:
    """What a message is answered.

    Attributes:
        answer: None where there is nobody to answer any more.
        said: The reply, where it can be written before anything is done.
    """

    answer: Answer | None
    said: Rendered | None = None


class Reader:
    """Reads messages, one at a time."""

    def __init__(self, current: Current, note: Note) -> None:
        self._current = current
        self._note = note
        self._turn = asyncio.Lock()

    async def read(self, message: Message, standing: Standing) -> Decided:
        """What is answered. Changes nothing.

        Raises:
            Unusable: it could not be noted that this is being read.
        """
        async with self._turn:
            await asyncio.sleep(0)  # one in a round of the loop, or all else would wait for all of them
            if message.heard.left:  # the vendor has let them go, and told them so
                return Decided(None)
            if standing.deaths >= _DEATHS:
                log.error("answer.quarantined", sender=message.sender)
                unread = self._current.conversation.unread(message.heard.text, standing.asker)
                return self._decided(message, unread)
            try:
                with self._note.reading(message.sender, message.heard.vendor_id):
                    answer = self._current.conversation.answer(
                        message.heard.text, standing.asker, message.now
                    )
                    return self._decided(message, answer)
            except Unusable:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is about this message alone
                return self.sorry(message, standing, error)

    def sorry(self, message: Message, standing: Standing, error: Exception) -> Decided:
        """What is said honestly after a fault of ours, and changes nothing."""
        log.error("answer.fault", sender=message.sender, error=type(error).__name__)
        says = self._current.conversation.honestly()
        return self._decided(message, Answer("nothing", standing.asker, says))

    def said(self, message: Message, answer: Answer, told: Mapping[str, str]) -> Rendered | None:
        """The reply, once its acts ended as they `told`; None for silence."""
        through = self._current.project.settings.senders[message.sender]
        menus = through.menus if isinstance(through, Whatsapp) else {}
        return self._current.writer.write(answer, message.now, menus=menus, ended=told)

    def _decided(self, message: Message, answer: Answer) -> Decided:
        later = any(isinstance(act, _TOLD_AFTERWARDS) for act in answer.does)
        return Decided(answer, None if later else self.said(message, answer, {}))
