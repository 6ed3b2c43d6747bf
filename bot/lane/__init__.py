"""One lane: everything that leaves through one sender, in order of priority, at one rate.

What it claims leaves at once, so that a crash leaves no more unknown than was under way; the results of many
requests and the next claims go into one transaction. When the vendor or the sender is in trouble, the lane
rests, and probes with one delivery.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

import structlog

from bot.lane import ends
from bot.lane.spacing import Spacing
from bot.moments import from_ms, to_ms
from bot.outbox import Favour, Settled, window_from
from bot.pace import Pace
from bot.policy import decide
from bot.store import Unusable
from bot.vault import BadKey
from channels.trouble import Gone, Refused, Trouble, Unsure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

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
_LANDING = 7.0
"""Seconds that requests in flight have to end once we are asked to stop; later they are unknown."""
_FULL = 5.0
"""Seconds until we try again to write on a full disk."""
_FAVOURED = 10
"""Every so many messages one leaves out of turn, so that nothing starves behind what never ends."""
_TEXTS_KEPT = 256


class Lane:
    """The sender's queue at work.

    Args:
        sender: Its name in config.toml.
        concurrency: How many requests may be in flight.
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
        self._channel = channel
        self._concurrency = concurrency
        self._outbox = outbox
        self._vault = vault
        self._speaking = speaking
        self._clockwork = clockwork
        self._pace = Pace(rate)
        self._spacing = Spacing(channel)
        self._flying: set[asyncio.Task[None]] = set()
        self._ended: list[Settled] = []
        self._stirred = asyncio.Event()
        self._hungry = True  # there may be something to claim
        self._claimed = 0
        self._stopping = False
        self._full = False
        self._fault: Exception | None = None
        self._texts: dict[int, Text] = {}

    @property
    def idle(self) -> bool:
        """Nothing in flight and nothing to write down."""
        return not (self._flying or self._ended)

    @property
    def trouble(self) -> LaneTrouble | None:
        """Why nothing can be sent; None when all is well."""
        return self._pace.trouble

    @property
    def resting(self) -> float:
        """Seconds until the lane may send again."""
        return self._pace.resting

    def stir(self) -> None:
        """There may be something new: look at once."""
        self._hungry = True
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
            await self._land()
            await self._outbox.turn(self.sender, self._ended, [], 0, self._clockwork.now())
        if self._fault:
            raise self._fault

    async def _land(self) -> None:
        """Let requests in flight end, for a while; all have ended afterwards."""
        if self._flying:
            await asyncio.wait(self._flying, timeout=_LANDING)
        for task in self._flying:
            task.cancel()
        if self._flying:
            await asyncio.wait(self._flying)

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
        if not self._hungry or self._stopping:
            return 0
        free = (self._concurrency if self.trouble is None else 1) - len(self._flying)
        return max(0, min(free, self._pace.turns))

    async def _gather(self) -> None:
        """Wait until enough may leave; but what has ended is written down soon."""
        wait = _GATHER if self._ended or self._flying else _IDLE
        if self._hungry and not self.resting:
            wait = min(wait, self._pace.wait or _GATHER)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                while not (self._stopping or self._enough()):
                    await self._stirred.wait()
                    self._stirred.clear()
                return
        self._hungry = True

    def _enough(self) -> bool:
        """Whether as many may leave as are worth a transaction."""
        worth = min(self._pace.turns, self._concurrency // 2) if self._flying else 1
        return self._room() >= max(1, worth)

    async def _exchange(self, room: int) -> list[Claim]:
        """Write down what ended and claim what may leave, in one transaction."""
        broadcasts = await self._speaking() if room else []
        favoured = (self._claimed % _FAVOURED + room) // _FAVOURED
        favour = Favour(self._claimed // _FAVOURED, favoured)
        settled = list(self._ended)
        now, self._hungry = self._clockwork.now(), self._hungry and not room
        claims = await self._outbox.turn(self.sender, settled, broadcasts, room, now, favour)
        del self._ended[: len(settled)]
        self._claimed += len(claims)
        self._hungry |= len(claims) == room
        self._full = False
        return claims

    async def _wait_for_space(self, error: Unusable) -> None:
        """What cannot be written down is not sent; what was sent is kept in mind until it can be."""
        if not error.passes:
            raise error
        if not self._full:
            self._full = True
            log.error("lane.not-stored", sender=self.sender, reason=error.why)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FULL):
                while not self._stopping:
                    await self._stirred.wait()
                    self._stirred.clear()

    async def _begin(self, claims: Sequence[Claim]) -> None:
        """Let each claim's request leave, unless there is a reason by now why it should not."""
        try:
            await self._load({claim.text for claim in claims})
        except BaseException:
            self._hand_back(claims)
            raise
        for claim in claims:
            if self._stopping or self._pace.resting:
                self._hand_back([claim])
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
        attempt = self._attempt(claim, address, part, max(len(parts), claim.part + 1))
        self._flying.add(asyncio.create_task(attempt))

    async def _load(self, texts: Iterable[int]) -> None:
        for text in texts:
            if text not in self._texts:
                if len(self._texts) >= _TEXTS_KEPT:
                    self._texts.clear()
                self._texts[text] = await self._outbox.text(text)

    def _parts(self, claim: Claim) -> tuple[Part, ...]:
        """What this claim says; nothing when it was settled without a word."""
        now = self._clockwork.now()
        text = self._texts[claim.text]
        free = (claim.heard_at or 0) > window_from(now)
        if claim.sealed is None or (claim.person in ("left", "gone") and not claim.reply):
            self._end(Settled(claim, "cancelled", claim.person if claim.sealed else "erased"))
        elif claim.valid_until is not None and claim.valid_until <= to_ms(now):
            self._end(Settled(claim, "expired", "too-late"))
        elif shut := text.shut(free=free, marketing=claim.marketing != 0):
            self._end(Settled(claim, "held", shut))
        elif wait := self._spacing.wait(claim.sealed):
            self._end(Settled(claim, "back", due_at=now + wait))
        else:
            return text.open if free else text.closed or ()
        return ()

    def _hand_back(self, claims: Iterable[Claim]) -> None:
        """What was claimed and not begun goes back into the queue."""
        for claim in claims:
            self._end(Settled(claim, "back", due_at=self._clockwork.now()))

    def _end(self, settled: Settled) -> None:
        self._ended.append(settled)
        self._stirred.set()

    async def _attempt(self, claim: Claim, address: str, part: Part, parts: int) -> None:
        """One request, and what follows from its answer.

        A fault of ours that keeps it from being written down stops the lane.
        """
        try:
            vendor_id = await self._sent(claim, address, part, parts)
            self._pace.answered()
            self._end(ends.accepted(claim, parts, vendor_id, self._clockwork.now()))
        except Trouble as trouble:
            self._in_trouble(claim, part, trouble)
        except asyncio.CancelledError:
            self._end(ends.interrupted(claim, part, self._clockwork.now()))
            raise
        except Exception as fault:  # noqa: BLE001 - raised again by `run`
            self._fault = self._fault or fault
            self.stop()
        finally:
            self._flying.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _sent(self, claim: Claim, address: str, part: Part, parts: int) -> str | None:
        """The vendor's id of what was sent or made right; None where there is no copy to make right."""
        copy = None
        if part.replaces and not (copy := await self._outbox.copy(claim.id, part.replaces)):
            return None
        try:
            return await self._channel.send(address, part, claim.key(parts), copy)
        except Trouble:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours must not stop the lane; it may have left
            log.error("send.fault", sender=self.sender, delivery=claim.id, error=type(error).__name__)  # noqa: TRY400 - a trace could quote an address
            raise (Refused if part.replaces else Unsure)("fault") from None

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
