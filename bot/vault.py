"""Addresses sealed at rest: the only place where one is readable, and the only place that holds the key.

An address is sealed with AES-SIV: deterministic, so that the database can find and keep unique what it
cannot read. Equality is all that leaks, and one person has one row per channel. A question that is counted,
never whose, is sealed likewise. What a person wrote is sealed with a random nonce, so that not even equality
leaks. Recognition without return (who asked to be forgotten) is an HMAC.

Each purpose has a key of its own, derived from the one in the key file.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from pathlib import Path

_KEY_BYTES = 64
_NONCE_BYTES = 12


class BadKey(ValueError):  # noqa: N818 - what it is
    """The key is not one that `new_key` made, or not the one this was sealed with."""


def new_key() -> str:
    """A fresh key as text for a file: 64 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def write_key(path: Path) -> None:
    """Make a key file that only its owner can read. Raises FileExistsError rather than replace a key."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(new_key() + "\n")


class Vault:
    """Seals and opens with one key.

    Args:
        key: The content of the key file.

    Raises:
        BadKey: it is not 64 bytes in base64.
    """

    def __init__(self, key: str | bytes) -> None:
        try:
            root = base64.b64decode(key, validate=True)
        except (binascii.Error, ValueError):
            root = b""
        if len(root) != _KEY_BYTES:
            raise BadKey("not a key of Pregonero")
        self._addresses = AESSIV(_derive(root, b"address", _KEY_BYTES))
        self._questions = AESSIV(_derive(root, b"question", _KEY_BYTES))
        self._texts = ChaCha20Poly1305(_derive(root, b"text", 32))
        self._tags = _derive(root, b"tag", 32)

    def seal(self, channel: str, address: str) -> bytes:
        """The same address on the same channel always gives the same bytes."""
        return self._addresses.encrypt(address.encode(), [b"subscribers.address", channel.encode()])

    def open(self, channel: str, sealed: bytes) -> str:
        """The address again. Raises BadKey when this key did not seal it, or not for this channel."""
        try:
            return self._addresses.decrypt(sealed, [b"subscribers.address", channel.encode()]).decode()
        except InvalidTag as error:
            raise BadKey("sealed with another key") from error

    def seal_question(self, community: str, question: str) -> bytes:
        """The same question in the same community always gives the same bytes, so that it can be counted."""
        return self._questions.encrypt(question.encode(), [b"gaps.question", community.encode()])

    def open_question(self, community: str, sealed: bytes) -> str:
        """The question again. Raises BadKey when this key did not seal it, or not for this community."""
        try:
            return self._questions.decrypt(sealed, [b"gaps.question", community.encode()]).decode()
        except InvalidTag as error:
            raise BadKey("sealed with another key") from error

    def seal_text(self, text: str, owner: str) -> bytes:
        """What a person wrote, bound to the row it belongs to (`owner`), so that rows cannot be swapped."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._texts.encrypt(nonce, text.encode(), owner.encode())

    def open_text(self, sealed: bytes, owner: str) -> str:
        """What `seal_text` sealed for the same owner. Raises BadKey otherwise."""
        try:
            return self._texts.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode()).decode()
        except (InvalidTag, ValueError) as error:  # ValueError: too short to hold a nonce
            raise BadKey("sealed with another key") from error

    def tag(self, channel: str, address: str) -> bytes:
        """Recognises an address for ever and gives nothing back: 32 bytes of keyed hash."""
        return hmac.digest(self._tags, f"{channel}|{address}".encode(), "sha256")


def _derive(root: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=None, info=b"pregonero " + purpose).derive(root)
