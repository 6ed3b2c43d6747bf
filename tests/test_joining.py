"""Coming in, choosing, leaving and being forgotten by chat: what people write, and what then is so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channels.base import Heard
from tests.talking import CITLALI, JOEL, ROSA, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from channels.base import ChannelName


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """The starter deployment."""
    async with talking(tmp_path) as talk:
        yield talk


async def offered(talk: Talk, text: str, **who: str) -> dict[str, str]:
    """What can be tapped under the answer to something."""
    reply = await talk.say(text, **who)  # type: ignore[arg-type] # names of say's own
    assert reply
    return reply.offers


async def test_two_taps_are_enough(talk: Talk) -> None:
    """On Telegram: start, one tap to join, one for the language; the rest can be skipped with a tap each."""
    offers = await offered(talk, "/start", hint="en")
    assert {"#join", "#help"} <= set(offers.values())
    assert await talk.state() == ("visitor", "en-US", "fresno")
    offers = await offered(talk, "#join")
    assert await talk.state() == ("active", "en-US", "fresno")
    assert {"#language:es-MX", "#language:en-US", "#skip"} <= set(offers.values())
    offers = await offered(talk, "#language:es-MX")
    assert await talk.state() == ("active", "es-MX", "fresno")
    assert {"#community:phoenix", "#place", "#skip"} <= set(offers.values())
    offers = await offered(talk, "Phoenix")
    assert await talk.state() == ("active", "es-MX", "phoenix")
    assert "#topic:salud" in offers.values()
    reply = await talk.say("Listo")
    assert reply
    assert "todos los temas" in reply.text


@pytest.mark.parametrize("yes", ["Sí", "si", "simon", "yes", "OK"])
@pytest.mark.parametrize(
    ("channel", "hello"), [("telegram", "/start"), ("whatsapp", "hola"), ("sms", "hola")]
)
async def test_a_yes_to_the_welcome_is_a_yes(talk: Talk, channel: ChannelName, hello: str, yes: str) -> None:
    """Who was welcomed and says yes is in; by SMS after the terms and one more yes, as with ALTA."""
    assert await talk.say(hello, JOEL, channel)
    reply = await talk.say(yes, JOEL, channel)
    assert reply
    if channel == "sms":
        assert all(word in reply.text for word in ("cargos", "ALTO"))
        assert (await talk.state(JOEL, channel) or ())[0] == "visitor"
        await talk.say(yes, JOEL, channel)
    assert (await talk.state(JOEL, channel) or ())[0] == "active"


async def test_an_ok_alone_brings_nobody_back(talk: Talk) -> None:
    """Who left, greets and says ok is asked whether they want in again; only their yes to that is one."""
    for address, channel in ((ROSA, "telegram"), (JOEL, "sms"), (CITLALI, "whatsapp")):
        for said in ("alta", "si", "baja", "hola", "ok"):
            reply = await talk.say(said, address, channel)  # type: ignore[arg-type] # a channel's name
        assert reply
        assert "SI" in reply.text
        assert (await talk.state(address, channel) or ())[0] == "left"  # type: ignore[arg-type] # as above
        await talk.say("si", address, channel)  # type: ignore[arg-type] # as above
        assert (await talk.state(address, channel) or ())[0] == "active"  # type: ignore[arg-type] # as above


@pytest.mark.parametrize(
    ("channel", "hello"), [("telegram", "/start"), ("whatsapp", "hola"), ("sms", "hola")]
)
async def test_a_no_to_the_welcome_is_left_in_peace(talk: Talk, channel: ChannelName, hello: str) -> None:
    """Who was welcomed and says no hears that nothing is sent; who is in already is not told so."""
    for no in ("no", "No, gracias", "mejor no"):
        await talk.say(hello, JOEL, channel)
        reply = await talk.say(no, JOEL, channel)
        assert reply
        assert "No te mandamos avisos" in reply.text
    assert (await talk.state(JOEL, channel) or ())[0] == "visitor"
    await talk.say("ALTA", JOEL, channel)
    await talk.say("SI", JOEL, channel)
    await talk.say(hello, JOEL, channel)
    reply = await talk.say("no", JOEL, channel)
    assert reply
    assert reply.text == "Está bien."
    await talk.say(hello, JOEL, channel)
    reply = await talk.say("si", JOEL, channel)
    assert reply
    assert "PASAPORTE" in reply.text
    assert (await talk.state(JOEL, channel) or ())[0] == "active"


async def test_a_bare_yes_is_never_searched_for(talk: Talk) -> None:
    """To "there is more" it is MÁS; a menu is shown again; what was to be written is asked for again."""
    await talk.say("pasaporte", JOEL, "sms")
    more = await talk.say("sí", JOEL, "sms")
    assert more
    assert "mexicana o mexicano" in more.text
    for asks, again in (
        ("estoy en springfield", "Cual buscas"),
        ("cambiar idioma", "idioma"),
        ("temas", "temas"),
        ("cambiar de consulado", "vives"),
        ("propuesta", "Escribe tu propuesta"),
    ):
        await talk.say(asks, JOEL, "sms")
        reply = await talk.say("sí", JOEL, "sms")
        assert reply
        assert again in reply.text, asks
        assert reply.offers or asks in ("propuesta", "cambiar de consulado"), asks
    assert await talk.app.inbox.listed() == []


async def test_a_no_to_a_menu_is_only_heard(talk: Talk) -> None:
    """Who wants nothing of what was offered is not told anything of topics they never chose."""
    for asks in ("pasaporte", "estoy en springfield", "propuesta"):
        await talk.say(asks, JOEL, "sms")
        reply = await talk.say("no gracias", JOEL, "sms")
        assert reply
        assert reply.text == "Está bien.", asks


async def test_a_no_to_leaving_is_a_no(talk: Talk) -> None:
    """Who is asked whether they want to leave, and does not, is not asked again."""
    await talk.say("#join")
    asked = await talk.say("no quiero darme de baja")
    assert asked
    assert "BAJA" in asked.text
    reply = await talk.say("no gracias")
    assert reply
    assert reply.text == "Está bien. Todo sigue igual."
    assert (await talk.state() or ())[0] == "active"


async def test_an_ok_after_an_answer_is_a_thank_you(talk: Talk) -> None:
    """Nobody gets another page because they were polite."""
    await talk.say("pasaporte", JOEL, "sms")
    reply = await talk.say("ok", JOEL, "sms")
    assert reply
    assert "Con gusto" in reply.text


async def test_who_hears_nothing_is_told_whether_they_are_on_the_list(talk: Talk) -> None:
    """ "No me llegan los avisos" is neither a goodbye nor unknown: the way in, or that they are in."""
    for asked in ("no me llegan los avisos", "no recibo los avisos"):
        reply = await talk.say(asked, JOEL, "sms")
        assert reply
        assert "Escribe ALTA para recibir avisos" in reply.text
    await talk.say("ALTA", JOEL, "sms")
    await talk.say("SI", JOEL, "sms")
    for asked in ("no me llegan los avisos", "no estoy recibiendo los mensajes"):
        reply = await talk.say(asked, JOEL, "sms")
        assert reply
        assert "en la lista de: Consulado" in reply.text
    assert (await talk.state(JOEL, "sms") or ())[0] == "active"


async def test_every_step_can_be_skipped(talk: Talk) -> None:
    """Whoever skips everything is in all the same, as guessed."""
    await talk.say("#join")
    for _ in range(3):
        reply = await talk.say("#skip")
    assert reply
    assert not reply.offers
    assert await talk.state() == ("active", "es-MX", "fresno")


async def test_a_question_on_the_way_in_does_not_lose_the_way(talk: Talk) -> None:
    """Who asks something between two steps is answered, and the step still waits for them."""
    await talk.say("#join")
    await talk.say("#language:es-MX")
    reply = await talk.say("cuanto cuesta el pasaporte")
    assert reply
    assert "pasaporte" in reply.text.casefold()
    assert "¿Dónde vives?" in reply.text
    assert await talk.say("MÁS")
    offers = await offered(talk, "Phoenix")
    assert await talk.state() == ("active", "es-MX", "phoenix")
    assert "#topic:salud" in offers.values()


async def test_a_language_that_nobody_knows_is_said_to_be_unknown(talk: Talk) -> None:
    """Who names a language we do not know hears that, and which there are; to want another is no name."""
    reply = await talk.say("idioma klingon")
    assert reply
    assert "No conozco esa lengua" in reply.text
    assert "#language:en-US" in reply.offers.values()
    reply = await talk.say("otro idioma")
    assert reply
    assert "No conozco" not in reply.text


async def test_a_telephone_number_is_confirmed_first(talk: Talk) -> None:
    """By SMS nobody is in before they said yes to the terms, and the ledger names the text that told them."""
    asked = await talk.say("ALTA", JOEL, "sms")
    assert asked
    assert all(word in asked.text for word in ("SI", "Fresno", "cargos", "ALTO"))
    assert await talk.state(JOEL, "sms") == ("visitor", "es-MX", "fresno")
    await talk.say("sí", JOEL, "sms")
    assert (await talk.state(JOEL, "sms") or ())[0] == "active"
    [(action, how, words)] = await talk.rows("SELECT action, how, words FROM consents")
    assert (action, how) == ("given", "sms")
    assert words.startswith("confirmar.es#")


async def test_an_unconfirmed_number_vanishes(talk: Talk) -> None:
    """Somebody wrote ALTA and never confirmed: after 48 hours nothing of them is there."""
    await talk.say("ALTA", JOEL, "sms")
    await talk.sent()
    await talk.later(hours=47)
    assert await talk.state(JOEL, "sms")
    await talk.later(hours=1, seconds=1)
    assert await talk.state(JOEL, "sms") is None
    assert await talk.rows("SELECT 1 FROM inbounds UNION ALL SELECT 1 FROM asked") == []


async def test_a_no_is_a_no(talk: Talk) -> None:
    """Who is asked and says no is not in, and can still ask."""
    await talk.say("ALTA", JOEL, "sms")
    await talk.say("no", JOEL, "sms")
    assert (await talk.state(JOEL, "sms") or ())[0] == "visitor"
    answer = await talk.say("pasaporte", JOEL, "sms")
    assert answer
    assert "Pasaporte" in answer.text


async def test_who_left_is_back_with_one_word(talk: Talk) -> None:
    """BAJA is confirmed once; said again it meets silence; ALTA brings back, on every channel."""
    for address, channel in ((ROSA, "telegram"), (JOEL, "sms"), (CITLALI, "whatsapp")):
        await talk.say("alta", address, channel)  # type: ignore[arg-type] # a channel's name
        await talk.say("si", address, channel)  # type: ignore[arg-type] # as above
        gone = await talk.say("Baja", address, channel)  # type: ignore[arg-type] # as above
        assert gone
        assert "Ya no te mandamos" in gone.text
        assert (await talk.state(address, channel) or ())[0] == "left"  # type: ignore[arg-type] # as above
        assert await talk.say("BAJA", address, channel) is None  # type: ignore[arg-type] # as above
        await talk.say("ALTA", address, channel)  # type: ignore[arg-type] # as above
        assert (await talk.state(address, channel) or ())[0] == "active"  # type: ignore[arg-type] # as above


async def test_what_the_vendor_has_confirmed_we_do_not(talk: Talk) -> None:
    """STOP by SMS is confirmed and blocked by Twilio itself: the person is out, and we stay silent."""
    await talk.say("ALTA", JOEL, "sms")
    await talk.say("SI", JOEL, "sms")
    assert await talk.hear(Heard("s1", JOEL, "STOP", left=True), "sms") is None
    assert (await talk.state(JOEL, "sms") or ())[0] == "left"


async def test_a_link_lands_where_it_says(talk: Talk) -> None:
    """A QR code of New York's in English greets in English, and a tap joins New York."""
    reply = await talk.say("/start c-nueva-york_l-en-US", hint="es")
    assert reply
    assert "Hello" in reply.text
    assert await talk.state() == ("visitor", "en-US", "nueva-york")
    await talk.say("#join")
    assert await talk.state() == ("active", "en-US", "nueva-york")
    await talk.say("JOIN phoenix", CITLALI, "whatsapp")
    assert await talk.state(CITLALI, "whatsapp") == ("active", "en-US", "phoenix")


@pytest.mark.parametrize("payload", ["x", "c-nowhere_l-en", "_", "c-", "l-????", "💥" * 30, "c-fresno_l-"])
async def test_a_strange_link_is_a_plain_start(talk: Talk, payload: str) -> None:
    """A payload that says nothing we know greets like any other."""
    offers = await offered(talk, f"/start {payload}")
    assert "#join" in offers.values()


async def test_a_place_becomes_a_community_and_is_forgotten(talk: Talk) -> None:
    """A ZIP code or a shared location leads to a community, and is nowhere in the database."""
    await talk.say("#join")
    await talk.say("#skip")
    await talk.say("85003")
    assert (await talk.state() or ())[2] == "phoenix"
    await talk.say("cambiar de consulado")
    await talk.say("geo:40.75,-73.98")
    assert (await talk.state() or ())[2] == "nueva-york"
    dump = "\n".join(str(row) for row in await talk.rows("SELECT * FROM inbounds"))
    assert "85003" not in dump
    assert "40.75" not in dump


async def test_a_consulate_without_a_community_says_so(talk: Talk) -> None:
    """Who lives where nobody sends news from gets that consulate's card and stays where they are."""
    await talk.say("#join")
    await talk.say("#skip")
    reply = await talk.say("chicago illinois")
    assert reply
    assert "Chicago" in reply.text
    assert "todavía no avisa" in reply.text
    assert (await talk.state() or ())[2] == "fresno"


async def test_topics_are_chosen_by_tap_or_by_number(talk: Talk) -> None:
    """Taps toggle one; numbers by SMS choose several at once; who chooses none hears all."""
    await talk.say("#join")
    await talk.say("temas")
    reply = await talk.say("#topic:salud")
    assert reply
    assert "Salud" in reply.text
    await talk.say("#topic:cultura")
    await talk.say("#topic:cultura")
    assert await talk.rows("SELECT topic FROM topics") == [("salud",)]
    await talk.say("temas", JOEL, "sms")
    await talk.say("1 3", JOEL, "sms")
    assert len(await talk.rows("SELECT topic FROM topics")) == 3


async def test_a_language_nobody_formats_dates_in_is_kept(talk: Talk) -> None:
    """A reader of Nahuatl is one: what is not written in it yet comes in Spanish."""
    await talk.say("#join")
    reply = await talk.say("nahuatl")
    assert reply
    assert "Nāhuatl" in reply.text
    assert (await talk.state() or ())[1] == "nah"
    answer = await talk.say("pasaporte")
    assert answer
    assert "Pasaporte" in answer.text


async def test_forgetting_is_real(talk: Talk, tmp_path: Path) -> None:
    """BORRAR is confirmed; then nothing of the person is left but what keeps us from writing again."""
    await talk.say("alta", JOEL, "sms")
    await talk.say("si", JOEL, "sms")
    await talk.say("propuesta: que abran los domingos para los que trabajan", JOEL, "sms")
    reply = await talk.say("borren mis datos", JOEL, "sms")
    assert reply
    assert "Borramos tus datos" in reply.text
    await talk.later(seconds=1)
    assert await talk.state(JOEL, "sms"), "not before they were told"
    await talk.sent()
    await talk.later(seconds=5)
    assert await talk.state(JOEL, "sms") is None
    for table in ("subscribers", "threads", "letters", "asked", "topics"):
        assert await talk.rows(f"SELECT * FROM {table}") == [], table  # noqa: S608 - a table of ours
    assert await talk.rows("SELECT DISTINCT subscriber, text FROM inbounds") == [(None, None)]
    assert await talk.rows("SELECT count(*) FROM suppressed") == [(1,)]
    sealed = talk.app.vault.seal("sms", JOEL)
    for file in tmp_path.glob("pregonero.db*"):  # noqa: ASYNC240 - a test may wait for its disk
        content = file.read_bytes()
        assert sealed not in content
        assert JOEL.encode() not in content


async def test_what_is_told_twice_does_not_undo_an_erasure(talk: Talk) -> None:
    """A vendor that was not told in time says it all again: nobody is back, and nobody is told twice.

    Two days later even the numbers of the messages are gone.
    """
    said = [Heard("1", ROSA, "#join"), Heard("2", ROSA, "borrar mis datos")]
    for heard in said:
        assert await talk.hear(heard, "telegram")
    await talk.sent()
    await talk.later(minutes=20)
    for heard in said:
        assert await talk.hear(heard, "telegram") is None
    assert await talk.state() is None
    assert await talk.rows("SELECT count(*) FROM suppressed") == [(1,)]
    await talk.later(days=2)
    assert await talk.rows("SELECT * FROM inbounds") == []


async def test_who_was_forgotten_comes_back_as_a_stranger(talk: Talk) -> None:
    """After BORRAR a question makes a visitor, and only their own ALTA a subscriber."""
    await talk.say("#join")
    await talk.say("borrar mis datos")
    await talk.sent()
    await talk.later(seconds=5)
    await talk.say("pasaporte")
    assert (await talk.state() or ())[0] == "visitor"
    assert await talk.rows("SELECT count(*) FROM suppressed") == [(1,)]
    await talk.say("ALTA")
    assert (await talk.state() or ())[0] == "active"
    assert await talk.rows("SELECT count(*) FROM suppressed") == [(0,)]


async def test_one_person_leaves_on_all_their_phones(talk: Talk) -> None:
    """Two addresses joined by a code leave together and are forgotten together."""
    await talk.say("#join")
    await talk.say("alta", CITLALI, "whatsapp")
    code = await talk.say("vincular")
    assert code
    number = next(
        word.strip(".") for word in code.text.split() if word.strip(".").isdigit() and len(word) > 4
    )
    done = await talk.say(f"VINCULAR {number}", CITLALI, "whatsapp")
    assert done
    assert "los dos son tuyos" in done.text
    await talk.say("ya no me manden mensajes", CITLALI, "whatsapp")
    assert (await talk.state() or ())[0] == "left"
    assert [row[0] for row in await talk.rows("SELECT action FROM consents WHERE action = 'withdrawn'")] == [
        "withdrawn",
        "withdrawn",
    ]
    again = await talk.say(f"VINCULAR {number}", JOEL, "sms")
    assert again
    assert "no sirve" in again.text


async def test_a_crisis_is_answered_before_and_whatever_else(talk: Talk) -> None:
    """In the middle of joining, after leaving, and together with leaving: the crisis text goes out."""
    await talk.say("#join")
    urgent = await talk.say("la migra se llevo a mi esposo")
    assert urgent
    assert "520 623 7874" in urgent.text
    both = await talk.say("ya no me manden nada, mi marido me pega y me quiere matar")
    assert both
    assert "911" in both.text
    assert (await talk.state() or ())[0] == "left"
    after = await talk.say("me quiero morir")
    assert after
    assert "988" in after.text
    assert (await talk.state() or ())[0] == "left"


async def test_a_replay_changes_nothing(talk: Talk) -> None:
    """The same message told twice, and an old one told late, are heard once."""
    leaving = Heard("once", ROSA, "BAJA")
    await talk.say("#join")
    assert await talk.hear(leaving, "telegram")
    await talk.say("ALTA")
    assert await talk.hear(leaving, "telegram") is None
    assert (await talk.state() or ())[0] == "active"
