"""Time as the database keeps it: whole milliseconds since 1970, UTC. The only place that converts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


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
