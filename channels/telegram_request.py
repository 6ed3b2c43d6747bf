"""The Bot API's HTTP, through aiohttp: what python-telegram-bot asks of a request class, and nothing else.

Its own client, over httpx, falls from 1,100 to 130 messages a second as 8 requests in flight become 64;
this one does not (python-telegram-bot 22.8, measured 2026-11).

One request is one request: nothing is ever sent again here. What went wrong is told apart by the only thing
that matters afterwards: whether Telegram can have seen the request.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
from telegram.error import NetworkError, RetryAfter, TelegramError
from telegram.request import BaseRequest

from channels.forms import FORM, encode

if TYPE_CHECKING:
    from telegram.request import RequestData

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 30.0
_KEEP_ALIVE_SECONDS = (
    10.0  # shorter than servers' own, so that a request rarely meets a connection being closed
)
_HEADERS = {"Content-Type": FORM}
_ANSWERED = {200, 400, 401, 403, 404, 409}
"""What the Bot API itself says, to be read by python-telegram-bot. 429 and 5xx are read here."""


class NeverSentError(NetworkError):
    """No connection, or nobody of Telegram's at its other end: surely not seen."""

    def __init__(self) -> None:
        super().__init__("never sent")


class NoAnswerError(NetworkError):
    """The request left, and no answer of sense came: it may have been carried out.

    Attributes:
        code: The HTTP status, or "" when there was none.
    """

    def __init__(self, code: str = "") -> None:
        super().__init__("no answer")
        self.code = code


class AiohttpRequest(BaseRequest):
    """Requests to the Bot API over one pool of connections.

    Args:
        concurrency: How many requests may be in flight; more wait for a connection.
        timeout: Seconds for a whole request, connecting included, which gets at most five and at most half
            of them. `getUpdates` gets its poll on top.
    """

    def __init__(self, *, concurrency: int, timeout: float = TOTAL_SECONDS) -> None:
        self._concurrency = concurrency
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds for a whole request; the library adds a poll's length to it."""
        return self._timeout

    async def initialize(self) -> None:
        """Open nothing: connections are made by the first request, in its own loop."""

    async def shutdown(self) -> None:
        """Close the connections. A later request would open new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401 - seconds, None, or the library's sentinel
        write_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401, ARG002 - the limits are ours
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401, ARG002 - the limits are ours
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401, ARG002 - the limits are ours
    ) -> tuple[int, bytes]:
        """Make one request.

        Returns:
            The HTTP status, 200 or one of the Bot API's refusals, and the body.

        Raises:
            NeverSentError: there was no connection, or something between us and Telegram answered.
            NoAnswerError: the request left and was not answered in full, or with a status of 500 or more.
            RetryAfter: 429.
        """
        total = read_timeout if isinstance(read_timeout, (int, float)) else self._timeout
        limits = aiohttp.ClientTimeout(total=total, connect=min(CONNECT_SECONDS, total / 2))
        body = _body(request_data) if request_data is not None else None
        headers = _HEADERS if isinstance(body, bytes) else None
        try:
            async with self._opened().request(
                method, url, data=body, headers=headers, timeout=limits, allow_redirects=False
            ) as response:
                payload = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL):
            raise NeverSentError from None  # the URL, which holds the token, stays out of what is told
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise NoAnswerError from None
        _check(response.status, payload, response.headers.get("Retry-After", ""))
        return response.status, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer. The library's own way logs an answer that it cannot read, text and address in it.

        Raises:
            TelegramError: it is not a JSON object.
        """
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise TelegramError("not a JSON object")
        return answer

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._concurrency, keepalive_timeout=_KEEP_ALIVE_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def _body(request_data: RequestData) -> bytes | aiohttp.FormData:
    """The fields as a form. Without files it is encoded here: aiohttp's own way costs twice as much."""
    if not request_data.contains_files:
        return encode(request_data.json_parameters.items())
    form = aiohttp.FormData(request_data.json_parameters)
    for name, (filename, content, mime) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return form


def _check(status: int, payload: bytes, retry_after: str) -> None:
    """Raise for the answers that python-telegram-bot 22.8 would throw together as a network error."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RetryAfter(_wait(payload, retry_after))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise NoAnswerError(str(status))
    if status not in _ANSWERED:
        raise NeverSentError


def _wait(payload: bytes, retry_after: str) -> int:
    """Seconds to wait: as the body says, else the header, else one."""
    try:
        return max(1, int(json.loads(payload)["parameters"]["retry_after"]))
    except (ValueError, TypeError, KeyError):
        return max(1, int(retry_after)) if retry_after.isdecimal() else 1
