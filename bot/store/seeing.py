"""The SQL texts of what is seen from outside: how much waits, what is not known, of what no receipt came.

Written as `sql` is. Asked every few seconds, so none reads more than `:most` rows, however many there are.
"""

from __future__ import annotations

# --- what waits -------------------------------------------------------------------------------------------

_WAITING = "sender = :sender AND {which} AND state = 'queued'"
_DEPTH = f"""
    SELECT count(*) AS deliveries FROM (SELECT 1 FROM deliveries WHERE {_WAITING} LIMIT :most)
"""  # noqa: S608 - a constant of ours
# Of those whose first parts have gone there are few: they go on before another begins.
_OLDEST = f"""
    SELECT (SELECT due_at FROM deliveries WHERE {_WAITING} AND part = 0 AND due_at <= :now
            ORDER BY due_at LIMIT 1) AS whole,
           (SELECT min(due_at) FROM (SELECT due_at FROM deliveries
                                     WHERE {_WAITING} AND part > 0 AND due_at <= :now LIMIT :most)) AS begun
"""  # noqa: S608 - a constant of ours
_REPLIES, _BROADCAST = "broadcast IS NULL", "broadcast = :broadcast"
DEPTH_REPLIES, DEPTH_BROADCAST = _DEPTH.format(which=_REPLIES), _DEPTH.format(which=_BROADCAST)
OLDEST_REPLIES, OLDEST_BROADCAST = _OLDEST.format(which=_REPLIES), _OLDEST.format(which=_BROADCAST)

UNKNOWN = """
    SELECT count(*) AS deliveries
    FROM (SELECT 1 FROM deliveries WHERE sender = :sender AND state = 'unknown' LIMIT :most)
"""
UNANSWERED = """
    SELECT count(*) AS inbounds, min(heard_at) AS heard_at
    FROM (SELECT heard_at FROM inbounds WHERE text IS NOT NULL ORDER BY id LIMIT :most)
"""

# --- of what no receipt came ------------------------------------------------------------------------------

TOLD = "UPDATE deliveries SET told = 1 WHERE id = :id"
TALLY = """
    INSERT INTO tallies (sender, quarter, sent, told) VALUES (:sender, :quarter, :sent, :told)
    ON CONFLICT (sender, quarter) DO UPDATE
    SET sent = tallies.sent + excluded.sent, told = tallies.told + excluded.told
"""
TALLIES = """
    SELECT quarter, sent, told FROM tallies
    WHERE sender = :sender AND quarter >= :since AND quarter < :until ORDER BY quarter DESC
"""
TALLIES_OLD = "DELETE FROM tallies WHERE quarter < :before"
