"""The starter content and schedules: what a consulate finds on its first day is whole, cheap and sourced.

Only what is true of the files in `content/`, `schedules/` and the staff's guide may enter; how they are read
is tested with the library.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot import library, timetable
from bot.conversation import Asker, Conversation, Writer
from bot.findings import errors
from bot.hearing.ear import fold
from bot.library.facts import KINDS
from bot.library.front_matter import FrontMatter
from bot.rendering import render
from bot.timetable.spoken import every

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.library import Entry, Library
    from bot.timetable import Community
    from channels.base import ChannelName

ROOT = Path(__file__).parents[1]
NOW = dt.datetime(2026, 11, 22, 18, tzinfo=dt.UTC)
TODAY = NOW.date()
"""The day the content was written: its prices expire with the year, and the tests must not."""

CHAT = ("bienvenida", "ayuda", "privacidad", "alta", "baja", "no-encontrado")
CRISES = (
    "emergencia-911",
    "emergencia-suicidio",
    "emergencia-violencia",
    "emergencia-trata",
    "emergencia-menor",
    "emergencia-desierto",
    "emergencia-detencion",
)
BETRAYING = re.compile(
    r"violen|golpe|pega|maltrat|abus|marido|espos|pareja|trata|traffick|hit|beat|husband|partner|forced",
    re.IGNORECASE,
)
"""What a person who watches another's phone must not read in a notification."""
FILLED = re.compile(r"\{\{.*?\}\}")
LONG_NUMBER = re.compile(r"\d(?:[\s().+-]*\d){6,}")
AMOUNT = re.compile(
    r"[$€]\s*\d|\b(?:USD|MXN|CAD|EUR)\s*\d|\d\s*(?:USD|MXN|dólares|dollars|pesos)\b", re.IGNORECASE
)
ADDRESS = re.compile(r"https?://|\bwww\.", re.IGNORECASE)
SHOUTED = re.compile(r"\*\*([^\W\d_]+(?: [^\W\d_]+)*)\*\*")

OFFERED = frozenset((ROOT / "tests/data/offered.txt").read_text(encoding="utf-8").split())
"""Every program and service that consulates offer and people ask for, by the name of its entry."""

LONGEST = 25
"""Words of a sentence that somebody with six years of school still reads in one go."""

SENTENCE = re.compile(r"[.!?:;\n]+")
WRITE = re.compile(r"\b(?:[Ee]scribe|[Ww]rite) \*\*([^*]+)\*\*")


@pytest.fixture(scope="module")
def content() -> Library:
    """The starter content as it is read."""
    return library.read(ROOT / "content", today=TODAY)[0]


@pytest.fixture(scope="module")
def communities() -> list[Community]:
    """The starter communities."""
    senders = timetable.read(ROOT / "schedules", {"bot": "telegram", "whatsapp": "whatsapp", "sms": "sms"})
    return list(senders[0].values())


def _reached(content: Library, communities: list[Community]) -> Iterator[tuple[Entry, Community, str]]:
    for entry in content.entries.values():
        for community in communities:
            if not entry.communities or community.slug in entry.communities:
                for language in community.languages:
                    yield entry, community, language


def test_the_starter_content_reads_without_a_single_finding() -> None:
    """A consulate that changes nothing is told of no fault in content or schedules."""
    _, in_content = library.read(ROOT / "content", today=TODAY)
    _, in_schedules = timetable.read(
        ROOT / "schedules", {"bot": "telegram", "whatsapp": "whatsapp", "sms": "sms"}
    )
    assert in_content == []
    assert in_schedules == []


def test_every_entry_can_be_said_to_every_reader(content: Library, communities: list[Community]) -> None:
    """No name, filter or fact in any starter text is missing for any community and language."""
    for community in communities:
        place = library.Place.of(community)
        assert errors(library.try_every(content, place, community.languages, TODAY)) == []


def test_every_sms_is_one_cheap_segment(content: Library, communities: list[Community]) -> None:
    """Each announcement, answer and page costs one SMS in GSM-7, whatever community's name is filled in."""
    for entry, community, language in _reached(content, communities):
        parts = render(content, entry, community, "sms", language, NOW).open
        assert [(part.encoding, part.segments) for part in parts] == [("gsm-7", 1)], (entry.slug, language)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_a_chat_gets_one_message(
    content: Library, communities: list[Community], channel: ChannelName
) -> None:
    """No starter text falls apart into several messages where a long one is allowed."""
    for entry, community, language in _reached(content, communities):
        assert len(render(content, entry, community, channel, language, NOW).open) == 1, (
            entry.slug,
            language,
        )


def test_no_telephone_price_or_address_is_written_outside_the_facts(content: Library) -> None:
    """A number that changes is changed in one place: texts quote it, and never spell it."""
    spelled = [
        edition.file
        for entry in content.entries.values()
        for edition in entry.editions.values()
        for text in (edition.title, edition.front.summary, edition.front.sms, edition.body)
        for pattern in (LONG_NUMBER, AMOUNT, ADDRESS)
        if pattern.search(FILLED.sub("", text))
    ]
    assert spelled == []


def test_every_entry_is_in_spanish_and_in_english_of_the_same_day(content: Library) -> None:
    """Each starter entry has its Spanish source and an English edition that translates exactly that text."""
    for entry in content.entries.values():
        assert set(entry.editions) == {"es", "en"}, entry.slug
        assert entry.source.language == "es", entry.slug
        assert entry.editions["en"].front.translates == entry.source.source_hash, entry.slug
        assert not entry.editions["en"].stale, entry.slug


def test_every_fact_says_where_it_was_read_and_prices_end_with_the_year(content: Library) -> None:
    """Staff can doubt any fact: it names a page or the directory, and no price outlives its list."""
    for fact in content.facts.values():
        assert re.match(r"https?://|Directorio de la SRE del 2026-05-21", fact.source), fact.name
        assert fact.kind not in {"USD", "CAD", "MXN", "EUR"} or fact.until == dt.date(2026, 12, 31), fact.name


def test_every_fact_is_quoted(content: Library) -> None:
    """Nobody keeps a fact up to date that no text uses."""
    texts = "".join(
        text
        for entry in content.entries.values()
        for edition in entry.editions.values()
        for text in (edition.title, edition.front.summary, edition.front.sms, edition.body)
    )
    assert [name for name in content.facts if f"facts.{name}" not in texts] == []


def test_the_pages_the_bot_answers_with_are_there(content: Library) -> None:
    """Welcome, help, privacy, joining, leaving and not knowing each have a page."""
    assert [slug for slug in CHAT if slug not in content.entries] == []


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_word_the_help_page_offers_is_answered(
    content: Library, communities: list[Community], language: str
) -> None:
    """Whoever writes a word exactly as the help page shows it is never told that it is unknown."""
    body = content.entries["ayuda"].editions[language].body
    offered = [word for word in SHOUTED.findall(body) if word.isupper()]
    conversation = Conversation(content, {one.slug: one for one in communities})
    asker = Asker(communities[0], "telegram", language)
    assert len(offered) > 10
    intents = {word: conversation.answer(word, asker, NOW).intent for word in offered}
    assert [word for word, intent in intents.items() if intent in {"nothing", "choices"}] == []


def test_what_a_detained_person_reads_first_is_the_telephone(
    content: Library, communities: list[Community]
) -> None:
    """The crisis answer names CIAM before anything else, and within its one SMS."""
    entry = content.entries["emergencia-detencion"]
    assert entry.urgency == "emergency"
    phone = str(content.facts["ciam.phone"].value)
    for community in communities:
        for language in community.languages:
            chat, sms = (
                render(content, entry, community, name, language, NOW).open for name in ("telegram", "sms")
            )
            assert phone in chat[0].text[:120]
            assert phone in sms[0].text


def test_every_crisis_has_an_answer_that_opens_with_help(
    content: Library, communities: list[Community]
) -> None:
    """Whatever the danger, a help telephone comes before anything else, and CIAM fits in the one SMS."""
    ciam = str(content.facts["ciam.phone"].value)
    lines = [str(content.facts[f"{name}.phone"].value) for name in ("emergency", "ciam", "lifeline")]
    for slug in CRISES:
        entry = content.entries[slug]
        assert entry.urgency == "emergency", slug
        for community in communities:
            for language in community.languages:
                chat, sms = (
                    render(content, entry, community, name, language, NOW).open
                    for name in ("telegram", "sms")
                )
                assert any(line in chat[0].text[:120] for line in lines), (slug, language)
                assert ciam in sms[0].text, (slug, language)


@pytest.mark.parametrize("channel", ["telegram", "sms", "whatsapp"])
@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("cuanto cuesta el pasaporte", ("fee_3y", "fee_6y", "fee_10y")),
        ("precio pasaporte", ("fee_3y", "fee_6y", "fee_10y")),
        ("how much is the passport", ("fee_3y", "fee_6y", "fee_10y")),
        ("cuanto sale el pasaporte de mi hijo", ("fee_1y", "fee_3y", "fee_6y")),
        ("cuanto cuesta la matricula", ("fee",)),
        ("precio de la matricula consular", ("fee",)),
        ("precios", ("fee_3y", "fee_10y")),
    ],
)
def test_who_asks_for_a_price_reads_it_at_once(
    content: Library, communities: list[Community], channel: ChannelName, text: str, facts: tuple[str, ...]
) -> None:
    """The first message has the price and the day until which it is true; after that day, no price at all."""
    conversation = Conversation(content, {one.slug: one for one in communities})
    answer = conversation.answer(text, Asker(communities[0], channel, "es-MX"), NOW)
    group = "matricula" if "matricula" in text else "passport"
    prices = [content.facts[f"{group}.{name}"] for name in facts]
    said = Writer(content).write(answer, NOW)
    assert said
    assert all(f"{price.value:.0f}" in said.open[0].text for price in prices)
    assert re.search("31 de diciembre de 2026|December 31, 2026", said.open[0].text)
    expired = Writer(content).write(answer, NOW + dt.timedelta(days=60))
    assert expired
    assert not any(f"{price.value:.0f}" in part.text for price in prices for part in expired.open)


def test_no_sms_without_its_accents_says_another_word(content: Library) -> None:
    """By SMS á is written a: mamá and papá would be a breast and a potato."""
    spelled = [
        (edition.file.parts[-2:], word)
        for entry in content.entries.values()
        for edition in entry.editions.values()
        for text in (edition.title, edition.front.summary, edition.front.sms, edition.body)
        for word in re.findall(r"\b(?:mam|pap)ás?\b", text, re.IGNORECASE)
    ]
    assert spelled == []


def test_no_word_leads_to_two_crises(content: Library) -> None:
    """Somebody in danger gets one answer, and never the wrong one because a word was listed twice."""
    listed = [
        (word, slug)
        for slug in CRISES
        for word in {
            fold(word)
            for edition in content.entries[slug].editions.values()
            for word in (edition.title, *edition.front.keywords, *edition.front.misspellings)
        }
    ]
    words = [word for word, _ in listed]
    assert [pair for pair in listed if words.count(pair[0]) > 1] == []


@pytest.mark.parametrize("slug", ["emergencia-violencia", "emergencia-trata"])
def test_who_is_watched_is_told_to_leave_no_trace(
    content: Library, communities: list[Community], slug: str
) -> None:
    """Where another may read the phone, the first lines betray nothing, and the text asks to be deleted."""
    for community in communities:
        for language in community.languages:
            for channel in ("telegram", "whatsapp", "sms"):
                text = render(content, content.entries[slug], community, channel, language, NOW).open[0].text
                assert re.search(r"\b(?:[Bb]orra|[Dd]elete) est|\b[Dd]elete this", text), (channel, language)
                assert not BETRAYING.search(text[:120]), (channel, language)


def test_only_who_looks_for_somebody_detained_is_shown_the_agency_that_detains(content: Library) -> None:
    """No text sends anybody to ICE, but for the search page, after CIAM and with a warning."""
    quoting = {
        entry.slug
        for entry in content.entries.values()
        for edition in entry.editions.values()
        if "facts.detainee_locator" in edition.front.sms + edition.body
    }
    assert quoting == {"localizar-familiar"}
    for edition in content.entries["localizar-familiar"].editions.values():
        assert edition.body.index("facts.ciam") < edition.body.index("facts.detainee_locator")
    assert [fact.name for fact in content.facts.values() if "888 351 4024" in str(fact.value)] == []


def test_every_slot_announces_something_to_its_own_community(
    content: Library, communities: list[Community]
) -> None:
    """A schedule points only at announcements that exist, are for that community and are still true then."""
    for community in communities:
        for slot in community.slots:
            if slot.digest:
                assert set(slot.digest) <= {
                    topic for entry in content.entries.values() for topic in entry.topics
                }
                continue
            entry = content.entries[slot.entry]
            assert entry.kind == "announcement"
            assert not entry.communities or community.slug in entry.communities
            end, until = entry.expires(community.zone), TODAY + dt.timedelta(days=30)
            planned = list(timetable.moments(community, slot, entry.starts, TODAY, until))
            assert planned
            assert end is None or all(moment < end for _, moment in planned)


def test_the_guides_times_are_understood() -> None:
    """Whoever copies a time from the guide has one that works, and that comes within two years."""
    guide = (ROOT / "docs/escribir.md").read_text(encoding="utf-8")
    (line,) = [line for line in guide.splitlines() if line.startswith("Así se escribe `every`")]
    dates, _ = timetable.read_dates(ROOT / "content/dates.toml")
    written = re.findall(r'`"([^"]+)"`', line)
    assert len(written) > 7
    for text in written:
        assert every(text, dates).between(TODAY, TODAY + dt.timedelta(days=730))


def test_the_guide_names_every_field_staff_may_write() -> None:
    """No field of the front matter and no kind of fact is left for staff to guess."""
    guide = (ROOT / "docs" / "escribir.md").read_text(encoding="utf-8")
    assert [name for name in (*FrontMatter.model_fields, *KINDS) if f"`{name}`" not in guide] == []


def test_every_program_and_service_is_told_in_both_languages_and_in_one_sms(content: Library) -> None:
    """Whatever people ask for has its text, words that it is found by, and an SMS written for it."""
    assert sorted(OFFERED - content.entries.keys()) == []
    for slug in OFFERED:
        for language in ("es", "en"):
            front = content.entries[slug].editions[language].front
            assert front.sms, (slug, language)
            assert len(front.keywords) > 1, (slug, language)


def test_no_sentence_is_longer_than_six_years_of_school_read(content: Library) -> None:
    """One idea a sentence: who reads slowly reaches its end."""
    long = [
        (edition.file.parts[-2:], sentence.strip())
        for entry in content.entries.values()
        for edition in entry.editions.values()
        for text in (edition.title, edition.front.summary, edition.front.sms, edition.body)
        for sentence in SENTENCE.split(FILLED.sub("X", text))
        if len(sentence.split()) > LONGEST
    ]
    assert long == []


def test_every_word_an_entry_offers_leads_on(content: Library, communities: list[Community]) -> None:
    """Whoever writes the word that a text tells them to write reaches an answer."""
    conversation = Conversation(content, {one.slug: one for one in communities})
    asker = Asker(communities[0], "telegram", "es")
    lost = [
        (entry.slug, word)
        for entry in content.entries.values()
        for edition in entry.editions.values()
        for word in WRITE.findall(edition.body)
        if conversation.answer(word, asker, NOW).intent in {"nothing", "choices"}
    ]
    assert lost == []
