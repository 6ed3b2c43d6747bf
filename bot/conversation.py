"""What to answer to a message: pure. Leaving and crisis before all (it may be both), commands, then search.

What may enter: in which order a message is understood, and which entry answers. What words mean is `hearing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import structlog

from bot.findings import Faults
from bot.hearing import ear
from bot.hearing.commands import Commands
from bot.hearing.crisis import Crises
from bot.hearing.leaving import Leaving
from bot.rendering import render, render_choices
from bot.search import Search, is_for, is_urgent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.library import Entry, Library
    from bot.rendering import Rendered
    from bot.timetable import Community
    from channels.base import ChannelName

log = structlog.get_logger()

Intent = Literal[
    "crisis",
    "leave",
    "join",
    "erase",
    "language",
    "community",
    "topics",
    "help",
    "greeting",
    "thanks",
    "person",
    "proposal",
    "entry",
    "choices",
    "more",
    "nothing",
]

NOT_FOUND = "no-encontrado"
"""The page that says honestly that we have no answer, and who has."""

CIAM = "ciam"
"""Whom to call at any hour: what answers a crisis where a consulate has taken its own answer away."""

_PAGES: Mapping[str, str] = {
    "leave": "baja",
    "join": "alta",
    "erase": "privacidad",
    "help": "ayuda",
    "greeting": "bienvenida",
    "language": "ayuda",
    "community": "ayuda",
    "topics": "ayuda",
    "more": "ayuda",
    "person": CIAM,
    "proposal": NOT_FOUND,
    "thanks": "de-nada",
}
"""What answers each wish and command. Where the bot cannot do it yet, the page says what it can."""

_ASK_BACK = "quieres-salir"
"""The page that asks whether leaving was meant."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a message meant and what answers it.

    Attributes:
        entry: The entry or page whose text is the reply; None when a choice must be made first.
        choices: Between what, when the words belong to several entries.
        leaving: The person is to be out of all broadcasts, whatever else the message meant.
        doubt: It may have meant leaving: `entry` asks back, and nothing is changed.
    """

    intent: Intent
    entry: Entry | None
    choices: tuple[Entry, ...] = ()
    leaving: bool = False
    doubt: bool = False


class Conversation:
    """The answers of one library. Not to be shared between threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._search = Search(library)
        self._crises, self._leaving, self._commands = Crises(), Leaving(), Commands()

    def answer(self, text: str, community: Community, now: datetime) -> Answer:
        """What somebody of `community` who wrote `text` is to be answered, at `now` (aware UTC)."""
        words = ear.words(text)
        crises = self._crises.heard(words)
        wish = self._leaving.heard(words, in_crisis=bool(crises))
        leaving = wish in ("leave", "erase")
        if crises:
            return Answer("crisis", self._help(crises, words, community, now), leaving=leaving)
        if wish == "doubt":
            return Answer("choices", self._page(_ASK_BACK) or self._page("ayuda"), doubt=True)
        if wish is not None:
            return self._paged(wish, leaving=leaving)
        command = self._commands.heard(words)
        if command == "foreign":
            return self._paged("nothing")
        if command is not None:
            return self._paged(command)
        return self._found(self._search.find(words, community, now))

    def _help(
        self, slugs: Sequence[str], words: Sequence[str], community: Community, now: datetime
    ) -> Entry | None:
        """The entry for the first crisis that this library has an answer to."""
        known = self._library.entries
        for slug in slugs:
            if slug in known and is_for(known[slug], community, now):
                return known[slug]
        found = self._search.find(words, community, now)
        return next((one for one in found if is_urgent(one)), None) or self._page(CIAM)

    def _found(self, found: tuple[Entry, ...]) -> Answer:
        if not found:
            return self._paged("nothing")
        urgent = next((one for one in found if is_urgent(one)), None)
        if urgent:
            return Answer("crisis", urgent)
        return Answer("choices", None, found) if len(found) > 1 else Answer("entry", found[0])

    def _paged(self, intent: Intent, *, leaving: bool = False) -> Answer:
        return Answer(intent, self._page(_PAGES.get(intent, NOT_FOUND)), leaving=leaving)

    def _page(self, slug: str) -> Entry | None:
        return self._library.entries.get(slug) or self._library.entries.get(NOT_FOUND)


def said_of(
    library: Library, answer: Answer, community: Community, channel: ChannelName, language: str, now: datetime
) -> Rendered | None:
    """The text of an answer; the honest "we do not know" where its entry can no longer be said truly."""
    where = (community, channel, language, now)
    for entries in ((answer.entry,) if answer.entry else answer.choices, (library.entries.get(NOT_FOUND),)):
        said = [entry for entry in entries if entry is not None]
        try:
            if len(said) > 1:
                return render_choices(library, said, *where)
            if said:
                return render(library, said[0], *where)
        except Faults as faults:
            log.warning("answer.faults", entry=said[0].slug, reason=faults.findings[0].rule)
    return None
