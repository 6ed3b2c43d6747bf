"""The seam every channel is written against: a name, four verbs, a goodbye.

Nothing here knows a vendor. Nothing above `channels/` knows a vendor's code or exception: a channel turns
what its vendor says into the values of this file, or into one of the five kinds of `channels.trouble`.

A channel is a module with a pure function `render` and a class that satisfies `Channel`:

    render(message, window_open) -> [Part]      our words into what this vendor accepts
    await channel.send(address, part, key)      one request; the vendor's id, or Trouble
    await channel.look_up(address, part, …)     what became of a request without an answer
    channel.read(request) -> [Heard | Receipt]  checks the signature on the raw bytes, then bytes to facts
    channel.acknowledge(facts)                  what the vendor is answered once they are on the disk
    await channel.aclose()

What a channel cannot say, its `render` says another way; there are no `supports_…` flags.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from channels.segments import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from channels.markdown import Document
    from channels.trouble import Trouble

ChannelName = Literal["telegram", "sms", "whatsapp"]
CHANNELS: tuple[ChannelName, ...] = ("telegram", "sms", "whatsapp")

REPLY_WINDOW = timedelta(hours=24)
"""How long after a person's last message a vendor lets us answer freely.

WhatsApp's customer-service window (Twilio error 63016); the other vendors have none, so their `render`
says the same inside and outside.
"""

LISTED_AFTER: Mapping[ChannelName, timedelta] = {
    "sms": timedelta(minutes=5),
    "whatsapp": timedelta(minutes=5),
}
"""How long after a request a vendor's list surely shows what it took; a channel that is not here has none."""

Format = Literal["html", "text", "whatsapp", "template"]
Encoding = Literal["utf-16", "gsm-7", "ucs-2"]


@dataclass(frozen=True, slots=True)
class Template:
    """A WhatsApp text that Meta approved beforehand.

    Attributes:
        content_sid: Twilio's `ContentSid`, `HX` and 32 hexadecimal digits.
        variables: What fills its numbered places, already in the reader's language.
    """

    content_sid: str
    variables: Mapping[str, str] = field(default_factory=dict)


MOST_CHOICES = 25  # more than anybody reads on a telephone; at their longest they fit every vendor's request
_VALUE = re.compile(r"(?=.{1,64}$)[!-~]+(?: [!-~]+)*")  # 64 bytes are Telegram's callback_data


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers that a message offers.

    Attributes:
        label: What is read. A channel cuts what is too long for its buttons.
        value: What reaches us as `Heard.text` when it is chosen by a tap. ASCII, at most 64 bytes.
        place: Asks for where the person is; a `geo:` URI reaches us. Only Telegram can ask for it, and then
            the label of another choice reaches us, not its value.

    Raises ValueError for a label that shows nothing, and for a value that a vendor would refuse or change.
    """

    label: str
    value: str
    place: bool = False

    def __post_init__(self) -> None:
        if not visible(self.label) or not _VALUE.fullmatch(self.value):
            raise ValueError("a choice needs a label, and a value of 1 to 64 plain ASCII letters")


@dataclass(frozen=True, slots=True)
class File:
    """What goes along with a text where the vendor takes files.

    Attributes:
        name: What it is saved as: `[a-z0-9.-]`.
        mime: What it is.
        content: UTF-8.
    """

    name: str
    mime: str
    content: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be said, before any channel has written it.

    Attributes:
        document: The body as our small Markdown.
        title: One line, without markup; empty for a reply that needs none.
        short: The whole thing in the words of the `sms` field, or None to derive it from the body.
        template: What WhatsApp may say outside the reply window, if anything.
        fold: Whether SMS may write a for á (and so on) where that saves a segment. A community decides.
        choices: What the person may answer with a tap; more than `MOST_CHOICES` are a ValueError.
        menus: Twilio's `ContentSid` of the WhatsApp menu for each number of choices that has one.
        file: What goes along. The text says all of it that matters, for only Telegram takes it.
    """

    document: Document
    title: str = ""
    short: str | None = None
    template: Template | None = None
    fold: bool = False
    choices: tuple[Choice, ...] = ()
    menus: Mapping[int, str] = field(default_factory=dict)
    file: File | None = None

    def __post_init__(self) -> None:
        if len(self.choices) > MOST_CHOICES:
            raise ValueError(f"a message offers at most {MOST_CHOICES} choices")


@dataclass(frozen=True, slots=True)
class Part:
    """One request's worth of text, exactly as the vendor will get it.

    Attributes:
        text: What arrives, marks and all; empty for a file that follows its text. For a template: its
            variables, a line each, for people to read.
        format: How the vendor is to read `text`.
        encoding: How its length is counted.
        units: Its length in that encoding's units (septets for GSM-7, 16-bit units otherwise).
        segments: What is paid for. One, except for SMS.
        template: Set when `format` is "template".
        choices: What the last text offers, as it is read: buttons, or the numbered lines in their order.
        file: What goes along with the text.
        replaces: Which copy of ours it takes the place of, silently: 1 is the last one that the person has,
            2 the one before. 0: it is a message of its own.
    """

    text: str
    format: Format
    encoding: Encoding
    units: int
    segments: int
    template: Template | None = None
    choices: tuple[Choice, ...] = ()
    file: File | None = None
    replaces: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook's request as a plain value, so that `read` needs no web framework.

    Attributes:
        url: The public URL the vendor called, query included: signatures are computed over it.
        headers: With lower-case names.
        body: The raw bytes, unparsed.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """One message a person wrote to us, or a button they pressed.

    Attributes:
        vendor_id: Unique per sender, so that a replay is seen.
        address: E.164, or a chat id.
        text: What they wrote, the value of what they chose, or `geo:` and where they are (RFC 5870).
        language: The vendor's hint, if it gave one: a hint, never consent or proof.
        left: True when the vendor itself says that the person blocked us or opted out there.
        pressed: The vendor's name for this press of a button, where it waits to hear that we have it.
    """

    vendor_id: str
    address: str = field(repr=False)
    text: str = field(repr=False)
    language: str | None = None
    left: bool = False
    pressed: str | None = field(default=None, repr=False)


ReceiptStatus = Literal["sent", "delivered", "read", "failed"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the vendor tells later about one part of a delivery.

    Attributes:
        vendor_id: The id `send` returned.
        status: Ours; the vendor's own word stays in the channel.
        key: The key given to `send`, if the vendor echoes it: finds the row even when the answer was lost.
        trouble: Why it failed, when `status` is "failed".
    """

    vendor_id: str
    status: ReceiptStatus
    key: str | None = None
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a webhook is answered once its facts are on the disk, with status 200."""

    body: str
    content_type: str


class Forged(Exception):  # noqa: N818 - what it is
    """A webhook that its vendor did not sign."""


class Channel(Protocol):
    """One sender on one channel, opened."""

    name: ChannelName

    def render(self, message: Message, *, window_open: bool) -> list[Part]:
        """Write `message` as this vendor accepts it.

        Args:
            message: What is to be said.
            window_open: Whether the person wrote within `REPLY_WINDOW`.

        Returns:
            One part for each request, in order; empty when this cannot be said to them now, and the delivery
            must be held.
        """

    def spacing(self, address: str) -> float:
        """Seconds that must lie between two messages to this address; 0 where the vendor does not count."""

    async def send(self, address: str, part: Part, key: str, replaces: str | None = None) -> str:
        """Send one part with one request.

        Args:
            address: E.164, or a chat id.
            part: As `render` made it.
            key: Ours, of `[0-9.]`; comes back in the receipt where the vendor can echo it.
            replaces: The vendor's id of the message that it takes the place of, for a part that `edits` made.

        Returns:
            The vendor's id.

        Raises:
            Trouble: one of the five kinds.
        """

    async def look_up(
        self, address: str, part: Part, since: datetime, until: datetime
    ) -> Sequence[str] | None:
        """Ask the vendor what of ours it took for somebody, when its answer to `send` never came.

        Args:
            address: As it was given to `send`.
            part: As it was given to `send`.
            since: The first moment at which it can have been taken, aware UTC.
            until: The last.

        Returns:
            The ids of our messages of that time that may be this one; none when it surely was not taken. None
            where the vendor cannot tell.

        Raises:
            Trouble: the vendor did not say.
        """

    def read(self, request: Request) -> list[Heard | Receipt]:
        """Turn a webhook's bytes into facts.

        Raises:
            Forged: the signature is missing or wrong; nothing was parsed.
        """

    def acknowledge(self, facts: Sequence[Heard | Receipt]) -> Acknowledgement:
        """What the webhook that told these facts is answered; pure, and never a reply to the person."""

    async def aclose(self) -> None:
        """Close the connections."""
