"""BullMQ with undici on Node, over Redis: a job for each message.

`python -m benchmarks.peers.bullmq MESSAGES SERVER TEXT`
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.peers.drained import drained
from benchmarks.peers.redis import redis
from benchmarks.programs import PEERS, environment, find, started
from benchmarks.runs import IN_FLIGHT, core, report, scratch
from benchmarks.vendors import Counter

_SCRIPT = str(Path(__file__).with_suffix(".cjs"))


def main(messages: int, server: str, text: str) -> None:
    """Fill the queue, start the worker, and time it until the queue is empty."""
    with scratch() as folder, redis(folder) as (port, broker):
        node, libraries = find("node"), str(PEERS / "node_modules")
        filling = (node, _SCRIPT, "fill", str(port), str(messages), text)
        subprocess.run(filling, check=True, env=environment(NODE_PATH=libraries), timeout=60)
        counter = Counter(server)
        working = (node, _SCRIPT, "work", str(port), str(IN_FLIGHT), server)
        with started(*working, folder=folder, core=core(0), NODE_PATH=libraries) as process:
            report(drained(messages, counter, [process.pid, broker]))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
