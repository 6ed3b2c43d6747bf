"""Whatever happens to a text and its corrections on the way: in the end nobody is left with a wrong one."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.lane.ends import accepted
from bot.outbox import Settled
from bot.policy import MOST_DEATHS
from tests.core import Core, opened, people
from tests.test_corrections import claim, correct, mended, settle

if TYPE_CHECKING:
    from bot.outbox import Claim

FATES = (
    "arrives",
    "arrives",
    "arrives unanswered",
    "is lost unanswered",
    "arrives, killed",
    "is lost, killed",
)
ROUNDS = st.lists(
    st.lists(st.sampled_from(FATES), max_size=6).filter(
        lambda fates: sum(fate.endswith("killed") for fate in fates) < MOST_DEATHS
    ),
    min_size=1,
    max_size=4,
)
"""For each wrong text what becomes of the requests made before it is corrected; the rest still waits.

What has died with three processes is set aside and shown, whatever it says: see `tests/test_poison.py`.
"""


class Phones:
    """Telegram's people, as they see it.

    Attributes:
        standing: Each person's messages by their number, oldest first.
        known: The numbers that an answer told us.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._numbers = count(1)
        self.standing: dict[bytes, dict[str, str]] = defaultdict(dict)
        self.known: set[str] = set()

    async def meet(self, one: Claim, fate: str) -> None:
        """One request with its fate, written down as a lane would, or not at all when we are killed."""
        core, parts = self._core, (await self._core.outbox.text(one.text)).open
        part = parts[min(one.part, len(parts) - 1)]
        copy = await core.outbox.copy(one.id, part.replaces) if part.replaces else str(next(self._numbers))
        if fate.startswith("arrives") and copy:
            self.standing[one.sealed or b""][copy] = part.text
        if fate.endswith("killed"):
            await core.outbox.recover(core.now)
        elif fate.endswith("unanswered") and part.replaces:
            await settle(core, Settled(one, "queued", due_at=core.now))  # as `bot.lane.ends` has it
        elif fate.endswith("unanswered"):
            await settle(core, Settled(one, "unknown", "no-answer"))
        else:
            self.known |= {copy} if copy else set()
            await settle(core, accepted(one, len(parts), copy, core.now)._replace(due_at=core.now))


async def live(rounds: list[list[str]]) -> None:
    """A wrong text, corrected as often as there are rounds, the last time in peace."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as core:
            await core.take_in(people(3))
            phones, first = Phones(core), await core.announce()
            for number, fates in enumerate(rounds):
                for fate in fates:
                    for one in await claim(core, 1):
                        await phones.meet(one, fate)
                await mended(core, f"Vacunas, vez {number}.")
                assert (await correct(core, first)).outcome == "made"
            while claims := await claim(core, 1):
                await phones.meet(claims[0], "arrives")
            right = f"Vacunas, vez {len(rounds) - 1}."
            assert len(phones.standing) == 3
            for messages in phones.standing.values():
                assert right in list(messages.values())[-1]
                assert len(messages) <= len(rounds) + 1
                assert all(right in text for number, text in messages.items() if number in phones.known)
            assert (await correct(core, first)).outcome == "unchanged"


@settings(max_examples=25, deadline=None)
@given(ROUNDS)
def test_nobody_is_left_with_a_wrong_text(rounds: list[list[str]]) -> None:
    """However requests end, and however often the text is corrected: each person's last message is right, at
    most one came for each text, and every copy whose number we know is right.
    """
    asyncio.run(live(rounds))
