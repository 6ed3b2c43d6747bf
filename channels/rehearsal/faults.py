"""Vendors on a bad day: what the next sends on a channel meet instead of an answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from aiohttp import web

    from channels.rehearsal.people import Channel

Kind = Literal["429", "500", "hang", "down", "ok"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(slots=True)
class Fault:
    """One kind of bad day.

    Attributes:
        kind: "429" throttles; "500" fails; "hang" accepts and never answers; "down" hangs up and accepts
            nothing.
        retry_after: Seconds, with "429".
        left: How many sends it meets; None for all until "ok".
    """

    kind: Kind
    retry_after: int = 1
    left: int | None = None


class Faults:
    """The weather of each channel.

    Sends meet it, and where it lasts until "ok" also who reads what was sent; reading updates and registering
    does not.
    """

    def __init__(self) -> None:
        self._now: dict[Channel, Fault] = {}

    def set(self, channel: Channel, fault: Fault) -> None:
        """From now on, or back to fair with "ok"."""
        self._now[channel] = fault

    def clear(self) -> None:
        """Fair weather everywhere."""
        self._now.clear()

    def take(self, channel: Channel) -> Fault | None:
        """What this send meets, if anything."""
        fault = self._now.get(channel)
        if fault is None or fault.kind == "ok" or fault.left == 0:
            return None
        if fault.left is not None:
            fault.left -= 1
        return fault

    def outage(self, channel: Channel) -> Fault | None:
        """What meets everybody who asks anything of a channel, if anything."""
        fault = self._now.get(channel)
        return fault if fault is not None and fault.kind != "ok" and fault.left is None else None


async def silence() -> None:
    """Never answer: aiohttp ends this when the other side gives up, because `start` asks it to."""
    await asyncio.Event().wait()


def hang_up(request: web.Request) -> None:
    """Break the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
