"""The one table that a run prints: what was measured, beside what, and what was aimed at."""

from __future__ import annotations

from statistics import median
from typing import Any

from rich.table import Table

_NAMES = {"telegram": "Telegram", "sms": "SMS"}


def table(results: dict[str, Any]) -> Table:
    """The results of one run, as `__main__` keeps them."""
    shown = Table(title=f"Pregonero {results['commit']}, {results['machine']['cpu']}", title_justify="left")
    shown.add_column("")
    for heading in ("ours", "bare aiohttp", "ratio", "aim"):
        shown.add_column(heading, justify="right")
    for channel, runs in results["lanes"].items():
        _lane(shown, _NAMES[channel], runs)
    _answers(shown, results["answers"])
    _audience(shown, results)
    return shown


def rate(runs: list[dict[str, Any]]) -> float:
    """Messages a second, the median of several runs."""
    return float(median(run["messages"] / run["seconds"] for run in runs))


def cpu(runs: list[dict[str, Any]]) -> float:
    """Microseconds of CPU a message, the median of several runs."""
    return float(median(run["cpu_seconds"] / run["messages"] * 1e6 for run in runs))


def p99(runs: list[dict[str, Any]]) -> float:
    """Milliseconds that the slowest of a hundred waited, the median of several runs."""
    return float(median(run["p99_ms"] for run in runs))


def ratio(ours: list[dict[str, Any]], bare: list[dict[str, Any]]) -> float:
    """Of the two rates within each round, the median: the rounds' own weather cancels out."""
    return median(rate([one]) / rate([other]) for one, other in zip(ours, bare, strict=True))


def _lane(shown: Table, name: str, runs: dict[str, list[dict[str, Any]]]) -> None:
    lane, alone, bare = runs["lane"], runs["channel"], runs["ceiling"]
    shown.add_row(
        f"{name} lane: claimed, sent, settled on disk",
        f"{rate(lane):,.0f}/s",
        f"{rate(bare):,.0f}/s",
        f"{ratio(lane, bare):.2f}",
        "≥ 0.50",
    )
    shown.add_row(
        f"{name} channel alone, nothing on disk",
        f"{rate(alone):,.0f}/s",
        f"{rate(bare):,.0f}/s",
        f"{ratio(alone, bare):.2f}",
    )
    shown.add_row(
        f"{name} lane, CPU a message",
        f"{cpu(lane):,.0f} µs",
        f"{cpu(bare):,.0f} µs",
        f"{cpu(bare) / cpu(lane):.2f}",
        end_section=True,
    )


def _answers(shown: Table, runs: dict[str, list[dict[str, Any]]]) -> None:
    ours, bare = runs["service"], runs["bare"]
    shown.add_row(
        "answers, from signed webhook to reply",
        f"{rate(ours):,.0f}/s",
        f"{rate(bare):,.0f}/s",
        f"{ratio(ours, bare):.3f}",
    )
    shown.add_row(
        "an answer, CPU", f"{cpu(ours):,.0f} µs", f"{cpu(bare):,.0f} µs", f"{cpu(bare) / cpu(ours):.3f}"
    )
    loud = runs["waits_loud"]
    beside = rate([{**one["run"], "messages": one["others"]} for one in loud])
    for name, one, other in (
        ("the slowest answer of a hundred", runs["waits"], f"{p99(runs['waits_bare']):,.0f} ms"),
        (f"  beside a broadcast, {beside:,.0f} a second", loud, ""),
    ):
        shown.add_row(name, f"{p99(one):,.0f} ms", other, "", "< 150 ms")
    shown.add_section()


def _audience(shown: Table, results: dict[str, Any]) -> None:
    fans = results["fan_out"]
    people = fans[0]["run"]["messages"]
    seconds = median(fan["run"]["seconds"] for fan in fans)
    shown.add_row(
        f"fan-out of {people:,} rows, 3 channels × 2 languages", f"{seconds:.1f} s", "", "", "< 5 s"
    )
    shown.add_row("size on disk, a delivery", f"{fans[0]['bytes_each']:.0f} bytes", end_section=True)
    small, great = results["broadcasts"]
    for one in (small, great):
        lanes, settled = one["lanes"]["messages"], one["settled"]["messages"]
        through = f"{lanes:,} through the lanes" if settled else "all through the lanes"
        rest = f", {settled:,} claimed and settled only" if settled else ""
        shown.add_row(
            f"peak memory, {one['people']:,} deliveries\n  {through}{rest}",
            f"{one['peak_mb']:.0f} MB",
            "",
            "",
            "< 200 MB",
        )
    grown = great["peak_mb"] - small["peak_mb"]
    times = great["people"] / small["people"]
    shown.add_row(f"memory grown by, for {times:,.0f} times the people", f"{grown:+.0f} MB", "", "", "0 MB")
    shown.add_row("three lanes at once", f"{rate([great['lanes']]):,.0f}/s")
    if great["settled"]["messages"]:
        shown.add_row("claimed and settled only", f"{rate([great['settled']]):,.0f}/s")
