"""What a community will say on the days to come, and when it can really leave.

icalendar's door for staff. What may enter: moments in a row; what is due is `slots`, what holds it `resting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bot.timetable.resting import Rest, rest
from bot.timetable.slots import moments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bot.timetable.communities import Community

_LASTS = timedelta(minutes=30)
"""How long a moment is drawn in a calendar, so that it can be seen and tapped."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One moment of a community.

    Attributes:
        community: Its slug.
        slot: When, as its schedule says it; "" for what was announced by hand.
        entry: As `Slot.entry`.
        local: Naive: what the community's clocks are to show.
        utc: The moment, aware UTC.
        rest: What holds it then; None for nothing.
        state: Of its broadcast; "" when there is none yet.
    """

    community: str
    slot: str
    entry: str
    local: datetime
    utc: datetime
    rest: Rest | None = None
    state: str = ""

    @property
    def sends_at(self) -> datetime:
        """When it leaves, aware UTC: its own moment, or the first good one after."""
        return self.rest.until if self.rest else self.utc

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes its broadcast unique: entry, community and local date and time."""
        return self.entry, self.community, self.local.isoformat()


def calendar(
    community: Community, starts: Mapping[str, date | None], first: date, days: int
) -> list[Planned]:
    """Every moment of a community's slots from the local day `first` on, earliest first.

    Args:
        starts: When each entry starts, by slug.
        days: How many, `first` included.
    """
    last = first + timedelta(days=days - 1)
    planned = [
        Planned(community.slug, slot.written, slot.entry, local, moment, rest(community, moment))
        for slot in community.slots
        for local, moment in moments(community, slot, starts.get(slot.entry), first, last)
    ]
    return sorted(planned, key=lambda one: (one.utc, one.entry))


def as_ics(
    planned: Iterable[Planned], now: datetime, describe: Callable[[Planned], tuple[str, str]]
) -> bytes:
    """An iCalendar file (RFC 5545) of moments, each at the time it leaves, in UTC.

    Args:
        now: Aware UTC, when the file was made.
        describe: Gives a moment's title and what is told of it.
    """
    from icalendar import Calendar, Event  # 30 ms that only this needs

    made = Calendar()
    made.add("prodid", "-//Pregonero//calendar//ES")
    made.add("version", "2.0")
    for one in planned:
        title, text = describe(one)
        event = Event()
        event.add("uid", f"{one.entry.replace(':', '.')}.{one.local:%Y%m%dT%H%M%S}@{one.community}.pregonero")
        event.add("dtstamp", now.replace(microsecond=0))
        event.add("dtstart", one.sends_at)
        event.add("dtend", one.sends_at + _LASTS)
        event.add("summary", title)
        event.add("description", text)
        event.add("transp", "TRANSPARENT")
        made.add_component(event)
    return bytes(made.to_ical())
