"""What to answer to a message: pure. Leaving and crisis before all, what we asked, commands, search.

What may enter: the order in which a message is understood. What words mean is `hearing`; what is looked up,
`lookup`; how one joins and changes, `steps`; what goes to the consulate, `voice`; how it is written, `said`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot import languages, references, taps
from bot.conversation import picking, voice
from bot.conversation.answers import (
    Answer,
    Asked,
    Asker,
    Forget,
    Leave,
    Page,
    Phrase,
    Speak,
)
from bot.conversation.lookup import Lookup
from bot.conversation.said import Writer
from bot.conversation.steps import Steps
from bot.hearing import ear, replies, tongues
from bot.hearing.commands import Commands
from bot.hearing.gibberish import is_gibberish
from bot.hearing.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.hearing.topics import About
    from bot.library import Library
    from bot.taps import Tap
    from bot.timetable import Community

__all__ = ("Answer", "Asker", "Conversation", "Writer")

_PLAIN, _FEW_WORDS = 0.5, 3
"""From what probability a message is a plain question, and in how few words a command is one all the same."""
_BEGINNINGS = frozenset(
    {
        *("propuesta", "pregunta", "queja", "sugerencia", "vincular"),
        *("proposal", "question", "complaint", "suggestion", "link"),
    }
)
"""Commands that a message begins with, whatever else it says."""
_ASIDE = ("entry", "more", "help", "person", "thanks", "nothing")
"""What is answered beside a step of joining, which then is asked again."""
_ASK_BACK = "quieres-salir"
"""The page that asks whether leaving was meant."""


class Conversation:
    """The answers of one library. Made in any thread, then asked by one at a time."""

    def __init__(self, library: Library, communities: Mapping[str, Community]) -> None:
        self._lookup = Lookup(library)
        self._steps = Steps(self._lookup, communities)
        self._wishes, self._commands = Wishes(), Commands()

    def prepare(self) -> None:
        """Read now what else would be read at the first question."""
        self._lookup.places.prepare()

    def answer(self, text: str, asker: Asker, now: datetime) -> Answer:
        """What `asker`, who wrote `text`, is to be answered, at `now` (aware UTC)."""
        if chosen := taps.read(text):
            return self._chosen(chosen, asker, now)
        if text.startswith("/start"):
            return self._steps.started(text.removeprefix("/start").strip(), asker)
        words = ear.words(text)
        answer = _still_joining(self._understood(text, words, _as_they_write(words, asker), now), asker)
        if asker.state == "visitor" and answer.reader.language != asker.language and not _speaks(answer):
            answer = replace(answer, does=(Speak(answer.reader.language), *answer.does))
        return answer

    def honestly(self) -> tuple[Page | Phrase, ...]:
        """What is said when nothing better can be."""
        return self._lookup.page("ayuda")

    def unread(self, text: str, asker: Asker) -> Answer:
        """What is answered to a message that nobody may read here: a person of the consulate does."""
        return voice.passed_on("question", text, asker)

    def _understood(self, text: str, words: Sequence[str], asker: Asker, now: datetime) -> Answer:
        about = self._lookup.topics.about(words)
        return (
            self._pressing(words, asker, now)
            or self._expected(text, words, asker, now)
            or self._commanded(self._command(words, about), text, words, asker, now)
            or self._lookup.found(text, words, about, asker, now)
            or self._senseless(words, asker)
            or self._lookup.nothing(text, words, asker)
        )

    def _command(self, words: Sequence[str], about: About) -> str | None:
        """What is asked of the service itself; in the middle of a plain question its words mean nothing."""
        command = self._commands.heard(words)
        if command and about.plain >= _PLAIN and len(words) > _FEW_WORDS and words[0] not in _BEGINNINGS:
            return None
        return command or about.kind

    def _senseless(self, words: Sequence[str], asker: Asker) -> Answer | None:
        """A short decent answer to what asks for nothing."""
        if is_gibberish(words):
            return Answer("nothing", asker, (Phrase("nonsense"),))
        return Answer("nothing", asker, (Phrase("insult"),)) if self._commands.unkind(words) else None

    def _pressing(self, words: Sequence[str], asker: Asker, now: datetime) -> Answer | None:
        """Whoever is in danger or wants to leave is not kept waiting by anything we asked."""
        wanted = self._wishes.heard(words)
        if wanted.crises:
            out = (Leave(),) if wanted.wish in ("leave", "erase") else ()
            says = self._lookup.help(wanted.crises, words, asker, now)
            return Answer("crisis", asker, says, does=out, asks=None if out else asker.asked)
        match wanted.wish:
            case "leave":
                return self._left(asker)
            case "erase":
                return Answer("erase", asker, (Phrase("erased"),), does=(Forget(),))
            case "doubt" if not _declines(words, asker):
                sure = taps.yes_or_no(asker.language, "leave", "stay")
                says = self._lookup.page(_ASK_BACK)
                return Answer("choices", asker, says, sure, Asked("leave", sure), doubt=True)
            case "join":
                return self._steps.join(words, asker)
        return self._steps.invited(words, asker)

    def _left(self, asker: Asker) -> Answer:
        """One confirmation, then silence: whoever says so again is out already."""
        says = () if asker.state == "left" else self._lookup.page("baja")
        return Answer("leave", asker, says, does=(Leave(),))

    def _expected(self, text: str, words: Sequence[str], asker: Asker, now: datetime) -> Answer | None:
        """What answers what we asked; None when they speak of something else."""
        if text.startswith("geo:"):
            return self._steps.placed(text, asker) or self._lookup.lost(asker)
        asked = asker.asked
        if found := references.leading(text):
            return self._written_again(*found, asker)
        if asked is None:
            owed = replies.heard(words) in ("yes", "no") and self._commands.heard(words) is None
            return self._lookup.told("help", asker) if owed else None  # a yes to nothing
        if chosen := picking.picked(text, words, asked):
            return self._steps.followed(chosen, asker) or self._chosen(chosen[0], asker, now)
        if replies.heard(words) == "yes" and (nodded := self._nodded(words, asker, asked, now)):
            return nodded
        if asked.question in ("proposal", "question") and words and not self._commands.heard(words):
            return voice.passed_on(asked.question, text, asker)
        if asked.question in ("community", "join-community"):
            return self._steps.placed(text, asker)
        return None

    def _written_again(self, reference: str, text: str, asker: Asker) -> Answer:
        """What begins with a reference; a mere thank-you is no letter that the desk has to answer."""
        if replies.only_thanks(ear.words(text)):
            return self._lookup.told("thanks", asker)
        return voice.again(reference, text, asker)

    def _nodded(self, words: Sequence[str], asker: Asker, asked: Asked, now: datetime) -> Answer | None:
        """A yes where no choice is called so; None for an "ok" that only says thanks."""
        if asked.question == "welcome" and asker.state != "active":
            return self._steps.agreed(asker)
        if self._commands.heard(words):
            return None
        match asked.question:
            case "more":
                return self._more(asker, now)
            case "which":
                return Answer("choices", asker, (Phrase("choose"),), asked.choices, asked)
            case "language" | "community" | "topics" as step:
                return self._steps.ask(step, asker)
            case "proposal" | "question" as kind:
                return voice.voiced(kind, "", (), asker)
        return self._lookup.told("help", asker)

    def _commanded(
        self, command: str | None, text: str, words: Sequence[str], asker: Asker, now: datetime
    ) -> Answer | None:
        answer: Answer | None = None
        match command:
            case "greeting":
                answer = self._steps.greeted(asker)
            case "language":
                answer = self._steps.language(tongues.named(words), asker, unknown=_names_a_language(words))
            case "community" | "topics" as step:
                named = self._steps.placed(text, asker) if step == "community" else None
                answer = named or self._steps.ask(step, asker)
            case "unheard":
                answer = self._steps.listed(asker)
            case "more":
                answer = self._more(asker, now)
            case "proposal" | "question":
                answer = voice.voiced(command, text, words, asker)
            case "link":
                answer = voice.linked(text, asker)
            case "help" | "thanks" | "person":
                answer = self._lookup.told(command, asker)
            case "foreign" | "spam" | "insult" | "nonsense":
                answer = Answer("nothing", asker, (Phrase(command),))
        return answer

    def _more(self, asker: Asker, now: datetime) -> Answer:
        """The next page of what was said last, if there is something."""
        waiting = asker.asked.choices if asker.asked else ()
        further = next(
            (one for one in map(taps.read, (c.value for c in waiting)) if one and one.word == "more"), None
        )
        return self._chosen(further, asker, now) if further else Answer("more", asker, (Phrase("no-more"),))

    def _chosen(self, chosen: Tap, asker: Asker, now: datetime) -> Answer:
        """What a tap asks for, or what was picked by its number or name."""
        match chosen.word:
            case "leave":
                answer = self._left(asker)
            case "stay" | "no":
                answer = self._steps.stayed(asker)
            case "join":
                answer = self._steps.join((), asker)
            case "confirm":
                answer = self._steps.confirmed(asker)
            case "help":
                answer = self._lookup.told("help", asker)
            case "useful":
                answer = voice.judged(chosen, asker)
            case "pass-on":
                answer = voice.passed_on("question", asker.asked.kept if asker.asked else "", asker)
            case "entry" | "more":
                answer = self._lookup.named(chosen, asker, now)
            case _:
                answer = self._steps.chosen(chosen, asker)
        return answer


def _as_they_write(words: Sequence[str], asker: Asker) -> Asker:
    """The asker as a reader of the language this message is in, between Spanish and English.

    Whoever reads another language can often only write one of these two, and is answered in their own.
    """
    written, read = tongues.written_in(words), languages.base(asker.language)
    if written is None or written == read or read not in ("es", "en"):
        return asker
    return replace(asker, language=languages.as_offered(written, asker.community.languages))


def _declines(words: Sequence[str], asker: Asker) -> bool:
    """Whether a no answers us: who gets nothing cannot mean leaving, and who is asked about it says so."""
    asked = asker.asked
    owes = asked is not None and (asker.state != "active" or asked.question == "leave")
    return owes and replies.heard(words) == "no"


def _names_a_language(words: Sequence[str]) -> bool:
    """Whether somebody says which language they want, and nothing else: idioma zapoteco."""
    return len(words) == 2 and words[0] in ("idioma", "lengua", "language")  # noqa: PLR2004 - the word and its name


def _still_joining(answer: Answer, asker: Asker) -> Answer:
    """Who asks something on the way in is answered, and then asked the same step again."""
    asked = asker.asked
    if asked is None or not asked.question.startswith("join-") or answer.intent not in _ASIDE:
        return answer
    further = answer.asks.choices if answer.asks and answer.asks.question == "more" else ()
    return replace(
        answer,
        says=(*answer.says, Phrase(asked.question.replace("join-", "which-"))),
        offers=asked.choices,
        asks=replace(asked, choices=(*asked.choices, *further)),
    )


def _speaks(answer: Answer) -> bool:
    return any(isinstance(act, Speak) for act in answer.does)
