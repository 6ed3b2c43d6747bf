"""Every SQL text about deliveries that had no answer, once, by what it is for; written as those of `sql`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.moments import to_ms

if TYPE_CHECKING:
    from datetime import datetime

PATIENCE = timedelta(hours=72)
"""For how long after a request its vendor is asked what became of it: longer than its outages last."""

# What is left of a delivery goes on, unless its broadcast is over.
_CANCELLED = "EXISTS (SELECT 1 FROM broadcasts b WHERE b.id = deliveries.broadcast AND b.state = 'cancelled')"
_OVER = """EXISTS (SELECT 1 FROM broadcasts b WHERE b.id = deliveries.broadcast
                   AND (b.state NOT IN ('running', 'paused') OR b.valid_until <= :now))"""
_CORRECTED = "EXISTS (SELECT 1 FROM broadcasts c WHERE c.corrects = deliveries.broadcast)"
_GOES_ON = f"""
    state = CASE WHEN {_CANCELLED} THEN 'cancelled' WHEN {_OVER} THEN 'expired' ELSE 'queued' END,
    reason = CASE WHEN {_CANCELLED} THEN CASE WHEN {_CORRECTED} THEN 'corrected' ELSE 'cancelled' END
                  WHEN {_OVER} THEN 'too-late' END,
    settled_at = CASE WHEN {_CANCELLED} OR {_OVER} THEN :now ELSE settled_at END, due_at = :due_at, looked = 0
"""

# --- receipts ---------------------------------------------------------------------------------------------

# This part has arrived: the next one leaves, whatever became of the answer to this.
GO_ON = f"""
    UPDATE deliveries SET part = part + 1, vendor_id = :vendor_id, {_GOES_ON}
    WHERE id = :id AND part = :part AND state IN ('queued', 'claimed', 'unknown')
"""  # noqa: S608 - a constant of ours

# --- the unknown ------------------------------------------------------------------------------------------

# An unknown delivery's `due_at` is when its vendor is asked next. Three days after it left nobody asks any
# more, nor when it left by a clock that was wrong: the vendor would be asked for the wrong time; nor of whom
# nobody knows any more.
_ASKED = """state = 'unknown' AND claimed_at > :oldest AND due_at < claimed_at + :patience
             AND subscriber IS NOT NULL"""
UNSETTLED = f"""
    SELECT d.id, d.attempt, d.part, d.text, d.claimed_at, d.looked, d.deaths, d.subscriber,
           s.address, s.heard_at,
           CASE WHEN b.priority = 1 AND b.state IN ('running', 'paused') AND s.state = 'active'
                     AND (b.valid_until IS NULL OR b.valid_until > :now) AND d.repeated = 0
                THEN 1 ELSE 0 END AS may_repeat
    FROM (SELECT * FROM deliveries
          WHERE {_ASKED} AND sender = :sender AND claimed_at <= :youngest AND due_at <= :now) d
    JOIN subscribers s ON s.id = d.subscriber
    LEFT JOIN broadcasts b ON b.id = d.broadcast
    ORDER BY coalesce(b.priority, 0), d.claimed_at, d.id LIMIT :limit
"""  # noqa: S608 - a constant of ours
_UNKNOWN = "id = :id AND attempt = :attempt AND state = 'unknown'"
ASK_AGAIN = f"UPDATE deliveries SET looked = :looked, due_at = :due_at WHERE {_UNKNOWN}"  # noqa: S608 - a constant of ours
FOUND = f"""
    UPDATE deliveries SET state = 'sent', reason = NULL, vendor_id = :vendor_id, looked = looked + 1,
        settled_at = :now
    WHERE {_UNKNOWN}
"""  # noqa: S608 - a constant of ours
FOUND_PART = f"""
    UPDATE deliveries SET part = part + 1, vendor_id = :vendor_id, {_GOES_ON}
    WHERE {_UNKNOWN}
"""  # noqa: S608 - a constant of ours
NOT_TAKEN = f"UPDATE deliveries SET {_GOES_ON} WHERE {_UNKNOWN}"  # noqa: S608 - a constant of ours
GIVE_UP = f"UPDATE deliveries SET state = 'failed', settled_at = :now WHERE {_UNKNOWN}"  # noqa: S608 - a constant of ours
ONCE_MORE = f"""
    UPDATE deliveries SET text = :text, part = 0, repeated = 1, state = 'queued', reason = NULL,
        due_at = :due_at, looked = 0
    WHERE {_UNKNOWN} AND repeated = 0 AND NOT {_OVER}
"""  # noqa: S608 - a constant of ours
# Of what had no answer until a clock was found wrong nobody can tell when it left.
MOMENTS_DOUBTED = "UPDATE deliveries SET claimed_at = NULL WHERE state IN ('claimed', 'unknown')"
# Whether another delivery to the same person is this message.
HELD = "SELECT 1 AS yes FROM deliveries WHERE subscriber = :subscriber AND vendor_id = :vendor_id"
# The others of whose last request, about then, no number is known either.
ALIKE = """
    SELECT (SELECT count(*) FROM deliveries
            WHERE state = 'unknown' AND sender = :sender AND claimed_at BETWEEN :since AND :until
              AND subscriber = :subscriber AND id <> :id)
         + (SELECT count(*) FROM deliveries
            WHERE state = 'claimed' AND state IN ('held', 'claimed') AND sender = :sender
              AND claimed_at BETWEEN :since AND :until AND subscriber = :subscriber) AS others
"""
TEXT = """
    SELECT id, broadcast, channel, language, variant, edition, sender, open, closed, category, owner
    FROM texts WHERE id = :id
"""
TEXT_OF = """
    SELECT id FROM texts
    WHERE broadcast = :broadcast AND channel = :channel AND language = :language AND variant = :variant
"""
# What may still turn out not to have been taken, and would leave again. The + keeps SQLite from reading the
# whole broadcast: few deliveries are unknown.
MAY_LEAVE_AGAIN = f"""
    SELECT EXISTS (SELECT 1 FROM deliveries
                   WHERE sender IN (SELECT DISTINCT sender FROM texts WHERE broadcast = :broadcast)
                     AND {_ASKED} AND +broadcast = :broadcast) AS some
"""  # noqa: S608 - a constant of ours
# How each sender says a broadcast, and what came of asking there. Of most deliveries there is nothing to say.
KEPT = f"""
    SELECT t.sender, t.channel, coalesce(max(d.asked), 0) AS asked, coalesce(max(d.open), 0) AS open,
           coalesce(max(d.repeated), 0) AS repeated
    FROM texts t
    LEFT JOIN (SELECT sender, sum(asked) AS asked, sum(open) AS open, sum(repeated) AS repeated
               FROM (SELECT sender, looked > 0 AND state <> 'unknown' AS asked, {_ASKED} AS open, repeated
                     FROM deliveries
                     WHERE broadcast = :broadcast AND (state = 'unknown' OR looked > 0 OR repeated > 0)
                     UNION ALL SELECT sender, asked, 0, repeated FROM folded WHERE broadcast = :broadcast)
               GROUP BY sender) d ON d.sender = t.sender
    WHERE t.broadcast = :broadcast GROUP BY t.sender, t.channel ORDER BY t.sender
"""  # noqa: S608 - a constant of ours


def since(now: datetime) -> dict[str, object]:
    """Which of what is unknown is asked for at `now` (aware UTC)."""
    return {"oldest": to_ms(now - PATIENCE), "patience": PATIENCE // timedelta(milliseconds=1)}
