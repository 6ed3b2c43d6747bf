"""What makes an announcement an emergency: its options, and what they must say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from bot import timetable
from bot.broadcasts.approval import same_person

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from bot.cli.desk import Desk
    from bot.library import Entry


@dataclass(frozen=True, slots=True)
class Emergency:
    """Why it is one, for how long at most, and who else says so, if they said so already."""

    why: str
    lasts: timedelta
    second: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """The options as they were written."""

    why: str | None
    lasts: str | None
    second: str | None

    def emergency(self, desk: Desk, entry: Entry, by: str) -> Emergency | None:
        """The emergency, None when it is none; ends the command where it must be one, or cannot be."""
        if self.why is None:
            if self.lasts or self.second:
                raise click.UsageError("--for, --second: --emergency WHY")
            if entry.urgency == "emergency":
                desk.fail("said.approval.emergency-needed", entry=entry.slug)
            return None
        if not self.why.strip():
            desk.fail("said.no-reason")
        lasts = timetable.length(self.lasts or "24h")
        if lasts is None:
            desk.fail("said.approval.no-minutes", written=self.lasts)
        if self.second is not None and same_person(self.second, by):
            desk.fail("said.approval.same-person", by=by)
        return Emergency(self.why, lasts, self.second)


def with_emergency(work: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of an emergency, handed over together as `asked`."""

    @click.option("--emergency", metavar="WHY", help="Pass quiet hours and every queue, for this reason.")
    @click.option("--for", "lasts", metavar="TIME", help="An emergency's own end: 30m, 6h, 2d. Else 24h.")
    @click.option(
        "--second", metavar="NAME", help="Who else says it is an emergency; else they `approve` it."
    )
    @wraps(work)
    def wrapped(
        *args: Any,  # noqa: ANN401 - click's to fill
        emergency: str | None,
        lasts: str | None,
        second: str | None,
        **options: Any,  # noqa: ANN401 - as above
    ) -> None:
        work(*args, asked=Asked(emergency, lasts, second), **options)

    return wrapped
