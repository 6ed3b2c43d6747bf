"""What takes the place of wrong texts: for whoever may have got one, and for whoever was still to get it.

What may enter: which text says what. Whether there is a correction, and when, is `corrections`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import channels
from bot.broadcasts.fanning import ask_opinion
from bot.broadcasts.wanted import heading_of
from bot.moments import to_ms
from bot.outbox import window_from
from bot.rendering import Rendered, render_announcement
from bot.store import corrections, sql
from bot.texts import add_text, load_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.library import Entry, Library
    from bot.rendering.lines import Heading
    from bot.store import Transaction
    from bot.timetable import Community
    from channels.base import Part

AGAIN = "again"
"""The last word of the variant of a text that says that they may have it already."""
_LANDING = timedelta(minutes=1)
"""What is under way when we correct has ended by then: no channel waits half as long for an answer."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What takes the place of one text.

    Attributes:
        wrong: The text's number.
        variant: Which of its broadcast's it was.
        correction: For whoever may have got it.
        instead: For whoever was still to get it.
        changed: Whether people read anything else now.
    """

    wrong: int
    sender: str
    variant: str
    correction: Rendered
    instead: Rendered
    changed: bool

    def add(self, tx: Transaction, broadcast: int, *, reached: bool) -> int:
        """Keep what is said to whoever may have got the wrong text, or instead of it; its number."""
        text, variant = (self.correction, "correction") if reached else (self.instead, "")
        if self.variant:  # a correction itself: each of its texts has others that take its place
            variant = f"correction after {self.wrong}" if reached else f"correction instead of {self.wrong}"
        return add_text(tx, text, self.sender, broadcast, variant)


@dataclass(frozen=True, slots=True)
class Mending:
    """All of a correction.

    Attributes:
        wrong: The broadcast that is corrected.
    """

    wrong: int
    entry: Entry
    texts: Sequence[Mended]

    @property
    def changed(self) -> bool:
        """Whether there is anything to correct."""
        return any(text.changed for text in self.texts)

    def fan_out(self, tx: Transaction, correction: int, now: datetime) -> None:
        """Stop the wrong broadcast, if it still runs, and write the correction's texts and deliveries."""
        stop(tx, self.wrong, now)
        order = {"broadcast": correction, "corrects": self.wrong, "window_from": window_from(now)}
        order |= {"now": to_ms(now), "landed": to_ms(now + _LANDING)}
        texts = {text.wrong: text for text in self.texts}
        for wrong, reached in tx.tuples(corrections.AUDIENCE, order):
            right = texts[wrong].add(tx, correction, reached=bool(reached))
            tx.run(corrections.FAN_OUT, order | {"wrong": wrong, "reached": reached, "right": right})
        ask_opinion(tx, correction, self.entry, now)


@dataclass(frozen=True, slots=True)
class Before:
    """What led to a text that is corrected.

    Attributes:
        moment: Of the announcement that was corrected first.
        corrections: How many came since.
    """

    moment: str
    corrections: int


def stop(tx: Transaction, wrong: int, now: datetime) -> None:
    """Nothing more leaves of a wrong broadcast; who was still to get it is known by the reason."""
    tx.run(sql.CANCEL_OPEN, {"broadcast": wrong, "reason": "corrected", "now": to_ms(now)})


def mended(
    library: Library,
    entry: Entry,
    community: Community,
    text: Mapping[str, Any],
    before: Before,
    now: datetime,
) -> Mended:
    """What takes the place of a text, for the same people on the same channel.

    Args:
        text: Its row.
        before: What led to it.

    Raises:
        Faults: the entry cannot be said now.
    """
    channel, language = text["channel"], text["language"]

    def said(heading: Heading) -> Rendered:
        revision = before.corrections + 1
        return render_announcement(
            library, entry, community, channel, language, now, heading=heading, revision=revision
        )

    opened = load_parts(text["open"])
    again = text["variant"].startswith("correction")
    plain, correction = said(heading_of(community, entry, before.moment)), said("correction")
    edited = {part.replaces: [part] for part in opened if part.replaces}
    copies = {1: _messages(opened)} | {ago + 1: copy for ago, copy in edited.items()}
    return Mended(
        wrong=text["id"],
        sender=text["sender"],
        variant=text["variant"],
        correction=_led_by(channels.edits(channel, copies, plain.open), correction),
        instead=_led_by(channels.edits(channel, edited, plain.open), correction) if again else plain,
        changed=not reads_as(text, as_said(library, entry, community, text, before, now)),
    )


def as_said(
    library: Library,
    entry: Entry,
    community: Community,
    text: Mapping[str, Any],
    before: Before,
    now: datetime,
) -> Rendered:
    """What a text (its row) would say if it were written now: the same, unless somebody edited its entry.

    Raises:
        Faults: the entry cannot be said now.
    """
    variant = text["variant"]
    heading = heading_of(community, entry, before.moment)
    return render_announcement(
        library,
        entry,
        community,
        text["channel"],
        text["language"],
        now,
        heading="correction" if variant.startswith("correction") else heading,
        again=variant.endswith(AGAIN),
        revision=before.corrections,
    )


def reads_as(text: Mapping[str, Any], said: Rendered) -> bool:
    """Whether people read the same in a text that is kept (its row) as in one that was written now."""
    opened, closed = load_parts(text["open"]), load_parts(text["closed"] or "[]")
    return _same(opened, said.open) and _same(closed, said.closed)


def _led_by(edits: Sequence[Part], text: Rendered) -> Rendered:
    """The text with the edits before it: they make no sound, so it is what is heard."""
    opened, closed = ((*edits, *parts) if parts else () for parts in (text.open, text.closed))
    return replace(text, open=opened, closed=closed)


def _messages(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if not part.replaces]


def _same(before: Sequence[Part], after: Sequence[Part]) -> bool:
    """Whether people read the same. That an event has begun since, and brings no file, is no change."""
    told, tells = ([replace(p, file=None) for p in _messages(parts) if p.text] for parts in (before, after))
    files, now = ([p.file for p in _messages(parts) if p.file] for parts in (before, after))
    return told == tells and now in ([], files)
