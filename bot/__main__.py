"""The command `pregonero`, also `python -m bot`.

Each command's room is entered when the command is given: the vendors' libraries take a second to load, and
nobody who asks for a report should wait for them.
"""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword

import click

_COMMANDS = {
    "demo": "demo",
    "init": "starting",
    "check": "writing",
    "preview": "writing",
    "ask": "writing",
    "announce": "announcing",
    "submit": "approving",
    "approve": "approving",
    "return": "approving",
    "reject": "approving",
    "plan": "planning",
    "calendar": "calendar",
    "report": "steering",
    "pause": "steering",
    "resume": "steering",
    "cancel": "steering",
    "correct": "correcting",
    "backup": "keeping",
    "restore": "keeping",
    "arm": "arming",
    "inbox": "inbox",
    "subscribers": "people",
    "invite": "inviting",
    "rehearsal": "serving",
    "run": "serving",
}
"""The module of `bot/cli/` in which each command stands, under its own name."""


class _Door(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        if cmd_name not in _COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        found = getattr(import_module(f"bot.cli.{_COMMANDS[cmd_name]}"), name)
        assert isinstance(found, click.Command)  # noqa: S101 - the table above is ours
        return found


@click.group(cls=_Door)
@click.version_option(package_name="pregonero")
def main() -> None:
    """Pregonero: one Markdown file in, the same news to every subscriber, at a decent hour."""


if __name__ == "__main__":
    main()
