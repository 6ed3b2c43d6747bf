"""What is counted of many and never told of one: what nobody could answer, and which entries were of use.

A figure under ten is not shown, to anybody: among so few, somebody could be known by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.hearing import ear
from bot.moments import month_of
from bot.store import voice

if TYPE_CHECKING:
    from datetime import datetime

    from bot.store import Store, Transaction
    from bot.vault import Vault

FEWEST = 10
"""The smallest figure that is shown."""

_WORDS = 12
"""A question has no more words; a longer one tells somebody's story."""
_HIDDEN = "#"
"""What stands for whatever could find a person."""
_FINDS = re.compile(
    r"\S*@\S*|https?://\S*|www\.\S*"
    r"|\b(?:[\w-]+\.)+(?:com|org|net|edu|gob|gov|info|app|mx|us|io|me|ly|gt)\b[\w./?=&%#:-]*",
    re.IGNORECASE,
)
"""Mail addresses, names of accounts, and links with or without their beginning."""
_DIGITS = re.compile(r"\d+")
_KEPT = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that nobody answered.

    Attributes:
        question: In folded words.
        month: When it was last asked.
        times: How often within a year; None when it is fewer than ten times.
    """

    community: str
    question: str = field(repr=False)
    month: str
    times: int | None


@dataclass(frozen=True, slots=True)
class Opinion:
    """How many found an entry of use and how many did not; None for fewer than ten."""

    entry: str
    community: str
    useful: int | None
    useless: int | None


def count_gap(tx: Transaction, vault: Vault, *, community: str, text: str, now: datetime) -> None:
    """Count a question that nobody could answer, by its words and its month, never by who asked it.

    Numbers, links and mail addresses are left out; of what is nothing else, nothing is kept.
    """
    question = _asked(text)
    if question.strip(f"{_HIDDEN} "):
        values = {"community": community, "question": vault.seal_question(community, question)}
        tx.run(voice.GAP_COUNT, values | {"month": month_of(now)})


def count_opinion(tx: Transaction, *, entry: str, community: str, subscriber: int, useful: bool) -> bool:
    """Count whether an entry was of use to a person. False when they have said so before."""
    if not tx.run(voice.OPINED, {"subscriber": subscriber, "entry": entry}):
        return False
    values = {"entry": entry, "community": community, "useful": int(useful), "useless": int(not useful)}
    tx.run(voice.OPINION_COUNT, values)
    return True


def forget_gaps(tx: Transaction, now: datetime) -> int:
    """Delete the questions of more than a year ago; how many."""
    return tx.run(voice.GAPS_FORGET, {"before": month_of(now - _KEPT)})


class Figures:
    """The figures of one store."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    async def gaps(self) -> list[Gap]:
        """The questions nobody answered, the most frequent first; the rare ones in no telling order."""
        rows = await self._store.read(lambda tx: tx.rows(voice.GAPS))
        found = [
            Gap(
                row["community"],
                self._vault.open_question(row["community"], row["question"]),
                row["month"],
                _shown(row["times"]),
            )
            for row in rows
        ]
        return sorted(found, key=lambda gap: (-(gap.times or 0), gap.community, gap.question))

    async def opinions(self) -> list[Opinion]:
        """What people thought of the entries."""
        rows = await self._store.read(lambda tx: tx.rows(voice.OPINIONS))
        return [
            Opinion(row["entry"], row["community"], _shown(row["useful"]), _shown(row["useless"]))
            for row in rows
        ]


def _asked(text: str) -> str:
    """The words of a question, without what could find a person."""
    words = [_DIGITS.sub(_HIDDEN, word) for word in ear.words(_FINDS.sub(" 0 ", text))]
    told = [word for at, word in enumerate(words) if word != _HIDDEN or words[at - 1 : at] != [_HIDDEN]]
    return " ".join(told[:_WORDS])


def _shown(figure: int) -> int | None:
    return figure if figure >= FEWEST else None
