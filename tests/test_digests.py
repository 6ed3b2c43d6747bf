"""A digest tells each person what is new on their topics, once, and is silent where nothing is."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import check, links
from bot.broadcasts.wanted import digest_row
from bot.conversation import Asker
from bot.current import Current
from bot.library import Brief
from bot.news import Item, News, name
from tests.core import MORNING, Core, chat, number, opened, person, project
from tests.deployment import deploy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.store import Transaction

TOPICS = ("salud", "educacion")
NEWS = {
    "vacunas-gratis": ("salud", "Vacunas gratis", "Free vaccines", "2026-12-05T09:00:00"),
    "becas-ime": ("educacion", "Becas del IME", "IME scholarships", "2026-12-03"),
    "lentes-gratis": ("salud", "Lentes gratis", "Free glasses", ""),
    "feria-familiar": ("familia", "Feria familiar", "Family fair", "2026-12-04T09:00:00"),
}
DIGEST = """
    INSERT INTO broadcasts (entry, community, moment, state, priority, due_at, hash)
    VALUES ('digest:educacion+salud', 'fresno', '2026-11-20T12:00:00', '{state}', 3, 0, x'00')
"""


class Digesting:
    """The core, with news of ours."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.made = 0

    async def write(self, slug: str, topics: str, title: str, starts: str = "", **more: str) -> None:
        """Write an announcement, in Spanish or in `language`, and take it up."""
        language = more.pop("language", "es")
        front = {"starts": starts, "topics": json.dumps(topics.split())} | more
        lines = [f'title = "{title}"', f'summary = "{more.pop("summary", f"Todo sobre {title}.")}"']
        lines += [f"{key} = {value}" for key, value in front.items() if value and key != "summary"]
        folder = self.core.folder / "content/announcements" / slug
        folder.mkdir(exist_ok=True)
        text = "+++\n" + "\n".join(lines) + f"\n+++\nEl texto entero de {title}.\n"
        (folder / f"{language}.md").write_text(text, encoding="utf-8")
        await self.take_up()

    async def take_up(self) -> None:
        """What stands in the files is what is said."""
        project, findings = check.read(
            self.core.folder / "config.toml", {"SECRET": "1:canary"}, self.core.now
        )
        assert project, findings
        await self.core.current.take_up(project)

    async def digest(self, *topics: str, community: str = "fresno") -> int:
        """The digest of another week."""
        self.made += 1
        place = self.core.current.project.communities[community]
        now, moment = self.core.now, f"m{self.made}"
        await self.core.broadcasts.appoint(digest_row(name(topics or TOPICS), place, moment, now), now)
        await self.core.broadcasts.launch_due(now)
        [(number,)] = await self.core.rows("SELECT id FROM broadcasts WHERE moment = :moment", moment=moment)
        return int(number)

    async def got(self, digest: int) -> dict[str, str]:
        """By address, the text that a digest has for them."""
        said = (
            "SELECT s.channel, s.address, t.open FROM deliveries d JOIN texts t ON t.id = d.text "
            "JOIN subscribers s ON s.id = d.subscriber WHERE d.broadcast = :digest"
        )
        return {
            self.core.vault.open(channel, address): "\n".join(part["text"] for part in json.loads(text))
            for channel, address, text in await self.core.rows(said, digest=digest)
        }

    async def titles(self, digest: int) -> dict[str, set[str]]:
        """By address, which of the news they are told."""
        return {
            address: {slug for slug, (_, es, en, _) in NEWS.items() if es in text or en in text}
            for address, text in (await self.got(digest)).items()
        }


@asynccontextmanager
async def digesting(folder: Path) -> AsyncIterator[Digesting]:
    """A morning with four news, two of them also in English."""
    async with opened(folder) as core:
        made = Digesting(core)
        for slug, (topics, title, _, starts) in NEWS.items():
            await made.write(slug, topics, title, starts)
        for slug in ("vacunas-gratis", "becas-ime"):
            await made.write(slug, NEWS[slug][0], NEWS[slug][2], NEWS[slug][3], language="en")
        yield made


async def test_each_person_hears_of_what_they_follow(tmp_path: Path) -> None:
    """Who follows a topic hears of that, who follows none of all, who follows others of nothing."""
    async with digesting(tmp_path) as made:
        await made.core.take_in(
            [
                person(chat(1), "salud"),
                person(chat(2), "educacion", "familia"),
                person(chat(3), "salud", "educacion"),
                person(chat(4)),
                person(chat(5), "familia"),
                person(chat(6), "salud", community="noche"),
            ]
        )
        assert await made.titles(await made.digest()) == {
            chat(1): {"vacunas-gratis", "lentes-gratis"},
            chat(2): {"becas-ime"},
            chat(3): {"becas-ime", "vacunas-gratis", "lentes-gratis"},
            chat(4): {"becas-ime", "vacunas-gratis", "lentes-gratis"},
        }


async def test_it_is_written_in_each_readers_language_and_for_each_channel(tmp_path: Path) -> None:
    """Greeting, date and how to ask are the reader's; a text without a translation stands in the original."""
    async with digesting(tmp_path) as made:
        people = [
            person(chat(1), "salud"),
            person(chat(2), "salud", language="en"),
            person(number(1), "salud", channel="sms", language="en"),
        ]
        await made.core.take_in(people)
        got = await made.got(await made.digest())
    spanish, english, sms = got[chat(1)], got[chat(2)], got[number(1)]
    assert "Consulado en fresno: novedades" in spanish
    assert "<b>Vacunas gratis</b>\nTodo sobre Vacunas gratis.\nsábado 5 de diciembre de 2026" in spanish
    assert "Consulado en fresno: what is new" in english
    assert "<b>Free vaccines</b>" in english
    assert "Saturday, December 5, 2026" in english
    assert "<b>Lentes gratis</b>" in english
    assert "<b>" not in sms
    assert "Free vaccines" in sms


async def test_the_word_it_gives_finds_the_whole_text(tmp_path: Path) -> None:
    """Who writes what the digest told them to is answered with that announcement, not with its namesake."""
    async with digesting(tmp_path) as made:
        service = made.core.folder / "content/services/becas/es.md"
        service.parent.mkdir(parents=True)
        service.write_text('+++\ntitle = "Becas del IME"\n+++\nTodas las becas.\n', encoding="utf-8")
        await made.core.take_in([person(chat(1)), person(chat(2), language="en")])
        got = await made.got(await made.digest(*TOPICS, "familia"))
        found = set()
        for address, language, ask in ((chat(1), "es", "Escribe: "), (chat(2), "en", "Write: ")):
            asker = Asker(made.core.current.project.communities["fresno"], "sms", language, "active")
            for line in got[address].splitlines():
                if line.startswith(ask):
                    word = line.removeprefix(ask)
                    entry = made.core.current.conversation.answer(word, asker, made.core.now).entry
                    assert entry is not None, word
                    found.add(entry.slug)
    assert found == NEWS.keys()


async def test_nothing_new_is_nothing_sent(tmp_path: Path) -> None:
    """Where nobody has anything new the digest is over at once, and its row says so."""
    async with digesting(tmp_path) as made:
        await made.core.take_in([person(chat(1), "familia"), person(chat(2), "salud")])
        first = await made.digest()
        assert (await made.got(first)).keys() == {chat(2)}
        second = await made.digest()
        assert await made.got(second) == {}
        report = await made.core.reports.report(second, made.core.now)
        assert (report.entry, report.state, sum(report.counts.values())) == (
            "digest:educacion+salud",
            "done",
            0,
        )


async def test_nothing_stands_in_two_digests(tmp_path: Path) -> None:
    """What was told is not told again, nor what is or was announced by itself; what is new comes next."""
    async with digesting(tmp_path) as made:
        await made.core.take_in([person(chat(1))])
        await made.core.announce("vacunas-gratis")
        cancelled = await made.core.announce("lentes-gratis")
        await made.core.broadcasts.cancel(cancelled, made.core.decision())
        assert await made.titles(await made.digest()) == {chat(1): {"becas-ime", "lentes-gratis"}}
        await made.write("tarde", "salud", "Nueva", "2026-12-01")
        again = await made.got(await made.digest(*TOPICS, "familia"))
        assert "Nueva" in again[chat(1)]
        assert "Feria familiar" in again[chat(1)]
        assert "Becas" not in again[chat(1)]


async def test_what_is_over_urgent_or_for_others_is_no_news(tmp_path: Path) -> None:
    """A digest tells nothing that is over, that cannot wait, or that is meant for another community."""
    async with digesting(tmp_path) as made:
        await made.core.take_in([person(chat(1))])
        await made.write("ayer", "salud", "De ayer", "2026-11-19T10:00:00")
        await made.write("vencida", "salud", "Vencida", valid_until="2026-11-19")
        await made.write("urgente", "salud", "Urgente", urgency='"emergency"')
        await made.write("ajena", "salud", "Ajena", communities='["noche"]')
        await made.write("falsa", "salud", "Falsa", summary="Cuesta {{ facts.no.hay | money }}")
        got = await made.got(await made.digest())
    for title in ("De ayer", "Vencida", "Urgente", "Ajena", "Falsa"):
        assert title not in got[chat(1)]
    assert "Vacunas" in got[chat(1)]


async def test_five_at_most_the_soonest_first_the_rest_next_time(tmp_path: Path) -> None:
    """A digest has five announcements in the order of their days; the others are in the next one."""
    async with digesting(tmp_path) as made:
        await made.core.take_in([person(chat(1), "deporte")])
        for day in range(7, 0, -1):
            await made.write(f"juego-{day}", "deporte", f"Partido {day}", f"2026-12-0{day}")
        first, second = [(await made.got(await made.digest("deporte")))[chat(1)] for _ in range(2)]
    told = [first.index(f"Partido {day}") for day in range(1, 6)]
    assert told == sorted(told)
    assert "Partido 6" not in first
    assert "Partido 6" in second
    assert "Partido 7" in second
    assert "Partido 5" not in second


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Current:
    """The harness's deployment."""
    return Current(project(tmp_path_factory.mktemp("read")))


@settings(max_examples=40, deadline=None)
@given(
    titles=st.lists(
        st.from_regex(r"[a-zñáéíóú€]{3}[a-zñáéíóú¡€ ]{0,90}", fullmatch=True), max_size=5, min_size=1
    )
)
def test_by_sms_it_costs_three_segments_at_most(read: Current, titles: list[str]) -> None:
    """However long its titles are, a digest by SMS names every announcement within three segments."""
    place = read.project.communities["fresno"]
    items = [Item(Brief("es", title, "Una frase. " * 9, "hoy"), "palabra") for title in titles]
    said = News(read.project.library, read.conversation, place, MORNING).write(items, "es", "sms")
    assert sum(part.segments for part in said.open) <= 3
    assert all(title[:3] in "".join(part.text for part in said.open) for title in titles)


async def test_whatsapp_keeps_it_until_they_write(tmp_path: Path) -> None:
    """Outside WhatsApp's window there is no template for a digest: it waits, and leaves when they write."""
    async with digesting(tmp_path) as made:
        await made.core.take_in([person(number(1), "salud", channel="whatsapp")])
        digest = await made.digest()
        assert await made.core.counts(digest) == {"held": 1}
        await made.core.heard(number(1))
        assert await made.core.counts(digest) == {"queued": 1}


async def test_linked_addresses_get_one_copy(tmp_path: Path) -> None:
    """Somebody with two telephones reads the news once, on the first channel of the community."""
    async with digesting(tmp_path) as made:
        await made.core.take_in([person(number(1), "salud", channel="sms"), person(chat(1), "salud")])
        [(one,), (other,)] = await made.core.rows("SELECT id FROM subscribers ORDER BY id")

        def join(tx: Transaction) -> bool:
            code = links.offer(tx, one, made.core.now)
            return links.accept(tx, other, code, made.core.now, ("telegram", "sms"))

        assert await made.core.store.write(join)
        assert (await made.got(await made.digest())).keys() == {chat(1)}


async def test_linked_addresses_in_two_communities_get_one_copy(tmp_path: Path) -> None:
    """Where both communities have the same digest, who has an address in each reads it once."""
    async with digesting(tmp_path) as made:
        core = made.core
        await core.take_in([person(chat(1)), person(chat(2), community="noche"), person(chat(3))])
        await core.store.write(lambda tx: tx.run("UPDATE subscribers SET person = 1 WHERE id < 3"))
        assert (await made.got(await made.digest())).keys() == {chat(1), chat(3)}
        assert await made.got(await made.digest(community="noche")) == {}


async def test_a_digest_is_one_of_the_announcements_of_a_day(tmp_path: Path) -> None:
    """Who has had enough that day gets it on another, and the report says so; others get it now."""
    async with digesting(tmp_path) as made:
        core = made.core
        file = core.folder / "schedules/fresno.toml"
        file.write_text(file.read_text("utf-8") + "most_a_day = 1\n", "utf-8")
        await made.take_up()
        await core.take_in([person(chat(1))])
        await core.announce()
        await core.take_in([person(chat(2))])
        digest = await made.digest()
        assert await core.counts(digest) == {"queued": 1, "held": 1}
        [reason] = (await core.reports.report(digest, core.now)).reasons
        assert (reason.reason, reason.people) == ("enough", 1)


async def test_what_nobody_got_is_news_again(tmp_path: Path) -> None:
    """What stood in a digest that was cancelled, or was over before it left, is told in the next."""
    async with digesting(tmp_path) as made:
        core = made.core
        await core.take_in([person(chat(1), "salud")])
        await core.broadcasts.cancel(await made.digest(), core.decision())
        again = await made.digest()
        assert await made.titles(again) == {chat(1): {"vacunas-gratis", "lentes-gratis"}}
        await core.store.write(
            lambda tx: tx.run("UPDATE broadcasts SET valid_until = 1 WHERE id = :id", {"id": again})
        )
        await core.broadcasts.speaking(core.now)
        await core.broadcasts.finish(core.now)
        assert await core.state(again) == "expired"
        assert (await made.titles(await made.digest())).keys() == {chat(1)}


async def test_what_is_over_first_takes_nothing_from_the_others(tmp_path: Path) -> None:
    """A digest that is paused past the end of one of its announcements still tells the others."""
    async with digesting(tmp_path) as made:
        core = made.core
        await core.take_in([person(chat(1), "salud"), person(chat(2), "educacion")])
        await made.write("pronto", "salud", "Hoy", "2026-11-20T12:00:00")
        digest = await made.digest()
        core.clock.skip(hours=4)
        await core.broadcasts.speaking(core.now)
        assert await core.counts(digest) == {"queued": 2}


async def test_what_is_over_by_the_morning_is_no_news(tmp_path: Path) -> None:
    """A digest that somebody lets run at night leaves in the morning, without what was over before."""
    async with digesting(tmp_path) as made:
        core = made.core
        await core.take_in([person(chat(1), "salud", community="noche")])
        await made.write("madrugada", "salud", "De madrugada", "2026-11-21T05:00:00")
        core.clock.skip(hours=13)
        made.made += 1
        place = core.current.project.communities["noche"]
        row = digest_row(name(TOPICS), place, "m1", core.now) | {"due_at": int(core.now.timestamp() * 1000)}
        await core.broadcasts.appoint(row, core.now)
        [digest] = await core.broadcasts.launch_due(core.now)
        assert "De madrugada" not in (await made.got(digest))[chat(1)]


async def test_the_night_is_waited_for(tmp_path: Path) -> None:
    """A digest that falls into quiet hours is put together in the morning, from what is true then."""
    async with digesting(tmp_path) as made:
        await made.core.take_in([person(chat(1), "salud", community="noche")])
        made.core.clock.skip(hours=15)  # one in the morning in Fresno
        digest = await made.digest(community="noche")
        assert await made.core.state(digest) == "scheduled"
        await made.write("manana", "salud", "De la noche")
        assert await made.core.broadcasts.launch_due(made.core.now) == []
        made.core.clock.skip(hours=7)
        assert await made.core.broadcasts.launch_due(made.core.now) == [digest]
        assert "De la noche" in (await made.got(digest))[chat(1)]


async def test_where_a_second_person_must_approve_it_waits(tmp_path: Path) -> None:
    """In a community that asks for approval the clock hands a digest in, and one person agrees.

    What changes between the two voids that, as it does with any text.
    """
    async with digesting(tmp_path) as made:
        await made.core.take_in([person(chat(1))])
        file = made.core.folder / "schedules/fresno.toml"
        file.write_text(file.read_text("utf-8") + 'approval = "required"\n', "utf-8")
        await made.take_up()
        digest = await made.digest()
        assert await made.core.broadcasts.launch_due(made.core.now) == []
        assert (await made.core.state(digest), await made.got(digest)) == ("submitted", {})
        await made.write("guarderia", "salud", "Guardería")
        assert await made.core.approvals.approve(digest, made.core.decision("Ana")) == "edited"
        assert await made.core.approvals.submit_again(digest, "Beto", made.core.now)
        assert await made.core.approvals.approve(digest, made.core.decision("Ana")) == "running"
        assert "Guardería" in (await made.got(digest))[chat(1)]


async def test_a_returned_digest_is_handed_in_again(tmp_path: Path) -> None:
    """By its name, in any order of its topics; of other topics there is none to hand in."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    await made.take_in([("telegram", "1", "es", "fresno")])
    with closing(sqlite3.connect(made.folder / "pregonero.db")) as database, database:
        database.execute(DIGEST.format(state="returned"))
    assert "nada por aprobar" in (await made.do("submit", "digest:salud", "--by", "Ana")).said
    again = await made.do("submit", "digest:salud+educacion", "--by", "Ana")
    assert (again.status, "pregonero approve 1" in again.out) == (0, True)
    assert made.rows("SELECT state FROM broadcasts") == [("submitted",)]


async def test_a_digest_is_not_corrected(tmp_path: Path) -> None:
    """It has no file of its own: `correct` says so, and what to do instead."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    await made.take_in([("telegram", "1", "es", "fresno")])
    with closing(sqlite3.connect(made.folder / "pregonero.db")) as database, database:
        database.execute(DIGEST.format(state="done"))
    told = await made.do("correct", "1", "--by", "Ana")
    assert (told.status, "es un resumen" in told.out, "pregonero announce" in told.out) == (1, True, True)


async def test_a_digest_can_be_seen_beforehand(tmp_path: Path) -> None:
    """`preview` shows each reader's text of a digest, and says where nothing is new."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    made.edit("content/announcements/feria/es.md", "summary =", 'topics = ["salud"]\nsummary =')
    rows = (await made.do("preview", "digest:salud", "--json", "-c", "fresno")).json()
    texts = {(row["language"], row["channel"]): row["parts"][0]["text"] for row in rows}
    assert len(texts) == 6
    assert "Feria de salud" in texts["es", "sms"]
    assert "<b>Health fair</b>" in texts["en", "telegram"]
    made.edit("content/services/pasaporte/es.md", "keywords", 'topics = ["documentos"]\nkeywords')
    assert "Nada nuevo" in (await made.do("preview", "digest:documentos")).said
    typo = await made.do("preview", "digest:salut+documentos")
    assert (typo.status, "«salut»" in typo.said, "¿Quiso decir salud?" in typo.said) == (1, True, True)
    strange = await made.do("preview", "digest:foo")
    assert (strange.status, "documentos, salud" in strange.said) == (1, True)


async def test_two_who_make_it_at_once_make_one(tmp_path: Path) -> None:
    """The same moment is one digest, whoever asks for it and however often."""
    async with digesting(tmp_path) as made:
        await made.core.take_in([person(chat(1))])
        place, now = made.core.current.project.communities["fresno"], made.core.now
        row = digest_row(name(TOPICS), place, "m", now)
        await asyncio.gather(*(made.core.broadcasts.appoint(row, now) for _ in range(5)))
        launched = await asyncio.gather(*(made.core.broadcasts.launch_due(now) for _ in range(5)))
        assert sum(map(len, launched)) == 1
        assert await made.core.rows("SELECT count(*) FROM deliveries") == [(1,)]
