"""The command `python -m channels.rehearsal`: starts the stand-in, says where it is, waits for a signal."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from channels.rehearsal.server import start

try:
    import uvloop as loops
except ImportError:  # uvloop is not made for Windows
    import asyncio as loops  # type: ignore[no-redef] # the same one function of it is used


async def rehearse(host: str, port: int) -> int:
    """Serve until SIGINT or SIGTERM.

    Returns:
        The exit status: 0, or 1 when the port cannot be had.
    """
    over = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, over.set)
    try:
        running = await start(host, port)
    except OSError as fault:
        print(  # noqa: T201 - a command speaks
            f"The rehearsal cannot listen on {host}:{port}: {os.strerror(fault.errno or 0).lower()}. "
            "Choose another with --port.",
            file=sys.stderr,
        )
        return 1
    print(running.url, flush=True)  # noqa: T201 - a command speaks
    await over.wait()
    await running.aclose()
    return 0


def main() -> int:
    """Read the arguments and rehearse."""
    parser = argparse.ArgumentParser(prog="python -m channels.rehearsal", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=9000, help="port; 0 takes a free one (default: %(default)s)"
    )
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=loops.new_event_loop) as runner:
        return runner.run(rehearse(arguments.host, arguments.port))


if __name__ == "__main__":
    sys.exit(main())
