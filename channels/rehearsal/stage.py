"""The stage: the parts of one rehearsal, joined, and the few things all vendors do on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from channels.rehearsal.bot_api_files import Files
from channels.rehearsal.faults import Faults
from channels.rehearsal.ledger import Ledger, Row
from channels.rehearsal.live import Live
from channels.rehearsal.people import Bubble, People

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from channels.rehearsal.bot_api_messages import Content
    from channels.rehearsal.bots import Bot
    from channels.rehearsal.callbacks import Callbacks, Line
    from channels.rehearsal.people import Channel, Person
    from channels.rehearsal.receipts import Accepted


@dataclass
class Stage:
    """One rehearsal.

    Attributes:
        now: UTC, aware.
        new_id: 32 hexadecimal digits, never twice.
        callbacks: What goes back to the bot.
        bots: By their id, the digits before the colon of their token.
        lines: Where what people write to a number goes, by channel and number.
        files: What bots uploaded.
        waiting: What Twilio accepted and has not sent on yet, by its sid.
        unread: What was delivered to a watched WhatsApp phone and waits to be looked at, by its sid.
    """

    now: Callable[[], datetime]
    new_id: Callable[[], str]
    callbacks: Callbacks
    live: Live = field(default_factory=Live)
    ledger: Ledger = field(default_factory=Ledger)
    faults: Faults = field(default_factory=Faults)
    bots: dict[str, Bot] = field(default_factory=dict)
    files: Files = field(default_factory=Files)
    lines: dict[tuple[Channel, str], Line] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    unread: dict[str, Accepted] = field(default_factory=dict)
    people: People = field(init=False)

    def __post_init__(self) -> None:
        self.people = People(self.live.tell)

    def counts(self) -> dict[str, Any]:
        """How many people there are, how many pages watch, and what each vendor saw."""
        return {
            "everyone": len(self.people),
            "watching": self.live.watching,
            "counts": self.ledger.summary(),
        }

    def recount(self) -> None:
        """Tell open pages the counts."""
        self.live.tell_soon("counts", self.counts)

    def accepted(
        self, person: Person | None, bubble: Bubble, channel: Channel, address: str, text: str
    ) -> Row:
        """A vendor said yes to `text`, which the bubble shows."""
        row = self.ledger.write(
            self.now(),
            channel,
            outcome="accepted",
            sender=bubble.sender,
            address=address,
            text=text,
            vendor_id=bubble.id,
            status=200 if channel == "telegram" else 201,
            file=bubble.file.name if bubble.file else "",
        )
        self.recount()
        if person is not None:
            person.sender = bubble.sender
        return row

    def edited(self, person: Person, message: str, sender: str, content: Content) -> None:
        """Telegram changed a message on a phone; it makes no sound."""
        self.ledger.write(
            self.now(),
            "telegram",
            outcome="edited",
            sender=sender,
            address=person.address,
            text=content.source,
            vendor_id=message,
            status=200,
            file=content.document.name if content.document else "",
        )
        self.recount()

    def refused(
        self,
        channel: Channel,
        *,
        sender: str,
        address: str,
        text: str,
        status: int,
        code: int,
        reason: str,
        edit: bool = False,
    ) -> None:
        """A vendor said no; the phone shows a note, because its owner would see nothing at all.

        Not for an edit: there is something to see.
        """
        at = self.now()
        self.ledger.write(
            at,
            channel,
            outcome="refused",
            sender=sender,
            address=address,
            text=text,
            status=status,
            code=code,
            reason=reason,
        )
        self.recount()
        if not edit and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.TOO_MANY_REQUESTS:
            self.people.show(self.people.find(channel, address), self.note(code or status, reason, sender))

    def failed(self, accepted: Accepted, person: Person | None, code: int) -> None:
        """Twilio gave up on what it had accepted."""
        wanted = accepted.wanted
        self.ledger.write(
            self.now(),
            wanted.channel,
            outcome="failed",
            sender=wanted.sender,
            address=wanted.address,
            text=wanted.text,
            vendor_id=accepted.sid,
            code=code,
        )
        self.recount()
        self.people.show(person, self.note(code, "", wanted.sender))

    def unreached(self, channel: Channel) -> None:
        """The bot did not take a receipt or a webhook."""
        self.ledger.unreached(channel)
        self.live.tell_soon("counts", self.counts)

    def note(self, code: int, text: str, sender: str = "") -> Bubble:
        """A remark of the rehearsal on a phone."""
        return Bubble(self.new_id(), "note", self.now(), text, code=code, sender=sender)

    async def reset(self) -> None:
        """Begin again; pages that are open begin again with us."""
        await self._part()
        await self.callbacks.forget()
        self.lines.clear()
        self.waiting.clear()
        self.unread.clear()
        self.files = Files()
        self.faults.clear()
        self.ledger = Ledger()
        self.people.reset()
        self.live.tell("reset", {})

    async def _part(self) -> None:
        for bot in self.bots.values():
            await bot.aclose()
        self.bots.clear()

    async def aclose(self) -> None:
        """Stop everything that runs by itself."""
        await self._part()
        await self.callbacks.aclose()


STAGE = web.AppKey("stage", Stage)
