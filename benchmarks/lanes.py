"""Our own road: the durable lane from queue to settled on disk, and the channel alone without the disk.

`python -m benchmarks.lanes lane|channel telegram|sms MESSAGES SERVER`
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from benchmarks import deployment
from benchmarks.runs import IN_FLIGHT, Run, at_once, measure, scratch, until_done
from bot.app import App
from bot.rendering import render
from channels.sms import Sms
from channels.telegram import Telegram

if TYPE_CHECKING:
    from benchmarks.deployment import Measured
    from bot.check import Project
    from channels.base import Channel, Part


async def lane(channel: Measured, messages: int, server: str) -> Run:
    """Claim, send and settle: everything that `announce --wait` does once the deliveries are made."""
    run = Run(messages)
    with scratch() as folder:
        deployment.write(folder, [channel], server)
        async with App(deployment.read(folder)) as app:
            await deployment.fill(app, messages, [channel])
            broadcast = await deployment.announce(app)
            await app.store.forget()  # the fan-out's log is not the lane's to write back
            with run.timed():
                async with app.dispatching() as (dispatcher, dispatching):
                    await until_done(app, dispatcher, dispatching, broadcast)
            report = await app.reports.report(broadcast, app.clockwork.now())
            if report.counts["sent"] != messages:
                raise ValueError(f"not everything was sent: {report.counts}")
    return run


async def alone(channel: Measured, messages: int, server: str) -> Run:
    """The vendor's library through our channel, from memory: what the lane adds is the difference."""
    run = Run(messages)
    with scratch() as folder:
        deployment.write(folder, [channel], server)
        part = part_of(deployment.read(folder), channel)
    sender = opened(channel, server)
    try:
        with run.timed():
            await at_once(
                lambda n: sender.send(deployment.address(channel, n), part, f"{n}.1.0.1"),
                messages,
            )
    finally:
        await sender.aclose()
    return run


def part_of(project: Project, channel: Measured) -> Part:
    """What everybody is sent, in Spanish."""
    entry, community = project.library.entries["salud"], project.communities["plaza"]
    return render(project.library, entry, community, channel, "es", deployment.NOW).open[0]


def opened(channel: Measured, server: str) -> Channel:
    """A channel as `bot/app.py` opens it."""
    if channel == "telegram":
        return Telegram(token="5:benchmark", api_base=server, secret="", concurrency=IN_FLIGHT)
    return Sms(
        account_sid="AC" + "0" * 32,
        auth_token="5:benchmark",
        from_="+12025550100",
        api_base=server,
        status_callback="http://127.0.0.1:8080/hooks/sms",
        concurrency=IN_FLIGHT,
    )


if __name__ == "__main__":
    how = lane if sys.argv[1] == "lane" else alone
    measure(how(cast("Measured", sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
