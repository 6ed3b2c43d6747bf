"""The SQL texts of decisions: a broadcast's states and their history, and whether this copy may send.

Written as `sql` is.
"""

from __future__ import annotations

# --- a broadcast's state, and who decided it --------------------------------------------------------------

BROADCAST_ADD = """
    INSERT INTO broadcasts (entry, community, moment, state, priority, why, due_at, late, valid_until, hash,
        corrects)
    VALUES (:entry, :community, :moment, :state, :priority, :why, :due_at, :late, :valid_until, :hash,
        :corrects)
    ON CONFLICT (entry, community, moment) DO NOTHING
    RETURNING id
"""
BROADCAST_STATE = "UPDATE broadcasts SET state = :to WHERE id = :id AND state = :from"
BROADCAST_SUBMITTED = """
    UPDATE broadcasts SET hash = :hash, due_at = :due_at, valid_until = :valid_until WHERE id = :id
"""
HISTORY_ADD = """
    INSERT INTO history (broadcast, state, who, at, reason) VALUES (:broadcast, :state, :who, :at, :reason)
"""
HISTORY = "SELECT state, who, at, reason FROM history WHERE broadcast = :broadcast ORDER BY id"

# What waits for its moment or for a person, and whose time is over before either came.
BROADCASTS_OVER = """
    SELECT id, state, entry FROM broadcasts
    WHERE state IN ('draft', 'submitted', 'returned', 'approved', 'scheduled', 'missed')
      AND valid_until <= :now
"""
BROADCASTS_TO_SUBMIT = """
    SELECT * FROM broadcasts
    WHERE entry = :entry AND community = :community AND state IN ('draft', 'returned') ORDER BY id
"""
SAID_SINCE = """
    SELECT 1 AS yes FROM broadcasts
    WHERE entry = :entry AND community = :community AND due_at > :since AND due_at <= :now
      AND state NOT IN ('cancelled', 'rejected')
    LIMIT 1
"""
ANY_TOO_LATE = """
    SELECT EXISTS (SELECT 1 FROM deliveries
                   WHERE broadcast = :broadcast AND state = 'expired' AND reason = 'too-late') AS some
"""

# --- arming -----------------------------------------------------------------------------------------------

ARMING = """
    SELECT token, beat, beat_at, judged_at, since, off,
        EXISTS (SELECT 1 FROM broadcasts b JOIN deliveries d ON d.broadcast = b.id AND d.state = 'queued'
                WHERE b.state IN ('running', 'paused')) AS waiting
    FROM arming WHERE id = 1
"""
ARMING_FIRST = """
    INSERT INTO arming (id, token, beat, beat_at) VALUES (1, :token, 1, :now) ON CONFLICT (id) DO NOTHING
"""
ARMING_BEAT = """
    UPDATE arming SET beat = beat + 1, beat_at = coalesce(:now, beat_at) WHERE id = 1 RETURNING token, beat
"""
ARMING_JUDGED = "UPDATE arming SET judged_at = :now WHERE id = 1"
ARMING_TRUSTED = "UPDATE arming SET beat_at = :now, off = NULL, who = :who WHERE id = 1"
ARMING_OFF = "UPDATE arming SET off = :off WHERE id = 1"
# What was queued, or told to wait, by a clock that ran ahead would wait for as long as that was. Who has had
# enough waits for a week at most by a right one, and a letter of the consulate for the morning.
QUEUED_AHEAD = """
    UPDATE deliveries SET due_at = :now
    WHERE state = 'queued'
      AND due_at > :now + CASE WHEN reason = 'enough' THEN 691200000
                               WHEN broadcast IS NULL AND inbound IS NULL THEN 86400000 ELSE 0 END
"""
LANES_AHEAD = "UPDATE lanes SET wait_until = :now WHERE wait_until > :now + 86400000"
REPLIES_STALE = """
    UPDATE deliveries SET state = 'cancelled', reason = 'restored', settled_at = :now
    WHERE broadcast IS NULL AND state IN ('queued', 'held')
"""
# The next ones follow all numbers that the original can have given.
DELIVERIES_AHEAD = "UPDATE sqlite_sequence SET seq = seq + 10000000 WHERE name = 'deliveries'"
ARMING_ON = """
    UPDATE arming SET token = :token, beat = :beat, beat_at = :now, since = :now, off = NULL, who = :who
    WHERE id = 1
"""
