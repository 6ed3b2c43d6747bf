"""Links and QR codes that land in the right community and language: how they are written and read.

Telegram hands over a payload of `A-Za-z0-9_-`, SMS and WhatsApp the words that the link wrote for the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from bot import languages
from bot.hearing import ear

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_WORDS = {"es": "ALTA", "en": "JOIN"}
"""What a link writes for a person of each language; who reads another writes the Spanish one."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Where an invitation leads; "" for what it does not say.

    Attributes:
        joining: Whether it begins with one of the words by which people join.
    """

    community: str = ""
    language: str = ""
    joining: bool = False

    @classmethod
    def read(cls, payload: str) -> Self:
        """What Telegram's `start` says: `c-fresno_l-es-MX`. Anything else says nothing."""
        said = dict(part.split("-", 1) for part in payload.split("_") if "-" in part)
        try:
            language = languages.normalise(said["l"]) if "l" in said else ""
        except ValueError:
            language = ""
        return cls(said.get("c", ""), language)

    @classmethod
    def heard(cls, words: Sequence[str], communities: Collection[str]) -> Self:
        """What `ALTA nueva-york` says, from the words as `ear.words` gives them."""
        text = f" {' '.join(words)} "
        named = [slug for slug in communities if f" {ear.fold(slug)} " in text]
        said = next((code for code, word in _WORDS.items() if word.lower() in words[:1]), "")
        return cls(max(named, key=len, default=""), said if named else "", joining=bool(said))

    def telegram(self, bot: str) -> str:
        """A link that opens the bot of that public name. https://core.telegram.org/api/links#bot-links."""
        said = (f"c-{self.community}", f"l-{self.language}" if self.language else "")
        return f"https://t.me/{bot}?start={'_'.join(filter(None, said))}"

    def sms(self, number: str) -> str:
        """A link that opens the telephone's own messages, the words written (RFC 5724; iOS wants the `&`)."""
        return f"sms:{number}?&body={quote(self.words)}"

    def whatsapp(self, number: str) -> str:
        """A link that opens WhatsApp, the words written."""
        return f"https://wa.me/{number.lstrip('+')}?text={quote(self.words)}"

    @property
    def words(self) -> str:
        """What the person sends: a word that they could also write by hand."""
        word = _WORDS.get(languages.base(self.language), _WORDS["es"])
        return f"{word} {self.community}"
