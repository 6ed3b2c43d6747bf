"""What becomes of a message that Twilio accepted: its statuses in their order, shown, told and posted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import phonenumbers

from channels.rehearsal.people import window_open

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from channels.rehearsal.faults import Kind
    from channels.rehearsal.people import Person
    from channels.rehearsal.stage import Stage
    from channels.rehearsal.twilio_checks import Wanted

Step = tuple[str, int]
"""A status, and the error code that comes with a bad one."""

_TIMES: Mapping[Kind, int] = {"receipts-lost": 0, "receipts-doubled": 2}
"""How often a receipt is posted in this weather."""
PAUSE = 0.25
"""Seconds between two statuses on a phone that is watched; a crowd's come at once."""

_BAD: dict[tuple[str, str], tuple[Step, ...]] = {
    ("sms", "dead"): (("sent", 0), ("undelivered", 30005)),
    ("sms", "blocked"): (("sent", 0), ("undelivered", 30004)),
    ("whatsapp", "dead"): (("failed", 63003),),
    ("whatsapp", "blocked"): (("failed", 63033),),
    ("whatsapp", "opted-out"): (("failed", 63014),),
}
_GOOD: tuple[Step, ...] = (("sent", 0), ("delivered", 0))
OUTSIDE = 63016
"""Free text outside WhatsApp's window."""
UNITED_STATES = 63049
"""A marketing template to a number of the United States, inside the window or not (Twilio, since 2025-04)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message under way."""

    sid: str
    wanted: Wanted
    account_sid: str
    auth_token: str


def fate(stage: Stage, wanted: Wanted, person: Person | None) -> tuple[Step, ...]:
    """The statuses to come. A person who is watched reads when the page shows it; a crowd reads at once."""
    if person is not None and (bad := _BAD.get((wanted.channel, person.state))):
        return bad
    if wanted.channel == "sms":
        return _GOOD
    if not wanted.template and not window_open(person, stage.now()):
        return (("failed", OUTSIDE),)
    if wanted.marketing and _of_united_states(wanted.address):
        return (("failed", UNITED_STATES),)
    return _GOOD if person is not None and person.shown else (*_GOOD, ("read", 0))


def _of_united_states(address: str) -> bool:
    return phonenumbers.region_code_for_number(phonenumbers.parse(address)) == "US"


def follow(stage: Stage, accepted: Accepted, person: Person | None, steps: Sequence[Step]) -> None:
    """Let the statuses come, one after the other."""
    fault = stage.faults.take(accepted.wanted.channel, of_receipts=True)
    kind = fault.kind if fault else "ok"
    if kind == "receipts-reversed":
        steps = steps[::-1]
    _soon(stage, accepted, person, steps, _TIMES.get(kind, 1))


def _soon(stage: Stage, accepted: Accepted, person: Person | None, steps: Sequence[Step], times: int) -> None:
    watched = person is not None and person.shown
    stage.callbacks.soon(partial(_step, stage, accepted, person, steps, times), PAUSE if watched else 0)


async def _step(
    stage: Stage, accepted: Accepted, person: Person | None, steps: Sequence[Step], times: int = 1
) -> None:
    """One status: shown, and told so many times."""
    (status, code), rest = steps[0], steps[1:]
    wanted = accepted.wanted
    stage.waiting.discard(accepted.sid)
    if code:
        stage.failed(accepted, person, code)
    elif person is not None:
        stage.people.mark(person, accepted.sid, status)
    for _ in range(times if wanted.callback else 0):
        if not await stage.callbacks.post_signed(
            wanted.callback, _form(accepted, status, code), accepted.auth_token
        ):
            stage.unreached(wanted.channel)
    if rest:
        _soon(stage, accepted, person, rest, times)
    elif person is not None and wanted.channel == "whatsapp" and status == "delivered":
        stage.unread[accepted.sid] = accepted
        stage.people.mark(person, accepted.sid, status)  # a page that looked too early looks again


def seen(stage: Stage, person: Person) -> None:
    """The page showed this person's phone: what was delivered there on WhatsApp is read."""
    for bubble in person.phone or ():
        if accepted := stage.unread.pop(bubble.id, None):
            stage.callbacks.soon(partial(_step, stage, accepted, person, (("read", 0),)))


def _form(accepted: Accepted, status: str, code: int) -> dict[str, str]:
    wanted = accepted.wanted
    prefix = "whatsapp:" if wanted.channel == "whatsapp" else ""
    form = {
        "MessageSid": accepted.sid,
        "SmsSid": accepted.sid,
        "MessageStatus": status,
        "SmsStatus": status,
        "To": prefix + wanted.address,
        "AccountSid": accepted.account_sid,
        "ApiVersion": "2010-04-01",
    }
    form |= (
        {"MessagingServiceSid": wanted.sender}
        if wanted.sender.startswith("MG")
        else {"From": prefix + wanted.sender}
    )
    if code:
        form["ErrorCode"] = str(code)
    if prefix:
        form["ChannelPrefix"] = "whatsapp"
    if status == "read":
        form["EventType"] = "READ"
    return form
