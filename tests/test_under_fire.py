"""Vendors on their worst days: rows and the vendors' own ledger, compared person by person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fire import Fire

if TYPE_CHECKING:
    from channels.base import ChannelName
    from tests.conftest import Rehearsal
    from tests.core import Core

PEOPLE = 60
ENTRIES: dict[ChannelName, str] = {"telegram": "feria", "sms": "feria", "whatsapp": "plantilla"}


@pytest.fixture
def fire(core: Core, rehearsal: Rehearsal) -> Fire:
    """The lanes, before vendors whose weather can be changed."""
    return Fire(core, rehearsal)


@pytest.mark.parametrize(
    "kind", ["down", "reset", "500", "500-accepted", "closed-accepted", "reset-accepted", "half", "hang"]
)
@pytest.mark.parametrize("channel", ENTRIES)
async def test_what_cannot_be_known_is_unknown(fire: Fire, channel: ChannelName, kind: str) -> None:
    """A third of the requests are not answered: those people are unknown, asked no more, and all others have it."""
    await fire.crowd(PEOPLE, channel)
    await fire.rehearsal.faults(channel, kind, share=0.3, seed=7)
    await fire.core.announce(ENTRIES[channel])
    await fire.see_through(channel)
    await fire.rehearsal.faults(channel, "ok")
    await fire.see_through(channel)  # nor does a later start ask for them again
    counted, taken = await fire.counted(), await fire.taken()
    assert counted == {"sent": PEOPLE - counted["unknown"], "unknown": counted["unknown"]}
    assert 0.1 * PEOPLE < counted["unknown"] < 0.5 * PEOPLE
    await fire.agree()
    if kind in {"down", "reset", "500"}:
        assert await fire.refused() == counted["unknown"]
        assert len(taken) == counted["sent"]
    else:
        assert len(taken) == PEOPLE


@pytest.mark.parametrize(("kind", "more"), [("429", {"retry_after": [1, 300]}), ("slow", {"seconds": 0.05})])
@pytest.mark.parametrize("channel", ENTRIES)
async def test_a_throttled_or_slow_vendor_loses_nobody(
    fire: Fire, channel: ChannelName, kind: str, more: dict[str, object]
) -> None:
    """A third of the requests are told to wait, or answered late: all have it once in the end."""
    await fire.crowd(PEOPLE, channel)
    await fire.rehearsal.faults(channel, kind, share=0.3, seed=7, **more)
    await fire.core.announce(ENTRIES[channel])
    await fire.see_through(channel)
    assert await fire.counted() == {"sent": PEOPLE}
    await fire.agree()
