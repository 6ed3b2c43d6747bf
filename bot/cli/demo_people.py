"""The people of the demo. None of them exists: their numbers are those kept free for invention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.languages import autonym
from bot.newcomers import Newcomer
from channels.base import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.timetable import Community
    from channels.base import ChannelName

_CROWD = 3000
_AREAS = {"fresno": "559", "phoenix": "602", "nueva-york": "212"}
_NINE: dict[ChannelName, str] = {
    "telegram": "Rosa fresno es-MX, Lupita phoenix es-MX, Kevin nueva-york en-US",
    "sms": "Emily phoenix en-US, Chuy nueva-york es-MX, Marisol fresno es-MX",
    "whatsapp": "Juan nueva-york es-MX, Ashley fresno en-US, Beto phoenix es-MX",
}
"""Three people on each channel; the first of each is whom the page shows first."""


@dataclass(frozen=True, slots=True)
class Invented:
    """Somebody who does not exist.

    Attributes:
        name: Those who have one are on the page.
        state: What the vendors know of them, as the rehearsal calls it.
    """

    who: Newcomer
    name: str = ""
    state: str = "ok"

    def as_row(self, community: Community) -> dict[str, object]:
        """As the rehearsal wants to know them."""
        city = community.name.partition(" en ")[2] or community.name
        return {
            "channel": self.who.channel,
            "address": self.who.address,
            "name": self.name,
            "note": f"{city} · {autonym(self.who.language)}",
            "state": self.state,
            "shown": bool(self.name),
            "language": self.who.language,
            "timezone": community.zone.key,
        }


def nine() -> Iterator[Invented]:
    """Three people in each of three communities, one on each channel."""
    for channel in CHANNELS:
        for n, words in enumerate(_NINE[channel].split(", ")):
            name, community, language = words.split()
            number = f"+1{_AREAS[community]}555010{n + 3 * CHANNELS.index(channel)}"
            address = str(5000 + n) if channel == "telegram" else number
            yield _invented(channel, address, language, community, name)


def crowd() -> Iterator[Invented]:
    """A few thousand, of whom some have blocked us, left, or lost their number, as people do."""
    for n in range(_CROWD):
        channel = CHANNELS[n % 3]
        # 555-0100 to 555-0199 are kept free for invented people in every area code.
        address = str(100_000 + n) if channel == "telegram" else f"+1{201 + n // 100}55501{n % 100:02}"
        language, community = "en-US" if n % 4 == 0 else "es-MX", tuple(_AREAS)[n // 3 % 3]
        yield _invented(channel, address, language, community, "", _fate(n, channel))


def _fate(n: int, channel: ChannelName) -> str:
    if n % 70 == 7:  # noqa: PLR2004 - one in seventy
        return "blocked" if channel == "telegram" else "opted-out"
    return "dead" if n % 110 == 11 else "ok"  # noqa: PLR2004 - one in a hundred and ten


def _invented(
    channel: ChannelName, address: str, language: str, community: str, name: str, state: str = "ok"
) -> Invented:
    return Invented(Newcomer(channel, address, language, community, (), "other"), name, state)
