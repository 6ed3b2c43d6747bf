"""The Bot API's HTTP over our wire: what python-telegram-bot asks of a request class, and nothing else.

Its own client, over httpx, falls from 1,100 to 130 messages a second as 8 requests in flight become 64;
this one does not (python-telegram-bot 22.8, measured 2026-11).

One request is one request: nothing is ever sent again here. What went wrong is told apart by the only thing
that matters afterwards: whether Telegram can have seen the request.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from telegram.error import NetworkError, RetryAfter, TelegramError
from telegram.request import BaseRequest

from channels.forms import FORM, encode
from channels.wire import TOTAL_SECONDS, UnansweredError, UnseenError, Upload, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telegram.request import RequestData

    from channels.wire import Answer

_FORM: Mapping[str, str] = {"Content-Type": FORM}
_OWN: Mapping[str, str] = {}
"""The headers of a form with files are libcurl's."""
_REFUSALS = {400, 401, 403, 404, 409}
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


class WireRequest(BaseRequest):
    """Requests to the Bot API over one pool of connections.

    Args:
        concurrency: How many requests may be in flight; more wait for a connection.
        timeout: Seconds for a whole request; `getUpdates` gets its poll on top.
    """

    def __init__(self, *, concurrency: int, timeout: float = TOTAL_SECONDS) -> None:
        self._timeout = timeout
        self._wire = Wire(concurrency, timeout)

    @property
    def read_timeout(self) -> float:
        """Seconds for a whole request; the library adds a poll's length to it."""
        return self._timeout

    async def initialize(self) -> None:
        """Open nothing: connections are made by the first request, in its own loop."""

    async def shutdown(self) -> None:
        """Close the connections. A later request would open new ones."""
        await self._wire.aclose()

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
        seconds = read_timeout if isinstance(read_timeout, (int, float)) else self._timeout
        body = _body(request_data) if request_data is not None else None
        answer = await self._answer(method, url, body, seconds)
        return answer.status, answer.body

    async def call(self, url: str, fields: Mapping[str, object]) -> dict[str, Any]:
        """One call of the Bot API, for what is called thousands of times a minute.

        A refusal is read by the library; its objects around a call that goes well cost as much as the call
        (45 of 130 microseconds with `Bot.do_api_request`, python-telegram-bot 22.8, 2026-11).

        Returns:
            The object that the Bot API answers with.

        Raises:
            TelegramError: as `do_request` does, and what the library makes of a refusal.
        """
        answer = await self._answer("POST", url, encode(fields.items()), self._timeout)
        if answer.status != HTTPStatus.OK:
            await _Told(answer).post(url)
        result = self.parse_json_payload(answer.body).get("result")
        if not isinstance(result, dict):
            raise TelegramError("no result")
        return result

    async def _answer(
        self, method: str, url: str, body: bytes | Sequence[Upload] | None, seconds: float
    ) -> Answer:
        headers = _FORM if isinstance(body, bytes) else _OWN
        try:
            answer = await self._wire.request(method, url, body, headers=headers, seconds=seconds)
        except UnseenError:
            raise NeverSentError from None
        except UnansweredError:
            raise NoAnswerError from None
        if answer.status != HTTPStatus.OK:
            _check(answer)
        return answer

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


class _Told(WireRequest):
    """An answer that is there already, for the library to read."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(concurrency=1)
        self._told = answer

    async def do_request(self, *_request: object, **_limits: object) -> tuple[int, bytes]:
        """The answer."""
        return self._told.status, self._told.body


def _body(request_data: RequestData) -> bytes | Sequence[Upload]:
    """The fields as a form."""
    fields = request_data.json_parameters
    if not request_data.contains_files:
        return encode(fields.items())
    plain = [Upload(name, value.encode()) for name, value in fields.items()]
    files = (
        Upload(name, content if isinstance(content, bytes) else content.read(), filename, mime)
        for name, (filename, content, mime) in request_data.multipart_data.items()
    )
    return [*plain, *files]


def _check(answer: Answer) -> None:
    """Raise for the answers that python-telegram-bot 22.8 would throw together as a network error."""
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RetryAfter(_wait(answer))
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise NoAnswerError(str(answer.status))
    if answer.status not in _REFUSALS:
        raise NeverSentError


def _wait(answer: Answer) -> int:
    """Seconds to wait: as the body says, else the header, else one."""
    try:
        return max(1, int(json.loads(answer.body)["parameters"]["retry_after"]))
    except (ValueError, TypeError, KeyError):
        return max(1, answer.retry_after)
