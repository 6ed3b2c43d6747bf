"""What Twilio took is found on its list: by whom it went to, when, from whom, and what it says."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest

from channels.base import Message, Part, Template
from channels.markdown import parse
from channels.sms import Sms
from channels.sms import render as sms
from channels.trouble import Broken, Later, Trouble, Unsure
from channels.whatsapp import WhatsApp
from tests.conftest import ACCOUNT, TOKEN
from tests.deployment import SMS, WHATSAPP, number

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Rehearsal

SERVICE = "MG" + "0" * 31 + "1"
SEVERAL = 230  # more than come with one request


@asynccontextmanager
async def opened(
    rehearsal: Rehearsal, kind: type[Sms | WhatsApp] = Sms, **more: str | float | None
) -> AsyncIterator[Sms | WhatsApp]:
    """A sender that speaks to the rehearsal, closed at the end."""
    number_ = WHATSAPP if kind is WhatsApp else SMS
    values = {"account_sid": ACCOUNT, "auth_token": TOKEN, "from_": number_, "api_base": rehearsal.url}
    sender = kind(**(values | more))  # type: ignore[arg-type]  # the names are right
    try:
        yield sender
    finally:
        await sender.aclose()


def said(text: str) -> Part:
    """A text as SMS writes it."""
    [part] = sms(Message(parse(text)), window_open=True)
    return part


def window(minutes: float = 1) -> tuple[datetime, datetime]:
    """Around now."""
    now = datetime.now(UTC)
    return now - timedelta(minutes=minutes), now + timedelta(minutes=minutes)


async def test_what_was_taken_without_an_answer_is_found(rehearsal: Rehearsal) -> None:
    """A message that Twilio took and never answered is on its list, under the id that we never got."""
    async with opened(rehearsal, timeout=0.5) as sender:
        await rehearsal.faults("sms", "hang", count=1)
        with pytest.raises(Unsure):
            await sender.send(number(1), said("Mañana abrimos a las 8."), "1.1.0.1")
        [taken] = await rehearsal.ledger()
        found = await sender.look_up(number(1), said("Mañana abrimos a las 8."), *window())
    assert found == [taken["vendor_id"]]


async def test_another_text_person_sender_or_time_is_no_match(rehearsal: Rehearsal) -> None:
    """What says something else, went to another, came from another number or at another time is not it."""
    part = said("Feria el sábado.")
    async with opened(rehearsal) as sender, opened(rehearsal, from_="+12025550199") as other:
        await sender.send(number(1), said("Feria el domingo."), "1.1.0.1")
        await sender.send(number(2), part, "2.1.0.1")
        await other.send(number(1), part, "3.1.0.1")
        assert await sender.look_up(number(1), part, *window()) == []
        sid = await sender.send(number(1), part, "4.1.0.1")
        assert await sender.look_up(number(1), part, *window()) == [sid]
        hour = timedelta(hours=1)
        assert await sender.look_up(number(1), part, *(moment - hour for moment in window())) == []
        assert await sender.look_up(number(1), part, *(moment + hour for moment in window())) == []


async def test_a_service_is_known_by_its_name(rehearsal: Rehearsal) -> None:
    """A message through a messaging service is found before Twilio has chosen its number."""
    part = said("Feria.")
    async with opened(rehearsal, from_=None, messaging_service=SERVICE) as sender, opened(rehearsal) as other:
        await other.send(number(1), part, "1.1.0.1")
        sid = await sender.send(number(1), part, "2.1.0.1")
        assert await sender.look_up(number(1), part, *window()) == [sid]


async def test_a_template_is_found_by_person_time_and_sender(rehearsal: Rehearsal) -> None:
    """What a template becomes only Twilio knows, so any message of ours of that time may be it."""
    template = Template("HX" + "0" * 31 + "1", {"1": "Feria", "2": "El sábado."})
    part = Part("Feria\nEl sábado.", "template", "utf-16", 16, 1, template)
    async with opened(rehearsal, WhatsApp) as sender:
        sid = await sender.send(number(1), part, "1.1.0.1")
        assert await sender.look_up(number(1), part, *window()) == [sid]
        assert await sender.look_up(number(2), part, *window()) == []


async def test_the_list_is_read_page_by_page(rehearsal: Rehearsal) -> None:
    """Who got very many messages is looked at whole, and what is too much to read says nothing."""
    async with opened(rehearsal) as sender:
        first = await sender.send(number(1), said("La primera."), "1.1.0.1")
        for n in range(SEVERAL):
            await sender.send(number(1), said(f"Número {n}."), f"{n}.1.0.1")
        assert await sender.look_up(number(1), said("La primera."), *window()) == [first]


@pytest.mark.parametrize(
    ("weather", "trouble"), [("500", Unsure), ("down", Unsure), ("429", Later), ("hang", Unsure)]
)
async def test_a_list_that_cannot_be_read_says_so(
    rehearsal: Rehearsal, weather: str, trouble: type[Trouble]
) -> None:
    """Trouble is never taken for "it is not there"."""
    async with opened(rehearsal, timeout=0.5) as sender:
        await rehearsal.faults("sms", weather)
        with pytest.raises(trouble):
            await sender.look_up(number(1), said("Feria."), *window())


async def test_a_wrong_key_is_our_fault(rehearsal: Rehearsal) -> None:
    """With wrong credentials nothing is found out."""
    async with opened(rehearsal, auth_token="wrong") as sender:
        with pytest.raises(Broken):
            await sender.look_up(number(1), said("Feria."), *window())


async def test_the_rehearsal_lists_by_day_and_page_as_twilio_does(rehearsal: Rehearsal) -> None:
    """`DateSent` takes days, and a page says where the next one is."""
    async with opened(rehearsal) as sender:
        sids = [await sender.send(number(1), said(f"Número {n}."), f"{n}.1.0.1") for n in range(3)]
    url = f"{rehearsal.url}2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    today = datetime.now(UTC).date()
    async with aiohttp.ClientSession(
        headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    ) as session:

        async def page(**asked: str) -> tuple[list[str], str | None]:
            async with session.get(url, params=asked) as answer:
                told = await answer.json()
                return [message["sid"] for message in told["messages"]], told["next_page_uri"]

        seen, after = await page(PageSize="2")
        assert (seen, after is None) == ([sids[2], sids[1]], False)
        assert await page(PageSize="2", Page="1") == ([sids[0]], None)
        yesterday = str(today - timedelta(days=1))
        assert (await page(**{"DateSent<": yesterday}))[0] == []
        assert (await page(**{"DateSent>": yesterday, "To": number(1)}))[0] == sids[::-1]
