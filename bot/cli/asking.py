"""What `announce`, `plan` and `submit` are asked alike: when it is to be said, and whether it can be.

What may enter: judging what a person typed, before anything is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from bot import check, timetable
from bot.findings import Finding, errors

if TYPE_CHECKING:
    from datetime import datetime

    from bot.check import Project
    from bot.cli.desk import Desk
    from bot.library import Entry
    from bot.timetable import Community


def local_of(
    desk: Desk, at: str | None, places: list[Community], entry: Entry | None = None
) -> datetime | None:
    """What `--at` says, naive.

    Ends the command when it is no date, is over in one of the communities, or comes after the entry's end.
    """
    if at is None:
        return None
    try:
        local = timetable.once(at, timetable.shown(places[0], desk.now).date())
    except PydanticCustomError as error:
        said = Finding(error.type, desk.config, values={k: str(v) for k, v in (error.context or {}).items()})
        desk.fail("said.bad-when", why=" ".join(desk.phrases.finding(said)))
    for place in places:
        if timetable.local_moment(place, local) <= desk.now:
            desk.fail("said.past-when", when=at, community=place.name)
        expires = entry.expires(place.zone) if entry else None
        if entry and expires and timetable.local_moment(place, local) >= expires:
            desk.fail("said.after-end", entry=entry.slug, end=desk.moment(expires, place.zone))
    return local


def checked(desk: Desk, project: Project, entry: Entry, places: list[Community]) -> None:
    """Say what stands against saying it; ends the command when that is an error."""
    findings = check.of_entry(project, entry, desk.now, places)
    desk.findings(findings, to=desk.notes)
    if errors(findings):
        desk.fail()
