"""The durable core without its edges: store, vault, rows and lanes, before a small vendor on loopback."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot import check
from bot.arming import Arming
from bot.broadcasts import Broadcasts
from bot.broadcasts.approval import Approvals
from bot.broadcasts.history import Decision
from bot.broadcasts.reports import Reports
from bot.broadcasts.wanted import Wanted
from bot.current import Current
from bot.disk import Disk
from bot.dispatcher import Dispatcher, Speaking, alone
from bot.lane import Lane
from bot.moments import Clockwork
from bot.newcomers import Newcomer
from bot.outbox import Outbox
from bot.store import Store, sql, talk
from bot.subscribers import Subscribers
from bot.texts import dump_parts
from bot.vault import Vault, new_key, write_key
from channels.sms import Sms
from channels.telegram import Telegram

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
    from pathlib import Path

    from bot.check import Project
    from bot.store import Transaction
    from channels.base import Channel, ChannelName, Part

MORNING = datetime(2026, 11, 20, 18, tzinfo=UTC)
"""Ten in the morning in Fresno."""
KEY = new_key()
TEMPLATE = "HX" + "0" * 31 + "1"

_CONFIG = f"""
[database]
url = "sqlite:///pregonero.db"
[vault]
key = {{ file = "pregonero.key" }}
[senders.bot]
channel = "telegram"
token = {{ env = "SECRET" }}
[senders.sms]
channel = "sms"
account_sid = "AC{"0" * 32}"
auth_token = {{ env = "SECRET" }}
from = "+12025550100"
[senders.whatsapp]
channel = "whatsapp"
account_sid = "AC{"0" * 32}"
auth_token = {{ env = "SECRET" }}
from = "+12025550101"
"""
_SCHEDULE = """
name = "Consulado en {name}"
timezone = "America/Los_Angeles"
languages = ["es", "en"]
senders = ["bot", "whatsapp", "sms"]
quiet_hours = {quiet}
"""
_NIGHT = "{ from = 21:00:00, to = 08:00:00 }"
_TEMPLATE = (
    f'[whatsapp]\ntemplate = "{TEMPLATE}"\ncategory = "utility"\nvariables = {{ 1 = "{{{{ title }}}}" }}\n'
)
_LONG = "\n\n".join(f"Párrafo {n}. " + "Trae tus papeles en original. " * 30 for n in range(12))
_TEXTS = {
    "feria/es": ("", "Vacunas gratis."),
    "feria/en": ("", "Free vaccines."),
    "plantilla/es": (_TEMPLATE, "Con plantilla."),
    "promocion/es": (_TEMPLATE.replace("utility", "marketing"), "Con plantilla de promoción."),
    "temas/es": ('topics = ["Salud", "salud", "familia"]\n', "Solo para quien quiere."),
    "cita/es": ("starts = 2026-12-05T09:00:00\n", "El sábado."),
    "cita/en": ("starts = 2026-12-05T09:00:00\n", "On Saturday."),
    "vence/es": ("valid_until = 2026-11-20T12:00:00\n", "Hasta mediodía."),
    "larga/es": ("", _LONG),
    "falsa/es": ("", "Cuesta {{ facts.nothing.here | money }}."),
}


def number(n: int) -> str:
    """The n-th telephone number that is kept free for invented people."""
    return f"+1{201 + n // 100}55501{n % 100:02}"


def chat(n: int) -> str:
    """The n-th chat id."""
    return str(700_000_000 + n)


def person(
    address: str,
    *topics: str,
    channel: ChannelName = "telegram",
    language: str = "es",
    community: str = "fresno",
) -> Newcomer:
    """Somebody who said yes."""
    return Newcomer(channel, address, language, community, topics, "web")


def people(count: int, channel: ChannelName = "telegram") -> list[Newcomer]:
    """Some people on one channel."""
    address = chat if channel == "telegram" else number
    return [person(address(n), channel=channel) for n in range(count)]


def project(folder: Path) -> Project:
    """A deployment of two communities: `fresno`, which never sleeps, and `noche`, which does."""
    for name, quiet in (("fresno", '"none"'), ("noche", _NIGHT)):
        _write(folder / f"schedules/{name}.toml", _SCHEDULE.format(name=name, quiet=quiet))
    for name, (front, body) in _TEXTS.items():
        _write(folder / f"content/announcements/{name}.md", f'+++\ntitle = "Aviso"\n{front}+++\n{body}\n')
    _write(folder / "content/facts.toml", "")
    _write(folder / "config.toml", _CONFIG)
    if not (folder / "pregonero.key").exists():
        write_key(folder / "pregonero.key")
    read, findings = check.read(folder / "config.toml", {"SECRET": "1:canary"}, MORNING)
    assert read, findings
    return read


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@dataclass
class Clock:
    """The true pace of time, from a morning of ours, with jumps.

    Attributes:
        slipped: By how much somebody set the wall clock wrong.
    """

    begun: float = field(default_factory=time.monotonic)
    skipped: timedelta = timedelta()
    slipped: timedelta = timedelta()

    def now(self) -> datetime:
        """What the wall clock shows, aware UTC."""
        return MORNING + timedelta(seconds=self.ticks()) + self.slipped

    def skip(self, **time: float) -> None:
        """Let time pass at once."""
        self.skipped += timedelta(**time)

    def ticks(self) -> float:
        """The seconds that truly passed."""
        return time.monotonic() - self.begun + self.skipped.total_seconds()


class Core:
    """The parts, over one database file."""

    def __init__(self, folder: Path, store: Store, clock: Clock) -> None:
        self.folder, self.store, self.clock = folder, store, clock
        self.vault = Vault(KEY)
        self.subscribers = Subscribers(store, self.vault)
        self.outbox = Outbox(store, self.vault)
        read = project(folder)
        self.current = Current(read)
        self.reports = Reports(store, self.current)
        self.broadcasts = Broadcasts(store, self.current, self.reports)
        self.approvals = Approvals(store, self.broadcasts)
        self.clockwork = Clockwork(now=clock.now, jitter=lambda: 0.5, ticks=clock.ticks)
        self.disk = Disk(folder / "pregonero.db", clock.ticks)
        self.arming = Arming(store, self.vault, folder / "pregonero.db", self.clockwork)

    @property
    def now(self) -> datetime:
        """Aware UTC."""
        return self.clock.now()

    async def take_in(self, newcomers: Iterable[Newcomer]) -> None:
        """Import people."""
        await self.subscribers.take_in(list(newcomers), self.now)

    async def announce(
        self, entry: str = "feria", community: str = "fresno", moment: str = "m", why: str | None = None
    ) -> int:
        """Make a broadcast that is due; an emergency is two people's word."""
        made = await self.broadcasts.announce(
            self.wanted(entry, community, moment, why=why), by="Ana", now=self.now
        )
        assert made is not None
        if why:
            assert await self.approvals.approve(made, self.decision("Beto")) == "running"
        return made

    def wanted(
        self,
        entry: str = "feria",
        community: str = "fresno",
        moment: str = "m",
        due_at: datetime | None = None,
        why: str | None = None,
    ) -> Wanted:
        """An entry of the deployment, wanted in a community."""
        content = self.broadcasts.project
        return Wanted(
            content.library.entries[entry],
            content.communities[community],
            moment,
            due_at or self.now,
            why=why,
        )

    def decision(self, who: str = "Ana", reason: str | None = None) -> Decision:
        """Somebody decides something now."""
        return Decision(who, self.now, reason)

    async def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        return await self.store.read(lambda tx: tx.tuples(sql, values))

    async def counts(self, broadcast: int) -> dict[str, int]:
        """How many deliveries of a broadcast are in each state, those with none left out."""
        report = await self.reports.report(broadcast, self.now)
        return {state: people for state, people in report.counts.items() if people}

    async def state(self, broadcast: int) -> str:
        """The state of a broadcast."""
        return (await self.reports.report(broadcast, self.now)).state

    def files(self) -> list[bytes]:
        """All that stands on the disk: the database, its log, what its processes share."""
        return [file.read_bytes() for file in self.folder.glob("pregonero.db*")]

    async def heard(self, address: str, channel: ChannelName = "whatsapp") -> None:
        """Somebody writes: their reply window opens."""
        sealed = self.vault.seal(channel, address)
        found = await self.rows("SELECT id FROM subscribers WHERE address = :sealed", sealed=sealed)
        now = int(self.now.timestamp() * 1000)
        await self.store.write(
            lambda tx: (
                tx.run(
                    "UPDATE subscribers SET heard_at = :now WHERE id = :id", {"id": found[0][0], "now": now}
                ),
                tx.run(sql.RELEASE_WINDOW, {"subscriber": found[0][0], "now": now}),
            )
        )

    def dispatcher(self, *lanes: Lane) -> Dispatcher:
        """All lanes of this database."""
        speaking = next((lane._speaking for lane in lanes), None)
        assert isinstance(speaking, Speaking)
        return Dispatcher(
            lanes,
            speaking,
            database=self.folder / "pregonero.db",
            outbox=self.outbox,
            broadcasts=self.broadcasts,
            arming=self.arming,
            disk=self.disk,
            clockwork=self.clockwork,
        )

    def lanes(self, *opened: tuple[str, Channel], rate: float = 500, concurrency: int = 20) -> list[Lane]:
        """A lane for each sender."""
        speaking = Speaking(self.broadcasts, self.arming, self.disk, self.clockwork)
        return [
            Lane(
                name,
                channel,
                rate,
                concurrency,
                outbox=self.outbox,
                vault=self.vault,
                speaking=speaking,
                disk=self.disk,
                clockwork=self.clockwork,
            )
            for name, channel in opened
        ]

    @asynccontextmanager
    async def dispatching(
        self, *opened: tuple[str, Channel], rate: float = 500, concurrency: int = 20
    ) -> AsyncIterator[Dispatcher]:
        """The lanes at work; stopped, and their channels closed, at the end."""
        dispatcher = self.dispatcher(*self.lanes(*opened, rate=rate, concurrency=concurrency))
        with alone(self.folder / "pregonero.db"):
            task = asyncio.create_task(dispatcher.run())
            try:
                yield dispatcher
            finally:
                dispatcher.stop()
                await asyncio.wait([task])
                for _, channel in opened:
                    await channel.aclose()
        task.result()

    async def until(self, broadcast: int, **counts: int) -> None:
        """Wait until the counts of a broadcast are these and no others."""
        seen: dict[str, int] = {}
        try:
            async with asyncio.timeout(15):
                while seen != counts:
                    await asyncio.sleep(0.02)
                    seen = await self.counts(broadcast)
        except TimeoutError:
            raise AssertionError(f"{seen}, not {counts}") from None


async def reply(core: Core, address: str, part: Part, channel: ChannelName = "telegram") -> None:
    """Queue an answer to somebody who wrote."""
    sender = "bot" if channel == "telegram" else channel
    sealed = core.vault.seal(channel, address)
    [(who,)] = await core.rows("SELECT id FROM subscribers WHERE address = :sealed", sealed=sealed)
    said = dump_parts([part])
    text = {"broadcast": None, "channel": channel, "language": "es", "edition": "es", "sender": sender}
    text |= {"variant": "", "open": said, "closed": said, "category": None, "mark": None, "owner": None}
    heard = {"sender": sender, "vendor_id": part.text, "subscriber": who, "text": None, "left_there": 0}
    now = int(core.now.timestamp() * 1000)

    def work(tx: Transaction) -> None:
        inbound = tx.rows(talk.INBOUND_ADD, heard | {"heard_at": now})[0]["id"]
        row = {"inbound": inbound, "subscriber": who, "sender": sender, "now": now}
        tx.run(sql.REPLY_ADD, row | {"text": tx.rows(sql.TEXT_ADD, text)[0]["id"]})

    await core.store.write(work)


async def when(true: Callable[[], Awaitable[object]]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(15):
        while not await true():  # noqa: ASYNC110 - nobody wakes us
            await asyncio.sleep(0.02)


@asynccontextmanager
async def opened(folder: Path, clock: Clock | None = None) -> AsyncIterator[Core]:
    """The core over `pregonero.db` in a folder."""
    store = await Store.open(folder / "pregonero.db")
    try:
        core = Core(folder, store, clock or Clock())
        await core.subscribers.keep_key()
        yield core
    finally:
        await store.close()


@dataclass(frozen=True)
class Asked:
    """One request that reached the vendor."""

    at: float
    to: str
    form: dict[str, str]


Answer = web.StreamResponse | None


class Vendor:
    """Telegram and Twilio at once: keeps what it was asked, and answers what the scene says.

    Attributes:
        scene: Answers a request; None for the vendor's usual yes.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.scene: Callable[[Asked], Awaitable[Answer]] | None = None

    @property
    def reached(self) -> list[str]:
        """Who was written to, in order."""
        return [asked.to for asked in self.asked]

    def telegram(self, timeout: float = 5, concurrency: int = 20) -> tuple[str, Channel]:
        """A bot that speaks to this vendor."""
        return "bot", Telegram(
            token="1:canary", api_base=self.url, secret="", concurrency=concurrency, timeout=timeout
        )

    def sms(self, timeout: float = 5) -> tuple[str, Channel]:
        """A telephone number that speaks to this vendor."""
        return "sms", Sms(
            account_sid="AC" + "0" * 32,
            auth_token="canary",
            from_="+12025550100",
            api_base=self.url,
            status_callback="https://example.org/hooks/sms",
            timeout=timeout,
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        asked = Asked(time.monotonic(), form.get("chat_id") or form["To"], form)
        self.asked.append(asked)
        answer = await self.scene(asked) if self.scene else None
        if answer is not None:
            return answer
        if "chat_id" in form:
            sent = {"message_id": 1, "date": 1, "chat": {"id": int(asked.to), "type": "private"}}
            return web.json_response({"ok": True, "result": sent})
        return web.json_response({"sid": f"SM{len(self.asked):032}", "status": "queued"}, status=201)

    async def until(self, count: int) -> None:
        """Wait until so many requests came."""
        async with asyncio.timeout(15):
            while len(self.asked) < count:  # noqa: ASYNC110 - the handler wakes nobody
                await asyncio.sleep(0.01)


def refusal(status: int, description: str, **parameters: int) -> web.Response:
    """Telegram's no."""
    answer = {"ok": False, "error_code": status, "description": description, "parameters": parameters}
    return web.json_response(answer, status=status)


@asynccontextmanager
async def vendor_at_work() -> AsyncIterator[Vendor]:
    """The vendor on a free port of this machine."""
    vendor = Vendor()
    application = web.Application()
    application.router.add_post("/{path:.*}", vendor.handle)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    vendor.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield vendor
    await runner.cleanup()


def busiest_second(times: list[float]) -> int:
    """The most requests in any second that begins with one of them."""
    return max(_within(times), default=0)


def _within(times: list[float]) -> Iterator[int]:
    end = 0
    for begin, first in enumerate(times):
        while end < len(times) and times[end] < first + 1:
            end += 1
        yield end - begin
