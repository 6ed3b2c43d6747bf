"""What every test may stand on: the rehearsal as a real process, a small receiver, a real
browser, and the core without its edges.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from bot import settling
from tests.core import MORNING, Clock, Core, Vendor, opened, vendor_at_work

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "a-rehearsal-token"
BOT_TOKEN = "5:rehearsal"

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
)


@dataclass
class Rehearsal:
    """The stand-in for the vendors, running.

    Attributes:
        url: With a slash at the end.
    """

    url: str

    async def ask(self, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401 - JSON
        """One control endpoint: a POST when there is a body, else a GET."""
        async with aiohttp.ClientSession() as session:
            method = "GET" if body is None else "POST"
            async with session.request(
                method, f"{self.url}rehearsal/{path}", json=body, params=query
            ) as answer:
                if answer.status != 200:
                    raise ValueError(f"{answer.status}: {await answer.text()}")
                return await answer.json()

    async def people(self, *people: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Add people, `{channel, address, …}`; with none, tell who is on the page."""
        return await self.ask("people", list(people) or None)

    async def say(self, channel: str, address: str, text: str, sender: str = "") -> Any:  # noqa: ANN401 - JSON
        """A person writes."""
        return await self.ask("say", {"channel": channel, "address": address, "text": text, "sender": sender})

    async def messages(self, channel: str, address: str) -> list[dict[str, Any]]:
        """What is on a shown person's phone, oldest first."""
        return list(await self.ask("messages", channel=channel, address=address))

    async def ledger(self, since: int = 0) -> list[dict[str, Any]]:
        """What the vendors accepted and refused, oldest first."""
        return list(await self.ask("ledger", since=str(since)))

    async def faults(self, channel: str, kind: str, **more: Any) -> None:  # noqa: ANN401 - JSON
        """A bad day, as `channels.rehearsal.faults.Fault` tells of it, or "ok"; `count` limits it."""
        await self.ask("faults", {"channel": channel, "kind": kind, **more})

    async def webhook(self, channel: str, sender: str, url: str) -> None:
        """Where Twilio posts what people write to `sender`."""
        body = {"channel": channel, "sender": sender, "url": url, "account_sid": ACCOUNT, "auth_token": TOKEN}
        await self.ask("webhooks", body)

    async def until(self, true: Callable[[dict[str, Any]], object]) -> None:
        """Wait until something is true of what `people` tells."""
        async with asyncio.timeout(20):
            while not true(await self.people()):  # noqa: ASYNC110 - another process does not wake us
                await asyncio.sleep(0.02)

    async def until_phone(
        self, channel: str, address: str, true: Callable[[list[dict[str, Any]]], object]
    ) -> None:
        """Wait until something is true of what a shown person's phone holds."""
        async with asyncio.timeout(20):
            while not true(await self.messages(channel, address)):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)

    async def reset(self) -> None:
        """Begin again."""
        await self.ask("reset", {})


@pytest.fixture(scope="session")
def rehearsal_url() -> Iterator[str]:
    """Where the stand-in of this whole run is found."""
    command = [sys.executable, "-m", "channels.rehearsal", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), "the rehearsal did not start"
        yield url
        process.terminate()
        assert process.wait(10) == 0


@pytest.fixture
async def rehearsal(rehearsal_url: str) -> Rehearsal:
    """The stand-in, as if just started."""
    running = Rehearsal(rehearsal_url)
    await running.reset()
    return running


@dataclass
class Receiver:
    """A small server at the bot's side that keeps what the vendors post to it.

    Attributes:
        url: With a slash at the end.
        got: The requests in order: `url`, `headers`, `body` (bytes) and `form`.
        status: What it answers.
        reply: What the answer says to a request.
    """

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    reply: Callable[[dict[str, Any]], str] = lambda _: ""
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        """Keep one request."""
        body = await request.read()
        got = {
            "url": self.url.rstrip("/") + request.raw_path,
            "headers": request.headers,
            "body": body,
            "form": dict(await request.post()),
        }
        self.got.append(got)
        async with self.news:
            self.news.notify_all()
        return web.Response(status=self.status, text=self.reply(got))

    async def wait(self, count: int) -> list[dict[str, Any]]:
        """The first `count` requests, once they are there."""
        async with asyncio.timeout(20), self.news:
            await self.news.wait_for(lambda: len(self.got) >= count)
        return self.got[:count]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield receiver
    await runner.cleanup()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A real Chromium without a window."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.fail("The page is tested in a real browser: install chromium and chromium-driver.")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture
def clock() -> Clock:
    """Ten in the morning."""
    return Clock()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Vendors are soon asked for what is unknown; the clock shows the rehearsal's time, as lists go by it."""
    monkeypatch.setattr(settling, "BEAT", 0.02)
    clock.slipped = datetime.now(UTC) - MORNING


@pytest.fixture
async def core(tmp_path: Path, clock: Clock) -> AsyncIterator[Core]:
    """The core over a new database."""
    async with opened(tmp_path, clock) as core:
        yield core


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    """Telegram and Twilio on loopback, on a good day."""
    async with vendor_at_work() as vendor:
        yield vendor
