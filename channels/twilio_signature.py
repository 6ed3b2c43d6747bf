"""That Twilio signed a webhook, proved on its raw bytes before anything of it is believed.

Only the proof may enter; what the parameters mean is `twilio_webhooks`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import (  # type: ignore[import-untyped]  # twilio 9.13 has no types (2026-11)
    RequestValidator,
    add_port,
    remove_port,
)

from channels.base import Forged
from channels.forms import FORM

if TYPE_CHECKING:
    from channels.base import Request

_JSON = "application/json"
_LARGEST_WEBHOOK = 256 * 1024


def signed_form(request: Request, validator: RequestValidator) -> dict[str, str]:
    """The parameters of a webhook, once Twilio's signature over them is proved.

    Twilio signs the public URL followed by every parameter, or, for JSON, the URL alone, which then carries
    the body's SHA-256. See https://www.twilio.com/docs/usage/webhooks/webhooks-security.
    """
    signature = request.headers.get("x-twilio-signature")
    if not signature:
        raise Forged("the webhook has no signature")
    if len(request.body) > _LARGEST_WEBHOOK:
        raise Forged("the webhook is too large")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    try:
        text = request.body.decode()
        form = _Form(parse_qs(text, keep_blank_values=True, max_num_fields=1000)) if kind == FORM else _Form()
    except ValueError:
        raise Forged("the webhook is not what Twilio sends") from None
    if kind != FORM and not (kind == _JSON and _hash_agrees(request)):
        raise Forged("the webhook is not what Twilio sends")
    url = urlsplit(request.url)
    candidates = (request.url, add_port(url), remove_port(url))  # Twilio signs with the port or without
    proofs = (validator.compute_signature(candidate, form).encode() for candidate in candidates)
    if not any(hmac.compare_digest(proof, signature.encode()) for proof in proofs):
        raise Forged("the webhook's signature is wrong")
    return _json_form(text) if kind == _JSON else {name: values[0] for name, values in form.items()}


class _Form(dict[str, list[str]]):
    """Parameters as the library's validator asks for them: every value of a name is signed."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _hash_agrees(request: Request) -> bool:
    claimed = parse_qs(urlsplit(request.url).query).get("bodySHA256", [""])[0]
    return hmac.compare_digest(hashlib.sha256(request.body).hexdigest().encode(), claimed.encode())


def _json_form(text: str) -> dict[str, str]:
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return {name: str(value) for name, value in values.items()} if isinstance(values, dict) else {}
