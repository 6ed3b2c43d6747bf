"""A question in someone's words to an entry. For now: the exact words an entry lists, however they are typed.

Case, accents, ñ, punctuation and spaces around do not count; everything else must be the word itself.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from bot.library import Entry, Library

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
            if entry.kind == "page":
                continue
            for word in {fold(word) for word in _words(entry)} - {""}:
                self._entries.setdefault(word, []).append(entry)

    def find(self, text: str) -> list[Entry]:
        """The entries that list exactly these words; more than one when they share them."""
        return self._entries.get(fold(text), [])


def _words(entry: Entry) -> list[str]:
    words = [entry.slug]
    for edition in entry.editions.values():
        words += [edition.title, *edition.front.keywords, *edition.front.misspellings]
    return words
