"""The instants at which a life is cut off: every commit and every request has one on each side.

What may enter: a name for each edge, and where it lies. Nothing in the product knows of it: in the forked
life our own functions are wrapped at their edges, and the vendors' process kills at those that only it sees.
"""

from __future__ import annotations

import inspect
import mmap
import os
import signal
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from bot.broadcasts import Broadcasts
from bot.conversation import Conversation
from bot.inbound import Inbounds
from bot.outbox import Outbox
from channels.base import Heard
from channels.sms import Sms
from channels.telegram import Telegram
from channels.whatsapp import WhatsApp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bot.outbox import Settled
    from channels.base import Part

IN_LIFE = {
    "before-commit": "the writer is about to commit",
    "after-commit": "the writer has committed, and told nobody",
    "recovered": "what a death left was found and written down",
    "claimed": "the claim is on the disk, nothing has left",
    "leaving": "one request is about to leave",
    "answered": "its answer was read, and not written down",
    "settling": "answers are about to be written down",
    "settled": "answers are written down",
    "heard": "a person's words were read, and not stored",
    "decided": "the answer is decided, and not queued",
    "replying": "the reply is queued, and not committed",
    "stored": "words and reply are stored, and not acknowledged",
    "told": "a receipt was read, and not stored",
    "receipted": "the receipt is stored, and not acknowledged",
    "due": "a broadcast is due, and not fanned out",
    "fanned-out": "its deliveries are on the disk",
    "closed": "a broadcast is closed",
}
AT_THE_VENDOR = {
    "body-gone": "the vendor has the whole request, and has not decided",
    "accepted": "the vendor has accepted, and not answered",
    "answer-gone": "the vendor's answer has left",
    "acknowledged": "the vendor was told that we have a person's words",
}
SELDOM = frozenset(
    {"recovered", "heard", "decided", "replying", "stored", "told", "receipted", "acknowledged"}
    | {"due", "fanned-out", "closed"}
)
"""What a life crosses once or twice; the others it crosses for each message."""
POINTS = IN_LIFE | AT_THE_VENDOR
LANES = (Telegram, Sms, WhatsApp)


@dataclass
class Order:
    """Whom to kill: at the n-th time that a point is crossed.

    Attributes:
        met: The file that says that it was.
    """

    pid: int
    point: str
    times: int
    met: Path

    def cross(self, point: str) -> None:
        """Somebody is at a point. Whoever is to die there does not return."""
        if point == self.point:
            self.times -= 1
            if self.times == 0:
                self.met.touch()
                with suppress(ProcessLookupError):  # somebody else was first
                    os.kill(self.pid, signal.SIGKILL)


class Flying:
    """What is in flight, counted for each lane in a byte that another process reads after our death."""

    def __init__(self, counts: mmap.mmap) -> None:
        self._counts = counts
        self._lanes: dict[str, int] = {}

    def begun(self, lane: int, key: str) -> None:
        """A request leaves, with our key: delivery, attempt, part, parts."""
        self._lanes[".".join(key.split(".")[:2])] = lane
        self._counts[lane] += 1

    def landed(self, settled: Sequence[Settled]) -> None:
        """These are on the disk; some of them never left."""
        for one in settled:
            lane = self._lanes.pop(f"{one.claim.id}.{one.claim.attempt}", None)
            if lane is not None:
                self._counts[lane] -= 1


def wrap(order: Order, in_flight: Path) -> None:
    """In a life of its own: watch every edge that it can see, and count what is in flight for each lane.

    In flight is a request that was begun and whose answer is not on the disk.
    """
    cross = order.cross
    with in_flight.open("r+b") as file:
        flying = Flying(mmap.mmap(file.fileno(), len(LANES)))
    _edges(Outbox, "recover", after=lambda _, found: found and cross("recovered"))
    _edges(
        Outbox,
        "turn",
        before=lambda given: given["settled"] and cross("settling"),
        after=partial(_turned, flying, cross),
    )
    _edges(Inbounds, "accept", before=partial(_come, cross, "heard", "told"), after=partial(_kept, cross))
    _edges(Conversation, "answer", after=lambda _, __: cross("decided"))
    _edges(Inbounds, "_write", after=lambda _, again: again or cross("replying"))
    _edges(
        Broadcasts,
        "launch",
        before=lambda _: cross("due"),
        after=lambda _, made: made and cross("fanned-out"),
    )
    _edges(Broadcasts, "finish", after=lambda _, over: over and cross("closed"))
    for lane, channel in enumerate(LANES):
        _requests(channel, lane, flying, cross)
    sqlite3.connect = partial(sqlite3.connect, factory=_commits(cross))  # type: ignore[assignment] # it is called as before


def _turned(flying: Flying, cross: Callable[[str], None], given: dict[str, Any], claims: object) -> None:
    flying.landed(given["settled"])
    if given["settled"]:
        cross("settled")
    if claims:
        cross("claimed")


def _come(cross: Callable[[str], None], heard: str, told: str, given: dict[str, Any]) -> None:
    for fact in given["facts"]:
        cross(heard if isinstance(fact, Heard) else told)


def _kept(cross: Callable[[str], None], given: dict[str, Any], _: object) -> None:
    _come(cross, "stored", "receipted", given)


def _edges(
    owner: type,
    name: str,
    *,
    before: Callable[[dict[str, Any]], object] = lambda _: None,
    after: Callable[[dict[str, Any], Any], object] = lambda _, __: None,
) -> None:
    """Look on before a method of ours begins, with what it was given, and after it ended, with its answer."""
    method = getattr(owner, name)
    signature = inspect.signature(method)

    def given(*args: object, **named: object) -> dict[str, Any]:
        return signature.bind(*args, **named).arguments

    @wraps(method)
    async def awaited(*args: object, **named: object) -> Any:  # noqa: ANN401 - the method's own
        before(given(*args, **named))
        answer = await method(*args, **named)
        after(given(*args, **named), answer)
        return answer

    @wraps(method)
    def called(*args: object, **named: object) -> Any:  # noqa: ANN401 - the method's own
        before(given(*args, **named))
        answer = method(*args, **named)
        after(given(*args, **named), answer)
        return answer

    setattr(owner, name, awaited if inspect.iscoroutinefunction(method) else called)


def _requests(channel: type, lane: int, flying: Flying, cross: Callable[[str], None]) -> None:
    """Both edges of a request."""
    send = channel.send  # type: ignore[attr-defined] # every channel has it

    @wraps(send)
    async def sent(self: object, address: str, part: Part, key: str, *rest: object) -> str:
        cross("leaving")
        flying.begun(lane, key)
        answer: str = await send(self, address, part, key, *rest)
        cross("answered")
        return answer

    channel.send = sent  # type: ignore[attr-defined] # as above


def _commits(cross: Callable[[str], None]) -> type[sqlite3.Connection]:
    class Watched(sqlite3.Connection):
        """A connection both edges of whose commits are seen."""

        def commit(self) -> None:
            writes = self.in_transaction
            if writes:
                cross("before-commit")
            super().commit()
            if writes:
                cross("after-commit")

    return Watched
