"""What a community is once its file was read: its clocks, its hours of silence, its days of rest.

What may enter: the values that the rooms above are handed. How a file becomes one is `timetable`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, time
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from bot.timetable.slots import Slot
    from channels.base import ChannelName


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nobody is written to, from `start` until just before `end`, as the community's clocks show it."""

    start: time
    end: time

    def hold(self, shown: time) -> bool:
        """Whether a clock that shows this time stands in quiet hours."""
        if self.start < self.end:
            return self.start <= shown < self.end
        return shown >= self.start or shown < self.end


@dataclass(frozen=True, slots=True)
class RestDays:
    """Days on which a community writes to nobody, the first and the last included.

    Attributes:
        name: What they are called; "" for no name.
        mourning: Whether it mourns.
    """

    first: date
    last: date
    name: str = ""
    mourning: bool = False


@dataclass(frozen=True, slots=True)
class Community:
    """The people one consulate or organisation speaks to.

    Attributes:
        slug: The file's name without `.toml`.
        name: As people call it.
        zone: Its time zone.
        languages: Normalised codes; the first is the usual one. Never empty.
        senders: Names from config.toml, the preferred first.
        channels: For each channel the sender that speaks there, in the same order.
        quiet_hours: Empty when it has none; they never cover a whole day.
        holidays: Countries and their parts whose public holidays it keeps: `MX`, `US-CA`.
        fold: Whether SMS may write a for á where that saves a segment.
        opinions: Whether people are asked if an answer was of use.
        slots: In the order of the file.
        file: Where it is written.
        consulate: The name of its own, a key of `Library.consulates`. None when the file does not say: then
            it is the consulate that is called as the file, if there is one.
        approval: Whether nothing leaves before a second person has approved exactly that.
        most_a_day: How many announcements one person gets in a day; None for any number.
        next_channel_after: How long after a failure somebody with several addresses is tried on the next.
        stale_translations: What readers get whose edition is older than its source: nothing goes out
            ("refuse"), or the source's language does ("source").
        rest_days: Its own, in the order of the file.
        staff_language: What its holidays are called in, where the calendar offers it.
    """

    slug: str
    name: str
    zone: ZoneInfo
    languages: tuple[str, ...]
    senders: tuple[str, ...]
    channels: Mapping[ChannelName, str]
    quiet_hours: tuple[QuietHours, ...]
    holidays: tuple[str, ...]
    fold: bool
    opinions: bool
    slots: tuple[Slot, ...]
    file: Path
    consulate: str | None = None
    approval: bool = False
    most_a_day: int | None = None
    next_channel_after: timedelta = timedelta(hours=1)
    stale_translations: Literal["refuse", "source"] = "refuse"
    rest_days: tuple[RestDays, ...] = ()
    staff_language: str = "es"
