"""Files on their way to Telegram: each is uploaded once by a bot, and then called by the name it got there.

The same small file goes to everybody in a broadcast. See https://core.telegram.org/bots/api#sending-files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import telegram
from telegram.error import BadRequest

from channels.telegram_trouble import trouble_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channels.base import File

_Answer = TypeVar("_Answer", telegram.Message, telegram.Message | bool)

_KEPT = 256


class Uploads:
    """What one bot has uploaded."""

    def __init__(self) -> None:
        self._known: dict[File, str] = {}

    async def bring(
        self, file: File, request: Callable[[str | telegram.InputFile], Awaitable[_Answer]]
    ) -> _Answer:
        """Make a request that brings a file: by its name, and in full where Telegram does not take that.

        It forgets names, and a bot does not know another's. The request was refused, so it may leave again.

        Args:
            request: Makes it, given Telegram's name for the file or the file itself.

        Raises:
            TelegramError: the library's, of the last request.
        """
        name = self._known.get(file)
        if name is not None:
            try:
                return await request(name)
            except BadRequest as error:
                if trouble_of(error).reason != "media":
                    raise
        upload = telegram.InputFile(file.content.encode(), filename=file.name, attach=True)
        upload.mimetype = file.mime  # the library guesses it from the machine's own list
        answer = await request(upload)
        if isinstance(answer, telegram.Message) and answer.document is not None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[file] = answer.document.file_id
        return answer
