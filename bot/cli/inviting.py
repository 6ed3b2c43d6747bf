"""The command for posters: `invite`, links and QR codes that land in the right community and language."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import segno

from bot import languages
from bot.cli.desk import Desk, command, shown
from bot.cli.writing import find_communities
from bot.conversation.invitations import Invitation
from bot.settings import Telegram

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from bot.check import Project
    from bot.timetable import Community

_SCALE, _QUIET_ZONE = 8, 4
"""Points for each of a code's squares, and the white ones around it that ISO 18004 asks for."""


@click.command()
@click.argument("community")
@click.option("--language", help="What they will read; the community's first if not said.")
@click.option(
    "--svg",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also write a QR code for each channel into this folder.",
)
@command
def invite(desk: Desk, community: str, language: str | None, svg: Path | None) -> None:
    """Links and QR codes by which people join COMMUNITY.

    Whoever opens one lands in that community and language, and still says yes themselves.
    """
    project = desk.project()
    place = find_communities(desk, project, None, (community,))[0]
    links = dict(_links(project, place, _spoken(desk, place, language)))
    if not links:
        desk.fail("said.invite-none")
    codes = (
        {channel: _code(link, svg / f"{place.slug}-{channel}.svg") for channel, link in links.items()}
        if svg
        else {}
    )
    if desk.as_json:
        desk.answer(
            [
                {"community": place.slug, "channel": channel, "link": link, "svg": codes.get(channel)}
                for channel, link in links.items()
            ]
        )
        return
    _say_without(desk, project, place, links)
    for channel, link in links.items():
        desk.console.print(f"{desk.phrases.say(f'channel.{channel}')}: {link}", markup=False)
    if svg:
        desk.say("invite-written", folder=str(shown(svg)))
    else:
        desk.say("invite-more")


def _say_without(desk: Desk, project: Project, place: Community, links: Collection[str]) -> None:
    """Which channels have no public name or number, and where to write it."""
    for channel, name in place.channels.items():
        if channel not in links:
            field = "username" if isinstance(project.settings.senders[name], Telegram) else "from"
            named = desk.phrases.say(f"channel.{channel}")
            desk.warn("said.invite-without", channel=named, sender=name, field=field)


def _links(project: Project, place: Community, language: str) -> Iterator[tuple[str, str]]:
    """A link for each channel whose sender has a public name or number."""
    invitation = Invitation(place.slug, language)
    for channel, name in place.channels.items():
        sender = project.settings.senders[name]
        if isinstance(sender, Telegram):
            if sender.username:
                yield channel, invitation.telegram(sender.username)
        elif sender.number:
            yield (
                channel,
                invitation.sms(sender.number) if channel == "sms" else invitation.whatsapp(sender.number),
            )


def _code(link: str, file: Path) -> str:
    """A QR code that survives a crease in the paper; its file as the person would type it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    segno.make_qr(link, error="m").save(str(file), scale=_SCALE, border=_QUIET_ZONE, title=link, desc=link)
    return str(shown(file))


def _spoken(desk: Desk, place: Community, written: str | None) -> str:
    if written is None:
        return place.languages[0]
    try:
        return languages.normalise(written)
    except ValueError:
        raise click.BadParameter(desk.phrases.say("rules.import.language.remedy")) from None
