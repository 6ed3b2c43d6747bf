"""The vendors' end of a benchmark: answers at once, counts, and keeps the last request of each kind.

What may enter: what makes it fast enough not to matter. It checks nothing; the rehearsal does that.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, cast

import uvloop

from benchmarks.deployment import BODIES
from benchmarks.runs import on_core

END = b"\r\n\r\n"
_TEXT = BODIES["es"]


def _answer(status: str, body: object) -> bytes:
    payload = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    return head.encode() + payload


# Shaped and sized like the vendors' own: a client's work is also to read them.
_TELEGRAM = _answer(
    "200 OK",
    {
        "ok": True,
        "result": {
            "message_id": 123456,
            "from": {"id": 5000000001, "is_bot": True, "first_name": "Aviso", "username": "aviso_bot"},
            "chat": {"id": 9000000001, "first_name": "Ana", "type": "private"},
            "date": 1795000000,
            "text": _TEXT,
            "entities": [{"offset": 0, "length": 26, "type": "bold"}],
            "link_preview_options": {"is_disabled": True},
        },
    },
)
_TWILIO = _answer(
    "201 CREATED",
    {
        "account_sid": "AC" + "0" * 32,
        "api_version": "2010-04-01",
        "body": _TEXT,
        "date_created": "Sun, 22 Nov 2026 18:00:00 +0000",
        "date_sent": None,
        "date_updated": "Sun, 22 Nov 2026 18:00:00 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": "+12025550100",
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": "SM" + "0" * 32,
        "status": "queued",
        "subresource_uris": {"media": f"/2010-04-01/Accounts/AC{'0' * 32}/Messages/SM{'0' * 32}/Media.json"},
        "to": "+12025550101",
        "uri": f"/2010-04-01/Accounts/AC{'0' * 32}/Messages/SM{'0' * 32}.json",
    },
)
_YES = _answer("200 OK", {"ok": True, "result": True})


class Vendors(asyncio.Protocol):
    """One connection; the counts are everybody's."""

    requests = 0
    last: dict[str, bytes] = {}  # noqa: RUF012 - one for all connections, on purpose

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
        elif target.endswith(b"/setWebhook"):
            return _YES
        else:
            return _answer("200 OK", {"requests": Vendors.requests, "last": _told(Vendors.last)})
        Vendors.requests += 1
        Vendors.last[kind] = request
        return answer


def length(head: bytes) -> int:
    """Of the body that follows."""
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    return int(lowered[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def _told(last: dict[str, bytes]) -> dict[str, Any]:
    """Requests as path, headers and body, for whoever wants to send the same bytes."""
    told = {}
    for kind, request in last.items():
        head, _, body = request.partition(END)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        told[kind] = {"path": first.split(" ")[1], "headers": headers, "body": body.decode("latin-1")}
    return told


async def _serve() -> None:
    """Print the port, and answer until whoever started us closes our standard input, or dies."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), over.set)
    server = await loop.create_server(Vendors, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await over.wait()
    server.close()


if __name__ == "__main__":
    on_core(1)
    uvloop.run(_serve())
