"""`demo`: the whole road on one machine: a rehearsal process, and a deployment in a temporary folder."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import click

from bot import vault
from bot.app import App
from bot.broadcasts.wanted import Wanted
from bot.cli.demo_people import Invented, crowd, twelve
from bot.cli.desk import Desk, command, wait_for
from bot.cli.reporting import as_row, show
from bot.cli.starting import starter
from bot.cli.watching import stop_signals, until_stopped, watch_running
from bot.service import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.check import Project
    from bot.dispatcher import Dispatcher
    from channels.base import ChannelName

ENTRY = "semana-de-salud"
_WAIT_FOR_PAGE = 60
_ACCOUNT, _TOKEN = "AC00000000000000000000000000000001", "rehearsal"
_SENDERS: dict[ChannelName, str] = {"telegram": "bot", "sms": "sms", "whatsapp": "whatsapp"}
_NUMBERS: dict[ChannelName, str] = {"sms": "+12025550100", "whatsapp": "+12025550101"}
_TEMPLATE = "HX00000000000000000000000000000001"
"""The one template that the rehearsal has approved."""

_CONFIG = """
[database]
url = "sqlite:///pregonero.db"
[vault]
key = {{ file = "pregonero.key" }}
[web]
port = {port}
public_url = "http://127.0.0.1:{port}"
[senders.bot]
channel = "telegram"
token = {{ file = "secrets/telegram-token" }}
api_base = "{rehearsal}"
rate = {rate}
[senders.sms]
channel = "sms"
account_sid = "{account}"
auth_token = {{ file = "secrets/twilio-auth-token" }}
from = "{sms}"
api_base = "{rehearsal}"
rate = {rate}
[senders.whatsapp]
channel = "whatsapp"
account_sid = "{account}"
auth_token = {{ file = "secrets/twilio-auth-token" }}
from = "{whatsapp}"
api_base = "{rehearsal}"
menus = {{ {menus} }}
rate = {rate}
"""


@click.command()
@click.option("--once", is_flag=True, help="One broadcast to a few thousand, and the report.")
@command
def demo(desk: Desk, *, once: bool) -> None:
    """Watch one announcement reach three phones.

    No account is needed and nothing leaves this machine.
    """
    people = list(crowd() if once else twelve())
    with tempfile.TemporaryDirectory(prefix="pregonero-demo-") as folder:
        wait_for(_demo(desk, Path(folder), people, once=once))


async def _demo(desk: Desk, folder: Path, people: list[Invented], *, once: bool) -> None:
    stop = asyncio.Event()
    with stop_signals(stop):
        if not once:
            desk.say("demo-installing")
        async with _rehearsal() as rehearsal, aiohttp.ClientSession(rehearsal) as stage:
            desk.config = _deployment(folder, rehearsal, rate=1000 if once else 25)
            project = desk.project()
            await _fill(desk, stage, project, people)
            async with App(project) as app:
                await app.subscribers.take_in([one.who for one in people if one.joined], app.clockwork.now())
                async with serving(app) as (dispatcher, working):
                    if once:
                        desk.say("demo-crowd", n=len(people))
                        await _once(desk, app, stop, dispatcher, working)
                    else:
                        desk.say("demo-open", url=rehearsal)
                        await _stay(desk, app, stop, dispatcher, working, stage)
    if not once:
        desk.say("ended")


async def _fill(desk: Desk, stage: aiohttp.ClientSession, project: Project, people: list[Invented]) -> None:
    """Put the people on the stage, and tell it where what they write goes."""
    stranger = desk.phrases.say("said.demo-stranger")
    rows = [one.as_row(project.communities[one.who.community], stranger) for one in people]
    await _post(stage, "people", rows)
    for channel, number in _NUMBERS.items():
        url = f"{project.settings.web.public_url}/hooks/{_SENDERS[channel]}"
        line = {"channel": channel, "sender": number, "url": url}
        await _post(stage, "webhooks", line | {"account_sid": _ACCOUNT, "auth_token": _TOKEN})


async def _once(
    desk: Desk, app: App, stop: asyncio.Event, dispatcher: Dispatcher, working: asyncio.Task[None]
) -> None:
    made = await _announce(app, dispatcher)
    done = await watch_running(desk, app, made, stop, dispatcher, working)
    await _receipts(app, made, stop)
    now = app.clockwork.now()
    reports = [await app.reports.report(number, now) for number in made]
    if desk.as_json:
        desk.answer([as_row(report) for report in reports])
    else:
        for report in reports:
            show(desk, app.project, report)
    if not done or any(report.open or report.counts["held"] for report in reports):
        desk.fail()


async def _stay(
    desk: Desk,
    app: App,
    stop: asyncio.Event,
    dispatcher: Dispatcher,
    working: asyncio.Task[None],
    stage: aiohttp.ClientSession,
) -> None:
    desk.say("demo-soon", entry=ENTRY, seconds=_WAIT_FOR_PAGE)
    desk.say("demo-night")
    await _page_opened(stage, stop)
    if not stop.is_set():
        await _announce(app, dispatcher)
        desk.say("demo-sent")
    await until_stopped(stop, working)


async def _announce(app: App, dispatcher: Dispatcher) -> list[int]:
    entry, now = app.project.library.entries[ENTRY], app.clockwork.now()
    made = [
        await app.broadcasts.announce(Wanted(entry, place, "demo", now), by="demo", now=now)
        for place in app.project.communities.values()
    ]
    dispatcher.stir()
    return [number for number in made if number is not None]


async def _receipts(app: App, made: list[int], stop: asyncio.Event) -> None:
    """Give the receipts that are still on their way a moment to arrive."""
    before: list[object] = []
    for _ in range(40):
        now = [(await app.reports.report(number, app.clockwork.now())).counts for number in made]
        if now == before or stop.is_set():
            return
        before = list(now)
        await asyncio.sleep(0.5)


async def _page_opened(stage: aiohttp.ClientSession, stop: asyncio.Event) -> None:
    for _ in range(_WAIT_FOR_PAGE * 2):
        async with stage.get("rehearsal/people") as answer:
            if (await answer.json())["watching"] or stop.is_set():
                break
        await asyncio.sleep(0.5)
    await asyncio.sleep(0 if stop.is_set() else 1)  # let the eye find the phones


async def _post(stage: aiohttp.ClientSession, what: str, body: Any) -> None:  # noqa: ANN401 - JSON
    async with stage.post(f"rehearsal/{what}", json=body) as answer:
        answer.raise_for_status()


@asynccontextmanager
async def _rehearsal() -> AsyncIterator[str]:
    """The stand-in in a process of its own; its URL. Ended with us."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "channels.rehearsal", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
        start_new_session=True,  # Ctrl-C is ours to pass on, after what is in flight has ended
    )
    assert process.stdout is not None  # noqa: S101 - it was asked for
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


def _deployment(folder: Path, rehearsal: str, rate: int) -> Path:
    """The starter content as a deployment that speaks to the rehearsal, at any hour."""
    shutil.copytree(starter() / "content", folder / "content")
    shutil.copytree(starter() / "schedules", folder / "schedules")
    for file in (folder / "schedules").glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        text = re.sub(r"(?m)^quiet_hours = .*$", 'quiet_hours = "none"', text)
        text = re.sub(r"(?m)^holidays = .*$", "", text)
        file.write_text(re.sub(r"(?s)\n\[\[slot\]\].*", "\n", text), encoding="utf-8")
    for file in (folder / "content/announcements" / ENTRY).glob("*.md"):
        _, front, body = file.read_text(encoding="utf-8").split("+++\n", 2)
        front += f'[whatsapp]\ntemplate = "{_TEMPLATE}"\ncategory = "utility"\n'
        front += 'variables = { 1 = "{{ title }}", 2 = "{{ summary }}" }\n'
        file.write_text(f"+++\n{front}+++\n{body}", encoding="utf-8")
    (folder / "secrets").mkdir()
    for name, value in (("telegram-token", "100000001:rehearsal"), ("twilio-auth-token", _TOKEN)):
        (folder / "secrets" / name).touch(mode=0o600)
        (folder / "secrets" / name).write_text(value, encoding="ascii")
    vault.write_key(folder / "pregonero.key")
    menus = ", ".join(f'{size} = "HX{100 + size:032}"' for size in range(2, 11))  # the rehearsal's own
    config = _CONFIG.format(
        port=_free_port(),
        rehearsal=rehearsal.rstrip("/"),
        rate=rate,
        account=_ACCOUNT,
        menus=menus,
        **_NUMBERS,
    )
    (folder / "config.toml").write_text(config, encoding="utf-8")
    return folder / "config.toml"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
