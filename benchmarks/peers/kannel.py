"""Kannel, the C gateway: a bearerbox with an HTTP operator, and `mtbatch`, its own way to hand in many.

`python -m benchmarks.peers.kannel MESSAGES SERVER TEXT`

Its generic HTTP operator asks with GET. What waits is in memory, so there is no queue to fill before; what
hands the messages in works on the vendors' core and is not charged, as our own fan-out is not.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.peers.drained import drained
from benchmarks.programs import find, free_port, reach, started
from benchmarks.runs import IN_FLIGHT, core, report, scratch
from benchmarks.vendors import Counter

if TYPE_CHECKING:
    from pathlib import Path

_CONFIG = """\
group = core
admin-port = {admin}
admin-password = benchmark
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
log-level = 4
sms-outgoing-queue-limit = 10000000

group = smsbox
bearerbox-host = 127.0.0.1

group = smsc
smsc = http
system-type = generic
port = {receipts}
log-level = 4
connect-allow-ip = 127.0.0.1
max-pending-submits = {pending}
send-url = "{server}/sendMessage?from=%P&to=%p&text=%b"
status-success-regex = "ok"
"""


def main(messages: int, server: str, text: str) -> None:
    """Start the gateway, hand everything in, and time it until the vendors have seen the last."""
    boxes = free_port()
    with scratch() as folder:
        _write(folder, boxes, server, messages, text)
        counter = Counter(server)
        with started(find("bearerbox"), "-v", "4", "kannel.conf", folder=folder, core=core(0)) as gateway:
            reach(boxes)
            handing = (find("mtbatch"), "-v", "4", "-b", "127.0.0.1", "-p", str(boxes), "-f", "12025550100")
            with started(*handing, "text", "people", folder=folder, core=core(1)):
                report(drained(messages, counter, [gateway.pid]))


def _write(folder: Path, boxes: int, server: str, messages: int, text: str) -> None:
    more = {"admin": free_port(), "receipts": free_port(), "pending": IN_FLIGHT}
    (folder / "kannel.conf").write_text(_CONFIG.format(boxes=boxes, server=server, **more))
    (folder / "text").write_text(text)
    (folder / "people").write_text("".join(f"10{number:09}\n" for number in range(messages)))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
