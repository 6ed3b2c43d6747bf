"""The command `pregonero`, also `python -m bot`."""

from __future__ import annotations

import click

from bot.cli.announcing import announce, cancel, pause, report, resume
from bot.cli.demo import demo
from bot.cli.people import subscribers
from bot.cli.serving import rehearsal, run
from bot.cli.writing import ask, check, init, preview


@click.group()
@click.version_option(package_name="pregonero")
def main() -> None:
    """Pregonero: one Markdown file in, the same news to every subscriber, at a decent hour."""


for each in (
    demo,
    init,
    check,
    preview,
    announce,
    report,
    pause,
    resume,
    cancel,
    ask,
    subscribers,
    rehearsal,
    run,
):
    main.add_command(each)

if __name__ == "__main__":
    main()
