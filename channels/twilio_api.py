"""Twilio's door: the official library over our own connections, and the webhooks it calls us with.

Only what SMS and WhatsApp share may enter. How texts are written is not known here.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import aiohttp
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]  # twilio 9.13 has no types (2026-11)
from twilio.http import AsyncHttpClient  # type: ignore[import-untyped]  # as above
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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from channels.base import Heard, Part, Receipt, Request
    from channels.trouble import Trouble

_LONGEST_WAIT = timedelta(days=1)
_TOO_MANY_REQUESTS = 429
_NO_REPLY = Acknowledgement('<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")
"""TwiML for "we have it, say nothing": our replies are deliveries like any other."""


class _Transport(AsyncHttpClient):  # type: ignore[misc]  # its base has no types
    """The library's requests over one aiohttp session of ours.

    The library's own client has no time-out, posts again on 5xx, writes telephone numbers to the log and
    drops the headers of an answer (twilio 9.13, 2026-11); this one does none of it.
    """

    def __init__(
        self, authorization: str, api_base: str | None, timeout: aiohttp.ClientTimeout, concurrency: int
    ) -> None:
        super().__init__(None, is_async=True)
        self._authorization = authorization
        self._origin = _origin(api_base) if api_base else ""
        self._timeout = timeout
        self._concurrency = concurrency
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        uri: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, object] | None = None,
        headers: dict[str, str] | None = None,
        **_rest: object,
    ) -> Response:
        """Make one request, once.

        Raises:
            Later: the answer was 429; the wait is its `Retry-After`, which the library would lose.
            aiohttp.ClientError: and whatever else the network does.
        """
        headers = {**(headers or {}), "Authorization": self._authorization}
        body = encode((data or {}).items())
        async with self._opened().request(
            method, self._address(uri), params=params, data=body, headers=headers, allow_redirects=False
        ) as answer:
            text = (await answer.read()).decode("utf-8", "replace")
            if answer.status == _TOO_MANY_REQUESTS:
                raise answer_trouble(answer.status, _code_in(text), _wait(answer.headers))
            return Response(answer.status, text, answer.headers)

    def _opened(self) -> aiohttp.ClientSession:
        """The session, made on first use because it belongs to the loop that runs then."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._concurrency)
            self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._session

    def _address(self, uri: str) -> str:
        if not self._origin:
            return uri
        return self._origin + "/" + uri.partition("://")[2].partition("/")[2]

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _origin(api_base: str) -> str:
    """Scheme, host and port of `api_base`, the only parts of it that count."""
    parts = urlsplit(api_base)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("api_base must be an address that begins with http:// or https://")
    return f"{parts.scheme}://{parts.netloc}"


def _code_in(text: str) -> int | None:
    try:
        return code_of(json.loads(text)["code"])
    except (ValueError, TypeError, LookupError):
        return None


def _wait(headers: Mapping[str, str]) -> timedelta | None:
    """`Retry-After`, in seconds or as a date; a date is read against the answer's own `Date`."""
    asked = headers.get("Retry-After", "")
    seconds = code_of(asked)
    if seconds is not None:
        return timedelta(seconds=min(seconds, _LONGEST_WAIT.total_seconds()))
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(wait, timedelta()), _LONGEST_WAIT)


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
        connect_timeout: Seconds to wait for a connection, a free one of ours included.
        total_timeout: Seconds for the whole request.

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
    connect_timeout: float = 5.0
    total_timeout: float = 30.0

    prefix: ClassVar[str] = ""

    _transport: _Transport = field(init=False)
    _messages: Any = field(init=False)
    _sender: dict[str, str] = field(init=False)
    _validator: Any = field(init=False)

    def __post_init__(self) -> None:
        """Build once what every message needs."""
        self._sender = _sender(self.prefix, self.from_, self.messaging_service)
        login = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        timeout = aiohttp.ClientTimeout(total=self.total_timeout, connect=self.connect_timeout)
        self._transport = _Transport(f"Basic {login}", self.api_base, timeout, self.concurrency)
        self._messages = Client(self.account_sid, self.auth_token, http_client=self._transport).messages
        self._validator = RequestValidator(self.auth_token)

    async def create(self, address: str, key: str, **content: str) -> str:
        """Ask Twilio once to send `content` (parameters of the library's `create`) to `address`.

        Returns:
            The message's SID.

        Raises:
            Trouble: one of the five kinds, whatever went wrong. It never carries the vendor's own sentence,
                which may hold the number.
        """
        parameters = {"to": f"{self.prefix}{address}", **self._sender, **content}
        if self.status_callback:
            parameters["status_callback"] = _with_key(self.status_callback, key)
        try:
            sid = (await self._messages.create_async(**parameters)).sid
        except TwilioException as error:
            raise _answered(error) from None
        except UnicodeEncodeError:  # half a surrogate pair: no vendor could be told this text
            raise Refused("content-refused") from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise trouble_of(UNREACHABLE) from None
        except (aiohttp.ClientError, OSError, ValueError, TypeError, AttributeError):
            raise trouble_of(NO_ANSWER) from None  # the last three: an answer that is not what Twilio answers
        if not isinstance(sid, str) or not sid:
            raise trouble_of(NO_ANSWER)
        return sid

    async def look_up(self, address: str, part: Part, since: datetime, until: datetime) -> Sequence[str]:
        """See `base.Channel.look_up`. What a template becomes is known to Twilio alone."""
        text = None if part.template else part.text
        return await listed(self._messages, f"{self.prefix}{address}", self._sender, text, since, until)

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
        await self._transport.close()


def _sender(prefix: str, from_: str | None, messaging_service: str | None) -> dict[str, str]:
    sender = {"from_": f"{prefix}{from_}"} if from_ else {}
    if messaging_service:
        sender["messaging_service_sid"] = messaging_service
    if not sender:
        raise ValueError("a Twilio sender needs a number or a messaging service")
    return sender


def _with_key(url: str, key: str) -> str:
    """`url` with our key in its query. A fragment stays last: Twilio reads its own options there."""
    address, hash_sign, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}key={key}{hash_sign}{fragment}"


def _answered(error: TwilioException) -> Trouble:
    """The library has two families of errors, and one without anything; only status and code are read."""
    status = getattr(error, "status", None)
    if not isinstance(status, int):
        return trouble_of(NO_ANSWER)
    return answer_trouble(status, code_of(getattr(error, "code", None)))
