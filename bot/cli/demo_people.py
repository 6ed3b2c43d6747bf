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
_TWELVE: dict[ChannelName, str] = {
    "telegram": "Rosa fresno es-MX, Lupita phoenix es-MX, Kevin nueva-york en-US, Itzel fresno es-MX",
    "sms": "Emily phoenix en-US, Chuy nueva-york es-MX, Marisol fresno es-MX, Toño phoenix es-MX",
    "whatsapp": "Juan nueva-york es-MX, Ashley fresno en-US, Beto phoenix es-MX, Noemí nueva-york es-MX",
}
"""Four people on each channel. The first is whom the page shows first; the last has not joined yet."""


@dataclass(frozen=True, slots=True)
class Invented:
    """Somebody who does not exist.

    Attributes:
        name: Those who have one are on the page.
        state: What the vendors know of them, as the rehearsal calls it.
        joined: Whether they are on the list; the others can join on the page.
    """

    who: Newcomer
    name: str = ""
    state: str = "ok"
    joined: bool = True

    def as_row(self, community: Community, stranger: str) -> dict[str, object]:
        """As the rehearsal wants to know them; `stranger` is said of who has not joined."""
        city = community.name.partition(" en ")[2] or community.name
        return {
            "channel": self.who.channel,
            "address": self.who.address,
            "name": self.name,
            "note": f"{city} · {autonym(self.who.language) if self.joined else stranger}",
            "state": self.state,
            "shown": bool(self.name),
            "language": self.who.language,
            "timezone": community.zone.key,
        }


def twelve() -> Iterator[Invented]:
    """Three people in each of three communities, one on each channel, and a stranger on each."""
    for channel in CHANNELS:
        everyone = _TWELVE[channel].split(", ")
        for n, words in enumerate(everyone):
            name, community, language = words.split()
            number = f"+1{_AREAS[community]}55501{n + len(everyone) * CHANNELS.index(channel):02}"
            address = str(5000 + n) if channel == "telegram" else number
            who = Newcomer(channel, address, language, community, (), "other")
            yield Invented(who, name, joined=n < len(everyone) - 1)


def crowd() -> Iterator[Invented]:
    """A few thousand, of whom some have blocked us, left, or lost their number, as people do."""
    for n in range(_CROWD):
        channel = CHANNELS[n % 3]
        # 555-0100 to 555-0199 are kept free for invented people in every area code.
        address = str(100_000 + n) if channel == "telegram" else f"+1{201 + n // 100}55501{n % 100:02}"
        language, community = "en-US" if n % 4 == 0 else "es-MX", tuple(_AREAS)[n // 3 % 3]
        who = Newcomer(channel, address, language, community, (), "other")
        yield Invented(who, state=_fate(n, channel))


def _fate(n: int, channel: ChannelName) -> str:
    if n % 70 == 7:  # noqa: PLR2004 - one in seventy
        return "blocked" if channel == "telegram" else "opted-out"
    return "dead" if n % 110 == 11 else "ok"  # noqa: PLR2004 - one in a hundred and ten
