"""A question in someone's words to entries: what is written in them, and how it sounds, is weighed.

What may enter: how entries are indexed and ranked. How a word sounds is `hearing.ear`; what is a crisis, a
wish to leave or a command is heard before anything is searched.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache, partial
from math import log
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import proxy

import regex
import snowballstemmer
from sqlite_utils import Database

from bot import languages
from bot.hearing import ear
from bot.hearing.crisis import PRECEDENCE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from bot.library import Entry, Library
    from bot.timetable import Community

_STEMMERS = {name: snowballstemmer.stemmer(long) for name, long in (("es", "spanish"), ("en", "english"))}
_COLUMNS = {"keywords": 6.0, "title": 4.0, "summary": 2.0, "body": 1.0}
"""What of an entry is searched, and how much a word there weighs."""

_QUOTED = regex.compile(r"\{[{%].*?[%}]\}|\]\([^)]*\)", regex.DOTALL)
_PHRASE = 2.5
"""How much a whole keyword weighs beside its words found anywhere in the text."""

_WHOLE, _EXACT = 2.0, 3.0
"""How much more when it is the whole question, and when it is so letter by letter."""

_NEWS = {False: 0.75, True: 3.0}
"""How much an announcement weighs beside lasting answers: when nobody asks for a time, and when they do."""

_DENYING = frozenset({"no", "sin", "without", "nunca"})
_DENIED = 1.5
"""Words that make another keyword of one, as `sin cita` of `cita`. Elsewhere they say nothing."""

_CHANCE = 3
"""How many words of a text must be asked for when none is in its title or keywords."""

_ENOUGH, _TIE, _MOST = 3.2, 0.9, 3
"""The least weight of an answer; from what part of the best one another is as good; how many are offered."""

_ALL = """
select entries.slug as slug, -bm25(entries_fts, {weights}) as weight
from entries_fts join entries on entries.rowid = entries_fts.rowid where entries_fts match :query
""".format(weights=", ".join(str(weight) for weight in (*_COLUMNS.values(),)))


@dataclass(frozen=True, slots=True)
class _Keyword:
    """What an entry says it is found by.

    Attributes:
        sounds: Of the stems of the words that matter.
        heard: All of it, as it sounds when it is said.
    """

    slug: str
    sounds: frozenset[str]
    heard: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question.

    Attributes:
        words: Each word that says something, as all it can sound like.
        sounds: Those of them that are written somewhere.
        denied: The words in it that deny.
        heard: All of it, as it sounds.
        when: Whether it asks for a time.
    """

    words: tuple[frozenset[str], ...]
    sounds: frozenset[str]
    denied: frozenset[str]
    heard: str
    when: bool


class Search:
    """The words of one library. Made in any thread, then asked by one at a time."""

    def __init__(self, library: Library) -> None:
        self._entries = {one.slug: one for one in library.entries.values() if _asked_for(one)}
        self._database = Database(sqlite3.connect(":memory:", check_same_thread=False))
        table = self._database.table("entries")
        rows = [_row(entry) for entry in self._entries.values()]
        if rows:
            table.insert_all(rows)
            table.enable_fts(list(_COLUMNS))
        seen = [{word for column in _COLUMNS for word in row[column].split()} for row in rows]
        counted = Counter(word for words in seen for word in words)
        self._rare = {word: log(1 + (len(rows) - n + 0.5) / (n + 0.5)) for word, n in counted.items()}
        self._known = sorted(self._rare)
        self._texts = dict(zip(self._entries, seen, strict=True))
        self._about: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            for sound in (*row["keywords"].split(), *row["title"].split()):
                self._about[sound].add(row["slug"])
        self._keywords: dict[str, list[_Keyword]] = defaultdict(list)
        for keyword in {one for entry in self._entries.values() for one in _keywords(entry)}:
            for sound in keyword.sounds:
                self._keywords[sound].append(keyword)
        self._meant = lru_cache(50_000)(
            partial(Search._look_up, proxy(self))
        )  # by proxy: or it would hold itself

    def find(self, words: Sequence[str], community: Community, now: dt.datetime) -> tuple[Entry, ...]:
        """What answers a question: one entry, or up to three when the words fit them alike, or none.

        Args:
            words: As `ear.words` gives them.
            community: Whose subscriber asks: entries for others do not count.
            now: Aware UTC: neither does what is over.
        """
        asked = self._asked(words)
        if not asked.sounds:
            return ()
        ranked: list[tuple[float, str]] = []
        for slug, weight in self._weigh(asked).items():
            entry = self._entries[slug]
            if weight and is_for(entry, community, now):
                news = _NEWS[asked.when and entry.starts is not None] if entry.kind == "announcement" else 1
                ranked.append((weight * news, slug))
        ranked.sort(key=lambda one: (-one[0], one[1]))
        return tuple(self._entries[slug] for slug in _best(ranked))

    def _asked(self, words: Sequence[str]) -> _Asked:
        telling = [word for word in words if len(word) > 1 and word not in _stop_words()]
        return _Asked(
            words=tuple(map(self._meant, telling)),
            sounds=frozenset(sound for word in telling for sound in self._meant(word)),
            denied=_DENYING.intersection(words),
            heard=_heard(telling),
            when=asks_when(words),
        )

    def _weigh(self, asked: _Asked) -> dict[str, float]:
        """By entry, the weight of these words in its text and of its best keyword that is wholly among them.

        What answers a crisis must be asked for by a keyword and nothing else: whatever more a message says of
        a crisis has been heard before.
        """
        weights = self._in_texts(asked.sounds)
        best: dict[str, float] = defaultdict(float)
        exact: set[str] = set()
        for keyword in {one for sound in asked.sounds for one in self._keywords.get(sound, ())}:
            if keyword.sounds <= asked.sounds | asked.denied:
                weight = _PHRASE * sum(self._rare.get(sound, _DENIED) for sound in keyword.sounds)
                if keyword.heard == asked.heard:
                    exact.add(keyword.slug)
                    weight *= _EXACT
                elif all(not word.isdisjoint(keyword.sounds) for word in asked.words):
                    weight *= _WHOLE
                best[keyword.slug] = max(best[keyword.slug], weight)
        return {
            slug: max(weights.get(slug, 0.0) + best.get(slug, 0.0), _ENOUGH if slug in best else 0.0)
            for slug in {*weights, *best}
            if slug in exact or not is_urgent(self._entries[slug])
        }

    def _in_texts(self, sounds: frozenset[str]) -> dict[str, float]:
        """What is about one of these words, or says several: one word deep in a text is not an answer."""
        query = " OR ".join(f'"{sound}"' for sound in sorted(sounds))
        about = set().union(*(self._about.get(sound, ()) for sound in sounds))
        return {
            slug: weight
            for slug, weight in self._database.execute(_ALL, {"query": query}).fetchall()
            if slug in about or len(self._texts[slug] & sounds) >= _CHANCE
        }

    def _look_up(self, word: str) -> frozenset[str]:
        """The indexed sounds a word can be: its own, else of what it is a slip of or is run together from."""
        keys = _keys(word)
        own = frozenset(key for key in keys if key in self._rare)
        return (
            own
            or self._parted(word)
            or frozenset(other for key in keys for other in ear.nearest(key, self._known))
        )

    def _parted(self, word: str) -> frozenset[str]:
        """`mipasaporte` is `mi` and `pasaporte`."""
        for cut in range(2, min(len(word) - 3, 5)):
            if word[:cut] in _stop_words():
                found = frozenset(key for key in _keys(word[cut:]) if key in self._rare)
                if found and len(word) - cut >= _WORD:
                    return found
        return frozenset()


_WORD = 4
"""The least letters a word run together with a small one must have."""

_TIMES = frozenset(
    {"cuando", "quando", "kuando", "fecha", "fechas", "dia", "when", "date", "day", "hora", "proximo", "next"}
)


def _best(ranked: Sequence[tuple[float, str]]) -> Iterator[str]:
    if not ranked or ranked[0][0] < _ENOUGH:
        return
    for weight, slug in ranked[:_MOST]:
        if weight >= _TIE * ranked[0][0]:
            yield slug


def asks_when(words: Sequence[str]) -> bool:
    """Whether a question asks for a time."""
    return not _TIMES.isdisjoint(words)


def is_for(entry: Entry, community: Community, now: dt.datetime) -> bool:
    """Whether an entry is for this community and not over."""
    if entry.communities and community.slug not in entry.communities:
        return False
    end = entry.over(community.zone)
    return end is None or end > now


def is_urgent(entry: Entry) -> bool:
    """Whether an entry answers a crisis."""
    return entry.urgency == "emergency" or entry.slug in PRECEDENCE


def _asked_for(entry: Entry) -> bool:
    """Consulates are found by their place; pages that say what the bot did, only if they have keywords."""
    keywords = any(edition.front.keywords for edition in entry.editions.values())
    return entry.kind != "consulate" and (entry.kind != "page" or keywords)


def _row(entry: Entry) -> dict[str, str]:
    """An entry as it sounds, all its editions together: people mix languages, also in one sentence."""
    texts: dict[str, list[str]] = {"slug": [entry.slug]}
    for edition in entry.editions.values():
        front = edition.front
        said = {
            "keywords": "\n".join((entry.slug, *front.keywords, *front.misspellings)),
            "title": edition.title,
            "summary": front.summary,
            "body": edition.body,
        }
        for column, text in said.items():
            texts.setdefault(column, []).append(_sounds(text, edition.language))
    return {column: " ".join(parts) for column, parts in texts.items()}


def _sounds(text: str, language: str) -> str:
    known = (word for word in ear.words(_QUOTED.sub(" ", text)) if word not in _stop_words())
    return " ".join(_key(word, languages.base(language)) for word in known)


def _keywords(entry: Entry) -> Iterator[_Keyword]:
    for edition in entry.editions.values():
        for written in (edition.title, *edition.front.keywords, *edition.front.misspellings):
            sounds = frozenset(_sounds(written, edition.language).split())
            if sounds:
                words = ear.words(written)
                telling = [word for word in words if word not in _stop_words()]
                yield _Keyword(entry.slug, sounds | _DENYING.intersection(words), _heard(telling))


def _heard(telling: Sequence[str]) -> str:
    return " ".join(map(ear.sound, telling))


@lru_cache(maxsize=100_000)
def _key(word: str, language: str) -> str:
    """The sound of a word's stem."""
    stemmer = _STEMMERS.get(language)
    return ear.sound(stemmer.stemWord(word) if stemmer else word)


def _keys(word: str) -> frozenset[str]:
    """The sounds of a word's stem in each language it may be of."""
    return frozenset(_key(word, language) for language in _STEMMERS)


@lru_cache(maxsize=1)
def _stop_words() -> frozenset[str]:
    lines = Path(__file__).parent.joinpath("hearing", "small.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
