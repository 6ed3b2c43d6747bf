"""From a broadcast to its deliveries: the texts its readers need, and one row for each person.

What may enter: who gets what. When, and whether at all, is decided before.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from bot import taps
from bot.moments import to_ms
from bot.outbox import window_from
from bot.rendering import render
from bot.store import sql, talk
from bot.texts import add_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.broadcasts.reports import Readers
    from bot.library import Entry, Library
    from bot.rendering import Rendered
    from bot.store import Transaction
    from bot.timetable import Community

_OPINION = timedelta(days=7)
"""How long after it was said people may answer whether something was of use."""


def texts_for(
    library: Library, entry: Entry, community: Community, readers: Sequence[Readers], now: datetime
) -> list[tuple[str, Rendered]]:
    """Each text its readers need, with the sender it leaves through; none for a channel without one.

    Raises:
        Faults: a text cannot be rendered.
    """
    return [
        (
            community.channels[group.channel],
            render(library, entry, community, group.channel, group.language, now),
        )
        for group in readers
        if group.channel in community.channels
    ]


def fan_out(
    tx: Transaction,
    broadcast: int,
    community: str,
    entry: Entry,
    texts: Sequence[tuple[str, Rendered]],
    now: datetime,
) -> None:
    """Write a broadcast's texts and its deliveries."""
    for sender, text in texts:
        add_text(tx, text, sender, broadcast)
    wanted = {topic.strip().lower() for topic in entry.topics}  # as an import writes them
    tx.each(sql.TOPIC_WANTED, [{"broadcast": broadcast, "topic": topic} for topic in wanted])
    order = {
        "broadcast": broadcast,
        "community": community,
        "now": to_ms(now),
        "window_from": window_from(now),
    }
    tx.run(sql.FAN_OUT, order)
    ask_opinion(tx, broadcast, entry, now)


def ask_opinion(tx: Transaction, broadcast: int, entry: Entry, now: datetime) -> None:
    """Wait for an answer of everybody who gets a text that ends with the question whether it was of use."""
    if entry.asks_about:
        choices = [asdict(one) for one in taps.of_use("es", entry.asks_about)]
        waits = {"broadcast": broadcast, "choices": json.dumps(choices), "until": to_ms(now + _OPINION)}
        tx.run(talk.ASK_OPINION, waits)
