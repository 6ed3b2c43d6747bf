"""Twilio's door: the official library over our own connections, and the webhooks it calls us with.

Only what SMS and WhatsApp share may enter. How texts are written is not known here.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from twilio.http import AsyncHttpClient  # type: ignore[import-untyped]  # twilio 9.13 has no types (2026-11)
from twilio.http.response import Response  # type: ignore[import-untyped]  # as above
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # as above
from twilio.rest import Client  # type: ignore[import-untyped]  # as above

from channels.base import Acknowledgement
from channels.forms import encode
from channels.trouble import Refused
from channels.twilio_errors import (
    NO_ANSWER,
    UNREACHABLE,
    answer_trouble,
    code_of,
    trouble_of,
)
from channels.twilio_listing import listed
from channels.twilio_signature import signed_form
from channels.twilio_webhooks import facts
from channels.wire import TOTAL_SECONDS, Answer, UnansweredError, UnseenError, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from channels.base import Heard, Part, Receipt, Request

_API = "https://api.twilio.com"  # the library loads a thousand modules to tell it (9.13, 2026-11)
_NO_REPLY = Acknowledgement('<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")
"""TwiML for "we have it, say nothing": our replies are deliveries like any other."""


class _Transport(AsyncHttpClient):  # type: ignore[misc]  # its base has no types
    """The library's requests over our wire.

    The library's own client has no time-out, posts again on 5xx, writes telephone numbers to the log and
    drops the headers of an answer (twilio 9.13, 2026-11); this one does none of it.
    """

    def __init__(self, authorization: str, origin: str, wire: Wire) -> None:
        super().__init__(None, is_async=True)
        self._authorization = authorization
        self._origin = origin
        self._wire = wire

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: dict[str, str] | None = None,
        **_rest: object,
    ) -> Response:
        """Make one request, once.

        Raises:
            Trouble: as `answer` does.
        """
        address = self.address(uri)
        if params:
            address += f"?{encode(params.items()).decode()}"
        body = encode(data.items()) if data else None
        answer = await self.answer(method, address, body, self.signed(headers or {}))
        return Response(answer.status, answer.body.decode("utf-8", "replace"))

    async def answer(self, method: str, address: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """What Twilio answers to one request.

        Raises:
            Trouble: Later and Unsure where there was no answer; Later for 429, whose wait the library loses.
        """
        try:
            answer = await self._wire.request(method, address, body, headers=headers)
        except UnseenError:
            raise trouble_of(UNREACHABLE) from None
        except UnansweredError:
            raise trouble_of(NO_ANSWER) from None
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            wait = timedelta(seconds=answer.retry_after) if answer.retry_after else None
            raise answer_trouble(answer.status, _code_in(answer.body), wait)
        return answer

    def signed(self, headers: dict[str, str]) -> dict[str, str]:
        """Headers that open the account."""
        return {**headers, "Authorization": self._authorization}

    def address(self, uri: str) -> str:
        """Where a part of the API is, which may not be where the library looks for it."""
        if self._origin:
            return self._origin + "/" + uri.partition("://")[2].partition("/")[2]
        return uri


def _origin(api_base: str) -> str:
    """Scheme, host and port of `api_base`, the only parts of it that count."""
    parts = urlsplit(api_base)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("api_base must be an address that begins with http:// or https://")
    return f"{parts.scheme}://{parts.netloc}"


def _code_in(body: bytes) -> int | None:
    try:
        return code_of(json.loads(body)["code"])
    except (ValueError, TypeError, LookupError):
        return None


@dataclass(eq=False, repr=False, kw_only=True)
class TwilioSender:
    """One Twilio sender: what SMS and WhatsApp have in common.

    Attributes:
        account_sid: `AC` and 32 hexadecimal digits.
        auth_token: The account's primary token: it opens the API and signs the webhooks.
        from_: Our number in E.164.
        messaging_service: `MG` and 32 hexadecimal digits: Twilio chooses the number.
        api_base: Replaces the scheme, host and port of Twilio's API.
        status_callback: Our public URL for receipts; each message adds its `key` to the query.
        concurrency: Requests in flight at once.
        timeout: Seconds for a whole request.

    Raises:
        ValueError: neither a number nor a messaging service, or an `api_base` that is no address.
    """

    account_sid: str
    auth_token: str
    from_: str | None = None
    messaging_service: str | None = None
    api_base: str | None = None
    status_callback: str | None = None
    concurrency: int = 50
    timeout: float = TOTAL_SECONDS

    prefix: ClassVar[str] = ""

    _wire: Wire = field(init=False)
    _client: Any = field(init=False)
    _transport: _Transport = field(init=False)
    _messages: str = field(init=False)
    _headers: dict[str, str] = field(init=False)
    _sender: dict[str, str] = field(init=False)
    _validator: Any = field(init=False)

    def __post_init__(self) -> None:
        """Build once what every message needs."""
        self._sender = _sender(self.prefix, self.from_, self.messaging_service)
        self._wire = Wire(self.concurrency, self.timeout)
        login = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        origin = _origin(self.api_base) if self.api_base else ""
        self._transport = _Transport(f"Basic {login}", origin, self._wire)
        self._client = Client(self.account_sid, self.auth_token, http_client=self._transport)
        messages = f"{_API}/2010-04-01/Accounts/{self.account_sid}/Messages.json"
        self._messages = self._transport.address(self._client.get_hostname(messages))
        self._headers = self._transport.signed(self._client.get_headers("POST", None))
        self._validator = RequestValidator(self.auth_token)

    def spacing(self, address: str) -> float:  # noqa: ARG002 - the same for everybody
        """Twilio counts by sender alone."""
        return 0.0

    async def create(self, address: str, key: str, **content: str) -> str:
        """Ask Twilio once to send `content` to `address`.

        As the client's `request_async` does, but its headers and address are made once: each time they cost 6
        microseconds, and the objects of `messages.create` 57 more (twilio 9.13, 2026-11).

        Args:
            content: Parameters of https://www.twilio.com/docs/messaging/api/message-resource, as `Body`.

        Returns:
            The message's SID.

        Raises:
            Trouble: one of the five kinds, whatever went wrong. It never carries the vendor's own sentence,
                which may hold the number.
        """
        parameters = {"To": f"{self.prefix}{address}", **self._sender, **content}
        if self.status_callback:
            parameters["StatusCallback"] = _with_key(self.status_callback, key)
        try:
            body = encode(parameters.items())
        except UnicodeEncodeError:  # half a surrogate pair: no vendor could be told this text
            raise Refused("content-refused") from None
        answer = await self._transport.answer("POST", self._messages, body, self._headers)
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise answer_trouble(answer.status, _code_in(answer.body))
        return _sid_in(answer.body)

    async def look_up(self, address: str, part: Part, since: datetime, until: datetime) -> Sequence[str]:
        """See `base.Channel.look_up`. What a template becomes is known to Twilio alone."""
        text = None if part.template else part.text
        return await listed(
            self._client.messages, f"{self.prefix}{address}", self._sender, text, since, until
        )

    def read(self, request: Request) -> list[Heard | Receipt]:
        """Turn a webhook of Twilio into facts. See `base.Channel.read`.

        Raises:
            Forged: Twilio did not sign it.
        """
        return facts(signed_form(request, self._validator), request.url)

    def acknowledge(self, facts: Sequence[Heard | Receipt]) -> Acknowledgement:  # noqa: ARG002 - always the same
        """See `base.Channel.acknowledge`."""
        return _NO_REPLY

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()


def _sender(prefix: str, from_: str | None, messaging_service: str | None) -> dict[str, str]:
    sender = {"From": f"{prefix}{from_}"} if from_ else {}
    if messaging_service:
        sender["MessagingServiceSid"] = messaging_service
    if not sender:
        raise ValueError("a Twilio sender needs a number or a messaging service")
    return sender


def _with_key(url: str, key: str) -> str:
    """`url` with our key in its query. A fragment stays last: Twilio reads its own options there."""
    address, hash_sign, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}key={key}{hash_sign}{fragment}"


def _sid_in(body: bytes) -> str:
    """The SID of what was accepted. Raises Unsure for an answer that is not what Twilio answers."""
    try:
        sid = json.loads(body)["sid"]
    except (ValueError, TypeError, LookupError):
        sid = None
    if not isinstance(sid, str) or not sid:
        raise trouble_of(NO_ANSWER)
    return sid
