"""When and to whom: communities, their slots, their quiet hours. The only place that knows local time.

What may enter: reading `schedules/`, and rules of time that need no clock: `now` is handed in, aware UTC, and
aware UTC goes out. How a file is written is `shapes`; sentences with dates are `words`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

from bot.findings import Finding, errors
from bot.timetable.shapes import Schedule
from bot.toml.lines import line_of, read_toml
from bot.toml.shapes import Source, nearest, shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path
    from zoneinfo import ZoneInfo

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
class Slot:
    """One announcement at one moment.

    Attributes:
        announce: The entry's slug.
        at: Naive: what the community's clocks show.
        late: How late it is still useful.
        line: Where its entry is named in the community's file.
    """

    announce: str
    at: datetime
    late: timedelta
    line: int = 0

    @property
    def entry(self) -> str:
        """What is said."""
        return self.announce


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
        quiet_hours: None when it has none.
        holidays: `MX`, `US-CA`. Read, not yet observed.
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
    """

    slug: str
    name: str
    zone: ZoneInfo
    languages: tuple[str, ...]
    senders: tuple[str, ...]
    channels: Mapping[ChannelName, str]
    quiet_hours: QuietHours | None
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


@dataclass(frozen=True, slots=True)
class Rest:
    """Why nobody of a community is written to now.

    Attributes:
        until: The next moment that is good, aware UTC.
        why: What it is.
        name: What the day is called; "" for the night.
    """

    until: datetime
    why: Literal["night", "holiday", "rest-day", "mourning"]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """A slot whose moment has come.

    Attributes:
        local: Naive: what the community's clocks show.
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


def read(
    folder: Path, senders: Mapping[str, ChannelName] | None
) -> tuple[dict[str, Community], list[Finding]]:
    """Read every community.

    Args:
        folder: `schedules/`.
        senders: The channel of each sender of config.toml; None when that is not known, so that no sender
            is judged.

    Returns:
        The communities without an error, by slug; and everything that is wrong.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        return {}, [Finding("timetable.no-community", folder)]
    communities: dict[str, Community] = {}
    findings: list[Finding] = []
    for file in files:
        community, faults = _community(file, senders)
        findings += sorted(faults, key=lambda fault: fault.line)
        if community and not errors(faults):
            communities[community.slug] = community
    return communities, findings


def local_moment(community: Community, local: datetime) -> datetime:
    """The moment, aware UTC, at which the community's clocks show `local` (naive).

    An hour that is shown twice (autumn) means its first time; one that is skipped (spring) means the moment
    of the change, the first that is shown after it.
    """
    earlier, later = (local.replace(tzinfo=community.zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    if later <= earlier:  # not skipped: without fold it is the first time
        return later
    before = earlier.astimezone(community.zone).utcoffset()
    while later - earlier > timedelta(seconds=1):  # both sides of the change: close in on it
        middle = earlier + (later - earlier) // 2
        if middle.astimezone(community.zone).utcoffset() == before:
            earlier = middle
        else:
            later = middle
    return later.replace(microsecond=0)


def quiet_until(community: Community, now: datetime) -> datetime | None:
    """When the quiet hours that hold at `now` end.

    Args:
        community: Whose clocks are looked at.
        now: Aware UTC.

    Returns:
        Aware UTC, later than `now` and outside quiet hours; None when nobody is woken now.
    """
    hours = community.quiet_hours
    shown = now.astimezone(community.zone)
    if hours is None or not hours.hold(shown.time()):
        return None
    day = shown.date()
    while True:
        end = local_moment(community, datetime.combine(day, hours.end))
        if end <= now:  # also when that hour is shown twice and we are between the two
            end = datetime.combine(day, hours.end, community.zone).replace(fold=1).astimezone(UTC)
        if end > now and not hours.hold(end.astimezone(community.zone).time()):
            return end
        day += timedelta(days=1)


def rest(community: Community, now: datetime) -> Rest | None:
    """What keeps a community from being written to at `now` (aware UTC); None when nothing does."""
    until = quiet_until(community, now)
    return Rest(until, "night") if until else None


def due(
    community: Community,
    starts: Mapping[str, date | None],  # noqa: ARG001 - slots relative to an event need it
    since: datetime,
    now: datetime,
) -> list[Due]:
    """The slots whose moment lies after `since` and not after `now` (both aware UTC), earliest first.

    Asking twice, or for longer than needed, does no harm: a broadcast is unique by slot and `Due.key`.
    """
    moments = [(local_moment(community, slot.at), slot) for slot in community.slots]
    come = [
        Due(slot, slot.at, moment, now - moment > slot.late)
        for moment, slot in moments
        if since < moment <= now
    ]
    return sorted(come, key=lambda one: one.moment)


def _community(
    file: Path, senders: Mapping[str, ChannelName] | None
) -> tuple[Community | None, list[Finding]]:
    value, text, findings = read_toml(file)
    if value is None:
        return None, findings
    source = Source(file, text, value)
    schedule, findings = shape(Schedule, source)
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", file.stem):
        findings.append(Finding("timetable.file-name", file))
    findings += [*_wrong_senders(source, senders), *_wrong_slots(source)]
    return (_built(source, schedule, senders or {}) if schedule else None), findings


def _built(source: Source, schedule: Schedule, senders: Mapping[str, ChannelName]) -> Community:
    hours = schedule.quiet_hours
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
        quiet_hours=QuietHours(hours.start, hours.end) if hours else None,
        holidays=tuple(schedule.holidays),
        fold=schedule.fold_accents,
        opinions=schedule.ask_opinions,
        slots=tuple(
            Slot(slot.announce, slot.at, slot.late, line_of(source.text, ("slot", index, "announce")))
            for index, slot in enumerate(schedule.slot)
            if slot.announce and slot.at and not slot.recurs
        ),
        file=source.file,
        consulate=schedule.consulate,
        approval=schedule.approval == "required",
        most_a_day=schedule.most_a_day,
        next_channel_after=schedule.next_channel_after,
        stale_translations=schedule.stale_translations,
    )


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


def _wrong_slots(source: Source) -> Iterator[Finding]:
    """Slots that say the same twice, and those that this version does not run."""
    slots = source.value.get("slot")
    seen: set[tuple[object, object]] = set()
    for index, slot in enumerate(slots if isinstance(slots, list) else []):
        if not isinstance(slot, dict):
            continue  # said by the shape
        if "every" in slot or "digest" in slot:
            yield replace(source.finding("timetable.recurring", ("slot", index)), level="warning")
            continue
        said = (str(slot.get("announce")), str(slot.get("at")))
        if said in seen and "announce" in slot:
            yield source.finding("timetable.repeated-slot", ("slot", index), announce=said[0])
        seen.add(said)
