"""The consulate's inbox at the real command: what people wrote is read, answered on a phone, and closed."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from bot import figures, threads
from bot.store import Store, Transaction
from bot.vault import Vault
from tests.deployment import PLACES, Deployment, connect, deploy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Rehearsal

ROSA, JOEL, CITLALI = "101", "+16025550102", "+12125550103"
EVERYBODY = {
    "telegram": (ROSA, "es", "fresno", "bot"),
    "sms": (JOEL, "en", "phoenix", "sms"),
    "whatsapp": (CITLALI, "es", "nueva-york", "whatsapp"),
}
ASKED = "¿Abren los sábados, señora?"


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A deployment with one person on each channel, whose phones are looked at."""
    made = deploy(tmp_path, rehearsal.url)
    people = [(channel, address) for channel, (address, *_) in EVERYBODY.items()]
    await rehearsal.people(*({"channel": c, "address": a, "shown": True} for c, a in people))
    await connect(made, rehearsal)
    await made.take_in((c, a, lang, place) for c, (a, lang, place, _) in EVERYBODY.items())
    return made


async def within(made: Deployment, work: Callable[[Transaction, Vault], Any]) -> Any:  # noqa: ANN401 - of the work
    """One transaction of the service that hears people."""
    vault = Vault((made.folder / "pregonero.key").read_text().strip())
    store = await Store.open(made.folder / "pregonero.db")
    try:
        return await store.write(lambda tx: work(tx, vault))
    finally:
        await store.close()


async def wrote(
    made: Deployment, channel: str, text: str = ASKED, kind: threads.Kind = "question", days: int = 0
) -> str:
    """Somebody asked something, so many days ago, and agreed to have it passed on; its reference."""
    _, _, community, sender = EVERYBODY[channel]
    person = dict(made.rows("SELECT channel, id FROM subscribers"))[channel]

    def work(tx: Transaction, vault: Vault) -> str:
        reference = threads.new_reference(tx)
        threads.open_thread(
            tx,
            vault,
            reference=reference,
            kind=kind,
            community=community,
            subscriber=person,
            sender=sender,
            text=text,
            now=datetime.now(UTC) - timedelta(days=days),
        )
        return reference

    return str(await within(made, work))


async def phone(rehearsal: Rehearsal, channel: str, words: str) -> str:
    """Wait for a message with these words on somebody's phone."""
    async with asyncio.timeout(20):
        while True:
            for one in await rehearsal.messages(channel, EVERYBODY[channel][0]):
                if one["kind"] == "heard" and words in one["text"]:
                    return str(one["text"])
            await asyncio.sleep(0.05)


async def until(made: Deployment, reference: str, state: str) -> None:
    """Wait until the list says this of the reply."""
    async with asyncio.timeout(20):
        while True:
            rows = (await made.do("inbox", "--json", "--all")).json()
            [row] = [row for row in rows if row["reference"] == reference]
            if row["reply"] and row["reply"]["state"] == state:
                return
            await asyncio.sleep(0.1)


async def test_a_question_is_read_answered_and_closed(made: Deployment, rehearsal: Rehearsal) -> None:
    """The reply arrives where the person wrote, says who answers, and in their language how to write back."""
    telegram, sms = await wrote(made, "telegram", days=3), await wrote(made, "sms", kind="proposal")
    listed = (await made.do("inbox", "--json")).json()
    assert [(row["reference"], row["kind"], row["state"], row["waits"]) for row in listed] == [
        (telegram, "question", "received", True),
        (sms, "proposal", "received", True),
    ]
    for words in ([telegram.lower().replace("-", "")], telegram.lower().split("-")):
        read = await made.do("inbox", "read", *words)
        assert ASKED in read.out
    assert f"pregonero inbox reply {telegram}" in read.out
    said = await made.do("inbox", "reply", telegram, "Sí: **sábado** de 9 a 1.")
    assert (said.status, "1 mensaje por Telegram" in said.out) == (0, True), said.said
    assert "descansa" not in said.said
    assert (await made.do("inbox", "reply", sms, "-", typed="Gracias.\n\nLo haremos.\n")).status == 0
    async with made.running():
        heard = await phone(rehearsal, "telegram", "Sí: sábado de 9 a 1.")
        assert heard.startswith("Consulado en fresno")
        assert heard.endswith(f"Para contestar, empieza con {telegram}.")
        heard = await phone(rehearsal, "sms", "Lo haremos.")
        assert heard.startswith("Consulado en phoenix")
        assert heard.endswith(f"To write back, begin with {sms}.")
        await until(made, telegram, "sent")
        await until(made, sms, "arrived")
    assert "contestada" in (await made.do("inbox")).out
    assert (await made.do("inbox", "close", telegram)).status == 0
    done = await made.do("inbox", "close", sms, "--adopted", "--json")
    assert (done.json()["state"], done.json()["closed_at"] is None) == ("adopted", False)
    assert (await made.do("inbox", "--json")).json() == []
    closed = (await made.do("inbox", "--all")).out
    assert "contestada, cerrada" in closed
    assert "adoptada, cerrada" in closed
    assert (await made.do("inbox", "close", telegram)).status == 1


async def test_a_script_can_count_on_the_shape_of_the_inbox(made: Deployment) -> None:
    """`inbox`, `read`, `reply`, `consider`, `close` tell a thread in the promised fields, with no address."""
    reference = await wrote(made, "telegram")
    fields = ["reference", "community", "kind", "state", "channel", "language", "waits", "written_at"]
    fields += ["reply", "closed_at"]
    asking = (
        (),
        ("read", reference),
        ("consider", reference),
        ("reply", reference, "Sí."),
        ("close", reference),
    )
    ended = [await made.do("inbox", *words, "--json") for words in asking]
    rows = [one.json() for one in ended]
    rows[0] = rows[0][0]
    assert [list(row)[: len(fields)] for row in rows] == [fields] * 5
    assert [row["state"] for row in rows] == ["received", "received", "considered", "answered", "answered"]
    [letter] = rows[1]["letters"]
    assert (letter["author"], letter["text"], letter["reply"]) == ("person", ASKED, None)
    assert rows[3]["reply"]["state"] == "waiting"
    assert rows[3]["segments"] == 1
    assert not [one for one in ended for address, *_ in EVERYBODY.values() if f'"{address}"' in one.said]


async def test_a_letter_cannot_play_with_the_terminal(made: Deployment) -> None:
    """What a stranger wrote is read as words: nothing in it clears, colours or rewrites the screen."""
    reference = await wrote(made, "telegram", "uno \x1b[2J\x1b]0;x\x07 dos\r\x9b31m [red]tres[/red]\ncuatro")
    read = (await made.do("inbox", "read", reference)).out
    assert "uno [2J]0;x dos31m [red]tres[/red]\ncuatro" in read


async def test_who_waits_longest_stands_first(made: Deployment) -> None:
    """What nobody has answered comes before what was, the oldest first, also of one community alone."""
    new, old, older = [await wrote(made, "sms", days=days) for days in (0, 2, 9)]
    done, elsewhere = await wrote(made, "sms", days=30), await wrote(made, "telegram", days=1)
    assert (await made.do("inbox", "reply", done, "Sí.")).status == 0
    listed = [row["reference"] for row in (await made.do("inbox", "--json")).json()]
    assert listed == [older, old, elsewhere, new, done]
    listed = [row["reference"] for row in (await made.do("inbox", "--json", "-c", "phoenix")).json()]
    assert listed == [older, old, new, done]
    assert (await made.do("inbox", "-c", "fenix")).status == 1


async def test_a_closed_window_holds_the_reply_until_they_write(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """On WhatsApp, a day after the person wrote, the desk hears that it waits; it leaves when they write."""
    reference = await wrote(made, "whatsapp", days=2)
    said = await made.do("inbox", "reply", reference, "Sí abrimos.")
    assert (said.status, "Sale en cuanto escriba" in said.out) == (0, True), said.said
    assert "espera a que escriba" in (await made.do("inbox", COLUMNS="200")).out
    async with made.running():
        other = await wrote(made, "telegram")
        assert (await made.do("inbox", "reply", other, "Sí abrimos.")).status == 0
        await phone(rehearsal, "telegram", "Sí abrimos.")
        assert made.rows("SELECT state, reason FROM deliveries ORDER BY id LIMIT 1") == [("held", "window")]
        await rehearsal.say("whatsapp", CITLALI, "hola")
        assert reference in await phone(rehearsal, "whatsapp", "Sí abrimos.")
        await until(made, reference, "arrived")


async def test_at_night_the_desk_hears_when_its_reply_leaves(made: Deployment) -> None:
    """In a community's quiet hours a reply is kept until they end, and the desk is told when that is."""
    now = datetime.now(ZoneInfo(PLACES["fresno"]))
    night = [f"{now + timedelta(hours=hours):%H}:30:00" for hours in (-2, 3)]
    made.edit("schedules/fresno.toml", '"none"', f"{{ from = {night[0]}, to = {night[1]} }}")
    said = await made.do("inbox", "reply", await wrote(made, "telegram"), "Sí.", "--json")
    assert "La comunidad descansa" in said.err
    leaves = datetime.fromisoformat(said.json()["reply"]["due_at"]).astimezone(now.tzinfo)
    assert f"{leaves:%H:%M:%S}" == night[1]


@pytest.mark.parametrize(("state", "words"), [("left", "se dio de baja"), ("gone", "ya no está en Telegram")])
async def test_who_has_left_is_not_answered(made: Deployment, state: str, words: str) -> None:
    """The desk is told why it cannot write to somebody, and nothing is written down."""
    reference = await wrote(made, "telegram")
    await within(made, lambda tx, _: tx.run("UPDATE subscribers SET state = :state", {"state": state}))
    said = await made.do("inbox", "reply", reference, "Sí.")
    assert (said.status, words in said.err) == (1, True), said.said
    assert made.rows("SELECT count(*) FROM letters") == [(1,)]
    assert made.rows("SELECT * FROM deliveries") == made.rows("SELECT * FROM texts") == []


async def test_what_cannot_be_answered_says_what_to_mend(made: Deployment) -> None:
    """No way to write any more, a community that is gone, an empty reply: each has its sentence."""
    reference = await wrote(made, "telegram")
    for text in ("", "  \n ", "\u200b", "![]()"):
        assert "no dice nada" in (await made.do("inbox", "reply", reference, text)).err
    assert (
        "demasiado larga"
        in (await made.do("inbox", "reply", reference, "-", typed="Traiga todo. " * 9999)).err
    )
    made.edit("schedules/fresno.toml", '"bot", ', "")
    made.edit("config.toml", "[senders.bot]", "[senders.another]")
    said = await made.do("inbox", "reply", reference, "Sí.")
    assert (said.status, "schedules/fresno.toml" in said.err) == (1, True), said.said
    (made.folder / "schedules/fresno.toml").unlink()
    said = await made.do("inbox", "reply", reference, "Sí.")
    assert (said.status, "«fresno» ya no está" in said.err) == (1, True), said.said
    assert ASKED in (await made.do("inbox", "read", reference)).out
    assert made.rows("SELECT * FROM deliveries") == []


async def test_a_community_that_changed_its_sender_still_answers(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """When the sender that heard a person is gone, the reply leaves through the one that took its place."""
    reference = await wrote(made, "telegram")
    made.edit("schedules/fresno.toml", '"bot"', '"another"')
    made.edit("config.toml", "[senders.bot]", "[senders.another]")
    assert (await made.do("inbox", "reply", reference, "Sí.")).status == 0
    assert made.rows("SELECT sender FROM deliveries") == [("another",)]


async def test_a_misspelt_reference_offers_the_nearest(made: Deployment) -> None:
    """One sign wrong is asked back; a thread that is gone says why that may be."""
    reference = await wrote(made, "telegram")
    wrong = reference[:-1] + ("2" if reference[-1] != "2" else "3")
    for words in (("read", wrong), ("reply", wrong, "Sí."), ("consider", wrong), ("close", wrong)):
        said = await made.do("inbox", *words)
        assert (said.status, f"¿Quiso decir {reference}?" in said.err) == (1, True), said.said
    assert (await made.do("subscribers", "erase", "telegram", typed=ROSA)).status == 0
    said = await made.do("inbox", "read", reference)
    assert (said.status, "si la persona pide que la olvidemos" in said.err) == (1, True), said.said


async def test_an_erasure_takes_the_letters_and_the_replies(made: Deployment) -> None:
    """Who asks to be forgotten takes along what they wrote and what they were answered, sealed or not."""
    reference = await wrote(made, "telegram")
    assert (await made.do("inbox", "reply", reference, "Sí abrimos.")).status == 0
    [(said,)] = made.rows("SELECT open FROM texts")
    sealed = [text for (text,) in made.rows("SELECT text FROM letters")]
    assert (await made.do("subscribers", "erase", "telegram", typed=ROSA)).status == 0
    assert made.rows("SELECT * FROM threads") == made.rows("SELECT * FROM letters") == []
    assert made.rows("SELECT open, closed, owner FROM texts") == [("[]", None, None)]
    for file in made.folder.glob("pregonero.db*"):
        content = file.read_bytes()
        assert not [each for each in (said.encode(), *sealed) if each in content], file.name


async def test_no_word_of_a_letter_is_left_lying_about(made: Deployment, rehearsal: Rehearsal) -> None:
    """What people ask, what is answered and what nobody knew stand in no file and no log in clear."""
    words = ("Xochiquetzal", "Tonatiuh", "Citlalmina", "Moctezuma")
    reference = await wrote(made, "telegram", f"Soy {words[0]}.")
    said = []
    async with made.running(PREGONERO_LOG="DEBUG") as working:
        for ended in (
            await made.do("inbox", "--json", PREGONERO_LOG="DEBUG"),
            await made.do("inbox", "reply", reference, f"Hola {words[1]}.", PREGONERO_LOG="DEBUG"),
            await made.do("inbox", "close", reference, PREGONERO_LOG="DEBUG"),
        ):
            assert ended.status == 0
            said.append(ended.said)
        read = await made.do("inbox", "read", reference, PREGONERO_LOG="DEBUG")
        assert words[0] in read.out
        said.append(read.err)
        await phone(rehearsal, "telegram", words[1])
        await within(made, lambda tx, vault: asked(tx, vault, f"quién conoce a {words[2]}"))
        await within(made, lambda tx, vault: wrote_again(tx, vault, reference, f"Gracias. {words[3]}"))
        files = {path.name: path.read_bytes() for path in made.folder.glob("pregonero.db*")}
        said.append((await working.stop()).said)
    assert {"pregonero.db", "pregonero.db-wal"} <= set(files)
    assert '"event": "thread.read"' in said[3]
    assert f'"thread": "{reference}"' in said[3]
    files |= {path.name + " at the end": path.read_bytes() for path in made.folder.glob("pregonero.db*")}
    for name, content in {**files, "what was said": "\n".join(said).encode()}.items():
        assert not [w for w in words if w.lower().encode() in content.lower()], name


def asked(tx: Transaction, vault: Vault, text: str, community: str = "fresno") -> None:
    """Somebody asked what nobody could answer."""
    figures.count_gap(tx, vault, community=community, text=text, now=datetime.now(UTC))


def wrote_again(tx: Transaction, vault: Vault, reference: str, text: str) -> None:
    """The writer of a thread writes to it again."""
    [(person,)] = tx.tuples("SELECT subscriber FROM threads")
    assert threads.add_letter(
        tx, vault, reference=reference, subscriber=person, text=text, now=datetime.now(UTC)
    )


async def test_a_figure_under_ten_is_never_shown(made: Deployment) -> None:
    """Nine are "menos de 10" on the screen and null in JSON, as are one and none; ten are ten."""

    def work(tx: Transaction, vault: Vault) -> None:
        for question, times in (("cuánto cuesta el apostille", 10), ("dónde venden tamales", 9)):
            for _ in range(times):
                asked(tx, vault, question)
        asked(tx, vault, "quién cuida gatos", "phoenix")
        tx.run("INSERT INTO opinions VALUES ('pasaporte', 'fresno', 10, 9), ('baja', 'phoenix', 1, 0)")

    await within(made, work)
    gaps = (await made.do("inbox", "gaps", "--json")).json()
    assert [(gap["question"], gap["times"]) for gap in gaps] == [
        ("cuanto cuesta el apostille", 10),
        ("donde venden tamales", None),
        ("quien cuida gatos", None),
    ]
    opinions = (await made.do("inbox", "opinions", "--json")).json()
    assert [(one["entry"], one["useful"], one["useless"]) for one in opinions] == [
        ("pasaporte", 10, None),
        ("baja", None, None),
    ]
    for words, shown, hidden in (("gaps", 1, 2), ("opinions", 1, 3)):
        said = (await made.do("inbox", words)).out
        assert said.count("menos de 10") == hidden
        assert said.replace("menos de 10", "").count(" 10") == shown
    one = (await made.do("inbox", "gaps", "-c", "phoenix", "--json")).json()
    assert json.dumps(one).count("question") == 1


async def test_an_empty_inbox_says_so(made: Deployment) -> None:
    """Where nothing is, a sentence stands, and an empty list in JSON."""
    for words in ((), ("gaps",), ("opinions",)):
        assert (await made.do("inbox", *words)).out.strip().endswith(".")
        assert (await made.do("inbox", *words, "--json")).json() == []
