"""The machine and the code, without which a figure means nothing. Never a name or an address."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.programs import MissingError, environment, find

_LIBRARIES = ("aiohttp", "python-telegram-bot", "twilio", "sqlite-utils", "uvloop")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_PROGRAMS = {"nginx": "-v", "redis-server": "--version", "node": "--version", "bearerbox": "--version"}


def facts() -> dict[str, Any]:
    """Of the machine, as JSON can hold them."""
    cpu = re.search(r"model name\s*: (.+)", _text("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s+(\d+) kB", _text("/proc/meminfo"))
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory[1]) / 2**20, 1) if memory else None,
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "disk": _filesystem(Path(__file__).resolve()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{library: version(library) for library in _LIBRARIES},
        **{program: _told(program, word) for program, word in _PROGRAMS.items()},
    }


def _told(program: str, word: str) -> str | None:
    """A program's own words on its version; None where it is not here."""
    try:
        done = subprocess.run(
            [find(program), word], env=environment(), check=False, capture_output=True, text=True, timeout=10
        )
    except (MissingError, OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(done.stdout + done.stderr)
    return found[0] if found else None


def commit() -> str:
    """The commit that is measured, "-changed" when files differ from it; "none" outside of Git."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("--no-optional-locks", "status", "--porcelain", "--untracked-files=no")
    return f"{head}{'-changed' if changed else ''}" if head else "none"


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words],  # noqa: S607 - the one that is installed
            cwd=Path(__file__).parent,
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def _filesystem(path: Path) -> str:
    """Of the longest mount point above `path`."""
    mounts = [line.split(" ")[1:3] for line in _text("/proc/mounts").splitlines()]
    above = [(point, kind) for point, kind in mounts if path.is_relative_to(point)]
    return max(above, key=lambda mount: len(mount[0]), default=("", "unknown"))[1]


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
