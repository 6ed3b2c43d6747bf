"""How each vendor is written to and read. Knows nothing of `bot/`.

`render` writes a message for one channel without a network or a secret. The vendors' libraries are heavy, so
each is loaded when its channel is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def edits(channel: ChannelName, copies: Mapping[int, Sequence[Part]], right: Sequence[Part]) -> list[Part]:
    """What puts a right text in the place of wrong copies on a channel; none where nothing can be changed.

    Args:
        channel: Where the copies are.
        copies: The parts of each, by how many messages ago the person got it, from 1.
        right: The right text, as `render` made it.
    """
    if channel != "telegram":
        return []
    from channels import telegram_edits

    return telegram_edits.edits(copies, right)
