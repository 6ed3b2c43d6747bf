"""The consulate's inbox: the threads people opened, read, answered and closed at the desk.

What may enter: what the desk asks and decides, without any address. A reply is a delivery like any other: it
is written down here, and the dispatcher sends it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import structlog

from bot import timetable
from bot.moments import from_ms, to_ms
from bot.outbox import window_from
from bot.rendering import render_letter
from bot.store import voice
from bot.texts import add_sealed_text
from bot.threads import open_letter, write_letter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.current import Current
    from bot.rendering import Rendered
    from bot.store import Store, Transaction
    from bot.threads import Author, Kind, State
    from bot.timetable import Community
    from bot.vault import Vault
    from channels.base import ChannelName

log = structlog.get_logger()

Progress = Literal["waiting", "held", "sent", "arrived", "failed", "unknown"]
_PROGRESS: Mapping[str, Progress] = {
    "queued": "waiting",
    "claimed": "waiting",
    "held": "held",
    "sent": "sent",
    "delivered": "arrived",
    "read": "arrived",
    "failed": "failed",
    "expired": "failed",
    "cancelled": "failed",
    "unknown": "unknown",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """How far a letter of the consulate has come.

    Attributes:
        reason: Why it is held or failed: a word of `reasons` in `bot/phrases`.
        due_at: Before when it does not leave, aware UTC.
    """

    state: Progress
    reason: str | None
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """A question or a proposal, without its words and without its writer's address.

    Attributes:
        author: Who wrote last.
        written_at: When that was, aware UTC.
        reply: Of the last letter, where the consulate wrote it.
        closed_at: Aware UTC; None while it is open.
    """

    reference: str
    community: str
    kind: Kind
    state: State
    channel: ChannelName
    language: str
    author: Author
    written_at: datetime
    reply: Reply | None
    closed_at: datetime | None

    @property
    def waits(self) -> bool:
        """Whether the person wrote last, and still hopes for an answer."""
        return self.author == "person" and self.closed_at is None


@dataclass(frozen=True, slots=True)
class Letter:
    """What was written in a thread, opened."""

    author: Author
    text: str = field(repr=False)
    written_at: datetime
    reply: Reply | None


MOST_SEGMENTS = 12
"""Of a reply: more than that nobody reads on a telephone, and as SMS each is paid for."""


class Unanswerable(Exception):  # noqa: N818 - what it is
    """The person cannot be written to, or there is nothing to write; `why` is what staff read about it."""

    def __init__(self, why: Literal["left", "gone", "no-sender", "no-community", "empty", "long"]) -> None:
        super().__init__(why)
        self.why = why


class Inbox:
    """The threads of one store, as the desk works on them."""

    def __init__(self, store: Store, vault: Vault, current: Current) -> None:
        self._store = store
        self._vault = vault
        self._current = current

    async def listed(self, *, closed: bool = False) -> list[Thread]:
        """The open threads, with `closed` all: first those whose person waits, the longest waiting first."""
        rows = await self._store.read(lambda tx: tx.rows(voice.THREADS, {"closed": int(closed)}))
        return [_thread(row) for row in rows]

    async def get(self, reference: str) -> Thread:
        """One thread. Raises KeyError when there is none."""
        return _thread(await self._store.read(lambda tx: _known(tx, reference)))

    async def read(self, reference: str) -> list[Letter]:
        """All that was written in a thread, oldest first; that it was read is logged. Raises KeyError."""
        community, rows = await self._store.read(
            lambda tx: (
                _known(tx, reference)["community"],
                tx.rows(voice.LETTERS, {"reference": reference}),
            )
        )
        log.info("thread.read", thread=reference, community=community)
        return [
            Letter(
                row["author"],
                open_letter(self._vault, reference, row),
                from_ms(row["written_at"]),
                _reply(row),
            )
            for row in rows
        ]

    async def reply(self, reference: str, text: str, now: datetime) -> Rendered:
        """Answer a person in small Markdown, by the channel they wrote on, after their community's night.

        Where WhatsApp's window has closed the reply is held, and leaves when they write.

        Returns:
            What they will get.

        Raises:
            KeyError: there is no such thread.
            Unanswerable: nothing was written.
        """
        return await self._store.write(lambda tx: self._answer(tx, reference, text, now))

    async def consider(self, reference: str) -> bool:
        """Say that it is being looked into. False when it is, was adopted, or is closed."""
        return bool(
            await self._store.write(lambda tx: tx.run(voice.THREAD_CONSIDER, {"reference": reference}))
        )

    async def close(self, reference: str, now: datetime, *, adopted: bool = False) -> bool:
        """End a thread, which is deleted 30 days later. False when that changes nothing."""
        values = {"reference": reference, "now": to_ms(now), "adopted": int(adopted)}
        return bool(await self._store.write(lambda tx: tx.run(voice.THREAD_CLOSE, values)))

    def _answer(self, tx: Transaction, reference: str, text: str, now: datetime) -> Rendered:
        row = _known(tx, reference)
        community, sender = self._way(row)
        said = render_letter(
            self._current.project.library, text, reference, community, row["channel"], row["language"], now
        )
        if said is None:
            raise Unanswerable("empty")
        if sum(part.segments for part in said.open) > MOST_SEGMENTS:
            raise Unanswerable("long")
        # Not for days of rest or mourning: somebody asked, and waits for this answer.
        due_at = timetable.quiet_until(community, now) or now
        held = not said.closed and (row["heard_at"] or 0) <= window_from(due_at)
        delivery = {
            "subscriber": row["subscriber"],
            "text": add_sealed_text(tx, said, sender, self._vault, reference),
            "sender": sender,
            "state": "held" if held else "queued",
            "reason": "window" if held else None,
            "due_at": to_ms(due_at),
        }
        sent = tx.rows(voice.LETTER_SEND, delivery)[0]["id"]
        write_letter(tx, self._vault, reference, "consulate", text, now, sent)
        tx.run(voice.THREAD_ANSWERED, {"reference": reference, "now": to_ms(now)})
        return said

    def _way(self, row: Mapping[str, Any]) -> tuple[Community, str]:
        """Where the person is and through which sender they are written to."""
        community = self._current.project.communities.get(row["community"])
        if row["person"] in ("left", "gone"):
            raise Unanswerable(row["person"])
        if community is None:
            raise Unanswerable("no-community")
        wrote_to = self._current.project.settings.senders.get(row["sender"])
        if wrote_to is not None and wrote_to.channel == row["channel"]:
            return community, row["sender"]
        if row["channel"] not in community.channels:
            raise Unanswerable("no-sender")
        return community, community.channels[row["channel"]]


def _known(tx: Transaction, reference: str) -> dict[str, Any]:
    row = tx.one(voice.THREAD, {"reference": reference})
    if row is None:
        raise KeyError(reference)
    return row


def _thread(row: Mapping[str, Any]) -> Thread:
    plain = ("reference", "community", "kind", "state", "channel", "language", "author")
    return Thread(
        **{name: row[name] for name in plain},
        written_at=from_ms(row["written_at"]),
        reply=_reply(row),
        closed_at=from_ms(row["closed_at"]),
    )


def _reply(row: Mapping[str, Any]) -> Reply | None:
    """None for what a person wrote, and for what was sent so long ago that its delivery is forgotten."""
    if row["delivery"] is None:
        return None
    return Reply(_PROGRESS[row["delivery"]], row["reason"], from_ms(row["due_at"]))
