"""Taking up what people edit while the service runs: without a restart, and never half.

What may enter: when the files are looked at, and telling what is not taken up. What of an edit is good enough
is `bot/check/edited.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from bot.check.edited import reread
from bot.disk import AGAIN
from bot.findings import Finding
from bot.store import Unusable, sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from bot.current import Current
    from bot.disk import Disk
    from bot.settings import Settings
    from bot.store import Store, Transaction

    Stamps = Mapping[Path, tuple[int, int, int]]

log = structlog.get_logger()

_LOOK = 1.0
"""Seconds between two looks. An editor saves in several steps: what two looks in a row show alike is read."""


class Editing:
    """The edits of one deployment's files."""

    def __init__(self, store: Store, current: Current, disk: Disk, now: Callable[[], datetime]) -> None:
        self._store, self._current, self._disk, self._now = store, current, disk, now
        self._settings = current.project.settings
        self._told: list[Finding] = []

    async def run(self) -> None:
        """Take up what is edited, until cancelled. The files as they are now are the first edit."""
        config = self._config()
        seen: Stamps = {}
        taken: Stamps | None = None
        while True:
            before, seen = seen, await asyncio.to_thread(_look, self._settings)
            if before == seen != taken and await self._take_up(seen, config):
                taken = seen
            await asyncio.sleep(_LOOK)

    async def held(self) -> list[Finding]:
        """What the running service does not take up, and why; nothing while none runs."""
        rows = await self._store.read(lambda tx: tx.rows(sql.EDITING))
        return [
            Finding(
                row["rule"], self._settings.root / row["file"], row["line"], values=json.loads(row["quoted"])
            )
            for row in rows
        ]

    async def end(self) -> None:
        """The service ends: what it said last is said no more. On a full disk it stays."""
        with contextlib.suppress(Unusable):  # whatever ended the service is told already
            await self._store.write(lambda tx: tx.run(sql.EDITING_CLEAR))

    async def _take_up(self, seen: Stamps, config: bytes) -> bool:
        """Read anew. False when the files changed meanwhile: what was read may be half of an edit.

        Whatever goes wrong here, what was good goes on.

        Raises:
            Unusable: the database failed, and not only for a while.
        """
        try:
            last = self._current.project
            project, findings = await asyncio.to_thread(reread, last, self._now())
            if await asyncio.to_thread(_look, self._settings) != seen:
                return False
            if (project.library.entries, project.library.facts, project.communities) != (
                last.library.entries,
                last.library.facts,
                last.communities,
            ):
                await self._current.take_up(project)
                log.info("editing.taken-up")
            if self._config() != config:
                findings = [*findings, Finding("settings.restart", self._settings.file)]
            await self._tell(findings)
        except Unusable as fault:
            if not self._disk.passing(fault):
                raise
            await asyncio.sleep(AGAIN)
            return False
        except Exception as error:  # noqa: BLE001 - a fault of ours with an edit must not end the service
            log.error("editing.fault", error=type(error).__name__)  # noqa: TRY400 - a trace could quote a text
        return True

    def _config(self) -> bytes:
        file = self._settings.file
        return file.read_bytes() if file.is_file() else b""

    async def _tell(self, findings: Sequence[Finding]) -> None:
        """Keep what is not taken up where `report` finds it, and log what is new of it."""
        rows = [
            {
                "file": str(one.file.relative_to(self._settings.root)),
                "line": one.line,
                "rule": one.rule,
                "quoted": json.dumps(dict(one.values), ensure_ascii=False, sort_keys=True),
            }
            for one in findings
        ]
        for one, row in zip(findings, rows, strict=True):
            if one not in self._told:
                log.error("editing.held", file=row["file"], line=row["line"], reason=row["rule"])
        self._told = list(findings)

        def work(tx: Transaction) -> None:
            tx.run(sql.EDITING_CLEAR)
            tx.each(sql.EDITING_NOTE, rows)

        await self._store.write(work)


def _look(settings: Settings) -> Stamps:
    """When each file was last written, how long it is and which it is."""
    stamps: dict[Path, tuple[int, int, int]] = {}
    for file in (settings.file, *_files(settings.content), *_files(settings.schedules)):
        with contextlib.suppress(OSError):  # it went while we looked
            found = file.lstat()
            stamps[file] = found.st_mtime_ns, found.st_size, found.st_ino
    return stamps


def _files(folder: Path) -> Iterator[Path]:
    """What is read, and folders; hidden files are not: among them are those that an editor keeps open."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in (*folders, *files) if not name.startswith("."))
