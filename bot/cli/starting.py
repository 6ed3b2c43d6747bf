"""The command `init`: a new deployment, ready to be rehearsed before it has an account anywhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

import bot
from bot import vault
from bot.cli.desk import Desk, command, shown

_REHEARSAL_SECRETS = {
    "telegram-token": "100000001:rehearsal",
    "twilio-account-sid": "AC00000000000000000000000000000001",
    "twilio-auth-token": "rehearsal",
}
"""What the rehearsal accepts, so that a new deployment can be tried before it has an account anywhere."""


_REHEARSAL_PEOPLE = """channel,address,language,community,topics,consent
telegram,101,es-MX,fresno,,event
sms,+16025550102,en-US,phoenix,,paper
whatsapp,+12125550103,es-MX,nueva-york,salud|cultura,web
"""
"""The three people who are always in the rehearsal, as a list to be imported. None of them exists."""


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
    for name, text in ((".gitignore", "*.key\n*.db*\n/secrets/\n"), ("ensayo.csv", _REHEARSAL_PEOPLE)):
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="ascii")
    desk.say("made", folder=str(folder.resolve()))
    _say_next(desk, folder)


def _copy_config(source: Path, target: Path, language: str) -> None:
    """The starter's config, in the language that staff read until now."""
    text = source.read_text(encoding="utf-8")
    target.write_text(text.replace('\nlanguage = "es"\n', f'\nlanguage = "{language}"\n'), encoding="utf-8")


def _say_next(desk: Desk, folder: Path) -> None:
    """The first steps, each with what it is for."""
    steps = {
        "check": "",
        "preview": " semana-de-salud",
        "rehearsal": "",
        "subscribers": " import ensayo.csv",
        "run": "",
    }
    width = max(len(step + more) for step, more in steps.items())
    desk.say("next")
    if folder.resolve() != Path.cwd():
        desk.console.print(f"  cd {shown(folder)}", markup=False)
    for step, more in steps.items():
        what = desk.phrases.say(f"said.next-{step}")
        desk.console.print(f"  pregonero {step + more:<{width}}   {what}", markup=False)
