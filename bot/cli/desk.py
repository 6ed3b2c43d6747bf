"""How a command speaks to the person at the desk: sentences, tables, JSON, and the exit status.

0: done. 1: something is wrong and was said. 2: wrong usage (click says that).
"""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import sys
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, TypeVar

import click
import uvloop
from rich.console import Console
from rich.table import Table

import bot
from bot import check, log, words
from bot.broadcasts.history import CLOCK
from bot.findings import Faults, errors
from bot.settings import staff_language
from bot.store import Unusable
from bot.vault import BadKey
from bot.words import Phrases

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
    from datetime import tzinfo

    from bot.check import Project
    from bot.findings import Finding
    from bot.timetable import Rest
    from bot.timetable.resting import DaysOff

P = ParamSpec("P")
T = TypeVar("T")
_HOME = Path(bot.__file__).parents[1]


class Desk:
    """One command's surroundings: where its deployment is, and how it answers.

    Attributes:
        now: When the command was given, aware UTC.
        phrases: The staff's language; the deployment's own once it was read.
    """

    def __init__(self, config: Path, *, as_json: bool) -> None:
        self.config = config
        self.as_json = as_json
        self.now = datetime.now(UTC)
        self.phrases = Phrases(staff_language(os.environ))
        self.console = Console(highlight=False, soft_wrap=True)
        self.notes = Console(stderr=True, highlight=False, soft_wrap=True)

    def deployment(self) -> Project:
        """The deployment, as long as its config can be used: what stopping and reporting need."""
        project, findings = check.read(self.config, os.environ, self.now)
        if project is None:
            self.findings((one for one in findings if one.file == self.config), to=self.notes)
            self.fail()
        self.phrases = Phrases(project.settings.language)
        return project

    def project(self, among: Collection[str] = ()) -> Project:
        """The deployment with its config and its schedules in order. A text answers for itself when said.

        Args:
            among: The communities that are asked for: what is wrong in another's file is no matter to them.
        """
        project, findings = check.read(self.config, os.environ, self.now)
        if project is not None:
            self.phrases = Phrases(project.settings.language)
        others = {one.file for one in findings if one.file.parent.name == "schedules"}
        others = {file for file in others if among and file.stem not in among}
        faults = [one for one in errors(findings) if one.file.suffix == ".toml" or one.file.is_dir()]
        faults = [one for one in faults if one.file not in others]
        if project is None or faults:
            self.findings(faults, to=self.notes)
            self.fail()
        return project

    def say(self, key: str, **values: object) -> None:
        """A sentence for the person; beside the answer when that is JSON."""
        (self.notes if self.as_json else self.console).print(
            self.phrases.say(f"said.{key}", **values), markup=False
        )

    def warn(self, key: str, **values: object) -> None:
        """A sentence that must be seen even where the output goes to a file."""
        self.notes.print(self.phrases.say(key, **values), style="yellow", markup=False)

    def moment(self, moment: datetime, zone: tzinfo) -> str:
        """A moment as the community's clocks show it, in the staff's words."""
        return words.datetime(moment.astimezone(zone), self.phrases.language)

    def rest(self, rest: Rest) -> str:
        """Why a community is not written to before its rest ends: the night, or which days."""
        if not rest.days:
            return self.phrases.say("rest.night")
        return words.join(map(self._days_off, rest.days), self.phrases.language)

    def _days_off(self, days: DaysOff) -> str:
        first, last = (words.date(day, self.phrases.language) for day in (days.first, days.last))
        when = self.phrases.say("rest.days" if first != last else "rest.day", first=first, last=last)
        said = self.phrases.say(f"rest.{days.why}", when=when)
        return f"{said} ({days.name})" if days.name else said

    def place(self, project: Project, slug: str) -> str:
        """A community by its name."""
        community = project.communities.get(slug)
        return community.name if community else slug

    def answer(self, value: object) -> None:
        """The answer as JSON."""
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))

    def fail(self, key: str = "", **values: object) -> NoReturn:
        """End the command: something is wrong, and this says what."""
        if key:
            self.notes.print(self.phrases.say(key, **values), style="red", markup=False)
        raise click.exceptions.Exit(1)

    def findings(self, findings: Iterable[Finding], to: Console | None = None) -> None:
        """Each finding on its lines: where, what, what to write instead."""
        console = to or self.console
        for finding in findings:
            message, remedy = self.phrases.finding(finding)
            where = f"{shown(finding.file)}:{finding.line}" if finding.line else str(shown(finding.file))
            level = self.phrases.say(f"said.{finding.level}")
            console.print(f"{where}: ", style="bold", end="", markup=False)
            console.print(level, style="red" if finding.level == "error" else "yellow", end="", markup=False)
            console.print(f": {message}\n    {remedy}", markup=False)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows under their names; the last column holds numbers."""
        table = Table(*columns, box=None, pad_edge=False, header_style="bold")
        table.columns[-1].justify = "right"
        for row in rows:
            table.add_row(*row)
        self.console.print(table)


def _login() -> str:
    try:
        return os.environ.get("PREGONERO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""


def _signed(_ctx: click.Context, _option: click.Parameter, name: str) -> str:
    if not (name := name.strip()) or name.casefold() == CLOCK:
        raise click.BadParameter("--by NAME, or PREGONERO_USER")
    return name


signed = click.option(
    "--by",
    metavar="NAME",
    default=_login,
    callback=_signed,
    help="Who decides this, for the history. Else PREGONERO_USER, or the login's name.",
)
"""The option of every command that the history remembers."""


def shown(path: Path) -> Path:
    """A path as the person would type it from where they stand."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path


def command(
    work: Callable[Concatenate[Desk, P], T],
) -> Callable[..., T]:
    """Give a command `--config` and `--json`, and a sentence for everything that can go wrong around it."""

    @click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path("config.toml"),
        show_default=True,
        help="The deployment's config file.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
    @wraps(work)
    def wrapped(*args: Any, config: Path, as_json: bool, **options: Any) -> T:  # noqa: ANN401 - click's to fill
        desk = Desk(config, as_json=as_json)
        log.set_up(os.environ.get("PREGONERO_LOG", "ERROR"))
        try:
            return work(desk, *args, **options)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click ends these quietly
        except Exception as error:  # noqa: BLE001 - a traceback's last line may quote an address or a text
            _end(desk, error)

    return wrapped


def _end(desk: Desk, error: Exception) -> NoReturn:
    """What went wrong around the command, in one sentence."""
    match error:
        case Faults():
            desk.findings(error.findings, to=desk.notes)
            desk.fail()
        case Unusable():
            desk.fail(f"database.{error.why}")
        case BadKey():
            desk.fail("said.bad-key")
        case OSError(filename=str() as file):
            desk.fail("said.unreadable", file=str(shown(Path(file))))
    desk.fail("said.fault", error=type(error).__name__, where=_where(error))


def _where(error: BaseException) -> str:
    """The lines of ours that an unforeseen error passed, the last first: for a bug report, without values."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = [(Path(frame.filename), frame.lineno) for frame in extract_tb(error.__traceback__)]
    ours = [f"{file.relative_to(_HOME)}:{line}" for file, line in frames if file.is_relative_to(_HOME)]
    return " < ".join(reversed(ours[-3:]))


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's asynchronous half."""
    loop_factory = uvloop.new_event_loop if sys.platform != "win32" else None
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(work)
