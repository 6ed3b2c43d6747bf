"""The life of a delivery: claimed once, settled once, only ever moved forward, unknown when it is."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.outbox import Claim, Settled
from bot.texts import dump_parts, load_parts
from channels.base import Choice, Part, Receipt, Template
from channels.trouble import Gone, Refused
from tests.core import Clock, Core, chat, opened, people, person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from channels.base import ReceiptStatus

RANK = {"claimed": 0, "unknown": 0, "sent": 1, "failed": 2, "delivered": 2, "read": 3}
STATUSES: tuple[ReceiptStatus, ...] = ("sent", "delivered", "read", "failed")


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    """The core over a new database."""
    async with opened(tmp_path) as core:
        yield core


async def claim(core: Core, broadcast: int, limit: int = 1000, **ends: Any) -> list[Claim]:  # noqa: ANN401 - of Settled
    """Take the next requests; with `ends`, end each of them at once."""
    claims = await core.outbox.turn("bot", [], [(broadcast, None)], limit, core.now)
    if ends:
        await settle(core, *(Settled(one, **ends) for one in claims))
    return claims


async def settle(core: Core, *ends: Settled) -> None:
    assert await core.outbox.turn("bot", ends, [], 0, core.now) == []


async def state(core: Core, one: Claim) -> str:
    [(found,)] = await core.rows("SELECT state FROM deliveries WHERE id = :id", id=one.id)
    return str(found)


async def person_state(core: Core) -> str:
    [(found,)] = await core.rows("SELECT state FROM subscribers")
    return str(found)


async def set_person(core: Core, state: str) -> None:
    await core.store.write(lambda tx: tx.run("UPDATE subscribers SET state = :state", {"state": state}))


async def test_nobody_is_claimed_twice(core: Core) -> None:
    """However often the next requests are asked for, each delivery is handed out once, the oldest first."""
    await core.take_in(people(25))
    broadcast = await core.announce()
    turns = [await claim(core, broadcast, 10) for _ in range(4)]
    assert [len(turn) for turn in turns] == [10, 10, 5, 0]
    ids = [one.id for turn in turns for one in turn]
    assert ids == sorted(set(ids))


async def test_the_same_delivery_cannot_be_made_twice(core: Core) -> None:
    """A second row for the same person and broadcast is not possible, whoever writes it."""
    await core.take_in(people(1))
    await core.announce()
    copy = (
        "INSERT INTO deliveries (broadcast, subscriber, text, sender, state, due_at) "
        "SELECT broadcast, subscriber, text, sender, state, due_at FROM deliveries"
    )
    with pytest.raises(Exception, match="UNIQUE"):
        await core.store.write(lambda tx: tx.run(copy))


async def test_what_was_in_flight_at_a_crash_is_unknown(tmp_path: Path) -> None:
    """A claim without an owner is never sent again, and is counted as what it is."""
    async with opened(tmp_path) as core:
        await core.take_in(people(5))
        broadcast = await core.announce()
        taken = await claim(core, broadcast, 2)
    async with opened(tmp_path) as core:
        assert await core.outbox.recover(core.now) == 2
        assert await core.outbox.recover(core.now) == 0
        assert await core.counts(broadcast) == {"queued": 3, "unknown": 2}
        report = await core.reports.report(broadcast, core.now)
        assert [(reason.state, reason.reason, reason.people) for reason in report.reasons] == [
            ("unknown", "crash", 2)
        ]
        rest = await claim(core, broadcast)
        assert {one.id for one in rest}.isdisjoint(one.id for one in taken)
        await core.outbox.receipt("bot", Receipt("SM1", "delivered", taken[0].key(1)), core.now)
        assert await state(core, taken[0]) == "delivered"


async def test_receipts_move_forward_in_any_order(core: Core) -> None:
    """Receipts in every order, each of them twice, around the answer at any place, never go back."""
    orders = [
        (order, place) for order in itertools.permutations(STATUSES, 3) for place in range(len(order) + 1)
    ]
    await core.take_in(people(len(orders)))
    broadcast = await core.announce()
    for one, (order, place) in zip(await claim(core, broadcast), orders, strict=True):
        best = 0
        for at, status in enumerate([*order, None]):
            if at == place:
                await settle(core, Settled(one, "sent", vendor_id="SM1"))
                best = max(best, RANK["sent"])
                assert RANK[await state(core, one)] == best
            for _ in range(2 if status else 0):
                assert status
                trouble = Refused("filtered") if status == "failed" else None
                await core.outbox.receipt("bot", Receipt("SM1", status, one.key(1), trouble), core.now)
                best = max(best, RANK[status])
                assert RANK[await state(core, one)] == best


@pytest.mark.parametrize("ended", ["failed", "expired", "cancelled", "unknown", "queued", "held", "next"])
async def test_a_late_answer_does_not_undo_a_receipt(core: Core, ended: Any) -> None:  # noqa: ANN401 - a word
    """A receipt that overtakes the answer to its own request stands, whatever the answer was taken for."""
    await core.take_in(people(1))
    [one] = await claim(core, await core.announce())
    await core.outbox.receipt("bot", Receipt("SM1", "delivered", one.key(1)), core.now)
    await settle(core, Settled(one, ended, "no-answer", due_at=core.now))
    assert await state(core, one) == "delivered"


@pytest.mark.parametrize(
    "key", [None, "", "7", "1.1.0", "1.1.0.1.1", "x.1.0.1", "9.9.0.1", "1..0.1", "9" * 40]
)
async def test_a_receipt_of_others_changes_nothing(core: Core, key: str | None) -> None:
    """A key that is missing, broken or of a delivery that is not there is passed over."""
    await core.take_in(people(1))
    [one] = await claim(core, await core.announce(), state="sent")
    await core.outbox.receipt("bot", Receipt("SM1", "read", key), core.now)
    assert await state(core, one) == "sent"


async def test_a_text_in_parts_goes_on_where_it_was(tmp_path: Path) -> None:
    """After a stop between two parts, the next one is sent, none twice and none left out."""
    clock = Clock()
    async with opened(tmp_path, clock) as core:
        await core.take_in(people(1))
        broadcast = await core.announce("larga")
        [one] = await claim(core, broadcast)
        text = await core.outbox.text(one.text)
        assert len(text.open) == 3
        await settle(core, Settled(one, "next", vendor_id="1", due_at=core.now + timedelta(seconds=1)))
        assert await claim(core, broadcast) == []  # a breath between two messages in one chat
    clock.skip(seconds=2)
    async with opened(tmp_path, clock) as core:
        assert await core.outbox.recover(core.now) == 0
        [second] = await claim(core, broadcast, state="next", due_at=core.now)
        [third] = await claim(core, broadcast, state="sent")
        assert [one.part, second.part, third.part] == [0, 1, 2]
        assert len({one.key(3), second.key(3), third.key(3)}) == 3
        assert await claim(core, broadcast) == []
        assert await core.counts(broadcast) == {"sent": 1}


async def test_a_begun_text_goes_before_the_next_person(core: Core) -> None:
    """The second part of a text does not wait until everybody else has got their first."""
    await core.take_in(people(3))
    broadcast = await core.announce("larga")
    [first] = await claim(core, broadcast, 1, state="next", due_at=core.now)
    [then] = await claim(core, broadcast, 1)
    assert (then.id, then.part) == (first.id, 1)


async def test_an_early_receipt_of_a_first_part_is_not_the_end(core: Core) -> None:
    """A text has arrived when its last part has, even where a first part's receipt overtakes its answer."""
    await core.take_in(people(1))
    broadcast = await core.announce("larga")
    parts = []
    for part, ended in enumerate(("next", "next", "sent")):
        [one] = await claim(core, broadcast)
        parts.append(one)
        assert one.part == part
        if part < 2:
            await core.outbox.receipt("bot", Receipt(f"SM{part}", "delivered", one.key(3)), core.now)
            assert await state(core, one) == "queued"  # for its next part
            core.clock.skip(seconds=2)
        await settle(core, Settled(one, ended, due_at=core.now))  # type: ignore[arg-type]  # a word of ours
    for part in (0, 1, 0):
        await core.outbox.receipt("bot", Receipt(f"SM{part}", "read", parts[part].key(3)), core.now)
        assert await state(core, one) == "sent"
    await core.outbox.receipt("bot", Receipt("SM2", "delivered", parts[2].key(3)), core.now)
    assert await state(core, one) == "delivered"


async def test_a_part_that_failed_fails_the_whole(core: Core) -> None:
    """When the vendor could not deliver the first part, the rest is not sent."""
    await core.take_in(people(1))
    broadcast = await core.announce("larga")
    [one] = await claim(core, broadcast, state="next", due_at=core.now)
    await core.outbox.receipt("bot", Receipt("SM0", "failed", one.key(3), Refused("filtered")), core.now)
    assert await core.counts(broadcast) == {"failed": 1}
    assert await claim(core, broadcast) == []


@pytest.mark.parametrize(("left", "state"), [(True, "left"), (False, "gone")])
async def test_a_failed_receipt_tells_of_the_person_once(core: Core, state: str, *, left: bool) -> None:
    """Who is not there is not written to again, until they come back; a replay does not undo that."""
    await core.take_in(people(1))
    [one] = await claim(core, await core.announce(), state="sent")
    receipt = Receipt("SM1", "failed", one.key(1), Gone("blocked", left=left))
    await core.outbox.receipt("bot", receipt, core.now)
    assert await person_state(core) == state
    again = await core.announce(moment="again")
    assert await core.counts(again) == {}
    await set_person(core, "active")
    await core.outbox.receipt("bot", receipt, core.now)
    assert await person_state(core) == "active"
    withdrawn = await core.rows("SELECT how FROM consents WHERE action = 'withdrawn'")
    assert withdrawn == ([("telegram",)] if left else [])


async def test_their_own_word_stands_above_the_vendors(core: Core) -> None:
    """Who left and whose number died since is still one who left: no import brings them back."""
    await core.take_in(people(1))
    [one] = await claim(core, await core.announce())
    await set_person(core, "left")
    await settle(core, Settled(one, "failed", "dead-number", person="gone"))
    await core.take_in(people(1))
    assert await person_state(core) == "left"


async def test_who_moved_is_written_to_there(core: Core) -> None:
    """A new address that the vendor tells takes the place of the old one."""
    await core.take_in(people(1))
    broadcast = await core.announce()
    moved = core.vault.seal("telegram", chat(50))
    await claim(core, broadcast, state="queued", due_at=core.now, moved_to=moved)
    [one] = await claim(core, broadcast)
    assert one.sealed == moved


async def test_who_moved_to_somebody_we_know_is_gone(core: Core) -> None:
    """Two addresses that became one are one person: they are written to once, and not for ever."""
    await core.take_in([person(chat(0)), person(chat(50))])
    broadcast = await core.announce()
    [old, _] = await claim(core, broadcast, 2)
    moved = core.vault.seal("telegram", chat(50))
    await settle(core, Settled(old, "queued", "moved", due_at=core.now, moved_to=moved))
    [again] = await claim(core, broadcast)
    assert (again.id, again.person) == (old.id, "gone")


async def test_a_settlement_of_an_older_claim_changes_nothing(core: Core) -> None:
    """What is said of a claim that was handed back and taken again does not end the new one."""
    await core.take_in(people(1))
    broadcast = await core.announce()
    [old] = await claim(core, broadcast, state="queued", due_at=core.now)
    [new] = await claim(core, broadcast)
    assert new.attempt == old.attempt + 1
    for ended in ("sent", "queued", "failed", "next"):
        await settle(core, Settled(old, ended, due_at=core.now))
    assert await state(core, new) == "claimed"


async def test_a_sender_rests_as_long_as_the_longest_wait(tmp_path: Path) -> None:
    """What a vendor asked is kept over a restart, and a shorter wait does not cut a longer one."""
    async with opened(tmp_path) as core:
        await core.take_in(people(3))
        claims = await claim(core, await core.announce())
        until = core.now + timedelta(hours=1)
        for one, wait in zip(claims, (0, 60, -60), strict=True):
            lane_until = until + timedelta(seconds=wait)
            await settle(core, Settled(one, "queued", "too-fast", due_at=core.now, lane_until=lane_until))
        longest = until + timedelta(seconds=60)
    async with opened(tmp_path) as core:
        kept = await core.outbox.wait_until("bot")
        assert kept is not None
        assert abs(kept - longest) < timedelta(milliseconds=2)
        assert await core.outbox.wait_until("sms") is None


def test_parts_are_stored_as_they_were() -> None:
    """What was rendered is what is sent: nothing of a part is lost on its way through the database."""
    template = Template("HX" + "0" * 32, {"1": "Feria «ñ» 🎉"})
    parts = [
        Part("<b>Hola</b> ñ 🎉\n", "html", "utf-16", 12, 1),
        Part("Feria", "template", "utf-16", 5, 1, template),
        Part(
            "¿Cuál?",
            "html",
            "utf-16",
            6,
            1,
            choices=(Choice("Sí", "yes"), Choice("Aquí", "here", place=True)),
        ),
    ]
    assert load_parts(dump_parts(parts)) == parts
