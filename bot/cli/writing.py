"""Commands for those who write: `init`, `check`, `preview`, `ask`."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import bot
from bot import check as checking
from bot import languages, settings, vault
from bot.cli.desk import Desk, command, shown
from bot.conversation import Conversation, said_of
from bot.findings import errors
from bot.rendering import Rendered, render
from bot.words import Phrases
from channels.base import CHANNELS
from channels.segments import costly

if TYPE_CHECKING:
    from bot.check import Project
    from bot.library import Entry
    from bot.timetable import Community
    from channels.base import ChannelName, Part

_REHEARSAL_SECRETS = {
    "telegram-token": "100000001:rehearsal",
    "twilio-account-sid": "AC00000000000000000000000000000001",
    "twilio-auth-token": "rehearsal",
}
"""What the rehearsal accepts, so that a new deployment can be tried before it has an account anywhere."""


def starter() -> Path:
    """The folder with the starter content: beside the installed package, or the checkout's own."""
    installed = Path(bot.__file__).with_name("starter")
    return installed if installed.is_dir() else Path(bot.__file__).parents[1]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@command
def init(desk: Desk, folder: Path) -> None:
    """Make a new deployment in FOLDER.

    It gets a config, texts, schedules and a key. What is there already is not touched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.toml", "content", "schedules"):
        if (folder / name).exists():
            desk.say("kept", what=name)
        elif (starter() / name).is_dir():
            shutil.copytree(starter() / name, folder / name)
        else:
            _copy_config(starter() / name, folder / name, desk.phrases.language)
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    for name, value in _REHEARSAL_SECRETS.items():
        if not (secrets / name).exists():
            (secrets / name).touch(mode=0o600)
            (secrets / name).write_text(value + "\n", encoding="ascii")
    try:
        vault.write_key(folder / "pregonero.key")
    except FileExistsError:
        desk.say("kept", what="pregonero.key")
    if not (folder / ".gitignore").exists():
        (folder / ".gitignore").write_text("*.key\n*.db*\n/secrets/\n", encoding="ascii")
    desk.say("made", folder=str(folder.resolve()))
    _say_next(desk, folder)


def _copy_config(source: Path, target: Path, language: str) -> None:
    """The starter's config, in the language that staff read until now."""
    text = source.read_text(encoding="utf-8")
    target.write_text(text.replace('\nlanguage = "es"\n', f'\nlanguage = "{language}"\n'), encoding="utf-8")


def _say_next(desk: Desk, folder: Path) -> None:
    """The first steps, each with what it is for."""
    steps = {"check": "", "preview": " semana-de-salud", "rehearsal": "", "run": ""}
    width = max(len(step + more) for step, more in steps.items())
    desk.say("next")
    if folder.resolve() != Path.cwd():
        desk.console.print(f"  cd {shown(folder)}", markup=False)
    for step, more in steps.items():
        what = desk.phrases.say(f"said.next-{step}")
        desk.console.print(f"  pregonero {step + more:<{width}}   {what}", markup=False)


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

    Letter by letter, for each community, language and channel, with what it costs.
    """
    project = desk.project()
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
    conversation = Conversation(project.library)
    place = find_communities(desk, project, None, (community,) if community else ())[0]
    reader = _language(desk, language) if language else place.languages[0]
    for message in sys.stdin.read().splitlines() if text == "-" else [text]:
        answer = conversation.answer(message, place, desk.now)
        said = said_of(project.library, answer, place, channel, reader, desk.now)
        texts = [part.text for part in said.open] if said else []
        if desk.as_json:
            row = {
                "intent": answer.intent,
                "entry": answer.entry.slug if answer.entry else None,
                "choices": [choice.slug for choice in answer.choices],
                "language": reader,
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
        desk.fail("said.no-entry", entry=slug, known=", ".join(known))
    if entry.slug not in known:
        desk.fail("said.not-announcement", entry=slug, known=", ".join(known))
    return entry


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
    return {
        "text": part.text,
        "format": part.format,
        "encoding": part.encoding,
        "units": part.units,
        "segments": part.segments,
    }


def _show(desk: Desk, community: Community, text: Rendered) -> None:
    channel = desk.phrases.say(f"channel.{text.channel}")
    head = desk.phrases.say(
        "said.preview-head", community=community.name, language=text.language, channel=channel
    )
    desk.console.rule(head, align="left")
    for part in text.open:
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
