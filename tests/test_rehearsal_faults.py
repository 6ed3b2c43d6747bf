"""The rehearsal's weather on the wire: what a client's socket sees, and what the ledger says was true."""

from __future__ import annotations

import base64
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.conftest import ACCOUNT, BOT_TOKEN, TOKEN

if TYPE_CHECKING:
    from channels.rehearsal.people import Channel
    from tests.conftest import Receiver, Rehearsal

ROSA, JOEL = "101", "+16025550102"
ADDRESS: dict[Channel, str] = {"telegram": ROSA, "sms": JOEL}


def request(channel: Channel, **more: str) -> bytes:
    """One send, as bytes, over a connection that is kept."""
    if channel == "telegram":
        head, form = f"POST /bot{BOT_TOKEN}/sendMessage", {"chat_id": ROSA, "text": "Hola"}
    else:
        head = f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        form = {"To": JOEL, "From": "+12025550100", "Body": "Hola"}
    body = urlencode(form | more).encode()
    login = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    return (
        f"{head} HTTP/1.1\r\nHost: rehearsal\r\nAuthorization: Basic {login}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def connected(rehearsal: Rehearsal) -> socket.socket:
    """A connection to the stand-in."""
    where = urlsplit(rehearsal.url)
    return socket.create_connection((where.hostname, where.port), timeout=10)


def answered(connection: socket.socket) -> str:
    """What comes back before it ends, "" for nothing; what kind of end follows it, if one does."""
    came = b""
    while True:
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            return came.decode() + "RST"
        if not more:
            return came.decode() + "FIN"
        came += more
        if b"\r\n\r\n" in came and came.endswith(b"}") and _whole(came):
            return came.decode()


def _whole(came: bytes) -> bool:
    head, _, body = came.partition(b"\r\n\r\n")
    return f"content-length: {len(body)}" in head.decode().lower()


WIRE = {
    "down": ("FIN", "refused"),
    "reset": ("RST", "refused"),
    "closed-accepted": ("FIN", "accepted"),
    "reset-accepted": ("RST", "accepted"),
    "half": ("FIN", "accepted"),
    "500": ("500", "refused"),
    "500-accepted": ("500", "accepted"),
    "credentials": ("401", "refused"),
    "slow": ("20", "accepted"),
}


@pytest.mark.parametrize("kind", WIRE)
@pytest.mark.parametrize("channel", ["telegram", "sms"])
async def test_a_fault_strikes_a_connection_that_was_good(
    rehearsal: Rehearsal, channel: Channel, kind: str
) -> None:
    """A connection that has served is broken as this kind says, and only the ledger knows what was taken."""
    await rehearsal.people({"channel": channel, "address": ADDRESS[channel]})
    with connected(rehearsal) as connection:
        connection.sendall(request(channel))
        assert "HTTP/1.1 20" in answered(connection)
        await rehearsal.faults(channel, kind, count=1, seconds=0.01)
        connection.sendall(request(channel))
        end, outcome = WIRE[kind]
        said = answered(connection)
    assert said.removeprefix("HTTP/1.1 ").startswith(end) or (kind == "half" and said.endswith(end))
    assert [row["outcome"] for row in await rehearsal.ledger()] == ["accepted", outcome]


async def test_half_an_answer_promises_the_whole(rehearsal: Rehearsal) -> None:
    """An answer that breaks off has said how long it would be, and what came of it is no JSON."""
    await rehearsal.faults("sms", "half")
    with connected(rehearsal) as connection:
        connection.sendall(request("sms"))
        head, _, body = answered(connection).removesuffix("FIN").partition("\r\n\r\n")
    assert "HTTP/1.1 201" in head
    assert f"content-length: {len(body)}" not in head.lower()
    assert body.startswith("{")
    assert not body.endswith("}")


async def test_a_share_meets_it_and_the_same_seed_meets_the_same(rehearsal: Rehearsal) -> None:
    """A third of the sends meet a fault of a third, no two runs of one seed differ, and a count ends it."""

    async def struck(**more: Any) -> list[str]:  # noqa: ANN401 - JSON
        since = len(await rehearsal.ledger())
        await rehearsal.faults("sms", "500", share=0.3, **more)
        with connected(rehearsal) as connection:
            for _ in range(100):
                connection.sendall(request("sms"))
                answered(connection)
        return [row["outcome"] for row in await rehearsal.ledger(since)]

    first, again, other = await struck(seed=7), await struck(seed=7), await struck(seed=8)
    assert 15 < first.count("refused") < 45
    assert first == again != other
    assert (await struck(seed=7, count=3)).count("refused") == 3


async def test_waits_are_of_all_lengths(rehearsal: Rehearsal) -> None:
    """A throttle may ask for each wait of a range."""
    await rehearsal.faults("sms", "429", retry_after=[1, 300])
    waits = set()
    with connected(rehearsal) as connection:
        for _ in range(200):
            connection.sendall(request("sms"))
            [wait] = [line for line in answered(connection).splitlines() if line.startswith("Retry-After")]
            waits.add(int(wait.partition(": ")[2]))
    assert min(waits) >= 1
    assert max(waits) <= 300
    assert len(waits) > 100


async def test_what_is_plain_meets_no_fault_of_content(rehearsal: Rehearsal) -> None:
    """Only what carries a file or is made from a template is refused, in each vendor's own words."""
    await rehearsal.faults("telegram", "content")
    await rehearsal.faults("sms", "content")
    with connected(rehearsal) as connection:
        for sent in (request("telegram"), request("sms"), request("sms", ContentSid="HX" + "0" * 31 + "1")):
            connection.sendall(sent)
            said = answered(connection)
    assert '"code": 21655' in said
    assert [row["outcome"] for row in await rehearsal.ledger()] == ["accepted", "accepted", "refused"]


async def test_no_funds_is_twilios_own_code(rehearsal: Rehearsal) -> None:
    """An account whose funds are gone is refused with 10001, as Twilio's list of errors has it."""
    await rehearsal.faults("sms", "funds")
    with connected(rehearsal) as connection:
        connection.sendall(request("sms"))
        assert '"code": 10001' in answered(connection)
    with pytest.raises(ValueError, match="Telegram knows no funds"):
        await rehearsal.faults("telegram", "funds")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("receipts-lost", []),
        ("receipts-doubled", ["sent", "sent", "delivered", "delivered"]),
        ("receipts-reversed", ["delivered", "sent"]),
        ("ok", ["sent", "delivered"]),
    ],
)
async def test_receipts_have_weather_of_their_own(
    rehearsal: Rehearsal, receiver: Receiver, kind: str, told: list[str]
) -> None:
    """Receipts get lost, come twice or the last first, and what is sent meanwhile is accepted as ever."""
    await rehearsal.faults("sms", kind, count=1)
    with connected(rehearsal) as connection:
        for path in ("struck", "after"):
            connection.sendall(request("sms", StatusCallback=f"{receiver.url}{path}"))
            assert '"status": "queued"' in answered(connection)
    posted = await receiver.wait(len(told) + 2)
    assert [one["form"]["MessageStatus"] for one in posted if one["url"].endswith("struck")] == told
    assert len(posted) == len(receiver.got) == len(told) + 2
