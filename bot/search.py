"""A question in someone's words to an entry. For now: the exact words an entry lists, however they are typed.

Case, accents, ñ, punctuation and spaces around do not count; everything else must be the word itself.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from datetime import datetime

    from bot.library import Entry, Library
    from bot.timetable import Community

_NOT_WORDS = regex.compile(r"[^\p{L}\p{N}]+")


def fold(text: str) -> str:
    """Words as they are compared: lower case, without accents or marks, one space between."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _NOT_WORDS.sub(" ", bare).strip()


class Search:
    """The words of one library."""

    def __init__(self, library: Library) -> None:
        self._entries: dict[str, list[Entry]] = {}
        for entry in library.entries.values():
            for word in {fold(word) for word in _words(entry)} - {""}:
                self._entries.setdefault(word, []).append(entry)

    def find(self, text: str, community: Community, now: datetime) -> list[Entry]:
        """A community's entries that list exactly these words and are not over; several may share them."""
        return [
            entry
            for entry in self._entries.get(fold(text), [])
            if (not entry.communities or community.slug in entry.communities)
            and ((end := entry.expires(community.zone)) is None or end > now)
        ]


def _words(entry: Entry) -> list[str]:
    words = [entry.slug]
    for edition in entry.editions.values():
        words += [edition.title, *edition.front.keywords, *edition.front.misspellings]
    return words
