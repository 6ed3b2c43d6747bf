"""Celery 5 with Redis, what one would build instead: a task for each message, which posts it with requests.

`python -m benchmarks.peers.celery_redis prefork|gevent MESSAGES SERVER TEXT`
"""

from __future__ import annotations

import os
import sys

import requests
from celery import Celery

from benchmarks.peers.drained import drained
from benchmarks.peers.redis import redis
from benchmarks.programs import ROOT, started
from benchmarks.runs import IN_FLIGHT, core, report, scratch
from benchmarks.vendors import Counter

app = Celery("benchmark", broker=os.environ.get("BROKER"))
app.conf.task_ignore_result = True
_session = requests.Session()
_session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=IN_FLIGHT))


@app.task(name="send")  # type: ignore[untyped-decorator]  # celery has no types
def send(url: str, chat: int, text: str) -> None:
    """One message."""
    answer = _session.post(url, data={"chat_id": chat, "text": text, "parse_mode": "HTML"}, timeout=30)
    answer.raise_for_status()


def main(pool: str, messages: int, server: str, text: str) -> None:
    """Fill the queue, start the worker, and time it until the queue is empty."""
    with scratch() as folder, redis(folder) as (port, broker):
        app.conf.broker_url = f"redis://127.0.0.1:{port}/0"
        url = f"{server}/bot5:benchmark/sendMessage"
        for number in range(messages):
            send.delay(url, 9_000_000_000 + number, text)
        counter = Counter(server)
        worker = (sys.executable, "-m", "celery", "--app", "benchmarks.peers.celery_redis", "worker")
        size = IN_FLIGHT if pool == "gevent" else 1
        more = {"BROKER": app.conf.broker_url, "PYTHONPATH": str(ROOT)}
        with started(
            *worker, "--pool", pool, "--concurrency", str(size), folder=folder, core=core(0), **more
        ) as process:
            report(drained(messages, counter, [process.pid, broker]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
