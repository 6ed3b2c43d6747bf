"""What keeps messages waiting is told when it begins, kept while it lasts, and told when it is over."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from bot import lookout
from bot.disk import Disk
from bot.lookout import Hindrance, Lookout, standing
from bot.pace import LaneTrouble
from bot.store import Unusable
from tests.core import when
from tests.deployment import deploy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from bot.lane import Lane
    from tests.conftest import Rehearsal
    from tests.core import Core

WRONG = Hindrance("lane-ours", "sms", "credentials", "20003")
SILENT = Hindrance("lane-theirs", "bot", "no-answer")
FULL = Hindrance("disk-full")
UNFIT, UNFIT_TOO = (Hindrance("broadcast", "sms", "template", "21655", number) for number in (7, 8))


@dataclass
class Shown:
    """What a lane shows of itself."""

    sender: str
    trouble: LaneTrouble | None = None
    refused: dict[int, LaneTrouble] = field(default_factory=dict)


@dataclass
class Seen:
    """Two lanes and a disk, and what was told of them."""

    core: Core
    sms: Shown = field(default_factory=lambda: Shown("sms"))
    bot: Shown = field(default_factory=lambda: Shown("bot"))
    told: list[tuple[Hindrance, bool]] = field(default_factory=list)

    async def stands(self, *hindrances: Hindrance) -> None:
        """Wait until a report would show these."""

        async def so() -> bool:
            return await standing(self.core.store) == list(hindrances)

        await when(so)

    async def hears(self, hindrance: Hindrance, *, begins: bool) -> None:
        """Wait until this was told."""

        async def so() -> bool:
            return (hindrance, begins) in self.told

        await when(so)


@asynccontextmanager
async def looking(core: Core, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Seen]:
    """Somebody looks."""
    monkeypatch.setattr(lookout, "_LOOK", 0.01)
    seen = Seen(core)
    lanes = cast("list[Lane]", [seen.sms, seen.bot])
    looks = Lookout(core.store, lanes, core.disk, lambda what, begins: seen.told.append((what, begins)))
    running = asyncio.create_task(looks.run())
    yield seen
    running.cancel()
    await looks.end()


async def test_a_lane_in_trouble_is_seen_until_it_is_well(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each trouble is told once, stands in the report while it lasts, and is told to be over once."""
    async with looking(core, monkeypatch) as seen:
        seen.sms.trouble = LaneTrouble("credentials", "20003", ours=True)
        await seen.stands(WRONG)
        seen.bot.trouble = LaneTrouble("no-answer", "", ours=False)
        await seen.stands(WRONG, SILENT)
        seen.sms.trouble = None
        await seen.stands(SILENT)
    assert seen.told == [(WRONG, True), (SILENT, True), (WRONG, False)]
    assert await standing(core.store) == []  # the service has ended


async def test_a_broadcast_that_waits_alone_is_told_by_its_number(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two broadcasts that one vendor refuses are two things to know, each told to be over when it is."""
    async with looking(core, monkeypatch) as seen:
        seen.sms.refused = dict.fromkeys((7, 8), LaneTrouble("template", "21655", ours=True))
        await seen.stands(UNFIT, UNFIT_TOO)
        del seen.sms.refused[7]
        await seen.stands(UNFIT_TOO)
    assert seen.told == [(UNFIT, True), (UNFIT_TOO, True), (UNFIT, False)]


async def test_a_full_disk_is_told_when_nothing_can_be_kept(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room for a row the screen says it all the same; when nobody finds it full it is over."""
    async with looking(core, monkeypatch) as seen:
        await seen.stands()
        write, full = core.store.write, Unusable("full")

        async def no_room(_work: object) -> None:
            raise full

        monkeypatch.setattr(core.store, "write", no_room)
        seen.sms.trouble = LaneTrouble("credentials", "20003", ours=True)
        await seen.hears(FULL, begins=True)
        monkeypatch.setattr(core.store, "write", write)
        core.clock.skip(minutes=1)
        await seen.hears(FULL, begins=False)
        await seen.stands(WRONG)


async def test_what_a_killed_service_left_is_forgotten(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new start begins with what is so now."""
    killed = Lookout(core.store, [], Disk(core.folder / "pregonero.db", core.clock.ticks), lambda *_: None)
    await killed._keep([WRONG])
    assert await standing(core.store) == [WRONG]
    async with looking(core, monkeypatch) as seen:
        await seen.stands()


async def test_the_screen_and_the_report_say_it(tmp_path: Path, rehearsal: Rehearsal) -> None:
    """The service's screen and a report from another say which lane has stopped and why."""
    made = deploy(tmp_path, rehearsal.url)
    await rehearsal.people({"channel": "telegram", "address": "101"})
    await made.take_in([("telegram", "101", "es", "fresno")])
    await rehearsal.faults("telegram", "credentials", count=1)
    async with made.running() as working:
        assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
        said = await working.line("bot se detuvo", notes=True)
        assert "la clave no son correctos" in said
        await made.until("SELECT 1 FROM hindrances")
        assert said.strip() in (await made.do("report")).err
        assert (await working.stop()).status == 0
    assert "se detuvo" not in (await made.do("report")).said
