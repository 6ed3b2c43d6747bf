"""What is wrong in what a text says or costs, although it can be read and filled.

What may enter: judgements of one entry's words. Dates, languages and slots are `plans`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import phonenumbers

from bot.findings import Faults, Finding
from bot.library import Place
from bot.toml.lines import line_of
from channels import render
from channels.segments import costly

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from bot.library import Entry, Library
    from bot.library.facts import Fact
    from bot.library.front_matter import Edition
    from bot.timetable import Community
    from channels.base import Part

_SHORTENERS = (
    "bit.ly tinyurl.com t.co goo.gl ow.ly is.gd buff.ly cutt.ly rebrand.ly"
    " lnkd.in tiny.cc t.ly wa.link shorturl.at"
)
"""They hide where they lead: carriers (Twilio 30007, spam filters) and careful people distrust them."""

_SHORTENER = re.compile(
    rf"(?<![\w.-])(?:{'|'.join(map(re.escape, _SHORTENERS.split()))})(?![\w-]|\.\w)", re.IGNORECASE
)

_REGIONS = ("US", "MX")
_LOCAL = re.compile(r"(?<![\w./-])\d{3}-\d{4}(?![\w/-])")
"""Seven digits without an area, «233-3065»: no telephone that somebody elsewhere can call."""

_LONGEST = 3
"""Segments of an announcement beyond which staff are told what it costs."""


def lines(edition: Edition) -> Iterator[tuple[int, str]]:
    """Each line of what is said, with its number in the file."""
    for key in ("title", "summary", "sms"):
        if key in edition.written.value:
            yield line_of(edition.written.text, (key,)), str(edition.written.value[key])
    if edition.front.whatsapp:
        for name, text in edition.front.whatsapp.variables.items():
            yield line_of(edition.written.text, ("whatsapp", "variables", name)), text
    yield from enumerate(edition.body.split("\n"), start=edition.body_line)


def links_and_numbers(entry: Entry, facts: Collection[Fact]) -> Iterator[Finding]:
    """Shortened links, and telephones that no fact vouches for."""
    known = {_e164(str(fact.value), region) for fact in facts if fact.kind == "phone" for region in _REGIONS}
    for edition in entry.editions.values():
        for line, text in lines(edition):
            for link in _SHORTENER.findall(text):
                yield Finding("check.shortener", edition.file, line, values={"link": link.lower()})
            for phone in _telephones(text):
                if not known & {_e164(phone, region) for region in _REGIONS}:
                    yield Finding("check.phone", edition.file, line, values={"phone": phone})


def _telephones(text: str) -> Iterator[str]:
    """Each telephone in a text, as it is written: as the United States write it, or else as Mexico does."""
    taken: list[tuple[int, int]] = []
    for region in _REGIONS:
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            if all(match.end <= begin or end <= match.start for begin, end in taken):
                taken.append((match.start, match.end))
                yield match.raw_string
    for local in _LOCAL.finditer(text):
        if all(local.end() <= begin or end <= local.start() for begin, end in taken):
            yield local[0]


def _e164(written: str, region: str) -> str:
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return written
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def templates(entry: Entry, addressed: Collection[Community]) -> Iterator[Finding]:
    """Announcements that WhatsApp could not carry to those who did not write in the last day."""
    if entry.kind != "announcement" or not any("whatsapp" in one.channels for one in addressed):
        return
    editions = entry.editions.values() if entry.source.front.whatsapp else [entry.source]
    for edition in editions:
        if edition.front.whatsapp is None:
            yield Finding("check.no-template", edition.file, 0, "warning")


def costs(texts: Library, entry: Entry, addressed: Collection[Community]) -> Iterator[Finding]:
    """What an entry costs as SMS where that is more than staff expect; every channel is written once."""
    said: set[str] = set()
    for community in addressed:
        place = Place.of(community)
        for language in community.languages:
            try:
                message, edition = texts.message(entry, language, place, fold=community.fold)
            except Faults:
                continue  # said by `library.try_every`
            written = {name: render(name, message, window_open=True) for name in community.channels}
            found = _cost(entry, edition, community, written.get("sms", []))
            if found and edition.language not in said:
                said.add(edition.language)
                yield found


def _cost(entry: Entry, edition: Edition, community: Community, parts: list[Part]) -> Finding | None:
    segments = sum(part.segments for part in parts)
    if edition.front.sms and segments > 1:
        rule, key = "check.sms-long", "sms"
    elif entry.kind == "announcement" and segments > _LONGEST:
        rule, key = "check.announcement-long", "title"
    else:
        return None
    letters = dict.fromkeys(letter for part in parts for letter in costly(part.text))
    rule = f"{rule}-letters" if letters else rule
    shown = " ".join(map(_shown, letters))
    values = {"community": community.slug, "segments": str(segments), "letters": shown}
    return replace(edition.written.finding(rule, (key,), **values), level="warning")


def _shown(letter: str) -> str:
    """A letter as staff can see it."""
    return letter if letter.isprintable() and not letter.isspace() else f"U+{ord(letter[0]):04X}"
