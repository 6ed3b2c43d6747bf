"""What goes to the consulate: proposals, questions for a person, whether a text was of use.

And how a thread stands, and the code by which two addresses become one person's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from bot.conversation.answers import (
    Answer,
    Asked,
    Judge,
    Link,
    OfferLink,
    PassOn,
    Phrase,
    WriteAgain,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.conversation.answers import Asker
    from bot.taps import Tap

Kind = Literal["question", "proposal"]

_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
_SAYS_IT = 4
"""From how many words a message that begins with PROPUESTA holds the proposal itself."""


def voiced(kind: Kind, text: str, words: Sequence[str], asker: Asker) -> Answer:
    """A proposal or question is taken as it stands when it says more than that it is one."""
    if len(words) >= _SAYS_IT:
        return passed_on(kind, text, asker)
    return Answer(kind, asker, (Phrase(f"write-{kind}"),), asks=Asked(kind))


def passed_on(kind: Kind, text: str, asker: Asker) -> Answer:
    """It becomes a thread; an old tap, of which nothing is kept any more, asks for the words again."""
    if asker.state == "left":  # they told us not to write, so nobody could answer them later
        return Answer(kind, asker, (Phrase("left-first"),))
    if not text:
        return Answer(kind, asker, (Phrase(f"write-{kind}"),), asks=Asked(kind))
    return Answer(kind, asker, (Phrase("passed-on"),), does=(PassOn(kind, text),))


def again(reference: str, text: str, asker: Asker) -> Answer:
    """What begins with a reference belongs to that thread; without a text it asks how the thread stands."""
    said = Phrase("thread.", (("reference", reference),))
    return Answer("question", asker, (said,), does=(WriteAgain(reference, text),))


def judged(chosen: Tap, asker: Asker) -> Answer:
    """Whether a text was of use."""
    act = Judge(chosen.about, chosen.more == "yes")
    return Answer("opinion", asker, (Phrase("opinion-thanks"),), does=(act,))


def linked(text: str, asker: Asker) -> Answer:
    """With a code the two addresses become one person's; without, they are given one."""
    if code := _CODE.search(text):
        return Answer("link", asker, (Phrase("link."),), does=(Link(code[0]),))
    return Answer("link", asker, (Phrase("link-code"),), does=(OfferLink(),))
