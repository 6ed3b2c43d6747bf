"""What Telegram is heard to say through a webhook, and who is not listened to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Forged, Heard, Request
from channels.telegram import Telegram

SECRET = "s3cret_of-ours"
CHAT = "700000001"
ANA = {"id": int(CHAT), "is_bot": False, "first_name": "Ana", "language_code": "es"}
HOME = {"id": int(CHAT), "type": "private"}


def opened(secret: str = SECRET) -> Telegram:
    return Telegram(token="111:x", api_base=None, secret=secret, concurrency=1)


def webhook(update: object, secret: str | None = SECRET) -> Request:
    headers = {} if secret is None else {"x-telegram-bot-api-secret-token": secret}
    return Request("https://example.org/hooks/telegram", headers, json.dumps(update).encode())


def message(**said: object) -> dict[str, object]:
    return {"update_id": 9, "message": {"message_id": 1, "date": 1, "chat": HOME, "from": ANA, **said}}


def member(old: str, new: str) -> dict[str, object]:
    bot = {"id": 1, "is_bot": True, "first_name": "b"}
    change = {
        "chat": HOME,
        "from": ANA,
        "date": 1,
        "old_chat_member": {"user": bot, "status": old, "until_date": 0},
        "new_chat_member": {"user": bot, "status": new, "until_date": 0},
    }
    return {"update_id": 9, "my_chat_member": change}


VOICE = {"duration": 1, "file_id": "a", "file_unique_id": "a"}
WORDS = [
    (message(text="¿Cuánto cuesta?"), "¿Cuánto cuesta?"),
    (message(text="/start fresno-es"), "/start fresno-es"),
    (message(caption="mi acta", voice=VOICE), "mi acta"),
    (message(voice=VOICE), ""),
    (message(location={"latitude": 36.74774, "longitude": -119.77237}), "geo:36.7477,-119.7724"),
    (message(location={"latitude": -0.00001, "longitude": 180}), "geo:0,180"),
    (message(contact={"phone_number": "+15595550100", "first_name": "Ana"}), ""),
]


@pytest.mark.parametrize(("update", "text"), WORDS)
def test_what_a_person_wrote_is_heard(update: object, text: str) -> None:
    """Words arrive as they were written, a place as a URI; a voice or a contact is heard without words."""
    assert opened().read(webhook(update)) == [Heard("9", CHAT, text, "es")]


PRESSED = {
    "id": "77",
    "from": ANA,
    "chat_instance": "1",
    "data": "MÁS",
    "message": {"message_id": 1, "date": 1, "chat": HOME},
}


def test_a_pressed_button_is_heard() -> None:
    """A button says its words as if the person had written them."""
    heard = opened().read(webhook({"update_id": 9, "callback_query": PRESSED}))
    assert heard == [Heard("9", CHAT, "MÁS", "es", pressed="77")]


def test_a_pressed_button_stops_turning() -> None:
    """The webhook's own reply tells Telegram that the press was heard; a written message needs no answer."""
    bot = opened()
    answer = bot.acknowledge(bot.read(webhook({"update_id": 9, "callback_query": PRESSED})))
    assert answer.content_type == "application/json"
    assert json.loads(answer.body) == {"method": "answerCallbackQuery", "callback_query_id": "77"}
    assert bot.acknowledge(bot.read(webhook(message(text="hola")))).body == ""


def test_no_trace_shows_whose_press_it_was() -> None:
    """Telegram's name for a press holds the person's number, so it is not printed."""
    (heard,) = opened().read(webhook({"update_id": 9, "callback_query": PRESSED}))
    assert "77" not in repr(heard)


def test_a_block_is_a_leaving_and_its_end_is_nothing() -> None:
    """Who blocks the bot has left; who unblocks it has not asked for anything yet."""
    assert opened().read(webhook(member("member", "kicked"))) == [Heard("9", CHAT, "", "es", left=True)]
    assert opened().read(webhook(member("kicked", "member"))) == []


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 9, "edited_message": message(text="x")["message"]},
        {"update_id": 9, "channel_post": message(text="x")["message"]},
        message(text="x", chat={"id": -5, "type": "group", "title": "g"}),
        message(text="x", **{"from": {**ANA, "is_bot": True}}),
        message(pinned_message={"message_id": 1, "date": 1, "chat": HOME}),
        {"update_id": 9},
        {"update_id": 9, "message": 5},
        {},
        [],
        None,
        "x",
    ],
)
def test_what_no_person_said_to_us_is_ignored(update: object) -> None:
    """Edits, groups, channels, bots, notices and nonsense are nobody's message to us."""
    assert opened().read(webhook(update)) == []


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.dictionaries(st.sampled_from(["update_id", "message", "from", "chat", "id"]), inner),
    )
)
def test_no_json_breaks_the_reading(update: object) -> None:
    """Whatever JSON comes with the right secret, reading ends."""
    bot = opened()
    assert isinstance(bot.read(webhook(update)), list)
    for body in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        assert bot.read(Request("", webhook({}).headers, body)) == []


@pytest.mark.parametrize("given", [None, "", "wrong", SECRET + "x", SECRET[:-1], "ñ", "\udcff"])
def test_a_stranger_is_turned_away(given: str | None) -> None:
    """Without the very secret nothing is read; without one of ours nobody has it."""
    for ours in (SECRET, ""):
        with pytest.raises(Forged):
            opened(ours).read(webhook(message(text="x"), given))


def test_a_body_too_long_is_turned_away() -> None:
    """No update is longer than 256 KiB, so nothing longer is read."""
    with pytest.raises(Forged):
        opened().read(webhook(message(text="x" * 256 * 1024)))
