"""SMS: how our small Markdown becomes plain text that is cheap to send, and the channel itself.

Only what is particular to SMS may enter; what it shares with WhatsApp is in `plain` and `twilio_api`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from channels.base import Part
from channels.choices import labelled, numbered, offering, tappable
from channels.plain import title_of, with_addresses
from channels.segments import BODY_LIMIT, fold, measure, split, tidy, utf16, visible
from channels.twilio_api import TwilioSender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channels.base import ChannelName, Choice, Message
    from channels.markdown import Block

_SPACES = re.compile(r"[ \t]+")
_LINES = re.compile(r" ?\n[ \n]*")


def render(message: Message, *, window_open: bool) -> list[Part]:
    """Write `message` as plain text: its own short words, or its body without any marks; choices numbered.

    Args:
        message: What is to be said.
        window_open: Of no meaning to SMS.

    Returns:
        Parts of at most 1600 UTF-16 units, each with what it costs; empty when there is nothing to say.
    """
    del window_open
    texts = [text for text in split(_text(message)) if visible(text)]
    choices = labelled(tappable(message.choices), ellipsis="...")  # "…" would make the whole text UCS-2
    if texts and choices:
        texts[-1:] = _with_numbers(texts[-1], choices)
    return offering([_part(text, folding=message.fold) for text in texts], choices)


def _with_numbers(text: str, choices: Sequence[Choice]) -> list[str]:
    """`text` and the numbered choices below it, which are never parted: in one text where they fit."""
    lines = numbered(choices)
    together = f"{text}\n{lines}"
    return [together] if utf16(together) <= BODY_LIMIT else [text, lines]


def _part(text: str, *, folding: bool) -> Part:
    text = fold(text) if folding else text
    measured = measure(text)
    return Part(text, "text", measured.encoding, measured.units, measured.segments)


def _text(message: Message) -> str:
    if message.short and visible(message.short):
        return tidy(message.short)
    lines = [title_of(message), *map(_line, message.document.blocks)]
    text = _SPACES.sub(" ", tidy("\n".join(filter(visible, lines))))
    return _LINES.sub("\n", text)  # an empty line is a unit that nobody reads


def _line(block: Block) -> str:
    words = "".join(span.text for span in with_addresses(block.spans))
    if not block.marker:
        return words
    marker = "-" if block.marker == "•" else block.marker  # "•" alone would make the whole text UCS-2
    return f"{marker} {words}"


class Sms(TwilioSender):
    """One SMS sender of a Twilio account."""

    name: ChannelName = "sms"

    def render(self, message: Message, *, window_open: bool) -> list[Part]:
        """See `render` of this module."""
        return render(message, window_open=window_open)

    async def send(self, address: str, part: Part, key: str, replaces: str | None = None) -> str:
        """Send one part. See `base.Channel.send`; raises one of the five kinds of `Trouble`."""
        del replaces  # what is on a telephone stays there
        return await self.create(address, key, Body=part.text)
