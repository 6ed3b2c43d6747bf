"""Logs that cannot name anybody: only known-safe fields are written, at any level.

An allow-list, not a search for what looks like a number: what nobody thought of stays out. A library's own
sentences may quote a URL with a token in it or a person's text, so of those only the library, the level and
the kind of error are kept. What Python itself would print of an error, and what the system would keep of a
process that falls, is no other way out.
"""

from __future__ import annotations

import logging
import resource
import sys
import threading
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from types import TracebackType

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

_CHATTY = ("apscheduler",)
"""Libraries that tell at each beat that all is well."""


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
    for library in _CHATTY:
        logging.getLogger(library).setLevel(logging.WARNING)
    _shut_other_ways_out()


def _shut_other_ways_out() -> None:
    """No trace on standard error, whose last line may quote an address, and no memory on the disk."""
    logging.captureWarnings(capture=True)
    sys.excepthook = _fell
    threading.excepthook = lambda fallen: _fell(fallen.exc_type, fallen.exc_value, fallen.exc_traceback)
    sys.unraisablehook = lambda fallen: _fell(fallen.exc_type, fallen.exc_value, fallen.exc_traceback)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _fell(kind: type[BaseException], _error: BaseException | None, trace: TracebackType | None) -> None:
    frames = extract_tb(trace)
    where = {"file": Path(frames[-1].filename).name, "line": frames[-1].lineno} if frames else {}
    structlog.get_logger().error("fault", error=kind.__name__, **where)


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
