"""The file `<database>.armed`: beside a database it tells the original from a copy.

What may enter: how it is read and written whole. What it tells is judged in `arming`.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

_MACHINE = Path("/etc/machine-id")


def read(path: Path) -> dict[str, Any] | None:
    """The file beside the database, and whether it is still `here`; None when there is none to be read."""
    try:
        with path.open(encoding="utf-8") as file:
            written = json.load(file)
            token, beat, place = str(written["token"]), int(written["beat"]), written["place"]
            return {"token": token, "beat": beat, "here": place == _place(file.fileno(), token)}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write(path: Path, token: str, beat: int) -> None:
    """Put a new file in the place of the old one, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump({"token": token, "beat": beat, "place": _place(file.fileno(), token)}, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _place(file: int, token: str) -> str:
    """Which file of which disk of which machine an open file is, told to nobody: a copy is another.

    The file system's own number, not the device's, which may change when the machine starts.
    """
    machine = _MACHINE.read_text("utf-8").strip() if _MACHINE.exists() else ""
    place = f"{token} {machine} {os.statvfs(file).f_fsid} {os.fstat(file).st_ino}"
    return hashlib.sha256(place.encode()).hexdigest()[:32]
