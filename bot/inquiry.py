"""A vendor is asked whether it took a message that had no answer.

What may enter: what to ask it for, and which of the messages it has may be this one. In doubt one is: then
nothing is sent again. See docs/decisions/0014-unknown-until-told.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from bot.moments import from_ms
from bot.outbox import window_from
from bot.store import settling
from bot.texts import load_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.store import Store, Transaction
    from bot.texts import Text
    from bot.vault import Vault
    from channels.base import Channel, Part

_SKEW = timedelta(minutes=6)
"""By how much the vendor's clock may differ from ours, and how long a request takes. A clock that jumped by
more than five minutes is doubted, see `arming`."""
_WRONG = timedelta(hours=26)
"""By how much our clock may have been wrong all the time, as by its zone, and still nothing comes twice."""

Answer = Literal["taken", "not-taken", "trouble", "silent"]
"""What a vendor says of a request: it has it, has no trace of it, cannot be asked now, or never tells."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A delivery whose last request had no answer.

    Attributes:
        attempt: The request's.
        part: Which part it carried.
        claimed_at: When it was about to leave, in milliseconds.
        looked: How often its vendor had no trace of it.
        deaths: How many processes died with it in hand.
        address: Sealed.
        heard_at: When the person last wrote, in milliseconds.
        may_repeat: Whether it may be said once more although it may have arrived.
    """

    id: int
    attempt: int
    part: int
    text: int
    claimed_at: int
    looked: int
    deaths: int
    subscriber: int
    address: bytes
    heard_at: int | None
    may_repeat: int


@dataclass(frozen=True, slots=True)
class Told:
    """What a vendor said of one.

    Attributes:
        vendor_id: Of the message, when it was taken.
        more: Whether it has another part to come.
    """

    answer: Answer
    vendor_id: str | None = None
    more: bool = False


class Inquiry:
    """The asking, for the deliveries of one store."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    async def told(self, sender: str, channel: Channel, one: Unknown) -> Told:
        """What the vendor says of one.

        Raises:
            Trouble: it cannot be asked now.
        """
        row = await self._store.read(lambda tx: tx.rows(settling.TEXT, {"id": one.text})[0])
        address, left = self._vault.open(channel.name, one.address), from_ms(one.claimed_at)
        said = _may_have_said(load_text(row, self._vault), one)
        for part, more in said:
            taken = await channel.look_up(address, part, left - _SKEW, left + _SKEW)
            if taken is None:
                return Told("silent")
            if found := await self._unexplained(one, taken):
                # One template looks like another: of fewer than left, nobody knows which these are.
                if part.template and len(found) <= await self._alike(sender, one):
                    return Told("trouble")
                return Told("taken", found[0], more)
        for part, _ in said:  # the same words, of another hour and nobody's, may be this one
            if part.template:
                continue  # whatever else they were sent would look like it
            taken = await channel.look_up(address, part, left - _WRONG, left + _WRONG)
            if await self._unexplained(one, taken or ()):
                return Told("trouble")
        return Told("not-taken")

    async def _alike(self, sender: str, one: Unknown) -> int:
        """How many other deliveries to the same person may be the message that was found."""
        around = 2 * _SKEW // timedelta(milliseconds=1)
        since, until = one.claimed_at - around, one.claimed_at + around
        values = {
            "id": one.id,
            "sender": sender,
            "subscriber": one.subscriber,
            "since": since,
            "until": until,
        }
        return int(await self._store.read(lambda tx: tx.rows(settling.ALIKE, values)[0]["others"]))

    async def _unexplained(self, one: Unknown, taken: Sequence[str]) -> list[str]:
        """Those messages that are of no other delivery to the same person, nor an earlier part of this."""

        def work(tx: Transaction) -> list[str]:
            person = {"subscriber": one.subscriber}
            return [each for each in taken if not tx.one(settling.HELD, person | {"vendor_id": each})]

        return await self._store.read(work)


def _may_have_said(text: Text, one: Unknown) -> list[tuple[Part, bool]]:
    """What the request may have been of, and whether more was to follow.

    Who wrote since then may have been within the reply window before, or not.
    """
    begins, heard = window_from(from_ms(one.claimed_at)), one.heard_at or 0
    said = [text.open] if heard > begins else []
    if text.closed and text.closed not in said and not begins < heard <= one.claimed_at:
        said.append(text.closed)
    return [(parts[min(one.part, len(parts) - 1)], one.part + 1 < len(parts)) for parts in said]
