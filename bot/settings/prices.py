"""What a sender costs: `price = { currency = "USD", segment = 0.0079 }`, as its contract says.

What may enter: how a price is written and what comes of it. No price is known beforehand: what config.toml
does not say is not reckoned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bot.toml.shapes import wrong

_CURRENCY = re.compile("[A-Z]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Price:
    """What is paid for each message, or for each SMS segment of it.

    Attributes:
        currency: ISO 4217.
        amount: In whole units of `currency`.
    """

    currency: str
    amount: Decimal
    each: Literal["segment", "message"]

    def of(self, *, messages: int, segments: int) -> Decimal:
        """What so much costs."""
        return self.amount * (segments if self.each == "segment" else messages)


def read_price(value: object) -> Price:
    """The table as it was written; one fault for whatever is wrong with it."""
    match value:
        case {"currency": str(currency), "segment": int() | float() as amount, **others} if not others:
            each: Literal["segment", "message"] = "segment"
        case {"currency": str(currency), "message": int() | float() as amount, **others} if not others:
            each = "message"
        case _:
            raise wrong("settings.price")
    written = Decimal(str(amount)) if not isinstance(amount, bool) else Decimal("nan")
    if not _CURRENCY.fullmatch(currency) or not written.is_finite() or written < 0:
        raise wrong("settings.price")
    return Price(currency, written, each)
