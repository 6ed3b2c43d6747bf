"""Slots: what a community says when, and which of it is due.

What may enter: from a slot to its moments. Days that come back are `recurrence`; the hours that clocks skip
or show twice are `clocks`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from bot.timetable.clocks import local_moment, shown
from bot.timetable.recurrence import Every
from bot.timetable.spoken import Before

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.timetable.communities import Community

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """One line of a schedule.

    Attributes:
        entry: The slug of what is announced; of a digest `digest:` and its topics, sorted, as
            `digest:educacion+salud`.
        when: Naive, what the community's clocks show; or a rule; or how long before the entry starts.
        late: For how long after its moment it is still useful.
        line: Where it names its entry in the community's file.
        digest: The topics of a digest, sorted; empty for an announcement.
        written: When, as the file says it.
    """

    entry: str
    when: datetime | Every | Before
    late: timedelta = timedelta(hours=2)
    line: int = 0
    digest: tuple[str, ...] = ()
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Due:
    """A slot whose moment has come.

    Attributes:
        local: Naive: what the slot asks the clocks to show, even where they skip it.
        moment: Aware UTC.
        late: Whether it is no longer useful: held and shown, not sent.
    """

    slot: Slot
    local: datetime
    moment: datetime
    late: bool

    @property
    def key(self) -> str:
        """The local date and time, `2026-12-01T18:00:00`: with the slug, what makes a broadcast unique."""
        return self.local.isoformat()


def due(community: Community, starts: Mapping[str, date | None], since: datetime, now: datetime) -> list[Due]:
    """The slots whose moment lies after `since` and not after `now` (both aware UTC), earliest first.

    Asking twice, or for longer than needed, does no harm: a broadcast is unique by entry, community and
    `Due.key`.

    Args:
        starts: When each entry starts, by slug: `Library.starts`.
    """
    first, last = shown(community, since).date() - _DAY, shown(community, now).date() + _DAY
    come = [
        Due(slot, local, moment, now - moment > slot.late)
        for slot in community.slots
        for local, moment in moments(community, slot, starts.get(slot.entry), first, last)
        if since < moment <= now
    ]
    return sorted(come, key=lambda one: one.moment)


def moments(
    community: Community, slot: Slot, starts: date | None, first: date, last: date
) -> Iterator[tuple[datetime, datetime]]:
    """Each time of a slot from the local day `first` to `last`, both included.

    Args:
        starts: Of its entry: a day, a wall time (naive) or an instant (aware).

    Yields:
        What the clocks are to show (naive), and the moment (aware UTC); nothing for a slot that counts from
        a start which its entry does not have.
    """
    if isinstance(slot.when, datetime):
        times = [(slot.when, local_moment(community, slot.when))]
    elif isinstance(slot.when, Every):
        times = [(local, local_moment(community, local)) for local in slot.when.between(first, last)]
    else:
        found = reminder(community, slot.when, starts)
        times = [found] if found else []
    yield from ((local, moment) for local, moment in times if first <= local.date() <= last)


def reminder(community: Community, before: Before, starts: date | None) -> tuple[datetime, datetime] | None:
    """When something is to be said that long before its start: local (naive) and aware UTC.

    None when the start lacks what that needs: a start at all; or its hour, for hours before it, and for days
    before it without an hour of their own.
    """
    begins = _begins(community, starts)
    if before.span is not None:
        if begins is None:
            return None
        moment = local_moment(community, begins) - before.span
        return shown(community, moment), moment
    if before.at is not None and starts is not None:
        local = datetime.combine(begins or starts, before.at)
    elif begins is not None:
        local = begins
    else:
        return None
    local -= timedelta(days=before.days)
    return local, local_moment(community, local)


def reminds(community: Community, entry: str, starts: date | None, moment: str) -> bool:
    """Whether what is due at a moment (its key) is a reminder: some slot counts it back from the start."""
    counted = (
        reminder(community, slot.when, starts)
        for slot in community.slots
        if slot.entry == entry and isinstance(slot.when, Before)
    )
    return any(found is not None and found[0].isoformat() == moment for found in counted)


def _begins(community: Community, starts: date | None) -> datetime | None:
    """What the clocks show (naive) when something starts; None when only its day is known."""
    if not isinstance(starts, datetime):
        return None
    return shown(community, starts.astimezone(UTC)) if starts.tzinfo else starts
