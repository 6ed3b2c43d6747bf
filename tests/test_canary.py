"""Everything happens to a deployment at its most talkative, and nothing that it says or keeps names anybody.

`test_no_traces` has the crowd; here are the bad days: faults of the vendors and of ours, crashes, forgeries.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp

from channels.rehearsal.callbacks import signature
from tests import faulty
from tests.conftest import ACCOUNT, BOT_TOKEN, TOKEN
from tests.deployment import SMS, Deployment, Ended, Working, connect, deploy, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Rehearsal

PEOPLE = (
    ("telegram", "7738291045"),
    ("sms", "+15595550177"),
    ("whatsapp", "+16025550188"),
    ("sms", faulty.NUMBER),
)
NAME, WORDS = "Xochiquetzal", "mi hermano Tonatiuh"
SECRET = "a-hook-secret-of-ours"
NUMBERS = [digits.encode() for _, address in PEOPLE for digits in {address.lstrip("+"), address[-10:]}]
CANARIES = [
    *NUMBERS,
    *(word.encode() for word in (NAME, "Tonatiuh", "Papalotl", BOT_TOKEN, TOKEN, SECRET)),
]
"""What must stand nowhere: numbers as they are dialled, a name, what people wrote, tokens."""
ANNOUNCED = b"Feria"
"""What the announcement says: public, and no matter for a log all the same."""


class Everything:
    """One deployment, and all that it ever said."""

    def __init__(self, made: Deployment, rehearsal: Rehearsal, metrics: str) -> None:
        self.made, self.rehearsal, self.metrics = made, rehearsal, metrics
        self.logged: list[str] = []
        self.answered: list[str] = []

    def keep(self, ended: Ended) -> None:
        """What a command said."""
        self.logged.append(ended.said)

    async def do(self, *words: str, typed: str = "") -> Ended:
        """Give a command, as talkative as can be."""
        ended = await self.made.do(*words, typed=typed, PREGONERO_LOG="DEBUG")
        self.keep(ended)
        return ended

    @asynccontextmanager
    async def running(self, *words: str) -> AsyncIterator[Working]:
        """The service, or something that begins it."""
        async with self.made.at_work(*words or ("run",), PREGONERO_LOG="DEBUG") as working:
            await working.line(self.made.url)
            yield working

    async def ask(self, url: str, method: str = "GET", **request: object) -> int:
        """Any request; the page that answers is kept."""
        async with aiohttp.ClientSession() as session, session.request(method, url, **request) as answer:  # type: ignore[arg-type]  # aiohttp's own names
            self.answered.append(f"{answer.headers}\n{await answer.text()}")
            return answer.status

    async def shout(self, raw: bytes) -> None:
        """Something that is no HTTP. The parser shows whoever sent it the bytes that offend it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.made.port)
        writer.write(raw)
        assert b" 400 " in await reader.readline()
        writer.close()

    async def twilio(self, text: str, sid: str) -> int:
        """A message that Twilio signed."""
        form = {"MessageSid": sid, "From": PEOPLE[1][1], "To": SMS, "Body": text, "AccountSid": ACCOUNT}
        url = f"{self.made.url}/hooks/sms"
        headers = {
            "X-Twilio-Signature": signature(TOKEN, url, form),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return await self.ask(url, "POST", data=urlencode(form), headers=headers)


async def strangers(all_: Everything) -> None:
    """Forged, broken, oversized and misdirected requests, each with somebody's number in it."""
    url, number = all_.made.url, PEOPLE[1][1]
    form = {"From": number, "Body": WORDS}
    assert await all_.ask(f"{url}/hooks/sms", "POST", data=form) == 403
    assert await all_.ask(f"{url}/hooks/sms", "POST", data={**form, "Body": WORDS * 20_000}) == 413
    assert await all_.ask(f"{url}/hooks/bot", "POST", data=f'{{"text": "{WORDS}"') == 403
    assert await all_.ask(f"{url}/hooks/{number}", "POST", data=form) == 404
    assert await all_.ask(f"{url}/{number}?Body={WORDS}") == 404
    assert await all_.ask(f"{url}/hooks/sms?From={number}") == 405
    assert await all_.ask(f"{url}/metrics") == 404
    secret = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    assert await all_.ask(f"{url}/hooks/bot", "POST", data=f'{{"text": "{WORDS}"', headers=secret) == 200
    await all_.shout(f"{number} {WORDS}\r\n\r\n".encode())
    await all_.shout(f"POST /hooks/sms HTTP/1.1\r\nContent-Length: {WORDS}\r\n\r\n".encode())


async def good_day(all_: Everything) -> None:
    """An announcement, questions, and answers to them."""
    assert (await all_.do("announce", "feria", "-c", "fresno", "--wait")).status == 0
    for channel, address in PEOPLE[:3]:
        for text in ("pasaporte", WORDS, "si"):
            said = await all_.rehearsal.say(channel, address, text)
            assert said["status"] != "unheard"
    await all_.made.until("SELECT 1 FROM inbounds GROUP BY 1 = 1 HAVING sum(text IS NOT NULL) = 0")
    await strangers(all_)
    for path in ("metrics", "health"):
        assert await all_.ask(f"{all_.metrics}/{path}") == 200
    assert await all_.ask(f"{all_.made.url}/health") == 200


async def bad_day(all_: Everything, working: Working) -> None:
    """Every fault of the vendors in turn, and a kill while they keep us waiting."""
    for kind, more in (("429", {"retry_after": 1}), ("500", {}), ("down", {}), ("hang", {})):
        for channel in ("telegram", "sms", "whatsapp"):
            await all_.rehearsal.faults(channel, kind, count=1, **more)
        for channel, address in PEOPLE[:3]:
            await all_.rehearsal.say(channel, address, f"pasaporte {WORDS}")
        await asyncio.sleep(0.5)
    assert await all_.ask(f"{all_.metrics}/metrics") == 200
    working.process.kill()
    out, err = await working.process.communicate()
    all_.logged.append((out + err).decode())
    all_.answered += [f"{path}" for path in all_.made.folder.glob("core*")]


async def staffs_day(all_: Everything) -> None:
    """What staff ask and mend meanwhile, rightly and wrongly."""
    all_.made.edit("content/announcements/feria/es.md", "vacunas gratis", "vacunas sin costo")
    await all_.do("correct", "1", "--by", "ana")
    for words in (
        *(("report",), ("report", "--json"), ("report", "1"), ("report", "999")),
        *(("subscribers", "stats"), ("check",), ("calendar",), ("plan", "feria"), ("inbox",)),
        *(("ask", "pasaporte"), ("pause", "1", "--by", "ana"), ("cancel", "1", "--by", "ana"), ("arm",)),
    ):
        await all_.do(*words)
    erased = await all_.do("subscribers", "erase", "--channel", "sms", typed=f"{PEOPLE[1][1]}\n")
    assert "Traceback" not in erased.said
    people = (all_.made.folder / "people.csv").read_text("utf-8")
    all_.made.write("broken.csv", people.replace(",web", ",no"))
    assert (await all_.do("subscribers", "import", "broken.csv")).status == 1


async def our_own_faults(all_: Everything) -> str:
    """Errors that quote a person, in what sends, in what reads, in a thread and at the very end."""
    command = [sys.executable, "-m", "tests.faulty", "run"]
    root = str(Path(__file__).parents[1])
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=all_.made.folder,
        env=all_.made.environ | {"PREGONERO_LOG": "DEBUG", "PYTHONPATH": root, "PYTHONASYNCIODEBUG": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    working = Working(process)
    try:
        await working.line(all_.made.url)
        await all_.do("announce", "feria", "-c", "fresno", "--again")
        await all_.made.until("SELECT 1 FROM deliveries WHERE reason = 'fault'")
        assert await all_.twilio(faulty.TEXT, "SM" + "e" * 32) == 500
        assert await all_.ask(f"{all_.metrics}/metrics") == 200
        ended = await working.stop(signal.SIGTERM)
    finally:
        if process.returncode is None:
            process.kill()
    all_.keep(ended)
    return ended.said


def kept(folder: Path) -> dict[str, bytes]:
    """Every file that the service wrote."""
    return {path.name: path.read_bytes() for path in folder.glob("pregonero.db*")}


def hides(what: str, content: bytes) -> None:
    """No canary stands in it."""
    for canary in CANARIES:
        found = content.find(canary)
        assert found < 0, f"{what} tells of {canary.decode()}: …{content[max(0, found - 200) : found]!r}"


async def test_whatever_happens_names_nobody(tmp_path: Path, rehearsal: Rehearsal) -> None:
    """Good days, bad days, crashes, forgeries and our own faults: nothing tells of whom."""
    made = deploy(tmp_path, rehearsal.url, updates="webhook")
    made.write("hook-secret", SECRET).chmod(0o600)
    port = free_port()
    made.edit("config.toml", 'updates = "webhook"', 'updates = "webhook"\nsecret = { file = "hook-secret" }')
    made.edit("config.toml", "[senders.bot]", f"[metrics]\nport = {port}\n[senders.bot]")
    shown = [{"channel": c, "address": a, "name": NAME, "shown": True} for c, a in PEOPLE]
    await rehearsal.people(*shown)
    await connect(made, rehearsal)
    await made.take_in([(channel, address, "es", "fresno") for channel, address in PEOPLE])
    all_ = Everything(made, rehearsal, f"http://127.0.0.1:{port}")
    async with all_.running() as working:
        await good_day(all_)
        await bad_day(all_, working)
    async with all_.running() as working:
        await staffs_day(all_)
        all_.keep(await working.stop())
    faults = await our_own_faults(all_)
    said = "\n".join(all_.logged).encode()
    hides("what was logged", said)
    assert ANNOUNCED + b" de salud" not in re.sub(rb'.*"entry".*', b"", said)
    hides("what was answered", "\n".join(all_.answered).encode())
    for name, content in kept(tmp_path).items():
        hides(name, content)
    assert said.count(b'"event"') > 100, "nothing was logged, so nothing was proved"
    # That the faults happened, each at its place, and are told of without their words:
    assert '"event": "send.fault"' in faults
    assert '"event": "hook.fault"' in faults
    assert faults.count('"error": "ValueError"') >= 5
    assert "Traceback" not in faults
    assert b"apscheduler" not in said  # its every beat would bury what matters
