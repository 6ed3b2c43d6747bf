"""Twilio's Messages resource: one POST, its answer with Twilio's own fields, its refusals.

Named after the vendor at whose side it stands; the vendor's library is not imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from channels.rehearsal.faults import Fault, answer, hang_up
from channels.rehearsal.people import Bubble
from channels.rehearsal.receipts import Accepted, fate, follow
from channels.rehearsal.rich import linked, marked
from channels.rehearsal.stage import STAGE
from channels.rehearsal.twilio_checks import Refusal, Wanted, account_token, checked
from channels.rehearsal.twilio_listing import as_json

if TYPE_CHECKING:
    from channels.rehearsal.ledger import Row
    from channels.rehearsal.people import Channel, Person
    from channels.rehearsal.stage import Stage


async def create(request: web.Request) -> web.StreamResponse:
    """`POST /2010-04-01/Accounts/{account}/Messages.json`."""
    stage, account = request.app[STAGE], request.match_info["account"]
    form = {name: str(value) for name, value in (await request.post()).items()}
    channel: Channel = "whatsapp" if form.get("To", "").startswith("whatsapp:") else "sms"
    try:
        token = account_token(request.headers.get("Authorization", ""), account)
        fault = stage.faults.take(channel, plain="ContentSid" not in form)
        if fault is not None and not fault.accepts:
            _meet(fault, request)
        wanted = checked(form)
        person = stage.people.find(channel, wanted.address)
        _not_opted_out(stage, wanted, person)
    except Refusal as refusal:
        return _refusal(stage, channel, form, refusal)
    accepted = Accepted(f"SM{stage.new_id()}", wanted, account, token)
    row = _take(stage, accepted, person)
    status = "accepted" if wanted.sender.startswith("MG") else "queued"
    usual = web.json_response(as_json(account, row, status, None), status=201)
    return await answer(request, fault, usual, _no(_failure()))


def _meet(fault: Fault, request: web.Request) -> None:
    match fault.kind:
        case "429":
            raise Refusal(20429, "Too Many Requests", 429, retry_after=fault.wait())
        case "down" | "reset":
            hang_up(request, reset=fault.kind == "reset")
            raise Refusal(20503, "Service Unavailable", 503)  # for the ledger: nobody hears it
        case "credentials":
            raise Refusal(20003, "Authenticate", 401)
        case "funds":  # no page of Twilio's tells the HTTP status: with this one the code must be read
            raise Refusal(10001, "Account is not active", 400)
        case "content":
            raise Refusal(21655, "The ContentSid is invalid.")
    raise _failure()


def _failure() -> Refusal:
    return Refusal(20500, "Internal Server Error", 500)


def _not_opted_out(stage: Stage, wanted: Wanted, person: Person | None) -> None:
    left = person is not None and person.state == "opted-out"
    if wanted.channel == "sms" and (left or stage.people.opted_out(wanted.address, wanted.sender)):
        raise Refusal(21610, "Attempt to send to unsubscribed recipient")


def _refusal(stage: Stage, channel: Channel, form: dict[str, str], refusal: Refusal) -> web.Response:
    stage.refused(
        channel,
        sender=(form.get("From") or form.get("MessagingServiceSid", "")).removeprefix("whatsapp:"),
        address=form.get("To", "").removeprefix("whatsapp:"),
        text=form.get("Body", ""),
        status=refusal.status,
        code=refusal.code,
        reason=str(refusal),
    )
    return _no(refusal)


def _no(refusal: Refusal) -> web.Response:
    body = {
        "code": refusal.code,
        "message": str(refusal),
        "more_info": f"https://www.twilio.com/docs/errors/{refusal.code}",
        "status": refusal.status,
    }
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    return web.json_response(body, status=refusal.status, headers=headers)


def _take(stage: Stage, accepted: Accepted, person: Person | None) -> Row:
    wanted = accepted.wanted
    steps = fate(stage, wanted, person)
    watched = person is not None and person.shown
    tree = (marked if wanted.channel == "whatsapp" else linked)(wanted.text) if watched else []
    bubble = Bubble(accepted.sid, "heard", stage.now(), wanted.text, tree, wanted.sender, "queued")
    bubble.buttons = wanted.buttons
    row = stage.accepted(person, bubble, wanted.channel, wanted.address, wanted.text)
    stage.waiting.add(accepted.sid)
    if not steps[-1][1]:  # what will fail never reaches a screen
        stage.people.show(person, bubble)
    follow(stage, accepted, person, steps)
    return row
