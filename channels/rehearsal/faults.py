"""Vendors on a bad day: what sends and receipts on a channel meet instead of what is usual.

What may enter: a kind of bad day that every vendor can have, and what it looks like on the wire. How a vendor
words its refusals stands with the vendor.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Literal, get_args

from aiohttp import web

if TYPE_CHECKING:
    from channels.rehearsal.people import Channel

Kind = Literal[
    "429",
    "500",
    "down",
    "reset",
    "credentials",
    "funds",
    "content",
    "500-accepted",
    "closed-accepted",
    "reset-accepted",
    "half",
    "hang",
    "slow",
    "receipts-lost",
    "receipts-doubled",
    "receipts-reversed",
    "ok",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
_NOTHING_ACCEPTED: frozenset[Kind] = frozenset(
    {"429", "500", "down", "reset", "credentials", "funds", "content"}
)
_OF_RECEIPTS: frozenset[Kind] = frozenset({"receipts-lost", "receipts-doubled", "receipts-reversed"})
NOT_ON_TELEGRAM: frozenset[Kind] = _OF_RECEIPTS | {"funds"}
"""It costs nothing there, and nothing is told of a message afterwards."""
_LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER on, with 0 seconds: the kernel sends RST instead of FIN (socket(7))."""


@dataclass(slots=True)
class Fault:
    """One kind of bad day.

    Attributes:
        kind: Nothing is accepted: "429" throttles; "500" fails; "down" closes the connection (FIN) and
            "reset" resets it (RST) without an answer; "credentials" and "funds" refuse everybody; "content"
            refuses what carries a file or is made from a template, and meets nothing else. The message is
            accepted: "500-accepted" fails all the same; "closed-accepted" and "reset-accepted" lose the
            answer; "half" breaks off in the middle of it; "hang" never answers; "slow" answers after
            `seconds`. Of receipts: "receipts-lost", "receipts-doubled", "receipts-reversed" (last first).
        retry_after: Seconds, with "429": the least and the most, each time another.
        seconds: With "slow".
        left: How many it meets; None for all until "ok".
        share: What part of them it meets, from 0 to 1.
        seed: The same seed meets the same ones again, counted from the first.
    """

    kind: Kind
    retry_after: tuple[int, int] = (1, 1)
    seconds: float = 30
    left: int | None = None
    share: float = 1
    seed: int = 0
    _chance: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)  # noqa: S311 - weather, not a secret

    @property
    def accepts(self) -> bool:
        """Whether what meets it was taken all the same."""
        return self.kind not in _NOTHING_ACCEPTED

    @property
    def of_receipts(self) -> bool:
        """Whether receipts meet it, not sends."""
        return self.kind in _OF_RECEIPTS

    def wait(self) -> int:
        """Seconds that a throttled sender is told to wait."""
        return self._chance.randint(*self.retry_after)

    def strikes(self) -> bool:
        """Whether the next one meets it."""
        if self.left == 0 or self._chance.random() >= self.share:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """The weather of each channel: one fault of its sends, one of its receipts.

    Who reads what was sent meets one that lasts until "ok" too; reading updates and registering meet none.
    """

    def __init__(self) -> None:
        self._now: dict[tuple[Channel, bool], Fault] = {}

    def set(self, channel: Channel, fault: Fault) -> None:
        """From now on, or back to fair with "ok"."""
        if fault.kind == "ok":
            for of_receipts in (True, False):
                self._now.pop((channel, of_receipts), None)
        else:
            self._now[channel, fault.of_receipts] = fault

    def clear(self) -> None:
        """Fair weather everywhere."""
        self._now.clear()

    def take(self, channel: Channel, *, of_receipts: bool = False, plain: bool = True) -> Fault | None:
        """What this send, or the receipts of this message, meet, if anything.

        Args:
            plain: It carries no file and is made from no template.
        """
        fault = self._now.get((channel, of_receipts))
        if fault is None or (plain and fault.kind == "content"):
            return None
        return fault if fault.strikes() else None

    def outage(self, channel: Channel) -> Fault | None:
        """What meets everybody who asks anything of a channel, if anything."""
        fault = self._now.get((channel, False))
        return fault if fault is not None and fault.kind != "content" and fault.left is None else None


def hang_up(request: web.Request, *, reset: bool = False) -> None:
    """Break the connection without a word."""
    if request.transport is None:
        return
    if reset:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    request.transport.abort()


async def answer(
    request: web.Request, fault: Fault | None, usual: web.Response, failed: web.Response
) -> web.StreamResponse:
    """What becomes of the answer to what was accepted.

    Args:
        request: What is answered.
        fault: What it met.
        usual: The vendor's yes.
        failed: The vendor's words for a fault of its own.
    """
    if fault is None:
        return usual
    match fault.kind:
        case "500-accepted":
            return failed
        case "hang":
            await asyncio.Event().wait()  # aiohttp ends this when the other side gives up: `start` asks it to
        case "slow":
            await asyncio.sleep(fault.seconds)
        case "half":
            return await _broken_off(request, usual)
        case "closed-accepted" | "reset-accepted":
            hang_up(request, reset=fault.kind == "reset-accepted")
    return usual


async def _broken_off(request: web.Request, usual: web.Response) -> web.StreamResponse:
    """The head of an answer, half of its body, and the end of the connection."""
    body = (usual.text or "").encode()
    begun = web.StreamResponse(status=usual.status, headers=usual.headers)
    begun.content_length = len(body)
    await begun.prepare(request)
    await begun.write(body[: len(body) // 2])
    hang_up(request)
    return begun
