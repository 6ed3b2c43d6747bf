"""The keyboards that Telegram's Bot API takes with a message, and the words with which it refuses others.

Wording: telegram-bot-api's `Client.cpp` and TDLib's `ReplyMarkup.cpp`. That more than a hundred buttons, or
about ten thousand bytes, are too long was found by experiment: https://github.com/tginfo/Telegram-Limits,
issues 187 and 228.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channels.rehearsal.people import Button, Keyboard

BUTTON_DATA = 64
"""Bytes."""
MOST_BUTTONS = 100
MOST_KEYS = 300
LONGEST = 10_000
"""Bytes of JSON."""


class BadMarkup(ValueError):  # noqa: N818 - what it is
    """Telegram would answer "Bad Request"; the message is Telegram's reason."""


@dataclass(frozen=True, slots=True)
class Markup:
    """What stands under a message, and what stands in the place of the letters from now on.

    Attributes:
        keyboard: None to leave what is there.
    """

    buttons: list[list[Button]]
    keyboard: Keyboard | None = None


def read(given: object) -> Markup:
    """Read `reply_markup`.

    Raises:
        BadMarkup: with the reason, as Telegram words it.
    """
    if given is None:
        return Markup([])
    if not isinstance(given, dict):
        raise BadMarkup("object expected as reply markup")
    if len(json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()) > LONGEST:
        raise BadMarkup("reply markup is too long")
    if "inline_keyboard" in given:
        return Markup(
            [[_button(one) for one in row] for row in _rows(given, "inline_keyboard", MOST_BUTTONS)]
        )
    if "keyboard" in given:
        rows = [[_key(one) for one in row] for row in _rows(given, "keyboard", MOST_KEYS)]
        return Markup([], {"rows": rows, "once": given.get("one_time_keyboard") is True})
    return Markup([], {"rows": [], "once": False} if given.get("remove_keyboard") is True else None)


def _rows(given: dict[str, Any], field: str, most: int) -> Iterator[list[object]]:
    rows = given[field]
    if not isinstance(rows, list):
        raise BadMarkup(f'field "{field}" must be of type Array')
    if not all(isinstance(row, list) for row in rows):
        raise BadMarkup(f'field "{field}" must be an Array of Arrays')
    if sum(map(len, rows)) > most:
        raise BadMarkup("reply markup is too long")
    yield from rows


def _button(given: object) -> Button:
    fault = "can't parse inline keyboard button: "
    if not isinstance(given, dict):
        raise BadMarkup(fault + "InlineKeyboardButton must be an Object")
    text, data, url = _text(given, fault), given.get("callback_data"), given.get("url")
    if data is None and url is None:
        raise BadMarkup(fault + "Text buttons are unallowed in the inline keyboard")
    if data is not None and not 1 <= len(str(data).encode()) <= BUTTON_DATA:
        raise BadMarkup("BUTTON_DATA_INVALID")
    return {"text": text, "url": str(url)} if data is None else {"text": text, "data": str(data)}


def _key(given: object) -> Button:
    fault = "can't parse keyboard button: "
    if isinstance(given, str):
        given = {"text": given}
    if not isinstance(given, dict):
        raise BadMarkup(fault + "KeyboardButton must be a String or an Object")
    text = _text(given, fault)
    return {"text": text, "asks": "place"} if given.get("request_location") is True else {"text": text}


def _text(given: dict[str, Any], fault: str) -> str:
    text = given.get("text")
    if not isinstance(text, str):
        raise BadMarkup(fault + 'Can\'t find field "text"')
    if not text.strip():
        raise BadMarkup(fault + "Text buttons must be non-empty")
    return text
