"""What Twilio took: its list of messages, read to find one that we sent and heard no answer to.

Only reading may enter; how a message is made is `twilio_api`. See
https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources.
"""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]  # twilio 9.13 has no types (2026-11)

from channels.twilio_errors import NO_ANSWER, answer_trouble, trouble_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from channels.trouble import Trouble

_PAGE, _MOST = 200, 1000
"""Messages to one person that come with one request, and that are read at all."""
_QUEUED = timedelta(hours=10)
"""How long a message may wait at Twilio (error 30001). The list is ordered by when it left there."""


async def listed(
    messages: Any,  # noqa: ANN401 - the library's `MessageList`, which has no types
    to: str,
    sender: Mapping[str, str],
    text: str | None,
    since: datetime,
    until: datetime,
) -> list[str]:
    """The SIDs of what we sent to `to` that was created from `since` until `until`, aware UTC.

    A message that still waits at Twilio has no `date_sent`, so the list is asked for all that went to `to`.

    Args:
        messages: The library's, of our account.
        to: As it was given to `create`.
        sender: `From`, `MessagingServiceSid`, or both, as Twilio was given them.
        text: What it says; None for what Twilio writes by itself, a template: then any of ours may be it.

    Raises:
        Trouble: the list could not be read to its end. That something is not on it is not said then.
    """
    wanted = {"to": to} if "MessagingServiceSid" in sender else {"to": to, "from_": sender["From"]}
    found: list[str] = []
    read = 0
    try:
        async for message in await messages.stream_async(**wanted, page_size=_PAGE, limit=_MOST):
            if message.date_created < since - _QUEUED:
                return found
            read += 1
            if since <= message.date_created <= until and _ours(message, sender) and _says(message, text):
                found.append(message.sid)
    except TwilioException as error:
        raise _unread(error) from None
    except (ValueError, TypeError, LookupError, AttributeError):
        raise trouble_of(NO_ANSWER) from None  # an answer that is not what Twilio answers
    if read >= _MOST:
        raise trouble_of(NO_ANSWER)
    return found


def _ours(message: Any, sender: Mapping[str, str]) -> bool:  # noqa: ANN401 - as above
    """Whether we sent it. A service has many numbers, and chooses one only after a while."""
    if message.direction != "outbound-api":
        return False
    if service := sender.get("MessagingServiceSid"):
        return bool(message.messaging_service_sid == service)
    return bool(message.from_ == sender["From"])


def _says(message: Any, text: str | None) -> bool:  # noqa: ANN401 - as above
    """Whether it says `text`, by its letters and digits alone. In doubt it does: nothing is sent twice.

    Twilio puts a sentence before what a trial account says, changes quotes and dashes where a service asks
    it to (SmartEncoded), and shows no body at all to an account that keeps none.
    """
    return text is None or not message.body or _letters(message.body).endswith(_letters(text))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text).casefold()))


def _unread(error: TwilioException) -> Trouble:
    """The library hands on the whole answer; of it only the status is read."""
    status = getattr(error.args[-1], "status_code", None) if error.args else None
    return answer_trouble(status, None) if isinstance(status, int) else trouble_of(NO_ANSWER)
