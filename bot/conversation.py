"""What to answer to a message: pure. Leaving before all, then crisis, then joining and help, then search.

The words that mean leaving are those of Twilio, CTIA and the FCC's rule of 2025-04-11, and Spanish's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import structlog

from bot.findings import Faults
from bot.rendering import render
from bot.search import Search, fold

if TYPE_CHECKING:
    from datetime import datetime

    from bot.library import Entry, Library
    from bot.rendering import Rendered
    from bot.timetable import Community
    from channels.base import ChannelName

log = structlog.get_logger()

Intent = Literal["leave", "crisis", "join", "help", "greeting", "entry", "choices", "nothing"]

NOT_FOUND = "no-encontrado"
"""The page that says honestly that we have no answer, and who has."""

_LEAVE = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"}
    | {"alto", "baja", "parar", "cancelar", "salir", "basta", "ya no"}
)
_JOIN = frozenset(
    {"alta", "start", "unstop", "inicio", "iniciar", "entrar", "si quiero", "suscribir", "subscribe"}
)
_HELP = frozenset({"ayuda", "help", "info", "menu"})
_GREETING = frozenset(
    {"hola", "hello", "hi", "buenos dias", "buenas tardes", "buenas noches", "buenas", "hey"}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a message meant and what answers it.

    Attributes:
        entry: The entry or page whose text is the reply; None when a choice must be made first.
        choices: Between what, when the words belong to several entries.
    """

    intent: Intent
    entry: Entry | None
    choices: tuple[Entry, ...] = ()


class Conversation:
    """The answers of one library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._search = Search(library)

    def answer(self, text: str, community: Community, now: datetime) -> Answer:
        """What a subscriber of `community` who wrote `text` is to be answered."""
        words = fold(text.removeprefix("/start") or "start") if text.startswith("/start") else fold(text)
        for intent, said, page in (
            ("leave", _LEAVE, "baja"),
            ("join", _JOIN, "alta"),
            ("help", _HELP, "ayuda"),
            ("greeting", _GREETING, "bienvenida"),
        ):
            if words in said:
                return Answer(intent, self._page(page))  # type: ignore[arg-type] # mypy 2.4 widens the tuple's literals
        found = self._search.find(text, community, now)
        if not found:
            return Answer("nothing", self._page(NOT_FOUND))
        urgent = [entry for entry in found if entry.urgency == "emergency"]
        if urgent:
            return Answer("crisis", urgent[0])
        if len(found) > 1:
            return Answer("choices", None, tuple(found[:3]))
        return Answer("entry", found[0])

    def _page(self, slug: str) -> Entry | None:
        return self._library.entries.get(slug)


def said_of(
    library: Library, answer: Answer, community: Community, channel: ChannelName, language: str, now: datetime
) -> Rendered | None:
    """The text of an answer; the honest "we do not know" where its entry can no longer be said truly."""
    entry = answer.entry or (answer.choices[0] if answer.choices else None)
    for said in (entry, library.entries.get(NOT_FOUND)):
        if said is None:
            continue
        try:
            return render(library, said, community, channel, language, now)
        except Faults as faults:
            log.warning("answer.faults", entry=said.slug, reason=faults.findings[0].rule)
    return None
