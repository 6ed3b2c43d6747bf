"""A receipt settles what it is of: by its key, through its sender, the right attempt and the right part."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import pytest

from bot import consent
from bot.outbox import Claim, Settled
from channels.base import Receipt
from channels.rehearsal.callbacks import signature
from channels.trouble import Gone, Refused
from tests.conftest import ACCOUNT, TOKEN
from tests.core import people
from tests.deployment import SMS, WHATSAPP, Deployment, deploy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal
    from tests.core import Core

JOEL = "+16025550102"
FLYING = "SELECT 1 FROM deliveries WHERE state = 'claimed'"


# --- below the edges --------------------------------------------------------------------------------------


async def claim(core: Core, broadcast: int) -> Claim:
    """The next request."""
    core.clock.skip(seconds=2)
    [one] = await core.outbox.turn("bot", [], [(broadcast, None)], 1, core.now)
    return one


async def settle(core: Core, one: Claim, state: Any, **more: Any) -> None:  # noqa: ANN401 - words of ours
    """How it ended."""
    await core.outbox.turn("bot", [Settled(one, state, **more)], [], 0, core.now)


async def told(core: Core, one: Claim, parts: int, receipt: Receipt) -> None:
    """A receipt with the key of a request."""
    whole = Receipt(receipt.vendor_id, receipt.status, one.key(parts), receipt.trouble)
    await core.outbox.receipt("bot", whole, core.now)


async def row(core: Core) -> tuple[Any, ...]:
    """How the one delivery stands."""
    [found] = await core.rows("SELECT state, part, vendor_id FROM deliveries")
    return found


async def crashed(core: Core, entry: str = "feria") -> tuple[int, Claim]:
    """A request that was on its way when the process died."""
    await core.take_in(people(1))
    broadcast = await core.announce(entry)
    one = await claim(core, broadcast)
    assert await core.outbox.recover(core.now) == 1
    return broadcast, one


async def test_a_part_that_arrived_is_followed_by_the_next(core: Core) -> None:
    """After a crash in the middle of a text its receipt lets it go on: no part twice, none left out."""
    broadcast, one = await crashed(core, "larga")
    await told(core, one, 3, Receipt("SM0", "sent"))
    await told(core, one, 3, Receipt("SM0", "delivered"))
    assert await row(core) == ("queued", 1, "SM0")
    second = await claim(core, broadcast)
    assert second.part == 1
    await settle(core, second, "next", vendor_id="SM1", due_at=core.now)
    await told(core, one, 3, Receipt("SM0", "read"))
    assert await row(core) == ("queued", 2, "SM1")


async def test_the_last_part_that_arrived_ends_it(core: Core) -> None:
    """After a crash the receipt of the last part is the answer that was lost."""
    _, one = await crashed(core)
    await told(core, one, 1, Receipt("SM1", "delivered"))
    assert await row(core) == ("delivered", 0, "SM1")


async def test_what_arrived_after_all_is_not_sent_again(core: Core) -> None:
    """What was thought not to have been taken, and was: its receipt takes it out of the queue."""
    broadcast, one = await crashed(core)
    await core.store.write(lambda tx: tx.run("UPDATE deliveries SET state = 'queued'"))
    await told(core, one, 1, Receipt("SM1", "sent"))
    assert await row(core) == ("sent", 0, "SM1")
    assert await core.outbox.turn("bot", [], [(broadcast, None)], 1, core.now) == []


@pytest.mark.parametrize("again", ["queued", "claimed", "sent", "unknown"])
async def test_what_failed_before_does_not_fail_what_was_sent_since(core: Core, again: str) -> None:
    """A receipt of an earlier attempt says nothing of the one that followed it."""
    broadcast, one = await crashed(core)
    await core.store.write(lambda tx: tx.run("UPDATE deliveries SET state = 'queued'"))
    if again != "queued":
        other = await claim(core, broadcast)
        if again != "claimed":
            await settle(core, other, again, vendor_id="SM2")
    await told(core, one, 1, Receipt("SM1", "failed", trouble=Refused("filtered")))
    assert (await row(core))[0] == again
    await told(core, one, 1, Receipt("SM1", "failed", trouble=Gone("dead-number")))
    assert (await row(core))[0] == "failed"  # who is not there is not there for any attempt


async def test_what_is_said_once_more_begins_at_its_beginning(core: Core) -> None:
    """A receipt for a part of the first time moves nothing of the repetition; one that all came ends it."""
    broadcast, one = await crashed(core, "larga")
    await core.store.write(lambda tx: tx.run("UPDATE deliveries SET state = 'queued', repeated = 1"))
    await told(core, one, 3, Receipt("SM0", "delivered"))
    assert await row(core) == ("queued", 0, None)
    again = await claim(core, broadcast)
    await told(core, one, 3, Receipt("SM0", "read"))
    assert await row(core) == ("claimed", 0, None)
    await told(core, again, 3, Receipt("SM9", "sent"))
    assert await row(core) == ("queued", 1, "SM9")


async def test_another_sender_settles_nothing(core: Core) -> None:
    """A receipt that came to another sender, and so with another's signature, is not believed."""
    _, one = await crashed(core)
    await core.outbox.receipt("sms", Receipt("SM1", "delivered", one.key(1)), core.now)
    assert (await row(core))[0] == "unknown"


async def test_a_number_is_not_given_twice(core: Core) -> None:
    """Somebody is erased with the newest delivery of all: its late receipt touches nobody else."""
    _, one = await crashed(core)
    await core.store.write(lambda tx: tx.run("UPDATE deliveries SET broadcast = NULL"))
    await core.store.write(lambda tx: consent.erase(tx, 1))
    assert await core.rows("SELECT 1 FROM deliveries") == []
    await core.take_in(people(2))
    await core.announce(moment="later")
    await told(core, one, 1, Receipt("SM1", "failed", trouble=Gone("opted-out", left=True)))
    assert await core.rows("SELECT DISTINCT state FROM subscribers") == [("active",)]
    assert await core.rows("SELECT DISTINCT state FROM deliveries") == [("queued",)]


@pytest.mark.parametrize("attempt", [0, 2])
async def test_an_attempt_that_never_was_settles_nothing(core: Core, attempt: int) -> None:
    """What a restored database does not know of was another's: it is neither sent nor failed by it."""
    _, one = await crashed(core)
    await told(core, one._replace(attempt=attempt), 1, Receipt("SM1", "delivered"))
    assert await row(core) == ("unknown", 0, None)


# --- through the front door --------------------------------------------------------------------------------


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A deployment that Twilio tells nothing by itself: what comes, comes from the test."""
    made = deploy(tmp_path, rehearsal.url)
    public_url = f'public_url = "{made.url}"'
    made.edit("config.toml", public_url, "")
    await made.take_in([("sms", JOEL, "es", "phoenix")])
    return made


async def post(
    made: Deployment, key: str, token: str = TOKEN, sender: str = "sms", status: str = "delivered"
) -> int:
    """A StatusCallback as Twilio signs it; what it is answered."""
    number = {"sms": SMS, "whatsapp": f"whatsapp:{WHATSAPP}"}[sender]
    url = f"{made.url}/hooks/{sender}?key={key}"
    form = {"MessageSid": "SM" + "7" * 32, "MessageStatus": status, "AccountSid": ACCOUNT}
    form |= {"From": number, "To": JOEL}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": signature(token, url, form),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=urlencode(form), headers=headers) as answer,
    ):
        return answer.status


async def test_after_a_crash_the_signed_receipt_tells_what_became_of_it(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """Killed before the answer: a forged receipt or another's changes nothing, Twilio's own settles it."""
    await rehearsal.faults("sms", "hang")
    assert (await made.do("announce", "feria", "-c", "phoenix")).status == 0
    async with made.running() as working:
        await made.until(FLYING)
        working.process.send_signal(signal.SIGKILL)
        await working.process.wait()
    await rehearsal.faults("sms", "ok")
    async with made.running():
        await made.until("SELECT 1 FROM deliveries WHERE state = 'unknown' AND reason = 'crash'")
        [(delivery,)] = made.rows("SELECT id FROM deliveries")
        key = f"{delivery}.1.0.1"
        assert await post(made, key, token="another-rehearsal-token") == 403
        assert await post(made, key, sender="whatsapp") == 200
        assert await post(made, f"{delivery + 1}.1.0.1") == 200
        assert made.rows("SELECT state FROM deliveries") == [("unknown",)]
        assert await post(made, key) == 200
        await made.until("SELECT 1 FROM deliveries WHERE state = 'delivered'")
        await asyncio.sleep(0.5)
    assert len([row for row in await rehearsal.ledger() if row["outcome"] == "accepted"]) == 1


async def test_after_a_crash_the_list_tells_where_no_receipt_comes(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """Killed before the answer, and no receipt: five minutes later Twilio's list says that it was taken."""
    await rehearsal.faults("sms", "hang")
    assert (await made.do("announce", "feria", "-c", "phoenix")).status == 0
    async with made.running() as working:
        await made.until(FLYING)
        working.process.send_signal(signal.SIGKILL)
        await working.process.wait()
    await rehearsal.faults("sms", "ok")
    with closing(sqlite3.connect(made.folder / "pregonero.db")) as database, database:
        database.execute("UPDATE deliveries SET claimed_at = claimed_at - 300000")  # so much later it is
    async with made.running():
        await made.until("SELECT 1 FROM deliveries WHERE state = 'sent'")
        await made.until("SELECT 1 FROM broadcasts WHERE state = 'done'")
    [accepted] = [row for row in await rehearsal.ledger() if row["outcome"] == "accepted"]
    assert made.rows("SELECT vendor_id FROM deliveries") == [(accepted["vendor_id"],)]
