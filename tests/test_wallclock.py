"""The wall clock is believed while it goes as time does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.moments import Clockwork
from bot.wallclock import TOLERANCE, WallClock
from tests.core import MORNING

if TYPE_CHECKING:
    from datetime import datetime

JUMPS = [sign * timedelta(**{unit: 1}) for unit in ("hours", "days", "weeks") for sign in (1, -1)] + [
    timedelta(days=365),
    -timedelta(days=365),
]


class Machine:
    """Time, and a clock on the wall that somebody may set."""

    def __init__(self) -> None:
        self.passed = self.wrong = timedelta()
        self.clockwork = Clockwork(now=self.now, jitter=lambda: 0.0, ticks=self.ticks)

    def ticks(self) -> float:
        """The seconds that truly passed."""
        return self.passed.total_seconds()

    def now(self) -> datetime:
        """What the wall clock shows."""
        return MORNING + self.passed + self.wrong


@given(st.lists(st.tuples(st.floats(0, 10**6), st.floats(-250, 250)), max_size=50))
def test_small_corrections_never_add_up(steps: list[tuple[float, float]]) -> None:
    """However long it runs and however often network time sets it by some seconds, it is believed."""
    machine = Machine()
    wall = WallClock(machine.clockwork)
    for passed, set_by in steps:
        machine.passed += timedelta(seconds=passed)
        machine.wrong += timedelta(seconds=set_by)
        assert wall.agrees(machine.now())


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_jump_is_seen_until_it_is_undone(jump: timedelta) -> None:
    """An hour, a day, a year, forward or back: not believed, until it shows the true time again."""
    machine = Machine()
    wall = WallClock(machine.clockwork)
    machine.wrong = jump
    for _ in range(3):
        machine.passed += timedelta(minutes=7)
        assert not wall.agrees(machine.now())
    machine.wrong = timedelta()
    assert wall.agrees(machine.now())


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_somebody_can_say_that_it_is_right(jump: timedelta) -> None:
    """Trusted after a jump, it is believed from there on, and a jump back is another jump."""
    machine = Machine()
    wall = WallClock(machine.clockwork)
    machine.wrong = jump
    wall.trust()
    machine.passed += timedelta(hours=5)
    assert wall.agrees(machine.now())
    machine.wrong = timedelta()
    assert not wall.agrees(machine.now())


def test_a_machine_without_a_battery_finds_its_time() -> None:
    """Started in a past in which it had been at work already, it is believed once it is later than that."""
    machine = Machine()
    wall = WallClock(machine.clockwork)
    wall.expect(MORNING + timedelta(days=300), or_later=True)
    assert not wall.agrees(machine.now())
    machine.wrong = timedelta(days=303)
    assert wall.agrees(machine.now())
    machine.wrong += 2 * TOLERANCE
    assert not wall.agrees(machine.now())
