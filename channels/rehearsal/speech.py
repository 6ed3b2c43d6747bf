"""A person speaks: types, presses, shares, blocks a bot. What the vendors make of it and tell the bot."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from channels.rehearsal.people import Bubble
from channels.rehearsal.rich import linked
from channels.rehearsal.utterances import chosen

if TYPE_CHECKING:
    from channels.rehearsal.bots import Bot
    from channels.rehearsal.callbacks import Line
    from channels.rehearsal.people import Button, Person
    from channels.rehearsal.stage import Stage
    from channels.rehearsal.utterances import Utterance

STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START = frozenset({"START", "YES", "UNSTOP"})
"""What Twilio acts upon itself, on SMS, when it is the whole message (tutorials/advanced-opt-out)."""
MOST_BUTTONS = 3
"""WhatsApp's choices under a message; more of them are rows of a list."""


def telegram_user(person: Person) -> dict[str, Any]:
    """Telegram's `User`."""
    user: dict[str, Any] = {"id": int(person.address), "is_bot": False, "first_name": person.name or "?"}
    return user | ({"language_code": person.language} if person.language else {})


def telegram_chat(person: Person) -> dict[str, Any]:
    """Telegram's `Chat`, a private one."""
    return {"id": int(person.address), "first_name": person.name or "?", "type": "private"}


def say(stage: Stage, person: Person, said: Utterance, sender: str = "") -> Bubble:
    """The person says something to `sender`, or to whom they wrote with last.

    Returns:
        What their phone shows. Its status is "unheard" when no bot has come forward to hear it.
    """
    person.sender = sender or person.sender or _somebody(stage, person)
    person.heard_at = stage.now()
    bubble = Bubble(f"SM{stage.new_id()}", "said", stage.now(), said.text, linked(said.text), person.sender)
    if person.channel == "telegram":
        _tell_bot(stage, person, bubble, said)
        return bubble
    line = stage.lines.get((person.channel, person.sender))
    if line is None:
        bubble.status = "unheard"
    stage.people.show(person, bubble)
    if person.channel == "sms":
        _opt(stage, person, said.text)
    if line is not None:
        stage.callbacks.soon(partial(_post, stage, line, person, bubble, said))
    return bubble


def _somebody(stage: Stage, person: Person) -> str:
    """Whom someone writes to who was never written to: the first that can hear."""
    if person.channel == "telegram":
        return next(iter(stage.bots), "")
    return next((sender for channel, sender in stage.lines if channel == person.channel), "")


def _tell_bot(stage: Stage, person: Person, bubble: Bubble, said: Utterance) -> None:
    bot = stage.bots.get(person.sender)
    if bot is None:
        bubble.status = "unheard"
        stage.people.show(person, bubble)
        return
    bubble.id = str(bot.message_id())
    stage.people.show(person, bubble)
    message = {
        "message_id": int(bubble.id),
        "from": telegram_user(person),
        "chat": telegram_chat(person),
        "date": int(bubble.at.timestamp()),
    }
    bot.push("message", message | said.message)


def _opt(stage: Stage, person: Person, text: str) -> None:
    """Twilio's own answer to STOP and START; the message still reaches the bot."""
    word = text.strip().upper()
    if word in STOP or word in START:
        stage.people.opt_out(person.address, person.sender, out=word in STOP)
        stage.people.show(person, stage.note(0, "STOP" if word in STOP else "START", person.sender))


async def _post(stage: Stage, line: Line, person: Person, bubble: Bubble, said: Utterance) -> None:
    prefix = "whatsapp:" if person.channel == "whatsapp" else ""
    form = {
        **dict.fromkeys(("MessageSid", "SmsSid", "SmsMessageSid"), bubble.id),
        "AccountSid": line.account_sid,
        "ApiVersion": "2010-04-01",
        "From": prefix + person.address,
        "To": prefix + bubble.sender,
        "NumMedia": "0",
        "NumSegments": "1",
        "ReferralNumMedia": "0",
        "SmsStatus": "received",
    }
    if bubble.sender.startswith("MG"):
        form["MessagingServiceSid"] = bubble.sender
    if person.channel == "whatsapp":
        form |= {"ProfileName": person.name, "WaId": person.address.lstrip("+"), **said.form}
    else:
        place = dict.fromkeys(("FromCity", "ToCity"), "")
        form |= {"FromCountry": "US", "ToCountry": "US", "Body": said.form["Body"], **place}
    if not await stage.callbacks.post_signed(line.url, form, line.auth_token):
        stage.unreached(person.channel)
        stage.people.mark(person, bubble.id, "unheard")


def press(stage: Stage, person: Person, message_id: str, data: str) -> bool:
    """The person presses a button under a message.

    Returns:
        Whether there was such a button and, on Telegram, a bot to tell.
    """
    bubble, button = _pressed(person, message_id, data)
    if bubble is None or button is None:
        return False
    if person.channel == "whatsapp":
        of_a_list = sum(map(len, bubble.buttons)) > MOST_BUTTONS
        say(stage, person, chosen(button["text"], data, of_a_list=of_a_list), bubble.sender)
        return True
    bot = stage.bots.get(bubble.sender)
    if bot is None:
        return False
    stage.people.turn(person, bubble, data)
    bot.press(
        _callback_query(stage, person, bubble, bot, data), partial(stage.people.turn, person, bubble, "")
    )
    return True


def _pressed(person: Person, message_id: str, data: str) -> tuple[Bubble | None, Button | None]:
    for bubble in person.phone or ():
        if bubble.id == message_id:
            buttons = (button for row in bubble.buttons for button in row)
            return bubble, next((button for button in buttons if button.get("data") == data), None)
    return None, None


def _callback_query(stage: Stage, person: Person, bubble: Bubble, bot: Bot, data: str) -> dict[str, Any]:
    keyboard = [[_inline(button) for button in row] for row in bubble.buttons]
    return {
        "id": str(int(stage.new_id()[:15], 16)),
        "from": telegram_user(person),
        "chat_instance": person.address,
        "data": data,
        "message": {
            "message_id": int(bubble.id),
            "from": bot.as_user(),
            "chat": telegram_chat(person),
            "date": int(bubble.at.timestamp()),
            "text": bubble.text,
            "reply_markup": {"inline_keyboard": keyboard},
        },
    }


def _inline(button: Button) -> dict[str, str]:
    """Telegram's `InlineKeyboardButton`."""
    shown = {"text": button["text"]}
    return shown | ({"url": button["url"]} if "url" in button else {"callback_data": button["data"]})


def changed(stage: Stage, person: Person, before: str) -> None:
    """Tell the bot that a person blocked it or came back (Telegram's `my_chat_member`)."""
    bot = stage.bots.get(person.sender)
    if person.channel != "telegram" or bot is None or (before == "ok") == (person.state == "ok"):
        return
    was, is_now = ("member", "kicked") if before == "ok" else ("kicked", "member")
    user = bot.as_user()
    bot.push(
        "my_chat_member",
        {
            "chat": telegram_chat(person),
            "from": telegram_user(person),
            "date": int(stage.now().timestamp()),
            "old_chat_member": _member(was, user),
            "new_chat_member": _member(is_now, user),
        },
    )


def _member(status: str, user: dict[str, Any]) -> dict[str, Any]:
    return {"status": status, "user": user} | ({"until_date": 0} if status == "kicked" else {})
