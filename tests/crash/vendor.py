"""The vendors in a process that no kill reaches, with a ledger of what they accepted.

`python -m tests.crash.vendor FOLDER PUBLIC_URL` prints where it listens. Telegram and Twilio as far as the
service meets them while it sends, hears and looks up. Each answer takes some milliseconds, part of them
before the message is accepted and part after, so that a kill always finds requests on either side.
Half of Twilio's receipts come, and none is repeated. What a person writes is posted again until it is
acknowledged.
"""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from channels.rehearsal.callbacks import signature
from tests.conftest import ACCOUNT, TOKEN
from tests.crash.points import Order
from tests.deployment import SMS, WHATSAPP
from tests.lives import Told

SLOWEST = 0.012
"""Seconds that a vendor takes to decide, and again to answer, at most."""
AGAIN = 0.03
"""Seconds after which a webhook that found nobody is posted again."""
PAGE = 50


class Vendor:
    """Both of them.

    Attributes:
        ledger: What was accepted, in order: `{channel, address, text, id, at, key}`.
        heard: Who wrote and whom we told that we have it: channel and address.
        writing: How many wrote and were not told so yet.
    """

    def __init__(self, folder: Path, public_url: str, chance: random.Random) -> None:
        self._told = Told(folder)
        self._public_url = public_url
        self._chance = chance
        self._order = Order(0, "", 0, folder / "met")
        self._jobs: set[asyncio.Task[None]] = set()
        self._updates: dict[int, dict[str, Any]] = {}
        self._news = asyncio.Event()
        self.session: aiohttp.ClientSession
        self.ledger: list[dict[str, Any]] = []
        self.heard: list[tuple[str, str]] = []
        self.writing = 0

    # --- Telegram -----------------------------------------------------------------------------------------

    async def telegram(self, request: web.Request) -> web.StreamResponse:
        """`POST /bot{token}/{method}`."""
        form = await request.post()
        match request.match_info["method"].lower():  # as the Bot API reads it
            case "sendmessage":
                chat, text = str(form["chat_id"]), str(form["text"])
                row = await self._accept("telegram", chat, text)
                sent = {
                    "message_id": row["id"],
                    "date": int(row["at"]),
                    "chat": {"id": int(chat), "type": "private"},
                }
                return await self._answer(request, {"ok": True, "result": sent})
            case "getupdates":
                result = await self._poll(int(str(form.get("offset", 0))), int(str(form.get("timeout", 0))))
                return web.json_response({"ok": True, "result": result})
        return web.json_response({"ok": True, "result": True})

    async def _poll(self, offset: int, wait: int) -> list[dict[str, Any]]:
        """What waits from `offset` on; what came before is known to be with us, and forgotten."""
        for update in [update for update in self._updates if update < offset]:
            self._acknowledged("telegram", str(self._updates.pop(update)["message"]["chat"]["id"]))
        self._news.clear()
        if not self._updates:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)
        return list(self._updates.values())

    # --- Twilio -------------------------------------------------------------------------------------------

    async def create(self, request: web.Request) -> web.StreamResponse:
        """`POST /2010-04-01/Accounts/{account}/Messages.json`."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        channel = "whatsapp" if form["To"].startswith("whatsapp:") else "sms"
        text = form.get("Body") or f"{form['ContentSid']} {form['ContentVariables']}"
        callback = form.get("StatusCallback", "")
        row = await self._accept(channel, form["To"].removeprefix("whatsapp:"), text, callback)
        if callback and self._chance.random() < 0.5:
            self._later(self._receipt(callback, row))
        return await self._answer(request, _message(row), 201)

    async def listing(self, request: web.Request) -> web.Response:
        """`GET` of the same: what was sent to a number within a time, the newest first, in pages."""
        asked = request.query
        to = asked.get("To", "")
        channel = "whatsapp" if to.startswith("whatsapp:") else "sms"
        since, until = (_moment(asked.get(name)) for name in ("DateSent>", "DateSent<"))
        found = [
            row
            for row in reversed(self.ledger)
            if row["channel"] == channel and row["address"] == to.removeprefix("whatsapp:")
            if (since is None or row["at"] >= since) and (until is None or row["at"] <= until)
        ]
        size, page = int(asked.get("PageSize", PAGE)), int(asked.get("Page", 0))
        rows = found[page * size : (page + 1) * size]
        more = len(found) > (page + 1) * size
        following = request.path + "?" + str(request.rel_url.update_query(Page=page + 1).raw_query_string)
        return web.json_response(
            {
                "messages": [_message(row) for row in rows],
                "page": page,
                "page_size": size,
                "next_page_uri": following if more else None,
            }
        )

    async def _receipt(self, callback: str, row: dict[str, Any]) -> None:
        await asyncio.sleep(self._chance.uniform(0, 4 * SLOWEST))
        form = {"MessageSid": str(row["id"]), "MessageStatus": "delivered", "AccountSid": ACCOUNT}
        await self._post(callback, form)

    # --- both ---------------------------------------------------------------------------------------------

    async def _accept(self, channel: str, address: str, text: str, callback: str = "") -> dict[str, Any]:
        """Decide, and write it down. A sender that dies meanwhile is never heard, or heard all the same."""
        self._order.cross("body-gone")
        await asyncio.sleep(self._chance.uniform(0, SLOWEST))
        number = len(self.ledger) + 1
        row = {
            "channel": channel,
            "address": address,
            "text": text,
            "id": number if channel == "telegram" else f"SM{number:032}",
            "at": self._told.now().timestamp(),
            "key": callback.rpartition("key=")[2],
        }
        self.ledger.append(row)
        self._order.cross("accepted")
        await asyncio.sleep(self._chance.uniform(0, SLOWEST))
        return row

    async def _answer(
        self, request: web.Request, body: dict[str, Any], status: int = 200
    ) -> web.StreamResponse:
        answer = web.json_response(body, status=status)
        await answer.prepare(request)
        await answer.write_eof()
        self._order.cross("answer-gone")
        return answer

    def _later(self, job: Any) -> None:  # noqa: ANN401 - a coroutine
        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _post(self, url: str, form: dict[str, str]) -> bool:
        """One signed webhook; whether it was taken."""
        headers = {"X-Twilio-Signature": signature(TOKEN, url, form)}
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self.session.post(url, data=form, headers=headers) as answer:
                return answer.status == 200
        return False

    def _write(self, channel: str, address: str, text: str) -> None:
        """A person writes."""
        self.writing += 1
        number = len(self.heard) + self.writing
        if channel == "telegram":
            who = {"id": int(address), "is_bot": False, "first_name": "Ana", "language_code": "es"}
            message = {
                "message_id": number,
                "date": 1,
                "chat": {"id": int(address), "type": "private"},
                "from": who,
                "text": text,
            }
            self._updates[number] = {"update_id": number, "message": message}
            self._news.set()
        else:
            self._later(self._say(channel, address, text, f"SM{number + 10**9:032}"))

    async def _say(self, channel: str, address: str, text: str, sid: str) -> None:
        prefix, ours = ("whatsapp:", WHATSAPP) if channel == "whatsapp" else ("", SMS)
        url = f"{self._public_url}/hooks/{channel}"
        form = {"MessageSid": sid, "From": prefix + address, "To": prefix + ours, "Body": text}
        while not await self._post(url, form):  # noqa: ASYNC110 - nobody says that a life has begun
            await asyncio.sleep(AGAIN)
        self._acknowledged(channel, address)

    def _acknowledged(self, channel: str, address: str) -> None:
        self.writing -= 1
        self.heard.append((channel, address))
        self._order.cross("acknowledged")

    # --- our own door -------------------------------------------------------------------------------------

    async def aim(self, request: web.Request) -> web.Response:
        """Whom to kill, and where: `{pid, point, times}`."""
        asked = await request.json()
        self._order = Order(asked["pid"], asked["point"], asked["times"], self._order.met)
        return web.json_response({})

    async def write(self, request: web.Request) -> web.Response:
        """People write: `[[channel, address, text]]`."""
        for channel, address, text in await request.json():
            self._write(channel, address, text)
        return web.json_response({})

    async def tell(self, _: web.Request) -> web.Response:
        """All that is known here."""
        return web.json_response({"ledger": self.ledger, "heard": self.heard, "writing": self.writing})


def _message(row: dict[str, Any]) -> dict[str, Any]:
    prefix, ours = ("whatsapp:", WHATSAPP) if row["channel"] == "whatsapp" else ("", SMS)
    at = format_datetime(datetime.fromtimestamp(row["at"], UTC))
    return {
        "sid": row["id"],
        "account_sid": ACCOUNT,
        "status": "delivered",
        "body": row["text"],
        "to": prefix + row["address"],
        "from": prefix + ours,
        "direction": "outbound-api",
        "date_created": at,
        "date_sent": at,
        "date_updated": at,
        "error_code": None,
        "num_segments": "1",
    }


def _moment(asked: str | None) -> float | None:
    """What a listing is asked for, a date or a time in UTC, in seconds since 1970."""
    if asked is None:
        return None
    moment = datetime.fromisoformat(asked)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


async def serve(folder: Path, public_url: str) -> None:
    """Until the other end of our input is closed."""
    vendor = Vendor(folder, public_url, random.Random())  # noqa: S311 - no secret
    application = web.Application(client_max_size=2**24)
    messages = "/2010-04-01/Accounts/{account}/Messages.json"
    application.add_routes(
        [
            web.post("/bot{token:[^/]+}/{method}", vendor.telegram),
            web.post(messages, vendor.create),
            web.get(messages, vendor.listing),
            web.post("/crash/aim", vendor.aim),
            web.post("/crash/write", vendor.write),
            web.get("/crash/all", vendor.tell),
        ]
    )
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as vendor.session:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)  # noqa: T201 - how it says where
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
