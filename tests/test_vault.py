"""The vault: what can be found again, what cannot be read, and a key that is nobody else's."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.vault import BadKey, Vault, new_key, write_key
from channels.base import CHANNELS

if TYPE_CHECKING:
    from pathlib import Path

VAULT, STRANGER = Vault(new_key()), Vault(new_key())
channels = st.sampled_from(CHANNELS)
addresses = st.from_regex(r"\+[1-9][0-9]{6,14}|-?[1-9][0-9]{4,15}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(channels, addresses)
def test_an_address_is_found_again(channel: str, address: str) -> None:
    """The same address on the same channel gives the same bytes, which open to it and do not show it."""
    sealed = VAULT.seal(channel, address)
    assert sealed == VAULT.seal(channel, address)
    assert VAULT.open(channel, sealed) == address
    assert address.encode() not in sealed


@given(addresses, addresses)
def test_two_addresses_never_meet(one: str, other: str) -> None:
    """Equality of seals is equality of addresses, within a channel and never across two."""
    assert (VAULT.seal("sms", one) == VAULT.seal("sms", other)) == (one == other)
    assert VAULT.seal("sms", one) != VAULT.seal("whatsapp", one)
    assert VAULT.tag("sms", one) != VAULT.tag("whatsapp", one)


@given(channels, addresses)
def test_another_key_opens_nothing(channel: str, address: str) -> None:
    """Neither another key nor another channel opens a seal, and the fault does not quote it."""
    sealed = VAULT.seal(channel, address)
    other = next(name for name in CHANNELS if name != channel)
    for vault, name in ((STRANGER, channel), (VAULT, other)):
        with pytest.raises(BadKey) as told:
            vault.open(name, sealed)
        assert address not in str(told.value)
    assert STRANGER.seal(channel, address) != sealed


@given(st.binary(max_size=80))
def test_damaged_bytes_are_a_bad_key(damaged: bytes) -> None:
    """Whatever stands in a damaged row, opening it says one thing."""
    with pytest.raises(BadKey):
        VAULT.open("sms", damaged)
    with pytest.raises(BadKey):
        VAULT.open_text(damaged, "inbounds|1")


@given(texts, st.text(max_size=20), st.text(max_size=20))
def test_what_was_written_never_looks_the_same(text: str, owner: str, other: str) -> None:
    """The same words are sealed differently each time, and open only in the row they belong to."""
    first, second = VAULT.seal_text(text, owner), VAULT.seal_text(text, owner)
    assert first != second
    assert VAULT.open_text(first, owner) == VAULT.open_text(second, owner) == text
    if other != owner:
        with pytest.raises(BadKey):
            VAULT.open_text(first, other)


@given(channels, addresses)
def test_a_tag_recognises_and_tells_nothing(channel: str, address: str) -> None:
    """Who was forgotten is recognised by 32 bytes that another key would not have made."""
    tag = VAULT.tag(channel, address)
    assert tag == VAULT.tag(channel, address)
    assert len(tag) == 32
    assert tag != STRANGER.tag(channel, address)
    assert tag not in VAULT.seal(channel, address)


@pytest.mark.parametrize(
    "key",
    ["", "canary", "AAAA", new_key()[:-4], new_key() + "AAAA", "ñ" * 88, b"\xff"],
    ids=["nothing", "a word", "a few letters", "cut", "too long", "no base64", "no letters"],
)
def test_what_is_no_key_is_refused(key: str | bytes) -> None:
    """A key of another length or alphabet is refused at once, unquoted."""
    with pytest.raises(BadKey) as told:
        Vault(key)
    assert "canary" not in str(told.value)


def test_a_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask, nobody else can read the key; and no key is ever written over another."""
    before = os.umask(0)
    try:
        write_key(tmp_path / "key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    written = (tmp_path / "key").read_text()
    Vault(written.strip())
    with pytest.raises(FileExistsError):
        write_key(tmp_path / "key")
    assert (tmp_path / "key").read_text() == written
