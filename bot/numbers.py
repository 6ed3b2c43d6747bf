"""What a telephone number tells of itself before anything is sent to it.

What may enter: questions to the numbering plan. How a number is written is `newcomers` and `settings`.
"""

from __future__ import annotations

import phonenumbers

_NORTH_AMERICA = 1


def takes_marketing(channel: str, address: str) -> int | None:
    """Whether WhatsApp delivers marketing templates to an address: none to +1 of the United States.

    Canada and the Caribbean share +1 and get them (Twilio 63049, since 2025-04-01). A number of +1 that is of
    no known country counts as of the United States, whose new area codes the library learns late.

    Args:
        channel: Only on WhatsApp is this a question.
        address: E.164.

    Returns:
        1 or 0 as `subscribers.marketing` keeps it; None on other channels.
    """
    if channel != "whatsapp":
        return None
    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        return 1  # whatever it is, it is no number of the United States
    if number.country_code != _NORTH_AMERICA:
        return 1
    return int(phonenumbers.region_code_for_number(number) not in {"US", None})
