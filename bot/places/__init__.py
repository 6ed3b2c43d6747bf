"""Which consulate is mine: from what people write of where they live to the consulate that serves it.

What may enter: the order in which a message is understood, and what is given back. Codes and points are
`codes`, names in a message `reading`, what a name means `names`, who serves whom `districts`.

Nothing of a message is kept, and nothing is given back but consulates: where somebody lives is not our
business.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from bot.places import codes
from bot.places.names import Names, best, likeliest
from bot.places.reading import read
from bot.places.spelling import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.library import Entry, Library

__all__ = ("Places",)

_MOST = 3
"""How many consulates are offered when the words fit several."""


class Places:
    """The consulates of one library. What they need to know is read when the first question comes."""

    def __init__(self, library: Library) -> None:
        self._entries = {
            entry.slug: entry for entry in library.consulates.values() if entry.office is not None
        }
        self._titles = {
            f" {plain(edition.title)} ": slug
            for slug, entry in self._entries.items()
            for edition in entry.editions.values()
        }

    def prepare(self) -> None:
        """Read now what would be read at the first question."""
        _ = self._names

    def find(self, text: str) -> tuple[Entry, ...]:
        """The consulate of somebody who was asked where they live and wrote `text`.

        Returns:
            One entry of kind `consulate` when it is sure, up to three when the words fit several (of a state
            with more offices those that serve most of it), none when it is no place.
        """
        return self._entries_of(self._serving(text, asked=True))

    def mentioned(self, text: str) -> tuple[Entry, ...]:
        """As `find`, for a message nobody asked for: a word in it is a town only where a place is said."""
        return self._entries_of(self._serving(text, asked=False))

    def _serving(self, text: str, *, asked: bool) -> Iterable[str]:
        said = f" {plain(text)} "
        if titled := [title for title in self._titles if title in said]:
            return [self._titles[max(titled, key=len)]]
        names = self._names
        if place := codes.point(text):
            return names.districts.point(place)
        if serving := [slug for code in codes.zip_codes(text) for slug in self._of_zip(code)]:
            return serving
        letter, digits = codes.canadian(text), codes.prefix(text)
        if letter and (province := names.province(letter)):
            return best([province])
        if asked and digits:
            return likeliest(names.districts.counties(names.atlas.prefix(digits)))
        return [slug for meanings in read(text, names, asked=asked) for slug in best(meanings)]

    def _of_zip(self, code: str) -> Sequence[str]:
        atlas, districts = self._names.atlas, self._names.districts
        county = atlas.zip_code(code)
        return districts.county(county) if county else likeliest(districts.counties(atlas.prefix(code[:3])))

    def _entries_of(self, slugs: Iterable[str]) -> tuple[Entry, ...]:
        return tuple(self._entries[slug] for slug in [*dict.fromkeys(slugs)][:_MOST])

    @cached_property
    def _names(self) -> Names:
        called = {
            slug: [
                name
                for edition in entry.editions.values()
                for name in (*edition.front.keywords, *edition.front.misspellings)
            ]
            for slug, entry in self._entries.items()
        }
        return Names(called, {slug: entry.office for slug, entry in self._entries.items() if entry.office})
