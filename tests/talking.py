"""Somebody writes and reads the answer: all between a channel's `read` and the lane, on a real file."""

from __future__ import annotations

import itertools
import json
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from bot import check
from bot.app import App
from bot.cli.starting import init
from bot.housekeeping import Housekeeping
from bot.inbound import Inbounds
from bot.moments import Clockwork
from bot.poison import Note
from channels.base import Heard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channels.base import ChannelName

ROOT = Path(__file__).parents[1]
NOON = datetime(2026, 11, 25, 20, tzinfo=UTC)
"""Noon in Fresno, on a day on which the starter's prices are true."""
SENDERS = {"telegram": "bot", "sms": "sms", "whatsapp": "whatsapp"}
ROSA, JOEL, CITLALI = "101", "+15595550102", "+12125550103"


@dataclass(frozen=True)
class Reply:
    """What reached a person.

    Attributes:
        text: All of its parts.
        offers: What can be tapped, label to value.
    """

    text: str
    offers: dict[str, str]


@dataclass
class Talk:
    """The starter deployment, hearing and answering, at a time of ours."""

    app: App
    note: Note
    now: datetime = NOON
    heard: list[str] = field(default_factory=list)
    numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        """As the service builds it."""
        self.inbounds = Inbounds(
            self.app.store, self.app.vault, self.note, current=self.app.current, outbox=self.app.outbox
        )
        self.housekeeping = Housekeeping(self.app.store, self.app.vault)

    async def say(
        self, text: str, address: str = ROSA, channel: ChannelName = "telegram", hint: str | None = None
    ) -> Reply | None:
        """A person writes, or taps; what they are answered, None for silence."""
        heard = Heard(f"v{next(self.numbers)}", address, text, hint)
        return await self.hear(heard, channel)

    async def hear(self, heard: Heard, channel: ChannelName) -> Reply | None:
        """Somebody is heard; what they are answered."""
        last = (await self.rows("SELECT coalesce(max(id), 0) FROM deliveries"))[0][0]
        await self.inbounds.accept(SENDERS[channel], [heard], self.now)
        said = (
            "SELECT t.open FROM deliveries d JOIN texts t ON t.id = d.text WHERE d.id > :last ORDER BY d.id"
        )
        texts = await self.rows(said, last=last)
        if not texts:
            return None
        parts = [part for (text,) in texts for part in json.loads(text)]
        offers = {one["label"]: one["value"] for part in parts for one in part["choices"]}
        return Reply("\n".join(part["text"] for part in parts), offers)

    async def later(self, **time: float) -> None:
        """Time passes, and the house is kept."""
        self.now += timedelta(**time)
        await self.housekeeping.tidy(self.now)

    async def sent(self) -> None:
        """Everything that waits to be sent has been."""
        await self.app.store.write(
            lambda tx: tx.run("UPDATE deliveries SET state = 'sent' WHERE state = 'queued'")
        )

    async def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        return await self.app.store.read(lambda tx: tx.tuples(sql, values))

    async def state(self, address: str = ROSA, channel: ChannelName = "telegram") -> tuple[Any, ...] | None:
        """State, language and community of somebody; None when they are not there."""
        sealed = self.app.vault.seal(channel, address)
        asked = "SELECT state, language, community FROM subscribers WHERE address = :sealed"
        found = await self.rows(asked, sealed=sealed)
        return found[0] if found else None


@asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[Talk]:
    """A starter deployment in a folder of its own."""
    assert CliRunner().invoke(init, [str(folder)]).exit_code == 0
    project, findings = check.read(folder / "config.toml", {}, NOON)
    assert project, findings
    async with App(project, Clockwork(now=lambda: NOON, jitter=lambda: 0.0, ticks=lambda: 0.0)) as app:
        with closing(Note(project.settings.database_path)) as note:
            yield Talk(app, note)
