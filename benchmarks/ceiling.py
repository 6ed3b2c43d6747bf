"""The ceiling: a bare aiohttp client that posts the bytes our lane posts, and only reads the answers.

`python -m benchmarks.ceiling uvloop|asyncio telegram|sms MESSAGES SERVER RECORDED`, the last a file of
`benchmarks.recorded`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.runs import IN_FLIGHT, Run, at_once, measure


async def ceiling(messages: int, server: str, request: dict[str, Any]) -> Run:
    """Post one request again and again: path, headers and body as they were."""
    run = Run(messages)
    url, headers, body = server + request["path"], request["headers"], request["body"].encode()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=IN_FLIGHT),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
    ) as session:

        async def post(_number: int) -> None:
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()

        with run.timed():
            await at_once(post, messages)
    return run


if __name__ == "__main__":
    loop, channel, messages, server, file = sys.argv[1:]
    request = json.loads(Path(file).read_text())[channel]
    measure(ceiling(int(messages), server, request), fast=loop == "uvloop")
