"""What is said, as it is kept: rendered once, its parts as JSON, a delivery points at it.

What may enter: how a text becomes a row and a row a text. Who gets it, and when, is the outbox.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bot.store import sql
from channels.base import Choice, Part, Template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.rendering import Rendered
    from bot.store import Transaction
    from bot.vault import Vault


@dataclass(frozen=True, slots=True)
class Text:
    """What is said, as it was rendered when the broadcast began.

    Attributes:
        open: For somebody within the reply window.
        closed: For anybody else; None when it cannot be said to them now.
    """

    open: tuple[Part, ...]
    closed: tuple[Part, ...] | None


def add_text(
    tx: Transaction, text: Rendered, sender: str, broadcast: int | None = None, variant: str = ""
) -> int:
    """Keep a text that is about to be said through a sender; its number.

    A reply is kept once, however often it is given.
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
        "mark": None,
        "owner": None,
    }


def load_text(row: Mapping[str, str | None], vault: Vault) -> Text:
    """A text from its row. Raises BadKey when it was sealed for another thread, or with another key."""
    said, closed = (
        vault.open_text(base64.b64decode(stored), row["owner"]) if stored and row["owner"] else stored
        for stored in (row["open"], row["closed"])
    )
    return Text(tuple(load_parts(said or "[]")), tuple(load_parts(closed)) if closed else None)


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
            }
        )
        for part in json.loads(stored)
    ]
