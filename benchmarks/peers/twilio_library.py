"""twilio 9.13 as its documentation shows it: its client, its asynchronous HTTP client, a message each.

`python -m benchmarks.peers.twilio_library objects|raw MESSAGES SERVER TEXT`
"""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import urlsplit

from twilio.http.async_http_client import AsyncTwilioHttpClient  # type: ignore[import-untyped]  # twilio 9.13 has no types (2026-11)
from twilio.rest import Client  # type: ignore[import-untyped]  # as above

from benchmarks.runs import Run, at_once, measure

_ACCOUNT, _TOKEN, _FROM = "AC" + "0" * 32, "5:benchmark", "+12025550100"
_CALLBACK = "http://127.0.0.1:8080/hooks/sms?key=1"
_PATH = f"/2010-04-01/Accounts/{_ACCOUNT}/Messages.json"


class _ToServer(AsyncTwilioHttpClient):  # type: ignore[misc]  # its base has no types
    """The library's own client, sent to the loopback server in the place of Twilio's."""

    def __init__(self, server: str) -> None:
        super().__init__()
        self._server = server

    async def request(self, method: str, url: str, **rest: Any) -> Any:  # noqa: ANN401 - as it is in its base
        return await super().request(method, self._server + urlsplit(url).path, **rest)


async def objects(messages: int, server: str, text: str) -> Run:
    """`client.messages.create_async`, as documented."""
    run = Run(messages)
    async with _ToServer(server) as http:
        client = Client(_ACCOUNT, _TOKEN, http_client=http)
        with run.timed():
            await at_once(
                lambda number: client.messages.create_async(
                    body=text, from_=_FROM, to=f"+10{number:09}", status_callback=_CALLBACK
                ),
                messages,
            )
    return run


async def raw(messages: int, server: str, text: str) -> Run:
    """The same client's `request_async`, which builds no object of the answer."""
    run = Run(messages)
    async with _ToServer(server) as http:
        client = Client(_ACCOUNT, _TOKEN, http_client=http)

        async def send(number: int) -> None:
            values = {"Body": text, "From": _FROM, "To": f"+10{number:09}", "StatusCallback": _CALLBACK}
            await client.request_async("POST", f"https://api.twilio.com{_PATH}", data=values)

        with run.timed():
            await at_once(send, messages)
    return run


if __name__ == "__main__":
    how = {"objects": objects, "raw": raw}[sys.argv[1]]
    measure(how(int(sys.argv[2]), sys.argv[3], sys.argv[4]))
