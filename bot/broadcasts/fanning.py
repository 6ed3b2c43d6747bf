"""From a broadcast to its deliveries: the texts its readers need, and one row for each person.

What may enter: who gets what. When, and whether at all, is decided before.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from bot import taps, timetable
from bot.broadcasts.reports import EMERGENCY
from bot.moments import to_ms
from bot.outbox import window_from
from bot.rendering import render_announcement
from bot.store import audience, sql, talk
from bot.texts import add_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.broadcasts.reports import Readers
    from bot.library import Entry, Library
    from bot.rendering import Rendered
    from bot.rendering.lines import Heading
    from bot.store import Transaction
    from bot.timetable import Community

_OPINION = timedelta(days=7)
"""How long after it was said people may answer whether something was of use."""
_AHEAD = timedelta(days=6)
"""How far after the first day somebody who has had enough may wait: the seventh day is the last."""
_COUNTED = timedelta(days=14)
"""How far back a broadcast may have been due that still counts for a day: a week's wait, a slow lane."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a community on which something may go.

    Attributes:
        moment: When, aware UTC.
        begins: Its midnight, aware UTC.
        ends: The next.
    """

    moment: datetime
    begins: datetime
    ends: datetime


def texts_for(
    library: Library,
    entry: Entry,
    community: Community,
    readers: Sequence[Readers],
    now: datetime,
    heading: Heading = "",
) -> list[tuple[str, Rendered]]:
    """Each text its readers need, with the sender it leaves through; none for a channel without one.

    Args:
        heading: What the text says it is.

    Raises:
        Faults: a text cannot be rendered.
    """
    return [
        (
            community.channels[group.channel],
            render_announcement(
                library, entry, community, group.channel, group.language, now, heading=heading
            ),
        )
        for group in readers
        if group.channel in community.channels
    ]


def fan_out(
    tx: Transaction,
    broadcast: int,
    community: Community,
    entry: Entry,
    texts: Sequence[tuple[str, Rendered]],
    now: datetime,
) -> None:
    """Write a broadcast's texts and its deliveries. An emergency has no limit a day."""
    for sender, text in texts:
        add_text(tx, text, sender, broadcast)
    tx.each(sql.TOPIC_WANTED, [{"broadcast": broadcast, "topic": topic} for topic in wanted(entry)])
    row = tx.one(sql.BROADCAST, {"id": broadcast})
    emergency = bool(row and row["priority"] == EMERGENCY)
    days = [] if emergency else good_days(community, now)
    values = order(broadcast, community, entry.slug, days, now, emergency=emergency)
    tx.run(audience.fan_out(len(days)), values)
    tx.run(audience.TAKE_BACK, values)
    if days:
        tx.run(audience.ENOUGH, values)
    ask_opinion(tx, broadcast, entry, now)


def ask_opinion(tx: Transaction, broadcast: int, entry: Entry, now: datetime) -> None:
    """Wait for an answer of everybody who gets a text that ends with the question whether it was of use."""
    if entry.asks_about:
        choices = [asdict(one) for one in taps.of_use("es", entry.asks_about)]
        waits = {"broadcast": broadcast, "choices": json.dumps(choices), "until": to_ms(now + _OPINION)}
        tx.run(talk.ASK_OPINION, waits)


def wanted(entry: Entry) -> set[str]:
    """The topics of which one must be followed, as an import writes them; none: it is for everybody."""
    return {topic.strip().lower() for topic in entry.topics}


def good_days(community: Community, now: datetime) -> list[Day]:
    """The days on which something that is due at `now` (aware UTC) may go, the first first, a week at most.

    On each the end of the night; at the same hour where nobody sleeps at midnight. Empty where people get as
    many announcements a day as there are.
    """
    if community.most_a_day is None:
        return []
    moment, days = now, list[Day]()
    while len(days) < 2 or moment < days[0].ends + _AHEAD:  # noqa: PLR2004 - there is always another day
        rest = timetable.rest(community, moment)
        good = rest.until if rest else moment
        day = good.astimezone(community.zone).date()
        begins, ends = (
            timetable.local_moment(community, datetime.combine(each, time()))
            for each in (day, day + timedelta(days=1))
        )
        days.append(Day(good if days else now, begins, ends))
        moment = ends
        if timetable.rest(community, ends) is None:
            hour = datetime.combine(day + timedelta(days=1), now.astimezone(community.zone).time())
            moment = timetable.local_moment(community, hour)
    return days


def leaves(community: Community, now: datetime) -> datetime:
    """When something that is due at `now` (aware UTC) leaves, unless it is an emergency."""
    rest = timetable.rest(community, now)
    return rest.until if rest else now


def order(
    broadcast: int,
    community: Community,
    entry: str,
    days: Sequence[Day],
    now: datetime,
    *,
    emergency: bool = False,
) -> dict[str, object]:
    """What the audience's SQL is to know of one broadcast that is due at `now`.

    Whether a text may go freely is asked of the moment at which it leaves, not of the night before.

    Args:
        entry: A slug, or the name of a digest.
    """
    first, second, *_ = (*community.channels, "", "")
    values: dict[str, object] = {
        "broadcast": broadcast,
        "community": community.slug,
        "entry": entry,
        "now": to_ms(now),
        "window_from": window_from(now if emergency else leaves(community, now)),
        "first": first,
        "second": second,
        "same_from": to_ms(now - audience.SAME),
        "same_until": to_ms(now + audience.SAME),
        "most": community.most_a_day,
        "too_late": to_ms(days[-1].moment) + 1 if days else None,  # later than any of the days
        "counted_from": to_ms(now - _COUNTED),
    }
    for n, day in enumerate(days):
        values |= {f"moment{n}": to_ms(day.moment), f"begins{n}": to_ms(day.begins)}
        values[f"ends{n}"] = to_ms(day.ends)
    return values
