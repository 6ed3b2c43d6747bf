"""An announcement of something that will happen: its file for people's calendars, and its date in words.

What may enter: when it is, in one community. Making the file is `channels/calendar.py`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from bot import timetable, words
from bot.library.quoting import quotes
from bot.rendering.lines import ending
from bot.words import Phrases
from channels.calendar import Occasion, invitation
from channels.choices import one_line

if TYPE_CHECKING:
    from bot.library import Entry
    from bot.library.front_matter import Edition
    from bot.timetable import Community
    from channels.base import Message

_ABOUT = 300
"""UTF-16 units of what a calendar's entry says below its title."""


class Event:
    """What an announcement is of, in one community. Times that its clocks skip are the first after them."""

    def __init__(self, entry: Entry, starts: dt.date, community: Community) -> None:
        self._entry, self._community = entry, community
        self._starts = self._told(starts)
        self._ends = None if entry.ends is None else self._last(entry.ends)

    def lies_ahead(self, now: dt.datetime) -> bool:
        """Whether it has not begun at `now` (aware UTC); a day has not while it lasts."""
        if isinstance(self._starts, dt.datetime):
            return now < self._starts
        return now.astimezone(self._community.zone).date() <= self._starts

    def told(self, message: Message, edition: Edition, formats: str, revision: int) -> Message:
        """The text with its file for people's calendars, and with the date where it does not say it."""
        about = message.short or next((b.text for b in message.document.blocks if b.kind == "paragraph"), "")
        occasion = Occasion(
            name=self._entry.slug,
            uid=f"{self._entry.slug}@{self._community.slug}.pregonero",
            starts=self._starts,
            ends=self._ends,
            title=message.title,
            about=one_line(about, _ABOUT),
            revision=revision,
        )
        line = Phrases(edition.language).say("bot.when", when=_in_words(self._starts, formats))
        body, short = (not quotes(text, "starts") for text in (edition.body, edition.front.sms))
        return replace(ending(message, line, body=body, short=short), file=invitation(occasion))

    def _told(self, when: dt.date) -> dt.date:
        """A day, or a moment as the community's clocks show it, aware."""
        if not isinstance(when, dt.datetime):
            return when
        moment = when if when.tzinfo else timetable.local_moment(self._community, when)
        return moment.astimezone(self._community.zone)

    def _last(self, ends: dt.date) -> dt.date:
        """The end, of the kind that the beginning is."""
        if not isinstance(self._starts, dt.datetime):
            told = self._told(ends)
            return told.date() if isinstance(told, dt.datetime) else told
        if not isinstance(ends, dt.datetime):
            ends = dt.datetime.combine(ends + dt.timedelta(days=1), dt.time())
        return self._told(ends)


def _in_words(when: dt.date, formats: str) -> str:
    """The date, and its hour if it has one, with plain spaces: a narrow one would double an SMS."""
    said = words.datetime(when, formats) if isinstance(when, dt.datetime) else words.date(when, formats)
    return " ".join(said.split())
