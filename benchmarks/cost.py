"""What the starter's content costs as SMS: segments as we send it, and as one would plainly send it.

`python -m benchmarks.cost` prints them as JSON, by language.

"Plainly" is `client.messages.create(body=...)` with the words as they are written: accents, Babel's narrow
spaces in times and amounts, "•" before what is listed, a blank line between paragraphs. Every text is counted
twice: the short words that it has for SMS, which is what we send, and its title and body, which is what one
sends who has no such words. What Twilio refuses for its length (21617) is counted as if it went.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import channels
from benchmarks.runs import report, scratch
from bot import check
from bot.findings import Faults
from bot.rendering import Desk
from channels.plain import title_of, with_addresses
from channels.segments import BODY_LIMIT, measure, utf16

if TYPE_CHECKING:
    from channels.base import Message

_COMMUNITY = "fresno"
"""The starter's community that writes a for á where it saves a segment."""


@dataclass
class Cost:
    """Segments of every text of one language together.

    Attributes:
        texts: How many.
        ours: The short words, as we send them to a community that folds accents, like the starter's Fresno.
        unfolded: As we send them to one that does not.
        plain: The same words, plainly.
        whole_ours: Title and body, as we would send them there.
        whole_plain: The same words, plainly.
        refused: Of these, how many Twilio would refuse for their length.
    """

    texts: int = 0
    ours: int = 0
    unfolded: int = 0
    plain: int = 0
    whole_ours: int = 0
    whole_plain: int = 0
    refused: int = 0

    def add(self, message: Message) -> None:
        """Count one text."""
        whole = replace(message, short=None)
        self.texts += 1
        self.ours += _segments(message, fold=True)
        self.unfolded += _segments(message, fold=False)
        self.plain += measure(_plain(message)).segments
        self.whole_ours += _segments(whole, fold=True)
        self.whole_plain += measure(_plain(whole)).segments
        self.refused += utf16(_plain(whole)) > BODY_LIMIT


def costs(now: datetime) -> dict[str, Any]:
    """By the language of the starter's community. What is over by now is not said, and not counted."""
    with scratch() as folder:
        subprocess.run(
            [sys.executable, "-m", "bot", "init", folder / "new"], check=True, stdout=subprocess.DEVNULL
        )
        project, _ = check.read(folder / "new" / "config.toml", {}, now)
    assert project is not None
    community = project.communities[_COMMUNITY]
    found: dict[str, Any] = {}
    for language in community.languages:
        desk, cost = Desk(project.library, community, language, now), Cost()
        for entry in project.library.entries.values():
            try:
                message, _ = desk.message(entry)
            except Faults:
                continue
            cost.add(message)
        found[language] = asdict(cost)
    return found


def _segments(message: Message, *, fold: bool) -> int:
    parts = channels.render("sms", replace(message, fold=fold), window_open=True)
    return sum(part.segments for part in parts)


def _plain(message: Message) -> str:
    """The words as anybody would paste them."""
    if message.short:
        return message.short
    lines = [title_of(message)]
    for block in message.document.blocks:
        words = "".join(span.text for span in with_addresses(block.spans))
        lines.append(f"{block.marker} {words}" if block.marker else f"\n{words}")
    return "\n".join(lines).strip()


if __name__ == "__main__":
    report(costs(datetime.now(UTC)))
