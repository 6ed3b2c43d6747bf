"""A sender of config.toml, opened as the channel that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.settings import Sms, Telegram
from channels.sms import Sms as SmsChannel
from channels.telegram import Telegram as TelegramChannel
from channels.whatsapp import WhatsApp as WhatsAppChannel

if TYPE_CHECKING:
    from bot.settings import Whatsapp
    from channels.base import Channel


def open_channel(sender: Telegram | Sms | Whatsapp, callback: str | None, concurrency: int) -> Channel:
    """Open it.

    Args:
        callback: Where its vendor tells what became of a message; None: nowhere.
        concurrency: Requests that may wait for an answer at a time.
    """
    if isinstance(sender, Telegram):
        return TelegramChannel(
            token=sender.token.get_secret_value(),
            api_base=sender.api_base,
            secret=sender.webhook_secret.get_secret_value() if sender.updates == "webhook" else "",
            concurrency=concurrency,
        )
    kind = SmsChannel if isinstance(sender, Sms) else WhatsAppChannel
    return kind(
        account_sid=sender.account_sid.get_secret_value(),
        auth_token=sender.auth_token.get_secret_value(),
        from_=sender.number,
        messaging_service=sender.messaging_service,
        api_base=sender.api_base,
        status_callback=callback,
        concurrency=concurrency,
    )
