"""Each message is answered once, in its order, by how things stand; none of them keeps the others waiting."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import sys
import tempfile
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.acting import Acting
from bot.conversation import Answer, Asker, Conversation
from channels.base import Heard
from tests.deadly_word import POISON
from tests.deployment import Deployment, Working, deploy
from tests.talking import ROSA, talking
from tests.test_hooks import heard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from bot.conversation.answers import Act
    from tests.conftest import Rehearsal
    from tests.talking import Talk

ROOT = Path(__file__).parents[1]
WORDS = (
    "hola",
    "alta",
    "baja",
    "english",
    "español",
    "1",
    "2",
    "fresno",
    "pasaporte",
    "más",
    "sí",
    "temas",
)
"""Each is answered by what was said before it."""

messages = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(WORDS)), min_size=2, max_size=12)
"""Who of three writes what, in the order in which it arrives."""


async def known(talk: Talk, address: str) -> list[Any]:
    """All that is known of somebody, and what they were told, in order."""
    sealed = talk.app.vault.seal("telegram", address)
    told = """
        SELECT t.open FROM inbounds i JOIN deliveries d ON d.inbound = i.id JOIN texts t ON t.id = d.text
        WHERE i.subscriber = (SELECT id FROM subscribers WHERE address = :sealed) ORDER BY i.id
    """
    stands = """
        SELECT s.state, s.language, s.community, a.question, a.choices, a.kept IS NULL
        FROM subscribers s LEFT JOIN asked a ON a.subscriber = s.id WHERE s.address = :sealed
    """
    return [await talk.rows(said, sealed=sealed) for said in (told, stands)]


async def arrive(talk: Talk, written: list[Heard], together: list[int]) -> None:
    """Let messages arrive in groups of these sizes, each as one call of a vendor, all of them at once."""
    left, calls, sizes = list(written), [], itertools.cycle(together)
    while left:
        size = next(sizes)
        calls.append(talk.inbounds.accept("bot", left[:size], talk.now))
        left = left[size:]
    await asyncio.gather(*calls)


@settings(max_examples=5, deadline=None)
@given(
    st.lists(st.tuples(messages, st.lists(st.integers(1, 5), min_size=1, max_size=4)), min_size=1, max_size=5)
)
def test_whatever_arrives_at_once_is_answered_as_if_it_came_one_by_one(
    scenes: list[tuple[list[tuple[int, str]], list[int]]],
) -> None:
    """However vendors call, also twice: each person's messages are answered once each, in their order."""

    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with talking(Path(folder) / "d") as talk:
                for scene, (written, together) in enumerate(scenes):
                    alone, crowd = (
                        [
                            Heard(f"{how}.{scene}.{n}", f"{scene + 1}{how}{who}", text)
                            for n, (who, text) in enumerate(written)
                        ]
                        for how in (1, 2)
                    )
                    for one in alone:
                        await talk.inbounds.accept("bot", [one], talk.now)
                    await arrive(talk, crowd, together)
                    await arrive(talk, crowd, together)  # the vendor did not hear that we have it
                    for one, other in zip(alone, crowd, strict=True):
                        assert await known(talk, one.address) == await known(talk, other.address)

    asyncio.run(play())


async def test_an_answer_is_given_by_how_things_stand_when_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's language is changed while their message is read: the answer is in the new one, once."""
    answer = Conversation.answer
    read = []

    def meanwhile(self: Conversation, text: str, asker: Asker, now: datetime) -> Answer:
        read.append(asker.language)
        if len(read) == 2:  # another process imports a list
            with closing(sqlite3.connect(tmp_path / "d" / "pregonero.db")) as other, other:
                other.execute("UPDATE subscribers SET language = 'en-US'")
        return answer(self, text, asker, now)

    monkeypatch.setattr(Conversation, "answer", meanwhile)
    async with talking(tmp_path / "d") as talk:
        await talk.say("alta", hint="es")
        reply = await talk.say("#help")
        assert reply is not None
        assert "Write" in reply.text
        assert read[1:] == ["es-MX", "en-US"]


async def test_a_fault_of_ours_silences_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom we cannot read, or whose wish we cannot write down, gets an honest word, and the others theirs."""
    fault = ValueError("a fault of ours")
    answer, perform = Conversation.answer, Acting.perform

    def hear(self: Conversation, text: str, asker: Asker, now: datetime) -> Answer:
        if text == "lee":
            raise fault
        return answer(self, text, asker, now)

    def act(self: Acting, acts: Sequence[Act]) -> dict[str, str]:
        if acts and self._asker.state == "active":
            raise fault
        return perform(self, acts)

    monkeypatch.setattr(Conversation, "answer", hear)
    async with talking(tmp_path / "d") as talk:
        await talk.say("alta")
        helped = await talk.say("ayuda", "102")
        assert helped is not None
        monkeypatch.setattr(Acting, "perform", act)
        sorry, sorry_too, fine = await asyncio.gather(
            *(
                talk.inbounds.accept("bot", [Heard(f"x{who}", who, text)], talk.now)
                for who, text in ((ROSA, "baja"), ("103", "lee"), ("104", "hola"))
            ),
            return_exceptions=True,
        )
        assert sorry is sorry_too is fine is None
        for who, times in ((ROSA, 2), ("103", 1), ("104", 1)):
            told, _ = await known(talk, who)
            assert len(told) == times
        assert (await known(talk, "103"))[0] == (await known(talk, "102"))[0]
        assert await talk.state() == ("active", "es-MX", "fresno")  # nothing of it was half done


async def test_what_an_earlier_version_stored_is_answered(tmp_path: Path) -> None:
    """It stored messages before it read them: they are answered at the next start, a damaged one is not."""
    async with talking(tmp_path / "d") as talk:
        await talk.say("alta")
        store = "UPDATE inbounds SET text = :text WHERE vendor_id = 'v0'"
        sealed = talk.app.vault.seal_text("baja", "inbounds|bot|v0")
        await talk.app.store.write(lambda tx: tx.run(store, {"text": sealed}))
        await talk.app.store.write(lambda tx: tx.run("DELETE FROM deliveries"))
        while await talk.inbounds.answer_waiting(talk.now):
            pass
        assert (await talk.state() or ())[0] == "left"
        assert len(await talk.rows("SELECT 1 FROM deliveries")) == 1
        await talk.app.store.write(lambda tx: tx.run(store, {"text": b"damaged"}))
        assert await talk.inbounds.answer_waiting(talk.now) == 1
        assert await talk.inbounds.answer_waiting(talk.now) == 0


@asynccontextmanager
async def life(made: Deployment) -> AsyncIterator[Working]:
    """A service that one word kills."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.deadly_word", "run"),
        cwd=made.folder,
        env=made.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Working(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("updates", ["webhook", "polling"])
async def test_a_message_that_kills_whoever_reads_it_is_read_by_a_person(
    tmp_path: Path, rehearsal: Rehearsal, updates: str
) -> None:
    """Three processes die of it; the fourth says so, gives it to staff, and answers the others."""
    made = deploy(tmp_path, rehearsal.url, updates=updates)
    people = [("telegram", address, "es", "fresno") for address in ("101", "103")]
    await rehearsal.people(*({"channel": "telegram", "address": one[1], "shown": True} for one in people))
    await made.take_in(people)
    async with life(made) as working:  # once, so that Telegram knows where we are
        await working.line(made.url)
        await rehearsal.say("telegram", "103", "ayuda")
        await heard(rehearsal, "telegram", "103", "Escribe PASAPORTE")
        await working.stop()
    await rehearsal.say("telegram", "101", POISON)
    await rehearsal.say("telegram", "103", "pasaporte")
    for _ in range(3):
        async with life(made) as working, asyncio.timeout(30):
            assert await working.process.wait() == 139
    async with life(made) as working:
        await heard(rehearsal, "telegram", "101", "Guarda este número")
        await heard(rehearsal, "telegram", "103", "Trae tu acta")
        ended = await working.stop()
    assert "answer.quarantined" in ended.err
    assert POISON not in ended.err
    [(reference,)] = made.rows("SELECT reference FROM threads")
    assert POISON in (await made.do("inbox", "read", reference)).out
    assert made.rows("SELECT count(*), max(deaths) FROM inbounds WHERE text IS NULL") == [(3, 3)]
