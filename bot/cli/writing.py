"""Commands for those who write: `check`, `preview`, `ask`."""

from __future__ import annotations

import json
import os
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from bot import check as checking
from bot import languages, settings
from bot.cli.desk import Desk, command
from bot.conversation import Asker, Conversation, Writer
from bot.findings import errors
from bot.news import MOST, PREFIX, News, topics_in, topics_there_are
from bot.rendering import Rendered, render
from bot.words import Phrases
from channels.base import CHANNELS
from channels.segments import costly

if TYPE_CHECKING:
    from bot.check import Project
    from bot.library import Entry
    from bot.timetable import Community
    from channels.base import ChannelName, Part

_SAMPLE = {"reference": "R-48K2", "outcome": "unknown"}
"""What nobody does here cannot end: the answer shows an example of a reference or code."""


@click.command()
@command
def check(desk: Desk) -> None:
    """Say everything that is wrong in config, texts and schedules."""
    found, _ = settings.load(desk.config, os.environ)
    if found is not None:
        desk.phrases = Phrases(found.language)
    findings = checking.check(desk.config, os.environ, desk.now)
    if desk.as_json:
        desk.answer([checking.as_row(finding, desk.phrases) for finding in findings])
    else:
        desk.findings(findings)
        faults = errors(findings)
        if faults:
            desk.say("faults", n=len(faults))
        if len(findings) > len(faults):
            desk.say("warnings", n=len(findings) - len(faults))
        if not findings:
            desk.say("clean")
    if errors(findings):
        desk.fail()


@click.command()
@click.argument("entry")
@click.option("--community", "-c", multiple=True, help="Only this community (may be repeated).")
@command
def preview(desk: Desk, entry: str, community: tuple[str, ...]) -> None:
    """Show ENTRY as each reader would receive it.

    Letter by letter, for each community, language and channel, with what it costs. With digest:TOPIC+TOPIC
    instead of ENTRY: what is new on these topics, to whom nothing was told yet.
    """
    project = desk.project()
    if entry.startswith(PREFIX):
        texts = _digest(desk, project, entry, community)
    else:
        found = find_entry(desk, project, entry)
        texts = [
            render(project.library, found, place, channel, language, desk.now)
            for place in find_communities(desk, project, found, community)
            for language in place.languages
            for channel in place.channels
        ]
    if desk.as_json:
        desk.answer([_as_row(text) for text in texts])
    else:
        for text in texts:
            _show(desk, project.communities[text.community], text)


def _digest(desk: Desk, project: Project, entry: str, slugs: tuple[str, ...]) -> list[Rendered]:
    """A digest as those read it who follow all of its topics, before anything was told."""
    for topic in sorted(topics_in(entry)):
        _find_topic(desk, project, topic)
    conversation, texts = Conversation(project.library, project.communities), []
    for place in find_communities(desk, project, None, slugs):
        news = News(project.library, conversation, place, desk.now)
        items = [news.items(one, place.languages) for one in news.fresh(topics_in(entry))[:MOST]]
        if not items:
            desk.say("nothing-new", community=place.name)
            continue
        texts += [
            news.write([said[language] for said in items], language, channel)
            for language in place.languages
            for channel in place.channels
        ]
    return texts


@click.command()
@click.argument("text")
@click.option("--community", "-c", help="Whose subscriber asks; the first one if not said.")
@click.option("--language", help="What they read; the community's first if not said.")
@click.option("--channel", type=click.Choice(CHANNELS), default="sms", show_default=True)
@command
def ask(desk: Desk, text: str, community: str | None, language: str | None, channel: ChannelName) -> None:
    """Show what someone who wrote TEXT would be answered.

    With - instead of TEXT, read one message a line.
    """
    project = desk.project()
    conversation = Conversation(project.library, project.communities)
    place = find_communities(desk, project, None, (community,) if community else ())[0]
    asker = Asker(place, channel, _language(desk, language) if language else place.languages[0])
    for message in sys.stdin.read().splitlines() if text == "-" else [text]:
        answer = conversation.answer(message, asker, desk.now)
        said = Writer(project.library).write(answer, desk.now, ended=_SAMPLE)
        texts = [part.text for part in said.open] if said else []
        if desk.as_json:
            row = {
                "intent": answer.intent,
                "entry": answer.entry.slug if answer.entry else None,
                "choices": list(answer.choices),
                "language": answer.reader.language,
                "texts": texts,
            }
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            desk.console.print("\n\n".join(texts), markup=False)


def find_entry(desk: Desk, project: Project, slug: str, kind: str | None = None) -> Entry:
    """The entry of that name, of that kind where one is wanted; ends the command when there is none."""
    entry = project.library.entries.get(slug)
    known = sorted(one.slug for one in project.library.entries.values() if kind in (None, one.kind))
    if entry is None:
        near = get_close_matches(slug, known, n=3)
        desk.fail(
            "said.no-entry-near" if near else "said.no-entry", entry=slug, known=", ".join(near or known)
        )
    if entry.slug not in known:
        desk.fail("said.not-announcement", entry=slug, known=", ".join(known))
    return entry


def _find_topic(desk: Desk, project: Project, topic: str) -> None:
    """Ends the command when nothing is written about that topic."""
    known = topics_there_are(project.library)
    if topic not in known:
        near = get_close_matches(topic, known, n=1)
        key = "said.no-topic-near" if near else "said.no-topic"
        desk.fail(key, topic=topic, known=", ".join(near or sorted(known)))


def find_communities(
    desk: Desk, project: Project, entry: Entry | None, slugs: tuple[str, ...]
) -> list[Community]:
    """Those asked for, else those the entry is for; ends the command when one does not exist."""
    addressed = (entry.communities if entry else ()) or tuple(project.communities)
    wanted = dict.fromkeys(slugs or addressed)
    for slug in wanted:
        if slug not in project.communities:
            desk.fail("said.no-community", community=slug, known=", ".join(sorted(project.communities)))
        if slug not in addressed:
            known = ", ".join(addressed)
            desk.fail("said.elsewhere", entry=entry.slug if entry else "", community=slug, known=known)
    return [project.communities[slug] for slug in wanted]


def _language(desk: Desk, written: str) -> str:
    try:
        return languages.normalise(written)
    except ValueError:
        raise click.BadParameter(desk.phrases.say("rules.import.language.remedy")) from None


def _as_row(text: Rendered) -> dict[str, object]:
    return {
        "community": text.community,
        "language": text.language,
        "edition": text.edition,
        "channel": text.channel,
        "parts": [_part(part) for part in text.open],
        "outside_window": [_part(part) for part in text.closed],
    }


def _part(part: Part) -> dict[str, object]:
    row: dict[str, object] = {
        "text": part.text,
        "format": part.format,
        "encoding": part.encoding,
        "units": part.units,
        "segments": part.segments,
    }
    row |= {"choices": [choice.label for choice in part.choices]} if part.choices else {}
    return row | ({"file": part.file.name} if part.file else {})


def _show(desk: Desk, community: Community, text: Rendered) -> None:
    channel = desk.phrases.say(f"channel.{text.channel}")
    head = desk.phrases.say(
        "said.preview-head", community=community.name, language=text.language, channel=channel
    )
    desk.console.rule(head, align="left")
    for part in text.open:
        if part.file:
            desk.say("preview-file", file=part.file.name)
        desk.console.print(part.text, markup=False)
        cost = {"n": part.segments, "units": part.units, "encoding": part.encoding.upper()}
        key = "said.preview-sms" if text.channel == "sms" else "said.preview-message"
        desk.console.print(desk.phrases.say(key, **cost), style="dim", markup=False)
        if part.encoding == "ucs-2":
            letters = " ".join(costly(part.text))
            desk.console.print(
                desk.phrases.say("said.preview-costly", letters=letters), style="yellow", markup=False
            )
    if not text.closed:
        desk.say("preview-held")
    elif text.closed != text.open and (template := text.closed[0].template):
        desk.say("preview-template", template=template.content_sid)
        desk.console.print(text.closed[0].text, markup=False)
    desk.console.print()
