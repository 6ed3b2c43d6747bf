"""What vendors post to the service: heard once, answered, or refused without a trace."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import pytest

from channels.rehearsal.callbacks import signature
from tests.conftest import ACCOUNT, BOT_TOKEN, TOKEN
from tests.deployment import SMS, Deployment, connect, deploy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal

ROSA, JOEL, CITLALI = "101", "+16025550102", "+12125550103"
EVERYBODY = [
    ("telegram", ROSA, "es", "fresno"),
    ("sms", JOEL, "es", "phoenix"),
    ("whatsapp", CITLALI, "es", "nueva-york"),
]
SECRET = "a-secret-of-ours"


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A deployment that all three vendors call."""
    made = deploy(tmp_path, rehearsal.url, updates="webhook")
    made.write("hook-secret", SECRET).chmod(0o600)
    made.edit("config.toml", 'updates = "webhook"', 'updates = "webhook"\nsecret = { file = "hook-secret" }')
    await rehearsal.people(
        *({"channel": channel, "address": address, "shown": True} for channel, address, _, _ in EVERYBODY)
    )
    await connect(made, rehearsal)
    await made.take_in(EVERYBODY)
    return made


async def say(rehearsal: Rehearsal, channel: str, address: str, text: str) -> None:
    """A person writes, as soon as there is somebody to hear it."""
    async with asyncio.timeout(20):
        while (await rehearsal.say(channel, address, text))["status"] == "unheard":  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)


async def heard(rehearsal: Rehearsal, channel: str, address: str, text: str, times: int = 1) -> None:
    """Wait until a phone holds so many messages with these words, and see that it holds no more."""
    async with asyncio.timeout(20):
        while len(found := await with_words(rehearsal, channel, address, text)) < times:  # noqa: ASYNC110 - another process does not wake us
            await asyncio.sleep(0.05)
    assert len(found) == times


async def with_words(rehearsal: Rehearsal, channel: str, address: str, text: str) -> list[dict[str, Any]]:
    """The messages on a phone with these words."""
    messages = await rehearsal.messages(channel, address)
    return [one for one in messages if one["kind"] == "heard" and text in one["text"]]


async def test_people_leave_ask_and_come_back_by_their_own_word(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """On every channel: BAJA is confirmed once and holds, a question is answered, ALTA brings back."""
    async with made.running():
        for channel, address, *_ in EVERYBODY:
            await say(rehearsal, channel, address, "  ¡Baja! ")
            await heard(rehearsal, channel, address, "Ya no te escribimos")
        assert (await made.do("announce", "feria", "--wait")).status == 0
        for channel, address, *_ in EVERYBODY:
            await say(rehearsal, channel, address, "PASAPORTE")
            await heard(rehearsal, channel, address, "Trae tu acta")
            assert not await with_words(rehearsal, channel, address, "Feria")
            await say(rehearsal, channel, address, "alta")
            await heard(rehearsal, channel, address, "Bienvenida")
        assert (await made.do("announce", "feria", "--wait", "--again")).status == 0
        for channel, address, *_ in EVERYBODY:
            await heard(rehearsal, channel, address, "Feria")
            await heard(rehearsal, channel, address, "Ya no te escribimos")
    assert made.rows("SELECT count(*) FROM inbounds WHERE text IS NOT NULL") == [(0,)]
    assert made.rows("SELECT DISTINCT state FROM subscribers") == [("active",)]


async def test_polling_hears_what_waited_and_answers_once(tmp_path: Path, rehearsal: Rehearsal) -> None:
    """Without a webhook, also after one was set: what was written while we were off is answered."""
    made = deploy(tmp_path, rehearsal.url, updates="webhook")
    await rehearsal.people({"channel": "telegram", "address": ROSA, "shown": True})
    await made.take_in(EVERYBODY[:1])
    async with made.running() as working:
        await say(rehearsal, "telegram", ROSA, "hola")
        await heard(rehearsal, "telegram", ROSA, "ALTA")
        await working.stop()
    await rehearsal.say("telegram", ROSA, "pasaporte")
    made.edit("config.toml", 'updates = "webhook"', 'updates = "polling"')
    for _ in range(2):  # a restart answers nothing again
        async with made.running() as working:
            await say(rehearsal, "telegram", ROSA, "ayuda")
            await heard(rehearsal, "telegram", ROSA, "Escribe PASAPORTE", times=_ + 1)
            await heard(rehearsal, "telegram", ROSA, "Trae tu acta")
            await working.stop(signal.SIGINT)


@pytest.mark.parametrize("updates", ["webhook", "polling"])
async def test_a_tap_is_answered_and_stops_turning(
    tmp_path: Path, rehearsal: Rehearsal, updates: str
) -> None:
    """A button says its words as if they were written, and the person sees at once that it was heard."""
    made = deploy(tmp_path, rehearsal.url, updates=updates)
    await rehearsal.people({"channel": "telegram", "address": ROSA, "shown": True})
    await made.take_in(EVERYBODY[:1])
    async with made.running():
        await say(rehearsal, "telegram", ROSA, "ayuda")
        await heard(rehearsal, "telegram", ROSA, "Escribe PASAPORTE")
        keyboard = {"inline_keyboard": [[{"text": "Pasaporte", "callback_data": "pasaporte"}]]}
        message = {"chat_id": ROSA, "text": "Elige", "reply_markup": keyboard}
        url = f"{rehearsal.url}bot{BOT_TOKEN}/sendMessage"
        async with aiohttp.ClientSession() as session, session.post(url, json=message) as answer:
            sent = (await answer.json())["result"]
        where = {"channel": "telegram", "address": ROSA, "id": str(sent["message_id"])}
        await rehearsal.ask("press", {**where, "data": "pasaporte"})
        await heard(rehearsal, "telegram", ROSA, "Trae tu acta")
        await rehearsal.until_phone("telegram", ROSA, lambda phone: not any(one["turning"] for one in phone))


async def test_stop_is_left_to_the_vendor(made: Deployment, rehearsal: Rehearsal) -> None:
    """Twilio answers its own STOP and blocks us: the person has left, and we do not try in vain to answer."""
    async with made.running():
        await say(rehearsal, "sms", JOEL, " stop ")
        await made.until("SELECT 1 FROM subscribers WHERE channel = 'sms' AND state = 'left'")
        await say(rehearsal, "sms", JOEL, "START")
        await heard(rehearsal, "sms", JOEL, "Bienvenida")
    assert [row["outcome"] for row in await rehearsal.ledger()] == ["accepted"]


def form(text: str, sid: str = "SM" + "a" * 32) -> dict[str, str]:
    """What Twilio posts when Joel writes."""
    return {
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "From": JOEL,
        "To": SMS,
        "Body": text,
        "SmsStatus": "received",
    }


class Vendor:
    """Somebody who posts to our service, honest or not."""

    def __init__(self, session: aiohttp.ClientSession, made: Deployment) -> None:
        self.session, self.made = session, made

    async def twilio(self, values: dict[str, str], token: str = TOKEN, path: str = "/hooks/sms") -> int:
        """A form, signed with a token; the status of the answer."""
        signed = signature(token, self.made.url + path, values)
        return await self.post(path, urlencode(values), {"X-Twilio-Signature": signed})

    async def telegram(self, body: str, secret: str = SECRET) -> int:
        """An update under a secret."""
        return await self.post("/hooks/bot", body, {"X-Telegram-Bot-Api-Secret-Token": secret})

    async def post(self, path: str, body: str | bytes, headers: dict[str, str] | None = None) -> int:
        """Anything."""
        kind = "application/json" if path.endswith("bot") else "application/x-www-form-urlencoded"
        async with self.session.post(
            self.made.url + path, data=body, headers={"Content-Type": kind, **(headers or {})}
        ) as answer:
            return answer.status


async def test_what_a_vendor_did_not_sign_is_refused_and_not_kept(made: Deployment) -> None:
    """Forged, unsigned, oversized, malformed or for nobody: refused, and not one row is written."""
    before = made.rows("SELECT * FROM subscribers")
    update = json.dumps({"update_id": 1, "message": {"text": "hola"}})
    async with made.running() as working, aiohttp.ClientSession() as session:
        vendor = Vendor(session, made)
        assert await vendor.twilio(form("hola"), token="not the token") == 403
        assert await vendor.post("/hooks/sms", urlencode(form("hola"))) == 403
        assert await vendor.post("/hooks/sms", b"\xff\xfe%%%=;&", {"X-Twilio-Signature": "ñ"}) == 403
        assert await vendor.telegram(update, secret="not the secret") == 403
        assert await vendor.post("/hooks/bot", update) == 403
        assert await vendor.telegram("{not json") == 200  # theirs, but says nothing: do not send it again
        assert await vendor.telegram('{"update_id": "x", "message": 7}') == 200
        assert await vendor.twilio(form("x" * 300_000)) == 413
        assert await vendor.telegram(" " * 300_000) == 413
        assert await vendor.twilio(form("hola"), path="/hooks/nobody") == 404
        assert await vendor.post("/hooks/", "") == 404
        async with session.get(made.url + "/hooks/sms") as answer:
            assert answer.status == 405
        async with session.get(made.url + "/health") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok"})
        ended = await working.stop()
    assert (ended.status, "Traceback" in ended.err) == (0, False)
    assert made.rows("SELECT * FROM subscribers") == before
    assert made.rows("SELECT * FROM inbounds") == made.rows("SELECT * FROM deliveries") == []


async def test_a_webhook_told_twice_is_heard_once(made: Deployment, rehearsal: Rehearsal) -> None:
    """Twilio repeats itself when we are late: one row, one reply, and an old BAJA undoes no ALTA."""
    async with made.running(), aiohttp.ClientSession() as session:
        vendor = Vendor(session, made)
        for values in (form("baja"), form("alta", "SM" + "b" * 32), form("baja")):
            assert await vendor.twilio(values) == 200
            await made.until("SELECT 1 FROM inbounds GROUP BY 1 = 1 HAVING sum(text IS NOT NULL) = 0")
        await heard(rehearsal, "sms", JOEL, "Bienvenida")
        await heard(rehearsal, "sms", JOEL, "Ya no te escribimos")
    assert made.rows("SELECT count(*) FROM inbounds") == [(2,)]
    assert made.rows("SELECT state FROM subscribers WHERE channel = 'sms'") == [("active",)]


async def test_what_cannot_be_stored_is_not_acknowledged(made: Deployment, rehearsal: Rehearsal) -> None:
    """When the disk is full the vendor hears 503 and tries again; then it is heard and answered once."""
    async with made.running() as working, aiohttp.ClientSession() as session:
        vendor = Vendor(session, made)
        _, most = resource.prlimit(working.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(working.process.pid, resource.RLIMIT_FSIZE, (0, most))
        assert await vendor.twilio(form("pasaporte")) == 503
        resource.prlimit(working.process.pid, resource.RLIMIT_FSIZE, (most, most))
        assert await vendor.twilio(form("pasaporte")) == 200
        await heard(rehearsal, "sms", JOEL, "Trae tu acta")
