"""A million deliveries end to end, looked at from outside: memory and progress while they leave.

What may enter: looking on from the other core, so that what is measured pays for none of it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.runs import NotMeasuredError
from benchmarks.vendors import Counter

_LOOK = 0.5
_RESIDENT = re.compile(r"VmRSS:\s+(\d+) kB")


def watched(folder: Path, server: str) -> dict[str, Any]:
    """One broadcast to everybody in a deployment.

    Returns:
        What `audience.broadcast` says, and `samples`: seconds, messages the vendors have seen, MB resident.

    Raises:
        NotMeasuredError: it failed.
    """
    counter, began = Counter(server), time.perf_counter()
    samples: list[tuple[float, int, float]] = []
    command = (sys.executable, "-m", "benchmarks.audience", "broadcast", str(folder))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            while process.poll() is None:
                resident = _RESIDENT.search(Path(f"/proc/{process.pid}/status").read_text())
                if resident:
                    moment = round(time.perf_counter() - began, 2)
                    samples.append((moment, counter(), round(int(resident[1]) / 1024, 1)))
                time.sleep(_LOOK)
        finally:
            process.kill()
        told = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise NotMeasuredError("the broadcast failed; its words are above")
    result: dict[str, Any] = json.loads(told)
    return result | {"samples": samples}


def tenths(samples: list[tuple[float, int, float]], people: int) -> list[float]:
    """Seconds that each tenth of the messages took, as the vendors saw them."""
    first = max((moment for moment, seen, _ in samples if not seen), default=0.0)
    ends = [first, *(_reached(samples, people * tenth // 10) for tenth in range(1, 11))]
    return [later - earlier for earlier, later in pairwise(ends)]


def _reached(samples: list[tuple[float, int, float]], many: int) -> float:
    """When the vendors had seen so many, between two looks by the straight line."""
    for (before, less, _), (after, more, _) in pairwise(samples):
        if less < many <= more:
            return before + (after - before) * (many - less) / (more - less)
    return samples[-1][0]
