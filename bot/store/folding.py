"""The SQL of retention: what became of each person is counted, and then forgotten.

Written as `sql` is.
"""

from __future__ import annotations

_OVER = "('done', 'cancelled', 'expired', 'rejected')"
# Broadcasts that are over, and of which nothing that may still come asks who got them: not the same news in
# another community (`audience.SAME`), nor a correction that waits for its yes.
FOLDING = f"""
    SELECT b.id FROM broadcasts b
    WHERE b.state IN {_OVER}
      AND coalesce((SELECT max(h.at) FROM history h WHERE h.broadcast = b.id), b.due_at) <= :before
      AND EXISTS (SELECT 1 FROM deliveries d WHERE d.broadcast = b.id)
      AND NOT EXISTS (SELECT 1 FROM broadcasts o
                      WHERE o.entry = b.entry AND o.state NOT IN {_OVER}
                        AND (o.corrects = b.id OR abs(o.due_at - b.due_at) < :same))
    ORDER BY b.id
"""  # noqa: S608 - a constant of ours
FOLD = """
    DELETE FROM deliveries
    WHERE id IN (SELECT id FROM deliveries
                 WHERE broadcast = :broadcast AND settled_at <= :before
                   AND state NOT IN ('queued', 'held', 'claimed')
                 LIMIT :limit)
    RETURNING state, coalesce(reason, ''), sender, looked > 0 AND state <> 'unknown', repeated,
        part > 0 AND state IN ('cancelled', 'expired')
"""
FOLDED = """
    INSERT INTO folded (broadcast, state, reason, sender, people, asked, repeated, begun)
    VALUES (:broadcast, :state, :reason, :sender, :people, :asked, :repeated, :begun)
    ON CONFLICT (broadcast, state, reason, sender) DO UPDATE
    SET people = folded.people + excluded.people, asked = folded.asked + excluded.asked,
        repeated = folded.repeated + excluded.repeated, begun = folded.begun + excluded.begun
"""
ANY_FOLDED = "SELECT 1 AS yes FROM folded WHERE broadcast = :broadcast LIMIT 1"
