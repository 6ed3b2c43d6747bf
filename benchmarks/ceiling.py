"""The ceiling: a bare aiohttp client that posts the bytes our lane posted, and only reads the answers.

`python -m benchmarks.ceiling telegram|sms MESSAGES SERVER`, after a lane has spoken to that server.
"""

from __future__ import annotations

import sys

import aiohttp

from benchmarks.runs import IN_FLIGHT, Run, at_once, measure

_PER_CONNECTION = {"host", "content-length"}


async def ceiling(channel: str, messages: int, server: str) -> Run:
    """Post the last request of a channel again and again, path, headers and body as they were."""
    run = Run(messages)
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        async with session.get(f"{server}/last") as answer:
            last = (await answer.json())["last"][channel]
        url, body = server + last["path"], last["body"].encode("latin-1")
        headers = {k: v for k, v in last["headers"].items() if k.lower() not in _PER_CONNECTION}

        async def post(_number: int) -> None:
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()

        with run.timed():
            await at_once(post, messages)
    return run


if __name__ == "__main__":
    measure(ceiling(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
