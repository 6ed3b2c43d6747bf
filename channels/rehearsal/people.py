"""The people of a rehearsal, what their phones hold, and who opted out. Nobody here exists.

People who are not shown on the page (a crowd) have no phone: nothing is kept of what reaches them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Required, TypedDict, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from channels.rehearsal.bot_api_files import Document
    from channels.rehearsal.bot_api_messages import Content
    from channels.rehearsal.rich import Tree

Channel = Literal["telegram", "sms", "whatsapp"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
State = Literal["ok", "blocked", "opted-out", "dead"]
STATES: tuple[State, ...] = get_args(State)
Kind = Literal["heard", "said", "note"]
"""`heard`: reached the person; `said`: the person wrote it; `note`: the rehearsal's own remark."""

KEPT = 50
"""Messages a phone remembers."""
WINDOW = timedelta(hours=24)
"""WhatsApp's window after a person's last message (Twilio 63016)."""


class Button(TypedDict, total=False):
    """Something to press.

    Attributes:
        data: What the bot is told, under a message.
        url: What is opened instead.
        asks: For a key: what it shares in place of writing its text.
    """

    text: Required[str]
    data: str
    url: str
    asks: Literal["place"]


class Keyboard(TypedDict):
    """Keys in the place of the letters, until another message brings others.

    Attributes:
        rows: None of them takes the keys away.
        once: Whether the keys go when the person has said something.
    """

    rows: list[list[Button]]
    once: bool


@dataclass(slots=True)
class Bubble:
    """One thing on a phone's screen.

    Attributes:
        at: UTC.
        tree: The text with its look.
        status: The last receipt for what was heard; "unheard" for what was said to nobody.
        code: The vendor's error code of a note.
        buttons: Rows of them, under the text.
        turning: The data of the button that was pressed and that the bot has not answered yet.
        keyboard: What this message put in the place of the letters, if it did.
        file: What stands above the text.
        edited: Whether it was changed since it came.
    """

    id: str
    kind: Kind
    at: datetime
    text: str
    tree: Tree = field(default_factory=list)
    sender: str = ""
    status: str = ""
    code: int = 0
    buttons: list[list[Button]] = field(default_factory=list)
    turning: str = ""
    keyboard: Keyboard | None = None
    file: Document | None = None
    edited: bool = False


@dataclass(slots=True)
class Person:
    """One address on one channel.

    Attributes:
        address: E.164, or a chat id.
        note: What staff should know: community, language.
        language: The application's language, as Telegram hints it.
        timezone: IANA name the phone's clock shows, or "" for the reader's own.
        sender: Whom this person writes to: a number or a bot's id; the last one that wrote to them.
        heard_at: When they last wrote, UTC.
    """

    channel: Channel
    address: str
    name: str = ""
    note: str = ""
    state: State = "ok"
    shown: bool = False
    language: str = ""
    timezone: str = ""
    sender: str = ""
    heard_at: datetime | None = None
    phone: deque[Bubble] | None = None

    def __post_init__(self) -> None:
        if self.shown:
            self.phone = deque(maxlen=KEPT)

    def as_json(self) -> dict[str, Any]:
        """Without the phone's contents."""
        return {
            name: getattr(self, name)
            for name in (
                "channel",
                "address",
                "name",
                "note",
                "state",
                "shown",
                "language",
                "timezone",
                "sender",
            )
        }


DEFAULT: tuple[dict[str, Any], ...] = (
    {
        "channel": "telegram",
        "address": "101",
        "name": "Rosa",
        "note": "Fresno · español",
        "language": "es",
        "timezone": "America/Los_Angeles",
    },
    {
        "channel": "sms",
        "address": "+16025550102",
        "name": "Joel",
        "note": "Phoenix · English",
        "language": "en",
        "timezone": "America/Phoenix",
    },
    {
        "channel": "whatsapp",
        "address": "+12125550103",
        "name": "Citlali",
        "note": "Nueva York · español",
        "language": "es",
        "timezone": "America/New_York",
    },
)
"""Three people for an empty rehearsal; numbers from the range reserved for fiction."""


class People:
    """Everyone who can be reached, by channel and address."""

    def __init__(self, watch: Callable[[str, dict[str, Any]], None]) -> None:
        self._watch = watch
        self._known: dict[tuple[Channel, str], Person] = {}
        self._opted_out: set[tuple[str, str]] = set()
        self._invented = False
        self.reset()

    def reset(self) -> None:
        """Back to the three invented people, with empty phones."""
        self._known.clear()
        self._opted_out.clear()
        for row in DEFAULT:
            self.put(Person(**row, shown=True))
        self._invented = True

    def put(self, person: Person) -> None:
        """Add a person, or change one, whose phone stays as it is. The first replaces the invented three."""
        if self._invented:
            self._known.clear()
            self._invented = False
        key = person.channel, person.address
        if (old := self._known.get(key)) is not None:
            person.heard_at = old.heard_at
            person.sender = person.sender or old.sender
            person.phone = (old.phone or person.phone) if person.shown else None
        self._known[key] = person

    def find(self, channel: Channel, address: str) -> Person | None:
        """The person there, if anyone is."""
        return self._known.get((channel, address))

    def shown(self) -> Iterator[Person]:
        """Those on the page, in order of arrival."""
        return (person for person in self._known.values() if person.shown)

    def __len__(self) -> int:
        return len(self._known)

    def show(self, person: Person | None, bubble: Bubble) -> None:
        """Put something on the person's screen, if they have one."""
        if person is None or person.phone is None:
            return
        person.phone.append(bubble)
        self._watch("bubble", placed(person, bubble))

    def mark(self, person: Person | None, vendor_id: str, status: str) -> None:
        """Write a receipt's status beside what it belongs to."""
        if person is None:
            return
        for bubble in person.phone or ():
            if bubble.id == vendor_id:
                bubble.status = status
                self._watch("bubble", placed(person, bubble))

    def rewrite(self, person: Person, vendor_id: str, content: Content, buttons: list[list[Button]]) -> None:
        """Put other content in the place of what a message on the person's screen held."""
        for bubble in person.phone or ():
            if bubble.id == vendor_id:
                bubble.text, bubble.tree, bubble.file = content.text, content.parsed.tree, content.document
                bubble.buttons, bubble.edited = buttons, True
                self._watch("bubble", placed(person, bubble))

    def turn(self, person: Person, bubble: Bubble, data: str) -> None:
        """Let the button with this data turn on the screen; "" lets it stop."""
        bubble.turning = data
        self._watch("bubble", placed(person, bubble))

    def opt_out(self, address: str, sender: str, *, out: bool) -> None:
        """Keep or lift the vendor's own block between two numbers."""
        (self._opted_out.add if out else self._opted_out.discard)((address, sender))

    def opted_out(self, address: str, sender: str) -> bool:
        """Whether the vendor blocks `sender` from writing to `address`."""
        return (address, sender) in self._opted_out


def window_open(person: Person | None, now: datetime) -> bool:
    """Whether WhatsApp lets free text through to this person now."""
    return person is not None and person.heard_at is not None and now - person.heard_at < WINDOW


def placed(person: Person, bubble: Bubble) -> dict[str, Any]:
    """A bubble as the page and the control endpoints see it."""
    return {
        "channel": person.channel,
        "address": person.address,
        "id": bubble.id,
        "kind": bubble.kind,
        "at": bubble.at.isoformat(),
        "text": bubble.text,
        "tree": bubble.tree,
        "sender": bubble.sender,
        "status": bubble.status,
        "code": bubble.code,
        "buttons": bubble.buttons,
        "turning": bubble.turning,
        "keyboard": bubble.keyboard,
        "file": bubble.file.as_json() if bubble.file else None,
        "edited": bubble.edited,
    }
