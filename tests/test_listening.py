"""A bot that is polled: a wait that its vendor asks for is heeded, by what polls and by what sends."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import pytest
from aiohttp import web

from bot import listening
from bot.disk import Disk
from bot.listening import Listener
from channels.telegram import Telegram

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from bot.inbound import Inbounds
    from channels.base import Heard, Receipt

PRESSED = {
    "update_id": 7,
    "callback_query": {
        "id": "71",
        "from": {"id": 9, "is_bot": False, "first_name": "Ana"},
        "chat_instance": "1",
        "data": "si",
        "message": {"message_id": 1, "date": 1, "chat": {"id": 9, "type": "private"}},
    },
}


class BotApi:
    """Telegram's, as far as a poll needs it.

    Attributes:
        asked: When (monotonic) each method was asked for, in order.
        busy: The methods that ask, once, for a wait of a second.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, float]] = []
        self.busy: set[str] = set()

    async def answer(self, request: web.Request) -> web.Response:
        """One request."""
        method = request.path.rpartition("/")[2]
        self.asked.append((method, time.monotonic()))
        if method in self.busy:
            self.busy.remove(method)
            refusal = {"ok": False, "error_code": 429, "parameters": {"retry_after": 1}}
            return web.json_response(
                refusal | {"description": "Too Many Requests: retry after 1"}, status=429
            )
        if method != "getUpdates":
            return web.json_response({"ok": True, "result": True})
        polls = [one for one, _ in self.asked].count(method)
        await asyncio.sleep(0 if polls < 3 else 30)
        return web.json_response({"ok": True, "result": [PRESSED] if polls < 3 else []})

    async def gaps(self, method: str) -> list[float]:
        """The seconds between the calls of a method, once there were two."""
        async with asyncio.timeout(15):
            while len(times := [at for one, at in self.asked if one == method]) < 2:  # noqa: ASYNC110 - nobody wakes us
                await asyncio.sleep(0.01)
        return [after - before for before, after in pairwise(times)]


class Answering:
    """Hears everything."""

    async def accept(self, _sender: str, _facts: Sequence[Heard | Receipt], _now: datetime) -> None:
        """It is on the disk."""

    async def answer_waiting(self, _now: datetime) -> int:
        """Nothing waits."""
        return 0


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    """The Bot API on a free port."""
    playing = BotApi()
    app = web.Application()
    app.router.add_post("/{path:.*}", playing.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    playing.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield playing
    await runner.cleanup()


async def listened(
    api: BotApi, folder: Path, monkeypatch: pytest.MonkeyPatch, method: str, *, resting: float = 0
) -> tuple[list[float], list[tuple[str, float]]]:
    """The seconds between the calls of a method while somebody listens, and who was told to rest."""
    monkeypatch.setattr(listening, "_PAUSE", 0.05)
    bot = Telegram(token="1:canary", api_base=api.url, secret="s", concurrency=2, timeout=2)
    rests: list[tuple[str, float]] = []
    hooked = method == "setWebhook"
    listener = Listener(
        cast("Inbounds", Answering()),
        {} if hooked else {"bot": bot},
        {"bot": (bot, "https://example.org/hooks/bot")} if hooked else {},
        Disk(folder / "a.db", time.monotonic),
        now=lambda: datetime.now(UTC),
        stir=lambda _: None,
        rest=lambda sender, seconds: rests.append((sender, seconds)),
        resting=lambda _: resting,
    )
    running = asyncio.create_task(listener.run())
    try:
        return await api.gaps(method), rests
    finally:
        running.cancel()
        await asyncio.wait([running])
        await bot.aclose()


@pytest.mark.parametrize("method", ["deleteWebhook", "getUpdates", "setWebhook", "answerCallbackQuery"])
async def test_a_wait_is_heeded(
    api: BotApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Whatever was asked when Telegram named a wait, it is asked again only after it, and the lane rests."""
    api.busy = {method}
    gaps, rests = await listened(api, tmp_path, monkeypatch, method)
    assert gaps[0] >= 1
    assert rests == [("bot", 1.0)]


async def test_buttons_turn_on_while_the_lane_rests(
    api: BotApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was pressed while Telegram wants nothing sent is heard, and not answered with a request."""
    await listened(api, tmp_path, monkeypatch, "getUpdates", resting=9)
    assert "answerCallbackQuery" not in [method for method, _ in api.asked]
