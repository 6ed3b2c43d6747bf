"""Links and QR codes by which people come in: where they lead, and which channel has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployment import Deployment, deploy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Rehearsal


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A deployment whose bot has no public name yet."""
    return deploy(tmp_path, rehearsal.url)


async def test_a_channel_without_a_public_name_is_told_apart(made: Deployment) -> None:
    """Each channel with a name or number has its link; of the other staff read what to write, and where."""
    said = await made.do("invite", "fresno", "--json")
    assert [row["channel"] for row in said.json()] == ["whatsapp", "sms"]
    said = await made.do("invite", "fresno")
    assert "Telegram: sin enlace. A «bot» le falta username en config.toml." in said.err
    made.edit("config.toml", 'channel = "telegram"', 'channel = "telegram"\nusername = "PregoneroFresnoBot"')
    said = await made.do("invite", "fresno")
    assert "https://t.me/PregoneroFresnoBot?start=" in said.out
    assert not said.err


async def test_a_poster_has_a_code_for_each_channel(made: Deployment) -> None:
    """With --svg there is a file for each link, and it is a picture a browser opens."""
    said = await made.do("invite", "phoenix", "--svg", "carteles", "--json")
    for row in said.json():
        assert "<svg" in (made.folder / row["svg"]).read_text(encoding="utf-8")
        assert "phoenix" in row["link"]
