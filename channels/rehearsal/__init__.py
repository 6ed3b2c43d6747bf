"""The rehearsal: our stand-in for the vendors, its own process, with three phones on a web page.

It stands at the vendors' side of the wire, so it imports none of their libraries and nothing of ours but
its own files: what it accepts and refuses is written from the vendors' published descriptions.
"""

from __future__ import annotations

from channels.rehearsal.server import Running, start

__all__ = ["Running", "start"]
