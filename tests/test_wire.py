"""The wire to the vendors: what left is never sent again by itself, and what never left is known for that."""

from __future__ import annotations

import asyncio
import re
import ssl
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from channels.wire import UnansweredError, UnseenError, Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    Scene = Callable[[asyncio.StreamWriter], Awaitable[None]]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Server:
    """A server below HTTP: answers the first request of a connection, and plays a scene for the others."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.bodies: list[bytes] = []
        self.url = ""

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.bodies.append(await whole(reader))
            await answer(writer)
            self.bodies.append(await whole(reader))
            await self.scene(writer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.transport.abort()


async def whole(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length
    return await reader.readexactly(int(length[1]))


async def answer(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    await writer.drain()


async def reset(_writer: asyncio.StreamWriter) -> None:
    return


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def half(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")
    await close(writer)


@asynccontextmanager
async def serving(scene: Scene, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(scene)
    listening = await asyncio.start_server(server.play, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/"
    try:
        yield server
    finally:
        listening.close()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    opened = Wire(2, 2.0)
    yield opened
    await opened.aclose()


@pytest.mark.parametrize("scene", [reset, close, half])
async def test_a_kept_connection_that_breaks_is_not_tried_again(wire: Wire, scene: Scene) -> None:
    """A vendor that took a message over a kept connection and then broke it is not sent it twice."""
    async with serving(scene) as server:
        assert (await wire.request("POST", server.url, b"n=1", headers=FORM)).status == 200
        with pytest.raises(UnansweredError):
            await wire.request("POST", server.url, b"n=2", headers=FORM)
        assert server.bodies == [b"n=1", b"n=2"]
        assert (await wire.request("POST", server.url, b"n=3", headers=FORM)).status == 200


async def test_a_request_that_is_broken_off_leaves_its_place(wire: Wire) -> None:
    """Requests that we give up free their connections: the next ones are made."""

    async def silence(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with serving(silence) as server:
        for _ in range(5):
            await wire.request("POST", server.url, b"n=1", headers=FORM)
            given_up = asyncio.create_task(wire.request("POST", server.url, b"n=2", headers=FORM))
            await asyncio.sleep(0.05)
            given_up.cancel()
            with pytest.raises(asyncio.CancelledError):
                await given_up


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for this machine, made by nobody that anybody knows, with its key."""
    made, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return made


@pytest.mark.parametrize("trusted", [True, False])
async def test_only_a_vendor_that_proves_itself_is_told_anything(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool
) -> None:
    """With TLS the machine's own list of authorities decides: who is not on it sees no request at all."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    wire = Wire(1, 5.0)
    async with serving(reset, context) as server:
        if trusted:
            assert (await wire.request("POST", server.url, b"n=1", headers=FORM)).body == b"{}"
        else:
            with pytest.raises(UnseenError):
                await wire.request("POST", server.url, b"n=1", headers=FORM)
        assert server.bodies == ([b"n=1"] if trusted else [])
    await wire.aclose()
