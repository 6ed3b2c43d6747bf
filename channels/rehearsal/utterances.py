"""What a person does on a phone, once as the phone shows it and once in each vendor's words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_COMMAND = re.compile(r"/[A-Za-z0-9_]{1,32}(?:@\w+)?")


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something said.

    Attributes:
        text: What the phone shows.
        message: What Telegram's `Message` holds of it.
        form: What Twilio's webhook holds of it; `MessageType` is WhatsApp's.
    """

    text: str
    message: dict[str, Any]
    form: dict[str, str]


def typed(text: str) -> Utterance:
    """Words, written letter by letter or with a key that writes them."""
    message: dict[str, Any] = {"text": text}
    if command := _COMMAND.match(text):
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(command[0])}]
    return Utterance(text, message, {"Body": text, "MessageType": "text"})


def shared(latitude: float, longitude: float, name: str) -> Utterance:
    """A place on the map; its name is for the phone only."""
    form = {"Body": "", "Latitude": str(latitude), "Longitude": str(longitude), "MessageType": "location"}
    return Utterance(
        f"📍 {name or f'{latitude}, {longitude}'}",
        {"location": {"latitude": latitude, "longitude": longitude}},
        form,
    )


def chosen(text: str, data: str, *, of_a_list: bool) -> Utterance:
    """A button under a message on WhatsApp, or a row of its list.

    Twilio's parameters for a row are not in its reference (2026-11); these are the ones seen in the wild.
    """
    form = {"ListTitle": text, "ListId": data} if of_a_list else {"ButtonText": text, "ButtonPayload": data}
    kind = "interactive" if of_a_list else "button"
    return Utterance(text, {}, {"Body": text, "MessageType": kind} | form)
