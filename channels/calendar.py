"""An event as the file that a telephone's calendar opens. Pure: plain values in, a file out.

RFC 5545 is what it holds, RFC 5546 (3.2.1) what a published one must hold. Whose event it is, and what is
said of it, is decided before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from icalendar import Calendar, Event

from channels.base import File

MIME = "text/calendar"
_PRODUCT = "-//Pregonero//ES"


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and what.

    Attributes:
        name: Of the file, without its ending.
        uid: The same for the same event to the same people, however its text changes.
        starts: A day, or an aware moment.
        ends: Of the same kind, a day being the last; None when nobody knows.
        title: In the reader's language, without marks.
        about: A few words more, without marks; may be empty.
        revision: How often it was corrected: a calendar keeps the highest that it has seen.
    """

    name: str
    uid: str
    starts: date
    ends: date | None
    title: str
    about: str
    revision: int = 0


def invitation(occasion: Occasion) -> File:
    """The occasion as an `.ics` of one event, its times in UTC.

    The same occasion makes the same file whenever it is made: what was previewed and approved is what
    arrives. Therefore DTSTAMP, by the letter the time of making, is the beginning.
    """
    event = Event()
    event.add("uid", occasion.uid)
    event.add("sequence", occasion.revision)
    event.add("summary", occasion.title)
    if occasion.about:
        event.add("description", occasion.about)
    begins = occasion.starts
    if isinstance(begins, datetime):
        event.add("dtstamp", begins.astimezone(UTC))
        event.add("dtstart", begins.astimezone(UTC))
    else:
        event.add("dtstamp", datetime.combine(begins, time(), UTC))
        event.add("dtstart", begins)
    if isinstance(occasion.ends, datetime):
        event.add("dtend", occasion.ends.astimezone(UTC))
    elif occasion.ends is not None:
        event.add("dtend", occasion.ends + timedelta(days=1))  # the day after the last
    calendar = Calendar()
    for name, value in (("prodid", _PRODUCT), ("version", "2.0"), ("method", "PUBLISH")):
        calendar.add(name, value)
    calendar.add_component(event)
    return File(f"{occasion.name}.ics", MIME, calendar.to_ical().decode())
