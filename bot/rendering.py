"""An entry in one community, language and channel: the one function behind preview, announce and check.

What you preview is what arrives, because it is made here, once, and stored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import channels
from bot import languages, library

if TYPE_CHECKING:
    from datetime import datetime

    from bot.library import Entry, Library
    from bot.timetable import Community
    from channels.base import ChannelName, Part


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as it will arrive.

    Attributes:
        language: Of the reader.
        edition: The language of the edition they get; another one where theirs is missing.
        open: For somebody who wrote within the reply window.
        closed: For anybody else; empty when it must be held until they write.
    """

    community: str
    language: str
    edition: str
    channel: ChannelName
    open: tuple[Part, ...]
    closed: tuple[Part, ...]


def render(
    found: Library, entry: Entry, community: Community, channel: ChannelName, language: str, now: datetime
) -> Rendered:
    """Write an entry for the readers of one language on one channel of a community.

    Args:
        now: Aware UTC; a fact that is over on this day in the community is not quoted.

    Raises:
        Faults: the entry quotes something that is not there, or no longer true.
    """
    found = replace(found, today=now.astimezone(community.zone).date())
    place = library.Place(community.slug, community.name, community.zone)
    try:
        spoken = languages.normalise(language)
    except ValueError:  # a vendor's hint may be anything, and one person must not silence a community
        spoken = community.languages[0]
    message, edition = found.message(entry, spoken, place, fold=community.fold)
    return Rendered(
        community.slug,
        language,
        edition.language,
        channel,
        tuple(channels.render(channel, message, window_open=True)),
        tuple(channels.render(channel, message, window_open=False)),
    )
