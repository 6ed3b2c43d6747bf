"""The HTTP under the Bot API: one request each, and an honest word on whether it can have been seen."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from telegram import InputFile
from telegram.error import RetryAfter, TelegramError
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

from channels.telegram_request import NeverSentError, NoAnswerError, WireRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Scene = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """A loopback server that plays one scene and counts what came."""

    def __init__(self) -> None:
        self.scene: Scene = ok
        self.came: list[web.Request] = []
        self.fields: list[dict[str, object]] = []
        self.connections: set[object] = set()
        self.url = ""
        self.reached = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.came.append(request)
        self.reached.set()
        self.connections.add(request.transport)
        posted = await request.post()
        self.fields.append(
            {
                name: value.file.read() if isinstance(value, web.FileField) else value
                for name, value in posted.items()
            }
        )
        return await self.scene(request)


async def ok(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"ok": True, "result": True})


async def hang(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    raise AssertionError("nobody waits that long")


async def reset(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def half(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
    request.transport.close()
    return web.Response()


async def garbage(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.write(b"\x00\x01 what?\r\n\r\n")
    request.transport.close()
    return web.Response()


def answer(status: int, body: str = "{}", **headers: str) -> Scene:
    async def scene(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=body, headers=named)

    return scene


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server on a free port."""
    playing = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", playing.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    playing.url = f"http://127.0.0.1:{runner.addresses[0][1]}/bot1:x/sendMessage"
    yield playing
    await runner.cleanup()


@pytest.fixture
async def request_() -> AsyncIterator[WireRequest]:
    """The class under test, with little patience."""
    async with WireRequest(concurrency=4, timeout=0.3) as opened:
        yield opened


def fields(**values: object) -> RequestData:
    return RequestData([RequestParameter.from_input(name, value) for name, value in values.items()])


async def test_fields_arrive_as_they_were(server: Server, request_: WireRequest) -> None:
    """Text of any kind arrives unchanged in one form, and what is not text arrives as JSON."""
    text = "¿Qué? <b>&amp;</b> + 100% \n👨‍👩‍👧‍👦 ñ=á&b"
    status, _ = await request_.do_request(
        server.url, "POST", fields(chat_id=5, text=text, preview={"is": True})
    )
    assert status == 200
    assert server.fields == [{"chat_id": "5", "text": text, "preview": '{"is": true}'}]
    assert server.came[0].content_type == "application/x-www-form-urlencoded"


async def test_files_arrive_with_their_fields(server: Server, request_: WireRequest) -> None:
    """A file goes in the same request as the fields that speak of it."""
    data = fields(chat_id=5, certificate=InputFile(b"\x00bytes", filename="c.pem"))
    await request_.do_request(server.url, "POST", data)
    assert server.fields == [{"chat_id": "5", "certificate": b"\x00bytes"}]


async def test_a_request_without_fields(server: Server, request_: WireRequest) -> None:
    """The library's sentinels for time-outs mean ours, and no fields mean no body."""
    assert await request_.do_request(server.url, "GET") == (200, b'{"ok": true, "result": true}')
    assert request_.read_timeout == 0.3


async def test_connections_are_used_again_and_never_more_than_allowed(
    server: Server, request_: WireRequest
) -> None:
    """Forty requests at once share four connections, and each is made once."""
    await asyncio.gather(*(request_.do_request(server.url, "POST", fields(n=n)) for n in range(40)))
    assert len(server.connections) <= 4
    assert sorted(int(str(field["n"])) for field in server.fields) == list(range(40))


async def test_it_can_be_opened_again(server: Server, request_: WireRequest) -> None:
    """After closing, a new request opens new connections; closing twice is no fault."""
    await request_.do_request(server.url, "POST")
    await request_.shutdown()
    await request_.shutdown()
    assert (await request_.do_request(server.url, "POST"))[0] == 200


@pytest.mark.parametrize("scene", [hang, reset, half, garbage, answer(500), answer(502), answer(504)])
async def test_what_may_have_been_seen_is_said(server: Server, request_: WireRequest, scene: Scene) -> None:
    """A request that left and got no whole answer is told as that, and is not made again."""
    server.scene = scene
    with pytest.raises(NoAnswerError):
        await request_.do_request(server.url, "POST", fields(text="hola"))
    assert len(server.came) == 1


@pytest.mark.parametrize("scene", [answer(302, Location="/elsewhere"), answer(407), answer(413)])
async def test_an_answer_that_is_not_telegrams_is_none(
    server: Server, request_: WireRequest, scene: Scene
) -> None:
    """A proxy that redirects or wants a password means that Telegram saw nothing; nobody follows it."""
    server.scene = scene
    with pytest.raises(NeverSentError):
        await request_.do_request(server.url, "POST", fields(text="hola"))
    assert len(server.came) == 1


async def test_a_closed_port_is_never_sent(request_: WireRequest) -> None:
    """Where nobody listens, nothing was sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NeverSentError):
            await request_.do_request(f"http://127.0.0.1:{taken.getsockname()[1]}/", "POST")


async def test_an_unknown_host_is_never_sent(request_: WireRequest) -> None:
    """A host without an address, or an address that is none, saw nothing."""
    for url in ("http://no-such-host.invalid/bot1:secret/x", "http:///bot1:secret/x"):
        with pytest.raises(NeverSentError) as raised:
            await request_.do_request(url, "POST")
        assert "secret" not in repr(raised.value)


async def test_no_connection_in_time_is_never_sent(server: Server) -> None:
    """A request that waited for a free connection until its patience ended was not sent."""
    server.scene = hang
    async with WireRequest(concurrency=1, timeout=0.2) as narrow:
        first = asyncio.create_task(narrow.do_request(server.url, "POST", read_timeout=2.0))
        await server.reached.wait()
        with pytest.raises(NeverSentError):
            await narrow.do_request(server.url, "POST")
        first.cancel()
    assert len(server.came) == 1


@pytest.mark.parametrize(
    ("scene", "seconds"),
    [
        (answer(429, '{"ok": false, "parameters": {"retry_after": 7}}', Retry_After="9"), 7),
        (answer(429, "<html>", Retry_After="9"), 9),
        (answer(429, '{"ok": false}'), 1),
        (answer(429, "[]", Retry_After="soon"), 1),
    ],
)
async def test_too_many_says_how_long(
    server: Server, request_: WireRequest, scene: Scene, seconds: int
) -> None:
    """The wait is the body's, else the header's, else a second."""
    server.scene = scene
    with pytest.raises(RetryAfter) as raised:
        await request_.post(server.url)
    assert raised.value.retry_after == seconds


async def test_an_unreadable_answer_is_not_logged(
    server: Server, request_: WireRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer that is not JSON may hold a person's text: it is neither logged nor told."""
    server.scene = answer(200, "Guadalupe")
    with pytest.raises(TelegramError) as raised:
        await request_.post(server.url)
    assert "Guadalupe" not in caplog.text + repr(raised.value)
