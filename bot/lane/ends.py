"""How a claim ended, as its row will say it. Pure: what happened in, what to write down out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.moments import to_ms
from bot.outbox import Settled
from bot.policy import NEXT_PART
from channels.trouble import Broken, Later, Refused, Unsure

if TYPE_CHECKING:
    from datetime import datetime

    from bot.outbox import Claim
    from bot.policy import Decision
    from bot.texts import Text
    from channels.base import Part
    from channels.trouble import Trouble


def unsaid(claim: Claim, text: Text, now: datetime) -> Settled | None:
    """What becomes of a claim for which nothing may leave by now; None when it may."""
    if claim.sealed is None or (claim.person in ("left", "gone") and not claim.reply):
        return Settled(claim, "cancelled", claim.person if claim.sealed else "erased")
    if claim.valid_until is not None and claim.valid_until <= to_ms(now):
        return Settled(claim, "expired", "too-late")
    shut = text.shut(free=claim.free(now), marketing=claim.marketing != 0)
    return Settled(claim, "held", shut) if shut else None


def accepted(claim: Claim, parts: int, vendor_id: str | None, now: datetime) -> Settled:
    """The vendor took this part of so many; None where there was nothing to do for it."""
    if claim.part + 1 >= parts:
        return Settled(claim, "sent", vendor_id=vendor_id)
    return Settled(claim, "next", vendor_id=vendor_id, due_at=now + NEXT_PART)


def interrupted(claim: Claim, part: Part, now: datetime) -> Settled:
    """We were stopped while it was on its way. A copy may be made right twice, a message not sent twice."""
    if part.replaces:
        return Settled(claim, "queued", due_at=now)
    return Settled(claim, "unknown", "stopped")


def weighed(claim: Claim, part: Part, trouble: Trouble) -> Trouble:
    """The trouble as the policy is to judge it.

    What may be done twice is tried again when in doubt. A reply whose text is refused is one person's alone:
    by the time that it is mended nobody waits for it.
    """
    if part.replaces and isinstance(trouble, Unsure):
        return Later(trouble.reason, code=trouble.code)
    if claim.reply and isinstance(trouble, Broken) and trouble.text:
        return Refused(trouble.reason, code=trouble.code)
    return trouble


def troubled(claim: Claim, part: Part, decision: Decision, moved_to: bytes | None, now: datetime) -> Settled:
    """What the policy decided. A copy that cannot be made right does not keep its correction from leaving."""
    if part.replaces and decision.state == "failed" and decision.person is None:
        return Settled(claim, "next", due_at=now)
    return Settled(
        claim,
        decision.state,
        decision.reason,
        due_at=decision.due_at,
        person=decision.person,
        moved_to=moved_to,
        lane_until=None if decision.broken else decision.lane_until,  # the vendor's wish outlives us
    )
