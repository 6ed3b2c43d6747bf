"""Our own side door: who is there, what they say, what the vendors saw, and the weather. JSON only."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web

from channels.rehearsal import faults, speech
from channels.rehearsal.callbacks import Line, is_local
from channels.rehearsal.people import CHANNELS, STATES, Channel, Person, placed
from channels.rehearsal.receipts import seen as read_by
from channels.rehearsal.stage import STAGE
from channels.rehearsal.utterances import shared, typed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.rehearsal.stage import Stage

_CHAT = re.compile(r"[1-9]\d{0,15}")
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_FIELDS = frozenset(field.name for field in fields(Person)) - {"heard_at", "phone"}


def _wrong(sentence: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=sentence)


async def _body(request: web.Request) -> object:
    # A page of another site may post forms and plain text here, but not JSON.
    if request.content_type != "application/json":
        raise _wrong("Send JSON, with Content-Type: application/json.")
    try:
        return await request.json()
    except ValueError:
        raise _wrong("The body is not JSON.") from None


async def _object(request: web.Request, *names: str) -> dict[str, Any]:
    body = await _body(request)
    if not isinstance(body, dict) or (missing := [name for name in names if not body.get(name)]):
        raise _wrong(
            f"Wanted an object with {', '.join(names)}"
            + (f"; missing: {', '.join(missing)}." if isinstance(body, dict) else ".")
        )
    return body


def _channel(value: object) -> Channel:
    for channel in CHANNELS:
        if value == channel:
            return channel
    raise _wrong(f"The channel is one of {', '.join(CHANNELS)}.")


def _known(stage: Stage, where: Mapping[str, Any]) -> Person:
    person = stage.people.find(_channel(where.get("channel")), str(where.get("address", "")))
    if person is None:
        raise web.HTTPNotFound(text="Nobody has that address here.")
    return person


def _person(row: object) -> Person:
    if not isinstance(row, dict) or (unknown := sorted(set(row) - _FIELDS)):
        raise _wrong(
            f"A person has {', '.join(sorted(_FIELDS))}"
            + (f", not {unknown[0]}." if isinstance(row, dict) else ".")
        )
    channel, address = _channel(row.get("channel")), str(row.get("address", ""))
    if not (_CHAT if channel == "telegram" else _NUMBER).fullmatch(address):
        raise _wrong("An address is a chat id (digits) on telegram and E.164 (+ and digits) elsewhere.")
    if row.get("state", "ok") not in STATES:
        raise _wrong(f"A state is one of {', '.join(STATES)}.")
    return Person(**row | {"channel": channel, "address": address})


async def put_people(request: web.Request) -> web.Response:
    """Add or change people: a list of what `Person` holds, `channel` and `address` at least.

    All of them or, when one is wrong, none. `shown` puts a person on the page; without it they are crowd.
    """
    stage, rows = request.app[STAGE], await _body(request)
    people = [_person(row) for row in (rows if isinstance(rows, list) else [rows])]
    for person in people:
        old = stage.people.find(person.channel, person.address)
        stage.people.put(person)
        if old is not None:
            speech.changed(stage, person, old.state)
    stage.recount()
    stage.live.tell("people", {})
    return web.json_response({"people": len(people)})


async def get_people(request: web.Request) -> web.Response:
    """Those on the page, how many there are in all, and the counts."""
    stage = request.app[STAGE]
    return web.json_response(
        {
            "people": [person.as_json() for person in stage.people.shown()],
            **stage.counts(),
        }
    )


async def put_webhook(request: web.Request) -> web.Response:
    """Say where Twilio posts what people write to a number, as its console would."""
    stage, body = (
        request.app[STAGE],
        await _object(request, "channel", "sender", "url", "account_sid", "auth_token"),
    )
    if not is_local(body["url"]):
        raise _wrong("A rehearsal calls only this machine: the url's host is localhost or 127.0.0.1.")
    line = Line(body["url"], body["account_sid"], body["auth_token"])
    stage.lines[_channel(body["channel"]), body["sender"].removeprefix("whatsapp:")] = line
    return web.json_response({"ok": True})


async def say(request: web.Request) -> web.Response:
    """A person writes: `{channel, address, text, sender?}`."""
    stage, body = request.app[STAGE], await _object(request, "channel", "address", "text")
    person = _known(stage, body)
    bubble = speech.say(stage, person, typed(str(body["text"])), str(body.get("sender") or ""))
    return web.json_response(placed(person, bubble))


async def share(request: web.Request) -> web.Response:
    """A person shares a place: `{channel, address, latitude, longitude, name?}`, not by SMS."""
    stage, body = request.app[STAGE], await _object(request, "channel", "address")
    person, name = _known(stage, body), str(body.get("name") or "")
    latitude, longitude = _degrees(body, "latitude", 90), _degrees(body, "longitude", 180)
    if person.channel == "sms":
        raise _wrong("Nobody can share a place by SMS.")
    return web.json_response(placed(person, speech.say(stage, person, shared(latitude, longitude, name))))


def _degrees(body: Mapping[str, Any], name: str, most: int) -> float:
    given = body.get(name)
    if not isinstance(given, (int, float)) or not abs(given) <= most:
        raise _wrong(f"The {name} is a number of degrees, at most {most}.")
    return float(given)


async def press(request: web.Request) -> web.Response:
    """A person presses a button: `{channel, address, id, data}`, `id` being the message's."""
    stage, body = request.app[STAGE], await _object(request, "channel", "address", "id", "data")
    if not speech.press(stage, _known(stage, body), str(body["id"]), str(body["data"])):
        raise web.HTTPNotFound(text="There is no such button, or no bot behind it.")
    return web.json_response({"ok": True})


async def seen(request: web.Request) -> web.Response:
    """The page shows this person's phone: `{channel, address}`."""
    stage = request.app[STAGE]
    read_by(stage, _known(stage, await _object(request, "channel", "address")))
    return web.json_response({"ok": True})


async def get_messages(request: web.Request) -> web.Response:
    """What is on the phone of `?channel=&address=`, oldest first; a crowd's people have none."""
    person = _known(request.app[STAGE], request.query)
    return web.json_response([placed(person, bubble) for bubble in person.phone or ()])


async def get_file(request: web.Request) -> web.Response:
    """A file that a bot sent, by Telegram's `file_id`."""
    found = request.app[STAGE].files.find(request.match_info["file"])
    if found is None:
        raise web.HTTPNotFound(text="Nobody sent such a file here.")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name)}",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=found.content, content_type=found.mime, headers=headers)


async def get_ledger(request: web.Request) -> web.Response:
    """Every decision of the vendors after the `?since=`-th, oldest first."""
    since = request.query.get("since", "0")
    if not since.isdecimal():
        raise _wrong("since is a row's n: a whole number.")
    return web.json_response(request.app[STAGE].ledger.since(int(since)))


async def put_fault(request: web.Request) -> web.Response:
    """Change the weather: `{channel, kind, count?, share?, seed?, retry_after?, seconds?}`.

    The kinds and what each does are `faults.Fault`'s. `share` is the part of the sends that meet it (0.3),
    the same ones for the same `seed`; `count` how many at most. `retry_after` is seconds or `[least, most]`.
    A fault of receipts stands beside one of sends; "ok" ends both.
    """
    stage, body = request.app[STAGE], await _object(request, "channel", "kind")
    channel, kind = _channel(body["channel"]), body["kind"]
    if kind not in faults.KINDS:
        raise _wrong(f"The kind is one of {', '.join(faults.KINDS)}.")
    if channel == "telegram" and kind in faults.NOT_ON_TELEGRAM:
        raise _wrong(f"Telegram knows no {kind}.")
    wait = body.get("retry_after", 1)
    least, most = wait if isinstance(wait, list) else (wait, wait)
    fault = faults.Fault(
        kind,
        retry_after=(int(least), int(most)),
        seconds=float(body.get("seconds", 30)),
        left=body.get("count"),
        share=float(body.get("share", 1)),
        seed=int(body.get("seed", 0)),
    )
    stage.faults.set(channel, fault)
    return web.json_response({"ok": True})


async def reset(request: web.Request) -> web.Response:
    """Begin again: the three invented people, empty phones, an empty ledger, no bots, fair weather."""
    await _body(request)
    await request.app[STAGE].reset()
    return web.json_response({"ok": True})


async def events(request: web.Request) -> web.StreamResponse:
    """What happens, as server-sent events: `bubble`, `people`, `counts`, `reset`."""
    return await request.app[STAGE].live.serve(request)


ROUTES = (
    web.post("/rehearsal/people", put_people),
    web.get("/rehearsal/people", get_people),
    web.post("/rehearsal/webhooks", put_webhook),
    web.post("/rehearsal/say", say),
    web.post("/rehearsal/share", share),
    web.post("/rehearsal/press", press),
    web.post("/rehearsal/seen", seen),
    web.get("/rehearsal/messages", get_messages),
    web.get("/rehearsal/files/{file}", get_file),
    web.get("/rehearsal/ledger", get_ledger),
    web.post("/rehearsal/faults", put_fault),
    web.post("/rehearsal/reset", reset),
    web.get("/rehearsal/events", events),
)
