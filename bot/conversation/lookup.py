"""Entries as answers: what a question finds, reading on, which consulate, and what nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import taps
from bot.conversation.answers import Answer, Asked, Miss, Page, Phrase
from bot.hearing.topics import Topics
from bot.places import Places
from bot.search import Search, asks_when, is_for, is_urgent
from bot.words import Phrases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.conversation.answers import Asker, Intent
    from bot.hearing.topics import About
    from bot.library import Entry, Library
    from bot.taps import Tap

_NOT_FOUND = "no-encontrado"
"""The page that says honestly that we have no answer, and who has."""

_CIAM = "ciam"
"""Whom to call at any hour: what answers a crisis where a consulate has taken its own answer away."""

_LOCATOR = "encuentra-consulado"
"""The entry for whoever looks for their consulate: with a place in the question, the consulate's own card."""

_OFFICE = frozenset({"consulado", "consulate", "toca", "oficina", "office"})
"""Words that ask for a consulate where a place stands beside them."""
_SHORT = 5
"""In so few words all beside them is the place; and what is found written is believed, misspelt or not."""

_PAGES: Mapping[str, str] = {"help": "ayuda", "thanks": "de-nada", "person": _CIAM}
_SURE, _FAIR, _AHEAD = 0.45, 0.22, 2.0
"""From what probability an answer is the one, from what one if it is so many times the next."""
_FAINT, _CLOSE, _MOST = 0.12, 0.35, 3
"""Below what probability there is none; from what part of the best one another is offered; how many are."""
_NAMED = 2
"""In so few words a question is a name, which is written in what it names."""
_TELLING = 2
"""From how many words a question is worth passing on to somebody."""


class Lookup:
    """What one library can say to whom."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.places = Places(library)
        self.topics = Topics(library.entries)
        self._search = Search(library)

    def page(self, slug: str) -> tuple[Page | Phrase, ...]:
        """A page, or a sentence of ours in its place where a consulate has taken it away."""
        found = self.library.entries.get(slug)
        return (Page(found),) if found else (Phrase(f"without.{slug}"),)

    def told(self, what: Intent, asker: Asker) -> Answer:
        """The page for a command."""
        return Answer(what, asker, self.page(_PAGES[what]))

    def help(
        self, slugs: Sequence[str], words: Sequence[str], asker: Asker, now: datetime
    ) -> tuple[Page | Phrase, ...]:
        """The entry for the first crisis that this library has an answer to."""
        known = self.library.entries
        for slug in slugs:
            if slug in known and is_for(known[slug], asker.community, now):
                return (Page(known[slug]),)
        found = self._search.find(words, asker.community, now)
        urgent = next((one for one in found if is_urgent(one)), None)
        return (Page(urgent),) if urgent else self.page(_CIAM)

    def found(
        self, text: str, words: Sequence[str], about: About, asker: Asker, now: datetime
    ) -> Answer | None:
        """What a question finds."""
        found = self._search.find(words, asker.community, now)
        urgent = next((one for one in found if is_urgent(one)), None)
        if urgent:
            return Answer("crisis", asker, (Page(urgent),))
        new = tuple(one for one in found if one.slug not in self.topics.taught)
        if _is_news(new, words):
            found = new
        elif not (new and about.plain < _SURE) and not (len(found) == 1 and len(words) <= _NAMED):
            found = self._felt(found, words, about, asker, now)
        if card := self._card(text, words, found, asker):
            return card
        if len(found) > 1:
            offers = tuple(taps.choice(_title(one, asker), "entry", one.slug) for one in found)
            return Answer("choices", asker, (Phrase("choose"),), offers, Asked("which", offers))
        if found:
            return self._said(found[0], asker)
        if asker.asked and asker.asked.question in ("community", "join-community"):
            return self.lost(asker)
        return None

    def _felt(
        self,
        written: Sequence[Entry],
        words: Sequence[str],
        about: About,
        asker: Asker,
        now: datetime,
    ) -> tuple[Entry, ...]:
        """What examples say of the same question: one entry when they are sure, else those that come close.

        What is only written somewhere in a text, and nobody ever asked like this, is no answer.
        """
        entries = self.library.entries
        likely = sorted(
            (
                (score, slug)
                for slug, score in about.entries.items()
                if is_for(entries[slug], asker.community, now)
            ),
            reverse=True,
        )
        if not likely or likely[0][0] < _FAINT:
            believed = len(written) == 1 and (about.kind is None or len(words) <= _SHORT)
            return tuple(written) if believed else ()
        (best, slug), (next_best, _) = likely[0], likely[1] if len(likely) > 1 else (0.0, "")
        if best >= _SURE or (best >= _FAIR and best >= _AHEAD * next_best):
            return (entries[slug],)
        if len(written) == 1 and about.entries[written[0].slug] >= best / _AHEAD:
            return (written[0],)
        return tuple(entries[slug] for score, slug in likely[:_MOST] if score >= best * _CLOSE)

    def named(self, chosen: Tap, asker: Asker, now: datetime) -> Answer:
        """An entry by its name, or a further page of it."""
        entry = self.library.entries.get(chosen.about)
        if entry is None or not is_for(entry, asker.community, now):
            return Answer("nothing", asker, self.page(_NOT_FOUND))
        return self._said(entry, asker, int(chosen.more) if chosen.more.isdecimal() else 0)

    def lost(self, asker: Asker) -> Answer:
        """They were asked where they live, and we do not know that place. We go on waiting."""
        return Answer("community", asker, (Phrase("place-unknown"),), asks=asker.asked)

    def _card(self, text: str, words: Sequence[str], found: Sequence[Entry], asker: Asker) -> Answer | None:
        """The consulate's own card, when they ask for their consulate and say where they are."""
        locator = self.library.entries.get(_LOCATOR)
        named = locator in found or (len(words) <= _SHORT and not _OFFICE.isdisjoint(words))
        if locator is None or (found and not named):
            return None
        offices = self.places.find(text) if named else self.places.mentioned(text)
        if len(offices) == 1:
            return Answer("entry", asker, (Page(offices[0]),), about=locator)
        if not offices:
            return None
        offers = tuple(taps.choice(one.office.city, "entry", one.slug) for one in offices if one.office)
        return Answer("choices", asker, (Phrase("choose-place"),), offers, Asked("which", offers))

    def _said(self, entry: Entry, asker: Asker, number: int = 0) -> Answer:
        """An entry, the way to its next page, and the question whether it was of use."""
        more = taps.choice(Phrases(asker.language).say("bot.label.more"), "more", entry.slug, str(number + 1))
        if number:
            return Answer("more", asker, (Page(entry, number),), (more,), Asked("more", (more,)))
        if not asker.community.opinions or entry.kind in ("page", "consulate"):
            return Answer("entry", asker, (Page(entry),), (more,), Asked("more", (more,)))
        offers = (*taps.of_use(asker.language, entry.slug), more)
        return Answer("entry", asker, (Page(entry), Phrase("useful")), offers, Asked("opinion", offers))

    def nothing(self, text: str, words: Sequence[str], asker: Asker) -> Answer:
        """Honestly nothing, counted without the asker; it can go to the consulate if they want."""
        says = self.page(_NOT_FOUND)
        if len(words) < _TELLING:
            return Answer("nothing", asker, says)
        sure = taps.yes_or_no(asker.language, "pass-on", "no")
        asks = Asked("pass-on", sure, kept=text)
        return Answer("nothing", asker, (*says, Phrase("pass-on")), sure, asks, (Miss(text),))


def _is_news(new: Sequence[Entry], words: Sequence[str]) -> bool:
    """Whether somebody asks when something is, and an announcement that no example can know says it."""
    return asks_when(words) and any(one.kind == "announcement" for one in new)


def _title(entry: Entry, asker: Asker) -> str:
    return entry.edition_for(asker.language).title
