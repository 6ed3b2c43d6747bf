"""Joining and changing: language, community, topics, each with a tap or a text, each skippable.

On the way in they are asked one after the other; later each can be changed alone. A telephone number is not
joined until its owner confirmed it: on SMS anybody could write a number down.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from bot import languages, taps
from bot.conversation.answers import (
    Answer,
    Asked,
    AskToJoin,
    Follow,
    Join,
    Move,
    Page,
    Phrase,
    Speak,
)
from bot.conversation.invitations import Invitation
from bot.words import Phrases, join
from channels.base import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.conversation.answers import Act, Asker
    from bot.conversation.lookup import Lookup
    from bot.taps import Tap
    from bot.timetable import Community

Step = Literal["language", "community", "topics"]
_STEPS: tuple[Step, ...] = ("language", "community", "topics")
_IN_CITY = re.compile(r".* (?:en|in) ")
"""What stands before the city in the name of an office."""
_FEW = 4
"""How many communities are offered by name; with more of them people say where they live."""


class Steps:
    """The ways in one deployment."""

    def __init__(self, lookup: Lookup, communities: Mapping[str, Community]) -> None:
        self._lookup = lookup
        self._communities = communities
        consulates = lookup.library.consulates
        self._offices = {one.slug: consulates.get(one.consulate or one.slug) for one in communities.values()}
        self._serving = {office.slug: communities[slug] for slug, office in self._offices.items() if office}

    def started(self, payload: str, asker: Asker) -> Answer:
        """Telegram's first word; a link or QR code may know a community and a language."""
        asker, does = self._invited(Invitation.read(payload), asker)
        return replace(self.greeted(asker), does=does)

    def greeted(self, asker: Asker) -> Answer:
        """Who we are, with the way in and the other languages."""
        say = Phrases(asker.language).say
        offers: tuple[Choice, ...] = ()
        if asker.state != "active":
            offers = (taps.choice(say("bot.label.join"), "join"),)
        others = [one for one in asker.community.languages if not _same(one, asker.language)]
        offers += tuple(taps.choice(languages.autonym(one), "language", one) for one in others[:_FEW])
        offers += (taps.choice(say("bot.label.help"), "help"),)
        shown = () if asker.channel == "sms" else offers  # there the page says what to write
        return Answer("greeting", asker, self._lookup.page("bienvenida"), shown, Asked("welcome", shown))

    def listed(self, asker: Asker) -> Answer:
        """They hear nothing from us: whether they are on the list, or how one gets on it."""
        if asker.state != "active":
            return self.greeted(asker)
        return Answer("help", asker, (Phrase("listed"),))

    def invited(self, words: Sequence[str], asker: Asker) -> Answer | None:
        """The words that a link or a poster gave them: `ALTA nueva-york`."""
        invitation = Invitation.heard(words, self._communities)
        return self.join(words, asker) if invitation.community and invitation.joining else None

    def join(self, words: Sequence[str], asker: Asker) -> Answer:
        """They want in. What they wrote may name a community, as the links for SMS and WhatsApp do."""
        asker, does = self._invited(Invitation.heard(words, self._communities), asker)
        if asker.channel == "sms" and asker.state not in ("active", "left"):
            return self._confirming(asker, (*does, AskToJoin()))
        return self._joined(asker, does, told="alta")

    def agreed(self, asker: Asker) -> Answer:
        """They said yes to the welcome. Who left is asked once more: no "ok" alone brings anybody back."""
        return self._confirming(asker, ()) if asker.state == "left" else self.join((), asker)

    def confirmed(self, asker: Asker) -> Answer:
        """They said yes to the question whether they want in."""
        return self._joined(asker, (), told="confirmar")

    def stayed(self, asker: Asker) -> Answer:
        """They said no to whatever we asked: nothing changes."""
        match asker.asked.question if asker.asked else "leave":
            case "confirm":
                return Answer("join", asker, (Phrase("not-joined"),))
            case "welcome" if asker.state != "active":
                return Answer("join", asker, (Phrase("not-joined"),))
            case "leave":
                return Answer("join", asker, (Phrase("stayed"),))
            case "pass-on":
                return Answer("nothing", asker, (Phrase("not-passed-on"),))
        return Answer("nothing", asker, (Phrase("kept"),))

    def language(self, code: str | None, asker: Asker, *, unknown: bool = False) -> Answer:
        """They named a language, or want another one; `unknown` where they named one that we do not know."""
        if code is None:
            return self._ask("language", asker, (Phrase("language-unknown"),) if unknown else (), ())
        return self._spoken(code, asker)

    def ask(self, step: Step, asker: Asker) -> Answer:
        """Which language they read, where they live, or what they want to hear of."""
        return self._ask(step, asker, (), ())

    def placed(self, text: str, asker: Asker) -> Answer | None:
        """Where they live, to the community that speaks there; None when it is no place we know."""
        offices = self._lookup.places.find(text)
        served = [self._serving[one.slug] for one in offices if one.slug in self._serving]
        if len(offices) == 1 and served:
            return self._moved(served[0], asker)
        if len(served) > 1:
            offers = tuple(taps.choice(self._city(one, asker), "community", one.slug) for one in served)
            asked = asker.asked.question if asker.asked else "community"
            return Answer("community", asker, (Phrase("choose-place"),), offers, Asked(asked, offers))
        if not offices:
            return None
        card, stay = Page(offices[0]), (("community", asker.community.name),)
        elsewhere = Answer("community", asker, (card, Phrase("elsewhere", stay)))
        return self._after("community", elsewhere)

    def followed(self, chosen: Sequence[Tap], asker: Asker) -> Answer | None:
        """Several numbers at once are topics; one alone is like a tap."""
        topics = {one.about for one in chosen if one.word == "topic"}
        return self._toggled(topics, asker) if len(topics) > 1 else None

    def chosen(self, chosen: Tap, asker: Asker) -> Answer:
        """A tap on one of our steps."""
        match chosen.word:
            case "language" if chosen.about:
                return self._spoken(chosen.about, asker)
            case "community" if community := self._communities.get(chosen.about):
                return self._moved(community, asker)
            case "topic" if chosen.about in self._topics(asker):
                return self._toggled({chosen.about}, asker)
            case "skip" | "done":
                return self._after(_step(asker), Answer(_step(asker), asker, self._summed_up(asker)))
            case "language" | "community" | "topics" as step:
                return self.ask(step, asker)
        return self.greeted(asker)  # a tap on what is no more

    def _invited(self, invitation: Invitation, asker: Asker) -> tuple[Asker, tuple[Act, ...]]:
        """What a link or a word already said of community and language."""
        does: tuple[Act, ...] = ()
        community = self._communities.get(invitation.community)
        if community and community is not asker.community:
            asker, does = replace(asker, community=community), (Move(community.slug),)
        if invitation.language and not _same(invitation.language, asker.language):
            language = languages.as_offered(invitation.language, asker.community.languages)
            asker = replace(asker, language=language)
            does += (Speak(language),)
        return asker, does

    def _confirming(self, asker: Asker, does: tuple[Act, ...]) -> Answer:
        choices = taps.yes_or_no(asker.language, "confirm", "no")
        shown = () if asker.channel == "sms" else choices  # there the page says what to write
        return Answer("join", asker, self._lookup.page("confirmar"), shown, Asked("confirm", choices), does)

    def _joined(self, asker: Asker, does: tuple[Act, ...], *, told: str) -> Answer:
        """They are in; `told` is the page that said what they said yes to."""
        page, words = self._lookup.page("alta"), _version(self._lookup.page(told)[0], asker.language)
        reader = replace(asker, state="active")
        first = Answer("join", reader, page, does=(*does, Join(words)))
        said = {"community" for act in does if isinstance(act, Move)}
        said |= {"language" for act in does if isinstance(act, Speak)}
        return self._next([step for step in _STEPS if step not in said], first)

    def _next(self, steps: Sequence[Step], so_far: Answer) -> Answer:
        """Ask the first of these steps that there is a choice in; none is the end of joining."""
        for step in steps:
            if len(self._offers(step, so_far.reader)) > 1:
                asked = self._ask(step, so_far.reader, so_far.says, so_far.does, joining=True)
                return replace(asked, intent=so_far.intent)
        return so_far

    def _after(self, step: Step, so_far: Answer) -> Answer:
        """Go on with the next step when they are on their way in."""
        asked = so_far.reader.asked
        if asked is None or not asked.question.startswith("join-"):
            return so_far
        return self._next(_STEPS[_STEPS.index(step) + 1 :], so_far)

    def _ask(
        self,
        step: Step,
        asker: Asker,
        says: tuple[Page | Phrase, ...],
        does: tuple[Act, ...],
        *,
        joining: bool = False,
    ) -> Answer:
        say = Phrases(asker.language).say
        end = taps.choice(say("bot.label.done"), "done") if step == "topics" else None
        offers = (*self._offers(step, asker), end or taps.choice(say("bot.label.skip"), "skip"))
        question = f"join-{step}" if joining else step
        asks = Asked(question, offers)  # type: ignore[arg-type] # one of the six words, built from two
        return Answer(step, asker, (*says, Phrase(f"which-{step}")), offers, asks, does)

    def _offers(self, step: Step, asker: Asker) -> tuple[Choice, ...]:
        match step:
            case "language":
                codes = asker.community.languages
                return tuple(taps.choice(languages.autonym(one), "language", one) for one in codes)
            case "community":
                few = self._communities.values() if len(self._communities) <= _FEW else ()
                offers = tuple(taps.choice(self._city(one, asker), "community", one.slug) for one in few)
                here = Phrases(asker.language).say("bot.label.share-place")
                share = (Choice(here, "#place", place=True),) if len(self._communities) > 1 else ()
                return (*offers, *share)
            case "topics":
                mark = "✓ "
                return tuple(
                    taps.choice(mark * (one in asker.topics) + _named(one, asker), "topic", one)
                    for one in self._topics(asker)
                )

    def _spoken(self, code: str, asker: Asker) -> Answer:
        code = languages.as_offered(code, asker.community.languages)
        reader = replace(asker, language=code)
        heard = (("language", languages.autonym(code)),)
        said = Phrase("language-set", heard)
        if languages.base(Phrases(code).language) != languages.base(code):
            said = Phrase("language-unspoken", heard)  # we write them in the nearest we have
        return self._after("language", Answer("language", reader, (said,), does=(Speak(code),)))

    def _moved(self, community: Community, asker: Asker) -> Answer:
        reader = replace(asker, community=community)
        said = Phrase("community-set", (("community", community.name),))
        moved = Answer("community", reader, (said,), does=(Move(community.slug),))
        return self._after("community", moved)

    def _toggled(self, topics: set[str], asker: Asker) -> Answer:
        known = topics & set(self._topics(asker))
        reader = replace(asker, topics=asker.topics ^ known)
        joining = asker.asked is not None and asker.asked.question == "join-topics"
        return self._ask("topics", reader, self._summed_up(reader), (Follow(reader.topics),), joining=joining)

    def _summed_up(self, asker: Asker) -> tuple[Phrase, ...]:
        """What they have now, of the step they are at."""
        if _step(asker) != "topics":
            return (Phrase("kept"),)
        if not asker.topics:
            return (Phrase("topics-all"),)
        names = join((_named(one, asker) for one in sorted(asker.topics)), asker.language)
        return (Phrase("topics-set", (("topics", names),)),)

    def _topics(self, asker: Asker) -> list[str]:
        """What is written about for this community, as staff name it."""
        entries = self._lookup.library.entries.values()
        here = [one for one in entries if not one.communities or asker.community.slug in one.communities]
        return sorted({topic.strip().lower() for one in here for topic in one.topics})

    def _city(self, community: Community, asker: Asker) -> str:
        """Short enough for a button, and as its readers write it: Nueva York, New York."""
        office = self._offices[community.slug]
        title = office.edition_for(asker.language).title if office else community.name
        return _IN_CITY.sub("", title)


def _step(asker: Asker) -> Step:
    question = asker.asked.question.removeprefix("join-") if asker.asked else ""
    return next((step for step in _STEPS if step == question), "topics")


def _same(one: str, other: str) -> bool:
    return languages.base(one) == languages.base(other)


def _version(page: Page | Phrase, language: str) -> str:
    """Which text told them what they said yes to: `alta.es#1a2b3c4d`."""
    if isinstance(page, Phrase):
        return page.key
    edition = page.entry.edition_for(language)
    return f"{page.entry.slug}.{edition.language}#{edition.source_hash}"


def _named(topic: str, asker: Asker) -> str:
    """A topic as its readers call it; one that only this consulate has, as staff wrote it."""
    try:
        return Phrases(asker.language).say(f"topic.{topic}")
    except KeyError:
        return topic.capitalize()
