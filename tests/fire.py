"""The lanes of a core before the rehearsal, and what the vendors' ledger says beside the rows."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from channels.sms import Sms
from channels.telegram import Telegram
from channels.whatsapp import WhatsApp
from tests.conftest import ACCOUNT, BOT_TOKEN, TOKEN
from tests.core import chat, number, person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.dispatcher import Dispatcher
    from channels.base import Channel, ChannelName
    from tests.conftest import Rehearsal
    from tests.core import Core

SENDERS: dict[ChannelName, str] = {"telegram": "bot", "sms": "sms", "whatsapp": "whatsapp"}
PLENTY = 1000
"""Messages a second: the lanes' pace is not what is looked at."""


@dataclass
class Fire:
    """One deployment's lanes, and vendors whose weather can be changed.

    Attributes:
        vendors: Where they are found.
        patience: Seconds in which a vendor has to answer.
        in_flight: Requests that may be open at each vendor.
        asked: When (by our clock), on which channel and with what outcome the vendors were asked, while
            somebody saw it through.
    """

    core: Core
    rehearsal: Rehearsal
    vendors: str = field(init=False)
    patience: float = 0.5
    in_flight: int = 8
    asked: list[tuple[datetime, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.vendors = self.rehearsal.url.rstrip("/")

    async def crowd(self, count: int, *channels: ChannelName) -> None:
        """So many people on each channel, at the vendor and with us."""
        for channel in channels:
            address = chat if channel == "telegram" else number
            some = [person(address(n), channel=channel) for n in range(count)]
            await self.core.take_in(some)
            await self.rehearsal.people(*({"channel": channel, "address": one.address} for one in some))

    @asynccontextmanager
    async def at_work(self, *channels: ChannelName) -> AsyncIterator[Dispatcher]:
        """The service's lanes, from a start to a stop."""
        opened = [(SENDERS[channel], self._opened(channel)) for channel in channels]
        async with self.core.dispatching(*opened, rate=PLENTY, concurrency=self.in_flight) as dispatcher:
            yield dispatcher

    def _opened(self, channel: ChannelName) -> Channel:
        if channel == "telegram":
            return Telegram(
                token=BOT_TOKEN,
                api_base=self.vendors,
                secret="",
                concurrency=self.in_flight,
                timeout=self.patience,
            )
        kind, own = (Sms, "+12025550100") if channel == "sms" else (WhatsApp, "+12025550101")
        return kind(
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            from_=own,
            api_base=self.vendors,
            timeout=self.patience,
        )

    async def states(self) -> dict[tuple[str, str], str]:
        """The state of each delivery, by channel and address."""
        rows = await self.core.rows(
            "SELECT s.channel, s.address, d.state FROM deliveries d JOIN subscribers s ON s.id = d.subscriber"
        )
        return {(channel, self.core.vault.open(channel, sealed)): state for channel, sealed, state in rows}

    async def counted(self, channel: ChannelName | None = None) -> Counter[str]:
        """How many deliveries are in each state."""
        states = await self.states()
        return Counter(state for (of, _), state in states.items() if channel in (None, of))

    async def taken(self) -> Counter[tuple[str, str]]:
        """How often the vendors accepted something for each person."""
        rows = await self.rehearsal.ledger()
        return Counter((row["channel"], row["address"]) for row in rows if row["outcome"] == "accepted")

    async def refused(self) -> int:
        """How often the vendors took nothing."""
        return sum(row["outcome"] == "refused" for row in await self.rehearsal.ledger())

    async def agree(self) -> None:
        """Row by row: nobody got it twice, who is said to have it has it, and who is not has not."""
        taken, states = await self.taken(), await self.states()
        assert set(taken.values()) <= {1}
        assert {who for who, state in states.items() if state == "sent"} <= set(taken)
        assert {who for who in taken if states[who] not in {"sent", "unknown"}} == set()

    async def see_through(self, *channels: ChannelName, seconds: float = 600, turns: int = 40) -> None:
        """Start, stop and let time pass, until nobody waits any more."""
        for _ in range(turns):
            await self.try_once(*channels)
            if not (await self.counted())["queued"]:
                return
            self.core.clock.skip(seconds=seconds)
        raise AssertionError(f"somebody still waits: {await self.counted()}")

    async def try_once(self, *channels: ChannelName) -> None:
        """Start, do what can be done now, and stop."""
        before = len(await self.rehearsal.ledger())
        async with self.at_work(*channels) as dispatcher:
            await until(lambda: self._at_rest(dispatcher))
        ahead = self.core.now - datetime.now(UTC)
        self.asked += [
            (datetime.fromisoformat(row["at"]) + ahead, row["channel"], row["outcome"])
            for row in await self.rehearsal.ledger(before)
        ]

    async def _at_rest(self, dispatcher: Dispatcher) -> bool:
        """Nothing is in hand, and what is queued waits for a moment to come."""
        resting = {lane.sender for lane in dispatcher.lanes if lane.resting or lane.trouble}
        now = int(self.core.now.timestamp() * 1000)
        rows = await self.core.rows(
            "SELECT sender, state, due_at FROM deliveries WHERE state IN ('queued', 'claimed')"
        )
        return not any(
            state == "claimed" or (due_at <= now and sender not in resting) for sender, state, due_at in rows
        )


async def until(true: Callable[[], Awaitable[object]], seconds: float = 15) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - nobody wakes us
            await asyncio.sleep(0.02)
