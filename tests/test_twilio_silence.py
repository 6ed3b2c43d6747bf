"""Twilio below HTTP: cuts, half answers, silence and closed ports on a real loopback socket."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from channels.base import Part
from channels.sms import Sms
from channels.trouble import Later, Trouble, Unsure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


async def trouble_at(api_base: str) -> Trouble:
    channel = Sms(
        account_sid="AC" + "0" * 32,
        auth_token="canary",
        from_="+15005550006",
        api_base=api_base,
        timeout=0.3,
    )
    with pytest.raises(Trouble) as caught:
        await channel.send("+12025550123", Part("Hola", "text", "gsm-7", 4, 1), "1.2")
    await channel.aclose()
    return caught.value


@asynccontextmanager
async def raw(
    scene: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server below HTTP, for what no web framework would do."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await scene(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def whole(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length
    await reader.readexactly(int(length[1]))


async def cut_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def cut_after_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)


async def closed_after_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.close()
    await writer.wait_closed()


async def half_an_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b'HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{"sid": "SM')
    await writer.drain()


async def no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"220 smtp.example.org\r\n\r\n")
    await writer.drain()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    await reader.read()  # until the client gives up


@pytest.mark.parametrize(
    "scene", [cut_at_once, cut_after_body, closed_after_body, half_an_answer, no_http, silence]
)
async def test_a_request_that_left_and_was_not_answered_is_unsure(
    scene: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    """A cut, half an answer or silence means the message may have arrived: it is never called failed."""
    async with raw(scene) as address:
        trouble = await trouble_at(address)
    assert (type(trouble), trouble.reason) == (Unsure, "no-answer")


async def test_nobody_listening_is_later() -> None:
    """When no connection was made, nothing was sent, and it may be tried again."""
    async with raw(silence) as address:
        pass
    trouble = await trouble_at(address)
    assert (type(trouble), trouble.reason) == (Later, "unreachable")
