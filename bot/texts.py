"""What is said, as it is kept: rendered once, its parts as JSON, a delivery points at it.

What may enter: how a text becomes a row and a row a text. Who gets it, and when, is the outbox.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from bot.store import sql
from bot.vault import BadKey
from channels.base import Choice, File, Part, Template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.rendering import Rendered
    from bot.store import Transaction
    from bot.vault import Vault


class Unreadable(Exception):  # noqa: N818 - what the text is
    """A text is damaged, or was sealed for another thread or with another key."""


@dataclass(frozen=True, slots=True)
class Text:
    """What is said, as it was rendered when the broadcast began.

    Attributes:
        open: For somebody within the reply window.
        closed: For anybody else; None when it cannot be said to them now.
        marketing: Whether `closed` is a marketing template, which some numbers never get.
    """

    open: tuple[Part, ...]
    closed: tuple[Part, ...] | None
    marketing: bool = False

    def shut(self, *, free: bool, marketing: bool) -> Literal["window", "us-template"] | None:
        """What keeps it from somebody until they write; None when nothing does.

        Args:
            free: Whether they wrote within the reply window.
            marketing: Whether marketing reaches their number.
        """
        if not (self.open if free else self.closed):
            return "window"
        return "us-template" if self.marketing and not free and not marketing else None


def add_text(
    tx: Transaction, text: Rendered, sender: str, broadcast: int | None = None, variant: str = ""
) -> int:
    """Keep a text that is about to be said through a sender; its number.

    A reply is kept once, however often it is given.

    Args:
        broadcast: None for a reply.
        variant: For whom, among those of one language on one channel.
    """
    values = _text_row(text, sender) | {"broadcast": broadcast, "variant": variant}
    if broadcast is None:
        said = f"{values['open']}\0{values['closed'] or ''}"
        values["mark"] = hashlib.sha256(said.encode()).digest()
    return int(tx.rows(sql.TEXT_ADD, values)[0]["id"])


def add_sealed_text(tx: Transaction, text: Rendered, sender: str, vault: Vault, owner: str) -> int:
    """Keep a text that is for one person alone, sealed and bound to `owner`; its number."""
    values = _text_row(text, sender) | {"owner": owner}
    for said in ("open", "closed"):
        if values[said] is not None:
            values[said] = base64.b64encode(vault.seal_text(str(values[said]), owner)).decode()
    return int(tx.rows(sql.TEXT_ADD, values)[0]["id"])


def _text_row(text: Rendered, sender: str) -> dict[str, object]:
    return {
        "broadcast": None,
        "channel": text.channel,
        "language": text.language,
        "variant": "",
        "edition": text.edition,
        "sender": sender,
        "open": dump_parts(text.open),
        "closed": dump_parts(text.closed) if text.closed else None,
        "category": text.category,
        "mark": None,
        "owner": None,
    }


def load_text(row: Mapping[str, str | None], vault: Vault) -> Text:
    """A text from its row. Raises Unreadable."""
    try:
        said, closed = (
            vault.open_text(base64.b64decode(stored), row["owner"]) if stored and row["owner"] else stored
            for stored in (row["open"], row["closed"])
        )
        return Text(
            tuple(load_parts(said or "[]")),
            tuple(load_parts(closed)) if closed else None,
            row["category"] == "marketing",
        )
    except (BadKey, KeyError, TypeError, ValueError) as error:  # the last three: no JSON of ours
        raise Unreadable(type(error).__name__) from None  # its sentence may quote the text


def dump_parts(parts: Sequence[Part]) -> str:
    """Parts as the JSON a text row keeps."""
    return json.dumps([asdict(part) for part in parts], ensure_ascii=False, separators=(",", ":"))


def load_parts(stored: str) -> list[Part]:
    """What `dump_parts` wrote."""
    return [
        Part(
            **{
                **part,
                "template": Template(**part["template"]) if part["template"] else None,
                "choices": tuple(Choice(**choice) for choice in part["choices"]),
                "file": File(**part["file"]) if part.get("file") else None,  # an earlier version had none
            }
        )
        for part in json.loads(stored)
    ]
