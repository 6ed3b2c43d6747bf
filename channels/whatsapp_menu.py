"""Choices as WhatsApp's own buttons: a menu that Twilio fills and Meta need not approve.

Only the menu's part may enter. A menu is made once in Twilio's console for each number of choices: of type
`twilio/quick-reply` for up to three, `twilio/list-picker` for up to ten. Its body is {{1}}, its first title
{{2}} with the id {{3}}, its second {{4}} with {{5}}, and so on. It may be sent to who wrote within 24 hours.

https://www.twilio.com/docs/content/twilio-quick-reply and https://www.twilio.com/docs/content/twiliolist-picker
(2026-11) allow variables in all these places; it was not tried with an account.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from channels.base import Part, Template
from channels.choices import labelled
from channels.segments import tidy, utf16, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channels.base import Choice

_LONGEST_BODY = 1024
_MOST_BUTTONS = 3
_BUTTON, _ROW = 20, 24
"""Letters of a button's title, and of a row's in a list."""


def menu(text: str, choices: Sequence[Choice], content_sid: str) -> Part | None:
    """The choices under a text, in one part.

    Args:
        text: What is asked, with WhatsApp's marks; its lines become one, because Twilio refuses a line break
            in a variable (21656).
        choices: As many as the menu has places.
        content_sid: The menu.

    Returns:
        None where WhatsApp would refuse it: too long a text or none, two titles or two ids that are the same.
    """
    body = " ".join(tidy(text).split())
    shown = labelled(choices, _BUTTON if len(choices) <= _MOST_BUTTONS else _ROW)
    alike = any(len(set(of)) < len(of) for of in ([c.label for c in shown], [c.value for c in shown]))
    if alike or not visible(body) or utf16(body) > _LONGEST_BODY:
        return None
    values = chain([body], *((choice.label, choice.value) for choice in shown))
    variables = {str(place): value for place, value in enumerate(values, start=1)}
    return Part(body, "template", "utf-16", utf16(body), 1, Template(content_sid, variables), shown)
