"""The server: one port on which both vendors, the control endpoints and the page are found."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files

from aiohttp import web

from channels.rehearsal import bot_api, control, twilio, twilio_listing
from channels.rehearsal.callbacks import Callbacks
from channels.rehearsal.stage import STAGE, Stage

PAGE = {
    "": ("index.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "phones.css": ("phones.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
    "bubbles.js": ("bubbles.js", "text/javascript"),
    "board.js": ("board.js", "text/javascript"),
    "words.js": ("words.js", "text/javascript"),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
LARGEST = 256 * 1024 * 1024
"""Bytes of a request: a crowd is posted in one piece."""


@dataclass
class Running:
    """A rehearsal that is being served.

    Attributes:
        url: Where, with a slash at the end.
    """

    url: str
    _runner: web.AppRunner

    async def aclose(self) -> None:
        """Say goodbye to open pages and stop listening."""
        await self._runner.cleanup()


async def start(host: str, port: int) -> Running:
    """Serve a rehearsal in the running loop.

    Args:
        host: The address to listen on.
        port: 0 takes a free one.

    Raises:
        OSError: the address cannot be had.
    """
    stage = Stage(lambda: datetime.now(UTC), lambda: uuid.uuid4().hex, Callbacks())
    runner = web.AppRunner(
        _application(stage), access_log=None, handler_cancellation=True, shutdown_timeout=1
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    shown = f"[{host}]" if ":" in host else host
    return Running(f"http://{shown}:{runner.addresses[0][1]}/", runner)


def _application(stage: Stage) -> web.Application:
    application = web.Application(client_max_size=LARGEST)
    application[STAGE] = stage
    application.add_routes(
        [
            web.route("*", "/bot{token:[^/]+}/{method}", bot_api.answer),
            web.post("/2010-04-01/Accounts/{account}/Messages.json", twilio.create),
            web.get("/2010-04-01/Accounts/{account}/Messages.json", twilio_listing.read),
            *control.ROUTES,
            web.get("/{file:[a-z.]*}", _page),
        ]
    )
    application.on_shutdown.append(_say_goodbye)
    application.on_cleanup.append(_close)
    return application


async def _page(request: web.Request) -> web.Response:
    if request.match_info["file"] not in PAGE:
        raise web.HTTPNotFound
    name, kind = PAGE[request.match_info["file"]]
    text = files(__package__).joinpath("page", name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=kind, charset="utf-8", headers=_HEADERS)


async def _say_goodbye(application: web.Application) -> None:
    application[STAGE].live.close()


async def _close(application: web.Application) -> None:
    await application[STAGE].aclose()
