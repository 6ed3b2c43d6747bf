"""One lane: everything that leaves through one sender, in order of priority, at one rate.

It claims rows, waits its turn, sends, asks the policy, and settles: the results of many requests and the next
claims go into one transaction. When the vendor or the sender is in trouble, the lane hands its claims back,
rests, and probes with one delivery.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING, cast

import structlog

from bot.lane import ends
from bot.moments import from_ms, to_ms
from bot.outbox import Settled, window_from
from bot.pace import Pace
from bot.policy import decide
from bot.vault import BadKey
from channels.trouble import Gone, Refused, Trouble, Unsure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.moments import Clockwork
    from bot.outbox import Claim, Outbox
    from bot.pace import LaneTrouble
    from bot.texts import Text
    from bot.vault import Vault
    from channels.base import Channel, Part

log = structlog.get_logger()

_BATCH = 500
_IN_HAND_SECONDS = 0.5
"""How much of its rate a lane may hold claimed: a pause or a reply waits no longer than this."""
_IDLE = 0.5
_GATHER = 0.02
"""A breath between transactions, so that many results share one commit."""
_LANDING = 7.0
"""Seconds that requests in flight have to end once we are asked to stop; later they are unknown."""
_REPLIES = 50
"""How many replies are taken however much else is in hand: nobody waits for a broadcast."""
_TEXTS_KEPT = 256


class Lane:
    """The sender's queue at work.

    Args:
        sender: Its name in config.toml.
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
        clockwork: Clockwork,
    ) -> None:
        self.sender = sender
        self.rate = rate
        self.ends: defaultdict[tuple[str, str], int] = defaultdict(int)  # a Counter takes twice as long
        self._channel = channel
        self._concurrency = concurrency
        self._outbox = outbox
        self._vault = vault
        self._speaking = speaking
        self._clockwork = clockwork
        self._pace = Pace(rate)
        self._in_hand = int(min(_BATCH, max(1, rate * _IN_HAND_SECONDS)))
        self._waiting: asyncio.PriorityQueue[tuple[bool, float, int, Claim]] = asyncio.PriorityQueue()
        self._turnstile = asyncio.Lock()
        self._flying: set[asyncio.Task[None]] = set()
        self._open = 0  # claims that have not ended yet, in flight or not
        self._ended: list[Settled] = []
        self._stirred = asyncio.Event()
        self._called = asyncio.Event()  # from outside: there may be a reply to send
        self._stopping = False
        self._fault: Exception | None = None
        self._texts: dict[int, Text] = {}

    @property
    def idle(self) -> bool:
        """Nothing in hand and nothing to write down."""
        return not (self._open or self._ended)

    @property
    def trouble(self) -> LaneTrouble | None:
        """Why nothing can be sent; None when all is well."""
        return self._pace.trouble

    @property
    def resting(self) -> float:
        """Seconds until the lane may send again."""
        return self._pace.resting

    @property
    def spent(self) -> float:
        """Messages (segments) that have left since we began."""
        return self._pace.spent

    def stir(self) -> None:
        """There may be something new: look at once."""
        self._called.set()
        self._stirred.set()

    def stop(self) -> None:
        """Begin no request any more."""
        self._stopping = True
        self.stir()

    async def run(self) -> None:
        """Work until `stop`; then let what is in flight end, hand back the rest, and return.

        Raises:
            Unusable: the database failed; nothing more was begun.
        """
        if until := await self._outbox.wait_until(self.sender):
            self._pace.rest((until - self._clockwork.now()).total_seconds())
        workers = [asyncio.create_task(self._guard()) for _ in range(self._concurrency)]
        try:
            while not self._stopping:
                await self._turn()
        finally:
            self._stopping = True
            await self._land(workers)
            self._hand_back()
            await self._outbox.turn(self.sender, self._ended, [], 0, self._clockwork.now())
        if self._fault:
            raise self._fault

    async def _land(self, workers: Sequence[asyncio.Task[None]]) -> None:
        """Let requests in flight end, for a while; every worker has ended afterwards."""
        for worker in set(workers) - self._flying:
            worker.cancel()
        if self._flying:
            await asyncio.wait(self._flying, timeout=_LANDING)
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)

    async def _turn(self) -> None:
        """One transaction, or a wait for a reason to have one."""
        called = self._called.is_set()
        self._stirred.clear()  # before anything is looked at, so that no news is slept through
        self._called.clear()
        room, replies = self._room()
        if not room and not self._ended and not (called and replies):
            await _until(self._stirred, self._pace.resting or _IDLE)
            return
        broadcasts = await self._speaking() if room else []
        settled, self._ended = self._ended, []
        try:
            now = self._clockwork.now()
            claims = await self._outbox.turn(self.sender, settled, broadcasts, room, now, replies)
        except BaseException:
            self._ended = settled + self._ended  # settling twice does no harm
            raise
        self._open += len(claims)
        for order, claim in enumerate(claims):  # as claimed: an emergency has the higher ids
            self._waiting.put_nowait((not claim.reply, asyncio.get_running_loop().time(), order, claim))
        if not claims and not self._ended:
            await _until(self._stirred, _IDLE)
        if self._waiting.qsize() > self._in_hand // 4:  # the workers have enough to do meanwhile
            await _until(self._called, _GATHER)

    def _room(self) -> tuple[int, int]:
        """How many more may be claimed now, and how many replies. A lane in trouble probes with one."""
        if self._pace.resting:
            return 0, 0
        if self.trouble:
            return (probe := 1 - min(1, self._open)), probe
        in_hand = self._open - len(self._flying)
        return (self._in_hand - in_hand if in_hand <= self._in_hand // 2 else 0), _REPLIES

    def _hand_back(self) -> None:
        """What was claimed and not begun goes back into the queue."""
        while not self._waiting.empty():
            self._end(Settled(self._waiting.get_nowait()[-1], "queued", due_at=self._clockwork.now()))

    def _end(self, settled: Settled) -> None:
        self._open -= 1
        self.ends[settled.state, settled.reason or ""] += 1
        self._ended.append(settled)
        self._stirred.set()

    async def _guard(self) -> None:
        """A worker that meets a fault stops the lane: what it cannot write down must not be sent."""
        try:
            await self._work()
        except Exception as fault:  # noqa: BLE001 - raised again by `run`
            self._fault = self._fault or fault
            self.stop()

    async def _work(self) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        while not self._stopping:
            async with self._turnstile:
                await asyncio.sleep(0)  # one request begins in a round of the loop, or others wait for fifty
                await self._pace.turn()  # first the turn, then the claim: whoever is most urgent then
                *_, claim = await self._waiting.get()
                try:
                    parts = await self._parts(claim)
                except BaseException:
                    self._end(Settled(claim, "queued", due_at=self._clockwork.now()))
                    raise
                if not parts:
                    continue
                part = parts[min(claim.part, len(parts) - 1)]
                self._pace.spend(part.segments)
            self._flying.add(task)
            try:
                await self._attempt(claim, part, max(len(parts), claim.part + 1))
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
        now = self._clockwork.now()
        free = (claim.heard_at or 0) > window_from(now)
        if self._stopping or self._pace.resting:
            self._end(Settled(claim, "queued", due_at=now))
        elif claim.broadcast and claim.broadcast not in dict(await self._speaking()):
            self._end(Settled(claim, "queued"))  # paused, cancelled or held by night while it waited its turn
        elif claim.valid_until is not None and claim.valid_until <= to_ms(now):
            self._end(Settled(claim, "expired", "too-late"))
        elif shut := text.shut(free=free, marketing=claim.marketing != 0):
            self._end(Settled(claim, "held", shut))
        else:
            return text.open if free else text.closed or ()
        return ()

    async def _attempt(self, claim: Claim, part: Part, parts: int) -> None:
        """One request, and what follows from its answer."""
        try:
            address = self._vault.open(self._channel.name, claim.sealed or b"")
        except BadKey:
            self._end(Settled(claim, "failed", "fault"))  # one damaged row
            return
        try:
            vendor_id = await self._sent(address, claim, part, parts)
        except Trouble as trouble:
            self._in_trouble(claim, part, trouble)
        except asyncio.CancelledError:
            self._end(ends.interrupted(claim, part, self._clockwork.now()))
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours must not stop the lane; it may have left
            log.error("send.fault", sender=self.sender, delivery=claim.id, error=type(error).__name__)  # noqa: TRY400 - a trace could quote an address
            self._in_trouble(claim, part, Refused("fault") if part.replaces else Unsure("fault"))
        else:
            self._pace.answered()
            self._end(ends.accepted(claim, parts, vendor_id, self._clockwork.now()))

    async def _sent(self, address: str, claim: Claim, part: Part, parts: int) -> str | None:
        """The vendor's id of what was sent or made right; None where there is no copy to make right."""
        if not part.replaces:
            return await self._channel.send(address, part, claim.key(parts))
        copy = await self._outbox.copy(claim.id, part.replaces)
        return copy and await self._channel.send(address, part, claim.key(parts), copy)

    def _in_trouble(self, claim: Claim, part: Part, trouble: Trouble) -> None:
        now = self._clockwork.now()
        decision = decide(
            ends.weighed(part, trouble),
            attempt=claim.attempt,
            now=now,
            valid_until=from_ms(claim.valid_until),
            jitter=self._clockwork.jitter,
        )
        moved = isinstance(trouble, Gone) and trouble.moved_to
        moved_to = self._vault.seal(self._channel.name, moved) if moved else None
        self._end(ends.troubled(claim, part, decision, moved_to, now))
        told = {"sender": self.sender, "reason": trouble.reason, "code": trouble.code}
        log.info("send.trouble", delivery=claim.id, **told)
        well = self.trouble is None
        self._pace.weigh(trouble, decision, now)
        if well and self.trouble is not None:
            log.warning("lane.resting", **told)
        if self._pace.resting:
            self._hand_back()  # what waits here would miss a pause, a night, or its own end


async def _until(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
