"""The real service, page and browser: people join and ask on their phones, and `ask` says the same."""

from __future__ import annotations

import asyncio
import json
import random
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import pytest
from selenium.webdriver.common.by import By

from channels.rehearsal.callbacks import signature
from tests.conftest import ACCOUNT, TOKEN
from tests.deployment import SMS, Deployment, connect, deploy
from tests.test_phones_page import Page

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

    from tests.conftest import Rehearsal

ROOT = Path(__file__).parents[1]
ROSA, JOEL, CITLALI = "101", "+16025550102", "+12125550103"
PHONES = (("telegram", ROSA), ("sms", JOEL), ("whatsapp", CITLALI))


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """The starter's texts in a deployment that the rehearsal calls."""
    made = deploy(tmp_path, rehearsal.url, updates="webhook")
    for name in ("services", "programs", "pages", "consulates"):
        for source in (ROOT / "content" / name).rglob("*.md"):
            made.write(f"content/{name}/{source.parent.name}/{source.name}", source.read_text("utf-8"))
    made.write("content/facts.toml", (ROOT / "content/facts.toml").read_text("utf-8"))
    await connect(made, rehearsal)
    return made


async def tap(page: Page, channel: str, label: str) -> None:
    """Tap the last button with this label."""

    def shown() -> list[WebElement]:
        found = page.browser.find_elements(By.CSS_SELECTOR, f'[data-channel="{channel}"] button')
        return [one for one in found if one.text.strip() == label and one.is_displayed() and one.is_enabled()]

    buttons = await page.until(shown)
    await asyncio.to_thread(buttons[-1].click)


async def shows(page: Page, channel: str, words: str) -> None:
    """Wait until the last thing heard on a phone has these words."""
    await page.until(lambda: words in "".join(page.texts(channel, ".heard .text")[-1:]))


async def test_people_join_and_ask_on_their_phones(
    made: Deployment, rehearsal: Rehearsal, browser: Chrome
) -> None:
    """With taps on Telegram, with words by SMS and WhatsApp: in, asked, answered, out."""
    page = Page(browser)
    async with made.running():
        await asyncio.to_thread(browser.get, rehearsal.url)
        await page.until(lambda: browser.find_elements(By.CSS_SELECTOR, "html[data-ready]"))
        async with asyncio.timeout(20):
            while (await rehearsal.say("telegram", ROSA, "/start"))["status"] == "unheard":  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        await tap(page, "telegram", "Quiero avisos")
        await tap(page, "telegram", "español")
        await shows(page, "telegram", "¿Dónde vives?")
        await page.write("telegram", "Phoenix")
        await made.until("SELECT 1 FROM subscribers WHERE state = 'active' AND community = 'phoenix'")
        await page.write("telegram", "cuanto cuesta el pasaporte")
        await shows(page, "telegram", "Pasaporte")
        await page.write("sms", "ALTA")
        await shows(page, "sms", "SI")
        await page.write("sms", "si")
        await made.until("SELECT 1 FROM subscribers WHERE state = 'active' AND channel = 'sms'")
        await page.write("sms", "kiero mi matrikula")
        await shows(page, "sms", "ID consular")
        await page.write("whatsapp", "JOIN")
        await made.until("SELECT 1 FROM subscribers WHERE state = 'active' AND channel = 'whatsapp'")
        await page.write("whatsapp", "dejen de mandarme mensajes por favor")
        await made.until("SELECT 1 FROM subscribers WHERE state = 'left' AND channel = 'whatsapp'")
    assert made.rows("SELECT count(*) FROM subscribers WHERE state = 'active'") == [(2,)]


async def test_a_rehearsal_is_told_where_we_listen(tmp_path: Path, rehearsal: Rehearsal) -> None:
    """Who runs `rehearsal` and `run` and writes on the SMS phone is heard: nothing has to be set by hand."""
    made = deploy(tmp_path, rehearsal.url)
    await rehearsal.people({"channel": "sms", "address": JOEL, "shown": True})
    async with made.running():
        await rehearsal.say("sms", JOEL, "pasaporte", SMS)
        await rehearsal.until_phone(
            "sms", JOEL, lambda phone: [one for one in phone if "Trae tu acta" in one["text"]]
        )


QUESTIONS = (
    "pasaporte",
    "kiero sacar mi matrikula",
    "cual consulado me toca vivo en yakima",
    "la migra se llevo a mi hermano",
    "how do i get a mexican passport for my baby",
    "alta",
    "propuesta",
    "¿hablan mixteco?",
    "quien gano el america chivas",
    "borren mis datos",
    "asdkjh qwpoei",
)


async def test_what_ask_says_is_what_a_person_is_answered(made: Deployment, rehearsal: Rehearsal) -> None:
    """`pregonero ask` and a signed webhook from somebody new give the same words, letter by letter."""
    async with made.running(), aiohttp.ClientSession() as session:
        for n, text in enumerate(QUESTIONS):
            somebody = f"+1602555{n + 1000}"
            await rehearsal.people({"channel": "sms", "address": somebody, "shown": True})
            asked = await made.do("ask", text, "--community", "fresno", "--json")
            form = {
                "MessageSid": f"SM{n:032}",
                "AccountSid": ACCOUNT,
                "From": somebody,
                "To": SMS,
                "Body": text,
                "SmsStatus": "received",
            }
            url = f"{made.url}/hooks/sms"
            headers = {
                "X-Twilio-Signature": signature(TOKEN, url, form),
                "Content-Type": "application/x-www-form-urlencoded",
            }
            async with session.post(url, data=urlencode(form), headers=headers) as answer:
                assert answer.status == 200
            (said,) = json.loads(asked.out)["texts"]
            await rehearsal.until_phone("sms", somebody, partial(_holds, said))


def _holds(text: str, phone: list[dict[str, Any]]) -> bool:
    return any(one["text"] == text for one in phone)


async def test_replays_and_disorder_change_nothing(made: Deployment, rehearsal: Rehearsal) -> None:
    """Every webhook three times, in any order: each message is answered once, and nobody is moved back."""
    await rehearsal.people({"channel": "sms", "address": JOEL, "shown": True})
    forms = [
        {
            "MessageSid": f"SM{n:032}",
            "AccountSid": ACCOUNT,
            "From": JOEL,
            "To": SMS,
            "Body": text,
            "SmsStatus": "received",
        }
        for n, text in enumerate(("hola", "pasaporte", "temas", "gracias"))
    ]
    url = f"{made.url}/hooks/sms"
    async with made.running(), aiohttp.ClientSession() as session:
        mixed = forms * 3
        random.Random(7).shuffle(mixed)  # noqa: S311 - a disorder that can be repeated
        for form in mixed:
            headers = {
                "X-Twilio-Signature": signature(TOKEN, url, form),
                "Content-Type": "application/x-www-form-urlencoded",
            }
            async with session.post(url, data=urlencode(form), headers=headers) as answer:
                assert answer.status == 200
        await made.until(
            "SELECT 1 WHERE (SELECT count(*) FROM deliveries WHERE state NOT IN ('queued', 'claimed')) = 4"
        )
    assert made.rows("SELECT count(*) FROM inbounds") == [(4,)]
    assert made.rows("SELECT count(*) FROM deliveries") == [(4,)]
