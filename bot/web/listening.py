"""How our servers listen: quietly, and with a word of our own when somebody else has the port."""

from __future__ import annotations

from aiohttp import web

_LAST_REQUESTS = 3
"""Seconds that requests under way have to end when we stop; their vendors ask again."""


class PortTaken(Exception):  # noqa: N818 - what it is
    """Another program listens there already."""

    def __init__(self, port: int) -> None:
        super().__init__(str(port))
        self.port = port


async def listen(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve until `cleanup`. Raises PortTaken."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_LAST_REQUESTS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise PortTaken(port) from None
    return runner
