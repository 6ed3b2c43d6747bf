"""The stand-in as a whole: its process, its side door, a crowd, and how texts are shown."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.rehearsal.gsm import segments
from channels.rehearsal.rich import linked, marked
from tests.conftest import ACCOUNT, TOKEN

if TYPE_CHECKING:
    from channels.rehearsal.rich import Tree
    from tests.conftest import Receiver, Rehearsal

ROSA, JOEL = 101, "+16025550102"
NUMBER = "+15005550006"
TEMPLATE = "HX" + "0" * 31 + "1"


async def test_nobody_listening_is_said_on_the_phone(rehearsal: Rehearsal) -> None:
    """A person who writes to nobody is told so."""
    await rehearsal.say("sms", JOEL, "Hola")
    await rehearsal.say("telegram", str(ROSA), "Hola")
    assert (await rehearsal.messages("sms", JOEL))[0]["status"] == "unheard"
    assert (await rehearsal.messages("telegram", str(ROSA)))[0]["status"] == "unheard"


async def test_a_crowd_flows_and_everyone_reads(rehearsal: Rehearsal, receiver: Receiver) -> None:
    """Hundreds who are not on the page get one message each and their receipts come to the end."""
    numbers = [f"+1{213 + n // 100}5550{100 + n % 100}" for n in range(300)]
    await rehearsal.people(*({"channel": "whatsapp", "address": number} for number in numbers))
    variables = json.dumps({"1": "Aviso", "2": "Texto"})
    async with aiohttp.ClientSession(
        headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    ) as session:
        for number in numbers:
            form = {
                "To": f"whatsapp:{number}",
                "From": f"whatsapp:{NUMBER}",
                "ContentSid": TEMPLATE,
                "ContentVariables": variables,
                "StatusCallback": receiver.url,
            }
            url = f"{rehearsal.url}2010-04-01/Accounts/{ACCOUNT}/Messages.json"
            async with session.post(url, data=form) as answer:
                assert answer.status == 201
    requests = await receiver.wait(900)
    read = [r["form"]["To"] for r in requests if r["form"]["MessageStatus"] == "read"]
    assert sorted(read) == sorted(f"whatsapp:{number}" for number in numbers)
    assert (await rehearsal.people())["people"] == []
    assert [row["address"] for row in await rehearsal.ledger(since=290)] == numbers[290:]


async def test_wrong_people_are_all_refused_and_forms_too(rehearsal: Rehearsal) -> None:
    """One bad row adds nobody, and a form from another site's page changes nothing."""
    with pytest.raises(ValueError, match=r"E\.164"):
        await rehearsal.people({"channel": "sms", "address": JOEL}, {"channel": "sms", "address": "555"})
    assert len((await rehearsal.people())["people"]) == 3
    url = f"{rehearsal.url}rehearsal/reset"
    async with aiohttp.ClientSession() as session, session.post(url, data="{}") as answer:
        assert answer.status == 400


def test_a_busy_port_is_said_in_one_sentence(rehearsal_url: str) -> None:
    """A second rehearsal on the same port says so and ends with 1; asked to end, one ends with 0."""
    port = rehearsal_url.rstrip("/").rpartition(":")[2]
    command = [sys.executable, "-m", "channels.rehearsal", "--port"]
    second = subprocess.run([*command, port], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}: address already in use" in second.stderr
    with subprocess.Popen([*command, "0"], stdout=subprocess.PIPE) as third:
        assert third.stdout is not None
        third.stdout.readline()
        third.send_signal(signal.SIGINT)
        assert third.wait(10) == 0


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 152 + "€" + "a" * 152, 3), ("á" * 70, 1), ("á" * 71, 2), ("", 1)],
)
def test_parts_are_counted_unit_by_unit(text: str, parts: int) -> None:
    """A letter of two units is not cut in half, so it may cost one part more."""
    assert segments(text) == parts


def words(tree: Tree) -> str:
    """The letters of a tree."""
    return "".join(node if isinstance(node, str) else words(node["children"]) for node in tree)


@given(st.text())
def test_links_lose_no_letter(text: str) -> None:
    """Making addresses pressable changes no word."""
    assert words(linked(text)) == text


def test_whatsapp_marks_become_looks() -> None:
    """Marks that pair are looks, those that do not stay letters, and an address keeps its underscores."""
    assert marked("*a _b_* 2*3 https://x.mx/a_b_c.") == [
        {"tag": "b", "children": ["a ", {"tag": "i", "children": ["b"]}]},
        " 2*3 ",
        {"tag": "a", "href": "https://x.mx/a_b_c", "children": ["https://x.mx/a_b_c"]},
        ".",
    ]
