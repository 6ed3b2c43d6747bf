"""One person, several addresses: a short code, written from one telephone to the other, joins them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.moments import to_ms
from bot.store import audience, talk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.store import Transaction
    from channels.base import ChannelName

GOOD_FOR = timedelta(minutes=15)
_DIGITS = 6
_PERSON_BITS = 62


def offer(tx: Transaction, subscriber: int, now: datetime) -> str:
    """A new code for somebody; an older one of theirs is no longer good."""
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    tx.run(talk.LINK_OFFER, {"code": code, "subscriber": subscriber, "until": to_ms(now + GOOD_FOR)})
    return code


def accept(
    tx: Transaction, subscriber: int, code: str, now: datetime, channels: Iterable[ChannelName]
) -> bool:
    """Join the address that brings a code to the one it was given to. False when it is not good.

    What already waits to leave by several of their addresses leaves by one.

    Args:
        channels: Their community's, the preferred first.
    """
    row = tx.one(talk.LINK_OFFERED, {"code": code, "now": to_ms(now), "subscriber": subscriber})
    if row is None:
        return False
    person = secrets.randbits(_PERSON_BITS)  # says nothing, and is never given to anybody else
    tx.run(talk.LINK_TOGETHER, {"one": row["subscriber"], "other": subscriber, "person": person})
    tx.run(talk.LINK_USED, {"code": code})
    first, second, *_ = (*channels, "", "")
    order = {"first": first, "second": second, "same": audience.SAME // timedelta(milliseconds=1)}
    tx.run(talk.LINK_ONE_COPY, order | {"person": person, "now": to_ms(now)})
    return True
