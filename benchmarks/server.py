"""Vendors that look at what they are asked: the last request of each kind, and when a word came first.

    python -m benchmarks.server WORD

What may enter: what makes it fast enough not to matter. What need not be looked at is sent to `vendors`,
which is faster.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import ClassVar, cast

import uvloop

from benchmarks.bodies import ANSWERS
from benchmarks.runs import on_core

END = b"\r\n\r\n"


def _answer(status: str, body: object) -> bytes:
    payload = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    return head.encode() + payload


_TELEGRAM = _answer("200 OK", ANSWERS["telegram"])
_TWILIO = _answer("201 CREATED", ANSWERS["twilio"])
_YES = _answer("200 OK", ANSWERS["yes"])


class Vendors(asyncio.Protocol):
    """One connection; what is noted is everybody's."""

    last: ClassVar[dict[str, bytes]] = {}
    awaited: ClassVar[bytes] = b""
    came: ClassVar[asyncio.Future[float]]

    def __init__(self) -> None:
        self._got = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class does not inherit from it

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._got += data
        while (end := self._got.find(END)) >= 0:
            size = end + len(END) + length(self._got[:end])
            if len(self._got) < size:
                return
            request, self._got = self._got[:size], self._got[size:]
            self._transport.write(self.reply(request))

    def reply(self, request: bytes) -> bytes:
        """What one whole request is answered with."""
        target = request[: request.find(b"\r\n")].split(b" ")[1]
        if target.lower().endswith(b"/sendmessage"):
            kind, answer = "telegram", _TELEGRAM
        elif target.endswith(b"/Messages.json"):
            kind, answer = "sms", _TWILIO
        else:
            return _YES
        Vendors.last[kind] = request
        if Vendors.awaited and Vendors.awaited in request and not Vendors.came.done():
            Vendors.came.set_result(time.time())
        return answer


def length(head: bytes) -> int:
    """Of the body that follows."""
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    return int(lowered[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def _serve(word: str) -> None:
    """Print the port; then when the first request came that holds `word`, in seconds since 1970. Then end."""
    loop = asyncio.get_running_loop()
    Vendors.awaited, Vendors.came = word.encode(), loop.create_future()
    server = await loop.create_server(Vendors, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    print(await Vendors.came, flush=True)
    loop.add_reader(sys.stdin.fileno(), (over := asyncio.Event()).set)
    await over.wait()
    server.close()


if __name__ == "__main__":
    on_core(1)
    uvloop.run(_serve(sys.argv[1]))
