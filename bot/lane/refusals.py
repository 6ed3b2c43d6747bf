"""The texts that a sender's vendor refuses whoever they are for: each waits alone, and all else leaves.

What may enter: trouble with what a broadcast says, its file or its template. Of a text that waits one
delivery probes once the pause is over, and the others follow it. Until when stands in the rows; only how long
the next pause will be is forgotten by a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bot.pace import LaneTrouble
from bot.policy import LONGEST_RETRY, PROBE

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from bot.outbox import Settled
    from channels.trouble import Trouble


@dataclass(frozen=True, slots=True)
class _Pause:
    """Until when (aware UTC) one text waits; after how many pauses in a row that brought nothing."""

    broadcast: int
    trouble: LaneTrouble
    in_vain: int
    until: datetime


class Refusals:
    """What one vendor refuses now."""

    def __init__(self) -> None:
        self._pauses: dict[int, _Pause] = {}  # by text

    @property
    def broadcasts(self) -> dict[int, LaneTrouble]:
        """The broadcasts of which a text waits, each with the reason."""
        return {pause.broadcast: pause.trouble for pause in self._pauses.values()}

    def put_off(self, refused: Settled, trouble: Trouble, now: datetime) -> Settled:
        """A delivery of a broadcast whose text was refused goes back into the queue, and the others with it.

        The first to be refused is the first to try again; what was under way by then follows with the rest.
        """
        claim = refused.claim
        pause = self._pauses.get(claim.text)
        if pause is not None and now < pause.until:
            return refused._replace(due_at=pause.until + PROBE)
        in_vain = pause.in_vain + 1 if pause is not None else 0
        until = now + min(PROBE * 2 ** min(in_vain, 10), LONGEST_RETRY)
        why = LaneTrouble(trouble.reason, trouble.code, ours=True)
        self._pauses[claim.text] = _Pause(cast("int", claim.broadcast), why, in_vain, until)
        return refused._replace(due_at=until, text_until=until + PROBE)

    def taken(self, text: int) -> None:
        """The vendor took this text."""
        self._pauses.pop(text, None)

    def heed(self, speaking: Collection[int]) -> None:
        """Of the broadcasts that may not speak now none waits for a vendor."""
        for text, pause in list(self._pauses.items()):
            if pause.broadcast not in speaking:
                del self._pauses[text]
