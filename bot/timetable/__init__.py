"""When and to whom: communities, their slots, their hours and days of rest. Only here is local time known.

What may enter: reading `schedules/` into communities. `now` is handed in, aware UTC, and aware UTC goes out.
How a file is written is `shapes`, words that say when `spoken`; what is due is `slots`, when nobody is
written to `resting`; sentences with dates are `words`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bot.findings import Finding, errors
from bot.timetable.clocks import local_moment, shown
from bot.timetable.communities import Community, QuietHours, RestDays
from bot.timetable.dates import read_dates
from bot.timetable.planned import Planned, as_ics, calendar
from bot.timetable.resting import Rest, quiet_until, rest
from bot.timetable.shapes import Schedule, SlotShape, length
from bot.timetable.slots import Due, Slot, due, moments, reminder, reminds
from bot.timetable.spoken import once
from bot.toml.lines import line_of, read_toml
from bot.toml.shapes import Source, nearest, shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bot.timetable.recurrence import NamedDate
    from channels.base import ChannelName

__all__ = (
    "Community",
    "Due",
    "Planned",
    "QuietHours",
    "Rest",
    "RestDays",
    "Slot",
    "as_ics",
    "calendar",
    "due",
    "length",
    "local_moment",
    "moments",
    "once",
    "quiet_until",
    "read",
    "read_dates",
    "reminder",
    "reminds",
    "rest",
    "shown",
)


_WHAT = ("announce", "digest")
_WHEN = ("at", "every", "before")


def read(
    folder: Path,
    senders: Mapping[str, ChannelName] | None,
    dates: Mapping[str, NamedDate] | None = None,
    language: str = "es",
) -> tuple[dict[str, Community], list[Finding]]:
    """Read every community.

    Args:
        folder: `schedules/`.
        senders: The channel of each sender of config.toml; None when that is not known, so that no sender
            is judged.
        dates: Those that slots may name, as `read_dates` gives them.
        language: The staff's: what holidays are called in.

    Returns:
        The communities without an error, by slug; and everything that is wrong.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        return {}, [Finding("timetable.no-community", folder)]
    communities: dict[str, Community] = {}
    findings: list[Finding] = []
    for file in files:
        community, faults = _community(file, senders, dates or {}, language)
        findings += sorted(faults, key=lambda fault: fault.line)
        if community and not errors(faults):
            communities[community.slug] = community
    return communities, findings


def _community(
    file: Path, senders: Mapping[str, ChannelName] | None, dates: Mapping[str, NamedDate], language: str
) -> tuple[Community | None, list[Finding]]:
    value, text, findings = read_toml(file)
    if value is None:
        return None, findings
    source = Source(file, text, value)
    schedule, findings = shape(Schedule, source, dates)
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", file.stem):
        findings.append(Finding("timetable.file-name", file))
    findings += [*_wrong_senders(source, senders), *_wrong_slots(source, dates)]
    return (_built(source, schedule, senders or {}, language) if schedule else None), findings


def _built(
    source: Source, schedule: Schedule, senders: Mapping[str, ChannelName], language: str
) -> Community:
    preferred: dict[ChannelName, str] = {}
    for name in schedule.senders:
        if name in senders:
            preferred.setdefault(senders[name], name)
    return Community(
        slug=source.file.stem,
        name=schedule.name,
        zone=schedule.timezone,
        languages=tuple(dict.fromkeys(schedule.languages)),
        senders=tuple(dict.fromkeys(schedule.senders)),
        channels=preferred,
        quiet_hours=tuple(QuietHours(hours.start, hours.end) for hours in schedule.quiet_hours),
        holidays=tuple(schedule.holidays),
        fold=schedule.fold_accents,
        opinions=schedule.ask_opinions,
        slots=tuple(_slots(source, schedule)),
        file=source.file,
        consulate=schedule.consulate,
        approval=schedule.approval == "required",
        most_a_day=schedule.most_a_day,
        next_channel_after=schedule.next_channel_after,
        stale_translations=schedule.stale_translations,
        rest_days=tuple(
            RestDays(first, last, days.name, days.mourning)
            for days in schedule.rest_days
            if (first := days.day or days.first) and (last := days.day or days.last)
        ),
        staff_language=language,
    )


def _slots(source: Source, schedule: Schedule) -> Iterator[Slot]:
    """One for each time: several reminders of one event are several slots."""
    for index, slot in enumerate(schedule.slot):
        written = source.value["slot"][index]
        line = line_of(source.text, ("slot", index, "digest" if slot.digest else "announce"))
        for number, when in enumerate(slot.times):
            said = next(written[key] for key in _WHEN if key in written)
            words = said[number] if isinstance(said, list) else said
            words = words.isoformat() if isinstance(words, datetime) else str(words)
            yield Slot(slot.entry, when, slot.late, line, slot.topics, words)


def _wrong_senders(source: Source, known: Mapping[str, ChannelName] | None) -> Iterator[Finding]:
    """Names that config.toml does not have, and two senders where one would speak."""
    written = source.value.get("senders")
    if known is None or not isinstance(written, list):
        return
    speaking: dict[ChannelName, str] = {}
    for index, name in enumerate(written):
        if not isinstance(name, str):
            continue  # said by the shape
        path = ("senders", index)
        if name not in known:
            meant = nearest(name, known)
            rule = "timetable.sender-near" if meant else "timetable.sender"
            yield source.finding(rule, path, written=name, meant=meant or "", known=", ".join(known))
        elif (first := speaking.setdefault(known[name], name)) != name:
            finding = source.finding("timetable.same-channel", path, written=name, first=first)
            yield replace(finding, level="warning")


def _wrong_slots(source: Source, dates: Mapping[str, NamedDate]) -> Iterator[Finding]:
    """Slots that say too little, too much, or the same as one before."""
    slots = source.value.get("slot")
    seen: set[tuple[str, object]] = set()
    for index, slot in enumerate(slots if isinstance(slots, list) else []):
        if not isinstance(slot, dict):
            continue  # said by the shape
        what = [key for key in _WHAT if key in slot]
        when = [key for key in _WHEN if key in slot]
        if not what or not when:
            yield source.finding("timetable.slot-incomplete", ("slot", index))
        for keys in (what, when):
            if len(keys) > 1:
                yield source.finding("timetable.slot-both", ("slot", index, keys[1]), keys=" + ".join(keys))
        if "digest" in what and "before" in when:
            yield source.finding("timetable.digest-before", ("slot", index, "before"))
        said = _said(slot, dates)
        for entry in {entry for entry, _ in seen & said}:
            yield source.finding("timetable.repeated-slot", ("slot", index), announce=entry)
        seen |= said


def _said(slot: dict[str, object], dates: Mapping[str, NamedDate]) -> set[tuple[str, object]]:
    """What a slot says when, however it is worded; nothing when it cannot be read."""
    try:
        read_slot = SlotShape.model_validate(slot, context=dates)
    except ValidationError:
        return set()
    return {(read_slot.entry, when) for when in read_slot.times if read_slot.entry}
