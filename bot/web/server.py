"""aiohttp's webhooks and health: bytes in, what follows from them stored, acknowledged. Nothing is sent here.

A webhook that its vendor did not sign is refused before it is parsed; one whose answer cannot be stored is
refused with 503, so that the vendor tries again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from bot.store import Unusable
from channels.base import Forged, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bot.inbound import Inbounds
    from channels.base import Channel

log = structlog.get_logger()

_MOST_BYTES = 256 * 1024
_LAST_REQUESTS = 3
"""Seconds that requests under way have to end when we stop; their vendors ask again."""


class Server:
    """The service's web server.

    Args:
        public_url: What vendors call, without a slash at the end: signatures are computed over it.
        stir: Called with the sender through which there may be a reply to send.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        inbounds: Inbounds,
        *,
        host: str,
        port: int,
        public_url: str,
        now: Callable[[], datetime],
        stir: Callable[[str], None],
    ) -> None:
        self._channels = channels
        self._inbounds = inbounds
        self._host = host
        self._port = port
        self._public_url = public_url
        self._now = now
        self._stir = stir
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_post("/hooks/{sender}", self._hook)
        app.router.add_get("/health", self._health)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=_LAST_REQUESTS
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        """Finish what is being answered, and close."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _hook(self, request: web.Request) -> web.Response:
        sender = request.match_info["sender"]
        channel = self._channels.get(sender)
        if channel is None:
            raise web.HTTPNotFound
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            facts = channel.read(Request(self._public_url + request.raw_path, headers, body))
            await self._inbounds.accept(sender, facts, self._now())
        except Forged:
            log.warning("hook.forged", sender=sender)
            raise web.HTTPForbidden from None
        except Unusable as error:
            log.error("hook.not-stored", sender=sender, reason=error.why)  # noqa: TRY400 - a trace could quote values
            raise web.HTTPServiceUnavailable from None
        self._stir(sender)
        answer = channel.acknowledge(facts)
        return web.Response(text=answer.body, content_type=answer.content_type)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})
