"""What Prometheus is told: the last look at the rows and the lanes, and what the web server answered.

What may enter: names and numbers. A label holds a sender, a state, a closed reason or a status: never
anything of a person, and never more values than there are words for them.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from bot.vitals import MOST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client.core import Metric

    from bot.lane import Lane
    from bot.tallies import Silence
    from bot.vitals import Vitals
    from bot.watch import Watch

_STATUSES = ("ok", "degraded", "failing")
_BREAKER = ("closed", "open", "probing")


def registry(watch: Watch, answered: Mapping[tuple[str, int], int]) -> CollectorRegistry:
    """The metrics of one service, in a registry of its own.

    Args:
        answered: How often each sender's webhook was answered with each status.
    """
    made = CollectorRegistry()
    made.register(_Gauges(watch, answered))
    ProcessCollector(registry=made)
    return made


class _Gauges(Collector):
    def __init__(self, watch: Watch, answered: Mapping[tuple[str, int], int]) -> None:
        self._watch = watch
        self._answered = answered

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the names are those that `collect` gives."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything, from the last look."""
        seen = self._watch.seen
        yield from _service(self._watch.health.status, seen.beat_age)
        if seen.vitals is not None:
            yield from _rows(seen.vitals)
        yield from _lanes(self._watch.lanes)
        yield from _receipts(seen.silences or {})
        yield from _webhooks(self._answered)


def _service(status: str, beat_age: float | None) -> Iterator[Metric]:
    build = {"version": version("pregonero"), "python": platform.python_version()}
    yield InfoMetricFamily("pregonero_build", "What runs.", value=build)
    health = GaugeMetricFamily("pregonero_health", "1 for how the service is now.", labels=["status"])
    for one in _STATUSES:
        health.add_metric([one], float(one == status))
    yield health
    if beat_age is not None:
        yield GaugeMetricFamily(
            "pregonero_beat_age_seconds", "Since the dispatcher last showed that it lives.", value=beat_age
        )


def _rows(vitals: Vitals) -> Iterator[Metric]:
    labels = ["lane", "priority"]
    depth = GaugeMetricFamily(
        "pregonero_queue", f"Deliveries that wait, counted up to {MOST}.", labels=labels
    )
    age = GaugeMetricFamily(
        "pregonero_queue_age_seconds",
        "For how long the oldest has waited that may leave now; 0 when none may.",
        labels=labels,
    )
    for queue in vitals.queues:
        depth.add_metric([queue.sender, queue.priority], queue.deliveries)
        waited = (vitals.at - queue.due_since).total_seconds() if queue.due_since else 0
        age.add_metric([queue.sender, queue.priority], waited)
    unknown = GaugeMetricFamily(
        "pregonero_unknown", f"Deliveries of which nobody knows, counted up to {MOST}.", labels=["lane"]
    )
    for sender, deliveries in vitals.unknown.items():
        unknown.add_metric([sender], deliveries)
    yield from (depth, age, unknown)
    yield GaugeMetricFamily(
        "pregonero_unanswered", "Messages of people that wait to be read.", value=vitals.unanswered
    )
    since = vitals.unanswered_since
    yield GaugeMetricFamily(
        "pregonero_unanswered_age_seconds",
        "For how long the oldest of them has waited.",
        value=(vitals.at - since).total_seconds() if since else 0,
    )
    yield GaugeMetricFamily(
        "pregonero_database_bytes", "The database and its log.", value=vitals.database_bytes
    )
    yield GaugeMetricFamily("pregonero_disk_free_bytes", "On the database's disk.", value=vitals.free_bytes)


def _lanes(lanes: Iterable[Lane]) -> Iterator[Metric]:
    ends = CounterMetricFamily(
        "pregonero_sends",
        "How claims have ended; the queued are tried again.",
        labels=["lane", "outcome", "reason"],
    )
    left = CounterMetricFamily(
        "pregonero_spent",
        "Messages (SMS: segments) that have left, replies and retries too.",
        labels=["lane"],
    )
    rate = GaugeMetricFamily("pregonero_rate_budget", "What may leave a second.", labels=["lane"])
    rests = GaugeMetricFamily("pregonero_resting_seconds", "Until the lane may send again.", labels=["lane"])
    breaker = GaugeMetricFamily(
        "pregonero_breaker", "1 for the state of the lane's breaker.", labels=["lane", "state"]
    )
    trouble = GaugeMetricFamily(
        "pregonero_trouble",
        "1 while nothing can be sent; ours: for us to mend.",
        labels=["lane", "reason", "ours"],
    )
    refused = GaugeMetricFamily(
        "pregonero_broadcasts_refused", "Broadcasts that wait: their text is refused.", labels=["lane"]
    )
    for lane in lanes:
        for (outcome, reason), count in sorted(lane.ends.items()):
            ends.add_metric([lane.sender, outcome, reason], count)
        left.add_metric([lane.sender], lane.spent)
        rate.add_metric([lane.sender], lane.rate)
        rests.add_metric([lane.sender], lane.resting)
        refused.add_metric([lane.sender], len(lane.refused))
        state = "closed" if lane.trouble is None else "open" if lane.resting else "probing"
        for one in _BREAKER:
            breaker.add_metric([lane.sender, one], float(one == state))
        if lane.trouble:
            trouble.add_metric([lane.sender, lane.trouble.reason, str(lane.trouble.ours).lower()], 1)
        elif lane.resting:
            trouble.add_metric([lane.sender, "rate-limited", "false"], 1)
    yield from (ends, left, rate, rests, breaker, trouble, refused)


def _receipts(silences: Mapping[str, Silence]) -> Iterator[Metric]:
    missing = GaugeMetricFamily(
        "pregonero_receipts_missing_ratio",
        "Of the latest messages that had time for a receipt, the share without any.",
        labels=["lane"],
    )
    usual = GaugeMetricFamily(
        "pregonero_receipts_usual_ratio", "The same share in the seven days before.", labels=["lane"]
    )
    alarm = GaugeMetricFamily(
        "pregonero_receipts_alarm", "1 when far more are missing than usual.", labels=["lane"]
    )
    for sender, silence in silences.items():
        missing.add_metric([sender], silence.missing)
        usual.add_metric([sender], silence.usual)
        alarm.add_metric([sender], float(silence.alarming))
    yield from (missing, usual, alarm)


def _webhooks(answered: Mapping[tuple[str, int], int]) -> Iterator[Metric]:
    answers = CounterMetricFamily(
        "pregonero_webhook_answers", "Webhooks, by what they were answered.", labels=["lane", "status"]
    )
    for (sender, status), count in sorted(answered.items()):
        answers.add_metric([sender, str(status)], count)
    yield answers
