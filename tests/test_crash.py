"""The service is killed a hundred times, anywhere; the vendors' ledger and the rows agree on each message.

`make crashtest` does it a thousand times; see `tests/crash/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.crash.run import crash

if TYPE_CHECKING:
    from pathlib import Path


async def test_no_kill_loses_or_doubles_anything(tmp_path: Path) -> None:
    """Through 100 kills, at any instant and at every named point, the rows say what the vendors' ledger says.

    Who joined gets each announcement, and whoever writes one reply. What is unknown was in flight at a kill.
    """
    outcome = await crash(tmp_path, kills=100, seed=100)
    assert outcome.faults == []
