"""Why a send did not work, in five kinds: all that is known above `channels/` of a vendor's errors.

What may enter: a decision that holds for every vendor. Which of its codes is which stands in its own table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


class Trouble(Exception):  # noqa: N818 - the house's word; each subclass is a decision, not a fault of ours
    """Why a send did not work. Always one of the five subclasses, each a decision already taken.

    Attributes:
        reason: A closed word that `bot/phrases` turns into people's words ("blocked", "no-funds", …).
        code: The vendor's own code, for staff who speak to the vendor. Never an address or a text.
    """

    def __init__(self, reason: str, *, code: str = "") -> None:
        super().__init__(f"{reason} ({code})" if code else reason)
        self.reason = reason
        self.code = code


class Later(Trouble):
    """Surely not accepted: try again, never before `wait`.

    Attributes:
        wait: What the vendor asked for, or None. A wait is about the sender, not about this person.
    """

    def __init__(self, reason: str, *, code: str = "", wait: timedelta | None = None) -> None:
        super().__init__(reason, code=code)
        self.wait = wait


class Refused(Trouble):
    """This message, never; the person is fine."""


class Gone(Trouble):
    """This person is not there, or left.

    Attributes:
        left: True when they chose to leave (blocked us, opted out); False when the address is dead.
        moved_to: Their new address, when the vendor says so.
    """

    def __init__(
        self, reason: str, *, code: str = "", left: bool = False, moved_to: str | None = None
    ) -> None:
        super().__init__(reason, code=code)
        self.left = left
        self.moved_to = moved_to


class Broken(Trouble):
    """Our fault, whoever it is for: rows stay, staff are told.

    Attributes:
        text: True when the fault lies in what is said (its template, its file): that text waits and all else
            leaves. False when it lies in the sender (credentials, funds): the lane stops.
    """

    def __init__(self, reason: str, *, code: str = "", text: bool = False) -> None:
        super().__init__(reason, code=code)
        self.text = text


class Unsure(Trouble):
    """The request left and no answer came: it may have arrived. Never sent again blindly."""
