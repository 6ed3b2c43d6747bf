"""`python -m evaluation`: every committed message is asked, and every miss is shown.

Fails when understanding falls below what it has reached. The half that nobody learns from (`cases.KEPT`) is
judged apart: it alone tells how strangers are understood.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot import library, timetable
from bot.conversation import Answer, Asker, Conversation
from evaluation.cases import KEPT, Case, read

ROOT = Path(__file__).parents[1]
NOW = dt.datetime(2026, 11, 22, 18, tzinfo=dt.UTC)
"""The day the starter content was written: a later one would only measure which prices have expired."""

LEAST = {"samples": 0.97, "questions": 0.97, "crisis": 0.99, "ordinary": 0.98, "leaving": 0.98}
"""What part must be right of what has been learned from."""

LEAST_KEPT = {"questions": 0.90, "crisis": 0.98, "ordinary": 0.97, "leaving": 0.95}
"""And of what was kept: the figures at first sight, of 2026-11-26, rounded down."""


def ask(cases: list[Case], conversation: Conversation, place: timetable.Community) -> dict[Case, Answer]:
    """Every answer."""
    asker = Asker(place, "sms", place.languages[0])
    return {case: conversation.answer(case.text, asker, NOW) for case in cases}


def told(answer: Answer) -> str:
    """An answer in one word or two."""
    said = answer.entry.slug if answer.entry else " / ".join(answer.choices)
    marks = " +leaving" * answer.leaving + " +doubt" * answer.doubt
    return f"{answer.intent}: {said}{marks}"


def table(answers: dict[Case, Answer]) -> Table:
    """How many were right, by kind, half and language."""
    shown = Table("kind", "half", "language", "asked", "right", "%", title="Understood")
    asked: Counter[tuple[str, str, str]] = Counter()
    right: Counter[tuple[str, str, str]] = Counter()
    for case, answer in answers.items():
        for language in (case.language or "-", "all"):
            asked[case.kind, case.half, language] += 1
            right[case.kind, case.half, language] += case.right(answer)
    for (kind, half, language), n in asked.items():
        got = right[kind, half, language]
        style = "bold" if language == "all" else ""
        shown.add_row(kind, half, language, str(n), str(got), f"{100 * got / n:.1f}", style=style)
    return shown


def main() -> int:
    """Ask, show, judge."""
    console = Console()
    texts, _ = library.read(ROOT / "content", today=NOW.date())
    names = {"bot": "telegram", "whatsapp": "whatsapp", "sms": "sms"}
    communities, _ = timetable.read(ROOT / "schedules", names)  # type: ignore[arg-type] # mypy widens the literals
    conversation = Conversation(texts, communities)
    answers = ask(list(read()), conversation, next(iter(communities.values())))
    by_kind: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    for case, answer in answers.items():
        by_kind[case.kind, case.half == KEPT].append(case.right(answer))
        if not case.right(answer):
            console.print(f"[red]{case.kind} {case.half}[/] {_miss(case, answer)}")
        elif case.kind == "crisis" and not case.precise(answer):
            console.print(f"[yellow]crisis, another kind[/] {_miss(case, answer)}")
    console.print(table(answers))
    console.print(_speed(answers, conversation, next(iter(communities.values()))))
    missed = [
        f"{kind}{' (kept)' * kept}"
        for (kind, kept), got in by_kind.items()
        if sum(got) / len(got) < (LEAST_KEPT if kept else LEAST)[kind]
    ]
    console.print(f"[red]fallen: {', '.join(missed)}[/]" if missed else "[green]nothing has fallen[/]")
    return bool(missed)


def _miss(case: Case, answer: Answer) -> str:
    return escape(f"{case.wanted} <- {told(answer)}: {case.text}")


def _speed(answers: dict[Case, Answer], conversation: Conversation, place: timetable.Community) -> str:
    """Messages a second on one core, in this run."""
    texts = [case.text for case in answers]
    asker = Asker(place, "sms", place.languages[0])
    begun = time.process_time()
    for text in texts:
        conversation.answer(text, asker, NOW)
    return f"{len(texts) / (time.process_time() - begun):,.0f} messages a second on one core"


if __name__ == "__main__":
    sys.exit(main())
