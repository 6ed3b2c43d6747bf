"""Files that bots upload: Telegram's names for them, and their bytes for the page."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from channels.rehearsal.bot_api_given import Refusal

if TYPE_CHECKING:
    from channels.rehearsal.bot_api_given import Parameters

_KEPT = 1000
_ATTACHED = "attach://"


@dataclass(frozen=True, slots=True)
class Document:
    """One file as Telegram keeps it.

    Attributes:
        id: `file_id`; the same for the same bytes under the same name.
    """

    id: str
    name: str
    mime: str
    content: bytes

    def as_json(self) -> dict[str, Any]:
        """Telegram's `Document`."""
        return {
            "file_id": self.id,
            "file_unique_id": self.id[-16:],
            "file_name": self.name,
            "mime_type": self.mime,
            "file_size": len(self.content),
        }


class Files:
    """What was uploaded in this rehearsal."""

    def __init__(self) -> None:
        self._known: dict[str, Document] = {}

    def find(self, file_id: str) -> Document | None:
        """The file of that name."""
        return self._known.get(file_id)

    def read(self, document: object, given: Parameters) -> Document:
        """What a `document` or `media` field means: an upload, one that is attached, or one we have.

        Raises:
            Refusal: it is none of them, or holds nothing.
        """
        if isinstance(document, str) and document.startswith(_ATTACHED):
            document = given.get(document.removeprefix(_ATTACHED))
        if isinstance(document, web.FileField):
            return self._keep(document)
        known = self._known.get(document) if isinstance(document, str) else None
        if known is None:
            why = (
                "wrong remote file identifier specified"
                if document
                else "there is no document in the request"
            )
            raise Refusal(400, f"Bad Request: {why}")
        return known

    def _keep(self, upload: web.FileField) -> Document:
        content = upload.file.read()
        if not content:
            raise Refusal(400, "Bad Request: file must be non-empty")
        mark = hashlib.sha256(upload.filename.encode() + b"\0" + content).digest()
        name = "BQAC" + base64.urlsafe_b64encode(mark).decode().rstrip("=")
        if len(self._known) >= _KEPT:
            self._known.clear()
        return self._known.setdefault(name, Document(name, upload.filename, upload.content_type, content))
