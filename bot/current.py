"""The deployment as it stands: the last good reading of its texts and schedules, and what is made of it.

Whoever needs a text or a schedule asks here each time and keeps no copy: an edit may have come since.
"""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bot.conversation import Conversation, Writer

if TYPE_CHECKING:
    from bot.check import Project


@dataclass(frozen=True)
class _Reading:
    """One reading, and who answers from it, made when somebody first asks."""

    project: Project

    @cached_property
    def conversation(self) -> Conversation:
        return Conversation(self.project.library, self.project.communities)

    @cached_property
    def writer(self) -> Writer:
        return Writer(self.project.library)

    def prepare(self) -> None:
        self.conversation.prepare()


class Current:
    """One deployment, now."""

    def __init__(self, project: Project) -> None:
        self._reading = _Reading(project)
        self._ready = False
        self._preparing = asyncio.Lock()

    @property
    def project(self) -> Project:
        """Its settings, texts and communities."""
        return self._reading.project

    @property
    def conversation(self) -> Conversation:
        """What answers from these texts."""
        return self._reading.conversation

    @property
    def writer(self) -> Writer:
        """What writes these answers."""
        return self._reading.writer

    async def take_up(self, project: Project) -> None:
        """Put another reading in the place of this one, once everything is ready to answer from it."""
        reading = _Reading(project)
        await asyncio.to_thread(reading.prepare)
        self._reading = reading
        _settle()

    async def prepare(self) -> None:
        """Make ready to answer, once, so that nobody who asks later has to wait for that."""
        if self._ready:
            return
        async with self._preparing:
            if not self._ready:
                await asyncio.to_thread(self._reading.prepare)
                _settle()
                self._ready = True


def _settle() -> None:
    """What was loaded stays: the collector need not look at it, which takes a tenth of a second each time.

    A reading that is replaced goes all the same, for nothing of it holds itself.
    """
    gc.collect()
    gc.freeze()
