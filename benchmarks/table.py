"""The one table that a run prints: what was measured, beside what, and what was aimed at."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from rich.table import Table

from benchmarks.field import FIELD
from benchmarks.figures import cpu, made, of, rate, ratio, ratios
from benchmarks.million import tenths

if TYPE_CHECKING:
    from benchmarks.field import Contender

_LANE_AIM, _PEER_AIM, _GATEWAY_AIM = 0.85, 2.0, 1.0
_NAMES = {"es-MX": "Spanish", "en-US": "English"}


def table(results: dict[str, Any]) -> Table:
    """The results of one run, as `__main__` keeps them."""
    facts = results["machine"]
    title = (
        f"Pregonero {results['commit']}, one core of {facts['cpu']}, load before {facts['load_before'][0]}"
    )
    shown = Table(title=title, title_justify="left")
    shown.add_column("")
    for heading in ("messages/s", "of bare", "CPU µs each", "peak MB", "aim"):
        shown.add_column(heading, justify="right")
    _field(shown, results["rates"])
    _versus(shown, results["rates"])
    _answers(shown, results["answers"])
    _audience(shown, results)
    _disk(shown, results)
    _cost(shown, results["cost"])
    return shown


def _field(shown: Table, rates: dict[str, Any]) -> None:
    """Everybody who sends, the fastest of each kind first."""
    for kind in ("lane", "ceiling", "ours", "library", "queue"):
        field = [one for one in FIELD if one.kind == kind]
        for one in sorted(field, key=lambda one: rate(rates[one.name]) or 0, reverse=True):
            _contender(shown, one, rates)
        shown.add_section()


def _contender(shown: Table, one: Contender, rates: dict[str, Any]) -> None:
    runs = rates[one.name]
    if not made(runs):
        shown.add_row(one.shown, "not measured")
        return
    beside = ratios(runs, rates[f"bare.{one.channel}"])
    shown.add_row(
        one.shown,
        f"{rate(runs):,.0f}",
        f"{median(beside):.2f}" + (f" ({beside[0]:.2f}–{beside[-1]:.2f})" if len(beside) > 1 else ""),
        f"{cpu(runs):,.0f}",
        f"{of(runs, 'peak_mb'):,.0f}",
        f"≥ {_LANE_AIM}" if one.kind == "lane" else "",
    )


def _versus(shown: Table, rates: dict[str, Any]) -> None:
    """Our lanes beside the fastest of the Python peers, and beside the gateway in C."""
    peers = [one for one in FIELD if one.peer and rate(rates[one.name])]
    for lane in (one for one in FIELD if one.kind == "lane"):
        ours = rates[lane.name]
        best = min(peers, key=lambda one: ratio(ours, rates[one.name]) or 0, default=None)
        for other, aim in ((best, _PEER_AIM), (_named("kannel"), _GATEWAY_AIM)):
            times = ratio(ours, rates[other.name]) if other else None
            if other and times:
                label = f"{lane.shown}, beside {other.shown}"
                shown.add_row(label, f"× {times:.2f}", "", "", "", f"≥ {aim:.0f}")
    shown.add_section()


def _named(name: str) -> Contender:
    return next(one for one in FIELD if one.name == name)


def _answers(shown: Table, runs: dict[str, Any]) -> None:
    ours, bare = runs["service"], runs["bare"]
    if made(ours):
        beside = ratio(ours, bare)
        shown.add_row(
            "answers, from signed webhook to reply",
            f"{rate(ours):,.0f}",
            f"{beside:.3f}" if beside else "",
            f"{cpu(ours):,.0f}",
        )
    for name, key in (("alone", "waits"), ("beside a broadcast", "waits_loud")):
        if made(runs[key]):
            label = f"the slowest answer of a hundred, {name}"
            shown.add_row(label, f"{of(runs[key], 'p99_ms'):,.0f} ms", "", "", "", "< 150 ms")
    shown.add_section()


def _audience(shown: Table, results: dict[str, Any]) -> None:
    if emergencies := made(results["emergency"]):
        waiting = f"{of(emergencies, 'waiting'):,.0f}"
        label = f"emergency under {waiting}: its first at the vendor after"
        shown.add_row(label, f"{1000 * of(emergencies, 'seconds'):,.0f} ms")
    if fans := [fan["run"] for fan in made(results["fan_out"])]:
        label = f"fan-out of {fans[0]['messages']:,} rows, 3 channels × 2 languages"
        shown.add_row(label, f"{of(fans, 'seconds'):.1f} s", "", "", f"{of(fans, 'peak_mb'):,.0f}", "< 5 s")
    for one in made(results["million"]):
        run, samples = one["run"], one["samples"]
        parts = tenths(samples, run["messages"])
        shown.add_row(
            f"{run['messages']:,} deliveries end to end, 3 lanes",
            f"{rate([run]):,.0f}",
            "",
            f"{cpu([run]):,.0f}",
            f"{run['peak_mb']:,.0f}",
            "< 200 MB",
        )
        shown.add_row("  the slowest tenth beside the fastest", f"× {max(parts) / min(parts):.2f}")
        shown.add_row(
            "  memory from the second tenth to the last",
            f"{_grown(samples, run['messages']):+,.0f} MB",
            "",
            "",
            "",
            "0 MB",
        )
    shown.add_section()


def _grown(samples: list[tuple[float, int, float]], people: int) -> float:
    """MB between the second tenth of the messages and the last, the median of each."""
    early = [mb for _, seen, mb in samples if people <= 10 * seen < 2 * people]
    late = [mb for _, seen, mb in samples if 9 * people <= 10 * seen < 10 * people]
    return median(late) - median(early) if early and late else 0.0


def _disk(shown: Table, results: dict[str, Any]) -> None:
    for name, key in (("an empty file", "empty"), ("a full one", "full")):
        if made(runs := results["startup"][key]):
            seconds, peak = of(runs, "seconds"), of(runs, "peak_mb")
            shown.add_row(f"start-up with {name}", f"{seconds:.2f} s", "", "", f"{peak:,.0f}")
    if fans := made(results["fan_out"]):
        shown.add_row("size on disk, a delivery that waits", f"{of(fans, 'bytes_each'):.0f} bytes")
    for one in made(results["fold"]):
        (many, left), (before, after) = one["rows"], one["bytes"]
        freed = (before - after) / many
        shown.add_row(f"given back by retention, of {many:,} deliveries", f"{many - left:,}")
        shown.add_row("  on disk, a delivery", f"{freed:.0f} bytes")
    shown.add_section()


def _cost(shown: Table, costs: dict[str, Any]) -> None:
    for language, cost in costs.items():
        texts, name = cost["texts"], _NAMES.get(language, language)
        for label, ours, plain in (
            ("short words", cost["ours"], cost["plain"]),
            ("title and body", cost["whole_ours"], cost["whole_plain"]),
        ):
            words = f"SMS segments, {texts} × {label}, {name}: ours, plain"
            shown.add_row(words, f"{ours:,}, {plain:,}", f"{ours / plain:.2f}")
