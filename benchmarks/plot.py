"""The picture of one run: who sends how many messages a second, and what a great broadcast needs.

`.peers/bin/python -m benchmarks.plot RESULTS.json` draws RESULTS.svg beside it. What may enter: how it looks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.field import FIELD
from benchmarks.figures import made, rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _QUIET, _FAINT = "#1f2933", "#6b7785", "#e3e7eb"
_OURS, _PYTHON, _OTHER, _LINE = "#0f766e", "#b8c2cc", "#8d99a6", "#c2410c"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _QUIET,
    "xtick.color": _QUIET,
    "ytick.color": _INK,
    "svg.hashsalt": "pregonero",
}


def draw(results: dict[str, Any]) -> Figure:
    """One message above, two small panels below."""
    figure = Figure(figsize=(9.6, 7.4), facecolor="white")
    _rates(figure.add_axes((0.285, 0.4, 0.68, 0.435)), results["rates"])
    if great := made(results["million"]):
        _progress(figure.add_axes((0.075, 0.115, 0.4, 0.185)), great[0])
        _memory(figure.add_axes((0.565, 0.115, 0.4, 0.185)), great[0])
    figure.text(0.025, 0.945, _headline(results["rates"]), fontsize=16, weight="bold")
    figure.text(0.025, 0.905, "Messages a second on one core, to the same loopback server", color=_QUIET)
    figure.text(
        0.025,
        0.875,
        "Pregonero claims each on disk before it leaves and settles it after; a library keeps no record.",
        color=_QUIET,
    )
    facts = results["machine"]
    figure.text(
        0.025,
        0.018,
        f"make bench, {results['at'][:10]}, {results['commit']}: {facts['cpu']}, Python {facts['python']}, "
        f"SQLite {facts['sqlite']} on {facts['disk']}, synchronous=FULL.",
        color=_QUIET,
        fontsize=8,
    )
    return figure


def _headline(rates: dict[str, Any]) -> str:
    """What the picture says, in the figures of this run."""
    slower = min(rate(rates[f"lane.{channel}"]) or 0 for channel in ("telegram", "sms"))
    peers = [found for one in FIELD if one.peer and (found := rate(rates[one.name]))]
    if not peers:
        return f"{slower:,.0f} messages a second, each on disk"
    return f"Every message on disk, and {slower / max(peers):.1f} times as fast as the fastest Python peer"


def _rates(axes: Axes, rates: dict[str, Any]) -> None:
    """A bar for each; the bare client is the line that they are beside."""
    shown = [one for one in FIELD if one.kind == "lane" or one.peer or one.name in {"bullmq", "kannel"}]
    bars = sorted((rate(rates[one.name]) or 0.0, one.shown, one) for one in shown)
    colours = [_OURS if one.kind == "lane" else _PYTHON if one.peer else _OTHER for _, _, one in bars]
    most = max(value for value, _, _ in bars)
    axes.barh([name for _, name, _ in bars], [value for value, _, _ in bars], color=colours, height=0.68)
    for place, (value, _, one) in enumerate(bars):
        ours = one.kind == "lane"
        label = f"{value:,.0f}" if value else "not measured"
        look = {"color": _OURS, "weight": "bold"} if ours else {"color": _QUIET}
        axes.text(value + most * 0.008, place, label, va="center", **look)
    for label, bar in zip(axes.get_yticklabels(), bars, strict=True):
        label.set_weight("bold" if bar[2].kind == "lane" else "normal")
    ceiling = max(rate(rates[f"bare.{channel}"]) or 0 for channel in ("telegram", "sms"))
    axes.axvline(ceiling, color=_LINE, linewidth=1.4, linestyle=(0, (4, 3)), zorder=3)
    where: Any = {"ha": "center" if ceiling < 0.8 * most else "right", "va": "bottom"}
    words = f"bare aiohttp client, no records: {ceiling:,.0f}"
    axes.text(ceiling, len(bars) - 0.35, words, color=_LINE, fontsize=9, **where)
    axes.set_xlim(0, max(most, ceiling) * 1.09)
    axes.set_ylim(-0.6, len(bars) - 0.4)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.tick_params(length=0)
    axes.set_axisbelow(True)
    axes.grid(axis="x", color=_FAINT)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)


def _progress(axes: Axes, great: dict[str, Any]) -> None:
    """Messages that the vendors have seen, by time: a straight line is what one wants."""
    moments, seen, _ = _under_way(great)
    axes.plot(moments, [many / 1000 for many in seen], color=_OURS, linewidth=2)
    people, seconds = great["run"]["messages"], great["run"]["seconds"]
    _small(axes, f"{people:,} deliveries in {seconds:,.0f} s", "seconds", "thousands sent")


def _memory(axes: Axes, great: dict[str, Any]) -> None:
    """Resident memory over the same time, from nothing."""
    moments, _, resident = _under_way(great)
    axes.plot(moments, resident, color=_OURS, linewidth=2)
    _small(axes, f"in never more than {max(resident):,.0f} MB of memory", "seconds", "MB resident")
    axes.set_ylim(0, max(resident) * 1.6)


def _under_way(great: dict[str, Any]) -> tuple[list[float], list[int], list[float]]:
    """Seconds since the first message, messages, and MB; up to the last message."""
    people = great["run"]["messages"]
    samples = [sample for sample in great["samples"] if sample[1]]
    end = next((place for place, sample in enumerate(samples) if sample[1] >= people), len(samples))
    moments, seen, resident = zip(*samples[: end + 1], strict=True)
    return [moment - moments[0] for moment in moments], list(seen), list(resident)


def _small(axes: Axes, title: str, across: str, up: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, weight="bold", color=_INK)
    axes.set_xlabel(across, fontsize=9)
    axes.set_ylabel(up, fontsize=9)
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.tick_params(length=0, labelsize=9)
    axes.grid(color=_FAINT)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


if __name__ == "__main__":
    file = Path(sys.argv[1])
    with mpl.rc_context(_STYLE):
        draw(json.loads(file.read_text())).savefig(
            sys.argv[2] if len(sys.argv) > 2 else file.with_suffix(".svg"), metadata={"Date": None}
        )
