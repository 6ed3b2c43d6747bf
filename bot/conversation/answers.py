"""What goes into an answer and what comes out of it: values only, nothing is decided here.

Who asks, as far as an answer depends on it; what is said; what is to be done; what is asked next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bot.library import Entry
    from bot.timetable import Community
    from channels.base import ChannelName, Choice

Intent = Literal[
    "crisis",
    "leave",
    "join",
    "erase",
    "language",
    "community",
    "topics",
    "help",
    "greeting",
    "thanks",
    "person",
    "proposal",
    "question",
    "link",
    "opinion",
    "entry",
    "choices",
    "more",
    "nothing",
]

Question = Literal[
    "welcome",  # whether they want in, now that they know who we are
    "which",  # which of several entries
    "more",  # whether they want to read on
    "leave",  # whether leaving was meant
    "confirm",  # whether they do want to join by SMS
    "language",
    "community",
    "topics",
    "join-language",  # the same three on the way in: each leads to the next
    "join-community",
    "join-topics",
    "proposal",  # the words of it
    "question",
    "pass-on",  # whether a question nobody answered shall go to the consulate
    "opinion",  # whether something was of use
]
"""What we may have asked somebody."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What we asked somebody last.

    Attributes:
        choices: What may be answered by number, by name or by a tap; shown or not.
        kept: What they wrote, while we wait to hear whether to pass it on.
    """

    question: Question
    choices: tuple[Choice, ...] = ()
    kept: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who writes, as far as an answer depends on it.

    Attributes:
        language: What they read, as `languages.normalise` writes it.
        state: Of the subscriber.
        topics: What they follow; none is everything.
        asked: What we wait for, if anything.
    """

    community: Community
    channel: ChannelName
    language: str
    state: str = "visitor"
    topics: frozenset[str] = frozenset()
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """An entry is said.

    Attributes:
        number: Which page of it. The first is its short text where the channel counts letters.
    """

    entry: Entry
    number: int = 0


@dataclass(frozen=True, slots=True)
class Phrase:
    """One of the bot's own sentences is said.

    Attributes:
        key: In `bot/phrases`, under `bot`. One that ends in a point is completed by how an act ended.
        values: What fills it; an act may add its own.
    """

    key: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """They are in, or back. `words` names the text that told them what they said yes to."""

    words: str


@dataclass(frozen=True, slots=True)
class AskToJoin:
    """They want in and must confirm it; without a word they are forgotten."""


@dataclass(frozen=True, slots=True)
class Leave:
    """They are out, on every address that they linked."""

    words: str = ""


@dataclass(frozen=True, slots=True)
class Forget:
    """They are erased as soon as they were told."""


@dataclass(frozen=True, slots=True)
class Speak:
    """They read another language from now on."""

    language: str


@dataclass(frozen=True, slots=True)
class Move:
    """They belong to another community from now on."""

    community: str


@dataclass(frozen=True, slots=True)
class Follow:
    """These are their topics from now on."""

    topics: frozenset[str]


@dataclass(frozen=True, slots=True)
class PassOn:
    """What they wrote becomes a thread for their consulate; gives `reference`."""

    kind: Literal["question", "proposal"]
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WriteAgain:
    """They add to their thread, or with an empty text ask how it stands.

    Ends with its state, `closed` or `unknown`.
    """

    reference: str
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Miss:
    """Nobody answers this."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judge:
    """They say whether an entry was of use."""

    entry: str
    useful: bool


@dataclass(frozen=True, slots=True)
class OfferLink:
    """They want another address of theirs to be known as theirs; gives `reference`, a code."""


@dataclass(frozen=True, slots=True)
class Link:
    """They bring the code from their other address; ends with `linked` or `unknown`."""

    code: str


Act = (
    Join
    | AskToJoin
    | Leave
    | Forget
    | Speak
    | Move
    | Follow
    | PassOn
    | WriteAgain
    | Miss
    | Judge
    | OfferLink
    | Link
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a message meant, what answers it, and what follows.

    Attributes:
        reader: To whom it is said: the asker as they are after what is done.
        says: In this order, as one message; nothing is silence.
        offers: What is shown to choose from.
        asks: What we wait for afterwards; None when nothing is asked.
        does: What changes, all of it together with the reply or not at all.
        doubt: It may have meant leaving: we ask back, and nothing is changed.
        about: The entry that the answer belongs to, where another one is said in its place.
    """

    intent: Intent
    reader: Asker
    says: tuple[Page | Phrase, ...] = ()
    offers: tuple[Choice, ...] = ()
    asks: Asked | None = None
    does: tuple[Act, ...] = ()
    doubt: bool = False
    about: Entry | None = None

    @property
    def entry(self) -> Entry | None:
        """What answers: the first entry that is said, unless it stands for another."""
        return self.about or next((said.entry for said in self.says if isinstance(said, Page)), None)

    @property
    def choices(self) -> tuple[str, ...]:
        """The slugs of the entries that are offered."""
        if self.intent != "choices":
            return ()
        return tuple(one.value.removeprefix("#entry:") for one in self.offers if one.value[:7] == "#entry:")

    @property
    def leaving(self) -> bool:
        """Whether the person is out of all broadcasts afterwards, whatever else the message meant."""
        return any(isinstance(act, Leave | Forget) for act in self.does)
