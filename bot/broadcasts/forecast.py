"""When the lanes will have sent what is planned: a walk through the hours, nights and holidays left out.

What may enter: reckoning with rates and time. Nothing is read from the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot import timetable
from bot.pace import HEADROOM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.timetable import Community

_STEP = timedelta(minutes=5)
_LONGEST = timedelta(days=14)
"""Further than that nobody plans."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one community wants of one sender.

    Attributes:
        starts: When it may begin, aware UTC.
        cost: As the lane counts: SMS segments, else messages.
        passes: An emergency: it does not rest.
    """

    community: Community
    sender: str
    starts: datetime
    cost: int
    passes: bool = False


def finishes(loads: Sequence[Load], rates: Mapping[str, float]) -> list[datetime | None]:
    """When each load has left, aware UTC; None where that takes longer than two weeks.

    Args:
        loads: Those that share a sender are served in this order, as far as they may speak at the time.
        rates: What each sender sends in a second, as config.toml says; a little less is used.
    """
    ended: list[datetime | None] = [None] * len(loads)
    for sender in {load.sender for load in loads}:
        mine = [index for index, load in enumerate(loads) if load.sender == sender]
        _walk(loads, mine, rates[sender] * HEADROOM, ended)
    return ended


def _walk(loads: Sequence[Load], mine: list[int], rate: float, ended: list[datetime | None]) -> None:
    left = {index: float(loads[index].cost) for index in mine}
    moment = min(loads[index].starts for index in mine)
    end = moment + _LONGEST
    while left and moment < end:
        room = rate * _STEP.total_seconds()
        for index in list(left):
            if _silent(loads[index], moment):
                continue
            spent = min(room, left[index])
            room -= spent
            left[index] -= spent
            if not left[index]:
                del left[index]
                ended[index] = moment + _STEP * (1 - room / (rate * _STEP.total_seconds()))
        moment = _next(loads, left, moment)


def _silent(load: Load, moment: datetime) -> bool:
    return load.starts > moment or (not load.passes and timetable.rest(load.community, moment) is not None)


def _next(loads: Sequence[Load], left: Mapping[int, float], moment: datetime) -> datetime:
    """The next step; over hours in which nobody may speak, their end."""
    after = moment + _STEP
    opens = []
    for index in left:
        load = loads[index]
        begins = max(load.starts, after)
        rest = None if load.passes else timetable.rest(load.community, begins)
        opens.append(rest.until if rest else begins)
    return min(opens, default=after)
