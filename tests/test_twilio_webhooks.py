"""Twilio's webhooks: what is signed is read, what is not is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Forged, Heard, Receipt, Request
from channels.sms import Sms
from channels.trouble import Gone, Refused
from channels.twilio_errors import CAUSES
from channels.whatsapp import WhatsApp

if TYPE_CHECKING:
    from collections.abc import Mapping

SID = "SM" + "fedcba9876543210" * 2
TOKEN = "canary-token"
THEIRS = "+12025550123"
URL = "https://avisos.example.org/twilio/us-sms"
FORM = "application/x-www-form-urlencoded"
SMS = Sms(account_sid="AC" + "0" * 32, auth_token=TOKEN, from_="+15005550006")
WHATSAPP = WhatsApp(account_sid="AC" + "0" * 32, auth_token=TOKEN, from_="+15005550006")

HEARD = {"MessageSid": SID, "SmsSid": SID, "SmsStatus": "received", "From": THEIRS, "To": "+15005550006"}
STATUS = {"MessageSid": SID, "SmsSid": SID, "From": "+15005550006", "To": THEIRS}


def signed(form: Mapping[str, str], url: str = URL, token: str = TOKEN) -> Request:
    """A webhook as Twilio documents it: HMAC-SHA1 of the URL and every name and value in order of names."""
    proof = url + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.new(token.encode(), proof.encode(), hashlib.sha1).digest()).decode()
    headers = {"x-twilio-signature": signature, "content-type": FORM + "; charset=UTF-8"}
    return Request(url, headers, urlencode(form).encode())


def status(word: str, code: str = "", url: str = URL) -> Request:
    form = {**STATUS, "MessageStatus": word, "SmsStatus": word}
    return signed({**form, "ErrorCode": code} if code else form, url)


def test_a_message_is_heard() -> None:
    """What a person wrote arrives to the letter, with their number and the vendor's id."""
    request = signed({**HEARD, "Body": " ¿Dónde está? + 50% & más\n", "FromCity": ""})
    assert SMS.read(request) == [Heard(SID, THEIRS, " ¿Dónde está? + 50% & más\n")]


def test_a_whatsapp_message_is_heard() -> None:
    """A WhatsApp address loses its prefix, and a pressed button says what it stands for."""
    form = {**HEARD, "From": f"whatsapp:{THEIRS}", "Body": "Sí", "ButtonPayload": "topic:salud"}
    assert WHATSAPP.read(signed(form)) == [Heard(SID, THEIRS, "topic:salud")]


def test_a_row_of_a_list_is_heard() -> None:
    """A choice out of a list says what it stands for, as a button does."""
    form = {**HEARD, "From": f"whatsapp:{THEIRS}", "Body": "Vacunas", "ListId": "topic:salud"}
    assert WHATSAPP.read(signed(form)) == [Heard(SID, THEIRS, "topic:salud")]


@pytest.mark.parametrize(
    ("latitude", "longitude", "text"),
    [
        ("36.747741", "-119.772370", "geo:36.7477,-119.7724"),
        ("19.0", "-99", "geo:19,-99"),
        ("91", "0", "aquí"),
        ("nan", "0", "aquí"),
        ("", "0", "aquí"),
        ("here", "there", "aquí"),
    ],
)
def test_a_shared_place_is_heard(latitude: str, longitude: str, text: str) -> None:
    """A place on earth is heard as its URI; anything else leaves the words as they are."""
    place = {"From": f"whatsapp:{THEIRS}", "Body": "aquí", "Latitude": latitude, "Longitude": longitude}
    assert WHATSAPP.read(signed({**HEARD, **place})) == [Heard(SID, THEIRS, text)]


@pytest.mark.parametrize("number", ["+5215512345678", "+525512345678"])
def test_a_mexican_number_is_one_person(number: str) -> None:
    """WhatsApp writes some Mexican numbers with the 1 that the country gave up: it is the same person."""
    form = {**HEARD, "From": f"whatsapp:{number}", "Body": "hola"}
    assert WHATSAPP.read(signed(form)) == [Heard(SID, "+525512345678", "hola")]


def test_a_picture_without_words_is_heard() -> None:
    """A message without a text is still a message."""
    assert WHATSAPP.read(signed({**HEARD, "Body": "", "NumMedia": "1"})) == [Heard(SID, THEIRS, "")]


@pytest.mark.parametrize(("kind", "left"), [("STOP", True), ("START", False), ("HELP", False)])
def test_the_vendors_own_opt_out_is_believed(kind: str, left: bool) -> None:  # noqa: FBT001 - a table
    """When Twilio says that the person left, they left, whatever the language of their word."""
    assert SMS.read(signed({**HEARD, "Body": "ALTO", "OptOutType": kind})) == [
        Heard(SID, THEIRS, "ALTO", left=left)
    ]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("STOP", True),
        (" stopall\n", True),
        ("Cancel", True),
        ("quit", True),
        ("STOP PLEASE", False),
        ("no", False),
    ],
)
def test_whom_twilio_has_blocked_is_not_answered(body: str, left: bool) -> None:  # noqa: FBT001 - a table
    """After its own words on SMS Twilio refuses all we send: that is a leaving, and their word is kept."""
    assert SMS.read(signed({**HEARD, "Body": body})) == [Heard(SID, THEIRS, body, left=left)]
    whatsapp = {**HEARD, "From": f"whatsapp:{THEIRS}", "Body": body}
    assert WHATSAPP.read(signed(whatsapp)) == [Heard(SID, THEIRS, body)]


def test_twilio_is_told_to_say_nothing() -> None:
    """Whatever was heard, the webhook's reply is valid TwiML without a message in it."""
    for channel in (SMS, WHATSAPP):
        answer = channel.acknowledge(channel.read(signed({**HEARD, "Body": "hola"})))
        assert answer.content_type == "text/xml"
        assert answer.body.endswith("<Response/>")


@pytest.mark.parametrize("word", ["sent", "delivered", "read"])
def test_a_receipt_finds_its_row(word: str) -> None:
    """A receipt carries our key back from the signed URL, even when the answer to the send was lost."""
    assert SMS.read(status(word, url=URL + "?key=41.0")) == [Receipt(SID, word, "41.0")]  # type: ignore[arg-type]  # a status by construction


@pytest.mark.parametrize("query", ["", "?key=", "?key=a%27b", "?other=1"])
def test_a_receipt_without_our_key_is_still_a_receipt(query: str) -> None:
    """A key that we cannot have made is no key."""
    assert SMS.read(status("delivered", url=URL + query)) == [Receipt(SID, "delivered", None)]


@pytest.mark.parametrize(
    "word", ["accepted", "scheduled", "queued", "sending", "partially_delivered", "tomorrows-word"]
)
def test_other_states_change_nothing(word: str) -> None:
    """States that are ours already, and words that Twilio has not invented yet, are no facts."""
    assert SMS.read(status(word)) == []


@pytest.mark.parametrize("word", ["failed", "undelivered"])
@pytest.mark.parametrize("code", sorted(CAUSES))
def test_a_failed_receipt_says_why(word: str, code: int) -> None:
    """After acceptance nothing is tried again: later and unsure become a refusal with the same reason."""
    (receipt,) = SMS.read(status(word, str(code)))
    assert isinstance(receipt, Receipt)
    assert receipt.status == "failed"
    assert receipt.trouble is not None
    cause = CAUSES[code]
    kind = cause.kind if cause.kind.__name__ in {"Gone", "Broken"} else Refused
    assert (type(receipt.trouble), receipt.trouble.reason) == (kind, cause.reason)
    assert isinstance(receipt.trouble, Gone) <= (getattr(receipt.trouble, "left", None) == cause.left)


@pytest.mark.parametrize("code", ["", "0", "63999", "30999", "not-a-number", "9" * 500])
def test_an_unknown_failure_is_a_plain_refusal(code: str) -> None:
    """A code that nobody knows yet fails one message and opts nobody out."""
    (receipt,) = SMS.read(status("failed", code))
    assert isinstance(receipt, Receipt)
    assert isinstance(receipt.trouble, Refused)
    assert receipt.trouble.reason == "vendor-refused"


def test_a_cancelled_message_failed() -> None:
    """What somebody cancelled in the vendor's console is not waited for."""
    (receipt,) = SMS.read(status("canceled"))
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.trouble and receipt.trouble.reason) == ("failed", "cancelled-at-vendor")


@pytest.mark.parametrize("missing", ["MessageSid", "From"])
def test_a_webhook_about_something_else_is_no_fact(missing: str) -> None:
    """Signed parameters that are neither a message nor a receipt are ignored."""
    form = {name: value for name, value in HEARD.items() if name not in {missing, "SmsSid"}}
    assert SMS.read(signed(form)) == []


def test_a_replay_says_the_same() -> None:
    """The same webhook twice gives equal facts, so that a unique key can hold."""
    request = signed({**HEARD, "Body": "Hola"})
    assert SMS.read(request) == SMS.read(request)


@pytest.mark.parametrize("port", ["", ":443"])
def test_the_default_port_may_be_signed_or_not(port: str) -> None:
    """Twilio signs with the port or without; both are Twilio."""
    request = signed({**HEARD, "Body": "Hola"}, URL.replace(".org", ".org" + port))
    assert SMS.read(Request(URL, request.headers, request.body))


def test_a_json_webhook_is_signed_by_its_hash() -> None:
    """A JSON body is believed when the signed URL carries its SHA-256, and no other body is."""
    body = json.dumps({**HEARD, "Body": "Hola"}).encode()
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {**signed({}, url).headers, "content-type": "application/json"}
    assert SMS.read(Request(url, headers, body)) == [Heard(SID, THEIRS, "Hola")]
    for forged in (Request(url, headers, body + b" "), Request(URL, signed({}, URL).headers, body)):
        with pytest.raises(Forged):
            SMS.read(Request(forged.url, {**forged.headers, "content-type": "application/json"}, forged.body))


GOOD = signed({**HEARD, "Body": "Hola"})


@pytest.mark.parametrize(
    "request_",
    [
        Request(URL, {"content-type": FORM}, GOOD.body),
        Request(URL, {**GOOD.headers, "x-twilio-signature": ""}, GOOD.body),
        Request(URL, {**GOOD.headers, "x-twilio-signature": "ñ"}, GOOD.body),
        Request(URL, GOOD.headers, GOOD.body.replace(b"Hola", b"Hole")),
        Request(URL, GOOD.headers, GOOD.body + b"&Extra=1"),
        Request(URL + "/", GOOD.headers, GOOD.body),
        Request(URL.replace("https", "http"), GOOD.headers, GOOD.body),
        Request(URL + "?key=1.0", GOOD.headers, GOOD.body),
        Request(URL, {**GOOD.headers, "content-type": "text/plain"}, GOOD.body),
        Request(URL, {"x-twilio-signature": GOOD.headers["x-twilio-signature"]}, GOOD.body),
        Request(URL, GOOD.headers, b""),
        Request(URL, GOOD.headers, b"\xff\xfe=1"),
        Request(URL, GOOD.headers, b"a=1&" * 1001),
        signed({**HEARD, "Body": "Hola"}, token="another-token"),
        signed({**HEARD, "Body": "a" * 256 * 1024}),
    ],
    ids=range(15),
)
def test_what_twilio_did_not_sign_is_forged(request_: Request) -> None:
    """No header, another token, URL, body or kind of body, or too much of it: nothing is read."""
    with pytest.raises(Forged):
        SMS.read(request_)


@given(st.binary(max_size=200), st.text(max_size=40))
def test_no_bytes_break_the_reader(body: bytes, signature: str) -> None:
    """Whatever a stranger posts, the answer is a plain refusal."""
    with pytest.raises(Forged):
        SMS.read(Request(URL, {"content-type": FORM, "x-twilio-signature": signature}, body))


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=9), max_size=9))
def test_any_signed_parameters_can_be_read(form: dict[str, str]) -> None:
    """New parameters with any name, value or emptiness are signed over and do no harm."""
    assert SMS.read(signed({**form, **HEARD, "Body": "Hola"}))
