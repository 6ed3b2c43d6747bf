"""The ledger: one compact row for every message a vendor would have accepted or refused, and the counts."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from channels.rehearsal.people import CHANNELS, Channel

if TYPE_CHECKING:
    from datetime import datetime

ROWS = 200_000
"""Kept at most; the oldest go first, the counts stay right."""

Outcome = Literal["accepted", "edited", "refused", "failed"]
"""`edited`: in the place of what was accepted before. `failed`: given up later by a receipt."""


class Row(NamedTuple):
    """One decision of a vendor.

    Attributes:
        n: Counted from 1 since the start.
        at: UTC.
        sender: A number, a messaging service or a bot's id.
        vendor_id: Empty when refused.
        status: The HTTP status; for `failed` 0.
        code: The vendor's error code, or 0.
        file: The name of the file that went along.
    """

    n: int
    at: datetime
    channel: Channel
    sender: str
    address: str
    vendor_id: str
    outcome: Outcome
    status: int
    code: int
    text: str
    file: str

    def as_json(self) -> dict[str, Any]:
        """As the control endpoint shows it."""
        return {**self._asdict(), "at": self.at.isoformat()}


@dataclass(slots=True)
class Count:
    """What one vendor saw. `last` is the last refusal or failure: status, code and the vendor's words."""

    accepted: int = 0
    edited: int = 0
    refused: int = 0
    failed: int = 0
    unreached: int = 0
    last: dict[str, Any] | None = None


@dataclass(slots=True)
class Ledger:
    """Rows in order of arrival, and a count for each channel."""

    rows: deque[Row] = field(default_factory=lambda: deque(maxlen=ROWS))
    counts: dict[Channel, Count] = field(default_factory=lambda: {channel: Count() for channel in CHANNELS})
    written: int = 0
    _texts: dict[str, str] = field(default_factory=dict)

    def write(  # noqa: PLR0913 - a row has these columns
        self,
        at: datetime,
        channel: Channel,
        *,
        outcome: Outcome,
        sender: str,
        address: str,
        text: str = "",
        vendor_id: str = "",
        status: int = 0,
        code: int = 0,
        reason: str = "",
        file: str = "",
    ) -> Row:
        """Add a row. A broadcast's text is the same for thousands and is kept once."""
        if len(self._texts) > 1000:  # noqa: PLR2004 - a memory, not a rule
            self._texts.clear()
        self.written += 1
        text = self._texts.setdefault(text, text)
        row = Row(self.written, at, channel, sender, address, vendor_id, outcome, status, code, text, file)
        self.rows.append(row)
        count = self.counts[channel]
        setattr(count, outcome, getattr(count, outcome) + 1)
        if outcome in {"refused", "failed"}:
            count.last = {"status": status, "code": code, "reason": reason}
        return row

    def unreached(self, channel: Channel) -> None:
        """Note that a webhook or a receipt found nobody at the bot's address."""
        self.counts[channel].unreached += 1

    def since(self, n: int) -> list[dict[str, Any]]:
        """The rows after the n-th."""
        first = self.rows[0].n if self.rows else 1
        skip = max(0, n + 1 - first)
        return [row.as_json() for index, row in enumerate(self.rows) if index >= skip]

    def summary(self) -> dict[Channel, dict[str, Any]]:
        """The counts, for the page."""
        return {channel: asdict(count) for channel, count in self.counts.items()}
