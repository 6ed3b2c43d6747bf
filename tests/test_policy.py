"""What follows from each kind of trouble: the whole table, and what holds for every wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, pairwise, repeat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy import FIRST_RETRY, LONGEST_RETRY, MOST_ATTEMPTS, PROBE, Decision, decide
from channels.trouble import Broken, Gone, Later, Refused, Trouble, Unsure

if TYPE_CHECKING:
    from random import Random

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
SOON, MUCH_LATER = NOW + timedelta(seconds=1), NOW + timedelta(days=2)
MINUTE = timedelta(minutes=1)


def then(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


BROKEN = Decision("queued", "funds", due_at=NOW, lane_until=NOW + PROBE, broken=True)
TABLE: list[tuple[Trouble, int, datetime | None, Decision]] = [
    (Later("busy"), 1, None, Decision("queued", "busy", due_at=then(3.75))),
    (Later("busy"), 2, MUCH_LATER, Decision("queued", "busy", due_at=then(7.5))),
    (Later("busy"), 20, None, Decision("queued", "busy", due_at=then(675))),
    (Later("busy"), 1, SOON, Decision("expired", "busy")),
    (Later("busy"), MOST_ATTEMPTS, None, Decision("failed", "busy")),
    (Later("fast", wait=MINUTE), 1, None, Decision("queued", "fast", then(60), lane_until=then(60))),
    (Later("fast", wait=MINUTE), 9, MUCH_LATER, Decision("queued", "fast", then(60), lane_until=then(60))),
    (Later("fast", wait=MINUTE), 999, None, Decision("queued", "fast", then(60), lane_until=then(60))),
    (Later("fast", wait=MINUTE), 1, SOON, Decision("expired", "fast", lane_until=then(60))),
    (Refused("empty"), 1, None, Decision("failed", "empty")),
    (Refused("empty"), 9, SOON, Decision("failed", "empty")),
    (Gone("blocked", left=True), 1, None, Decision("failed", "blocked", person="left")),
    (Gone("dead"), 1, SOON, Decision("failed", "dead", person="gone")),
    (Gone("moved", moved_to="7"), 1, None, Decision("queued", "moved", due_at=NOW)),
    (Gone("moved", moved_to="7"), MOST_ATTEMPTS, None, Decision("failed", "moved")),
    (Broken("funds"), 1, None, BROKEN),
    (Broken("funds"), MOST_ATTEMPTS, SOON, BROKEN),
    (Broken("template", text=True), 1, None, Decision("queued", "template", then(30), refused=True)),
    (Unsure("silence"), 1, None, Decision("unknown", "silence")),
    (Unsure("silence"), MOST_ATTEMPTS, SOON, Decision("unknown", "silence")),
]


@pytest.mark.parametrize(("trouble", "attempt", "valid_until", "decision"), TABLE)
def test_each_trouble_has_its_consequence(
    trouble: Trouble, attempt: int, valid_until: datetime | None, decision: Decision
) -> None:
    """A trouble, how often it was tried and until when it is wanted say what becomes of a delivery."""
    assert decide(trouble, attempt=attempt, now=NOW, valid_until=valid_until, jitter=lambda: 0.5) == decision


@given(
    wait=st.none() | st.timedeltas(timedelta(), timedelta(days=1)),
    attempt=st.integers(1, 2 * MOST_ATTEMPTS),
    left=st.none() | st.timedeltas(timedelta(seconds=-5), timedelta(days=3)),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_a_retry_keeps_the_wait_and_the_end(
    wait: timedelta | None, attempt: int, left: timedelta | None, jitter: float
) -> None:
    """Nothing is tried before the vendor's wait or at once, after its time, or more often than promised."""
    valid_until = None if left is None else NOW + left
    decision = decide(
        Later("busy", wait=wait), attempt=attempt, now=NOW, valid_until=valid_until, jitter=lambda: jitter
    )
    if decision.state != "queued":
        assert decision.state == "expired" if wait is not None or attempt < MOST_ATTEMPTS else True
        assert decision.due_at is None
        return
    assert wait is not None or attempt < MOST_ATTEMPTS
    assert decision.due_at is not None
    assert decision.due_at >= NOW + (wait if wait is not None else timedelta(seconds=2.5))
    assert decision.due_at <= NOW + (wait if wait is not None else LONGEST_RETRY)
    assert valid_until is None or decision.due_at < valid_until


@given(
    waits=st.lists(st.none() | st.timedeltas(timedelta(seconds=1), timedelta(minutes=5)), max_size=60),
    lasts=st.none() | st.timedeltas(timedelta(minutes=1), timedelta(days=3)),
    chance=st.randoms(use_true_random=False),
)
def test_an_outage_of_any_length_is_lived_through(
    waits: list[timedelta | None], lasts: timedelta | None, chance: Random
) -> None:
    """Tried again and again, a delivery waits as it was told to, ends in time, and ends."""
    now, attempt, valid_until = NOW, 1, None if lasts is None else NOW + lasts
    for wait in chain(waits, repeat(None)):
        decision = decide(
            Later("busy", wait=wait),
            attempt=attempt,
            now=now,
            valid_until=valid_until,
            jitter=chance.random,
        )
        if decision.state != "queued":
            break
        assert decision.due_at is not None
        assert decision.due_at >= now + (wait or FIRST_RETRY / 2)
        assert valid_until is None or decision.due_at < valid_until
        now, attempt = decision.due_at, attempt + 1
    assert attempt <= MOST_ATTEMPTS
    assert (decision.state, valid_until is None) in {("failed", True), ("failed", False), ("expired", False)}
    assert decision.state == "expired" or now - NOW > timedelta(days=1)


@given(attempt=st.integers(1, MOST_ATTEMPTS - 1), people=st.integers(2, 200))
def test_who_failed_together_is_not_tried_together(attempt: int, people: int) -> None:
    """Retries of one moment are spread evenly over the second half of their pause."""
    chances = iter(n / people for n in range(people))
    retry = partial(decide, Later("busy"), attempt=attempt, now=NOW, valid_until=None)
    moments = [at for _ in range(people) if (at := retry(jitter=lambda: next(chances)).due_at)]
    pause = min(FIRST_RETRY * 2 ** (attempt - 1), LONGEST_RETRY) if attempt < 20 else LONGEST_RETRY
    steps = [after - before for before, after in pairwise(moments)]
    assert moments[0] == NOW + pause / 2
    assert max(steps) - min(steps) < timedelta(milliseconds=1)
    assert NOW + pause - moments[-1] <= pause / people


def test_a_sixth_kind_of_trouble_is_a_fault_of_ours() -> None:
    """Who adds a kind of trouble must decide what follows from it."""
    with pytest.raises(AssertionError):
        decide(Trouble("new"), attempt=1, now=NOW, valid_until=None, jitter=lambda: 0.5)
