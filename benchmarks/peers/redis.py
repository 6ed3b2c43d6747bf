"""Redis for the peers that keep their queue in it: Debian's, with the persistence it has by itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.programs import find, free_port, reach, started
from benchmarks.runs import core

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def redis(folder: Path) -> Iterator[tuple[int, int]]:
    """Its port and its process, on the core that is measured."""
    port = free_port()
    command = (find("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder))
    with started(*command, folder=folder, core=core(0)) as process:
        reach(port)
        yield port, process.pid
