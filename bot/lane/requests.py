"""The requests of one lane that are under way, and what follows from each answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import structlog

from bot.lane import ends
from bot.moments import from_ms
from bot.policy import decide
from channels.trouble import Gone, Refused, Trouble, Unsure

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.lane.refusals import Refusals
    from bot.moments import Clockwork
    from bot.outbox import Claim, Outbox, Settled
    from bot.pace import Pace
    from bot.vault import Vault
    from channels.base import Channel, Part

log = structlog.get_logger()

_LANDING = 7.0
"""Seconds that requests in flight have to end once we are asked to stop; later they are unknown."""


class Requests:
    """Requests under way through one sender.

    Args:
        refusals: Takes which texts the vendor refuses, and which it takes again.
        end: Takes how each claim ended.
        stop: Called after a fault of ours that kept an end from being told: nothing more may begin.

    Attributes:
        fault: That fault.
    """

    def __init__(
        self,
        sender: str,
        channel: Channel,
        pace: Pace,
        refusals: Refusals,
        outbox: Outbox,
        vault: Vault,
        clockwork: Clockwork,
        end: Callable[[Settled], None],
        stop: Callable[[], None],
    ) -> None:
        self.fault: Exception | None = None
        self._sender = sender
        self._channel = channel
        self._pace = pace
        self._refusals = refusals
        self._outbox = outbox
        self._vault = vault
        self._clockwork = clockwork
        self._end = end
        self._stop = stop
        self._flying: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._flying)

    def make(self, claim: Claim, address: str, part: Part, parts: int) -> None:
        """Let a request leave for a part of a text of so many."""
        self._flying.add(asyncio.create_task(self._attempt(claim, address, part, parts)))

    async def land(self) -> None:
        """Let what is under way end, for a while; all has ended afterwards."""
        if self._flying:
            await asyncio.wait(self._flying, timeout=_LANDING)
        for task in self._flying:
            task.cancel()
        if self._flying:
            await asyncio.wait(self._flying)

    async def _attempt(self, claim: Claim, address: str, part: Part, parts: int) -> None:
        """One request, and what follows from its answer.

        A fault of ours that keeps it from being told stops the lane.
        """
        try:
            vendor_id = await self._sent(claim, address, part, parts)
            self._pace.answered()
            self._refusals.taken(claim.text)
            self._end(ends.accepted(claim, parts, vendor_id, self._clockwork.now()))
        except Trouble as trouble:
            self._in_trouble(claim, part, trouble)
        except asyncio.CancelledError:
            self._end(ends.interrupted(claim, part, self._clockwork.now()))
            raise
        except Exception as fault:  # noqa: BLE001 - raised again by `run`
            self.fault = self.fault or fault
            self._stop()
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
            log.error("send.fault", sender=self._sender, delivery=claim.id, error=type(error).__name__)  # noqa: TRY400 - a trace could quote an address
            raise (Refused if part.replaces else Unsure)("fault") from None

    def _in_trouble(self, claim: Claim, part: Part, trouble: Trouble) -> None:
        now = self._clockwork.now()
        decision = decide(
            ends.weighed(claim, part, trouble),
            attempt=claim.attempt,
            now=now,
            valid_until=from_ms(claim.valid_until),
            jitter=self._clockwork.jitter,
        )
        moved = isinstance(trouble, Gone) and trouble.moved_to
        moved_to = self._vault.seal(self._channel.name, moved) if moved else None
        settled = ends.troubled(claim, part, decision, moved_to, now)
        told = {"sender": self._sender, "reason": trouble.reason, "code": trouble.code}
        log.info("send.trouble", delivery=claim.id, **told)
        if decision.refused:
            if claim.broadcast not in self._refusals.broadcasts:
                log.warning("broadcast.refused", broadcast=claim.broadcast, **told)
            settled = self._refusals.put_off(settled, trouble, now)
        self._end(settled)
        well = self._pace.trouble is None
        self._pace.weigh(trouble, decision, now)
        if well and self._pace.trouble is not None:
            log.warning("lane.resting", **told)
