"""Webhooks that no vendor signed, and true ones that come twice, late and in any order."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp
import pytest

import channels.twilio_api
from channels.base import Forged, Request
from channels.rehearsal.callbacks import signature
from channels.sms import Sms
from channels.telegram import Telegram
from channels.whatsapp import WhatsApp
from tests.conftest import ACCOUNT, TOKEN
from tests.deployment import SMS, WHATSAPP, Deployment, connect, deploy, number

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Rehearsal

FORM = "application/x-www-form-urlencoded"
SECRET = "a-secret-of-ours"
OURS = Sms(account_sid=ACCOUNT, auth_token=TOKEN, from_=SMS)
OURS_TOO = WhatsApp(account_sid=ACCOUNT, auth_token=TOKEN, from_=WHATSAPP)
A_BOT = Telegram(token="1:canary", api_base=None, secret=SECRET, concurrency=1)


@dataclass(frozen=True)
class Hook:
    """A webhook of Twilio's, true until somebody lays hands on it."""

    url: str
    form: tuple[tuple[str, str], ...]
    proof: str | None
    kind: str = FORM

    def request(self) -> Request:
        """As our server hands it on."""
        headers = {"content-type": self.kind} | (
            {} if self.proof is None else {"x-twilio-signature": self.proof}
        )
        body = json.dumps(dict(self.form)) if "json" in self.kind else urlencode(self.form)
        return Request(self.url, headers, body.encode())


def drawn(seed: int | str) -> Random:
    """The same every time."""
    return Random(seed)  # noqa: S311 - forgeries, not secrets


def true_hook(chance: Random, base: str = "https://avisos.example.org/hooks/sms") -> Hook:
    """A receipt, or what somebody wrote, as Twilio signs it."""
    form = {
        "MessageSid": f"SM{chance.getrandbits(128):032x}",
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
    }
    url = base
    if chance.random() < 0.6:
        word = chance.choice(["sent", "delivered", "read", "failed", "undelivered"])
        form |= {"MessageStatus": word, "From": SMS, "To": number(chance.randrange(60))}
        url += f"?key={chance.randrange(1, 99)}.{chance.randrange(1, 9)}.0.1"
    else:
        form |= {"SmsStatus": "received", "From": number(chance.randrange(60)), "To": SMS}
        form |= {"Body": chance.choice(["BAJA", "STOP", "ALTA", "¿Dónde está? 100 % + más", ""])}
    return Hook(url, tuple(form.items()), signature(TOKEN, url, form))


def _value_changed(hook: Hook, chance: Random) -> Hook:
    at = chance.randrange(len(hook.form))
    name, value = hook.form[at]
    other = chance.choice([value + "1", value[:-1] or "x", "delivered" if value != "delivered" else "read"])
    return replace(hook, form=(*hook.form[:at], (name, other), *hook.form[at + 1 :]))


def _left_out(hook: Hook, chance: Random) -> Hook:
    at = chance.randrange(len(hook.form))
    return replace(hook, form=hook.form[:at] + hook.form[at + 1 :])


def _letter_changed(hook: Hook, chance: Random) -> Hook:
    proof = hook.proof or ""
    at = chance.randrange(len(proof) - 2)  # not the last one before "=", of which two bits say nothing
    letter = chance.choice([letter for letter in "AZaz09+/" if letter != proof[at]])
    return replace(hook, proof=proof[:at] + letter + proof[at + 1 :])


def _as_json(hook: Hook, chance: Random) -> Hook:
    """Its body swapped for one of another kind, with its true hash in the address."""
    body = json.dumps(dict(hook.form)).encode()
    mark = "&" if "?" in hook.url else "?"
    url = f"{hook.url}{mark}bodySHA256={hashlib.sha256(body).hexdigest()}"
    return replace(hook, url=chance.choice([url, hook.url]), kind="application/json")


WAYS: dict[str, Callable[[Hook, Random], Hook]] = {
    "no signature": lambda hook, _: replace(hook, proof=None),
    "an empty one": lambda hook, _: replace(hook, proof=""),
    "a guessed one": lambda hook, chance: replace(
        hook, proof=base64.b64encode(chance.randbytes(20)).decode()
    ),
    "one of letters beyond ASCII": lambda hook, _: replace(hook, proof="ñ" + (hook.proof or "")[1:]),
    "a letter changed": _letter_changed,
    "half of it": lambda hook, _: replace(hook, proof=(hook.proof or "")[:14]),
    "another account's token": lambda hook, chance: replace(
        hook, proof=signature(f"{chance.getrandbits(128):032x}", hook.url, dict(hook.form))
    ),
    "no token at all": lambda hook, _: replace(hook, proof=signature("", hook.url, dict(hook.form))),
    "a value changed": _value_changed,
    "a value left out": _left_out,
    "a value added": lambda hook, chance: replace(
        hook, form=(*hook.form, (chance.choice(["ErrorCode", "OptOutType", "ForwardedFrom"]), "STOP"))
    ),
    "a second value": lambda hook, chance: replace(
        hook, form=(*hook.form, (chance.choice(hook.form)[0], "STOP sending"))
    ),
    "another key": lambda hook, chance: replace(
        hook, url=f"{hook.url.partition('?')[0]}?key={chance.randrange(100, 999)}.1.0.1"
    ),
    "another address": lambda hook, _: replace(hook, url=hook.url.replace("/hooks/sms", "/hooks/whatsapp")),
    "another host": lambda hook, _: replace(hook, url=hook.url.replace("avisos", "otros")),
    "another kind of body": _as_json,
    "no kind of body": lambda hook, _: replace(hook, kind=""),
}


def forged(chance: Random, way: str, base: str = "https://avisos.example.org/hooks/sms") -> Hook:
    """A forgery of this kind, of a true one."""
    true = true_hook(chance, base)
    fake = WAYS[way](true, chance)
    return fake if fake != true else forged(chance, way, base)


@pytest.mark.parametrize("way", WAYS)
def test_no_forgery_is_read(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of some ten thousand forgeries each is refused, and what it says is not looked at."""

    def looked_at(*_: object) -> None:
        raise AssertionError(way)

    chance = drawn(way)
    trues = [true_hook(chance) for _ in range(20)]
    for true in trues:
        OURS.read(true.request())
        OURS_TOO.read(true.request())
    monkeypatch.setattr(channels.twilio_api, "facts", looked_at)
    for _ in range(300):
        request = forged(chance, way).request()
        for channel in (OURS, OURS_TOO):
            with pytest.raises(Forged):
                channel.read(request)


def test_no_forgery_of_telegrams_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the secret, or with one like it, an update is refused and not looked at."""
    header, body = "x-telegram-bot-api-secret-token", b'{"update_id": 1}'
    assert A_BOT.read(Request("/", {header: SECRET}, body)) == []

    def looked_at(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("telegram.Update.de_json", looked_at)
    chance = drawn(7)
    for _ in range(1000):
        at = chance.randrange(len(SECRET))
        fakes = ["", SECRET[:at], SECRET + "a", SECRET.upper(), f"{SECRET[:at]}ñ{SECRET[at + 1 :]}"]
        headers = chance.choice([{}, *({header: fake} for fake in fakes)])
        with pytest.raises(Forged):
            A_BOT.read(Request("/", headers, body))


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """Forty people on SMS and forty on WhatsApp."""
    made = deploy(tmp_path, rehearsal.url)
    crowd = [(channel, number(n), "es", "fresno") for channel in ("sms", "whatsapp") for n in range(40)]
    await rehearsal.people(*({"channel": channel, "address": address} for channel, address, _, _ in crowd))
    await connect(made, rehearsal)
    await made.take_in(crowd)
    return made


async def posted(made: Deployment, hooks: list[Hook]) -> Counter[int]:
    """How the service answers these, eight at a time."""
    answers: Counter[int] = Counter()
    waiting = list(hooks)
    async with aiohttp.ClientSession() as session:

        async def post() -> None:
            while waiting:
                hook = waiting.pop()
                request = hook.request()
                async with session.post(hook.url, data=request.body, headers=request.headers) as answer:
                    answers[answer.status] += 1

        await asyncio.gather(*(post() for _ in range(8)))
    return answers


async def test_forgeries_change_nothing(made: Deployment, rehearsal: Rehearsal) -> None:
    """Hundreds of forged receipts and words at the open door leave every row as it was."""
    assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
    chance = drawn(5)
    ways = [way for way in WAYS if way not in {"another host", "one of letters beyond ASCII"}]
    async with made.running():
        await made.until(ALL_TOLD)
        before = rows(made)
        fakes = [forged(chance, chance.choice(ways), f"{made.url}/hooks/sms") for _ in range(400)]
        assert await posted(made, fakes) == {403: 400}
        assert rows(made) == before
    assert len([row for row in await rehearsal.ledger() if row["outcome"] == "accepted"]) == 80


def rows(made: Deployment) -> list[list[tuple[object, ...]]]:
    """All that a webhook might change."""
    tables = ("subscribers", "consents", "suppressed", "inbounds", "deliveries", "lanes")
    return [made.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]  # noqa: S608 - our names


ALL_TOLD = """
    SELECT 1 FROM deliveries
    WHERE sender = 'sms' AND state = 'delivered' OR sender = 'whatsapp' AND state = 'read'
    GROUP BY 1 = 1 HAVING count(*) = 80
"""
ALL_READ = "SELECT count(*) AS n FROM deliveries WHERE state = 'read' GROUP BY 1 = 1 HAVING n = 40"


async def test_true_ones_come_in_any_order_and_often(made: Deployment, rehearsal: Rehearsal) -> None:
    """Receipts reversed and doubled by Twilio, then all of them again, shuffled: no state goes back."""
    await rehearsal.faults("sms", "receipts-reversed")
    await rehearsal.faults("whatsapp", "receipts-doubled", share=0.5, seed=3)
    assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
    async with made.running():
        await made.until(ALL_TOLD)
        before = rows(made)
        sent = made.rows("SELECT id, attempt, vendor_id, sender FROM deliveries")
        old = [
            again(f"{made.url}/hooks/{sender}?key={delivery}.{attempt}.0.1", sid, word)
            for delivery, attempt, sid, sender in sent
            for word in ("queued", "sent", "delivered", "sent")
        ]
        drawn(11).shuffle(old)
        assert await posted(made, old) == {200: len(old)}
        assert rows(made) == before


def again(url: str, sid: str, word: str) -> Hook:
    """A receipt, truly signed."""
    form = {"MessageSid": sid, "MessageStatus": word, "AccountSid": ACCOUNT}
    return Hook(url, tuple(form.items()), signature(TOKEN, url, form))


async def test_lost_receipts_lose_nobody(made: Deployment, rehearsal: Rehearsal) -> None:
    """Of whom no receipt comes it is said that it was sent, and nobody is written to again."""
    await rehearsal.faults("sms", "receipts-lost", share=0.5, seed=3)
    assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
    async with made.running():
        await made.until(ALL_READ)
        await made.until("SELECT 1 FROM broadcasts WHERE state = 'done'")
        await rehearsal.until(lambda seen: seen["counts"]["sms"]["accepted"] == 40)
    states = Counter(state for (state,) in made.rows("SELECT state FROM deliveries WHERE sender = 'sms'"))
    assert set(states) == {"sent", "delivered"}
    assert 5 < states["sent"] < 35
    reached = Counter(row["address"] for row in await rehearsal.ledger() if row["channel"] == "sms")
    assert set(reached.values()) == {1}
