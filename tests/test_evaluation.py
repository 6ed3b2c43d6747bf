"""What the bot understood of the committed messages stays understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evaluation.__main__ import main

if TYPE_CHECKING:
    import pytest


def test_every_aim_of_the_evaluation_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    """What is right today of the committed sets stays right, of what nobody learns from too."""
    assert main() == 0, capsys.readouterr().out
