"""What can be wrong with a database, one plain word for each fault.

What may enter: how SQLite and the system under it tell of a fault. What staff are told of it is in `phrases`.
"""

from __future__ import annotations

import errno
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Why = Literal["newer", "other-key", "full", "damaged", "locked", "not-a-database", "unreachable"]


class Unusable(Exception):  # noqa: N818 - what the database is
    """The database cannot be used; `why` is a closed word that staff read in their language."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why

    @property
    def passes(self) -> bool:
        """Whether it may be over in a while: what could not be written is to be tried again."""
        return self.why in {"full", "locked"}


_WORDS: Mapping[str, Why] = {
    "SQLITE_FULL": "full",
    "SQLITE_CORRUPT": "damaged",
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_NOTADB": "not-a-database",
    "SQLITE_CANTOPEN": "unreachable",
    "SQLITE_READONLY": "unreachable",
    "SQLITE_PERM": "unreachable",
    # A full disk that SQLite meets elsewhere than in an ordinary write.
    "SQLITE_IOERR_WRITE": "full",
    "SQLITE_IOERR_FSYNC": "full",
    "SQLITE_IOERR_SHM": "full",
    "SQLITE_IOERR_TRUNCATE": "full",
    "SQLITE_IOERR": "damaged",
}
"""The beginnings of SQLite's names for its faults, the longer before the shorter."""


@contextmanager
def said_plainly() -> Iterator[None]:
    """SQLite's faults as one of our words. Its own sentences can quote values, so they go no further."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # ours: a key that must be unique, asked for by the caller
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        word = next((word for prefix, word in _WORDS.items() if name.startswith(prefix)), None)
        if word is None:
            raise
        raise Unusable(word) from None
    except OSError as error:
        raise Unusable("full" if error.errno == errno.ENOSPC else "unreachable") from None
