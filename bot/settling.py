"""What becomes of a delivery whose request had no answer: its vendor is asked, and nothing is sent blindly.

What may enter: when a vendor is asked, and what follows from its answer. A receipt that carries our key may
settle one at any time, see `receipts`; what nobody can tell stays unknown and is shown.
See docs/decisions/0014-unknown-until-told.md.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import structlog

from bot.inquiry import Inquiry, Told, Unknown
from bot.moments import from_ms, to_ms
from bot.outbox import window_from
from bot.policy import MOST_ATTEMPTS, MOST_DEATHS
from bot.store import settling
from channels.base import LISTED_AFTER
from channels.trouble import Later, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bot.arming import Arming
    from bot.broadcasts.repeating import Repeating
    from bot.moments import Clockwork
    from bot.store import Store
    from channels.base import Channel

log = structlog.get_logger()

BEAT = 1.0
"""Seconds between two looks at what is unknown."""
_AT_ONCE = 2
"""For how many of a sender its vendor is asked in a beat: a list is not for polling."""
_LANDED = timedelta(minutes=1)
"""After this no answer comes any more, as a request waits half as long. For vendors without a list."""
_BETWEEN = timedelta(minutes=1)
_LOOKS = 2
"""How often, a while apart, a vendor must have no trace of something before it was surely not taken."""
_URGENT = timedelta(minutes=15)
"""For how long an emergency waits for a vendor that cannot be asked."""
_LONGEST_PAUSE = timedelta(minutes=30)
Step = Literal["settle", "next", "ask", "again", "repeat", "leave", "fail"]


@dataclass(frozen=True, slots=True)
class Follows:
    """What is written down.

    Attributes:
        step: It is sent ("settle"), or this part of it ("next"); its vendor is asked again ("ask"); it was
            not taken, and leaves again ("again") or has left or killed too often ("fail"); it is said once
            more, marked ("repeat"); it stays unknown ("leave").
        at: When it leaves or is asked for; aware UTC.
        looked: How often its vendor had no trace of it.
    """

    step: Step
    at: datetime
    looked: int = 0


_STATEMENTS: Mapping[Step, str] = {
    "settle": settling.FOUND,
    "next": settling.FOUND_PART,
    "ask": settling.ASK_AGAIN,
    "leave": settling.ASK_AGAIN,
    "again": settling.NOT_TAKEN,
    "fail": settling.GIVE_UP,
    "repeat": settling.ONCE_MORE,
}


def follows(told: Told, one: Unknown, now: datetime, jitter: float, *, repeatable: bool) -> Follows:
    """What becomes of an unknown delivery once its vendor was asked. Pure.

    Args:
        now: Aware UTC.
        jitter: From 0 to 1.
        repeatable: Whether it may be said once more, and there is a text that says that it is.
    """
    left = from_ms(one.claimed_at)
    deadly = one.deaths >= MOST_DEATHS
    repeatable &= not deadly
    match told.answer:
        case "taken":
            return Follows("next" if told.more else "settle", now)
        case "silent":
            return Follows("repeat", now) if repeatable else Follows("leave", left + settling.PATIENCE)
        case "not-taken" if one.looked + 1 < _LOOKS:
            return Follows("ask", now + _BETWEEN, one.looked + 1)
        case "not-taken":
            return Follows("fail" if deadly or one.attempt >= MOST_ATTEMPTS else "again", now)
        case "trouble" if repeatable and now - left >= _URGENT:
            return Follows("repeat", now)
        case "trouble":
            pause = max(_BETWEEN, min((now - left) / 2, _LONGEST_PAUSE))
            return Follows("ask", now + pause * (1 + jitter) / 2, one.looked)


class Settling:
    """The unknown deliveries of one store, sender by sender. Only the one who dispatches may run it.

    Args:
        channels: By sender.
        resting: Whether a sender is in trouble: its vendor is left alone meanwhile.
        stir: Called when there is something to send.
    """

    def __init__(
        self,
        store: Store,
        inquiry: Inquiry,
        *,
        channels: Mapping[str, Channel],
        resting: Callable[[str], bool],
        stir: Callable[[], None],
        repeating: Repeating,
        arming: Arming,
        clockwork: Clockwork,
    ) -> None:
        self._store = store
        self._inquiry = inquiry
        self._channels = channels
        self._resting = resting
        self._stir = stir
        self._repeating = repeating
        self._arming = arming
        self._clockwork = clockwork
        self._quiet_until: dict[str, datetime] = {}

    async def run(self) -> None:
        """Settle what can be settled, until cancelled. A vendor that is slow keeps no other waiting."""
        await asyncio.gather(*map(self._keep, self._channels))

    async def _keep(self, sender: str) -> None:
        while True:
            await asyncio.sleep(BEAT)
            try:
                if not self._resting(sender) and await self._look(sender):
                    self._stir()
            except Exception as error:  # noqa: BLE001 - a full disk or a fault of ours: the unknown can wait
                log.error("settling.fault", sender=sender, error=type(error).__name__)  # noqa: TRY400 - a trace could quote an address

    async def _look(self, sender: str) -> bool:
        """Ask for the next of a sender. Whether something is to be sent now.

        While the clock is doubted nobody is asked: by a wrong time nothing is found.
        """
        now = self._clockwork.now()
        if now < self._quiet_until.get(sender, now) or await self._arming.doubts(now):
            return False
        channel = self._channels[sender]
        values = settling.since(now) | {
            "sender": sender,
            "now": to_ms(now),
            "youngest": to_ms(now - LISTED_AFTER.get(channel.name, _LANDED)),
            "limit": _AT_ONCE,
        }
        rows = await self._store.read(lambda tx: tx.rows(settling.UNSETTLED, values))
        moved = False
        for row in rows:
            if self._clockwork.now() < self._quiet_until.get(sender, now):
                break  # its vendor has just asked for it
            moved |= await self._settle(sender, channel, Unknown(**row))
        return moved

    async def _settle(self, sender: str, channel: Channel, one: Unknown) -> bool:
        told = await self._ask(sender, channel, one)
        now = self._clockwork.now()
        again = None
        if one.may_repeat and told.answer in ("silent", "trouble"):
            again = await self._repeating.marked(one.text, now, free=(one.heard_at or 0) > window_from(now))
        then = follows(told, one, now, self._clockwork.jitter(), repeatable=again is not None)
        values = {
            "id": one.id,
            "attempt": one.attempt,
            "now": to_ms(now),
            "due_at": to_ms(then.at),
            "looked": then.looked,
            "vendor_id": told.vendor_id,
            "text": again,
        }
        await self._store.write(lambda tx: tx.run(_STATEMENTS[then.step], values))
        log.info("settling.told", sender=sender, delivery=one.id, reason=told.answer, state=then.step)
        return then.step in ("next", "again", "repeat")

    async def _ask(self, sender: str, channel: Channel, one: Unknown) -> Told:
        """What the vendor says of one. What we cannot even ask for is asked again later."""
        try:
            return await self._inquiry.told(sender, channel, one)
        except Trouble as trouble:
            if isinstance(trouble, Later) and trouble.wait:
                self._quiet_until[sender] = self._clockwork.now() + trouble.wait
            log.info("settling.trouble", sender=sender, reason=trouble.reason, code=trouble.code)
        except Exception as error:  # noqa: BLE001 - one damaged row keeps no other from being settled
            log.error("settling.fault", sender=sender, delivery=one.id, error=type(error).__name__)  # noqa: TRY400 - as above
        return Told("trouble")
