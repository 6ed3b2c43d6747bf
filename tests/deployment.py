"""A deployment in a folder of its own that speaks to the rehearsal, and the real command at work in it."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.vault import write_key
from tests.conftest import ACCOUNT, BOT_TOKEN, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from tests.conftest import Rehearsal

COMMAND = Path(sys.executable).with_name("pregonero")
SMS, WHATSAPP = "+12025550100", "+12025550101"
PLACES = {"fresno": "America/Los_Angeles", "phoenix": "America/Phoenix", "nueva-york": "America/New_York"}
HEADER = "channel,address,language,community,topics,consent"

_CONFIG = """language = "{language}"
[database]
url = "sqlite:///pregonero.db"
[vault]
key = {{ file = "pregonero.key" }}
[web]
port = {port}
public_url = "http://127.0.0.1:{port}"
[senders.bot]
channel = "telegram"
token = {{ file = "token" }}
updates = "{updates}"
rate = {rate}
api_base = "{rehearsal}"
[senders.sms]
channel = "sms"
account_sid = "{account}"
auth_token = {{ file = "auth" }}
from = "{sms}"
rate = {rate}
api_base = "{rehearsal}"
[senders.whatsapp]
channel = "whatsapp"
account_sid = "{account}"
auth_token = {{ file = "auth" }}
from = "{whatsapp}"
rate = {rate}
api_base = "{rehearsal}"
"""
_TEXTS = {
    "announcements/feria/es.md": """+++
title = "Feria de salud"
summary = "Vacunas gratis el sábado."
sms = "Feria de salud en {{ community.name }}: vacunas gratis el sábado."
[whatsapp]
template = "HX00000000000000000000000000000001"
category = "utility"
variables = { 1 = "{{ title }}", 2 = "{{ summary }}" }
+++
Ven con tu **familia**, señora & señor: 1 < 2.

- *Vacunas* de [la clínica](https://example.org/a?b=1&c=2)
""",
    "announcements/feria/en.md": """+++
title = "Health fair"
summary = "Free vaccines on Saturday."
sms = "Health fair at {{ community.name }}: free vaccines on Saturday."
[whatsapp]
template = "HX00000000000000000000000000000001"
category = "utility"
variables = { 1 = "{{ title }}", 2 = "{{ summary }}" }
+++
Bring your **family**: 1 < 2.

- *Vaccines* from [the clinic](https://example.org/a?b=1&c=2)
""",
    "services/pasaporte/es.md": """+++
title = "Pasaporte"
keywords = ["pasaporte", "passport"]
+++
Trae tu acta.
""",
    "pages/baja/es.md": '+++\ntitle = "Baja"\nsms = "Ya no te escribimos."\n+++\nYa no te escribimos.\n',
    "pages/alta/es.md": '+++\ntitle = "Alta"\nsms = "Bienvenida."\n+++\nBienvenida otra vez.\n',
    "pages/confirmar/es.md": '+++\ntitle = "¿Seguro?"\nsms = "Contesta SI."\n+++\nContesta SI.\n',
    "pages/ayuda/es.md": '+++\ntitle = "Ayuda"\n+++\nEscribe PASAPORTE.\n',
    "pages/bienvenida/es.md": '+++\ntitle = "Hola"\n+++\nEscribe ALTA.\n',
    "pages/no-encontrado/es.md": '+++\ntitle = "Perdona"\n+++\nNo tengo esa respuesta.\n',
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How one command ended."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All that the person saw."""
        return self.out + self.err

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The answer of `--json`."""
        return json.loads(self.out)


@dataclass
class Deployment:
    """One deployment.

    Attributes:
        folder: Where its config.toml stands.
        port: Of its web server.
        environ: What the command finds in its environment.
    """

    folder: Path
    port: int
    environ: dict[str, str] = field(
        default_factory=lambda: {**os.environ, "LANG": "es_MX.UTF-8", "LC_ALL": ""}
    )

    @property
    def url(self) -> str:
        """Its web server, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def edit(self, file: str, before: str, after: str) -> None:
        """Change one of its files, as its owner would in an editor."""
        text = (self.folder / file).read_text(encoding="utf-8")
        assert before in text
        (self.folder / file).write_text(text.replace(before, after), encoding="utf-8")

    def write(self, file: str, text: str) -> Path:
        """Write one of its files."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    async def do(self, *words: str, typed: str = "", most_bytes: int = 0, **environ: str) -> Ended:
        """Give the command and wait for its end; no file of it may grow over `most_bytes`, if any."""
        wanted: dict[str, Any] = {"words": words, "folder": str(self.folder), "most_bytes": most_bytes}
        return await asyncio.to_thread(_doorway().do, {**wanted, "environ": self.environ | environ}, typed)

    async def take_in(self, people: Iterable[tuple[str, str, str, str]]) -> None:
        """Import people: channel, address, language, community."""
        rows = [
            f"{channel},{address},{language},{place},,web" for channel, address, language, place in people
        ]
        self.write("people.csv", "\n".join([HEADER, *rows]))
        ended = await self.do("subscribers", "import", "people.csv")
        assert ended.status == 0, ended.said

    @asynccontextmanager
    async def at_work(self, *words: str, **environ: str) -> AsyncIterator[Working]:
        """A command that stays, ended at the end whatever happens."""
        process = await asyncio.create_subprocess_exec(
            COMMAND,
            *words,
            cwd=self.folder,
            env=self.environ | environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield Working(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    @asynccontextmanager
    async def running(self, **environ: str) -> AsyncIterator[Working]:
        """`pregonero run`, once it says that it runs."""
        async with self.at_work("run", **environ) as working:
            await working.line(self.url)
            yield working

    async def until(self, sql: str) -> None:
        """Wait until the database has a row of this kind."""
        async with asyncio.timeout(20):
            while not self.rows(sql):  # noqa: ASYNC110 - another process does not wake us
                await asyncio.sleep(0.02)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        with closing(sqlite3.connect(self.folder / "pregonero.db")) as database:
            return database.execute(sql).fetchall()


@dataclass
class Working:
    """A command that stays."""

    process: asyncio.subprocess.Process

    async def line(self, with_this: str, *, notes: bool = False) -> str:
        """Wait for a line of its answer, or of its notes beside it, that holds these words."""
        stream = self.process.stderr if notes else self.process.stdout
        assert stream is not None
        async with asyncio.timeout(20):
            while said := (await stream.readline()).decode():
                if with_this in said:
                    return said
        assert self.process.stderr is not None
        raise AssertionError(f"it ended without {with_this!r}: {(await self.process.stderr.read()).decode()}")

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """Ask it to end, and wait no longer than it promises."""
        self.process.send_signal(number)
        async with asyncio.timeout(10):
            out, err = await self.process.communicate()
        return Ended(self.process.returncode or 0, out.decode(), err.decode())


class _Doorway:
    """The loaded process of `tests.doorway`, one for all tests."""

    def __init__(self) -> None:
        self._files = Path(tempfile.mkdtemp(prefix="pregonero-doorway-"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.doorway", str(self._files)],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self.close)

    def do(self, wanted: dict[str, Any], typed: str) -> Ended:
        """One command, from beginning to end."""
        (self._files / "in").write_text(typed, encoding="utf-8")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(wanted), file=self._process.stdin, flush=True)
        status = int(self._process.stdout.readline())
        out, err = ((self._files / name).read_text(encoding="utf-8") for name in ("out", "err"))
        return Ended(status, out, err)

    def close(self) -> None:
        """Ask no more."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        shutil.rmtree(self._files)


_doorway = cache(_Doorway)


def deploy(
    folder: Path, rehearsal: str, *, rate: int = 900, updates: str = "polling", language: str = "es"
) -> Deployment:
    """Write a deployment of three communities that sleep never."""
    made = Deployment(folder, free_port())
    config = _CONFIG.format(
        language=language,
        port=made.port,
        rate=rate,
        updates=updates,
        rehearsal=rehearsal.rstrip("/"),
        account=ACCOUNT,
        sms=SMS,
        whatsapp=WHATSAPP,
    )
    made.write("config.toml", config)
    for name, secret in (("token", BOT_TOKEN), ("auth", TOKEN)):
        made.write(name, secret).chmod(0o600)
    write_key(folder / "pregonero.key")
    for slug, zone in PLACES.items():
        made.write(
            f"schedules/{slug}.toml",
            f'name = "Consulado en {slug}"\ntimezone = "{zone}"\nlanguages = ["es", "en"]\n'
            'senders = ["bot", "whatsapp", "sms"]\nquiet_hours = "none"\n',
        )
    made.write("content/facts.toml", "")
    for name, text in _TEXTS.items():
        made.write(f"content/{name}", text)
    return made


async def connect(made: Deployment, rehearsal: Rehearsal) -> None:
    """Tell Twilio, as its console would, where what people write goes."""
    await rehearsal.webhook("sms", SMS, f"{made.url}/hooks/sms")
    await rehearsal.webhook("whatsapp", WHATSAPP, f"{made.url}/hooks/whatsapp")


def number(n: int) -> str:
    """The n-th telephone number that is kept free for invented people."""
    return f"+1{201 + n // 100}55501{n % 100:02}"


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
