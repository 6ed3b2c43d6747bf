"""Twilio, over a real loopback server: every answer and every silence is one of the five kinds of trouble."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from channels.base import Channel, Part, Template
from channels.sms import Sms
from channels.trouble import Broken, Gone, Later, Refused, Trouble, Unsure
from channels.twilio_errors import CAUSES
from channels.whatsapp import WhatsApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

ACCOUNT = "AC" + "0123456789abcdef" * 2
SERVICE = "MG" + "0123456789abcdef" * 2
CONTENT = "HX" + "0123456789abcdef" * 2
SID = "SM" + "fedcba9876543210" * 2
TOKEN = "canary-token"
OURS, THEIRS = "+15005550006", "+12025550123"
TEXT = Part("Canario: mañana", "text", "ucs-2", 15, 1)
ACCEPTED = json.dumps({"sid": SID, "status": "queued", "date_created": "Thu, 30 Jul 2015 20:12:31 +0000"})

DESCRIBED = {
    "To": r"(whatsapp:)?\+[1-9]\d{6,14}",
    "From": r"(whatsapp:)?\+[1-9]\d{6,14}",
    "MessagingServiceSid": r"MG[0-9a-fA-F]{32}",
    "ContentSid": r"HX[0-9a-fA-F]{32}",
    "ContentVariables": r"\{.*\}",
    "StatusCallback": r"https://[^_/]+/.*",
    "Body": r"(?s).{1,1600}",
}
"""The parameters we send, as Twilio's OpenAPI description of CreateMessage has them."""


class Vendor:
    """Twilio's edge: remembers what was asked, answers what the scene says."""

    def __init__(self) -> None:
        self.status, self.body = 201, ACCEPTED
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, dict[str, str], Mapping[str, str]]] = []
        self.url = ""

    def says(self, status: int, body: object = "", headers: dict[str, str] | None = None) -> None:
        self.status, self.headers = status, headers or {}
        self.body = body if isinstance(body, str) else json.dumps(body)

    async def handle(self, request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        self.asked.append((request.path, form, request.headers))
        return web.Response(
            status=self.status, text=self.body, headers=self.headers, content_type="application/json"
        )


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    edge = Vendor()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", edge.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    edge.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield edge
    await runner.cleanup()


@asynccontextmanager
async def sms(api_base: str, **settings: float | str) -> AsyncIterator[Sms]:
    channel = Sms(account_sid=ACCOUNT, auth_token=TOKEN, from_=OURS, api_base=api_base, **settings)  # type: ignore[arg-type]  # each test names its own
    try:
        yield channel
    finally:
        await channel.aclose()


async def trouble_at(api_base: str, **settings: float | str) -> Trouble:
    async with sms(api_base, **settings) as channel:
        with pytest.raises(Trouble) as caught:
            await channel.send(THEIRS, TEXT, "1.2")
    return caught.value


async def test_an_accepted_message_returns_the_vendors_id(vendor: Vendor) -> None:
    """A message goes out in one request that Twilio's description allows, and its SID comes back."""
    callback = "https://avisos.example.org/twilio/us?v=1#rc=2"
    async with sms(vendor.url + "/ignored/path", status_callback=callback) as channel:
        assert await channel.send(THEIRS, TEXT, "41.0") == SID
    ((path, form, headers),) = vendor.asked
    assert path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert form == {
        "To": THEIRS,
        "From": OURS,
        "Body": TEXT.text,
        "StatusCallback": "https://avisos.example.org/twilio/us?v=1&key=41.0#rc=2",
    }
    assert all(re.fullmatch(DESCRIBED[name], value) for name, value in form.items())
    assert headers["Authorization"] == "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"


async def test_whatsapp_speaks_freely_or_by_template(vendor: Vendor) -> None:
    """Inside the window the text goes as a body; outside, the template and its values, and no body."""
    channel = WhatsApp(
        account_sid=ACCOUNT, auth_token=TOKEN, messaging_service=SERVICE, from_=OURS, api_base=vendor.url
    )
    filled = Part("Feria", "template", "utf-16", 5, 1, Template(CONTENT, {"1": "Feria «ñ»"}))
    fixed = Part("Feria", "template", "utf-16", 5, 1, Template(CONTENT))
    for part in (Part("*Hola*", "whatsapp", "utf-16", 6, 1), filled, fixed):
        assert await channel.send(THEIRS, part, "1.0") == SID
    await channel.aclose()
    sender = {"To": f"whatsapp:{THEIRS}", "From": f"whatsapp:{OURS}", "MessagingServiceSid": SERVICE}
    forms = [form for _, form, _ in vendor.asked]
    assert json.loads(forms[1].pop("ContentVariables")) == {"1": "Feria «ñ»"}
    assert forms == [
        {**sender, "Body": "*Hola*"},
        {**sender, "ContentSid": CONTENT},
        {**sender, "ContentSid": CONTENT},
    ]
    assert all(re.fullmatch(DESCRIBED[name], value) for form in forms for name, value in form.items())


async def test_a_messaging_service_may_choose_the_number(vendor: Vendor) -> None:
    """With a messaging service alone, no number of ours is named."""
    channel: Channel = Sms(
        account_sid=ACCOUNT, auth_token=TOKEN, messaging_service=SERVICE, api_base=vendor.url
    )
    await channel.send(THEIRS, TEXT, "1.0")
    await channel.aclose()
    assert vendor.asked[0][1] == {"To": THEIRS, "MessagingServiceSid": SERVICE, "Body": TEXT.text}


async def test_many_messages_share_one_session(vendor: Vendor) -> None:
    """Fifty sends in flight all arrive once, over one client."""
    async with sms(vendor.url, concurrency=10) as channel:
        sids = await asyncio.gather(*(channel.send(THEIRS, TEXT, f"{n}.0") for n in range(50)))
    assert sids == [SID] * 50
    assert len(vendor.asked) == 50


@pytest.mark.parametrize("code", sorted(CAUSES))
async def test_every_known_code_is_the_trouble_of_the_table(vendor: Vendor, code: int) -> None:
    """A refusal with a known code becomes its kind, its reason and its code, and is asked once."""
    vendor.says(400, {"code": code, "message": f"no puede {THEIRS}", "status": 400})
    trouble = await trouble_at(vendor.url)
    cause = CAUSES[code]
    assert (type(trouble), trouble.reason, trouble.code) == (cause.kind, cause.reason, str(code))
    assert getattr(trouble, "left", False) == cause.left
    assert getattr(trouble, "wait", None) == cause.wait
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (400, {"code": 99999, "message": "new"}, Refused, "vendor-refused"),
        (400, {"code": 39999}, Refused, "vendor-refused"),
        (400, {"code": "21610"}, Gone, "opted-out"),
        (400, "<html>", Refused, "vendor-refused"),
        (400, "[]", Refused, "vendor-refused"),
        (
            400,
            {"type": "about:blank", "title": "x", "status": 400, "code": 21610, "detail": THEIRS},
            Gone,
            "opted-out",
        ),
        (401, {"code": 20003, "message": "Authenticate"}, Broken, "credentials"),
        (401, "", Broken, "credentials"),
        (403, {"code": 20005}, Broken, "account-suspended"),
        (404, "nginx", Broken, "misconfigured"),
        (302, "", Broken, "misconfigured"),
        (429, {"code": 20429}, Later, "rate-limited"),
        (429, "slow down", Later, "rate-limited"),
        (429, {"code": 21611}, Later, "queue-full"),
        (500, {"code": 20500}, Unsure, "vendor-down"),
        (500, {"code": 21610}, Unsure, "vendor-down"),
        (503, "<html>", Unsure, "vendor-down"),
        (201, "", Unsure, "no-answer"),
        (201, '{"sid": "SM', Unsure, "no-answer"),
        (201, "[]", Unsure, "no-answer"),
        (201, {"sid": None}, Unsure, "no-answer"),
        (201, {"sid": 7}, Unsure, "no-answer"),
    ],
)
async def test_every_answer_is_one_of_the_five_kinds(
    vendor: Vendor, status: int, body: object, kind: type[Trouble], reason: str
) -> None:
    """Known or unknown, a refusal, a fault or gibberish is decided, and nothing is posted twice."""
    vendor.says(status, body)
    trouble = await trouble_at(vendor.url)
    assert (type(trouble), trouble.reason) == (kind, reason)
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "17"}, timedelta(seconds=17)),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
        ({"Retry-After": "9" * 15}, timedelta(hours=6)),
        ({"Retry-After": "9" * 400}, None),
    ],
)
async def test_too_many_requests_carries_the_wait(
    vendor: Vendor, headers: dict[str, str], wait: timedelta | None
) -> None:
    """The vendor's wait reaches the lane, never more than six hours of it."""
    vendor.says(429, {"code": 20429}, headers)
    trouble = await trouble_at(vendor.url)
    assert isinstance(trouble, Later)
    assert trouble.wait == wait


async def test_a_wait_may_be_a_date(vendor: Vendor) -> None:
    """HTTP lets a vendor name the moment instead of the seconds."""
    vendor.says(429, {"code": 20429}, {"Retry-After": formatdate(time.time() + 60, usegmt=True)})
    trouble = await trouble_at(vendor.url)
    assert isinstance(trouble, Later)
    assert trouble.wait is not None
    assert timedelta(seconds=50) < trouble.wait <= timedelta(seconds=60)


async def test_a_refused_tls_handshake_is_later(vendor: Vendor) -> None:
    """A failed handshake carried no message."""
    trouble = await trouble_at(vendor.url.replace("http:", "https:"))
    assert (type(trouble), trouble.reason) == (Later, "unreachable")


async def test_a_text_that_no_vendor_could_read_is_refused(vendor: Vendor) -> None:
    """Half an emoji stops one message, before the network."""
    async with sms(vendor.url) as channel:
        with pytest.raises(Refused):
            await channel.send(THEIRS, Part("\ud83d", "text", "ucs-2", 1, 1), "1.0")
    assert vendor.asked == []


async def test_nothing_secret_is_said(vendor: Vendor, caplog: pytest.LogCaptureFixture) -> None:
    """No number, text or token is in a log at any level, in a trouble or in the sender's own repr."""
    caplog.set_level(logging.DEBUG)
    vendor.says(400, {"code": 21211, "message": f"The number {THEIRS} is not valid"})
    trouble = await trouble_at(vendor.url)
    said = (
        caplog.text + repr(trouble) + str(trouble) + repr(Sms(account_sid="A", auth_token=TOKEN, from_=OURS))
    )
    assert not [secret for secret in (THEIRS, OURS, TOKEN, TEXT.text, "12025550123") if secret in said]
    assert trouble.__context__ is None or trouble.__suppress_context__


@pytest.mark.parametrize(
    "settings", [{}, {"from_": OURS, "api_base": "127.0.0.1:9000"}, {"from_": OURS, "api_base": "ftp://x"}]
)
def test_a_sender_that_cannot_work_is_not_built(settings: dict[str, str]) -> None:
    """A sender without a number, or with an api_base that is no address, is refused at start."""
    with pytest.raises(ValueError, match=r"number|api_base"):
        Sms(account_sid=ACCOUNT, auth_token=TOKEN, **settings)  # type: ignore[arg-type]  # texts only


async def test_the_real_address_is_twilios() -> None:
    """Without api_base the library's own address is kept."""
    channel = Sms(account_sid=ACCOUNT, auth_token=TOKEN, from_=OURS)
    assert channel._messages == f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert channel._transport.address(channel._messages) == channel._messages
