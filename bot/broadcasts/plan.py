"""What will happen if an entry is announced: who gets what, when, for how much, and who does not.

What may enter: reading. Who gets it is asked of the SELECT that the fan-out writes from, and what they get is
rendered as it will be, so that a plan and its broadcast differ only by what changes between the two.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bot import timetable
from bot.broadcasts.fanning import good_days, order, texts_for, wanted
from bot.broadcasts.forecast import Load, finishes
from bot.broadcasts.groups import Group, together
from bot.broadcasts.wanted import heading_of
from bot.moments import from_ms, to_ms
from bot.store import audience, sql
from bot.texts import dump_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.broadcasts.groups import Held
    from bot.broadcasts.reports import Readers, Reports
    from bot.current import Current
    from bot.library import Entry
    from bot.rendering import Rendered
    from bot.store import Store, Transaction
    from bot.timetable import Community, Rest

REPEATED = timedelta(days=7)
"""How far back is looked for the same text to the same people."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will happen in one community.

    Attributes:
        at: The moment, aware UTC.
        rest: What holds everybody at that moment; None when nothing does.
        groups: Each person in one of them, once.
        passed_over: Active addresses that get nothing, and why: `topics` (they follow others), `linked` (they
            get it by another address), `no-sender` (nothing writes to their channel); and who is no longer
            there: `left`, `gone`.
        us_numbers: How many addresses outside the window have a number of the United States, which a
            marketing template does not reach: they are held, or get it by another of their addresses.
        costs: By currency, of what goes.
        unpriced: Senders that something goes through and whose price config.toml does not say.
        repeated: How many had the same text in the last days.
        finishes: When the last of what may go on the first day has left, aware UTC; None when nothing goes,
            or when it takes longer than two weeks.
    """

    community: Community
    entry: str
    at: datetime
    rest: Rest | None
    groups: tuple[Group, ...]
    passed_over: Mapping[str, int]
    us_numbers: int = 0
    costs: Mapping[str, Decimal] = field(default_factory=dict)
    unpriced: tuple[str, ...] = ()
    repeated: int = 0
    finishes: datetime | None = None

    @property
    def starts(self) -> datetime:
        """When the first message may leave, aware UTC."""
        return self.rest.until if self.rest else self.at

    def people(self, *held: Held | None) -> int:
        """How many are in the groups that are held for one of these reasons (None: for none); all of them."""
        return sum(group.people for group in self.groups if not held or group.held in held)

    @property
    def segments(self) -> int:
        """Of all that goes."""
        return sum(group.people * group.segments for group in self.groups if group.goes)

    @property
    def messages(self) -> int:
        """Of all that goes."""
        return sum(group.people * group.messages for group in self.groups if group.goes)


class Plans:
    """The plans of one deployment over one store."""

    def __init__(self, store: Store, current: Current, reports: Reports) -> None:
        self._store = store
        self._current = current
        self._reports = reports

    async def plan(
        self, entry: Entry, moments: Sequence[tuple[Community, datetime]], *, emergency: bool = False
    ) -> list[Plan]:
        """What will happen in each community at its moment (aware UTC), in that order.

        Raises:
            Faults: a text cannot be rendered.
        """
        asked: list[_Asked] = []
        plans: list[Plan] = []
        for community, at in moments:
            readers = await self._reports.readers(community.slug)
            heading = heading_of(community, entry, timetable.shown(community, at).isoformat())
            texts = texts_for(self._current.project.library, entry, community, readers, at, heading)
            one = _Asked(entry, community, at, texts, readers, emergency=emergency)
            for other in filter(one.same_news, asked):
                one.spoken |= other.reached
                one.waiting |= other.shut
            asked.append(one)
            plans.append(await self._store.read(one.answer))
        for n, one in enumerate(asked):
            brought = one.shut & {
                who for other in filter(one.same_news, asked[n + 1 :]) for who in other.reached
            }
            if brought:  # what waited for them to write is taken back when the other is made
                one.waiting |= brought
                plans[n] = await self._store.read(one.answer)
        return self._timed([self._priced(plan) for plan in plans], emergency=emergency)

    def _priced(self, plan: Plan) -> Plan:
        costs: dict[str, Decimal] = {}
        unpriced = []
        for group in filter(lambda group: group.goes, plan.groups):
            price = self._current.project.settings.senders[group.sender].price
            if price is None:
                unpriced.append(group.sender)
                continue
            messages, segments = group.people * group.messages, group.people * group.segments
            cost = price.of(messages=messages, segments=segments)
            costs[price.currency] = costs.get(price.currency, Decimal()) + cost
        return replace(plan, costs=costs, unpriced=tuple(dict.fromkeys(unpriced)))

    def _timed(self, plans: list[Plan], *, emergency: bool) -> list[Plan]:
        """With the moment at which each has left: lanes are shared by communities."""
        loads: list[Load] = []
        whose: list[int] = []
        for number, plan in enumerate(plans):
            by_sender: Counter[str] = Counter()
            for group in plan.groups:
                by_sender[group.sender] += group.people * group.segments if group.held is None else 0
            for sender, cost in by_sender.items():
                if cost:
                    loads.append(Load(plan.community, sender, plan.starts, cost, passes=emergency))
                    whose.append(number)
        rates = {name: sender.rate for name, sender in self._current.project.settings.senders.items()}
        ended = finishes(loads, rates)
        timed = []
        for number, plan in enumerate(plans):
            mine = [moment for moment, one in zip(ended, whose, strict=True) if one == number]
            known = [moment for moment in mine if moment is not None]
            timed.append(replace(plan, finishes=max(known) if mine and len(known) == len(mine) else None))
        return timed


@dataclass(slots=True)
class _Asked:
    """One question to the store.

    Attributes:
        spoken: Who gets it in a community of the same plan that has its turn before.
        waiting: Who does not wait here until they write: they do so there, or get it there later.
        reached: Who has an address in another community too and gets it here: answered, as the next.
        shut: Who has one and must write first.
    """

    entry: Entry
    community: Community
    at: datetime
    texts: Sequence[tuple[str, Rendered]]
    readers: Sequence[Readers]
    emergency: bool = field(kw_only=True)
    spoken: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    reached: set[int] = field(default_factory=set)
    shut: set[int] = field(default_factory=set)

    def same_news(self, other: _Asked) -> bool:
        """Whether who gets one needs no other."""
        return abs(self.at - other.at) < audience.SAME

    def answer(self, tx: Transaction) -> Plan:
        """The plan without prices and end."""
        rest = None if self.emergency else timetable.rest(self.community, self.at)
        states = {
            row["state"]: row["people"]
            for row in tx.rows(sql.STATES, {"community": self.community.slug})
            if row["state"] in ("left", "gone")
        }
        unsent = sum(group.people for group in self.readers if group.channel not in self.community.channels)
        passed = {"topics": 0, "linked": 0, "no-sender": unsent, "left": 0, "gone": 0} | states
        plan = Plan(self.community, self.entry.slug, self.at, rest, (), passed)
        return self._counted(tx, plan) if self.texts else plan

    def _counted(self, tx: Transaction, plan: Plan) -> Plan:
        days = [] if self.emergency else good_days(self.community, self.at)
        topics = sorted(wanted(self.entry))
        unmade = audience.Unmade(
            len(self.texts), len(topics), len(days), tuple(sorted(self.spoken)), tuple(sorted(self.waiting))
        )
        values = order(  # no broadcast has that number
            0, self.community, self.entry.slug, days, self.at, emergency=self.emergency
        )
        values |= {f"topic{n}": topic for n, topic in enumerate(topics)}
        for n, (sender, text) in enumerate(self.texts):
            values |= {f"text{n}": n, f"channel{n}": text.channel, f"language{n}": text.language}
            values |= {f"sender{n}": sender, f"category{n}": text.category}
            values[f"closed{n}"] = dump_parts(text.closed) if text.closed else None
        groups = together(self._group(row, values["too_late"]) for row in tx.rows(unmade.counted(), values))
        addresses = {row["shut"]: row["people"] for row in tx.rows(unmade.addresses(), values)}
        readers = sum(group.people for group in self.readers if group.channel in self.community.channels)
        heard, people = sum(addresses.values()), sum(group.people for group in groups)
        for row in tx.rows(unmade.linked_elsewhere(), values):
            if row["shut"] or row["due"] != values["too_late"]:
                (self.shut if row["shut"] else self.reached).add(row["person"])
        return replace(
            plan,
            groups=groups,
            passed_over={**plan.passed_over, "topics": readers - heard, "linked": heard - people},
            us_numbers=addresses.get("us-template", 0),
            repeated=self._repeated(tx, unmade, values),
        )

    def _group(self, row: Mapping[str, int | str], too_late: object) -> Group:
        sender, text = self.texts[int(row["text"])]
        template = not row["free"] and not row["shut"] and text.open != text.closed
        parts = text.closed if template else text.open
        due, shut = from_ms(int(row["due"])), row["shut"]
        enough: Held = "enough-too-late" if row["due"] == too_late else "enough"
        held: Held | None = shut or (enough if due > self.at else None)  # type: ignore[assignment] # the SQL's words
        return Group(
            channel=text.channel,
            language=text.language,
            edition=text.edition,
            sender=sender,
            template=template,
            people=int(row["people"]),
            messages=len(parts),
            segments=sum(part.segments for part in parts),
            held=held,
            due=due,
        )

    def _repeated(self, tx: Transaction, unmade: audience.Unmade, values: Mapping[str, object]) -> int:
        lately = {"community": self.community.slug, "since": to_ms(self.at - REPEATED)}
        ours = {
            (text.channel, dump_parts(parts)) for _, text in self.texts for parts in (text.open, text.closed)
        }
        same = [
            row
            for row in tx.rows(audience.SAID_LATELY, lately)
            if {(row["channel"], row["open"]), (row["channel"], row["closed"])} & ours
        ]
        if not same:
            return 0
        before = {f"before{n}": row["id"] for n, row in enumerate(same)}
        before |= {f"in{n}": row["broadcast"] for n, row in enumerate(same)}
        found = tx.one(unmade.had_it(len(same)), {**values, **before})
        return int(found["people"]) if found else 0
