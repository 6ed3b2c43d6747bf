"""What the page is told while it is open: server-sent events, one queue for each open page."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WAITING = 1000
"""Events kept for a page that does not read; then it is let go and comes back by itself."""
BEAT = 0.25
"""Seconds between two looks at the counts: a broadcast of thousands is a few events, not thousands."""


class Live:
    """Everyone who watches."""

    def __init__(self) -> None:
        self._pages: set[asyncio.Queue[bytes | None]] = set()
        self._beat: asyncio.TimerHandle | None = None

    @property
    def watching(self) -> int:
        """How many pages are open."""
        return len(self._pages)

    def tell(self, event: str, data: Mapping[str, Any]) -> None:
        """Send an event to every open page."""
        if not self._pages:
            return
        line = f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
        for page in list(self._pages):
            if page.full():
                self._pages.discard(page)
                page.get_nowait()
                page.put_nowait(None)
            else:
                page.put_nowait(line)

    def tell_soon(self, event: str, data: Callable[[], Mapping[str, Any]]) -> None:
        """Send what `data` says a moment later, once, however often it is asked for until then."""
        if self._beat is None and self._pages:
            self._beat = asyncio.get_running_loop().call_later(BEAT, self._tick, event, data)

    def _tick(self, event: str, data: Callable[[], Mapping[str, Any]]) -> None:
        self._beat = None
        self.tell(event, data())

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The stream of one page."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        page: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING)
        self._pages.add(page)
        with contextlib.suppress(ConnectionError):
            await response.write(b"retry: 1000\n\n")
            while (line := await page.get()) is not None:
                await response.write(line)
        self._pages.discard(page)
        return response

    def close(self) -> None:
        """Say goodbye to every page."""
        for page in self._pages:
            while page.full():
                page.get_nowait()
            page.put_nowait(None)
