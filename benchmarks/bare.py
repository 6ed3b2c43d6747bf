"""The ceiling of a webhook: aiohttp reads it and answers 200.

`python -m benchmarks.bare PORT`, until it is told to end.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web


async def _serve(port: int) -> None:
    app = web.Application()
    app.router.add_post("/hooks/{sender}", _hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("running", flush=True)
    await asyncio.Event().wait()


async def _hook(request: web.Request) -> web.Response:
    await request.read()
    return web.Response()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
