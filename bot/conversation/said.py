"""An answer as one message: its pages and sentences one under the other, and what is offered beneath them.

What may enter: how an answer is put together and paged. How a channel writes it is the channel's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from bot.conversation.answers import Answer, Page, Phrase
from bot.findings import Faults
from bot.paging import pages
from bot.rendering import Desk, Rendered
from bot.words import Phrases
from channels.base import Message
from channels.markdown import Block, Document, Span

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from datetime import datetime

    from bot.library import Library

log = structlog.get_logger()

_NOT_FOUND = "no-encontrado"
_KEPT = 4096
"""How many written answers are kept."""
_NOTHING: Mapping[str, str] = {}
_NO_MENUS: Mapping[int, str] = {}


@dataclass(frozen=True, slots=True)
class _Piece:
    """One page or sentence.

    Attributes:
        short: All of it in few letters, or None where it must be read in full.
        edition: The language it is in.
        further: Whether there is another page.
    """

    document: Document
    title: str
    short: str | None
    edition: str
    further: bool = False


class Writer:
    """Writes the answers of one library. The same answer is written once a day: then facts may expire."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._written: dict[Hashable, Rendered | None] = {}

    def write(
        self,
        answer: Answer,
        now: datetime,
        *,
        menus: Mapping[int, str] = _NO_MENUS,
        ended: Mapping[str, str] = _NOTHING,
    ) -> Rendered | None:
        """The text of an answer; an honest "we do not know" where its entry can no longer be said truly.

        Args:
            answer: What is to be said.
            now: Aware UTC.
            menus: WhatsApp's menus by their number of choices, as config.toml names them.
            ended: How its acts ended: a `reference` or code, and an `outcome`, for the phrases that tell it.

        Returns:
            None when nothing is to be said.
        """
        if ended:
            return _written(self._library, answer, now, menus, ended)
        key = _key(answer, now, menus)
        if key not in self._written:
            if len(self._written) >= _KEPT:
                self._written.clear()
            self._written[key] = _written(self._library, answer, now, menus, ended)
        return self._written[key]


def _key(answer: Answer, now: datetime, menus: Mapping[int, str]) -> Hashable:
    """All that a text depends on."""
    reader = answer.reader
    says = tuple((said.entry.slug, said.number) if isinstance(said, Page) else said for said in answer.says)
    place = reader.community
    day = now.astimezone(place.zone).date()
    return says, answer.offers, place.slug, reader.channel, reader.language, day, tuple(menus.items())


def _written(
    library: Library, answer: Answer, now: datetime, menus: Mapping[int, str], ended: Mapping[str, str]
) -> Rendered | None:
    reader = answer.reader
    desk = Desk(library, reader.community, reader.language, now)
    lost = library.entries.get(_NOT_FOUND)
    for attempt in (answer, replace(answer, says=(Page(lost),) if lost else (), offers=())):
        try:
            pieces = [_piece(desk, said, attempt, ended) for said in attempt.says]
        except Faults as faults:
            log.warning("answer.faults", reason=faults.findings[0].rule)
            continue
        return _together(desk, pieces, attempt, menus) if pieces else None
    return None


def _piece(desk: Desk, said: Page | Phrase, answer: Answer, ended: Mapping[str, str]) -> _Piece:
    if isinstance(said, Page):
        return _page(desk, said, answer)
    phrases = Phrases(desk.language)
    key = f"bot.{said.key}{ended.get('outcome', '')}" if said.key.endswith(".") else f"bot.{said.key}"
    text = phrases.say(key, **{"community": answer.reader.community.name, **dict(said.values), **ended})
    return _Piece(Document((Block("paragraph", (Span(text),)),)), "", text, phrases.language)


def _page(desk: Desk, said: Page, answer: Answer) -> _Piece:
    """A page of an entry. Where letters are counted the first is its short text, and the body is the next."""
    message, edition = desk.message(said.entry)
    short = message.short if answer.reader.channel == "sms" else None
    body = pages(message.document, answer.reader.channel)
    if short and not said.number:
        return _Piece(message.document, message.title, short, edition.language, bool(body))
    number = said.number - bool(short)
    if number >= len(body):
        return _piece(desk, Phrase("no-more"), answer, {})
    title = "" if said.number else message.title
    return _Piece(body[number], title, None, edition.language, number + 1 < len(body))


def _together(desk: Desk, pieces: list[_Piece], answer: Answer, menus: Mapping[int, str]) -> Rendered:
    reader, first = answer.reader, pieces[0]
    further = any(piece.further for piece in pieces)
    by_hand = reader.channel == "sms"  # MÁS is written there, not chosen by a number
    plain = tuple(one for one in answer.offers if not one.value.startswith("#more:"))
    further = further and plain != answer.offers
    offers = answer.offers if further and not by_hand else plain
    shorts = [piece.short for piece in pieces]
    message = Message(
        Document(tuple(block for piece in pieces for block in piece.document.blocks)),
        first.title,
        "\n".join(filter(None, shorts)) if all(shorts) else None,
        fold=reader.community.fold,
        choices=offers,
        menus=menus,
    )
    if by_hand and further:
        return _hinted(desk, message, first.edition)
    return desk.written(message, first.edition, reader.channel)


def _hinted(desk: Desk, message: Message, edition: str) -> Rendered:
    """The word that asks for more: where it costs nothing, or where nothing else says that there is more."""
    hint = Phrases(desk.language).say("bot.more-hint")
    blocks = (*message.document.blocks, Block("paragraph", (Span(hint),)))
    short = f"{message.short}\n{hint}" if message.short else None
    hinted = desk.written(replace(message, document=Document(blocks), short=short), edition, "sms")
    plain = desk.written(message, edition, "sms")
    return plain if short and _cost(hinted) > _cost(plain) else hinted


def _cost(text: Rendered) -> int:
    return sum(part.segments for part in text.open)
