"""Logs that cannot name anybody: only known-safe fields are written, at any level.

An allow-list, not a search for what looks like a number: what nobody thought of stays out. A library's own
sentences may quote a URL with a token in it or a person's text, so of those only the library, the level and
the kind of error are kept.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

_SAFE = frozenset(
    {"event", "level", "timestamp", "library", "error", "reason", "code"}
    | {
        "sender",
        "entry",
        "community",
        "broadcast",
        "broadcasts",
        "delivery",
        "deliveries",
        "thread",
        "port",
        "state",
    }
    | {"file", "line"}
)
_OWN = frozenset({"_record", "_from_structlog"})
"""What structlog hands from one of its steps to the next, and takes out before a line is written."""


def set_up(level: str = "INFO") -> None:
    """Send every log line of the process, ours and the libraries', through the list to standard error.

    A level that logging does not know is taken for the quietest: a misspelt one must not stop an emergency.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _keep_what_is_safe,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_hush_libraries, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.raiseExceptions = False  # it would print a line that cannot be written, with its arguments
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.getLevelNamesMapping().get(level.upper(), logging.ERROR))


def _keep_what_is_safe(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    return {key: value for key, value in event.items() if key in _SAFE or key in _OWN}


def _hush_libraries(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
    record.exc_info = record.exc_text = record.stack_info = None
    kept: EventDict = {key: value for key, value in event.items() if key in _OWN}
    kept.update(event="library", library=record.name)
    if kind:
        kept["error"] = kind
    return kept
