"""What is to be said at a moment, and what becomes of it when the moment comes, or came and went.

What may enter: rules that need only a row, the hour, and who asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot import timetable
from bot.broadcasts.reports import ANNOUNCEMENT, DIGEST, EMERGENCY
from bot.moments import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.broadcasts.history import State
    from bot.check import Project
    from bot.library import Entry
    from bot.rendering.lines import Heading
    from bot.timetable import Community

LATE = timedelta(hours=2)
"""For how long after its moment an announcement is of use, where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An announcement to one community at one moment, before anything is made of it.

    Attributes:
        moment: What makes it one and the same broadcast, however often it is asked for: the local date and
            time as `isoformat` writes it, or the instant somebody said "now".
        due_at: Aware UTC.
        late: For how long after `due_at` it is still of use.
        why: The reason of an emergency, which passes quiet hours and every queue; None for no emergency.
        until: When it ends by itself, if the entry does not end before.
    """

    entry: Entry
    community: Community
    moment: str
    due_at: datetime
    late: timedelta = LATE
    why: str | None = None
    until: datetime | None = None

    @property
    def valid_until(self) -> datetime | None:
        """When nobody wants to hear it any more."""
        ends = [end for end in (self.entry.expires(self.community.zone), self.until) if end is not None]
        return min(ends, default=None)

    def row(self) -> dict[str, Any]:
        """As the database keeps it, without its state."""
        return {
            "entry": self.entry.slug,
            "community": self.community.slug,
            "moment": self.moment,
            "priority": EMERGENCY if self.why else ANNOUNCEMENT,
            "why": self.why,
            "due_at": to_ms(self.due_at),
            "late": self.late // timedelta(milliseconds=1),
            "valid_until": to_ms(self.valid_until),
            "hash": None,
        }


def digest_row(
    name: str, community: Community, moment: str, due_at: datetime, late: timedelta = LATE
) -> dict[str, Any]:
    """The same of a digest, which is put together when its community does not rest any more.

    Args:
        name: As `news.name` gives it.
        moment: What makes it one and the same, however often it is asked for.
        due_at: Aware UTC.
    """
    rest = timetable.rest(community, due_at)
    return {
        "entry": name,
        "community": community.slug,
        "moment": moment,
        "priority": DIGEST,
        "why": None,
        "due_at": to_ms(rest.until if rest else due_at),
        "late": late // timedelta(milliseconds=1),
        "valid_until": None,
        "hash": None,
    }


def heading_of(community: Community, entry: Entry, moment: str) -> Heading:
    """What a text says it is that is due at a moment (a broadcast's, as the database keeps it)."""
    reminds = timetable.reminds(community, entry.slug, entry.starts, moment)
    return "reminder" if reminds else ""


def first_state(wanted: Wanted, now: datetime) -> State:
    """The state in which a broadcast is made that a person asks for."""
    if is_over(wanted.row(), now):
        return "expired"
    if wanted.community.approval or wanted.why:
        return "submitted"
    return "running" if wanted.due_at <= now else "scheduled"


def is_over(row: Mapping[str, Any], now: datetime) -> bool:
    """Whether nobody wants to hear a broadcast any more."""
    return row["valid_until"] is not None and bool(row["valid_until"] <= to_ms(now))


def is_elsewhere(project: Project, row: Mapping[str, Any]) -> bool:
    """Whether a broadcast says what is for other communities, as its entry has it today."""
    entry = project.library.entries.get(row["entry"])
    return entry is not None and bool(entry.communities) and row["community"] not in entry.communities


def missed(row: Mapping[str, Any], now: datetime, since: datetime | None) -> str | None:
    """Why a broadcast that is due waits for a person: it is too late, or sending was off. Else None."""
    if since is not None and from_ms(row["due_at"]) <= since:
        return "off"
    return "late" if to_ms(now) - row["due_at"] > row["late"] else None
