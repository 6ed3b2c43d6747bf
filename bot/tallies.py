"""Silence is not success: of the messages that left, how many their vendor has told us of.

What may enter: counting, by the quarter of an hour in which a message left, and the judgement of the counts.
A print partner of GOV.UK Notify said nothing for two days in 2022, and it was taken for good news.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.moments import from_ms, to_ms
from bot.store import seeing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from bot.store import Store, Transaction

_QUARTER = timedelta(minutes=15)
_PATIENCE = timedelta(minutes=15)
"""How long the last message of a quarter of an hour has had for its receipt before we judge: vendors tell
within seconds that they passed it on."""
_RECENT = timedelta(hours=24)
_USUAL = timedelta(days=7)
_KEPT = timedelta(days=9)

_FEWEST = 20
"""Messages that say anything about a share."""
_TIMES = 3
_LITTLE, _MUCH = 0.05, 0.3
"""A usual share is taken for no less and no more: where all is well or nothing is known yet, one message in
seven without a receipt is an alarm; where silence has become usual, nine in ten are."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Of how many recent messages of a sender its vendor has told nothing.

    Attributes:
        messages: How many were looked at: the latest that had time for a receipt. 0: there are too few.
        missing: The share of them without any receipt.
        usual: The same share in the seven days before.
    """

    sender: str
    messages: int
    missing: float
    usual: float

    @property
    def untold(self) -> int:
        """Of how many of them nothing is known."""
        return round(self.messages * self.missing)

    @property
    def alarming(self) -> bool:
        """Whether this is far more than usual."""
        return self.messages > 0 and self.missing > _TIMES * min(max(self.usual, _LITTLE), _MUCH)


class Tallies:
    """The tallies of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def silences(self, senders: Sequence[str], now: datetime) -> list[Silence]:
        """One of each of these senders, all of whose vendors send receipts."""
        asked = [
            {"sender": sender, "since": _quarter(now - _USUAL - _RECENT), "until": _quarter(now - _PATIENCE)}
            for sender in senders
        ]
        counted = await self._store.read(lambda tx: [tx.rows(seeing.TALLIES, values) for values in asked])
        return [weigh(sender, rows, now) for sender, rows in zip(senders, counted, strict=True)]


def left(tx: Transaction, sender: str, messages: int, now: datetime) -> None:
    """So many messages have left."""
    if messages:
        tx.run(seeing.TALLY, {"sender": sender, "quarter": _quarter(now), "sent": messages, "told": 0})


def told(tx: Transaction, delivery: Mapping[str, Any], now: datetime) -> None:
    """A receipt has come for a delivery, of which the first counts.

    Args:
        delivery: As `sql.RECEIPT_ROW` gives it. A message of which we did not know has left after all.
    """
    if delivery["told"]:
        return
    tx.run(seeing.TOLD, {"id": delivery["id"]})
    settled = from_ms(delivery["settled_at"]) if delivery["state"] != "claimed" else None
    when = settled or now  # a receipt may overtake the answer
    sent = int(delivery["state"] == "unknown")
    tx.run(seeing.TALLY, {"sender": delivery["sender"], "quarter": _quarter(when), "sent": sent, "told": 1})


def weigh(sender: str, rows: Iterable[Mapping[str, Any]], now: datetime) -> Silence:
    """Judge a sender's tallies, the latest first: the last few messages against all before them.

    As many quarters of an hour as hold enough messages are the recent ones, none older than a day.
    """
    recent, before, oldest = [0, 0], [0, 0], _quarter(now - _RECENT)
    for row in rows:
        of = recent if recent[0] < _FEWEST and row["quarter"] >= oldest else before
        of[0] += row["sent"]
        of[1] += max(0, row["sent"] - row["told"])
    usual = before[1] / before[0] if before[0] >= _FEWEST else 0.0
    if recent[0] < _FEWEST:
        return Silence(sender, 0, 0.0, usual)
    return Silence(sender, recent[0], recent[1] / recent[0], usual)


def forget_old(tx: Transaction, now: datetime) -> None:
    """What is too old to tell what is usual."""
    tx.run(seeing.TALLIES_OLD, {"before": _quarter(now - _KEPT)})


def _quarter(moment: datetime) -> int:
    """The quarters of an hour that were over by then, since 1970."""
    return to_ms(moment) // (_QUARTER // timedelta(milliseconds=1))
