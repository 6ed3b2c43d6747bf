"""The house holds: who imports whom, by which door a library comes in, and how large a room may be."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = sorted(path for folder in ("bot", "channels") for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

JOURNEY = (
    "store disk moments wallclock armed findings log references numbers",
    "languages words toml",
    "vault poison",
    "settings timetable library",
    "hearing places taps",
    "rendering search check paging strangers",
    "conversation newcomers policy pace current news",
    "texts answering",
    "threads figures links",
    "consent tallies",
    "subscribers outbox receipts acting housekeeping optouts inquiry",
    "broadcasts inbound inbox editing arming backups settling",
    "vitals",
    "lane",
    "dispatcher clock listening lookout",
    "health watch gauges",
    "web",
    "opening",
    "app",
    "service",
    "cli",
    "__main__",
)
"""Rooms of `bot/`, the lowest first: a room may import its neighbours and what is below it."""

FLOOR = {room: level for level, line in enumerate(JOURNEY) for room in line.split()}

DOORS = {
    "telegram": {
        "channels.telegram",
        "channels.telegram_files",
        "channels.telegram_keyboards",
        "channels.telegram_request",
        "channels.telegram_trouble",
    },
    "twilio": {"channels.twilio_api", "channels.twilio_listing", "channels.twilio_signature"},
    "apscheduler": {"bot.clock"},
    "sqlite_utils": {"bot.store", "bot.search"},
    "sqlite3": {"bot.store", "bot.search"},
    "babel": {"bot.words"},
    "cryptography": {"bot.vault"},
    "jinja2": {"bot.library"},
    "markdown_it": {"channels.markdown"},
    "segno": {"bot.cli.inviting"},
    "prometheus_client": {"bot.gauges", "bot.web.metrics"},
    "zipcodes": {"bot.places.gather"},
    "dateutil": {"bot.timetable"},
    "holidays": {"bot.timetable"},
    "icalendar": {"bot.timetable", "channels.calendar"},
    "pycurl": {"channels.wire"},
    "aiohttp": {
        "bot.web",
        "bot.cli.demo",  # it speaks to the rehearsal's own side door
        "bot.cli.serving",  # so does it, once, to be heard there
        "channels.rehearsal",
    },
}
"""The only rooms that may import an outside library."""

STORE_ROOMS = {
    "texts",
    "broadcasts",
    "subscribers",
    "outbox",
    "receipts",
    "threads",
    "figures",
    "links",
    "consent",
    "acting",
    "housekeeping",
    "tallies",
    "vitals",
    "watch",
    "arming",
    "optouts",
    "backups",
    "poison",
    "inbox",
    "inbound",
    "inquiry",
    "editing",
    "settling",
    "lookout",
    "app",
}
"""Who may reach the database; `web` and `cli` know only its fault, `Unusable`."""


def module(path: Path) -> str:
    """The dotted name of a file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """Everything a file imports, as dotted names, names from packages included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(name: str) -> str:
    """The room of `bot/` that a dotted name stands in."""
    return name.split(".")[1]


@pytest.mark.parametrize("path", CODE, ids=module)
def test_arrows_point_downward(path: Path) -> None:
    """Channels know nothing of the bot, and a room of the bot imports only what lies below it."""
    name = module(path)
    ours = {other for other in imports(path) if other.startswith("bot.")}
    if name.startswith("channels"):
        assert not ours
        return
    if name in {"bot", "bot.cli"}:
        return
    level = FLOOR[room(name)]
    upward = {other for other in ours if room(other) != room(name) and FLOOR[room(other)] > level}
    assert not upward


def test_every_room_has_its_floor() -> None:
    """No room of the bot stands outside the journey, and none is listed that does not exist."""
    rooms = {room(module(path)) for path in CODE if module(path).startswith("bot.")}
    assert rooms == set(FLOOR)


@pytest.mark.parametrize("library", DOORS)
def test_each_library_has_its_door(library: str) -> None:
    """An outside library is imported where the house has a door for it, and nowhere else."""
    users = {module(path) for path in CODE if any(name.split(".")[0] == library for name in imports(path))}
    strangers = {
        user for user in users if not any(user == d or user.startswith(f"{d}.") for d in DOORS[library])
    }
    assert not strangers


def test_the_store_is_reached_through_its_rooms() -> None:
    """Only the rooms that own rows speak SQL; the edges know of the database only that it can fail."""
    for path in CODE:
        name = module(path)
        if (
            name.startswith("channels")
            or name in {"bot", "bot.__main__"}
            or room(name) in {*STORE_ROOMS, "store"}
        ):
            continue
        reached = {other for other in imports(path) if other.startswith("bot.store")}
        assert reached <= {"bot.store.Unusable"}, name


def test_the_rehearsal_stands_at_the_vendors_side() -> None:
    """The stand-in imports neither the vendors' libraries nor anything of ours but itself."""
    for path in (ROOT / "channels/rehearsal").rglob("*.py"):
        names = imports(path)
        assert not {name for name in names if name.split(".")[0] in {"telegram", "twilio", "bot"}}
        assert all(name.startswith("channels.rehearsal") for name in names if name.startswith("channels"))


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=module)
def test_a_file_has_one_subject(path: Path) -> None:
    """A file begins by saying what may enter it; code stays under 300 lines and a function under 40."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    if path in TESTS:
        return
    assert len(text.splitlines()) <= 300
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, node.name


@pytest.mark.parametrize("path", TESTS, ids=module)
def test_every_test_says_what_is_true(path: Path) -> None:
    """Each test has the sentence that it proves."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            assert ast.get_docstring(node), node.name


def test_every_excuse_has_its_reason() -> None:
    """A silenced rule says why on its own line."""
    excuse = re.compile(r"#\s*(noqa|type: ignore|pragma)[^#]*$", re.MULTILINE)
    for path in [*CODE, *TESTS]:
        for line in path.read_text(encoding="utf-8").splitlines():
            found = excuse.search(line)
            assert not found or re.search(r"\]? #|\d+ - ", line), f"{path}: {line.strip()}"


def test_time_and_chance_are_handed_in() -> None:
    """Only the edges read a clock: a rule that needs the time is given it."""
    edges = {"bot.app", "bot.cli.desk", "channels.rehearsal.server"}
    for path in CODE:
        if module(path) not in edges:
            assert not re.search(
                r"datetime\.now\(|utcnow\(|\btime\.time\(|date\.today\(", path.read_text()
            ), path


def test_no_file_names_a_registry_or_a_machine() -> None:
    """What is committed installs anywhere: no registry's host, no path of one machine."""
    git = ["git", "ls-files"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\n"):
        path = ROOT / name
        if path != Path(__file__) and path.suffix in {".toml", ".txt", ".md", ".py"} and path.is_file():
            found = re.search(
                r"pypi\.org|pythonhosted|registry\.npm|index-url|/work/", path.read_text("utf-8")
            )
            assert not found, name


@pytest.mark.parametrize(
    "command", ["demo", "init", "check", "preview", "announce", "report", "rehearsal", "run"]
)
def test_the_readme_tells_of_each_command(command: str) -> None:
    """Whoever reads the README meets every command of the first day."""
    assert f"pregonero {command}" in (ROOT / "README.md").read_text(encoding="utf-8")
