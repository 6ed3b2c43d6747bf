"""Of a plan: the people who get the same in the same way.

What may enter: what one of them gets, when, and whether at all. How many they are is counted by `plan`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from channels.base import ChannelName

Held = Literal["window", "us-template", "enough", "enough-too-late"]


@dataclass(frozen=True, slots=True)
class Group:
    """People who get the same in the same way.

    Attributes:
        language: What they read; `edition` is the language of what they get.
        template: Whether it is WhatsApp's approved template that they get.
        messages: For each of them.
        segments: For each of them: what is paid for and what the lane counts.
        held: Why not at once: they must write first, or have had enough that day, or on each of seven.
        due: When it may go, aware UTC; of no meaning to who must write first.
    """

    channel: ChannelName
    language: str
    edition: str
    sender: str
    template: bool
    people: int
    messages: int
    segments: int
    held: Held | None
    due: datetime

    @property
    def goes(self) -> bool:
        """Whether they get it without doing anything."""
        return self.held in (None, "enough")


def together(groups: Iterable[Group]) -> tuple[Group, ...]:
    """Each once, in their order: who wrote lately, and who did not, get the same except on WhatsApp."""
    people: Counter[Group] = Counter()
    for group in groups:
        people[replace(group, people=0)] += group.people
    return tuple(replace(group, people=n) for group, n in people.items())
