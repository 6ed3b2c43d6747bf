"""The command, which dies of one word: so does a process that meets a fault in a library written in C."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bot.__main__ import main
from bot.conversation import Answer, Asker, Conversation

if TYPE_CHECKING:
    from datetime import datetime

POISON = "veneno"

_answer = Conversation.answer


def _die(self: Conversation, text: str, asker: Asker, now: datetime) -> Answer:
    if text == POISON:
        os._exit(139)  # as a segmentation fault ends a process
    return _answer(self, text, asker, now)


if __name__ == "__main__":
    setattr(Conversation, "answer", _die)  # noqa: B010 - a method, on purpose
    main(prog_name="pregonero")
