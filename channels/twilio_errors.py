"""What Twilio's error codes mean for us: one table, ending in the five kinds of trouble.

Only codes that can end a send or a receipt, and how to read them, may enter. Source of every meaning:
https://www.twilio.com/docs/api/errors/<code> and Twilio's error catalogue (2023-05).

`Gone` is said only where the code speaks of the person and nothing else: a code that *may* mean a closed
account, a filter or an old telephone must never opt anybody out.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from channels.trouble import Broken, Gone, Later, Refused, Trouble, Unsure

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOUR = timedelta(hours=1)
"""How often a cap of an hour or a day is worth another look."""


_TOO_LONG = 19
"""Digits that no code and no wait has."""


class Cause(NamedTuple):
    """What one code means.

    Attributes:
        kind: One of the five.
        reason: A closed word, see `REASONS`.
        left: For `Gone`: the person chose it.
        wait: For `Later`: how long the whole sender should rest, where the code is about a quota.
        text: For `Broken`: it is what is said, not who says it.
    """

    kind: type[Trouble]
    reason: str
    left: bool = False
    wait: timedelta | None = None
    text: bool = False


CAUSES: Mapping[int, Cause] = {
    # Our account, our sender, our configuration: everybody is affected, so the lane stops and rows stay.
    10001: Cause(Broken, "account-suspended"),  # most often: its funds are gone
    20003: Cause(Broken, "credentials"),
    20005: Cause(Broken, "account-suspended"),
    20404: Cause(Broken, "misconfigured"),
    21212: Cause(Broken, "wrong-sender"),
    21601: Cause(Broken, "wrong-sender"),
    21603: Cause(Broken, "wrong-sender"),
    21606: Cause(Broken, "wrong-sender"),
    21608: Cause(Broken, "trial-account"),
    21703: Cause(Broken, "wrong-sender"),
    21704: Cause(Broken, "wrong-sender"),
    21705: Cause(Broken, "wrong-sender"),
    30002: Cause(Broken, "account-suspended"),
    30032: Cause(Broken, "unregistered-sender"),
    30033: Cause(Broken, "unregistered-sender"),
    30034: Cause(Broken, "unregistered-sender"),
    30035: Cause(Broken, "unregistered-sender"),
    57012: Cause(Broken, "misconfigured"),
    90010: Cause(Broken, "account-suspended"),
    63001: Cause(Broken, "credentials"),
    63002: Cause(Broken, "wrong-sender"),
    63007: Cause(Broken, "wrong-sender"),
    63020: Cause(Broken, "whatsapp-account"),
    63026: Cause(Broken, "flagged-as-spam"),
    63051: Cause(Broken, "whatsapp-account"),
    63062: Cause(Broken, "whatsapp-account"),
    # The template: every message made from it would fail, and no other.
    21655: Cause(Broken, "template", text=True),
    21656: Cause(Broken, "template", text=True),
    63027: Cause(Broken, "template", text=True),
    63028: Cause(Broken, "template", text=True),
    63030: Cause(Broken, "template", text=True),
    63040: Cause(Broken, "template", text=True),
    63041: Cause(Broken, "template", text=True),
    63042: Cause(Broken, "template", text=True),
    # The person: chose to leave, or is not there on this channel.
    21610: Cause(Gone, "opted-out", left=True),
    63014: Cause(Gone, "blocked", left=True),
    63033: Cause(Gone, "blocked", left=True),
    21211: Cause(Gone, "invalid-number"),
    21217: Cause(Gone, "invalid-number"),
    21614: Cause(Gone, "not-a-mobile"),
    30005: Cause(Gone, "dead-number"),
    30006: Cause(Gone, "not-a-mobile"),
    63003: Cause(Gone, "no-whatsapp"),
    # Slow down, or try again: surely not accepted.
    14107: Cause(Later, "too-fast"),
    20429: Cause(Later, "rate-limited"),
    21611: Cause(Later, "queue-full"),
    30001: Cause(Later, "queue-full"),
    30003: Cause(Later, "phone-off"),
    30008: Cause(Later, "undelivered"),
    30017: Cause(Later, "carrier-busy"),
    30022: Cause(Later, "rate-limited"),
    30023: Cause(Later, "quota", wait=_HOUR),
    30027: Cause(Later, "quota", wait=_HOUR),
    30410: Cause(Later, "carrier-busy"),
    30450: Cause(Later, "fraud-guard"),  # 15 to 30 minutes, but of this number: the lane need not rest
    60728: Cause(Later, "quota", wait=_HOUR),
    63009: Cause(Later, "vendor-down"),
    63010: Cause(Later, "vendor-down"),
    63012: Cause(Later, "vendor-down"),
    63017: Cause(Later, "rate-limited"),
    63018: Cause(Later, "quota", wait=_HOUR),
    63023: Cause(Later, "vendor-down"),
    63038: Cause(Later, "quota", wait=_HOUR),
    # The request arrived and something broke behind it: it may have been sent.
    20500: Cause(Unsure, "vendor-down"),
    20503: Cause(Unsure, "vendor-down"),
    # This message to this person, never; the person is fine.
    11200: Cause(Refused, "our-webhook"),
    11205: Cause(Refused, "our-webhook"),
    11220: Cause(Refused, "our-webhook"),
    21214: Cause(Refused, "unreachable-number"),
    21408: Cause(Refused, "region-closed"),
    21602: Cause(Refused, "empty"),
    21604: Cause(Refused, "vendor-refused"),
    21612: Cause(Refused, "unreachable-number"),
    21617: Cause(Refused, "too-long"),
    21619: Cause(Refused, "empty"),
    21620: Cause(Refused, "media"),
    21623: Cause(Refused, "media"),
    21624: Cause(Refused, "vendor-refused"),
    30004: Cause(Refused, "carrier-blocked"),  # by the carrier or by the handset: it does not say which
    30007: Cause(Refused, "filtered"),
    30009: Cause(Refused, "vendor-refused"),
    30010: Cause(Refused, "vendor-refused"),
    30018: Cause(Refused, "region-closed"),  # of the destination's carrier, not of everybody
    30019: Cause(Refused, "too-long"),
    30024: Cause(Refused, "region-closed"),
    30025: Cause(Refused, "quota"),
    30026: Cause(Refused, "quota"),
    30036: Cause(Refused, "expired-in-queue"),
    35111: Cause(Refused, "vendor-refused"),
    35114: Cause(Refused, "vendor-refused"),
    35115: Cause(Refused, "vendor-refused"),
    35117: Cause(Refused, "vendor-refused"),
    35118: Cause(Refused, "vendor-refused"),
    35126: Cause(Refused, "vendor-refused"),
    63005: Cause(Refused, "content-refused"),
    63006: Cause(Refused, "content-refused"),
    63011: Cause(Refused, "vendor-refused"),
    63013: Cause(Refused, "content-refused"),
    63015: Cause(Refused, "sandbox"),
    63016: Cause(Refused, "window-closed"),
    63019: Cause(Refused, "media"),
    63021: Cause(Refused, "content-refused"),
    63024: Cause(Refused, "whatsapp-undeliverable"),  # also an old or incapable client: not gone
    63029: Cause(Refused, "whatsapp-undeliverable"),
    63031: Cause(Refused, "own-number"),
    63032: Cause(Refused, "whatsapp-undeliverable"),
    63034: Cause(Refused, "media"),
    63049: Cause(Refused, "marketing-limit"),
    90007: Cause(Refused, "vendor-refused"),
}

UNREACHABLE = Cause(Later, "unreachable")
"""No connection was made: refused, unknown host, TLS, connect time-out."""

NO_ANSWER = Cause(Unsure, "no-answer")
"""The request left; silence, a cut or gibberish came back."""

_BY_STATUS: Mapping[int, Cause] = {
    HTTPStatus.UNAUTHORIZED: Cause(Broken, "credentials"),
    HTTPStatus.FORBIDDEN: Cause(Broken, "credentials"),
    HTTPStatus.NOT_FOUND: Cause(Broken, "misconfigured"),
    HTTPStatus.REQUEST_TIMEOUT: NO_ANSWER,
    HTTPStatus.TOO_MANY_REQUESTS: CAUSES[20429],
}
_SERVER_FAULT = Cause(Unsure, "vendor-down")
_REDIRECT = Cause(Broken, "misconfigured")
_UNKNOWN = Cause(Refused, "vendor-refused")
CANCELLED = Cause(Refused, "cancelled-at-vendor")

REASONS = frozenset(
    cause.reason
    for cause in (
        *CAUSES.values(),
        *_BY_STATUS.values(),
        UNREACHABLE,
        NO_ANSWER,
        _SERVER_FAULT,
        _REDIRECT,
        _UNKNOWN,
        CANCELLED,
    )
)
"""Every word a `Trouble` from Twilio may carry as its reason."""


def trouble_of(cause: Cause, code: str = "", wait: timedelta | None = None) -> Trouble:
    """The exception for `cause`; `wait` is what the vendor asked for, and outranks the table's."""
    if cause.kind is Later:
        return Later(cause.reason, code=code, wait=wait or cause.wait)
    if cause.kind is Gone:
        return Gone(cause.reason, code=code, left=cause.left)
    if cause.kind is Broken:
        return Broken(cause.reason, code=code, text=cause.text)
    return cause.kind(cause.reason, code=code)


def answer_trouble(status: int, code: int | None, wait: timedelta | None = None) -> Trouble:
    """What an answer that is not a success means for the send.

    Args:
        status: HTTP status; from 500 on the message may have been accepted, whatever the code says.
        code: Twilio's own, if the answer had one.
        wait: The `Retry-After` header, if the answer had one.
    """
    word = str(code or status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return trouble_of(_SERVER_FAULT, word)
    if status < HTTPStatus.BAD_REQUEST:
        return trouble_of(_REDIRECT, word)
    cause = CAUSES.get(code or 0) or _BY_STATUS.get(status, _UNKNOWN)
    if status == HTTPStatus.TOO_MANY_REQUESTS and cause.kind is not Later:
        cause = _BY_STATUS[status]
    return trouble_of(cause, word, wait)


def receipt_trouble(code: str) -> Trouble:
    """Why a message failed after it was accepted: nothing is sent again, so later and unsure are refusals.

    Args:
        code: The receipt's `ErrorCode` as it came.
    """
    number = code_of(code)
    cause = CAUSES.get(number or 0, _UNKNOWN)
    if cause.kind in {Later, Unsure}:
        cause = Cause(Refused, cause.reason)
    return trouble_of(cause, str(number or ""))


def code_of(value: object) -> int | None:
    """A code or a number of seconds as the vendor wrote it; None for anything else."""
    word = str(value)
    return int(word) if word.isascii() and word.isdigit() and len(word) < _TOO_LONG else None
