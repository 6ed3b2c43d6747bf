"""HTTP to one vendor over libcurl: one request each, and an honest word on whether it can have been seen.

aiohttp's client costs three times as much for each request (docs/decisions/0016-libcurl-to-the-vendors.md).
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pycurl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOTAL_SECONDS = 30.0
_CONNECT_SECONDS = 5.0
_KEEP_ALIVE_SECONDS = 10
"""Shorter than servers' own, so that a request rarely meets a connection that is being closed."""
_WELL = 200


class UnseenError(Exception):
    """No request left: nobody at the other end can have seen it."""


class UnansweredError(Exception):
    """The request left, in whole or in part, and no whole answer came: it may have been carried out."""


class Answer(NamedTuple):
    """What the vendor said.

    Attributes:
        retry_after: Seconds, of the header `Retry-After`, whether it gave seconds or a date; 0 for none.
    """

    status: int
    body: bytes
    retry_after: int


@dataclass(frozen=True, slots=True)
class Upload:
    """One field of a form with files: a plain value, or a file with its name and type."""

    name: str
    content: bytes
    filename: str | None = None
    mime: str | None = None


class Wire:
    """A pool of connections. Its first request opens it, in the loop that runs then.

    Args:
        concurrency: How many connections there may be; more requests wait for one.
        seconds: For a whole request, connecting included, which gets at most five and at most half of them.
    """

    def __init__(self, concurrency: int, seconds: float = TOTAL_SECONDS) -> None:
        self._concurrency = concurrency
        self._seconds = seconds
        self._multi: pycurl.AsyncCurlMulti | None = None
        self._free: list[_Request] = []

    async def request(
        self,
        method: str,
        url: str,
        body: bytes | Sequence[Upload] | None = None,
        *,
        headers: Mapping[str, str],
        seconds: float | None = None,
    ) -> Answer:
        """Make one request, once. Redirects are answers, and no proxy is asked.

        Raises:
            UnseenError: there was no connection.
            UnansweredError: silence, a cut, half an answer or gibberish.
        """
        multi = self._multi or self._opened()
        again = method == "POST" and isinstance(body, bytes)
        request = self._free.pop() if again and self._free else _Request()
        try:
            request.prepare(method, url, body, headers, seconds or self._seconds)
            await multi.perform(request.curl)
        except pycurl.error:
            raise (UnansweredError if request.begun else UnseenError) from None
        answer = request.answer()
        if again:
            self._free.append(request)
        return answer

    def _opened(self) -> pycurl.AsyncCurlMulti:
        self._multi = pycurl.AsyncCurlMulti()
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, self._concurrency)
        self._multi.setopt(pycurl.M_MAXCONNECTS, self._concurrency)
        return self._multi

    async def aclose(self) -> None:
        """Close the connections; requests under way are broken off. A later request would open new ones."""
        multi, self._multi = self._multi, None
        self._free.clear()
        if multi is not None:
            await multi.aclose()


class _Request:
    """A handle of libcurl, used for one request after the other.

    Attributes:
        begun: How often its request was begun on a connection.
    """

    def __init__(self) -> None:
        self.begun = 0
        self._set: tuple[str, float, Mapping[str, str]] | None = None
        self._got: list[bytes] = []
        self._form: pycurl.CurlMime | None = None  # must live as long as the request
        self.curl = pycurl.Curl()
        trusted = ssl.get_default_verify_paths()
        for option, value in (
            (pycurl.NOSIGNAL, 1),
            (pycurl.PROXY, ""),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.MAXAGE_CONN, _KEEP_ALIVE_SECONDS),
            (pycurl.WRITEFUNCTION, self._got.append),
            (pycurl.PREREQFUNCTION, self._begin),
            # The wheel's own OpenSSL knows no path of this machine (pycurl 7.49, 2026-11).
            (pycurl.CAINFO, trusted.cafile),
            (pycurl.CAPATH, trusted.capath),
        ):
            if value is not None:
                self.curl.setopt(option, value)

    def _begin(self, *_connection: object) -> int:
        """A connection is there and the request would leave now.

        Where a kept connection breaks without a word of answer, libcurl would make the request again, POST or
        not: the vendor may have carried it out. So it may begin once only.
        """
        self.begun += 1
        return int(pycurl.PREREQFUNC_OK if self.begun == 1 else pycurl.PREREQFUNC_ABORT)

    def prepare(
        self,
        method: str,
        url: str,
        body: bytes | Sequence[Upload] | None,
        headers: Mapping[str, str],
        seconds: float,
    ) -> None:
        """Set what differs from the last request of this handle."""
        self.begun = 0
        curl = self.curl
        if (wanted := (url, seconds, headers)) != self._set:
            self._set = wanted
            curl.setopt(pycurl.URL, url)
            curl.setopt(pycurl.TIMEOUT_MS, max(1, round(seconds * 1000)))
            connect = min(_CONNECT_SECONDS, seconds / 2)
            curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, round(connect * 1000)))
            curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in headers.items()])
        if isinstance(body, bytes):
            curl.setopt(pycurl.POSTFIELDS, body)
        elif body:
            self._form = pycurl.CurlMime(curl)
            for upload in body:
                self._form.add(upload.name, upload.content, None, upload.filename, upload.mime)
            curl.setopt(pycurl.MIMEPOST, self._form)
        else:
            curl.setopt(pycurl.CUSTOMREQUEST, method)

    def answer(self) -> Answer:
        """What was answered."""
        body = b"".join(self._got)
        self._got.clear()
        status = self.curl.getinfo(pycurl.RESPONSE_CODE)
        wait = self.curl.getinfo(pycurl.RETRY_AFTER) if status != _WELL else 0
        return Answer(status, body, wait)
