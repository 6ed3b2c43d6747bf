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
from channels.twilio_errors import CANCELLED, receipt_trouble, trouble_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.base import ReceiptStatus

_KEY = re.compile(r"[0-9.]+")

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
    sid, address = _sid(form), form.get("From", "").removeprefix("whatsapp:")
    if not sid or not address:
        return []
    text = form.get("ButtonPayload") or form.get("Body", "")
    return [Heard(sid, address, text, left=form.get("OptOutType", "").upper() == "STOP")]


def _sid(form: Mapping[str, str]) -> str:
    return form.get("MessageSid") or form.get("SmsMessageSid") or form.get("SmsSid", "")
