"""The field: everybody who sends the same words to the same vendors, one after another, round after round.

What may enter: who is measured, and how each is called. What it is, each says in its own file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.programs import PEERS
from benchmarks.runs import NotMeasuredError, in_own_process
from benchmarks.vendors import Counter

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.deployment import Measured

_NAMES: dict[Measured, str] = {"telegram": "Telegram", "sms": "SMS"}
Kind = Literal["lane", "ceiling", "ours", "library", "queue"]
"""Durable lane; bare client; ours without the disk; a library that sends; a queue with its workers."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who sends.

    Attributes:
        name: In the results.
        shown: In the table and the plot.
        channel: Whose vendor is asked; and whose bare client it is compared with.
        command: The module in `benchmarks`, and its first words.
        messages: In one measurement: what takes a few seconds.
        peer: Whether it is what one would write in Python in our place, as its documentation shows it.
    """

    name: str
    shown: str
    kind: Kind
    channel: Measured
    command: tuple[str, ...]
    messages: int
    peer: bool = False


def _pair(name: str, shown: str, kind: Kind, *command: str) -> list[Contender]:
    return [
        Contender(f"{name}.{channel}", f"{shown}, {label}", kind, channel, (*command, channel), 30_000)
        for channel, label in _NAMES.items()
    ]


def _peer(
    name: str, shown: str, kind: Kind, command: str, messages: int, *, sms: bool = False, peer: bool = True
) -> Contender:
    module, *words = command.split()
    channel: Measured = "sms" if sms else "telegram"
    return Contender(name, shown, kind, channel, (f"peers.{module}", *words), messages, peer)


FIELD = (
    *_pair("lane", "Pregonero", "lane", "lanes", "lane"),
    *_pair("bare", "bare aiohttp client", "ceiling", "ceiling", "uvloop"),
    *_pair("bare-asyncio", "bare aiohttp client, asyncio's loop", "ceiling", "ceiling", "asyncio"),
    *_pair("channel", "Pregonero without the disk", "ours", "lanes", "channel"),
    _peer("twilio", "twilio as documented", "library", "twilio_library objects", 10_000, sms=True),
    _peer(
        "twilio.raw", "twilio, request_async", "library", "twilio_library raw", 15_000, sms=True, peer=False
    ),
    _peer("ptb", "python-telegram-bot as documented", "library", "ptb documented", 500),
    _peer("ptb.aiohttp", "python-telegram-bot over aiohttp", "library", "ptb objects", 10_000),
    _peer("ptb.raw", "python-telegram-bot, do_api_request", "library", "ptb raw", 15_000, peer=False),
    _peer("aiogram", "aiogram", "library", "aiogram_bot", 10_000),
    _peer("apprise", "apprise", "library", "apprise_notify", 2_000),
    _peer("celery", "Celery with Redis, prefork", "queue", "celery_redis prefork", 1_500),
    _peer("celery.gevent", "Celery with Redis, gevent", "queue", "celery_redis gevent", 1_500),
    _peer("bullmq", "BullMQ with undici, on Node", "queue", "bullmq", 20_000, peer=False),
    _peer("kannel", "Kannel, in C", "queue", "kannel", 40_000, sms=True, peer=False),
)


_TURNS = 3
"""How often in a round our lanes and the bare clients are measured, a part of their messages at a time."""


def in_turns(number: int) -> list[tuple[Contender, int]]:
    """Who is measured in a round, in order, each with how many messages.

    The core changes its speed from minute to minute: so our lanes and what they are compared with stand next
    to each other, at the beginning, in the middle and at the end. Every other round goes the other way about.
    """
    names = [name for channel in _NAMES for name in (f"lane.{channel}", f"bare.{channel}")]
    compared = [(one, one.messages // _TURNS) for name in names for one in FIELD if one.name == name]
    others = [(one, one.messages) for one in FIELD if one.name not in names]
    half = len(others) // 2
    order = [*compared, *others[:half], *reversed(compared), *others[half:], *compared]
    return order[::-1] if number % 2 else order


def measured(one: Contender, messages: int, server: str, recorded: Path, text: str) -> dict[str, Any]:
    """One measurement, once the vendors agree that they were asked as often as there were messages.

    Args:
        recorded: The file of `benchmarks.recorded`.
        text: What it says on this channel.

    Raises:
        NotMeasuredError: it could not be measured.
    """
    counter = Counter(server)
    module, *first = one.command
    words = (*first, messages, server)
    match one.kind:
        case "lane" | "ours":
            run = in_own_process(module, *words)
        case "ceiling":
            run = in_own_process(module, *words, recorded)
        case _:
            run = in_own_process(module, *words, text, python=str(PEERS / "bin" / "python"))
    if (seen := counter()) < messages:
        raise NotMeasuredError(f"the vendors saw {seen} requests for {messages} messages")
    return run
