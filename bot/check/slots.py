"""What is wrong with the slots of a community, now that its entries are known.

What may enter: judgements of when something is announced. What entries and communities have wrong between
them otherwise is `plans`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.findings import Finding
from bot.timetable import moments, quiet_until, reminder, rest, shown
from bot.timetable.recurrence import Every, NamedDate
from bot.timetable.spoken import Before
from bot.toml.shapes import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from bot.findings import Level
    from bot.library import Entry
    from bot.timetable import Community, Slot

_AHEAD = timedelta(days=400)
"""How far slots are looked at: every date of the year comes once."""

_APART = timedelta(minutes=30)
"""Two announcements that come closer than this are taken for one that came twice, or for spam."""


def slots(
    community: Community, entries: Mapping[str, Entry], content: Path, now: datetime
) -> Iterator[Finding]:
    """Slots that name no entry, an entry for others, or a moment that does not come or does not suit."""
    written = {folder.name for folder in content.glob("*/*/")}
    for slot in community.slots:
        entry = entries.get(slot.entry)
        if entry or slot.digest:
            yield from _coming(community, slot, entry, now)
        elif slot.entry not in written:  # else what is wrong with the entry itself is said
            yield _unknown(community, slot, written)
    yield from _crowded(community, entries, now)


def _unknown(community: Community, slot: Slot, written: Collection[str]) -> Finding:
    meant = nearest(slot.entry, written)
    rule = "check.slot-entry-near" if meant else "check.slot-entry"
    return _finding(community, slot, rule, meant=meant or "")


def _coming(community: Community, slot: Slot, entry: Entry | None, now: datetime) -> Iterator[Finding]:
    """What is wrong with one slot and its next moment."""
    if entry and entry.communities and community.slug not in entry.communities:
        yield _finding(community, slot, "check.slot-elsewhere")
    if isinstance(slot.when, Before) and entry and reminder(community, slot.when, entry.starts) is None:
        lacking = "check.before-no-hour" if entry.starts else "check.before-no-start"
        yield _finding(community, slot, lacking, written=slot.written)
    coming = _ahead(community, slot, entry, now)
    if isinstance(slot.when, datetime) and not coming:
        yield _finding(community, slot, "check.slot-past", "warning", written=slot.written)
    if isinstance(slot.when, Every):
        yield from _recurring(community, slot, slot.when, now)
    if coming:
        yield from _next(community, slot, entry, coming[0])


def _next(community: Community, slot: Slot, entry: Entry | None, moment: datetime) -> Iterator[Finding]:
    expires = entry.expires(community.zone) if entry else None
    if expires and expires <= moment:
        yield _finding(community, slot, "check.slot-after-end")
    resting = rest(community, moment)
    if quiet_until(community, moment):
        yield _finding(community, slot, "check.slot-at-night", "warning")
    elif resting and not isinstance(slot.when, Every):  # what recurs meets a holiday now and then: `calendar`
        yield _finding(community, slot, "check.slot-at-rest", "warning", name=resting.name)


def _recurring(community: Community, slot: Slot, when: Every, now: datetime) -> Iterator[Finding]:
    """Dates that are not sure, or not exact, and days that some months do not have."""
    today = shown(community, now).date()
    if not isinstance(when.days, NamedDate):
        if when.days.skips_months:
            yield _finding(community, slot, "check.short-months", "warning", written=slot.written)
        return
    named = when.days
    coming = named.between(today, today + _AHEAD)
    if named.days is None and not coming:
        yield _finding(community, slot, "check.date-inexact", date=named.slug)
    elif coming and not named.sure(coming[0]):
        year = str(coming[0].year)
        yield _finding(community, slot, "check.date-unsure", "warning", date=named.slug, year=year)


def _crowded(community: Community, entries: Mapping[str, Entry], now: datetime) -> Iterator[Finding]:
    """What the same people get within half an hour of another, once for each two slots.

    Compared is when each really leaves, after its night or its day of rest. Where only a day of rest brings
    two together it is a warning: what recurs meets one now and then.
    """
    coming = sorted(
        (
            (held.until if held else moment, moment, bool(held and held.why != "night"), slot)
            for slot in community.slots
            if (entry := entries.get(slot.entry)) or slot.digest
            for moment in _ahead(community, slot, entry, now)
            if (ends := entry.expires(community.zone) if entry else None) is None or moment < ends
            for held in (rest(community, moment),)
        ),
        key=lambda one: one[:2],
    )
    said: set[tuple[int, int]] = set()
    for (before, first, rested, one), (after, second, rests, other) in pairwise(coming):
        lines = (min(one.line, other.line), max(one.line, other.line))
        same = one.entry == other.entry and first == second  # one broadcast
        if after - before >= _APART or same or lines in said or (one.digest and other.digest):
            continue
        said.add(lines)
        late, early = (one, other) if one.line > other.line else (other, one)
        day = shown(community, before).date().isoformat()
        level: Level = "warning" if rested or rests else "error"
        yield _finding(community, late, "check.too-close", level, other=early.entry, day=day)


def _ahead(community: Community, slot: Slot, entry: Entry | None, now: datetime) -> list[datetime]:
    """The moments of a slot that are still to come, earliest first."""
    today = shown(community, now).date()
    if isinstance(slot.when, datetime):
        today, last = slot.when.date(), slot.when.date()
    else:
        last = today + _AHEAD
    starts = entry.starts if entry else None
    found = moments(community, slot, starts, today, last)
    return sorted(moment for _, moment in found if moment >= now)


def _finding(community: Community, slot: Slot, rule: str, level: Level = "error", **values: str) -> Finding:
    named = {"announce": slot.entry, "community": community.slug}
    return Finding(rule, community.file, slot.line, level, named | values)
