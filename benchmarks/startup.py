"""How long `pregonero run` takes until it says that it runs.

`python -m benchmarks.startup FOLDER`
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.runs import NotMeasuredError, Run, cpu_seconds, on_core, peak_mb, report

_LAST = 20
"""Seconds until a process that was told to end is killed."""


def started(folder: Path) -> Run:
    """Start it, wait for its first line, end it."""
    run = Run(1)
    command = (sys.executable, "-m", "bot", "run", "--config", str(folder / "config.toml"))
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise NotMeasuredError("it did not start; its words are above")
            run.seconds = time.perf_counter() - began
            run.cpu_seconds, run.peak_mb = cpu_seconds(process.pid), peak_mb(process.pid)
            process.terminate()
            process.wait(_LAST)
        finally:
            process.kill()
    return run


if __name__ == "__main__":
    on_core(0)
    report(started(Path(sys.argv[1])))
