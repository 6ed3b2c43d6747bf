"""Commands for backups: `backup` and `restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import backups
from bot.cli.desk import Desk, command, shown, wait_for
from bot.store import Unusable
from bot.vault import Vault

if TYPE_CHECKING:
    from bot.backups import Restored
    from bot.check import Project
    from bot.optouts import Replayed

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command()
@_FILE
@click.option("--replace", is_flag=True, help="Put it in the place of the file that is there.")
@command
def backup(desk: Desk, file: Path, *, replace: bool) -> None:
    """Copy the database to FILE, also while the service runs.

    The key is not in it. Keep that elsewhere.
    """
    database = desk.deployment().settings.database_path
    if file.exists() and (not replace or file.samefile(database)):
        desk.fail("said.backup.exists", file=str(shown(file)))
    made = backups.back_up(database, file)
    size = f"{made.size / 1e6:,.1f}"
    desk.say("backup.made", file=str(shown(file)), size=size, n=made.people)
    desk.say("backup.beside", database=database.name)
    if desk.as_json:
        desk.answer({"file": str(file), "bytes": made.size, "people": made.people})


@click.command()
@_FILE
@command
def restore(desk: Desk, file: Path) -> None:
    """Put the backup FILE in the place of the database.

    Stop the service first. Nothing is sent before `arm`.
    """
    project = desk.deployment()
    vault = Vault(project.settings.vault_key.get_secret_value())
    database = project.settings.database_path
    try:
        done = wait_for(backups.restore(file, database, vault, desk.now))
    except Unusable as fault:
        desk.fail(f"said.restore.{fault.why}" if fault.why in _OF_THE_FILE else f"database.{fault.why}")
    _tell(desk, project, done, file)
    if desk.as_json:
        desk.answer(
            {
                "people": done.people,
                "lived_at": done.lived_at.isoformat() if done.lived_at else None,
                "aside": str(done.aside) if done.aside else None,
                "left": done.replayed.left if done.replayed else None,
                "erased": done.replayed.erased if done.replayed else None,
                "returned": done.replayed.returned if done.replayed else None,
            }
        )


_OF_THE_FILE = frozenset({"locked", "damaged", "not-a-database"})
"""Faults that mean another thing here than where the database itself has them."""


def _tell(desk: Desk, project: Project, done: Restored, file: Path) -> None:
    desk.say("restore.done", file=str(shown(file)), n=done.people)
    place = next(iter(project.communities.values()), None)
    if done.lived_at and place:
        desk.say("restore.lived", when=desk.moment(done.lived_at, place.zone), place=place.name)
    if done.aside:
        desk.say("restore.aside", file=str(shown(done.aside)))
    if done.replayed is None:
        desk.warn("said.restore.no-optouts", database=project.settings.database_path.name)
    else:
        tell_replayed(desk, done.replayed)
    for key in ("off.older-database", "off.what-to-do"):
        desk.notes.print(desk.phrases.say(key), style="bold red", markup=False)


def tell_replayed(desk: Desk, replayed: Replayed) -> None:
    """Who left, was erased or came back after the backup was made."""
    for key, n in (("left", replayed.left), ("erased", replayed.erased), ("returned", replayed.returned)):
        if n:
            desk.say(f"restore.{key}", n=n)
