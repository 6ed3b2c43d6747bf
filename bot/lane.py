"""One lane: everything that leaves through one sender, in order of priority, at one rate.

It claims rows, waits its turn, sends, asks the policy, and settles: the results of many requests and the next
claims go into one transaction. When the vendor or the sender is in trouble, the lane hands its claims back,
rests, and probes with one delivery.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import structlog

from bot.moments import from_ms
from bot.outbox import Settled, window_from
from bot.pace import Pace
from bot.policy import PROBE, decide
from channels.base import Gone, Later, Trouble, Unsure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.outbox import Claim, Outbox, Text
    from bot.vault import Vault
    from channels.base import Channel, Part

log = structlog.get_logger()

_BATCH = 500
_IN_HAND_SECONDS = 0.5
"""How much of its rate a lane may hold claimed: a pause or a reply waits no longer than this."""
_IDLE = 0.5
_LONGEST_WAIT = 5.0
_GATHER = 0.005
"""A breath between transactions, so that many results share one commit."""
_LANDING = 10.0
"""Seconds that requests in flight have to end once we are asked to stop; later they are unknown."""
_STUMBLES = 5
"""So many requests in a row without an answer, and the lane rests."""
_NEXT_PART = timedelta(seconds=1)
"""Telegram wants no more than one message a second in one chat."""
_TEXTS_KEPT = 256


@dataclass(frozen=True, slots=True)
class Clockwork:
    """What a lane is handed instead of taking it: time and chance."""

    now: Callable[[], datetime]
    jitter: Callable[[], float]


@dataclass(frozen=True, slots=True)
class LaneTrouble:
    """Why a lane rests, for staff: a reason of the channel's closed list, and the vendor's own code."""

    reason: str
    code: str
    ours: bool


class Lane:
    """The sender's queue at work.

    Args:
        sender: Its name in config.toml.
        speaking: Gives the broadcasts that may speak now, first first, each with `valid_until` (ms).
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
        clockwork: Clockwork,
    ) -> None:
        self.sender = sender
        self.trouble: LaneTrouble | None = None
        self._channel = channel
        self._concurrency = concurrency
        self._outbox = outbox
        self._vault = vault
        self._speaking = speaking
        self._clockwork = clockwork
        self._pace = Pace(rate)
        self._in_hand = int(min(_BATCH, max(1, rate * _IN_HAND_SECONDS)))
        self._waiting: asyncio.PriorityQueue[tuple[bool, int, Claim]] = asyncio.PriorityQueue()
        self._turnstile = asyncio.Lock()
        self._flying: set[asyncio.Task[None]] = set()
        self._open = 0  # claims that have not ended yet, in flight or not
        self._ended: list[Settled] = []
        self._stirred = asyncio.Event()
        self._stopping = False
        self._stumbles = 0
        self._texts: dict[int, Text] = {}

    @property
    def idle(self) -> bool:
        """Nothing in hand and nothing to write down."""
        return not (self._open or self._ended)

    @property
    def resting(self) -> float:
        """Seconds until the lane may send again."""
        return self._pace.resting

    def stir(self) -> None:
        """There may be something new: look at once."""
        self._stirred.set()

    def stop(self) -> None:
        """Begin no request any more."""
        self._stopping = True
        self.stir()

    async def run(self) -> None:
        """Work until `stop`; then let what is in flight end, hand back the rest, and return."""
        if until := await self._outbox.wait_until(self.sender):
            self._pace.rest((until - self._clockwork.now()).total_seconds())
        workers = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        try:
            while not self._stopping:
                await self._turn()
        finally:
            for worker in set(workers) - self._flying:
                worker.cancel()
            if self._flying:
                await asyncio.wait(self._flying, timeout=_LANDING)
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            self._hand_back()
            await self._outbox.turn(self.sender, self._ended, [], 0, self._clockwork.now())
            self._ended = []

    async def _turn(self) -> None:
        """One transaction, or a wait for a reason to have one."""
        room = self._room()
        if not room and not self._ended:
            await self._wait(min(self._pace.resting, _LONGEST_WAIT) or _IDLE)
            return
        settled, self._ended = self._ended, []
        broadcasts = await self._speaking() if room else []
        claims = await self._outbox.turn(self.sender, settled, broadcasts, room, self._clockwork.now())
        self._open += len(claims)
        for claim in claims:
            self._waiting.put_nowait((not claim.reply, claim.id, claim))
        if not claims and not self._ended:
            await self._wait(_IDLE)
        elif self._waiting.qsize() > self._in_hand // 2:
            await asyncio.sleep(_GATHER)

    def _room(self) -> int:
        """How many more may be claimed now. A lane in trouble probes with one."""
        if self._pace.resting:
            return 0
        if self.trouble:
            return 1 - min(1, self._open)
        in_hand = self._open - len(self._flying)
        return self._in_hand - in_hand if in_hand <= self._in_hand // 2 else 0

    async def _wait(self, seconds: float) -> None:
        self._stirred.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stirred.wait()

    def _hand_back(self) -> None:
        """What was claimed and not begun goes back into the queue."""
        while not self._waiting.empty():
            self._end(Settled(self._waiting.get_nowait()[2], "queued", due_at=self._clockwork.now()))

    def _end(self, settled: Settled) -> None:
        self._open -= 1
        self._ended.append(settled)
        self._stirred.set()

    async def _work(self) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        while True:
            async with self._turnstile:
                _, _, claim = await self._waiting.get()
                try:
                    parts = await self._parts(claim)
                    if not parts:
                        continue
                    part = parts[min(claim.part, len(parts) - 1)]
                    await self._pace.turn(part.segments)
                except asyncio.CancelledError:
                    self._end(Settled(claim, "queued", due_at=self._clockwork.now()))
                    raise
            self._flying.add(task)
            try:
                await self._attempt(claim, part, last=claim.part + 1 >= len(parts))
            finally:
                self._flying.discard(task)

    async def _parts(self, claim: Claim) -> tuple[Part, ...]:
        """What this claim says; nothing when it was settled without a word."""
        if claim.sealed is None or (claim.person in ("left", "gone") and not claim.reply):
            self._end(Settled(claim, "cancelled", claim.person if claim.sealed else "erased"))
            return ()
        text = self._texts.get(claim.text)
        if text is None:
            if len(self._texts) >= _TEXTS_KEPT:
                self._texts.clear()
            text = self._texts[claim.text] = await self._outbox.text(claim.text)
        heard_lately = (claim.heard_at or 0) > window_from(self._clockwork.now())
        parts = text.open if heard_lately else text.closed
        if not parts:
            self._end(Settled(claim, "held", "window"))
            return ()
        return parts

    async def _attempt(self, claim: Claim, part: Part, *, last: bool) -> None:
        """One request, and what follows from its answer."""
        address = self._vault.open(self._channel.name, claim.sealed or b"")
        try:
            vendor_id = await self._channel.send(address, part, claim.key)
        except Trouble as trouble:
            await self._in_trouble(claim, trouble)
        except asyncio.CancelledError:
            self._end(Settled(claim, "unknown", "stopped"))
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours must not stop the lane; it may have left
            log.error("send.fault", sender=self.sender, delivery=claim.id, error=type(error).__name__)  # noqa: TRY400 - a trace could quote an address
            await self._in_trouble(claim, Unsure("fault"))
        else:
            self._stumbles, self.trouble = 0, None
            if last:
                self._end(Settled(claim, "sent", vendor_id=vendor_id))
            else:
                due_at = self._clockwork.now() + _NEXT_PART
                self._end(Settled(claim, "next", vendor_id=vendor_id, due_at=due_at))

    async def _in_trouble(self, claim: Claim, trouble: Trouble) -> None:
        now = self._clockwork.now()
        decision = decide(
            trouble,
            attempt=claim.attempt,
            now=now,
            valid_until=from_ms(claim.valid_until),
            jitter=self._clockwork.jitter,
        )
        moved_to = trouble.moved_to if isinstance(trouble, Gone) else None
        self._end(
            Settled(
                claim,
                decision.state,
                decision.reason,
                due_at=decision.due_at,
                person=decision.person,
                moved_to=self._vault.seal(self._channel.name, moved_to) if moved_to else None,
            )
        )
        log.info(
            "send.trouble", sender=self.sender, delivery=claim.id, reason=trouble.reason, code=trouble.code
        )
        if decision.lane_until is not None:
            self._pace.rest((decision.lane_until - now).total_seconds())
        if decision.lane_until is not None and not decision.broken:
            await self._outbox.wait(self.sender, decision.lane_until)  # the vendor's wish outlives us
        if decision.broken:
            self._rest(trouble, ours=True)
        elif isinstance(trouble, Unsure) or (isinstance(trouble, Later) and trouble.wait is None):
            self._stumbles += 1
            if self._stumbles >= _STUMBLES:
                self._pace.rest(PROBE.total_seconds())
                self._rest(trouble, ours=False)

    def _rest(self, trouble: Trouble, *, ours: bool) -> None:
        """The lane stops for everyone: staff are told, rows go back, one delivery will probe."""
        if self.trouble is None:
            log.warning("lane.resting", sender=self.sender, reason=trouble.reason, code=trouble.code)
        self.trouble = LaneTrouble(trouble.reason, trouble.code, ours)
        self._hand_back()
