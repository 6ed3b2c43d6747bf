"""Somebody who writes for the first time: whose they are, and what they probably read.

Guesses, from the sender they wrote to, the vendor's hint and their number's country; the conversation asks.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import phonenumbers

from bot import languages, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.timetable import Community
    from channels.base import Heard

_HERE = frozenset({"US", "CA"})
"""Where the communities live: a number from here says nothing about a language."""


def community_of(sender: str, communities: Mapping[str, Community]) -> Community:
    """The first community that speaks through the sender they wrote to."""
    known = communities.values()
    return next((one for one in known if sender in one.senders), next(iter(known)))


def language_of(heard: Heard, community: Community) -> str:
    """The vendor's hint where it is a language, else what is spoken where their number is from.

    Where neither says anything: the community's first.
    """
    with contextlib.suppress(ValueError):
        return languages.as_offered(heard.language or "", community.languages)
    with contextlib.suppress(phonenumbers.NumberParseException):
        number = phonenumbers.parse(heard.address)
        country = phonenumbers.region_code_for_number(number)
        if country and country not in _HERE:
            spoken = words.spoken_in(country)
            return languages.as_offered(spoken[0], community.languages)
    return community.languages[0]
