"""People who write and wait: connections that post webhooks, and the phones that the replies reach.

What may enter: the vendors' end of an answer's road, one clock for both of its ends. It is fast enough not to
matter, and looks at nothing but whom a reply is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from typing import TYPE_CHECKING, cast

from benchmarks.runs import IN_FLIGHT
from benchmarks.server import END, Vendors, length

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from benchmarks.webhooks import Webhook

_TO = re.compile(rb"(?:^|&)(?:chat_id|To)=(?:%2B)?(\d+)")


class Waiting:
    """Who wrote, when, and how long their reply took.

    Attributes:
        seconds: Of each person who has a reply, in the order of the replies.
        others: How many messages reached somebody who waits for none.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.others = 0
        self._since: dict[bytes, float] = {}
        self._nobody = asyncio.Event()

    def wrote(self, person: bytes) -> None:
        """Their webhook's first byte leaves."""
        self._since[person] = time.perf_counter()
        self._nobody.clear()

    def reached(self, person: bytes) -> None:
        """A message arrives; of a reply in several parts the first counts."""
        since = self._since.pop(person, None)
        if since is None:
            self.others += 1
            return
        self.seconds.append(time.perf_counter() - since)
        if not self._since:
            self._nobody.set()

    async def over(self) -> None:
        """Return when nobody waits."""
        await self._nobody.wait()


class _Phones(Vendors):
    def __init__(self, waiting: Waiting) -> None:
        super().__init__()
        self._waiting = waiting

    def reply(self, request: bytes) -> bytes:
        if (to := _TO.search(request.partition(END)[2])) is not None:
            self._waiting.reached(to[1])
        return super().reply(request)


class _Caller(asyncio.Protocol):
    """One connection to the bot: a request, its answer, the next."""

    def __init__(self) -> None:
        self._got = b""
        self._transport: asyncio.Transport
        self._answered: asyncio.Future[int]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # as in `server`

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(END)
        if end >= 0 and len(self._got) >= end + len(END) + length(self._got[:end]):
            status, self._got = int(self._got.split(b" ", 2)[1]), b""
            self._answered.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._answered.done():
            self._answered.set_exception(error or ConnectionResetError())

    async def ask(self, request: bytes) -> None:
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        if (status := await self._answered) != 200:
            raise ValueError(f"a webhook was answered with {status}")

    def close(self) -> None:
        self._transport.close()


class Callers:
    """The vendors' connections to the bot, as many as there may be requests under way.

    Args:
        answers: Whether replies will come; else people wait only until their webhook is acknowledged.
    """

    def __init__(self, callers: Sequence[_Caller], waiting: Waiting, *, answers: bool) -> None:
        self._free: asyncio.Queue[_Caller] = asyncio.Queue()
        for caller in callers:
            self._free.put_nowait(caller)
        self._waiting = waiting
        self._answers = answers

    async def at_once(self, webhooks: Sequence[Webhook]) -> None:
        """Post each as soon as a connection is free, and wait until nobody waits."""
        async with asyncio.TaskGroup() as tasks:
            for webhook in webhooks:
                caller = await self._free.get()
                self._waiting.wrote(webhook.person)
                tasks.create_task(self._ask(caller, webhook))
        await self._waiting.over()

    async def steadily(self, webhooks: Sequence[Webhook], a_second: float) -> None:
        """Post so many a second, whatever became of those before, and wait until nobody waits."""
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number, webhook in enumerate(webhooks):
                await asyncio.sleep(begun + number / a_second - time.perf_counter())
                self._waiting.wrote(webhook.person)  # also who must wait for a connection has written
                tasks.create_task(self._ask(await self._free.get(), webhook))
        await self._waiting.over()

    async def _ask(self, caller: _Caller, webhook: Webhook) -> None:
        await caller.ask(webhook.request)
        self._free.put_nowait(caller)
        if not self._answers:
            self._waiting.reached(webhook.person)


@contextlib.asynccontextmanager
async def phones(waiting: Waiting) -> AsyncIterator[str]:
    """The vendors at work. Yields their address, without a slash at the end."""
    server = await asyncio.get_running_loop().create_server(lambda: _Phones(waiting), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@contextlib.asynccontextmanager
async def callers(port: int, waiting: Waiting, *, answers: bool) -> AsyncIterator[Callers]:
    """The vendors connected to a bot on this machine. See `Callers`."""
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(_Caller, "127.0.0.1", port))[1] for _ in range(IN_FLIGHT)]
    try:
        yield Callers(opened, waiting, answers=answers)
    finally:
        for caller in opened:
            caller.close()
