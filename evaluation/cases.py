"""What is asked of the bot in the evaluation, and when an answer is right.

What may enter: reading the committed sets, and judging one answer. How right it is over all is `__main__`.
"""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from bot.hearing.crisis import PRECEDENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.conversation import Answer

HERE = Path(__file__).parent
Half = Literal["develop", "held", "second", "third", "fourth", "fifth", "sixth", "kept"]
KEPT: Half = "kept"
"""What nobody and nothing may learn from: it tells how strangers are understood."""


@dataclass(frozen=True, slots=True)
class Case:
    """One message.

    Attributes:
        kind: The set it belongs to.
        half: Which part of the set. All have been learned from by now, but `KEPT`.
        wanted: An entry, several divided by `|`, or an intent after `=`; "both" is a crisis and leaving,
            "any" whatever crisis.
        language: `es`, `en`, `es-en` for a mixture; empty where there is none.
    """

    kind: Literal["samples", "questions", "leaving", "crisis", "ordinary"]
    half: Half
    wanted: str
    language: str
    text: str

    def right(self, answer: Answer) -> bool:
        """Whether an answer is what was wanted."""
        match self.kind, self.wanted:
            case "ordinary", _:
                return answer.intent != "crisis" and not answer.leaving and not answer.doubt
            case "crisis", "both":
                return answer.intent == "crisis" and answer.leaving
            case "crisis", _:
                return answer.intent == "crisis"
            case "leaving", "other":
                return not answer.leaving and answer.intent != "join"
            case "leaving", "doubt":
                return answer.doubt or answer.leaving
            case "leaving", "leave":
                return answer.leaving
        if self.wanted.startswith("="):
            return answer.intent == self.wanted[1:]
        return answer.entry is not None and answer.entry.slug in self.wanted.split("|")

    def precise(self, answer: Answer) -> bool:
        """Whether a crisis was answered with the entry it needs first."""
        return self.wanted not in PRECEDENCE or (
            answer.entry is not None and answer.entry.slug == self.wanted
        )


def read() -> Iterator[Case]:
    """All cases."""
    for kind in ("samples", "questions"):
        with (HERE / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                half = cast("Half", row.get("half", "develop"))
                yield Case(kind, half, row["wanted"], row["language"], row["text"])
    for half, wanted, language, text in _lists("leaving"):
        yield Case("leaving", half, wanted if wanted in _JUDGED else f"={wanted}", language, text)
    for half, wanted, language, text in _lists("crisis"):
        yield Case("crisis", half, wanted, language, text)
    for half, by_language in _toml("ordinary").items():
        for language, texts in by_language.items():
            for text in texts:
                yield Case("ordinary", half, "other", language, text)


_JUDGED = ("leave", "doubt", "other")


def _lists(name: str) -> Iterator[tuple[Half, str, str, str]]:
    for half, by_wanted in _toml(name).items():
        for wanted, by_language in by_wanted.items():
            for language, texts in by_language.items():
                for text in texts:
                    yield half, wanted, language, text


def _toml(name: str) -> dict[Half, dict[str, dict[str, list[str]]]]:
    text = (HERE / f"{name}.toml").read_text(encoding="utf-8")
    return cast("dict[Half, dict[str, dict[str, list[str]]]]", tomllib.loads(text))
