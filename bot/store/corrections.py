"""Every SQL text about corrections, once, by what it is for; written as those of `sql`."""

from __future__ import annotations

# Whether somebody may have got something of a delivery.
_REACHED = """
    CASE WHEN d.part > 0 OR d.state IN ('claimed', 'sent', 'delivered', 'read', 'unknown') THEN 1 ELSE 0 END
"""
# Who may have got a text is told of it; who was still to get it is told the right one alone, or of what they
# got before. Nobody else.
_AUDIENCE = f"""
    d.broadcast = :corrects AND s.state = 'active'
    AND ({_REACHED} = 1 OR d.state = 'cancelled' AND d.reason = 'corrected'
         OR d.corrects IS NOT NULL AND d.state IN ('cancelled', 'expired'))
"""

# A correction that was dropped before it began is none.
_COUNTS = """
    (c.state NOT IN ('rejected', 'cancelled', 'expired')
     OR EXISTS (SELECT 1 FROM texts t WHERE t.broadcast = c.id))
"""
# Whether the broadcast `b` said something wrong.
CORRECTED = f"EXISTS (SELECT 1 FROM broadcasts c WHERE c.corrects = b.id AND {_COUNTS})"  # noqa: S608 - a constant of ours
CORRECTED_BY = f"""
    SELECT id FROM broadcasts c WHERE corrects = :id AND {_COUNTS} ORDER BY id DESC LIMIT 1
"""  # noqa: S608 - a constant of ours
MADE = "SELECT count(*) AS corrections FROM broadcasts WHERE corrects = :id"
TEXTS = """
    SELECT id, channel, language, variant, sender, open, closed FROM texts
    WHERE broadcast = :broadcast ORDER BY id
"""
AUDIENCE = f"""
    SELECT DISTINCT d.text, {_REACHED} AS reached FROM deliveries d JOIN subscribers s ON s.id = d.subscriber
    WHERE {_AUDIENCE}
"""  # noqa: S608 - a constant of ours
# `:landed` is when a request that is under way now is surely over.
FAN_OUT = f"""
    INSERT INTO deliveries (broadcast, subscriber, text, sender, state, reason, due_at, corrects)
    SELECT :broadcast, s.id, t.id, t.sender,
           CASE WHEN t.closed IS NULL AND coalesce(s.heard_at, 0) <= :window_from
                THEN 'held' ELSE 'queued' END,
           CASE WHEN t.closed IS NULL AND coalesce(s.heard_at, 0) <= :window_from THEN 'window' END,
           CASE WHEN d.state = 'claimed' THEN :landed ELSE :now END,
           CASE WHEN :reached = 1 THEN d.id ELSE d.corrects END
    FROM deliveries d
    JOIN subscribers s ON s.id = d.subscriber
    JOIN texts t ON t.id = :right
    WHERE {_AUDIENCE} AND d.text = :wrong AND {_REACHED} = :reached
    ON CONFLICT (broadcast, subscriber) DO NOTHING
"""  # noqa: S608 - a constant of ours
TOLD = "SELECT count(corrects), count(*) - count(corrects) FROM deliveries WHERE broadcast = :broadcast"
COPY = """
    WITH RECURSIVE copies (ago, id) AS (
        SELECT 0, :id
        UNION ALL
        SELECT c.ago + 1, d.corrects FROM copies c JOIN deliveries d ON d.id = c.id
        WHERE d.corrects IS NOT NULL AND c.ago < :ago
    )
    SELECT d.vendor_id FROM copies c JOIN deliveries d ON d.id = c.id WHERE c.ago = :ago
"""
# The second condition is the index's own, as in `sql.ORPHANS`.
ORPHANED = """
    SELECT d.id, d.part, t.open, t.closed, t.category, t.owner FROM deliveries d JOIN texts t ON t.id = d.text
    WHERE d.state = 'claimed' AND d.state IN ('held', 'claimed') AND d.corrects IS NOT NULL
"""
AGAIN = """
    UPDATE deliveries SET deaths = deaths + :died,
        state = CASE WHEN deaths + :died < :most THEN 'queued' ELSE 'failed' END,
        reason = CASE WHEN deaths + :died < :most THEN reason ELSE 'quarantined' END,
        settled_at = CASE WHEN deaths + :died < :most THEN settled_at ELSE :now END
    WHERE id = :id AND state = 'claimed'
"""
