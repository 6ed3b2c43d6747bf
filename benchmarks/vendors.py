"""The vendors' end: nginx, which answers from memory what Telegram and Twilio would, and counts.

What may enter: what makes the same answers come from a server that is fast enough not to matter. It checks
nothing; the rehearsal does that. Who needs to know what was asked uses `server`, which is slower and looks.
"""

from __future__ import annotations

import json
import re
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.bodies import ANSWERS
from benchmarks.programs import find, free_port, reach, started
from benchmarks.runs import core

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WAIT = 10
"""Seconds for an answer of its own."""
_REQUESTS = re.compile(r"^ \d+ \d+ (\d+)", re.MULTILINE)
_CONFIG = """\
worker_processes 1;
worker_cpu_affinity {mask:b};
pid nginx.pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    tcp_nodelay on;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /count {{ stub_status; }}
        location ~* /sendMessage$ {{ return 200 '{telegram}'; }}
        location ~ /Messages.json$ {{ return 201 '{twilio}'; }}
        location ~ /getMe$ {{ return 200 '{me}'; }}
        location / {{ return 200 '{yes}'; }}
    }}
}}
"""


@contextmanager
def vendors(folder: Path) -> Iterator[str]:
    """Serve on the other core. Its address, without a slash at the end.

    Args:
        folder: Where it keeps its files.
    """
    port = free_port()
    quoted = {name: _quoted(json.dumps(body)) for name, body in ANSWERS.items()}
    (folder / "nginx.conf").write_text(_CONFIG.format(port=port, mask=1 << core(1), **quoted))
    command = (find("nginx"), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr", "-g", "daemon off;")
    with started(*command, folder=folder):
        reach(port)
        yield f"http://127.0.0.1:{port}"


def _quoted(body: str) -> str:
    """As nginx reads a text between single quotes."""
    return body.replace("\\", "\\\\").replace("'", "\\'")


class Counter:
    """How many requests the vendors were asked since this was made, its own questions not counted."""

    def __init__(self, server: str) -> None:
        self._url = f"{server}/count"
        self._own = 0
        self._before = self._total()

    def __call__(self) -> int:
        """Ask."""
        return self._total() - self._before

    def _total(self) -> int:
        self._own += 1
        with urllib.request.urlopen(self._url, timeout=_WAIT) as answer:  # noqa: S310 - our own loopback
            found = _REQUESTS.search(answer.read().decode())
        return (int(found[1]) if found else 0) - self._own
