"""The page with three phones, in a real browser: what arrives is shown, what is typed is heard."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # twilio 9.13 has no types

from tests.conftest import ACCOUNT, BOT_TOKEN, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

    from tests.conftest import Receiver, Rehearsal

NUMBER = "+15005550006"
CITLALI = "+12125550103"


class Page:
    """The page, opened; waiting does not hold up the servers of this test."""

    def __init__(self, browser: Chrome) -> None:
        self.browser = browser

    def all(self, channel: str, selector: str) -> list[WebElement]:
        """The elements of one phone's column."""
        return self.browser.find_elements(By.CSS_SELECTOR, f'[data-channel="{channel}"] {selector}')

    def texts(self, channel: str, selector: str) -> list[str]:
        """Their words."""
        script = "return [...document.querySelectorAll(arguments[0])].map(element => element.textContent)"
        return list(self.browser.execute_script(script, f'[data-channel="{channel}"] {selector}'))

    async def until(self, true: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is waited for
        """Wait for something to be true."""
        async with asyncio.timeout(20):
            while not (found := await asyncio.to_thread(true)):  # noqa: ASYNC110 - a browser does not wake us
                await asyncio.sleep(0.02)
        return found

    async def write(self, channel: str, text: str) -> None:
        """Type into a phone and press Enter."""
        (field,) = self.all(channel, ".write input")
        await asyncio.to_thread(field.send_keys, text, Keys.ENTER)


@pytest.fixture
async def page(browser: Chrome, rehearsal: Rehearsal) -> Page:
    """The page as a newcomer meets it."""
    page = Page(browser)
    await asyncio.to_thread(browser.get, rehearsal.url)
    await asyncio.to_thread(browser.execute_script, "localStorage.clear()")
    await asyncio.to_thread(browser.get_log, "browser")  # what a page of an earlier test complained of
    await asyncio.to_thread(browser.refresh)
    await page.until(lambda: browser.find_elements(By.CSS_SELECTOR, "html[data-ready]"))
    return page


async def telegram(rehearsal: Rehearsal, **parameters: str) -> None:
    """Send as a bot."""
    url = f"{rehearsal.url}bot{BOT_TOKEN}/sendMessage"
    async with aiohttp.ClientSession() as session, session.post(url, json=parameters) as answer:
        assert answer.status == 200


async def whatsapp(rehearsal: Rehearsal, **parameters: str) -> None:
    """Send to the person on the WhatsApp phone."""
    headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    form = {"To": f"whatsapp:{CITLALI}", "From": f"whatsapp:{NUMBER}", **parameters}
    url = f"{rehearsal.url}2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, data=form) as answer:
        assert answer.status == 201


async def test_a_newcomer_sees_three_phones_and_what_will_happen(page: Page) -> None:
    """Three people, three phones, and a sentence on each empty screen, in Spanish."""
    assert page.browser.title == "Pregonero"
    for channel, name in (("telegram", "Rosa"), ("sms", "Joel"), ("whatsapp", "Citlali")):
        assert page.texts(channel, ".person option")[0].startswith(name)
        assert page.texts(channel, ".promise") == [f"Aquí verá llegar los avisos para {name}."]
        assert page.all(channel, ".empty")[0].is_displayed()
    problems = [entry for entry in page.browser.get_log("browser") if entry["level"] == "SEVERE"]  # type: ignore[no-untyped-call] # selenium 4.51
    assert problems == []


async def test_a_message_arrives_on_the_right_phone_with_its_looks(page: Page, rehearsal: Rehearsal) -> None:
    """Marks become looks, letters stay letters, and the other phones stay empty."""
    text = '<b>Consulado móvil</b>\n&lt;img src=x onerror="document.title=1"&gt; <a href="https://gob.mx/a">aquí</a>'
    await telegram(rehearsal, chat_id="101", text=text, parse_mode="HTML")
    await page.until(lambda: page.texts("telegram", ".heard strong") == ["Consulado móvil"])
    assert '<img src=x onerror="document.title=1">' in page.texts("telegram", ".heard .text")[0]
    assert page.all("telegram", ".heard a")[0].get_attribute("href") == "https://gob.mx/a"
    assert page.texts("telegram", ".heard time") != [""]
    assert (page.texts("sms", ".item"), page.texts("whatsapp", ".item")) == ([], [])
    assert (page.browser.title, page.all("telegram", "img")) == ("Pregonero", [])
    await page.until(lambda: page.texts("telegram", ".counts")[0].startswith("1 aceptados"))


async def test_what_is_typed_is_posted_signed(page: Page, rehearsal: Rehearsal, receiver: Receiver) -> None:
    """A person types and presses Enter; the bot's side gets a webhook with the vendor's signature."""
    await rehearsal.webhook("sms", NUMBER, f"{receiver.url}twilio/us-sms?a=1")
    await page.write("sms", "¿Dónde está?")
    (request,) = await receiver.wait(1)
    signature = request["headers"]["X-Twilio-Signature"]
    assert RequestValidator(TOKEN).validate(request["url"], request["form"], signature)
    assert request["form"]["Body"] == "¿Dónde está?"
    await page.until(lambda: page.texts("sms", ".said .text") == ["¿Dónde está?"])
    assert page.all("sms", ".write input")[0].get_attribute("value") == ""


async def test_a_shown_whatsapp_message_is_read(page: Page, rehearsal: Rehearsal, receiver: Receiver) -> None:
    """Because the phone is looked at, the consulate gets the read receipt, and the ticks say so."""
    await rehearsal.say("whatsapp", CITLALI, "Hola", NUMBER)
    await whatsapp(rehearsal, Body="*Semana* de _salud_", StatusCallback=receiver.url)
    requests = await receiver.wait(3)
    assert [r["form"]["MessageStatus"] for r in requests] == ["sent", "delivered", "read"]
    await page.until(lambda: page.all("whatsapp", '.heard[data-status="read"] svg'))
    assert page.texts("whatsapp", ".heard :is(strong, em)") == ["Semana", "salud"]


async def test_what_did_not_arrive_is_said_in_words(page: Page, rehearsal: Rehearsal) -> None:
    """Free text outside the window leaves a remark on the phone and in the vendor's panel."""
    await whatsapp(rehearsal, Body="Hola")
    (note,) = await page.until(lambda: page.texts("whatsapp", ".note p"))
    assert "más de 24 horas" in note
    await page.until(lambda: "63016" in page.texts("whatsapp", ".last")[0])
    assert page.texts("whatsapp", ".heard") == []


async def test_a_file_is_kept_and_a_change_is_seen(page: Page, rehearsal: Rehearsal) -> None:
    """A document shows its name and is downloaded by a press; a message that was changed says so."""
    url = f"{rehearsal.url}bot{BOT_TOKEN}/"
    form = aiohttp.FormData({"chat_id": "101", "caption": "Feria el <b>lunes</b>", "parse_mode": "HTML"})
    form.add_field("document", b"BEGIN:VCALENDAR", filename="feria.ics", content_type="text/calendar")
    async with aiohttp.ClientSession() as session:
        async with session.post(url + "sendDocument", data=form) as answer:
            number = (await answer.json())["result"]["message_id"]
        await page.until(lambda: page.texts("telegram", ".file .name") == ["feria.ics"])
        (link,) = page.all("telegram", ".file")
        assert link.get_attribute("download") == "feria.ics"
        async with session.get(link.get_attribute("href") or "") as answer:
            assert await answer.read() == b"BEGIN:VCALENDAR"
        assert page.texts("telegram", ".edited") == []
        change = {"chat_id": "101", "message_id": number, "caption": "Feria el martes"}
        async with session.post(url + "editMessageCaption", json=change) as answer:
            assert answer.status == 200
    await page.until(lambda: page.texts("telegram", ".heard .text") == ["Feria el martes"])
    assert page.texts("telegram", ".edited") == ["editado"]
    assert page.texts("telegram", ".file .name") == ["feria.ics"]
    await page.until(lambda: "1 cambiados" in page.texts("telegram", ".counts")[0])


async def updates(rehearsal: Rehearsal, method: str = "getUpdates", **parameters: object) -> Any:  # noqa: ANN401 - JSON
    """Ask as a bot."""
    url = f"{rehearsal.url}bot{BOT_TOKEN}/{method}"
    async with aiohttp.ClientSession() as session, session.post(url, json=parameters) as answer:
        return (await answer.json())["result"]


async def test_a_button_is_pressed(page: Page, rehearsal: Rehearsal) -> None:
    """A button under a message tells the bot what it stands for, and turns until the bot has answered."""
    keyboard = {"inline_keyboard": [[{"text": "Pasaporte", "callback_data": "p"}]]}
    await telegram(rehearsal, chat_id="101", text="Elija", reply_markup=json.dumps(keyboard))
    (key,) = await page.until(lambda: page.all("telegram", ".item .key"))
    await asyncio.to_thread(key.click)
    await page.until(lambda: page.all("telegram", '.key.turning[aria-busy="true"]'))
    (update,) = await updates(rehearsal, timeout=20)
    assert update["callback_query"]["data"] == "p"
    await updates(rehearsal, "answerCallbackQuery", callback_query_id=update["callback_query"]["id"])
    await page.until(lambda: not page.all("telegram", ".key.turning"))


async def test_a_place_is_shared_with_the_keyboard_alone(page: Page, rehearsal: Rehearsal) -> None:
    """A key asks for a place, the page offers some, and the keys are gone when one was given."""
    keys = [[{"text": "Mi ubicación", "request_location": True}], [{"text": "Escribirla"}]]
    markup = json.dumps({"keyboard": keys, "one_time_keyboard": True})
    await telegram(rehearsal, chat_id="101", text="¿Dónde está?", reply_markup=markup)
    key, _ = await page.until(lambda: page.all("telegram", ".board .key"))
    await asyncio.to_thread(key.send_keys, Keys.ENTER)
    await page.until(lambda: page.texts("telegram", ".board .place")[:1] == ["Fresno"])
    await asyncio.to_thread(page.browser.switch_to.active_element.send_keys, Keys.ESCAPE)
    await page.until(lambda: page.texts("telegram", ".board .key") == ["Mi ubicación", "Escribirla"])
    await asyncio.to_thread(page.all("telegram", ".board .key")[0].send_keys, Keys.ENTER)
    await page.until(lambda: page.texts("telegram", ".board .place")[:1] == ["Fresno"])
    await asyncio.to_thread(page.browser.switch_to.active_element.send_keys, Keys.ENTER)
    (update,) = await updates(rehearsal, timeout=20)
    assert update["message"]["location"] == {"latitude": 36.74, "longitude": -119.79}
    await page.until(lambda: page.texts("telegram", ".said .text") == ["📍 Fresno"])
    assert not page.all("telegram", ".board .key")


async def test_a_key_writes_its_words(page: Page, rehearsal: Rehearsal) -> None:
    """A key in the place of the letters is as if its label were typed."""
    markup = json.dumps({"keyboard": [["Ahora no"]], "one_time_keyboard": True})
    await telegram(rehearsal, chat_id="101", text="¿Dónde está?", reply_markup=markup)
    (key,) = await page.until(lambda: page.all("telegram", ".board .key"))
    await asyncio.to_thread(key.click)
    (update,) = await updates(rehearsal, timeout=20)
    assert update["message"]["text"] == "Ahora no"


async def test_a_menu_is_tapped(page: Page, rehearsal: Rehearsal, receiver: Receiver) -> None:
    """On WhatsApp two choices are buttons, four are a list that opens; a tap is told with its title."""
    await rehearsal.webhook("whatsapp", NUMBER, receiver.url)
    await rehearsal.say("whatsapp", CITLALI, "Hola", NUMBER)
    await whatsapp(rehearsal, ContentSid=f"HX{102:032}", ContentVariables='{"2": "Sí", "3": "yes"}')
    yes, _ = await page.until(lambda: page.all("whatsapp", ".item button.key"))
    await asyncio.to_thread(yes.click)
    await whatsapp(rehearsal, ContentSid=f"HX{104:032}", ContentVariables='{"8": "Cuatro", "9": "four"}')
    (opener,) = await page.until(lambda: page.all("whatsapp", ".list summary"))
    await asyncio.to_thread(opener.send_keys, Keys.ENTER)
    await page.until(page.all("whatsapp", ".list .key")[-1].is_displayed)
    await asyncio.to_thread(page.all("whatsapp", ".list .key")[-1].send_keys, Keys.ENTER)
    _, button, row = await receiver.wait(3)
    assert (button["form"]["ButtonText"], button["form"]["ButtonPayload"]) == ("Sí", "yes")
    assert (row["form"]["ListTitle"], row["form"]["ListId"]) == ("Cuatro", "four")
    await page.until(lambda: page.texts("whatsapp", ".said .text") == ["Hola", "Sí", "Cuatro"])


async def test_a_link_into_the_bot_begins_a_chat(page: Page, rehearsal: Rehearsal) -> None:
    """Whoever opens such a link sees one button, which says what the link carries; no other link does."""
    await asyncio.to_thread(page.browser.get, f"{rehearsal.url}?start=no%20good")
    await page.until(lambda: page.browser.find_elements(By.CSS_SELECTOR, "html[data-ready]"))
    assert not page.all("telegram", ".begin")
    await asyncio.to_thread(page.browser.get, f"{rehearsal.url}?start=fresno-es")
    (begin,) = await page.until(lambda: page.all("telegram", ".begin"))
    await asyncio.to_thread(begin.send_keys, Keys.ENTER)
    await page.until(lambda: page.texts("telegram", ".said .text") == ["/start fresno-es"])
    assert not page.all("telegram", ".board .key")


async def test_a_suggestion_is_said_at_once(page: Page, rehearsal: Rehearsal) -> None:
    """One press on a suggestion writes it, in the person's language; nobody listening is said beside it."""
    assert page.texts("sms", ".chip") == ["passport", "help", "STOP"]
    await asyncio.to_thread(page.all("telegram", ".chip")[0].click)
    await page.until(lambda: page.texts("telegram", ".said .text") == ["pasaporte"])
    assert page.texts("telegram", ".receipt") == ["nadie escucha todavía"]
    assert (await rehearsal.messages("telegram", "101"))[0]["text"] == "pasaporte"


async def test_the_page_speaks_english_too(page: Page, rehearsal: Rehearsal) -> None:
    """The switch changes every word of the page and none of the messages."""
    await telegram(rehearsal, chat_id="101", text="Aviso")
    await page.until(lambda: page.texts("telegram", ".heard .text") == ["Aviso"])
    await asyncio.to_thread(page.browser.find_element(By.CSS_SELECTOR, '[data-language="en"]').click)
    await page.until(lambda: page.texts("sms", ".promise") == ["Announcements for Joel will arrive here."])
    await page.until(lambda: page.texts("telegram", ".heard .text") == ["Aviso"])
    assert page.browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"


async def test_people_come_and_change_while_the_page_is_open(page: Page, rehearsal: Rehearsal) -> None:
    """Shown people appear in the picker, a crowd only as a number, and a changed situation takes effect."""
    crowd = [{"channel": "sms", "address": f"+1{213 + n // 100}5550{100 + n % 100}"} for n in range(2000)]
    beto = {"channel": "sms", "address": "+16025550104", "name": "Beto", "note": "Tucson", "shown": True}
    await rehearsal.people(*crowd, beto)
    await page.until(lambda: page.texts("sms", ".person option") == ["Beto · Tucson"])
    await page.until(lambda: "2,000" in page.browser.find_element(By.ID, "crowd").text)
    (picker,) = page.all("sms", ".situation")
    await asyncio.to_thread(Select(picker).select_by_visible_text, "Fuera de uso")
    await rehearsal.until(lambda known: known["people"][0]["state"] == "dead")


async def test_a_narrow_screen_shows_one_phone_a_row(page: Page) -> None:
    """On a small screen the phones stand below one another and nothing is cut off at the side."""
    await asyncio.to_thread(page.browser.set_window_size, 500, 900)
    script = """
        const places = [...document.querySelectorAll(".phone")].map(phone => phone.getBoundingClientRect());
        const lefts = new Set(places.map(place => place.left));
        return [lefts.size, document.documentElement.scrollWidth <= innerWidth];
    """
    try:
        assert page.browser.execute_script(script) == [1, True]
    finally:
        await asyncio.to_thread(page.browser.set_window_size, 1400, 900)
