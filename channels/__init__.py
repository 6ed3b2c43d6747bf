"""How each vendor is written to and read. Knows nothing of `bot/`.

`render` writes a message for one channel without a network or a secret. The vendors' libraries are heavy, so
each is loaded when its channel is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channels.base import ChannelName, Message, Part


def render(channel: ChannelName, message: Message, *, window_open: bool) -> list[Part]:
    """The parts `message` becomes on a channel, as `Channel.render` promises."""
    match channel:
        case "telegram":
            from channels import telegram_html

            return telegram_html.render(message, window_open=window_open)
        case "sms":
            from channels import sms

            return sms.render(message, window_open=window_open)
        case "whatsapp":
            from channels import whatsapp

            return whatsapp.render(message, window_open=window_open)
