"""What went wrong at Telegram, as one of the five kinds of trouble: the one table of its errors.

Sentences are matched in lower case and by their middle: the library strips their beginnings and writes some
of them large. They are read in https://github.com/tdlib/telegram-bot-api (Client.cpp, version 10.0).
A sentence we do not know is never taken for a person's leaving.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from telegram import error as errors

from channels.telegram_request import NeverSentError, NoAnswerError
from channels.trouble import Broken, Gone, Later, Refused, Trouble, Unsure

if TYPE_CHECKING:
    from collections.abc import Callable

REASONS: Final = frozenset(
    {
        "bad-markup",  # our fault: Telegram could not read our HTML or our buttons
        "blocked",  # they blocked the bot
        "conflict",  # another process polls, or a webhook is set
        "credentials",  # the token is wrong or was revoked
        "deactivated",  # their account is deleted
        "empty",  # nothing to see in the text
        "media",  # it does not take the file
        "moved",  # a group became a supergroup
        "never-started",  # they never pressed Start
        "no-answer",  # the request left, nothing came back
        "not-edited",  # the message to edit is gone, too old, or as it should be already
        "not-found",  # no such chat
        "rate-limited",  # too many; Telegram said how long to wait
        "removed",  # the group is gone, or the bot is out of it
        "too-long",  # our fault: more than 4096 units
        "unreachable",  # no connection
        "vendor-failed",  # 5xx: perhaps sent
        "vendor-refused",  # a refusal that we do not know
    }
)
"""Every word that `Trouble.reason` can be here."""

_BLOCKED = partial(Gone, "blocked", left=True)
_DEACTIVATED = partial(Gone, "deactivated")
_NOT_FOUND = partial(Gone, "not-found")
_REMOVED = partial(Gone, "removed")
_BAD_MARKUP = partial(Refused, "bad-markup")
_LOGGED_OUT = partial(Broken, "credentials")
_EMPTY = partial(Refused, "empty")
_TOO_LONG = partial(Refused, "too-long")
_NOT_EDITED = partial(Refused, "not-edited")

_FORBIDDEN: dict[str, Callable[..., Trouble]] = {
    "blocked by the user": _BLOCKED,
    "user is deactivated": _DEACTIVATED,
    "can't initiate conversation": partial(Gone, "never-started"),
    "kicked": _REMOVED,
    "not a member": _REMOVED,
    "was deleted": _REMOVED,
}

_BAD_REQUEST: dict[str, Callable[..., Trouble]] = {
    # Before all others: "message is not modified" goes on about the reply markup.
    "is not modified": _NOT_EDITED,
    "to edit": _NOT_EDITED,  # "message to edit not found", "there is no text in the message to edit"
    "can't be edited": _NOT_EDITED,
    "chat not found": _NOT_FOUND,
    "peer_id_invalid": _NOT_FOUND,
    # A 403 that Telegram wrote all in capitals reaches us as a 400.
    "user_is_blocked": _BLOCKED,
    "input_user_deactivated": _DEACTIVATED,
    "can't parse entities": _BAD_MARKUP,
    "keyboard": _BAD_MARKUP,
    "button_": _BAD_MARKUP,
    "reply markup": _BAD_MARKUP,
    "reply_markup": _BAD_MARKUP,
    "is too long": _TOO_LONG,
    "message_too_long": _TOO_LONG,
    "text is empty": _EMPTY,
    "must be non-empty": _EMPTY,
    "logged out": _LOGGED_OUT,
    "file identifier": partial(Broken, "media", text=True),
}


def trouble_of(error: Exception) -> Trouble:  # noqa: PLR0911 - one line for each of the library's errors
    """The trouble behind whatever the library raised.

    `BadRequest` is a `NetworkError` there, so it is asked for first. What nobody foresaw is unsure: the
    request may have left.
    """
    match error:
        case errors.RetryAfter():
            return Later("rate-limited", code="429", wait=_wait(error))
        case errors.ChatMigrated():
            return Gone("moved", code="400", moved_to=str(error.new_chat_id))
        case errors.Forbidden():
            return _by_sentence(_FORBIDDEN, error, "403")
        case errors.InvalidToken():
            return Broken("credentials", code="401")
        case errors.Conflict():
            return Broken("conflict", code="409")
        case errors.BadRequest():
            return _by_sentence(_BAD_REQUEST, error, "400")
        case NeverSentError():
            return Later("unreachable")
        case NoAnswerError(code=code) if code:
            return Unsure("vendor-failed", code=code)
        case _:
            return Unsure("no-answer")


def _by_sentence(table: dict[str, Callable[..., Trouble]], error: errors.TelegramError, code: str) -> Trouble:
    sentence = error.message.lower()
    known = (trouble for words, trouble in table.items() if words in sentence)
    return next(known, partial(Refused, "vendor-refused"))(code=code)


def _wait(error: errors.RetryAfter) -> timedelta:
    """Seconds or a timedelta: the library is changing from one to the other (22.8, 2026-11)."""
    wait = error.retry_after
    return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
