"""Which copies on Telegram can be made right where they stand, and with what. Pure: parts in, parts out.

An edit makes no sound, so it never takes the place of the message that tells of the mistake.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from channels.base import Part


def edits(copies: Mapping[int, Sequence[Part]], right: Sequence[Part]) -> list[Part]:
    """See `channels.edits`.

    A message cannot become two, nor lose its file (https://core.telegram.org/bots/api#editmessagemedia): such
    a copy stays as it is.
    """
    if len(right) != 1:
        return []
    [said] = right
    return [
        replace(said, choices=(), file=said.file if copy[0].file else None, replaces=ago)
        for ago, copy in sorted(copies.items())
        if len(copy) == 1 and (said.file or not copy[0].file)
    ]
