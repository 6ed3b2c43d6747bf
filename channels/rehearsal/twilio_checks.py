"""What Twilio looks at, who asks and before it accepts a message, in its order, and its codes.

Codes: https://www.twilio.com/docs/api/errors; parameters: Twilio's OpenAPI description
(twilio-oai, `twilio_api_v2010.yaml`, CreateMessage). Read 2026-11.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.rehearsal.people import Button, Channel

PARAMETERS = frozenset(
    {
        "To",
        "StatusCallback",
        "ApplicationSid",
        "MaxPrice",
        "ProvideFeedback",
        "Attempt",
        "ValidityPeriod",
        "ForceDelivery",
        "ContentRetention",
        "AddressRetention",
        "SmartEncoded",
        "PersistentAction",
        "TrafficType",
        "ShortenUrls",
        "ScheduleType",
        "SendAt",
        "SendAsMms",
        "ContentVariables",
        "MessageIntent",
        "RiskCheck",
        "From",
        "FallbackFrom",
        "MessagingServiceSid",
        "Body",
        "MediaUrl",
        "ContentSid",
    }
)
LONGEST = 1600
TEMPLATE_SID = "HX" + "0" * 31 + "1"
TEMPLATE = "*{{1}}*\n\n{{2}}\n\nResponde BAJA para dejar de recibir avisos."
"""The words of the templates that are approved here: a title and a summary."""
MARKETING_SID = f"HX{63049:032}"
"""The same words, approved as marketing; the other is approved as a service message."""
_SAMPLES = {"1": "Aviso", "2": "Hay noticias de su consulado."}
MENUS = {f"HX{100 + size:032}": size for size in range(2, 11)}
"""The menus that were made here, by their number of choices: `HX…0102` to `HX…0110`."""
_LONGEST_BODY, _LONGEST_ID = 1024, 200
_MOST_BUTTONS = 3
_BUTTON, _ROW = 20, 24

_ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
_E164 = re.compile(r"\+(?:1[2-9]\d{9}|[2-9]\d{6,13})")
_FROM = re.compile(r"\+[1-9]\d{6,14}|\d{5,6}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_CALLBACK = re.compile(r"https?://[^/_\s]+(?:[/?]\S*)?")
_UNFIT = re.compile(r"[\n\r\t]| {5,}")
"""What a variable's value may not hold (errors/21656)."""


class Refusal(Exception):  # noqa: N818 - what it is
    """Twilio says no."""

    def __init__(self, code: int, message: str, status: int = 400, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message that passed.

    Attributes:
        sender: Number, short code or service, without "whatsapp:".
        address: E.164, without "whatsapp:".
        text: What arrives.
        template: Whether it was made from an approved template.
        marketing: Whether that is approved as marketing.
        buttons: Of a menu, a row each.
    """

    channel: Channel
    sender: str
    address: str
    text: str
    template: bool
    callback: str
    marketing: bool = False
    buttons: list[list[Button]] = field(default_factory=list)


def account_token(authorization: str, account: str) -> str:
    """The account's token out of Basic authentication.

    Raises:
        Refusal: when it is not a rehearsal's; a real one has no business here.
    """
    scheme, _, credentials = authorization.partition(" ")
    try:
        user, _, token = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, token = "", ""
    if scheme.lower() != "basic" or user != account or "rehearsal" not in token.lower():
        raise Refusal(20003, "Authenticate", 401)
    if not _ACCOUNT.fullmatch(account):
        raise Refusal(20404, "The requested resource was not found", 404)
    return token


def checked(form: Mapping[str, str]) -> Wanted:
    """Look at everything that needs no knowledge of the person.

    Raises:
        Refusal: with Twilio's code.
    """
    if unknown := sorted(set(form) - PARAMETERS):
        raise Refusal(20001, f"Unknown parameter: {unknown[0]}")
    channel, address = _to(form.get("To", ""))
    sender = _sender(form, channel)
    callback = form.get("StatusCallback", "")
    if callback and not _CALLBACK.fullmatch(callback):
        raise Refusal(21609, "The StatusCallback URL is not a valid URL")
    content, variables = form.get("ContentSid"), form.get("ContentVariables", "")
    if not content:
        return Wanted(channel, sender, address, _body(form), template=False, callback=callback)
    if content in MENUS:
        text, buttons = _menu(MENUS[content], _values(variables))
        return Wanted(channel, sender, address, text, template=False, callback=callback, buttons=buttons)
    text = _content(content, _values(variables))
    marketing = content == MARKETING_SID
    return Wanted(channel, sender, address, text, template=True, callback=callback, marketing=marketing)


def _to(given: str) -> tuple[Channel, str]:
    if not given:
        raise Refusal(21604, "A 'To' phone number is required.")
    channel: Channel = "whatsapp" if given.startswith("whatsapp:") else "sms"
    address = given.removeprefix("whatsapp:")
    if not _E164.fullmatch(address):
        raise Refusal(21211, f"Invalid 'To' Phone Number: {address[:-4]}XXXX")
    return channel, address


def _sender(form: Mapping[str, str], channel: Channel) -> str:
    given, service = form.get("From", ""), form.get("MessagingServiceSid", "")
    if service and not _SERVICE.fullmatch(service):
        raise Refusal(21705, "The Messaging Service Sid is invalid.")
    if not given and not service:
        raise Refusal(21603, "A 'From' phone number is required.")
    if not given:
        return service
    if not _FROM.fullmatch(given.removeprefix("whatsapp:")):
        raise Refusal(21606, "The 'From' phone number provided is not a valid message-capable phone number.")
    if given.startswith("whatsapp:") != (channel == "whatsapp"):
        raise Refusal(21910, "Invalid From and To pair. From and To should be of the same channel.")
    return given.removeprefix("whatsapp:")


def _body(form: Mapping[str, str]) -> str:
    text = form.get("Body", "")
    if not text and not form.get("MediaUrl"):
        raise Refusal(21602, "Message body is required.")
    if len(text) > LONGEST:
        raise Refusal(21617, "The concatenated message body exceeds the 1600 character limit.")
    return text


def _values(variables: str) -> dict[str, str]:
    try:
        values = json.loads(variables or "{}")
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(_fits(value) for value in values.values()):
        raise Refusal(21656, "The ContentVariables parameter is invalid.")
    return values


def _content(sid: str, values: Mapping[str, str]) -> str:
    if sid not in {TEMPLATE_SID, MARKETING_SID}:
        raise Refusal(21655, "The ContentSid is invalid.")
    return re.sub(r"\{\{(\w+)\}\}", lambda place: values.get(place[1], _SAMPLES.get(place[1], "")), TEMPLATE)


def _menu(size: int, values: Mapping[str, str]) -> tuple[str, list[list[Button]]]:
    """A body and its buttons; a variable that was left out is its sample, as with every template.

    WhatsApp wants titles and ids that differ. That Twilio refuses what is too long or alike at once and with
    this code is unconfirmed; what it publishes are the lengths (`twilio/quick-reply`, `twilio/list-picker`).
    """
    titles = [values.get(str(2 * n), f"Opción {n}") for n in range(1, size + 1)]
    ids = [values.get(str(2 * n + 1), f"option-{n}") for n in range(1, size + 1)]
    body = values.get("1", "Elija una opción.")
    longest = _BUTTON if size <= _MOST_BUTTONS else _ROW
    fits = len(body) <= _LONGEST_BODY and all(len(title) <= longest for title in titles)
    if not fits or not len(set(titles)) == len(set(ids)) == size or max(map(len, ids)) > _LONGEST_ID:
        raise Refusal(21656, "The ContentVariables parameter is invalid.")
    return body, [[{"text": title, "data": data}] for title, data in zip(titles, ids, strict=True)]


def _fits(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and not _UNFIT.search(value)
