"""Twilio's list of messages: what was accepted, the newest first, a page at a time; and one message as JSON.

Filters, paging and fields: Twilio's OpenAPI description (twilio-oai, `twilio_api_v2010.yaml`, ListMessage).
Read 2026-11. All accounts of a rehearsal see the same list: they are one deployment's.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from channels.rehearsal.faults import hang_up
from channels.rehearsal.gsm import segments
from channels.rehearsal.stage import STAGE
from channels.rehearsal.twilio_checks import Refusal, account_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from channels.rehearsal.faults import Fault
    from channels.rehearsal.ledger import Row
    from channels.rehearsal.people import Channel
    from channels.rehearsal.stage import Stage

_PAGE, _LARGEST_PAGE = 50, 1000
_DATES: Mapping[str, Callable[[datetime, datetime, bool], bool]] = {
    "DateSent": lambda sent, asked, day: sent.date() == asked.date() if day else sent == asked,
    "DateSent<": lambda sent, asked, day: sent.date() <= asked.date() if day else sent <= asked,
    "DateSent>": lambda sent, asked, day: sent.date() >= asked.date() if day else sent >= asked,
}


async def read(request: web.Request) -> web.Response:
    """`GET /2010-04-01/Accounts/{account}/Messages.json`."""
    stage, account, asked = request.app[STAGE], request.match_info["account"], request.query
    try:
        account_token(request.headers.get("Authorization", ""), account)
        channel: Channel = "whatsapp" if asked.get("To", "").startswith("whatsapp:") else "sms"
        if outage := stage.faults.outage(channel):
            await _meet(outage, request)
        size = min(int(asked.get("PageSize", _PAGE)), _LARGEST_PAGE)
        page = int(asked.get("Page", 0))
        rows = _matching(stage, asked)
    except Refusal as refusal:
        headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
        body = {"code": refusal.code, "message": str(refusal), "status": refusal.status}
        return web.json_response(body, status=refusal.status, headers=headers)
    except ValueError:
        return web.json_response({"code": 20001, "message": "Bad Request", "status": 400}, status=400)
    shown = list(islice(rows, page * size, (page + 1) * size + 1))
    more = len(shown) > size

    def uri(number: int) -> str:
        kept = [(name, value) for name, value in asked.items() if name not in {"Page", "PageSize"}]
        return f"{request.path}?{urlencode([*kept, ('PageSize', size), ('Page', number)])}"

    return web.json_response(
        {
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1) if more else None,
            "previous_page_uri": uri(page - 1) if page else None,
            "uri": uri(page),
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + min(len(shown), size) - 1,
            "messages": [_listed(stage, account, row) for row in shown[:size]],
        }
    )


async def _meet(outage: Fault, request: web.Request) -> None:
    """A vendor that is out answers no question either."""
    if outage.kind == "hang":
        await asyncio.Event().wait()  # aiohttp ends this when the other side gives up
    if outage.kind == "429":
        raise Refusal(20429, "Too Many Requests", 429, retry_after=outage.wait())
    if outage.kind == "down":
        hang_up(request)
    raise Refusal(20500, "Internal Server Error", 500)


def _matching(stage: Stage, asked: Mapping[str, str]) -> Iterator[Row]:
    """The newest first. Raises ValueError for a date that is none."""
    dates = [(test, *_moment(asked[name])) for name, test in _DATES.items() if name in asked]
    to, from_ = asked.get("To"), asked.get("From")
    for row in reversed(stage.ledger.rows):
        prefix = "whatsapp:" if row.channel == "whatsapp" else ""
        if (
            row.outcome == "accepted"
            and row.channel != "telegram"
            and to in (None, prefix + row.address)
            and from_ in (None, prefix + row.sender)
            and (not dates or row.vendor_id not in stage.waiting)
            and all(test(row.at, moment, day) for test, moment, day in dates)
        ):
            yield row


def _moment(asked: str) -> tuple[datetime, bool]:
    """A date or an instant, GMT, and whether it is a day."""
    moment = datetime.fromisoformat(asked)
    return moment.replace(tzinfo=moment.tzinfo or UTC), len(asked) == len("2026-11-26")


def _listed(stage: Stage, account: str, row: Row) -> dict[str, Any]:
    waits = row.vendor_id in stage.waiting
    status = ("accepted" if row.sender.startswith("MG") else "queued") if waits else "sent"
    return as_json(account, row, status, None if waits else row.at)


def as_json(account: str, row: Row, status: str, sent: datetime | None) -> dict[str, Any]:
    """A message with Twilio's own fields.

    Args:
        account: Its SID.
        row: As it was accepted.
        status: Twilio's word.
        sent: When it left Twilio; None while it waits there.
    """
    created = format_datetime(row.at)
    prefix = "whatsapp:" if row.channel == "whatsapp" else ""
    service = row.sender if row.sender.startswith("MG") else None
    uri = f"/2010-04-01/Accounts/{account}/Messages/{row.vendor_id}"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": row.text,
        "date_created": created,
        "date_sent": format_datetime(sent) if sent else None,
        "date_updated": created,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": None if service else prefix + row.sender,
        "messaging_service_sid": service,
        "num_media": "0",
        "num_segments": "0" if service else str(segments(row.text) if not prefix else 1),
        "price": None,
        "price_unit": "USD",
        "sid": row.vendor_id,
        "status": status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": prefix + row.address,
        "uri": f"{uri}.json",
    }
