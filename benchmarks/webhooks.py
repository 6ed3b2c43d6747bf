"""What vendors post when people write: whole requests, signed beforehand.

What may enter: how each vendor says it. Who posts them and waits for the replies is `asking`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from benchmarks.deployment import ACCOUNT, NUMBER, TOKEN, address
from bot.settings import Telegram
from channels.rehearsal.callbacks import signature
from channels.rehearsal.speech import STOP
from evaluation import cases

if TYPE_CHECKING:
    from bot.check import Project

_FIRST = 900_000_000
"""Who writes is not who is written to by a broadcast: every message that reaches them is a reply."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One person writes once.

    Attributes:
        person: The digits of their address.
        request: All of it, as HTTP/1.1.
    """

    person: bytes
    request: bytes


def webhooks(project: Project, count: int, first: int = 0) -> list[Webhook]:
    """So many people ask something, Telegram and SMS in turn, in the words of the evaluation's samples.

    Without the words that Twilio answers itself, for then we are silent, and they would wait for ever.
    """
    asked = [case.text for case in cases.read() if case.kind in ("samples", "questions")]
    asked = [text for text in asked if text.strip().upper() not in STOP]
    make = (_telegram, _sms)
    return [make[n % 2](project, n, asked[n % len(asked)]) for n in range(first, first + count)]


def _telegram(project: Project, number: int, text: str) -> Webhook:
    person = address("telegram", _FIRST + number)
    sender = project.settings.senders["telegram"]
    assert isinstance(sender, Telegram)
    message = {
        "message_id": number,
        "from": {"id": int(person), "is_bot": False, "first_name": "Ana", "language_code": "es"},
        "chat": {"id": int(person), "first_name": "Ana", "type": "private"},
        "date": 1795000000,
        "text": text,
    }
    headers = {
        "Content-Type": "application/json",
        "X-Telegram-Bot-Api-Secret-Token": sender.webhook_secret.get_secret_value(),
    }
    return _webhook(
        project, "telegram", person, headers, json.dumps({"update_id": number, "message": message})
    )


def _sms(project: Project, number: int, text: str) -> Webhook:
    person = address("sms", _FIRST + number)
    form = {
        **dict.fromkeys(("MessageSid", "SmsSid", "SmsMessageSid"), f"SM{number:032x}"),
        **{f"{end}{what}": "" for end in ("From", "To") for what in ("City", "State", "Zip")},
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "From": person,
        "FromCountry": "US",
        "To": NUMBER,
        "ToCountry": "US",
        "Body": text,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": signature(TOKEN, f"{project.settings.web.public_url}/hooks/sms", form),
    }
    return _webhook(project, "sms", person, headers, urlencode(form))


def _webhook(project: Project, sender: str, person: str, headers: dict[str, str], body: str) -> Webhook:
    web = project.settings.web
    lines = {"Host": f"{web.host}:{web.port}", "Accept": "*/*", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return Webhook(
        person.lstrip("+").encode(), f"POST /hooks/{sender} HTTP/1.1\r\n{head}\r\n{body}".encode("ascii")
    )
