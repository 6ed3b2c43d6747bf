"""What a tap tells us: `#` and a word of ours, with what it is about. Good in every message, however old.

What may enter: how such a value is written and read. What it brings about is the conversation's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.words import Phrases
from channels.base import Choice

_VALUE = re.compile(r"#([a-z-]+)(?::([A-Za-z0-9-]+))?(?::([a-z0-9-]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tap:
    """A value, read: `#language:en-US`, `#more:pasaporte:2`."""

    word: str
    about: str = ""
    more: str = ""


def read(text: str) -> Tap | None:
    """A value as it reaches us, or None for anything else that people write."""
    found = _VALUE.fullmatch(text)
    return Tap(found[1], found[2] or "", found[3] or "") if found else None


def choice(label: str, word: str, about: str = "", more: str = "") -> Choice:
    """Something to choose, whose value `read` understands."""
    return Choice(label, "#" + ":".join(filter(None, (word, about, more))))


def yes_or_no(language: str, yes: str, no: str) -> tuple[Choice, Choice]:
    """Yes and no, in the reader's words, each with what it brings about."""
    say = Phrases(language).say
    return choice(say("bot.label.yes"), yes), choice(say("bot.label.no"), no)


def of_use(language: str, entry: str) -> tuple[Choice, Choice]:
    """Yes and no to the question whether an entry was of use."""
    say = Phrases(language).say
    return (
        choice(say("bot.label.yes"), "useful", entry, "yes"),
        choice(say("bot.label.no"), "useful", entry, "no"),
    )
