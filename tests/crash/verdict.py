"""Row by row: what the database says of each message, beside what the vendors have in their ledger.

What may enter: what must be true after any number of kills. A row is named by its number, nobody by address.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.texts import load_parts
from bot.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from channels.base import Part

STAYS_UNKNOWN = frozenset({"telegram"})
"""Where what was in flight at a kill may stay unknown, because nobody can tell what became of it."""
DONE = frozenset({"sent", "delivered", "read"})
DELIVERIES = """
    SELECT d.id, d.state, d.reason, d.part, d.inbound, d.deaths, t.channel, s.address, t.open, t.closed
    FROM deliveries d JOIN texts t ON t.id = d.text JOIN subscribers s ON s.id = d.subscriber ORDER BY d.id
"""
OF_NOBODY = """
    SELECT t.channel, d.state FROM deliveries d JOIN texts t ON t.id = d.text WHERE d.subscriber IS NULL
"""
TO_COME = frozenset({"queued", "claimed", "held"})


@dataclass
class Verdict:
    """What came of a run.

    Attributes:
        states: How many deliveries ended how, by channel.
        accepted: Messages in the vendors' ledger, by channel.
        lost: Deliveries that should have reached somebody and did not, or not wholly, by channel.
        doubled: Deliveries of which a person got something twice, by channel.
        faults: These, and anything else that must not be, a sentence each.
    """

    states: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    accepted: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Delivery:
    """One row, with what it says in either window, as the vendor would write it down."""

    id: int
    state: str
    reason: str | None
    part: int
    reply: bool
    deaths: int
    channel: str
    address: str
    variants: tuple[tuple[str, ...], ...]

    @property
    def template(self) -> bool:
        """Whether a vendor's list does not show its words."""
        return self.channel == "whatsapp" and not self.reply

    @property
    def name(self) -> str:
        """For whoever looks into it."""
        return f"delivery {self.id} ({self.channel}, {self.state}, {self.reason}, part {self.part})"


def judge(
    folder: Path,
    people: Iterable[tuple[str, str]],
    broadcasts: int,
    ledger: Sequence[Mapping[str, Any]],
    heard: Sequence[tuple[str, str]],
    erased: Sequence[tuple[str, str]],
    cut_off: Mapping[int, int],
) -> Verdict:
    """Compare.

    Args:
        people: Everybody there is: channel and address.
        broadcasts: How many announcements each of those who joined was to get.
        ledger: What the vendors accepted.
        heard: Who wrote, and was told that we have it.
        erased: Who asked to be erased; no row tells any more what they got.
        cut_off: At how many kills each delivery was found claimed.
    """
    verdict = Verdict(accepted=Counter(row["channel"] for row in ledger))
    reached: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in ledger:
        reached[row["channel"], row["address"]][row["text"]] += 1
    replies: Counter[tuple[str, str]] = Counter()
    said: Counter[tuple[str, str]] = Counter()
    deliveries = _deliveries(folder, people)
    alike = Counter(one.address for one in deliveries if one.state == "unknown" and one.template)
    for one in deliveries:
        verdict.states[one.channel][one.state] += 1
        (replies if one.reply else said)[one.channel, one.address] += 1
        _weigh(verdict, one, reached[one.channel, one.address], cut_off.get(one.id, 0), alike[one.address])
    _forget(verdict, folder, reached, erased)
    if (replies.keys() | said.keys()) & set(erased):
        verdict.faults.append("somebody who asked to be erased is still there")
    verdict.faults += _shared_numbers(ledger)
    if left := sum(texts.total() for texts in reached.values()):
        verdict.faults.append(f"{left} messages were accepted of which no row tells")
    if replies != Counter(who for who in map(tuple, heard) if who not in set(erased)):
        verdict.faults.append("not everybody who was heard has exactly one reply")
    if set(said.values()) != {broadcasts}:
        verdict.faults.append("not everybody has exactly one delivery of each announcement")
    return verdict


def _forget(
    verdict: Verdict,
    folder: Path,
    reached: Mapping[tuple[str, str], Counter[str]],
    erased: Iterable[tuple[str, str]],
) -> None:
    """Who was erased got nothing twice either, and nothing is to come; which row was theirs nobody knows."""
    with closing(sqlite3.connect(folder / "pregonero.db")) as database:
        rows = database.execute(OF_NOBODY).fetchall()
    for channel, state in rows:
        verdict.states[channel]["of the erased"] += 1
        if state in TO_COME:
            verdict.faults.append(f"something of somebody who was erased is still {state}")
    for channel, address in erased:
        got = reached[channel, address]
        if max(got.values(), default=0) > 1:
            verdict.doubled[channel] += 1
            verdict.faults.append(f"somebody who was erased got something twice ({channel})")
        got.clear()


def _shared_numbers(ledger: Iterable[Mapping[str, Any]]) -> list[str]:
    """A receipt with our key speaks of one delivery, for ever: no other may have its number later."""
    people: dict[str, set[str]] = defaultdict(set)
    for row in ledger:
        if row["key"]:
            people[row["key"].partition(".")[0]].add(row["address"])
    return [
        f"delivery {one}: so were those of {len(of)} people called"
        for one, of in people.items()
        if len(of) > 1
    ]


def _weigh(verdict: Verdict, one: Delivery, reached: Counter[str], kills: int, alike: int) -> None:
    """Judge one delivery by what its person got, and take that out of what is still to be explained.

    Of several templates to one person a list cannot tell which it shows: all of them may stay unknown.
    """
    got = {text: reached.pop(text) for text in set().union(*one.variants) & set(reached)}
    if max(got.values(), default=0) > 1:
        verdict.doubled[one.channel] += 1
        verdict.faults.append(f"{one.name}: reached somebody twice")
    whole = any(set(variant) == set(got) for variant in one.variants)
    if one.state in DONE:
        if not whole:
            verdict.lost[one.channel] += 1
            verdict.faults.append(f"{one.name}: lost, {len(got)} parts were accepted")
    elif one.state == "unknown":
        begun = any(
            set(variant[: one.part]) <= set(got) <= set(variant[: one.part + 1]) for variant in one.variants
        )
        if not begun:
            verdict.faults.append(f"{one.name}: other parts than these were accepted")
        told_by_nobody = one.channel in STAYS_UNKNOWN or (one.template and alike > 1)
        if not kills or not told_by_nobody:
            verdict.faults.append(f"{one.name}: in flight at {kills} kills")
    elif (one.state, one.reason) == ("failed", "quarantined"):
        if one.deaths < 3 or kills < one.deaths:
            verdict.faults.append(f"{one.name}: in flight at {kills} kills")
    else:
        verdict.lost[one.channel] += 1
        verdict.faults.append(f"{one.name}: lost")


def _deliveries(folder: Path, people: Iterable[tuple[str, str]]) -> list[Delivery]:
    vault = Vault((folder / "pregonero.key").read_text().strip())
    addresses = {vault.seal(channel, address): address for channel, address in people}
    with closing(sqlite3.connect(folder / "pregonero.db")) as database:
        rows = database.execute(DELIVERIES).fetchall()
    return [
        Delivery(
            number,
            state,
            reason,
            part,
            inbound is not None,
            deaths,
            channel,
            addresses[sealed],
            tuple(_variants(opened, closed)),
        )
        for number, state, reason, part, inbound, deaths, channel, sealed, opened, closed in rows
    ]


def _variants(*stored: str | None) -> Iterable[tuple[str, ...]]:
    return {tuple(map(_as_written, load_parts(parts))): None for parts in stored if parts}


def _as_written(part: Part) -> str:
    if part.template is None:
        return part.text
    return f"{part.template.content_sid} {json.dumps(dict(part.template.variables), ensure_ascii=False)}"
