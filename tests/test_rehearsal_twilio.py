"""The stand-in speaks Twilio's Messages, seen through the official library."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]  # twilio 9.13 has no types
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # as above
from twilio.rest import Client  # type: ignore[import-untyped]  # as above

from tests.conftest import ACCOUNT, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Receiver, Rehearsal

JOEL, CITLALI = "+16025550102", "+12125550103"
NUMBER = "+15005550006"
TEMPLATE = "HX" + "0" * 31 + "1"
MENU_OF_2, MENU_OF_4 = (f"HX{size:032}" for size in (102, 104))


@pytest.fixture
def twilio(rehearsal: Rehearsal) -> Iterator[Client]:
    """A client of the real library."""
    client = Client(ACCOUNT, TOKEN)
    client.api.base_url = rehearsal.url.rstrip("/")
    yield client
    client.http_client.session.close()


async def send(client: Client, **parameters: Any) -> Any:  # noqa: ANN401 - the library's own
    """Create a message without holding up this loop."""
    return await asyncio.to_thread(client.messages.create, **parameters)


async def test_twilio_answers_with_its_own_fields(twilio: Client) -> None:
    """A message that was taken has an id, a status, and the parts it is charged for."""
    message = await send(twilio, to=JOEL, from_=NUMBER, body="ó" * 71)
    assert message.sid.startswith("SM")
    assert (message.status, message.num_segments, message.to) == ("queued", "2", JOEL)
    by_service = await send(twilio, to=JOEL, messaging_service_sid="MG" + "a" * 32, body="Hola")
    assert (by_service.status, by_service.num_segments, by_service.from_) == ("accepted", "0", None)


@pytest.mark.parametrize(
    ("code", "parameters"),
    [
        (21211, {"to": "+1555", "from_": NUMBER, "body": "Hola"}),
        (21603, {"to": JOEL, "body": "Hola"}),
        (21606, {"to": JOEL, "from_": "+", "body": "Hola"}),
        (21705, {"to": JOEL, "messaging_service_sid": "MG1", "body": "Hola"}),
        (21910, {"to": f"whatsapp:{CITLALI}", "from_": NUMBER, "body": "Hola"}),
        (21602, {"to": JOEL, "from_": NUMBER, "body": ""}),
        (21617, {"to": JOEL, "from_": NUMBER, "body": "a" * 1601}),
        (21609, {"to": JOEL, "from_": NUMBER, "body": "Hola", "status_callback": "avisos"}),
        (21655, {"to": JOEL, "from_": NUMBER, "content_sid": "HX" + "0" * 31 + "2"}),
        (21656, {"to": JOEL, "from_": NUMBER, "content_sid": TEMPLATE, "content_variables": "[1]"}),
        (
            21656,
            {"to": JOEL, "from_": NUMBER, "content_sid": TEMPLATE, "content_variables": '{"1": "a\\nb"}'},
        ),
        *(
            (
                21656,
                {"to": JOEL, "from_": NUMBER, "content_sid": menu, "content_variables": json.dumps(values)},
            )
            for menu, values in (
                (MENU_OF_2, {"1": "a\nb"}),
                (MENU_OF_2, {"1": "a" * 1025}),
                (MENU_OF_2, {"2": "a" * 21}),
                (MENU_OF_4, {"2": "a" * 25}),
                (MENU_OF_2, {"2": "Sí", "4": "Sí"}),
                (MENU_OF_2, {"3": "a", "5": "a"}),
                (MENU_OF_2, {"3": "a" * 201}),
            )
        ),
    ],
)
async def test_twilio_refuses_with_its_own_codes(
    twilio: Client, rehearsal: Rehearsal, code: int, parameters: dict[str, str]
) -> None:
    """Each fault of a request has the code that Twilio publishes for it."""
    with pytest.raises(TwilioRestException) as caught:
        await send(twilio, **parameters)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert [row["code"] for row in await rehearsal.ledger()] == [code]


async def test_a_parameter_that_twilio_does_not_publish_is_refused(rehearsal: Rehearsal) -> None:
    """A misspelt parameter is seen here and not lost in silence."""
    async with aiohttp.ClientSession(
        headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    ) as session:
        form = {"To": JOEL, "From": NUMBER, "Body": "Hola", "Text": "Hola"}
        url = f"{rehearsal.url}2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        async with session.post(url, data=form) as answer:
            assert (answer.status, (await answer.json())["message"]) == (400, "Unknown parameter: Text")


def statuses(requests: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Each receipt's status and error, after its signature was found to be right."""
    for request in requests:
        signature = request["headers"]["X-Twilio-Signature"]
        assert RequestValidator(TOKEN).validate(request["url"], request["form"], signature)
    return [(r["form"]["MessageStatus"], r["form"].get("ErrorCode", "")) for r in requests]


async def test_receipts_come_signed_and_in_order(twilio: Client, receiver: Receiver) -> None:
    """The address for receipts is called with its query untouched and a signature the library accepts."""
    message = await send(
        twilio, to=JOEL, from_=NUMBER, body="Hola", status_callback=f"{receiver.url}r?key=1.2%2F3"
    )
    requests = await receiver.wait(2)
    assert statuses(requests) == [("sent", ""), ("delivered", "")]
    assert requests[0]["url"].endswith("r?key=1.2%2F3")
    assert requests[0]["form"]["MessageSid"] == message.sid


@pytest.mark.parametrize(
    ("channel", "state", "expected"),
    [
        ("sms", "dead", [("sent", ""), ("undelivered", "30005")]),
        ("sms", "blocked", [("sent", ""), ("undelivered", "30004")]),
        ("whatsapp", "dead", [("failed", "63003")]),
        ("whatsapp", "ok", [("failed", "63016")]),
    ],
)
async def test_what_cannot_arrive_fails_by_a_receipt(
    twilio: Client,
    rehearsal: Rehearsal,
    receiver: Receiver,
    channel: str,
    state: str,
    expected: list[tuple[str, str]],
) -> None:
    """Twilio takes these and gives up later; the screen never shows them."""
    await rehearsal.people({"channel": channel, "address": JOEL, "state": state, "shown": True})
    prefix = "whatsapp:" if channel == "whatsapp" else ""
    await send(twilio, to=prefix + JOEL, from_=prefix + NUMBER, body="Hola", status_callback=receiver.url)
    assert statuses(await receiver.wait(len(expected))) == expected
    assert [m["kind"] for m in await rehearsal.messages(channel, JOEL)] == ["note"]


async def test_whatsapp_hears_free_text_after_the_person_wrote(
    twilio: Client, rehearsal: Rehearsal, receiver: Receiver
) -> None:
    """Inside the window free text arrives; outside it the approved template does."""
    variables = json.dumps({"1": "Aviso", "2": "Hay cita."})
    whatsapp = {"to": f"whatsapp:{CITLALI}", "from_": f"whatsapp:{NUMBER}", "status_callback": receiver.url}
    await send(twilio, **whatsapp, content_sid=TEMPLATE, content_variables=variables)
    await rehearsal.say("whatsapp", CITLALI, "Hola")
    await send(twilio, **whatsapp, body="*Sí*")
    assert {"sent", "delivered"} <= {status for status, _ in statuses(await receiver.wait(4))}
    heard = [m["text"] for m in await rehearsal.messages("whatsapp", CITLALI) if m["kind"] == "heard"]
    assert heard == ["*Aviso*\n\nHay cita.\n\nResponde BAJA para dejar de recibir avisos.", "*Sí*"]


@pytest.mark.parametrize(
    ("menu", "size", "told"),
    [
        (MENU_OF_2, 2, {"ButtonPayload": "v2", "ButtonText": "t2", "MessageType": "button"}),
        (MENU_OF_4, 4, {"ListId": "v2", "ListTitle": "t2", "MessageType": "interactive"}),
    ],
)
async def test_a_menu_is_shown_and_answered(
    twilio: Client, rehearsal: Rehearsal, receiver: Receiver, menu: str, size: int, told: dict[str, str]
) -> None:
    """Within the window a menu shows its body and its choices; the one that is tapped comes back signed."""
    await rehearsal.webhook("whatsapp", NUMBER, receiver.url)
    await rehearsal.say("whatsapp", CITLALI, "Hola", NUMBER)
    titles = {str(2 * n): f"t{n}" for n in range(1, size + 1)} | {
        str(2 * n + 1): f"v{n}" for n in range(1, size + 1)
    }
    whatsapp = {"to": f"whatsapp:{CITLALI}", "from_": f"whatsapp:{NUMBER}", "content_sid": menu}
    message = await send(twilio, **whatsapp, content_variables=json.dumps({"1": "¿Cuál?", **titles}))
    shown = (await rehearsal.messages("whatsapp", CITLALI))[-1]
    assert shown["text"] == "¿Cuál?"
    assert shown["buttons"] == [[{"text": f"t{n}", "data": f"v{n}"}] for n in range(1, size + 1)]
    where = {"channel": "whatsapp", "address": CITLALI, "id": message.sid}
    await rehearsal.ask("press", {**where, "data": "v2"})
    _, request = await receiver.wait(2)
    signature = request["headers"]["X-Twilio-Signature"]
    assert RequestValidator(TOKEN).validate(request["url"], request["form"], signature)
    assert told.items() <= request["form"].items()
    assert request["form"]["Body"] == "t2"


@pytest.mark.parametrize(("address", "code"), [(CITLALI, "63049"), ("+14165550123", "")])
async def test_marketing_does_not_arrive_in_the_united_states(
    twilio: Client, rehearsal: Rehearsal, receiver: Receiver, address: str, code: str
) -> None:
    """A template that was approved as marketing fails there, and arrives in Canada."""
    await rehearsal.people({"channel": "whatsapp", "address": address})
    whatsapp = {"to": f"whatsapp:{address}", "from_": f"whatsapp:{NUMBER}", "status_callback": receiver.url}
    await send(twilio, **whatsapp, content_sid=f"HX{63049:032}")
    [first] = statuses(await receiver.wait(1))
    assert first == ("failed" if code else "sent", code)


async def test_a_menu_does_not_arrive_outside_the_window(
    twilio: Client, rehearsal: Rehearsal, receiver: Receiver
) -> None:
    """A menu is no approved template: to who has not written it fails, as free text does."""
    whatsapp = {"to": f"whatsapp:{CITLALI}", "from_": f"whatsapp:{NUMBER}", "status_callback": receiver.url}
    await send(twilio, **whatsapp, content_sid=MENU_OF_2)
    assert statuses(await receiver.wait(1)) == [("failed", "63016")]


async def test_a_shared_place_comes_signed(rehearsal: Rehearsal, receiver: Receiver) -> None:
    """A place on WhatsApp is told in Twilio's parameters; by SMS nobody can share one."""
    await rehearsal.webhook("whatsapp", NUMBER, receiver.url)
    await rehearsal.webhook("sms", NUMBER, receiver.url)
    place = {"latitude": 40.71, "longitude": -74.01}
    await rehearsal.ask("share", {"channel": "whatsapp", "address": CITLALI, **place})
    with pytest.raises(ValueError, match="by SMS"):
        await rehearsal.ask("share", {"channel": "sms", "address": JOEL, **place})
    (request,) = await receiver.wait(1)
    form = request["form"]
    assert (form["Latitude"], form["Longitude"], form["Body"]) == ("40.71", "-74.01", "")


async def test_stop_is_twilios_own_business(twilio: Client, rehearsal: Rehearsal, receiver: Receiver) -> None:
    """After STOP Twilio refuses, though the bot hears it too; START lifts that."""
    await rehearsal.webhook("sms", NUMBER, receiver.url)
    await rehearsal.say("sms", JOEL, "Stop", NUMBER)
    with pytest.raises(TwilioRestException) as caught:
        await send(twilio, to=JOEL, from_=NUMBER, body="Hola")
    assert caught.value.code == 21610
    await rehearsal.say("sms", JOEL, "START", NUMBER)
    await send(twilio, to=JOEL, from_=NUMBER, body="Hola")
    assert [r["form"]["Body"] for r in await receiver.wait(2)] == ["Stop", "START"]


async def test_what_a_person_writes_comes_signed(rehearsal: Rehearsal, receiver: Receiver) -> None:
    """The webhook of a number gets the words as typed, and a signature the library accepts."""
    await rehearsal.webhook("whatsapp", NUMBER, f"{receiver.url}twilio/us-whatsapp")
    await rehearsal.say("whatsapp", CITLALI, " ¿Cuándo? & dónde ")
    (request,) = await receiver.wait(1)
    signature = request["headers"]["X-Twilio-Signature"]
    assert RequestValidator(TOKEN).validate(request["url"], request["form"], signature)
    assert request["form"]["Body"] == " ¿Cuándo? & dónde "
    assert (request["form"]["From"], request["form"]["To"]) == (f"whatsapp:{CITLALI}", f"whatsapp:{NUMBER}")


async def test_nothing_leaves_this_machine(twilio: Client, rehearsal: Rehearsal) -> None:
    """An address elsewhere is not called, and that is counted."""
    await send(twilio, to=JOEL, from_=NUMBER, body="Hola", status_callback="https://avisos.example.org/")
    await rehearsal.until(lambda known: known["counts"]["sms"]["unreached"])
    with pytest.raises(ValueError, match="only this machine"):
        await rehearsal.webhook("sms", NUMBER, "https://avisos.example.org/")


async def test_a_real_account_is_turned_away(rehearsal: Rehearsal) -> None:
    """An account's token that might be real never works here either."""
    client = Client(ACCOUNT, "0123456789abcdef")
    client.api.base_url = rehearsal.url.rstrip("/")
    with pytest.raises(TwilioRestException) as caught:
        await send(client, to=JOEL, from_=NUMBER, body="Hola")
    client.http_client.session.close()
    assert (caught.value.status, caught.value.code) == (401, 20003)
