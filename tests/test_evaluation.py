"""What the bot understood of the committed messages stays understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evaluation.__main__ import main

if TYPE_CHECKING:
    import pytest


def test_every_aim_of_the_evaluation_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    """Samples at 97%, no crisis unheard, one false alarm in a hundred at most, nobody kept or put out."""
    assert main() == 0, capsys.readouterr().out
