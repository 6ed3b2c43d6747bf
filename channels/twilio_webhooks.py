"""What Twilio's webhooks say, once their signature is proved: parameters in, facts out.

Only the meaning of the parameters may enter; new ones appear without notice. See
https://www.twilio.com/docs/messaging/guides/webhook-request and
https://www.twilio.com/docs/messaging/guides/track-outbound-message-status.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from channels.base import Heard, Receipt
from channels.geo import geo_uri
from channels.twilio_errors import CANCELLED, receipt_trouble, trouble_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.base import ReceiptStatus

_KEY = re.compile(r"[0-9.]+")
_OLD_MEXICAN = re.compile(r"\+521(\d{10})", re.ASCII)
_OPT_OUT = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
"""What Twilio acts upon by itself on SMS when it is the whole message (tutorials/advanced-opt-out)."""

_STATUSES: Mapping[str, ReceiptStatus] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
"""Twilio's words to ours. What is not here (accepted, queued, sending, tomorrow's words) changes nothing."""


def facts(form: Mapping[str, str], url: str) -> list[Heard | Receipt]:
    """Tell a receipt from a message that a person wrote.

    Args:
        form: The signed parameters.
        url: What Twilio called; its query holds the key we gave to the message.

    Returns:
        At most one fact; none for what is neither, and for states that are ours already (queued, sending).
    """
    status = form.get("MessageStatus") or form.get("SmsStatus", "")
    if status and not status.startswith("receiv") and "Body" not in form:
        return _receipts(form, status.casefold(), url)
    return _heard(form)


def _receipts(form: Mapping[str, str], word: str, url: str) -> list[Heard | Receipt]:
    status, sid = _STATUSES.get(word), _sid(form)
    if status is None or not sid:
        return []
    key = parse_qs(urlsplit(url).query).get("key", [""])[0]
    trouble = None
    if status == "failed":
        code = form.get("ErrorCode", "")
        trouble = trouble_of(CANCELLED) if word == "canceled" else receipt_trouble(code)
    return [Receipt(sid, status, key if _KEY.fullmatch(key) else None, trouble)]


def _heard(form: Mapping[str, str]) -> list[Heard | Receipt]:
    sid, sender = _sid(form), form.get("From", "")
    address = sender.removeprefix("whatsapp:")
    if not sid or not address:
        return []
    text = form.get("Body", "")
    if address == sender:  # on WhatsApp Twilio acts upon no word
        return [Heard(sid, address, text, left=_opted_out(form, text))]
    chosen = form.get("ButtonPayload") or form.get("ListId") or _place(form) or text
    return [Heard(sid, _without_old_digit(address), chosen, left=_opted_out(form))]


def _opted_out(form: Mapping[str, str], text: str = "") -> bool:
    """Whether Twilio has blocked us from writing to them, and confirmed it to them by itself."""
    return form.get("OptOutType", "").upper() == "STOP" or text.strip().upper() in _OPT_OUT


def _place(form: Mapping[str, str]) -> str:
    """The place that was shared, or "" when there is none."""
    try:
        return geo_uri(float(form["Latitude"]), float(form["Longitude"]))
    except (KeyError, ValueError):
        return ""


def _without_old_digit(number: str) -> str:
    """Mexico dropped the 1 before its mobile numbers in 2019; WhatsApp still writes some with it.

    Both are one person (https://support.gupshup.io, note on Mexico's digit 1; unconfirmed for Twilio).
    """
    return _OLD_MEXICAN.sub(r"+52\1", number)


def _sid(form: Mapping[str, str]) -> str:
    return form.get("MessageSid") or form.get("SmsMessageSid") or form.get("SmsSid", "")
