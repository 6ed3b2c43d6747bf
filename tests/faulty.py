"""The command with faults of ours deep inside, all of which quote a person: `python -m tests.faulty run`.

Telling of a fault must never tell of the person whom it met.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from channels.base import Part, Request

NUMBER, TEXT = "+15595550166", "mi hermana Papalotl"


class Quotes:
    """Something whose end cannot be raised to anybody."""

    def __del__(self) -> None:
        raise ValueError(NUMBER)


def fall() -> NoReturn:
    """Raise an error that quotes somebody."""
    raise ValueError(f"{NUMBER}: {TEXT}")


async def nobody_waits() -> None:
    """End badly, in a task that nobody asks how it ended."""
    fall()


def break_in() -> None:
    """Put a fault into what sends, and one into what reads webhooks."""
    sms = import_module("channels.sms").Sms
    send, read = sms.send, sms.read

    async def send_or_fall(
        self: object, address: str, part: Part, key: str, replaces: str | None = None
    ) -> str:
        if address == NUMBER:
            warnings.warn(f"{NUMBER}: {TEXT}", stacklevel=1)
            threading.Thread(target=fall).start()
            asyncio.create_task(nobody_waits())  # noqa: RUF006 - nobody holds it, on purpose
            Quotes()
            fall()
        return str(await send(self, address, part, key, replaces))

    def read_or_fall(self: object, request: Request) -> object:
        if b"Papalotl" in request.body:
            fall()
        return read(self, request)

    sms.send, sms.read = send_or_fall, read_or_fall


if __name__ == "__main__":
    break_in()
    try:
        import_module("bot.__main__").main(args=sys.argv[1:])
    finally:
        fall()
