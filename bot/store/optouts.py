"""The last word of everybody who left, in a file beside the database that no restored backup takes back.

What may enter: how its lines are written and read. A line is a tag of the vault, which recognises an address
and gives nothing back, and a word of the ledger; no time, because the order of the lines is the order of the
words. A line is on the disk before the commit it belongs to: a commit that fails leaves a word that was
said all the same. Whoever calls holds the lock of the one writer.
See docs/decisions/0015-words-outlive-the-database.md.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Word = Literal["given", "withdrawn", "erased"]
"""As the ledger has them, `consents.action`."""

LENGTH = 76
"""Of the longest line, in bytes."""
_LINE = re.compile(r"([0-9a-f]{64}) (given|withdrawn|erased)")


def path_of(database: Path) -> Path:
    """Where the words of a database stand."""
    return database.with_name(database.name + ".optouts")


def add(database: Path, words: Iterable[tuple[bytes, Word]]) -> None:
    """Add words in the order in which they were said; on the disk when this returns.

    Each begins on a line of its own, also after one that a full disk cut off.
    """
    file = path_of(database)
    new = not file.exists()
    text = "".join(f"\n{tag.hex()} {word}" for tag, word in words)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
    if new:
        sync_folder(file)


def read(database: Path) -> dict[bytes, Word] | None:
    """The last word of each tag; None when there is no such file."""
    try:
        text = path_of(database).read_text("ascii", "replace")
    except FileNotFoundError:
        return None
    found = (_LINE.fullmatch(line) for line in text.split("\n"))
    return {bytes.fromhex(line[1]): cast("Word", line[2]) for line in found if line}


def shorten(database: Path, words: Mapping[bytes, Word]) -> None:
    """Put only the last words in the place of all that were said: whole or not at all."""
    file = path_of(database)
    fresh = file.with_name(file.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.writelines(f"{tag.hex()} {word}\n" for tag, word in words.items())
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    sync_folder(file)


def sync_folder(file: Path) -> None:
    """A file's name is on the disk only when its folder is."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
