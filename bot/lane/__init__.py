"""One lane: everything that leaves through one sender, in order of priority, at one rate.

What it claims leaves at once, so that a crash leaves no more unknown than was under way; the results of many
requests and the next claims go into one transaction. When the vendor or the sender is in trouble, the lane
rests, and probes with one delivery.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from typing import TYPE_CHECKING

import structlog

from bot.disk import AGAIN
from bot.lane import ends
from bot.lane.refusals import Refusals
from bot.lane.requests import Requests
from bot.lane.spacing import Spacing
from bot.outbox import Favour, Settled
from bot.pace import Pace
from bot.store import Unusable
from bot.texts import Unreadable
from bot.vault import BadKey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

    from bot.disk import Disk
    from bot.moments import Clockwork
    from bot.outbox import Claim, Outbox
    from bot.pace import LaneTrouble
    from bot.texts import Text
    from bot.vault import Vault
    from channels.base import Channel, Part

log = structlog.get_logger()

_IDLE = 0.5
"""Seconds between two looks at a queue in which nothing was due."""
_GATHER = 0.02
"""A breath between transactions, so that many results share one commit."""

_FAVOURED = 10
"""Every so many messages one leaves out of turn, so that nothing starves behind what never ends."""
_TEXTS_KEPT = 256


class Lane:
    """The sender's queue at work.

    Args:
        sender: Its name in config.toml.
        concurrency: How many requests may be in flight.
        speaking: Gives the broadcasts that may speak now, first first, each with `valid_until` (ms).

    Attributes:
        rate: Messages (segments) a second that the vendor allows.
        ends: How many claims ended in which state and for which reason since we began.
    """

    def __init__(
        self,
        sender: str,
        channel: Channel,
        rate: float,
        concurrency: int,
        *,
        outbox: Outbox,
        vault: Vault,
        speaking: Callable[[], Awaitable[list[tuple[int, int | None]]]],
        disk: Disk,
        clockwork: Clockwork,
    ) -> None:
        self.sender = sender
        self.rate = rate
        self.ends: defaultdict[tuple[str, str], int] = defaultdict(int)  # a Counter takes twice as long
        self._channel = channel
        self._concurrency = concurrency
        self._worth = max(1, concurrency * 4 // 5)  # as many as are worth a transaction when there are more
        self._outbox = outbox
        self._vault = vault
        self._speaking = speaking
        self._disk = disk
        self._clockwork = clockwork
        self._pace = Pace(rate)
        self._spacing = Spacing(channel)
        self._ended: list[Settled] = []
        self._stirred = asyncio.Event()
        self._look_at = 0.0  # from then on (monotonic seconds) there may be something to claim
        self._claimed = self._favoured = 0
        self._stopping = False
        self._full = False
        self._refusals = Refusals()
        self._requests = Requests(
            sender, channel, self._pace, self._refusals, outbox, vault, clockwork, self._end, self.stop
        )
        self._texts: dict[int, Text] = {}

    @property
    def idle(self) -> bool:
        """Nothing in flight and nothing to write down."""
        return not (self._requests or self._ended)

    @property
    def trouble(self) -> LaneTrouble | None:
        """Why nothing can be sent; None when all is well."""
        return self._pace.trouble

    @property
    def refused(self) -> Mapping[int, LaneTrouble]:
        """The broadcasts that wait because the vendor refuses a text of theirs, each with the reason."""
        return self._refusals.broadcasts

    @property
    def resting(self) -> float:
        """Seconds until the lane may send again."""
        return self._pace.resting

    @property
    def spent(self) -> float:
        """Messages (segments) that have left since we began."""
        return self._pace.spent

    def rest(self, seconds: float) -> None:
        """Send nothing for so long: the vendor asked for it elsewhere."""
        self._pace.rest(seconds)

    def stir(self) -> None:
        """There may be something new: look at once."""
        self._look_at = 0.0
        self._stirred.set()

    def stop(self) -> None:
        """Begin no request any more."""
        self._stopping = True
        self._stirred.set()

    async def run(self) -> None:
        """Work until `stop`; then let what is in flight end, write it down, and return.

        Raises:
            Unusable: the database failed; nothing more was begun. A full disk is waited for.
        """
        if until := await self._outbox.wait_until(self.sender):
            self._pace.rest((until - self._clockwork.now()).total_seconds())
        try:
            while not self._stopping:
                await self._turn()
        finally:
            self._stopping = True
            await self._requests.land()
            await self._outbox.turn(self.sender, self._ended, [], 0, self._clockwork.now())
        if self._requests.fault:
            raise self._requests.fault

    async def _turn(self) -> None:
        """One transaction and the requests that follow from it, once there is reason to have one."""
        await self._gather()
        room = self._room()
        if room or self._ended:
            try:
                claims = await self._exchange(room)
            except Unusable as error:
                await self._wait_for_space(error)
            else:
                await self._begin(claims)

    def _room(self) -> int:
        """How many may be claimed now. A lane in trouble probes with one."""
        if self._stopping or (time.monotonic() < self._look_at and not self._ended):
            return 0  # where something is written down anyway, looking costs nothing
        free = (self._concurrency if self.trouble is None else 1) - len(self._requests)
        return max(0, min(free, self._pace.turns))

    async def _gather(self) -> None:
        """Wait until enough may leave; but what has ended is written down soon."""
        wait = max(self._look_at - time.monotonic(), self._pace.wait) or _GATHER
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(wait, _IDLE)) as limit:
                soon = None
                while not (self._stopping or self._enough()):
                    if self._ended and soon is None:
                        soon = asyncio.get_running_loop().time() + _GATHER
                        limit.reschedule(min(soon, limit.when() or soon))
                    await self._stirred.wait()
                    self._stirred.clear()

    def _enough(self) -> bool:
        """Whether as many may leave as are worth a transaction."""
        worth = min(self._pace.turns, self._worth) if self._requests else 1
        return self._room() >= max(1, worth)

    async def _exchange(self, room: int) -> list[Claim]:
        """Write down what ended and claim what may leave, in one transaction."""
        broadcasts = await self._speaking() if room else []
        favour = Favour(self._favoured, (self._claimed % _FAVOURED + room) // _FAVOURED)
        settled, now = list(self._ended), self._clockwork.now()
        if room:
            self._refusals.heed({broadcast for broadcast, _ in broadcasts})
            self._look_at = time.monotonic() + _IDLE
        claims = await self._outbox.turn(self.sender, settled, broadcasts, room, now, favour)
        del self._ended[: len(settled)]
        self._claimed += len(claims)
        self._favoured += favour.most
        self._full = False
        if 0 < room == len(claims):
            self._look_at = 0.0
        return claims

    async def _wait_for_space(self, error: Unusable) -> None:
        """What cannot be written down is not sent; what was sent is kept in mind until it can be."""
        if not self._disk.passing(error):
            raise error
        if not self._full:
            self._full = True
            log.error("lane.not-stored", sender=self.sender, reason=error.why)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AGAIN):
                while not self._stopping:
                    await self._stirred.wait()
                    self._stirred.clear()

    async def _begin(self, claims: Sequence[Claim]) -> None:
        """Let each claim's request leave, unless there is a reason by now why it should not."""
        try:
            unreadable = await self._load({claim.text for claim in claims})
        except BaseException:
            self._hand_back(claims)
            raise
        for claim in claims:
            if self._stopping or self._pace.resting:
                self._hand_back([claim])
            elif claim.text in unreadable:
                self._end(Settled(claim, "failed", "fault"))
            elif parts := self._parts(claim):
                self._leave(claim, parts)

    def _leave(self, claim: Claim, parts: tuple[Part, ...]) -> None:
        sealed = claim.sealed or b""
        try:
            address = self._vault.open(self._channel.name, sealed)
        except BadKey:
            self._end(Settled(claim, "failed", "fault"))  # one damaged row
            return
        part = parts[min(claim.part, len(parts) - 1)]
        self._pace.spend(part.segments)
        self._spacing.spend(sealed, address)
        self._requests.make(claim, address, part, max(len(parts), claim.part + 1))

    async def _load(self, texts: Collection[int]) -> Collection[int]:
        """Have what these texts say at hand; those that nobody can read."""
        if len(self._texts) + len(texts) > _TEXTS_KEPT:
            self._texts.clear()
        unreadable = set()
        for text in texts:
            if text not in self._texts:
                try:
                    self._texts[text] = await self._outbox.text(text)
                except Unreadable as fault:
                    unreadable.add(text)
                    log.error("lane.unreadable", sender=self.sender, error=str(fault))  # noqa: TRY400 - a trace could quote it
        return unreadable

    def _parts(self, claim: Claim) -> tuple[Part, ...]:
        """What this claim says; nothing when it was settled without a word."""
        now, text = self._clockwork.now(), self._texts[claim.text]
        if unsaid := ends.unsaid(claim, text, now) or self._too_soon(claim):
            self._end(unsaid)
            return ()
        return text.open if claim.free(now) else text.closed or ()

    def _too_soon(self, claim: Claim) -> Settled | None:
        wait = self._spacing.wait(claim.sealed or b"")
        return Settled(claim, "back", due_at=self._clockwork.now() + wait) if wait else None

    def _hand_back(self, claims: Iterable[Claim]) -> None:
        """What was claimed and not begun goes back into the queue."""
        for claim in claims:
            self._end(Settled(claim, "back", due_at=self._clockwork.now()))

    def _end(self, settled: Settled) -> None:
        if settled.state != "back":
            self.ends[settled.state, settled.reason or ""] += 1
        self._ended.append(settled)
        if len(self._ended) in (1, self._worth):  # not at each: to look costs as much as to send
            self._stirred.set()
