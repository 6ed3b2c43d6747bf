"""Figures out of the runs: medians over the rounds, and ratios within each.

What may enter: arithmetic on results as `__main__` keeps them, where None is a round that was not measured.
Only the standard library: the picture is drawn in another environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

Runs = Sequence[dict[str, Any] | None]


def made(runs: Runs) -> list[dict[str, Any]]:
    """The rounds that were measured."""
    return [run for run in runs if run is not None]


def summed(turns: Runs) -> dict[str, Any] | None:
    """One round of what was measured in several turns; None when one of them was not."""
    whole = made(turns)
    if len(whole) < len(turns):
        return None
    sums: dict[str, Any] = {
        name: sum(run[name] for run in whole) for name in ("messages", "seconds", "cpu_seconds")
    }
    return sums | {"peak_mb": max(run["peak_mb"] for run in whole)}


def rate(runs: Runs) -> float | None:
    """Messages a second; None when no round was measured."""
    return median([_rate(run) for run in made(runs)]) if made(runs) else None


def cpu(runs: Runs) -> float:
    """Microseconds of CPU a message."""
    return float(median(run["cpu_seconds"] / run["messages"] * 1e6 for run in made(runs)))


def of(runs: Runs, key: str) -> float:
    """Of one of the values of a run."""
    return float(median(run[key] for run in made(runs)))


def ratio(ours: Runs, others: Runs) -> float | None:
    """Of two rates within each round: the rounds' own weather cancels out."""
    both = ratios(ours, others)
    return median(both) if both else None


def ratios(ours: Runs, others: Runs) -> list[float]:
    """The same of every round, the lowest first."""
    both = zip(ours, others, strict=True)
    return sorted(_rate(one) / _rate(other) for one, other in both if one and other)


def _rate(run: dict[str, Any]) -> float:
    return float(run["messages"] / run["seconds"])
