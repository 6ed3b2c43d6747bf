"""aiohttp's webhooks: bytes in, what follows from them stored, acknowledged. Nothing is sent here.

A webhook that its vendor did not sign is refused before it is parsed; one whose answer cannot be stored is
refused with 503, so that the vendor tries again. Whoever asks here how we are is told green or red, and no
more: behind a proxy everybody looks near (`metrics` has a door of its own).
"""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from bot.store import Unusable
from bot.web.listening import listen
from channels.base import Forged, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from bot.disk import Disk
    from bot.health import Status
    from bot.inbound import Inbounds
    from channels.base import Channel

log = structlog.get_logger()

_MOST_BYTES = 256 * 1024


class Server:
    """The service's web server.

    Args:
        public_url: What vendors call, without a slash at the end: signatures are computed over it.
        stir: Called with the sender through which there may be a reply to send.
        status: How we are.

    Attributes:
        answered: How often each sender's webhook was answered with each status since we began.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        inbounds: Inbounds,
        disk: Disk,
        *,
        host: str,
        port: int,
        public_url: str,
        now: Callable[[], datetime],
        stir: Callable[[str], None],
        status: Callable[[], Status],
    ) -> None:
        self.answered: Counter[tuple[str, int]] = Counter()
        self._channels = channels
        self._inbounds = inbounds
        self._disk = disk
        self._host = host
        self._port = port
        self._public_url = public_url
        self._now = now
        self._stir = stir
        self._status = status
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises PortTaken."""
        app = web.Application(client_max_size=_MOST_BYTES, middlewares=[self._count])
        app.router.add_post("/hooks/{sender}", self._hook)
        app.router.add_get("/health", self._health)
        self._runner = await listen(app, self._host, self._port)

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
        except Unusable as fault:
            if not self._disk.passing(fault):
                log.error("hook.not-stored", sender=sender, reason=fault.why)  # noqa: TRY400 - a trace could quote values
            raise web.HTTPServiceUnavailable from None
        self._stir(sender)
        answer = channel.acknowledge(facts)
        return web.Response(text=answer.body, content_type=answer.content_type)

    async def _health(self, _request: web.Request) -> web.Response:
        status = self._status()
        return web.json_response({"status": status}, status=503 if status == "failing" else 200)

    @web.middleware
    async def _count(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Count what webhooks are answered. A fault of ours shows no trace, which could quote values."""
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
        try:
            answer = await handler(request)
            status = answer.status
        except web.HTTPException as refusal:
            status = refusal.status
            raise
        except Exception as error:  # noqa: BLE001 - as the docstring says
            log.error("hook.fault", error=type(error).__name__)  # noqa: TRY400 - as above
            raise web.HTTPInternalServerError from None
        finally:
            sender = request.match_info.get("sender", "")
            if sender in self._channels:  # any other word is the caller's own
                self.answered[sender, status] += 1
        return answer
