"""What a request to the Bot API gives, read as Telegram reads it, and the no that it is answered with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Parameters = dict[str, Any]
"""By name: text, JSON's values, or an uploaded file (`aiohttp.web.FileField`)."""


class Refusal(Exception):  # noqa: N818 - what it is
    """Telegram says no."""

    def __init__(self, status: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.retry_after = retry_after


def number(parameters: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number, or the default where there is none."""
    try:
        return int(parameters.get(name) or default)
    except (TypeError, ValueError):
        return default


def json_of(value: object, what: str) -> object:
    """What a field holds as JSON, be it written out or not. Raises Refusal when it cannot be read."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except ValueError:
        raise Refusal(400, f"Bad Request: can't parse {what} JSON object") from None
