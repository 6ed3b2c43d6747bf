"""Time as the database keeps it, whole milliseconds since 1970, UTC, and as it is handed to whoever needs it.

The only place that converts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Callable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Clockwork:
    """Time and chance, handed in instead of taken.

    Attributes:
        now: What the wall clock shows, aware UTC. Somebody may set it.
        jitter: From 0 to 1.
        ticks: Seconds that only ever go on, also while the machine sleeps. Where they began means nothing.
    """

    now: Callable[[], datetime]
    jitter: Callable[[], float]
    ticks: Callable[[], float]


@overload
def to_ms(moment: datetime) -> int: ...
@overload
def to_ms(moment: None) -> None: ...
def to_ms(moment: datetime | None) -> int | None:
    """An aware moment as milliseconds. Raises TypeError for a naive one, which means nothing here."""
    return None if moment is None else (moment - _EPOCH) // _MILLISECOND


@overload
def from_ms(ms: int) -> datetime: ...
@overload
def from_ms(ms: None) -> None: ...
def from_ms(ms: int | None) -> datetime | None:
    """Milliseconds as an aware UTC moment."""
    return None if ms is None else _EPOCH + ms * _MILLISECOND


def month_of(moment: datetime) -> str:
    """The month, as closely as joining and leaving are remembered: `2026-11`."""
    return f"{moment:%Y-%m}"
