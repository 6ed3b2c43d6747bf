"""Subscribers: who joined, who left, who was forgotten, and what the ledger says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot import consent
from bot.store import Unusable
from bot.subscribers import Imported, Subscribers
from bot.vault import Vault, new_key
from tests.core import Core, chat, number, opened, people, person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    """The core over a new database."""
    async with opened(tmp_path) as core:
        yield core


async def the_one(core: Core) -> tuple[str, str, str]:
    """Language, community and state of the only subscriber there is."""
    [(language, community, state)] = await core.rows("SELECT language, community, state FROM subscribers")
    return language, community, state


async def their_word(core: Core, word: str) -> None:
    """The only subscriber joins or leaves."""
    [(who,)] = await core.rows("SELECT id FROM subscribers")
    now = core.now
    if word == "leave":
        await core.store.write(lambda tx: consent.leave(tx, core.vault, who, "telegram", now))
    else:
        await core.store.write(lambda tx: consent.join(tx, core.vault, who, "telegram", "alta.es#1", now))


async def ledger(core: Core) -> list[tuple[Any, ...]]:
    return await core.rows("SELECT action, how, month FROM consents ORDER BY id")


async def test_an_import_makes_subscribers(core: Core) -> None:
    """Everybody in a list is there once, sealed, with topics and a line in the ledger."""
    done = await core.subscribers.take_in([*people(5), person(chat(9), "salud", "familia")], core.now)
    assert done == Imported(active=6, known=0, left=0, forgotten=0)
    assert await core.rows("SELECT topic FROM topics ORDER BY topic") == [("familia",), ("salud",)]
    assert await ledger(core) == [("given", "web", "2026-11")] * 6
    [group] = await core.subscribers.counted()
    assert (group.community, group.channel, group.language, group.state) == (
        "fresno",
        "telegram",
        "es",
        "active",
    )
    assert group.people == 6


async def test_importing_again_adds_nobody(core: Core) -> None:
    """The same list once more changes languages and topics, and makes nobody twice."""
    await core.take_in([person(chat(1), "salud")])
    await core.take_in([person(chat(1), "familia", language="nah", community="noche")])
    assert await core.rows("SELECT topic FROM topics") == [("familia",)]
    assert await the_one(core) == ("nah", "noche", "active")


async def test_one_bad_row_takes_in_nobody(core: Core) -> None:
    """An import that fails in the middle leaves no one behind."""
    newcomers = [*people(3), person(chat(9), channel="sms", language=None)]  # type: ignore[arg-type]  # a fault of ours
    with pytest.raises(Exception, match="language"):
        await core.subscribers.take_in(newcomers, core.now)
    assert await core.rows("SELECT 1 FROM subscribers UNION SELECT 1 FROM consents") == []


async def test_who_left_is_not_brought_back(core: Core) -> None:
    """An import does not undo a person's word; their own word does, and the ledger tells it all."""
    await core.take_in([person(chat(1), "salud")])
    await their_word(core, "leave")
    done = await core.subscribers.take_in([person(chat(1))], core.now)
    assert done == Imported(active=0, known=0, left=1, forgotten=0)
    assert (await the_one(core))[2] == "left"
    await their_word(core, "join")
    assert (await the_one(core))[2] == "active"
    assert [row[0] for row in await ledger(core)] == ["given", "withdrawn", "given"]


async def test_who_was_forgotten_is_not_stored_again(core: Core) -> None:
    """After an erasure nothing is left but a tag, and an import of the same address stores nothing."""
    await core.take_in([person(number(1), "salud", channel="sms"), person(number(2), channel="sms")])
    assert await core.subscribers.erase("sms", number(1), core.now)
    assert not await core.subscribers.erase("sms", number(1), core.now)
    done = await core.subscribers.take_in([person(number(1), channel="sms")], core.now)
    assert done == Imported(active=0, known=0, left=0, forgotten=1)
    assert await core.rows("SELECT count(*) FROM subscribers") == [(1,)]
    assert await core.rows("SELECT count(*) FROM topics") == [(0,)]
    assert ("erased", "desk", "2026-11") in await ledger(core)


async def test_who_was_never_there_can_ask_to_be_forgotten(core: Core) -> None:
    """A stranger who wants no messages ever is recognised in a later import."""
    assert not await core.subscribers.erase("whatsapp", number(1), core.now)
    done = await core.subscribers.take_in([person(number(1), channel="whatsapp")], core.now)
    assert done.forgotten == 1


async def test_the_forgotten_come_back_by_their_own_word(core: Core) -> None:
    """Who asked to be forgotten and joins again themselves is a subscriber like any other."""
    await core.take_in([person(chat(1))])
    await their_word(core, "join")
    await core.subscribers.erase("telegram", chat(2), core.now)
    await their_word(core, "join")
    assert await core.rows("SELECT count(*) FROM suppressed") == [(1,)]  # somebody else's
    tag = core.vault.tag("telegram", chat(1))
    await core.store.write(lambda tx: tx.run("INSERT INTO suppressed VALUES (:tag, '2026-11')", {"tag": tag}))
    await their_word(core, "join")
    assert await core.rows("SELECT count(*) FROM suppressed") == [(1,)]


async def test_an_erased_persons_deliveries_stay_counted(core: Core) -> None:
    """A report still counts what was sent to somebody who was erased since, without knowing whom."""
    await core.take_in(people(2))
    broadcast = await core.announce()
    await core.subscribers.erase("telegram", chat(0), core.now)
    assert await core.counts(broadcast) == {"queued": 2}
    claims = await core.outbox.turn("bot", [], [(broadcast, None)], 10, core.now)
    assert sorted(claim.sealed is None for claim in claims) == [False, True]


async def test_another_key_is_told_at_once(core: Core) -> None:
    """A database is not opened with a key that did not seal it: nobody would be found in it again."""
    with pytest.raises(Unusable) as told:
        await Subscribers(core.store, Vault(new_key())).keep_key()
    assert told.value.why == "other-key"
