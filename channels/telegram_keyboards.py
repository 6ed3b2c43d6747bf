"""What a message offers, as Telegram shows it: buttons under it, or in the place of the letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import telegram

from channels.choices import LONGEST_LABEL
from channels.segments import utf16

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channels.base import Choice

_Button = TypeVar("_Button", telegram.InlineKeyboardButton, telegram.KeyboardButton)

_HALF_A_LINE = LONGEST_LABEL // 2 - 2
"""UTF-16 units of a label that leaves room for a second button beside it."""


def keyboard(choices: Sequence[Choice]) -> telegram.InlineKeyboardMarkup | telegram.ReplyKeyboardMarkup:
    """Buttons under the message; where a place is asked for, in the place of the letters.

    Only the latter can ask for a place; each of its other buttons sends its label as if it were typed.
    """
    if not any(choice.place for choice in choices):
        buttons = [telegram.InlineKeyboardButton(one.label, callback_data=one.value) for one in choices]
        return telegram.InlineKeyboardMarkup(_rows(buttons))
    keys = [telegram.KeyboardButton(one.label, request_location=one.place or None) for one in choices]
    return telegram.ReplyKeyboardMarkup(_rows(keys), resize_keyboard=True, one_time_keyboard=True)


def _rows(buttons: Sequence[_Button]) -> list[Sequence[_Button]]:
    """Two in a row, or one where a label needs the room."""
    width = 2 if all(utf16(button.text) <= _HALF_A_LINE for button in buttons) else 1
    return [buttons[first : first + width] for first in range(0, len(buttons), width)]
