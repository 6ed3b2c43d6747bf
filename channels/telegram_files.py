"""Files on their way to Telegram: each is uploaded once by a bot, and then called by the name it got there.

The same small file goes to everybody in a broadcast. See https://core.telegram.org/bots/api#sending-files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import telegram

if TYPE_CHECKING:
    from channels.base import File

_KEPT = 256


class Uploads:
    """What one bot has uploaded."""

    def __init__(self) -> None:
        self._known: dict[File, str] = {}

    def offered(self, file: File) -> str | telegram.InputFile:
        """Telegram's name for the file, or the file itself."""
        if file in self._known:
            return self._known[file]
        upload = telegram.InputFile(file.content.encode(), filename=file.name, attach=True)
        upload.mimetype = file.mime  # the library guesses it from the machine's own list
        return upload

    def keep(self, file: File, message: telegram.Message) -> None:
        """Telegram has it now, under the name that this answer tells."""
        if message.document is not None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[file] = message.document.file_id

    def forget(self, file: File) -> None:
        """Telegram does not know its name any more: the next request brings the file again."""
        self._known.pop(file, None)
