"""A second person's yes: it binds a hash of every text, the audience and the moment, and any edit voids it.

What may enter: what is approved, by whom, and whether it is still the same. Nothing is said here: each
function answers with a word, for a command or a page to put into a sentence.
See docs/decisions/0010-approval-binds-a-hash.md.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import asdict, astuple
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from bot import news, timetable
from bot.broadcasts import history
from bot.broadcasts.history import CLOCK, Decision
from bot.broadcasts.wanted import heading_of
from bot.findings import Faults
from bot.moments import from_ms, to_ms
from bot.rendering import Desk, render
from bot.store import deciding, sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from bot.broadcasts import Broadcasts
    from bot.broadcasts.history import State
    from bot.broadcasts.wanted import Wanted
    from bot.check import Project
    from bot.library import Entry
    from bot.rendering import Rendered
    from bot.rendering.lines import Heading
    from bot.store import Store, Transaction
    from bot.timetable import Community

Answer = Literal["approved", "running", "edited", "expired", "same-person", "not-submitted"]
"""What came of an approval: it waits for its moment, it runs, or why it could not be given."""

_SECOND = timedelta(seconds=1)
_BOUND = ("entry", "community", "moment", "due_at", "valid_until", "priority", "why")


class Approvals:
    """The approvals of one store."""

    def __init__(self, store: Store, broadcasts: Broadcasts) -> None:
        self._store = store
        self._broadcasts = broadcasts

    async def submit(self, wanted: Wanted, by: str, now: datetime) -> int | None:
        """Hand in for approval what is to be said at a moment; again, what was returned or came due unasked.

        Returns:
            Its number; None when it was handed in already, or is past that.

        Raises:
            Faults: a text cannot be said on the day.
        """
        row = wanted.row() | {"state": "submitted"}
        row["hash"] = hash_of(self._broadcasts.project, row)
        made = await self._store.write(lambda tx: history.begin(tx, row, Decision(by, now, wanted.why)))
        if made is not None:
            return made
        [known] = await self._store.read(lambda tx: tx.rows(sql.BROADCAST_MADE, row))
        return known["id"] if await self.submit_again(known["id"], by, now) else None

    async def submit_again(self, broadcast: int, by: str, now: datetime) -> bool:
        """Hand in what was returned or came due unasked, as what it was: an emergency stays one.

        Returns:
            False when it was handed in already, or is past that.

        Raises:
            KeyError: there is no such broadcast, or no such entry or community any more.
            Faults: a text cannot be said on the day.
        """
        row, _ = await self._known(broadcast)
        if row["state"] not in ("draft", "returned"):
            return False
        renewed = _renewed(self._broadcasts.project, row)

        def work(tx: Transaction) -> bool:
            if not history.move(tx, broadcast, row["state"], "submitted", Decision(by, now, row["why"])):
                return False
            tx.run(deciding.BROADCAST_SUBMITTED, renewed)
            return True

        return await self._store.write(work)

    async def open(self, entry: str, community: str) -> list[tuple[str, int]]:
        """What waits to be submitted of an entry, or a digest, in a community: its moment and its number."""
        values = {"entry": entry, "community": community}
        rows = await self._store.read(lambda tx: tx.rows(deciding.BROADCASTS_TO_SUBMIT, values))
        return [(row["moment"], row["id"]) for row in rows]

    async def approve(self, broadcast: int, decision: Decision) -> Answer:
        """Give the second person's yes. What is due by then leaves at once.

        Raises:
            KeyError: there is no such broadcast.
            Faults: it is due, and cannot be said today; nothing was changed.
        """
        row, steps = await self._known(broadcast)
        if row["state"] != "submitted":
            return "not-submitted"
        submitted = [step for step in steps if step.state == "submitted"][-1]
        if same_person(submitted.who, decision.who):
            return "same-person"
        clock = Decision(CLOCK, decision.at)
        if row["valid_until"] is not None and row["valid_until"] <= to_ms(decision.at):
            await self._move(broadcast, "expired", clock.because("too-late"))
            return "expired"
        if not holds(self._broadcasts.project, row):
            await self._move(broadcast, "returned", clock.because("edited"))
            return "edited"
        if row["due_at"] <= to_ms(decision.at):
            ran = await self._broadcasts.launch(row, decision, through=("approved",))
            return "running" if ran else "not-submitted"
        return "approved" if await self._move(broadcast, "approved", decision) else "not-submitted"

    async def give_back(self, broadcast: int, decision: Decision) -> bool:
        """Return it to whoever submitted it, with the reason. False when it was not submitted.

        An approval that has not led to anything yet can be taken back so, too.
        """
        return await self._move(broadcast, "returned", decision, also="approved")

    async def reject(self, broadcast: int, decision: Decision) -> bool:
        """Say no for good. False when it was not submitted."""
        return await self._move(broadcast, "rejected", decision, also="approved")

    async def _known(self, broadcast: int) -> tuple[dict[str, Any], tuple[history.Step, ...]]:
        row, steps = await self._store.read(
            lambda tx: (tx.one(sql.BROADCAST, {"id": broadcast}), history.steps(tx, broadcast))
        )
        if row is None:
            raise KeyError(broadcast)
        return row, steps

    async def _move(
        self, broadcast: int, after: State, decision: Decision, also: State = "submitted"
    ) -> bool:
        return await self._store.write(
            lambda tx: (
                history.move(tx, broadcast, "submitted", after, decision)
                or history.move(tx, broadcast, also, after, decision)
            )
        )


def _renewed(project: Project, row: Mapping[str, Any]) -> dict[str, Any]:
    """A broadcast's row to hand in again: due by today's clocks, of use until the entry ends by now."""
    renewed = dict(row)
    if not row["entry"].startswith(news.PREFIX):
        community, entry = project.communities[row["community"]], project.library.entries[row["entry"]]
        own = row["valid_until"] if row["why"] else None  # an emergency ends by itself
        ends = [end for end in (to_ms(entry.expires(community.zone)), own) if end is not None]
        renewed |= {"due_at": to_ms(_due_at(community, row)), "valid_until": min(ends, default=None)}
    return renewed | {"hash": hash_of(project, renewed)}


def hindrance(project: Project, row: Mapping[str, Any]) -> tuple[State, str] | None:
    """What becomes of a broadcast that lacks a second yes, and why; None when it may leave."""
    if row["hash"] is not None:
        return None if holds(project, row) else ("returned", "edited")
    community = project.communities.get(row["community"])
    if community is not None and community.approval:
        return "draft", "approval"
    return None


def holds(project: Project, row: Mapping[str, Any]) -> bool:
    """Whether what was submitted is still exactly what would be said."""
    try:
        return hash_of(project, row) == bytes(row["hash"])
    except (Faults, KeyError):  # a text quotes what is gone, or the entry or community is
        return False


def hash_of(project: Project, row: Mapping[str, Any]) -> bytes:
    """The hash of everything that a broadcast of an entry says, to whom and when, as it is written today.

    Args:
        project: Content and schedules.
        row: The broadcast's, as in the database.

    Raises:
        KeyError: the entry or the community is not there.
        Faults: a text cannot be said on the day.
    """
    community = project.communities[row["community"]]
    if row["entry"].startswith(news.PREFIX):
        return fingerprint(row, (), news=_briefs(project, community, row))
    entry = project.library.entries[row["entry"]]
    due_at = _due_at(community, row)
    return fingerprint(
        {**row, "due_at": to_ms(due_at)},
        _texts(project, entry, community, due_at, heading_of(community, entry, row["moment"])),
        topics=sorted({topic.strip().lower() for topic in entry.topics}),
        communities=sorted(entry.communities),
        asks_about=entry.asks_about,
        expires=to_ms(entry.expires(community.zone)),
        slot=_has_slot(project, community, row["entry"], row["moment"], due_at),
    )


def fingerprint(row: Mapping[str, Any], texts: Iterable[Rendered], **audience: object) -> bytes:
    """SHA-256 of a broadcast's row and the texts it says, in one canonical form.

    Args:
        row: Entry, community, moment, `due_at` and `valid_until` (ms), priority and the emergency's reason.
        texts: Every text, in any order.
        audience: What else decides who gets it, and until when.
    """
    said = sorted(json.dumps(asdict(text), ensure_ascii=False, sort_keys=True) for text in texts)
    bound = {**{key: row[key] for key in _BOUND}, **audience, "texts": said}
    canonical = json.dumps(bound, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


def _texts(
    project: Project, entry: Entry, community: Community, due_at: datetime, heading: Heading
) -> list[Rendered]:
    """Every text that anybody could get: not only of who is subscribed on the day it is approved."""
    return [
        render(project.library, entry, community, channel, language, due_at, heading=heading)
        for channel in community.channels
        for language in {*community.languages, *entry.editions}
    ]


def _briefs(project: Project, community: Community, row: Mapping[str, Any]) -> list[list[str]]:
    """What a digest may be put together from, in every language of the community."""
    now = from_ms(int(row["due_at"]))
    return [
        [entry.slug, language, *astuple(Desk(project.library, community, language, now).brief(entry))]
        for entry in news.fresh(project.library, community, now, news.topics_in(row["entry"]))
        for language in community.languages
    ]


def _due_at(community: Community, row: Mapping[str, Any]) -> datetime:
    """When it is due by the community's clocks of today: another zone is another moment."""
    try:
        return timetable.local_moment(community, datetime.fromisoformat(row["moment"]))
    except ValueError:  # "now …" is an instant, whatever the clocks say
        return from_ms(int(row["due_at"])).astimezone(UTC)


def _has_slot(project: Project, community: Community, entry: str, moment: str, due_at: datetime) -> bool:
    """Whether the schedule says it at that moment: a slot that was moved takes its approval with it."""
    due = timetable.due(community, project.library.starts, due_at - _SECOND, due_at)
    return any(one.slot.entry == entry and one.key == moment for one in due)


def same_person(one: str, other: str) -> bool:
    """Whether two names mean one person, however spaced, and whichever keyboard wrote the accents."""
    return _spelt(one) == _spelt(other)


def _spelt(name: str) -> list[str]:
    return unicodedata.normalize("NFKC", name).casefold().split()
