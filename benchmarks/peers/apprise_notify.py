"""apprise 2 as its documentation shows it: one object, a Telegram address for each person, one `notify`.

`python -m benchmarks.peers.apprise_notify MESSAGES SERVER TEXT`
"""

from __future__ import annotations

import sys

import apprise
from apprise.plugins.telegram import NotifyTelegram

from benchmarks.runs import Run, measure


async def send(messages: int, server: str, text: str) -> Run:
    """Everybody at once: apprise has threads of its own for it."""
    NotifyTelegram.notify_url = f"{server}/bot"
    everybody = apprise.Apprise()
    for number in range(messages):
        everybody.add(f"tgram://123456789:{'a' * 35}/{9_000_000_000 + number}/?format=html&detect=no")
    run = Run(messages)
    with run.timed():
        if not await everybody.async_notify(body=text):
            raise RuntimeError("apprise says that it could not notify everybody")
    return run


if __name__ == "__main__":
    measure(send(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
