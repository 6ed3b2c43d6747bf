"""The command behind a door that is already open: a process that has loaded everything and forks for each.

Loading the vendors' libraries takes longer than most commands. Each command still has a process of its own,
with its own folder, environment, input and output, and ends as it would from a shell.

It is asked in lines of JSON, `{words, folder, environ, most_bytes}`, and answers each with the exit status.
A command's input and output are the files `in`, `out` and `err` of the folder that it was started with.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from bot.__main__ import main

ROOMS = (
    *("announcing", "approving", "arming", "correcting", "demo", "keeping", "people", "planning"),
    *("serving", "steering", "writing"),
)


def serve(files: Path) -> None:
    """Answer until nobody asks any more."""
    for room in ROOMS:
        import_module(f"bot.cli.{room}")
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _command(files, json.loads(line))
        _, ended = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)  # noqa: T201 - how it answers


def _command(files: Path, wanted: dict[str, Any]) -> None:
    status: Any = 1
    try:
        for number, (name, mode) in enumerate((("in", "r"), ("out", "w"), ("err", "w"))):
            with (files / name).open(mode) as file:
                os.dup2(file.fileno(), number)
        sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 - what was read ahead is not the command's
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update(wanted["environ"])
        os.chdir(wanted["folder"])
        if wanted["most_bytes"]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (wanted["most_bytes"], wanted["most_bytes"]))
        main(args=wanted["words"], prog_name="pregonero")
    except SystemExit as ending:
        status = ending.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
