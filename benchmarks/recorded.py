"""The requests that our channels make, as they are on the wire: what the bare client sends.

`python -m benchmarks.recorded` prints them as JSON, by channel.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs

import uvloop

from benchmarks import deployment
from benchmarks.lanes import opened, part_of
from benchmarks.runs import report, scratch
from benchmarks.server import END, Vendors

_PER_CONNECTION = {"host", "content-length"}
_TEXT = {"telegram": "text", "sms": "Body"}


async def recorded() -> dict[str, Any]:
    """Of Telegram and SMS: path, headers, body, and the text in it."""
    server = await asyncio.get_running_loop().create_server(Vendors, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with scratch() as folder:
        deployment.write(folder, deployment.MEASURED, address)
        project = deployment.read(folder)
    for channel in deployment.MEASURED:
        sender = opened(channel, address)
        await sender.send(deployment.address(channel, 0), part_of(project, channel), "1.1.0.1")
        await sender.aclose()
    server.close()
    return {channel: _parted(channel, Vendors.last[channel]) for channel in deployment.MEASURED}


def _parted(channel: str, request: bytes) -> dict[str, Any]:
    head, _, body = request.partition(END)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return {
        "path": first.split(" ")[1],
        "headers": {name: value for name, value in headers.items() if name.lower() not in _PER_CONNECTION},
        "body": body.decode(),
        "text": parse_qs(body.decode())[_TEXT[channel]][0],
    }


if __name__ == "__main__":
    report(uvloop.run(recorded()))
