"""Poison: a message that kills the process which reads or sends it, as is noted for the next process.

What may enter: the note on the disk of the one message that is being read, and the mark that something is
being sent, as the claims tell what. What becomes of a message that was noted once too often is `answering`;
of one that was claimed once too often, `outbox`.

The note is written and not waited for: what a process wrote outlives it, whatever ended it. Only where the
power fails may the note be lost, or an older one be found, and no message does that.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from bot.store.faults import said_plainly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LONGEST = 4096
"""Bytes of a note, more than any vendor's number takes."""


class Note:
    """The note beside a database, for the one process that answers from it.

    Its methods raise Unusable when the file cannot be read or written.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".reading")
        self._opened: int | None = None

    def found(self) -> tuple[str, str] | None:
        """The sender and the vendor's number of what was being read when the last process ended."""
        with said_plainly():
            line = os.pread(self._file(), _LONGEST, 0).partition(b"\n")[0]
        try:
            sender, vendor_id = json.loads(line)
        except (ValueError, TypeError):
            return None
        return str(sender), str(vendor_id)

    def clear(self) -> None:
        """Nothing is being read."""
        self._write("")

    @contextlib.contextmanager
    def reading(self, sender: str, vendor_id: str) -> Iterator[None]:
        """What happens inside is the reading of this message. One at a time."""
        self._write(json.dumps([sender, vendor_id]))
        try:
            yield
        finally:
            self.clear()

    def close(self) -> None:
        """Nothing will be read any more."""
        if self._opened is not None:
            os.close(self._opened)
            self._opened = None

    def _write(self, line: str) -> None:
        with said_plainly():
            os.pwrite(self._file(), f"{line}\n".encode(), 0)

    def _file(self) -> int:
        if self._opened is None:
            self._opened = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._opened


class Sending:
    """The mark beside a database while somebody sends from it. Who finds it knows that they did not end well.

    It is made before the first claim, and taken away at a clean end, for which a full disk has room too.
    """

    def __init__(self, database: Path) -> None:
        self._file = database.with_name(database.name + ".sending")

    @property
    def found(self) -> bool:
        """Whether the last who sent was cut off."""
        return self._file.exists()

    def begin(self) -> None:
        """Raises Unusable when there is no room for it."""
        with said_plainly():
            self._file.touch()

    def end(self) -> None:
        """What is still claimed is there because it could not be written down, and killed nobody."""
        self._file.unlink(missing_ok=True)
