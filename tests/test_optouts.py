"""What people said last outlives the database: whoever left is out, whatever back-up is put back."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot import consent
from bot import optouts as words
from bot.moments import month_of, to_ms
from bot.optouts import Replayed
from bot.store import Unusable, copies, optouts, sql
from channels.base import Heard, Receipt
from channels.trouble import Gone
from tests.core import Core, chat, number, opened, people, person
from tests.talking import CITLALI, JOEL, ROSA, talking

if TYPE_CHECKING:
    from pathlib import Path

    from bot.store import Transaction

Said = Literal["join", "leave", "forget", "erase", "back up"]
STEPS = st.lists(st.tuples(st.sampled_from([*Said.__args__]), st.integers(0, 3)), max_size=25)  # type: ignore[attr-defined] # a Literal has them


def last_words(core: Core) -> dict[bytes, optouts.Word]:
    return optouts.read(core.folder / "pregonero.db") or {}


async def test_each_road_out_is_written_down(tmp_path: Path) -> None:
    """By their own words, by the vendor's, or for good: it stands in the file, and no address does."""
    async with talking(tmp_path) as talk:
        vault, database = talk.app.vault, talk.app.project.settings.database_path
        await talk.say("#join")
        await talk.say("ALTA", JOEL, "sms")
        await talk.say("SI", JOEL, "sms")
        await talk.say("alta", CITLALI, "whatsapp")
        await talk.say("ya no me manden mensajes")
        await talk.hear(Heard("s1", JOEL, "STOP", left=True), "sms")
        await talk.say("borrar mis datos", CITLALI, "whatsapp")
        assert optouts.read(database) == {
            vault.tag("telegram", ROSA): "withdrawn",
            vault.tag("sms", JOEL): "withdrawn",
            vault.tag("whatsapp", CITLALI): "erased",
        }
        file = optouts.path_of(database)
        assert file.stat().st_mode & 0o777 == 0o600
        assert not [who for who in (ROSA, JOEL[1:], CITLALI[1:]) if who.encode() in file.read_bytes()]
        await talk.say("ALTA")
        assert (optouts.read(database) or {})[vault.tag("telegram", ROSA)] == "given"


async def test_what_a_vendor_or_the_desk_says_is_written_down(core: Core) -> None:
    """A receipt that tells of a STOP, and an erasure at the desk."""
    await core.take_in([person(number(n), channel="sms") for n in range(2)])
    broadcast = await core.announce()
    [claim, _] = await core.outbox.turn("sms", [], [(broadcast, None)], 2, core.now)
    stop = Gone("opted-out", left=True)
    await core.outbox.receipt("sms", Receipt("SM1", "failed", claim.key(1), stop), core.now)
    await core.subscribers.erase("sms", number(1), core.now)
    tags = [core.vault.tag("sms", number(n)) for n in range(2)]
    assert last_words(core) == dict(zip(tags, ("withdrawn", "erased"), strict=True))


async def test_nobody_is_out_whose_word_was_not_kept(core: Core) -> None:
    """Where the file cannot be written for want of room, nothing is changed, so nobody is told otherwise."""
    await core.take_in(people(1))
    optouts.path_of(core.folder / "pregonero.db").symlink_to("/dev/full")
    with pytest.raises(Unusable) as told:
        await core.store.write(lambda tx: consent.leave(tx, core.vault, 1, "telegram", core.now))
    assert told.value.why == "full"
    assert await core.rows("SELECT state FROM subscribers") == [("active",)]
    assert await core.rows("SELECT count(*) FROM consents WHERE action = 'withdrawn'") == [(0,)]


async def test_a_line_that_was_cut_off_harms_no_other(core: Core) -> None:
    """Half a line, as a full disk leaves it, is no word, and the next one is a whole one."""
    await core.take_in(people(2))
    file = optouts.path_of(core.folder / "pregonero.db")
    file.write_text(f"\n{core.vault.tag('telegram', chat(0)).hex()} withd")
    await core.store.write(lambda tx: consent.leave(tx, core.vault, 2, "telegram", core.now))
    assert last_words(core) == {core.vault.tag("telegram", chat(1)): "withdrawn"}


async def test_work_that_is_taken_back_says_nothing(core: Core) -> None:
    """A word of a work that fails is not written: it will be said again when that is done."""
    await core.take_in(people(1))

    def half(tx: Transaction) -> None:
        consent.leave(tx, core.vault, 1, "telegram", core.now)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await core.store.write(half)
    assert last_words(core) == {}


async def say(core: Core, word: Said, n: int) -> None:
    """The n-th person says something, as chat and desk would have it."""
    now, address = core.now, chat(n)
    if word == "erase":
        await core.subscribers.erase("telegram", address, now)
        return
    sealed = core.vault.seal("telegram", address)
    visitor: dict[str, object] = {
        "channel": "telegram",
        "address": sealed,
        "language": "es",
        "community": "fresno",
    }
    visitor |= {"heard_at": to_ms(now), "joined": month_of(now), "forget_at": None, "marketing": None}

    def work(tx: Transaction) -> None:
        who = tx.rows(sql.SUBSCRIBER_HEARD, visitor)[0]["id"]
        if word == "join":
            consent.join(tx, core.vault, who, "telegram", "alta.es#1", now)
        elif word == "leave":
            consent.leave(tx, core.vault, who, "telegram", now)
        else:
            consent.forget(tx, core.vault, who, now)
            consent.erase(tx, who)

    await core.store.write(work)


async def states(core: Core) -> dict[str, str]:
    """Each person's state."""
    rows = await core.rows("SELECT address, state FROM subscribers")
    return {core.vault.open("telegram", address): state for address, state in rows}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=[("forget", 0), ("leave", 0), ("back up", 0), ("forget", 0)])
async def test_whoever_said_no_last_is_out(tmp_path: Path, steps: list[tuple[Said, int]]) -> None:
    """Whatever was said before and after a back-up: put back, it holds everybody to their last word, and a
    list that is imported after brings nobody back who left.
    """
    folder = tmp_path / str(len(list(tmp_path.iterdir())))  # noqa: ASYNC240 - a test's
    last: dict[str, str] = {}
    async with opened(make(folder / "live")) as core:
        await core.take_in(people(3))
        copies.copy(core.folder / "pregonero.db", make(folder / "back") / "pregonero.db")
        for word, n in steps:
            if word == "back up":
                copies.copy(core.folder / "pregonero.db", folder / "back" / "pregonero.db")
            else:
                await say(core, word, n)
                last[chat(n)] = word
        if last:
            file = optouts.path_of(core.folder / "pregonero.db")
            shutil.copy(file, folder / "back")
    async with opened(folder / "back") as back:
        before = await states(back)
        database = back.folder / "pregonero.db"
        replay = lambda tx: words.replay(tx, back.vault, database, back.now)  # noqa: E731 - twice the same
        await back.store.write(replay)
        meant = {"join": "active", "leave": "left"}
        assert await states(back) == {
            who: meant[last[who]] if who in last else state
            for who, state in before.items()
            if last.get(who) not in ("forget", "erase")
        }
        assert await back.store.write(replay) == Replayed()
        await back.take_in(people(4))
        assert {who for who, state in (await states(back)).items() if state == "active"} == {
            chat(n) for n in range(4) if last.get(chat(n), "join") == "join"
        }


async def test_who_was_erased_may_ask_again(core: Core) -> None:
    """A stranger who was erased once, and asks something now, is not swept away when a copy is armed."""
    await core.take_in(people(1))
    await say(core, "erase", 0)
    await core.store.write(
        lambda tx: tx.run(
            "INSERT INTO subscribers (channel, address, language, community, state, joined)"
            " VALUES ('telegram', :sealed, 'es', 'fresno', 'visitor', '2026-11')",
            {"sealed": core.vault.seal("telegram", chat(0))},
        )
    )
    database = core.folder / "pregonero.db"
    assert await core.store.write(lambda tx: words.replay(tx, core.vault, database, core.now)) == Replayed()
    assert await states(core) == {chat(0): "visitor"}


def make(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir(parents=True)
    return folder


async def test_a_long_file_is_shortened(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of somebody who comes and goes all day only the last word is kept; nothing else is forgotten."""
    monkeypatch.setattr(words, "_SHORT", 100)
    await core.take_in(people(3))
    database = core.folder / "pregonero.db"
    await core.subscribers.erase("telegram", chat(2), core.now)
    for _ in range(20):
        await say(core, "join", 0)
        await say(core, "leave", 0)
    before = last_words(core)
    await words.shorten(core.store)
    assert optouts.path_of(database).stat().st_size < 200
    assert last_words(core) == before
    await say(core, "join", 0)
    assert last_words(core)[core.vault.tag("telegram", chat(0))] == "given"
