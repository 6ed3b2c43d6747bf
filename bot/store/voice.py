"""The SQL texts of the community's voice: threads and letters, and the figures of what people miss.

Written as `sql` is.
"""

from __future__ import annotations

# --- threads ----------------------------------------------------------------------------------------------

THREAD_NAMED = "SELECT 1 AS yes FROM threads WHERE reference = :reference"
THREAD_ADD = """
    INSERT INTO threads (reference, community, kind, subscriber, sender, state)
    VALUES (:reference, :community, :kind, :subscriber, :sender, 'received')
"""
LETTER_ADD = """
    INSERT INTO letters (thread, author, text, written_at, delivery)
    SELECT id, :author, :text, :written_at, :delivery FROM threads WHERE reference = :reference
"""
# A thread is its writer's, from whichever of their addresses they write.
_THEIRS = """
    reference = :reference AND subscriber IN (
        SELECT o.id FROM subscribers o JOIN subscribers me ON me.id = :subscriber
        WHERE o.id = me.id OR o.person = me.person)
"""
THREAD_STATE = f"""
    SELECT CASE WHEN closed_at IS NULL OR state = 'adopted' THEN state ELSE 'closed' END AS state
    FROM threads WHERE {_THEIRS}
"""  # noqa: S608 - a constant of ours
THREAD_WRITTEN = f"""
    UPDATE threads SET closed_at = NULL, state = CASE WHEN state = 'answered' THEN 'received' ELSE state END
    WHERE {_THEIRS}
"""  # noqa: S608 - a constant of ours
_THREAD = """
    SELECT t.reference, t.community, t.kind, t.subscriber, t.sender, t.state, t.closed_at,
           s.channel, s.language, s.heard_at, s.state AS person, l.author, l.written_at,
           d.state AS delivery, d.reason, d.due_at
    FROM threads t
    JOIN subscribers s ON s.id = t.subscriber
    JOIN letters l ON l.id = (SELECT max(id) FROM letters WHERE thread = t.id)
    LEFT JOIN deliveries d ON d.id = l.delivery
"""
THREAD = f"{_THREAD} WHERE t.reference = :reference"
THREADS = f"""
    {_THREAD} WHERE :closed = 1 OR t.closed_at IS NULL
    ORDER BY t.closed_at IS NOT NULL, l.author = 'consulate', l.written_at
"""
LETTERS = """
    SELECT l.author, l.text, l.written_at, d.state AS delivery, d.reason, d.due_at
    FROM letters l
    JOIN threads t ON t.id = l.thread
    LEFT JOIN deliveries d ON d.id = l.delivery
    WHERE t.reference = :reference ORDER BY l.id
"""
LETTER_SEND = """
    INSERT INTO deliveries (subscriber, text, sender, state, reason, due_at)
    VALUES (:subscriber, :text, :sender, :state, :reason, :due_at)
    RETURNING id
"""
# What was closed stays closed, and is kept for the same while after its last letter.
THREAD_ANSWERED = """
    UPDATE threads SET state = CASE WHEN state = 'adopted' THEN state ELSE 'answered' END,
        closed_at = CASE WHEN closed_at IS NOT NULL THEN :now END
    WHERE reference = :reference
"""
THREAD_CONSIDER = """
    UPDATE threads SET state = 'considered'
    WHERE reference = :reference AND closed_at IS NULL AND state IN ('received', 'answered')
"""
THREAD_CLOSE = """
    UPDATE threads SET closed_at = coalesce(closed_at, :now),
        state = CASE WHEN :adopted = 1 THEN 'adopted' ELSE state END
    WHERE reference = :reference AND (closed_at IS NULL OR :adopted = 1 AND state <> 'adopted')
"""
REPLIES_WITHDRAW = """
    UPDATE deliveries SET state = 'cancelled', reason = 'left', settled_at = :now
    WHERE state IN ('queued', 'held')
      AND id IN (SELECT l.delivery FROM letters l JOIN threads t ON t.id = l.thread
                 WHERE t.subscriber = :subscriber)
"""
REPLIES_FORGET = """
    DELETE FROM deliveries
    WHERE id IN (SELECT l.delivery FROM letters l JOIN threads t ON t.id = l.thread
                 WHERE t.closed_at <= :before)
"""
THREADS_FORGET = "DELETE FROM threads WHERE closed_at <= :before"

# --- figures ----------------------------------------------------------------------------------------------

GAP_COUNT = """
    INSERT INTO gaps (community, question, month, times) VALUES (:community, :question, :month, 1)
    ON CONFLICT (community, question, month) DO UPDATE SET times = gaps.times + 1
"""
GAPS = """
    SELECT community, question, max(month) AS month, sum(times) AS times FROM gaps
    GROUP BY community, question
"""
GAPS_FORGET = "DELETE FROM gaps WHERE month < :before"
OPINED = "INSERT INTO opined (subscriber, entry) VALUES (:subscriber, :entry) ON CONFLICT DO NOTHING"
OPINION_COUNT = """
    INSERT INTO opinions (entry, community, useful, useless) VALUES (:entry, :community, :useful, :useless)
    ON CONFLICT (entry, community) DO UPDATE
    SET useful = opinions.useful + excluded.useful, useless = opinions.useless + excluded.useless
"""
OPINIONS = "SELECT entry, community, useful, useless FROM opinions ORDER BY community, entry"
