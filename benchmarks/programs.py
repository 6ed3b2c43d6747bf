"""Debian's programs that a benchmark needs: found on the machine, or unpacked beside us; started and ended.

What may enter: processes of others. Nothing is installed on the machine, no service of it is touched, and no
rights are needed: `make bench` unpacks packages into `.peers/debian`. Only the standard library: the peers'
environment imports this, too.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".peers"
_DEBIAN = PEERS / "debian"
_FOLDERS = ("usr/bin", "usr/sbin")
_LIBRARIES = ("lib/*-linux-*", "usr/lib/*-linux-*")
_WITH_US = ("setpriv", "--pdeathsig", "TERM")
"""A process that ends when we are killed and cannot end it any more."""
_LAST = 10
"""Seconds until a process listens, and until one that was told to end is killed."""


class MissingError(Exception):
    """A program that is not on this machine, and was not unpacked."""


def find(program: str) -> str:
    """The path of a program, the machine's own before the unpacked one.

    Raises:
        MissingError: there is none.
    """
    unpacked = [str(_DEBIAN / folder) for folder in _FOLDERS]
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *unpacked])
    found = shutil.which(program, path=path)
    if found is None:
        raise MissingError(f"{program} is not here")
    return found


def environment(**more: str) -> dict[str, str]:
    """Ours, with the unpacked libraries."""
    libraries = ":".join(str(found) for where in _LIBRARIES for found in _DEBIAN.glob(where))
    return {**os.environ, "LD_LIBRARY_PATH": libraries, **more}


@contextmanager
def started(
    *command: str, folder: Path, core: int | None = None, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, by whose number all that it starts is found, and ended at the end.

    Args:
        folder: Where it works, and where its words go (`out.txt`).
        core: The one it stays on, with all that it starts; None for any.
        more: Added to its environment.
    """
    with (folder / "out.txt").open("ab") as out:
        kept = () if core is None else ("taskset", "--cpu-list", str(core))
        process = subprocess.Popen(
            (*_WITH_US, *kept, *command),
            cwd=folder,
            env=environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, and whatever it started that outlives it."""
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_LAST)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def session(leader: int) -> list[int]:
    """The processes of the session that one of them leads."""
    everybody = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
    return [process for process in everybody if _session_of(process) == leader]


def _session_of(process: int) -> int:
    try:
        return os.getsid(process)
    except (ProcessLookupError, PermissionError):
        return 0


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def reach(port: int) -> None:
    """Wait until somebody listens there.

    Raises:
        OSError: nobody does, for long.
    """
    end = time.monotonic() + _LAST
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return
