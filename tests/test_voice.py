"""What people say to their consulate by chat, and what becomes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bot import check
from bot.broadcasts import Broadcasts
from bot.broadcasts.reports import Reports
from bot.broadcasts.wanted import Wanted
from bot.current import Current
from tests.talking import CITLALI, JOEL, ROSA, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """The starter deployment."""
    async with talking(tmp_path) as talk:
        yield talk


async def reference(talk: Talk, text: str) -> str:
    """The number by which a message of Rosa's is known afterwards."""
    reply = await talk.say(text)
    assert reply
    found = re.search(r"R-[A-Z0-9]{4}", reply.text)
    assert found, reply.text
    return found[0]


async def test_a_proposal_reaches_the_consulate(talk: Talk) -> None:
    """With PROPUESTA and the words, or the words one message later; the desk reads them under a reference."""
    first = await reference(talk, "PROPUESTA que abran los domingos para los que trabajamos en el fil")
    reply = await talk.say("propuesta")
    assert reply
    assert "Escribe tu propuesta" in reply.text
    second = await reference(talk, "clases de computación para señoras grandes")
    inbox = talk.app.inbox
    assert {one.reference: one.kind for one in await inbox.listed()} == {
        first: "proposal",
        second: "proposal",
    }
    [letter] = await inbox.read(second)
    assert letter.text == "clases de computación para señoras grandes"


async def test_what_nobody_could_answer_goes_on_only_with_a_yes(talk: Talk) -> None:
    """An unknown question is passed on only with a yes, in their own words."""
    asked = "que clase de perico verde canta mejor en la mañana"
    reply = await talk.say(asked)
    assert reply
    assert "¿Se la pasamos a tu consulado?" in reply.text
    await talk.say("no")
    assert await talk.app.inbox.listed() == []
    await talk.say(asked)
    name = await reference(talk, "sí")
    [letter] = await talk.app.inbox.read(name)
    assert letter.text == asked
    [gap] = await talk.app.figures.gaps()
    assert gap.times is None, "fewer than ten are not told"
    assert "perico" in gap.question


async def test_a_thread_is_its_writers_alone(talk: Talk) -> None:
    """Its number tells the writer how it stands and lets them add to it; anybody else learns nothing."""
    name = await reference(talk, "PREGUNTA cuando abren otra vez la ventanilla de salud de aqui")
    stranger = await talk.say(name, CITLALI, "whatsapp")
    assert stranger
    assert f"No encontré {name}" in stranger.text
    state = await talk.say(name.lower())
    assert state
    assert "ya lo recibió" in state.text
    await talk.say(f"{name} es para mi mamá")
    assert [letter.text for letter in await talk.app.inbox.read(name)][-1] == "es para mi mamá"
    await talk.app.inbox.reply(name, "El lunes a las **9**.", talk.now)
    state = await talk.say(name)
    assert state
    assert "ya te contestó" in state.text


async def test_a_thank_you_opens_nothing(talk: Talk) -> None:
    """Who thanks for an answer is thanked, and the desk has nothing to answer; who asks on has its ear."""
    name = await reference(talk, "PREGUNTA cuando abren otra vez la ventanilla de salud de aqui")
    inbox = talk.app.inbox
    await inbox.reply(name, "El lunes a las **9**.", talk.now)
    reply = await talk.say(f"{name} gracias")
    assert reply
    assert "Con gusto" in reply.text
    thread = await inbox.get(name)
    assert (thread.state, thread.waits, len(await inbox.read(name))) == ("answered", False, 2)
    await talk.say(f"{name} gracias pero a que hora cierran")
    assert (await inbox.get(name)).waits


async def test_what_is_closed_is_told_to_be_closed(talk: Talk) -> None:
    """Its writer hears that nobody answers any more; thanks leave it closed; the desk sees nothing to do."""
    name = await reference(talk, "PREGUNTA cuando abren otra vez la ventanilla de salud de aqui")
    inbox = talk.app.inbox
    await inbox.close(name, talk.now)
    assert not (await inbox.get(name)).waits
    reply = await talk.say(name)
    assert reply
    assert "ya cerró" in reply.text
    await talk.say(f"{name} muchas gracias")
    assert await inbox.listed() == []
    await talk.say(f"{name} y los sabados")
    assert [one.reference for one in await inbox.listed()] == [name]


async def test_an_answer_waits_for_the_window(talk: Talk) -> None:
    """On WhatsApp, a day after they wrote, the consulate's answer is held until they write again."""
    reply = await talk.say("pregunta para el consul sobre la fiesta del pueblo", CITLALI, "whatsapp")
    assert reply
    found = re.search(r"R-[A-Z0-9]{4}", reply.text)
    assert found
    await talk.sent()
    await talk.later(hours=25)
    await talk.app.inbox.reply(found[0], "Es el 5 de mayo.", talk.now)
    assert (await talk.rows("SELECT state, reason FROM deliveries ORDER BY id DESC LIMIT 1")) == [
        ("held", "window")
    ]
    await talk.say("gracias", CITLALI, "whatsapp")
    assert await talk.rows("SELECT count(*) FROM deliveries WHERE state = 'held'") == [(0,)]


async def test_goodbye_withdraws_what_was_held(talk: Talk) -> None:
    """Whoever leaves with their next word does not get the answer that waited for it."""
    reply = await talk.say("pregunta para el consul sobre la fiesta del pueblo", CITLALI, "whatsapp")
    assert reply
    found = re.search(r"R-[A-Z0-9]{4}", reply.text)
    assert found
    await talk.sent()
    await talk.later(hours=25)
    await talk.app.inbox.reply(found[0], "Es el 5 de mayo.", talk.now)
    await talk.say("BAJA", CITLALI, "whatsapp")
    assert await talk.rows("SELECT count(*) FROM deliveries WHERE state IN ('held', 'queued')") == [(1,)]


async def test_an_opinion_counts_once(talk: Talk) -> None:
    """¿Te sirvió?: by tap or by number, counted for the entry and the community, once a person."""
    community = talk.app.project.communities["fresno"]
    object.__setattr__(community, "opinions", True)  # as `ask_opinions = true` in its file
    reply = await talk.say("pasaporte")
    assert reply
    assert reply.offers["Sí"] == "#useful:pasaporte:yes"
    for _ in range(3):
        await talk.say("#useful:pasaporte:yes")
    await talk.say("pasaporte", JOEL, "sms")
    await talk.say("2", JOEL, "sms")
    assert await talk.rows("SELECT entry, community, useful, useless FROM opinions") == [
        ("pasaporte", "fresno", 1, 1)
    ]


async def test_after_an_event_people_are_asked_whether_it_was_of_use(talk: Talk, tmp_path: Path) -> None:
    """An announcement that asks about another is answered with a number, and counted for that other."""
    folder = tmp_path / "content/announcements/como-te-fue"
    folder.mkdir()
    front = 'title = "¿Fuiste?"\nasks_about = "consulado-movil"\nsms = "¿Fuiste al consulado móvil?"'
    (folder / "es.md").write_text(f"+++\n{front}\n+++\n¿Fuiste al consulado móvil?\n", encoding="utf-8")
    project, findings = check.read(tmp_path / "config.toml", {}, talk.now)
    assert project, findings
    await talk.say("ALTA", JOEL, "sms")
    await talk.say("SI", JOEL, "sms")
    for _ in range(3):
        await talk.say("saltar", JOEL, "sms")
    await talk.say("pasaporte", JOEL, "sms")
    current = Current(project)
    made = Broadcasts(talk.app.store, current, Reports(talk.app.store, current))
    entry, place = project.library.entries["como-te-fue"], project.communities["fresno"]
    await made.announce(Wanted(entry, place, "now", talk.now), by="Ana", now=talk.now)
    [(text,)] = await talk.rows("SELECT open FROM texts WHERE broadcast IS NOT NULL AND channel = 'sms'")
    assert "¿Te sirvió?" in text.replace("sirvio", "sirvió")
    await talk.say("1", JOEL, "sms")
    assert await talk.rows("SELECT entry, useful, useless FROM opinions") == [("consulado-movil", 1, 0)]


async def test_a_long_answer_goes_on_with_mas(talk: Talk) -> None:
    """By SMS the short text comes first; MÁS gives the rest page by page, of few segments, to its end."""
    first = await talk.say("pasaporte", JOEL, "sms")
    assert first
    pages = [first.text]
    for _ in range(20):
        page = await talk.say("más", JOEL, "sms")
        assert page
        if "Es todo" in page.text:
            break
        pages.append(page.text)
    assert len(pages) > 2
    assert len(set(pages)) == len(pages)
    assert all(len(page) < 640 for page in pages)
    body = talk.app.project.library.entries["pasaporte"].editions["es"].body
    for word in ("PASAPORTE", "OP-5"):
        assert (word in body) == (word in "".join(pages))


async def test_more_than_one_answer_is_chosen_by_number(talk: Talk) -> None:
    """Where several answers fit, a number, a name or a tap leads to one."""
    reply = await talk.say("estoy en springfield", JOEL, "sms")
    assert reply
    assert "1 " in reply.text
    chosen = await talk.say("2", JOEL, "sms")
    assert chosen
    assert "Consulado" in chosen.text
    assert ROSA
