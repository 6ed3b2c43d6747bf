"""The operators' own door: `/metrics` for Prometheus and the whole of `/health`, on a port of their own.

Not on the port that vendors reach: there a proxy stands between, often on the same machine, so that neither
the address of who asks nor a header tells who it is. What is told holds nothing of any person, but which of a
consulate's channels is down is nobody else's business.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler

from bot.gauges import registry
from bot.web.listening import listen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.settings import Metrics
    from bot.watch import Watch


@asynccontextmanager
async def observed(
    watch: Watch, answered: Mapping[tuple[str, int], int], metrics: Metrics | None
) -> AsyncIterator[None]:
    """Look how we are, and tell operators of it where config.toml wants that.

    Args:
        answered: How often each sender's webhook was answered with each status.

    Raises:
        PortTaken: another program listens there.
    """
    looking = asyncio.create_task(watch.run())
    runner = await listen(_door(watch, answered), metrics.host, metrics.port) if metrics else None
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        if runner:
            await runner.cleanup()


def _door(watch: Watch, answered: Mapping[tuple[str, int], int]) -> web.Application:
    async def health(_request: web.Request) -> web.Response:
        found = watch.health
        return web.json_response(found.row(), status=503 if found.status == "failing" else 200)

    door = web.Application()
    door.router.add_get("/metrics", make_aiohttp_handler(registry(watch, answered)))
    door.router.add_get("/health", health)
    return door
