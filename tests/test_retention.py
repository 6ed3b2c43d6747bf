"""A week after a broadcast nobody can be asked who got it, and its report says what it said before."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot import links
from bot.broadcasts.corrections import Corrections
from bot.housekeeping import Housekeeping
from tests.core import Clock, Core, number, people, person
from tests.test_corrections import correct, mended

if TYPE_CHECKING:
    from collections.abc import Sequence

ENDS = (
    *(("delivered", None), ("read", None), ("sent", None), ("unknown", "no-answer"), ("failed", "blocked")),
    *(("failed", "no-answer"), ("expired", "too-late"), ("cancelled", "left")),
)


async def over(core: Core, entry: str = "feria", community: str = "fresno", moment: str = "m") -> int:
    """A broadcast that has ended, for each person in another way."""
    broadcast = await core.announce(entry, community, moment)
    for n, (state, reason) in enumerate(ENDS):
        await core.store.write(
            lambda tx, n=n, state=state, reason=reason: tx.run(  # type: ignore[misc] # as mypy has it
                "UPDATE deliveries SET state = :state, reason = :reason, settled_at = :now"
                " WHERE broadcast = :broadcast AND id % :kinds = :n",
                {
                    "broadcast": broadcast,
                    "kinds": len(ENDS),
                    "n": n,
                    "state": state,
                    "reason": reason,
                    "now": int(core.now.timestamp() * 1000),
                },
            )
        )
    assert await core.broadcasts.finish(core.now) == [broadcast]
    return broadcast


async def tidied(core: Core) -> int:
    """The house is kept until there is nothing left to do; how many deliveries there are."""
    housekeeping = Housekeeping(core.store, core.vault)
    await housekeeping.tidy(core.now)
    while await housekeeping.fold(core.now):
        pass
    return await deliveries(core)


async def deliveries(core: Core) -> int:
    return int((await core.rows("SELECT count(*) FROM deliveries"))[0][0])


async def test_the_report_stays_when_the_people_are_forgotten(core: Core, clock: Clock) -> None:
    """For seven days each delivery is there; then only how many ended how, and the report is the same."""
    await core.take_in([*people(1500), *people(900, "whatsapp"), *people(90, "sms")])
    broadcast = await over(core, "plantilla")
    await core.store.write(
        lambda tx: tx.run("UPDATE deliveries SET looked = id % 2, repeated = id % 3 = 0, part = id % 5 = 0")
    )
    before, begun = await core.reports.report(broadcast, core.now), await core.broadcasts.begun(broadcast)
    assert sum(before.counts.values()) == 2490
    assert begun > 0
    assert sum(kept.asked for kept in before.kept) > 0
    assert sum(kept.repeated for kept in before.kept) > 0
    clock.skip(days=6, hours=23)
    assert await tidied(core) == 2490
    clock.skip(hours=2)
    assert await tidied(core) == 0
    assert await core.reports.report(broadcast, core.now) == before
    assert await core.broadcasts.begun(broadcast) == begun


async def test_no_number_is_given_twice(core: Core, clock: Clock) -> None:
    """A receipt that comes after weeks names a delivery that is gone, never another one's."""
    await core.take_in(people(30))
    await over(core)
    clock.skip(days=9)
    assert await tidied(core) == 0
    later = await core.announce(moment="later")
    assert await core.rows("SELECT min(id) FROM deliveries WHERE broadcast = :later", later=later) == [(31,)]


async def test_what_is_not_over_is_not_forgotten(core: Core, clock: Clock) -> None:
    """While a broadcast waits for somebody to write, all of its people are known."""
    await core.take_in([*people(8), person(number(1), channel="whatsapp")])
    broadcast = await core.announce()
    await core.store.write(
        lambda tx: tx.run("UPDATE deliveries SET state = 'sent', settled_at = 1 WHERE state = 'queued'")
    )
    clock.skip(days=30)
    assert await tidied(core) == 9
    await core.broadcasts.cancel(broadcast, core.decision())
    clock.skip(days=8)
    assert await tidied(core) == 0


async def test_the_same_news_elsewhere_is_waited_for(core: Core, clock: Clock) -> None:
    """Who joins two phones when one has long had the news, and it waits on the other, hears it once."""
    await core.take_in([person("1"), person(number(1), channel="whatsapp", community="noche"), *people(5)])
    waits = await core.announce(community="noche")
    await over(core)
    assert await core.counts(waits) == {"held": 1}
    clock.skip(days=9)
    assert await tidied(core) == 7
    code = await core.store.write(lambda tx: links.offer(tx, 1, core.now))
    channels = core.current.project.communities["noche"].channels
    assert await core.store.write(lambda tx: links.accept(tx, 2, code, core.now, channels))
    assert await core.counts(waits) == {"cancelled": 1}
    await core.broadcasts.finish(core.now)
    clock.skip(days=9)
    assert await tidied(core) == 0


async def test_a_correction_says_when_it_comes_too_late(core: Core, clock: Clock) -> None:
    """Nobody knows any more who got the wrong text: that is said, and nobody is told a guess."""
    await core.take_in(people(20))
    broadcast = await over(core)
    await mended(core)
    clock.skip(days=8)
    await tidied(core)
    corrected = await correct(core, broadcast)
    assert (corrected.outcome, corrected.broadcast) == ("forgotten", None)
    assert await core.rows("SELECT count(*) FROM broadcasts") == [(1,)]


async def test_a_correction_that_waits_for_its_yes_is_waited_for(core: Core, clock: Clock) -> None:
    """Submitted on the last day, approved a week later: it still reaches those who got the wrong text."""
    await core.take_in(people(20))
    broadcast = await over(core)
    await mended(core)
    made = await Corrections(core.store, core.current).correct(broadcast, core.decision())
    assert made.outcome == "made"
    await core.store.write(
        lambda tx: (
            tx.run("UPDATE broadcasts SET state = 'submitted' WHERE id = :id", {"id": made.broadcast}),
            tx.run("DELETE FROM deliveries WHERE broadcast = :id", {"id": made.broadcast}),
        )
    )
    clock.skip(days=9)
    assert await tidied(core) == 20
    await core.store.write(
        lambda tx: tx.run("UPDATE broadcasts SET state = 'rejected' WHERE id = :id", {"id": made.broadcast})
    )
    assert await tidied(core) == 0


@pytest.mark.parametrize("days", [3, 90])
async def test_how_long_is_for_the_deployment_to_say(core: Core, clock: Clock, days: int) -> None:
    """From three days to ninety."""
    await core.take_in(people(9))
    await over(core)
    housekeeping = Housekeeping(core.store, core.vault, timedelta(days=days))
    clock.skip(days=days, seconds=-60)
    assert await housekeeping.fold(core.now) == 0
    clock.skip(seconds=120)
    assert await housekeeping.fold(core.now) == 9


async def test_a_lane_goes_on_while_a_million_are_forgotten(core: Core, clock: Clock) -> None:
    """What is forgotten at one beat is a bounded number of small transactions, each between others' works."""
    await core.take_in(people(12_000))
    await over(core)
    clock.skip(days=8)
    housekeeping = Housekeeping(core.store, core.vault)
    folding = asyncio.create_task(housekeeping.fold(core.now))
    seen: Sequence[int] = []
    while not folding.done():
        left = await core.store.write(lambda tx: tx.rows("SELECT count(*) AS n FROM deliveries")[0]["n"])
        seen = [*seen, left]
    assert await folding == 10_000
    assert len(set(seen)) >= 5
    assert await deliveries(core) == 2000
