"""Who gets a copy: one person one, by the channel that can carry it, no more a day than is good."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import links
from bot.broadcasts.plan import Plans
from bot.housekeeping import Housekeeping
from bot.newcomers import Newcomer
from bot.numbers import takes_marketing
from bot.outbox import Settled
from bot.timetable import QuietHours
from channels.base import Receipt
from channels.trouble import Gone
from channels.whatsapp import WhatsApp
from tests.core import Clock, Core, chat, number, opened, people, person, vendor_at_work

if TYPE_CHECKING:
    from bot.store import Transaction
    from channels.base import ChannelName

CANADA = "+14165550123"
ORDER: tuple[ChannelName, ...] = ("telegram", "whatsapp", "sms")


async def link(core: Core, *addresses: tuple[ChannelName, str]) -> None:
    """Join addresses as people do: a code from the first, written from each of the others."""
    sealed = [core.vault.seal(channel, address) for channel, address in addresses]
    ids = [
        (await core.rows("SELECT id FROM subscribers WHERE address = :sealed", sealed=one))[0][0]
        for one in sealed
    ]

    def work(tx: Transaction) -> bool:
        return all(
            links.accept(tx, other, links.offer(tx, ids[0], core.now), core.now, ORDER) for other in ids[1:]
        )

    assert await core.store.write(work)


async def gets(core: Core, broadcast: int) -> dict[str, str]:
    """The addresses of a broadcast's deliveries, and in which state each is, with its reason."""
    rows = await core.rows(
        "SELECT s.channel, s.address, d.state, d.reason FROM deliveries d"
        " JOIN subscribers s ON s.id = d.subscriber WHERE d.broadcast = :broadcast",
        broadcast=broadcast,
    )
    return {
        core.vault.open(channel, address): f"{state} {reason}" if reason else state
        for channel, address, state, reason in rows
    }


async def settle(core: Core, broadcast: int, sender: str, state: str, reason: str | None = None) -> None:
    """The lane of a sender takes all it can and is answered the same for each."""
    claims = await core.outbox.turn(sender, [], [(broadcast, None)], 500, core.now)
    ended = [Settled(claim, state, reason) for claim in claims]  # type: ignore[arg-type] # one of the ends
    await core.outbox.turn(sender, ended, [], 0, core.now)


def limit(core: Core, most: int, community: str = "noche") -> None:
    """Let a community have no more announcements a day."""
    places = core.broadcasts.project.communities
    assert isinstance(places, dict)
    places[community] = replace(places[community], most_a_day=most)


async def test_linked_people_get_one_copy(core: Core) -> None:
    """Somebody with three addresses gets it once, by their community's first channel; others as before."""
    await core.take_in([*people(3), *people(3, "sms"), *people(3, "whatsapp")])
    await link(core, ("sms", number(0)), ("whatsapp", number(0)), ("telegram", chat(0)))
    broadcast = await core.announce("plantilla")
    assert await core.counts(broadcast) == {"queued": 7}
    rows = await core.rows("SELECT sender, count(*) FROM deliveries GROUP BY sender ORDER BY sender")
    assert rows == [("bot", 3), ("sms", 2), ("whatsapp", 2)]


async def test_a_person_in_two_groups_gets_one_copy(core: Core) -> None:
    """Who follows two of its topics, by two linked addresses, gets one (rapidpro#2016, #5963)."""
    await core.take_in(
        [
            person(chat(0), "salud", "familia"),
            person(number(0), "familia", channel="sms"),
            person(chat(1), "empleo"),
            person(number(1), "salud", channel="sms"),
        ]
    )
    await link(core, ("telegram", chat(0)), ("sms", number(0)))
    await link(core, ("telegram", chat(1)), ("sms", number(1)))
    assert set(await gets(core, await core.announce("temas"))) == {chat(0), number(1)}


async def test_the_window_is_a_decision_before_sending(core: Core) -> None:
    """Outside WhatsApp's window and without a template it goes by the next channel at once (rapidpro#951)."""
    await core.take_in([*people(3, "whatsapp"), *people(2, "sms")])
    for n in range(2):
        await link(core, ("whatsapp", number(n)), ("sms", number(n)))
    await core.heard(number(0))
    broadcast = await core.announce()
    rows = await core.rows("SELECT sender, state, count(*) FROM deliveries GROUP BY 1, 2 ORDER BY 1, 2")
    assert rows == [("sms", "queued", 1), ("whatsapp", "held", 1), ("whatsapp", "queued", 1)]
    assert (await gets(core, broadcast))[number(2)] == "held window"


async def test_the_window_is_asked_of_the_moment_it_leaves(core: Core, clock: Clock) -> None:
    """What is announced at night leaves in the morning: whose window is shut then gets the next channel."""
    addresses = person(number(0), channel="whatsapp"), person(number(0), channel="sms")
    await core.take_in(replace(one, community="noche") for one in addresses)
    await link(core, ("whatsapp", number(0)), ("sms", number(0)))
    clock.skip(hours=13)  # eleven at night in Fresno
    await core.heard(number(0))
    clock.skip(hours=23)
    plans = Plans(core.store, core.current, core.reports)
    project = core.current.project
    asked = project.library.entries["feria"], [(project.communities["noche"], core.now)]
    [plan], [urgent] = await plans.plan(*asked), await plans.plan(*asked, emergency=True)
    assert [one.groups[0].channel for one in (plan, urgent)] == ["sms", "whatsapp"]
    await core.announce(community="noche")
    await core.announce(community="noche", moment="n", why="Incendio")
    rows = await core.rows("SELECT sender, state FROM deliveries ORDER BY broadcast")
    assert rows == [("sms", "queued"), ("whatsapp", "queued")]


async def test_who_fell_out_of_the_window_gets_the_next_channel(core: Core, clock: Clock) -> None:
    """What is held at its turn goes by another address after the wait, and not later by the first as well."""
    await core.take_in([*people(2, "whatsapp"), *people(1, "sms")])
    await link(core, ("whatsapp", number(0)), ("sms", number(0)))
    for n in range(2):
        await core.heard(number(n))
    broadcast = await core.announce()
    clock.skip(hours=25)
    await settle(core, broadcast, "whatsapp", "held", "window")
    clock.skip(minutes=59)
    assert await core.broadcasts.next_channels(core.now) == []
    clock.skip(minutes=2)
    assert await core.broadcasts.next_channels(core.now) == [broadcast]
    rows = "SELECT sender, state, reason FROM deliveries ORDER BY sender, state"
    held, sms = ("whatsapp", "held", "window"), ("sms", "queued", None)
    assert await core.rows(rows) == [sms, ("whatsapp", "cancelled", "other-channel"), held]
    await core.heard(number(0))
    assert await core.counts(broadcast) == {"cancelled": 1, "held": 1, "queued": 1}


async def test_what_no_other_channel_brought_waits_again(core: Core, clock: Clock) -> None:
    """Where the next channel fails too, the text waits on the first until they write: it is not lost."""
    await core.take_in([*people(1, "whatsapp"), *people(1, "sms")])
    await link(core, ("whatsapp", number(0)), ("sms", number(0)))
    await core.heard(number(0))
    broadcast = await core.announce()
    clock.skip(hours=25)
    await settle(core, broadcast, "whatsapp", "held", "window")
    clock.skip(hours=1.1)
    await core.broadcasts.next_channels(core.now)
    await settle(core, broadcast, "sms", "failed", "dead-number")
    for _ in range(3):
        clock.skip(hours=1.1)
        await core.broadcasts.next_channels(core.now)
    rows = "SELECT sender, state, reason FROM deliveries ORDER BY id"
    assert await core.rows(rows) == [("whatsapp", "held", "window"), ("sms", "failed", "dead-number")]
    await core.heard(number(0))
    assert await core.counts(broadcast) == {"queued": 1, "failed": 1}


async def test_a_person_in_two_communities_gets_one_copy(core: Core) -> None:
    """Linked addresses in two communities: one copy of an entry, and both of another entry's."""
    await core.take_in([person(chat(0)), person(chat(1), community="noche"), person(chat(2))])
    await link(core, ("telegram", chat(0)), ("telegram", chat(1)))
    assert set(await gets(core, await core.announce())) == {chat(0), chat(2)}
    assert await gets(core, await core.announce(community="noche")) == {}
    assert set(await gets(core, await core.announce("larga", community="noche"))) == {chat(1)}


async def test_what_waits_in_one_community_does_not_silence_the_other(core: Core) -> None:
    """Held on WhatsApp until they write, and by SMS from their other community: that is the copy they get."""
    await core.take_in([*people(2, "whatsapp"), person(number(0), channel="sms", community="noche")])
    await link(core, ("whatsapp", number(0)), ("sms", number(0)))
    project = core.current.project
    moments = [(project.communities[slug], core.now) for slug in ("fresno", "noche")]
    plans = await Plans(core.store, core.current, core.reports).plan(
        project.library.entries["feria"], moments
    )
    assert [(plan.people(None), plan.people()) for plan in plans] == [(0, 1), (1, 1)]
    first, second = await core.announce(), await core.announce(community="noche")
    assert await core.counts(second) == {"queued": 1}
    assert await core.counts(first) == {"cancelled": 1, "held": 1}
    await core.heard(number(0))
    assert await core.counts(first) == {"cancelled": 1, "held": 1}


async def test_what_waits_in_two_communities_waits_once(core: Core) -> None:
    """Where no address can carry it now there is one copy that waits, whoever was first."""
    await core.take_in(
        [person(number(n), channel="whatsapp", community=("fresno", "noche")[n]) for n in range(2)]
    )
    await link(core, ("whatsapp", number(0)), ("whatsapp", number(1)))
    assert await gets(core, await core.announce()) == {number(0): "held window"}
    assert await gets(core, await core.announce(community="noche")) == {}


async def test_who_links_while_copies_wait_gets_one(core: Core, clock: Clock) -> None:
    """Joined at night after the announcement: the copies that wait become one, on the preferred channel."""
    phones = person(number(0), channel="sms", community="noche"), person(chat(0), community="noche")
    await core.take_in([*phones, person(number(1), channel="sms"), person(number(0), channel="whatsapp")])
    clock.skip(hours=12)
    first, second = await core.announce(community="noche"), await core.announce()
    other = await core.announce("larga", "noche")
    await link(core, ("sms", number(0)), ("telegram", chat(0)), ("sms", number(1)), ("whatsapp", number(0)))
    taken = "cancelled other-channel"
    assert await gets(core, first) == {number(0): taken, chat(0): "queued"}
    assert await gets(core, other) == {number(0): taken, chat(0): "queued"}
    states = await core.rows("SELECT state FROM deliveries WHERE broadcast = :second", second=second)
    assert states == [("cancelled",), ("cancelled",)]


async def test_who_links_after_one_copy_left_gets_no_other(core: Core) -> None:
    """What one of the addresses has had is not sent to the other; a text that failed is."""
    await core.take_in([person(chat(0)), person(number(0), channel="sms")])
    sent, failed = await core.announce(), await core.announce("larga")
    await settle(core, sent, "sms", "sent")
    await settle(core, failed, "bot", "failed", "vendor-refused")
    await link(core, ("sms", number(0)), ("telegram", chat(0)))
    assert await gets(core, sent) == {number(0): "sent", chat(0): "cancelled other-channel"}
    assert (await gets(core, failed))[number(0)] == "queued"


async def test_what_failed_in_one_community_does_not_silence_the_other(core: Core) -> None:
    """A copy that was cancelled elsewhere is no copy, and one of last week is another announcement."""
    await core.take_in([person(chat(0)), person(chat(1), community="noche")])
    await link(core, ("telegram", chat(0)), ("telegram", chat(1)))
    await core.broadcasts.cancel(await core.announce(), core.decision())
    assert set(await gets(core, await core.announce(community="noche"))) == {chat(1)}
    core.clock.skip(days=6)
    assert set(await gets(core, await core.announce(moment="again"))) == {chat(0)}


async def test_left_is_left_on_every_address(core: Core) -> None:
    """Whom a vendor tells us they blocked us is not written to by their other addresses either."""
    await core.take_in([*people(1), *people(1, "sms")])
    await link(core, ("telegram", chat(0)), ("sms", number(0)))
    broadcast = await core.announce()
    [claim] = await core.outbox.turn("bot", [], [(broadcast, None)], 1, core.now)
    await core.outbox.turn("bot", [Settled(claim, "failed", "blocked", person="left")], [], 0, core.now)
    assert await core.rows("SELECT DISTINCT state FROM subscribers") == [("left",)]
    core.clock.skip(hours=2)
    assert await core.broadcasts.next_channels(core.now) == []
    assert await gets(core, await core.announce(moment="later")) == {}


async def test_the_next_channel_after_a_failure(core: Core, clock: Clock) -> None:
    """Not a WhatsApp user: after the community's wait the person's next channel, once (courier#260)."""
    await core.take_in([*people(2, "whatsapp"), *people(1, "sms")])
    await link(core, ("whatsapp", number(0)), ("sms", number(0)))
    broadcast = await core.announce("plantilla")
    claims = await core.outbox.turn("whatsapp", [], [(broadcast, None)], 9, core.now)
    await core.outbox.turn("whatsapp", [Settled(claim, "sent") for claim in claims], [], 0, core.now)
    assert await core.broadcasts.finish(core.now) == [broadcast]
    for claim in claims:
        trouble = Gone("no-whatsapp", code="63003")
        await core.outbox.receipt("whatsapp", Receipt("SM1", "failed", claim.key(1), trouble), core.now)
    clock.skip(minutes=59)
    assert await core.broadcasts.next_channels(core.now) == []
    clock.skip(minutes=2)
    assert await core.broadcasts.next_channels(core.now) == [broadcast]
    assert await core.broadcasts.next_channels(core.now) == []
    assert await core.state(broadcast) == "running"
    assert await core.counts(broadcast) == {"failed": 2, "queued": 1}
    await settle(core, broadcast, "sms", "failed", "dead-number")
    clock.skip(hours=2)
    assert await core.broadcasts.next_channels(core.now) == []  # there is no third
    assert await core.broadcasts.finish(core.now) == [broadcast]


@pytest.mark.parametrize("why", ["cancelled", "too late", "unknown", "topics"])
async def test_no_next_channel_where_it_would_be_wrong(core: Core, clock: Clock, why: str) -> None:
    """Nothing follows a failure of what was cancelled, is over, may have arrived, or was not wanted there."""
    entry = {"too late": "vence", "topics": "temas"}.get(why, "feria")
    await core.take_in([person(chat(0)), person(number(0), "empleo", channel="sms")])
    await link(core, ("telegram", chat(0)), ("sms", number(0)))
    broadcast = await core.announce(entry)
    await settle(core, broadcast, "bot", "unknown" if why == "unknown" else "failed", "vendor-refused")
    if why == "cancelled":
        await core.broadcasts.cancel(broadcast, core.decision())
    clock.skip(hours=3 if why == "too late" else 1.1)
    assert await core.broadcasts.next_channels(core.now) == []


async def test_a_failure_is_followed_after_a_restart_too(core: Core, tmp_path: Path, clock: Clock) -> None:
    """Who failed while nobody was running gets their next channel when somebody is, also in another place."""
    await core.take_in([person(chat(0)), person(number(0), channel="sms", community="noche")])
    await link(core, ("telegram", chat(0)), ("sms", number(0)))
    broadcast, other = await core.announce(), await core.announce(community="noche")
    assert await core.counts(other) == {}
    await settle(core, broadcast, "bot", "failed", "vendor-refused")
    clock.skip(hours=20)
    async with opened(tmp_path, clock) as later:
        assert await later.broadcasts.next_channels(later.now) == [other]
        assert await gets(later, other) == {number(0): "queued"}


async def test_enough_is_enough_for_a_day(core: Core, clock: Clock) -> None:
    """At most one a day: the second waits for the next morning, the third for the one after, and say so."""
    limit(core, 1)
    await core.take_in(person(chat(n), community="noche") for n in range(2))
    first = await core.announce(community="noche")
    await settle(core, first, "bot", "sent")
    await core.take_in([person(chat(2), community="noche")])
    second, third = [await core.announce(entry, "noche") for entry in ("larga", "plantilla")]
    assert await core.counts(second) == {"queued": 1, "held": 2}
    assert await core.counts(third) == {"held": 3}
    waits = (await core.reports.report(second, core.now)).reasons
    assert [(one.state, one.reason, one.people, one.until) for one in waits] == [
        ("held", "enough", 2, datetime(2026, 11, 21, 16, tzinfo=UTC))
    ]
    days = await core.rows(
        "SELECT due_at, count(*) FROM deliveries WHERE broadcast = 3 GROUP BY 1 ORDER BY 1"
    )
    assert [(datetime.fromtimestamp(due / 1000, UTC).day, n) for due, n in days] == [(21, 1), (22, 2)]
    await settle(core, second, "bot", "sent")
    assert await core.broadcasts.finish(core.now) == [first]  # what waits for a morning is open
    clock.skip(hours=23)
    await settle(core, second, "bot", "sent")
    report = await core.reports.report(second, core.now)
    assert ({s: n for s, n in report.counts.items() if n}, report.reasons) == ({"sent": 3}, ())


async def test_an_emergency_is_never_too_many(core: Core) -> None:
    """It passes the limit, and is not counted; nor is what did not arrive."""
    limit(core, 1)
    await core.take_in([person(chat(0), community="noche")])
    for moment in ("a", "b"):
        emergency = await core.announce(community="noche", moment=moment, why="Incendio")
        assert await core.counts(emergency) == {"queued": 1}
    failed = await core.announce(community="noche")
    await settle(core, failed, "bot", "failed", "vendor-refused")
    assert await core.counts(await core.announce("larga", "noche")) == {"queued": 1}


async def test_a_linked_person_has_one_measure(core: Core) -> None:
    """What came by one address counts for the other."""
    limit(core, 1)
    await core.take_in(
        [person(chat(0), community="noche"), person(number(0), channel="sms", community="noche")]
    )
    await link(core, ("telegram", chat(0)), ("sms", number(0)))
    first = await core.announce(community="noche")
    await settle(core, first, "bot", "sent")
    await core.store.write(
        lambda tx: tx.run("UPDATE subscribers SET state = 'gone' WHERE channel = 'telegram'")
    )
    assert await gets(core, await core.announce("larga", "noche")) == {number(0): "queued enough"}


async def test_what_waits_too_long_says_why_it_was_not_sent(core: Core, clock: Clock) -> None:
    """A text that is over before somebody has room for it is not sent, and the report tells the reason."""
    limit(core, 1)
    await core.take_in([person(chat(0), community="noche")])
    await settle(core, await core.announce(community="noche"), "bot", "sent")
    late = await core.announce("vence", "noche")
    clock.skip(hours=3)
    await core.broadcasts.speaking(core.now)
    [reason] = (await core.reports.report(late, core.now)).reasons
    assert (reason.state, reason.reason, reason.until) == ("expired", "enough-too-late", None)


async def test_who_has_no_room_for_a_week_is_told_of(core: Core) -> None:
    """No day holds more than the limit: what fits in none of seven is not sent, and the report says so."""
    limit(core, 1)
    await core.take_in([person(chat(0), community="noche")])
    made = [await core.announce(community="noche", moment=f"m{n}") for n in range(10)]
    days = Counter(
        datetime.fromtimestamp(due / 1000, UTC).date()
        for (due,) in await core.rows("SELECT due_at FROM deliveries WHERE state = 'queued'")
    )
    assert (len(days), max(days.values())) == (7, 1)
    [reason] = (await core.reports.report(made[-1], core.now)).reasons
    assert (reason.state, reason.reason, reason.people) == ("expired", "enough-too-late", 1)
    assert set(await core.broadcasts.finish(core.now)) == set(made[7:])
    project = core.current.project
    asked = project.library.entries["feria"], [(project.communities["noche"], core.now)]
    [plan] = await Plans(core.store, core.current, core.reports).plan(*asked)
    assert [(group.held, group.goes, group.people) for group in plan.groups] == [
        ("enough-too-late", False, 1)
    ]


async def test_enough_waits_over_nights_without_a_morning(core: Core) -> None:
    """The next good moment is the end of the night, at whatever hour the community has it."""
    limit(core, 1)
    places = core.broadcasts.project.communities
    assert isinstance(places, dict)
    night = QuietHours(datetime.min.time().replace(hour=20), datetime.min.time().replace(hour=11))
    places["noche"] = replace(places["noche"], quiet_hours=(night,))
    await core.take_in([person(chat(0), community="noche")])
    await core.announce(community="noche")  # at ten: it rests until eleven
    second = await core.announce("larga", "noche")
    [reason] = (await core.reports.report(second, core.now)).reasons
    assert reason.until == datetime(2026, 11, 21, 19, tzinfo=UTC)


async def test_marketing_reaches_no_number_of_the_united_states(core: Core) -> None:
    """Held until they write, or by their next channel; Canada, and who wrote today, get it (63049)."""
    canada = person(CANADA, channel="whatsapp")
    await core.take_in([*people(3, "whatsapp"), canada, *people(1, "sms")])
    await link(core, ("whatsapp", number(0)), ("sms", number(0)))
    await core.heard(number(1))
    broadcast = await core.announce("promocion")
    assert await core.counts(broadcast) == {"queued": 3, "held": 1}
    assert (await gets(core, broadcast))[number(2)] == "held us-template"
    await core.heard(number(2))
    assert await core.counts(broadcast) == {"queued": 4}
    assert set((await gets(core, await core.announce("plantilla"))).values()) == {"queued"}


async def test_who_fell_out_of_the_window_gets_no_marketing(core: Core, clock: Clock) -> None:
    """Who could be written freely when it began and no longer can is held at their turn, not refused."""
    await core.take_in([*people(1, "whatsapp"), person(CANADA, channel="whatsapp")])
    for address in (number(0), CANADA):
        await core.heard(address)
    broadcast = await core.announce("promocion")
    assert await core.counts(broadcast) == {"queued": 2}
    clock.skip(hours=25)
    async with vendor_at_work() as vendor:
        channel = WhatsApp(
            account_sid="AC" + "0" * 32, auth_token="canary", from_="+12025550101", api_base=vendor.url
        )
        async with core.dispatching(("whatsapp", channel)):
            await core.until(broadcast, sent=1, held=1)
    assert await gets(core, broadcast) == {number(0): "held us-template", CANADA: "sent"}


async def test_numbers_that_were_here_before_are_looked_at(core: Core) -> None:
    """Rows of an older version count as reached until their number was looked at, some at each beat."""
    await core.take_in([*people(700, "whatsapp"), person(CANADA, channel="whatsapp")])
    await core.store.write(lambda tx: tx.run("UPDATE subscribers SET marketing = NULL"))
    assert await core.counts(await core.announce("promocion")) == {"queued": 701}
    housekeeping = Housekeeping(core.store, core.vault)
    for _ in range(3):
        await housekeeping.tidy(core.now)
    found = await core.rows("SELECT marketing, count(*) FROM subscribers GROUP BY 1 ORDER BY 1")
    assert found == [(0, 600), (1, 101)]  # a hundred have the area code 204, which is Manitoba's


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("+12125550103", 0),
        (CANADA, 1),
        ("+18765550123", 1),  # Jamaica
        ("+19985550123", 0),  # nobody's yet: a new area code of the United States, most likely
        ("+525555550123", 1),
        ("nonsense", 1),
    ],
)
def test_a_number_tells_its_country(address: str, reached: int) -> None:
    """+1 is the United States, Canada and the Caribbean; only the first gets no marketing."""
    assert takes_marketing("whatsapp", address) == reached
    assert takes_marketing("sms", address) is None


ADDRESSES: dict[ChannelName, tuple[str, ...]] = {
    "telegram": ("{n}",),
    "sms": ("+1201555{n:04}",),
    "whatsapp": ("+1201555{n:04}", "+1416555{n:04}", "+52555555{n:04}"),
}


@dataclass(frozen=True)
class One:
    """One address, as hypothesis invents it."""

    channel: ChannelName
    country: int
    language: str
    community: Literal["fresno", "noche"]
    state: Literal["active", "left", "gone", "visitor"]
    group: int | None
    topics: frozenset[str]
    heard: bool


ONE = st.builds(
    One,
    channel=st.sampled_from(ORDER),
    country=st.integers(0, 2),
    language=st.sampled_from(["es", "en"]),
    community=st.sampled_from(["fresno", "noche"]),
    state=st.sampled_from(["active", "active", "active", "left", "gone", "visitor"]),
    group=st.none() | st.integers(0, 3),
    topics=st.frozensets(st.sampled_from(["salud", "empleo"])),
    heard=st.booleans(),
)


def expected(everybody: list[One], entry: str) -> dict[str, dict[int, str]]:
    """By the rules as people read them: for each community who gets it, and in which state."""
    told: dict[str, dict[int, str]] = {}
    served: set[int] = set()
    waiting: set[int] = set()
    for place in ("fresno", "noche"):
        here = {
            n: one
            for n, one in enumerate(everybody)
            if one.community == place
            and one.state == "active"
            and (entry != "temas" or not one.topics or "salud" in one.topics)
        }
        shut = {n: held(one, entry) for n, one in here.items()}
        best = sorted(here, key=lambda n: (shut[n] != "queued", ORDER.index(here[n].channel), n))
        told[place] = {}
        groups: set[int] = set()
        for n in best:
            group = here[n].group
            kept = served | groups if shut[n] == "queued" else served | groups | waiting
            if group is None or group not in kept:
                told[place][n] = shut[n]
                groups |= {group} if group is not None else set()
        going = (here[n].group for n, state in told[place].items() if state == "queued")
        served |= {group for group in going if group is not None}
        waiting |= groups
    return told


def held(one: One, entry: str) -> str:
    """How a delivery to them begins."""
    if one.channel != "whatsapp" or one.heard:
        return "queued"
    if entry in {"feria", "temas"}:
        return "held window"
    return "held us-template" if entry == "promocion" and one.country == 0 else "queued"


@settings(max_examples=60, deadline=None)
@given(
    everybody=st.lists(ONE, min_size=1, max_size=14),
    entry=st.sampled_from(["feria", "temas", "plantilla", "promocion"]),
)
def test_whatever_people_link_each_gets_one(everybody: list[One], entry: str) -> None:
    """One copy a person, by the right address, never to one that left, whoever is linked to whom."""
    asyncio.run(_as_expected(everybody, entry))


async def _as_expected(everybody: list[One], entry: str) -> None:
    addresses = [
        ADDRESSES[one.channel][one.country % len(ADDRESSES[one.channel])].format(n=n + 100)
        for n, one in enumerate(everybody)
    ]
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as core:
            await core.take_in(
                Newcomer(one.channel, address, one.language, one.community, tuple(one.topics), "web")
                for address, one in zip(addresses, everybody, strict=True)
            )
            values = [
                {
                    "id": n + 1,
                    "state": one.state,
                    "person": one.group,
                    "heard": int(core.now.timestamp() * 1000) if one.heard else None,
                }
                for n, one in enumerate(everybody)
            ]
            sql = "UPDATE subscribers SET state = :state, person = :person, heard_at = :heard WHERE id = :id"
            await core.store.write(lambda tx: tx.each(sql, values))
            for place, told in expected(everybody, entry).items():
                found = await gets(core, await core.announce(entry, place))
                assert found == {addresses[n]: state for n, state in told.items()}
            rows = await core.rows(
                "SELECT s.person FROM deliveries d JOIN subscribers s ON s.id = d.subscriber"
                " WHERE s.person IS NOT NULL AND d.state <> 'cancelled'"
            )
            assert max(Counter(rows).values(), default=1) == 1
