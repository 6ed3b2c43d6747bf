"""The SQL texts of conversation: what is heard, what was asked, what is linked, and what goes by itself.

Written as `sql` is.
"""

from __future__ import annotations

# --- inbound ----------------------------------------------------------------------------------------------

# A row without a text is answered; with one it is not yet, or a process died of it, which stored no more.
INBOUND_KNOWN = """
    SELECT text IS NULL AS answered, deaths FROM inbounds WHERE sender = :sender AND vendor_id = :vendor_id
"""
INBOUND_ADD = """
    INSERT INTO inbounds (sender, vendor_id, subscriber, left_there, heard_at)
    VALUES (:sender, :vendor_id, :subscriber, :left_there, :heard_at)
    ON CONFLICT (sender, vendor_id) DO UPDATE SET subscriber = excluded.subscriber, text = NULL
    RETURNING id
"""
INBOUND_DEADLY = """
    INSERT INTO inbounds (sender, vendor_id, text, left_there, heard_at, deaths)
    VALUES (:sender, :vendor_id, :nothing, 0, :now, 1)
    ON CONFLICT (sender, vendor_id) DO UPDATE SET deaths = inbounds.deaths + 1
    WHERE inbounds.text IS NOT NULL
"""
INBOUNDS_WAITING = """
    SELECT i.id, i.sender, i.vendor_id, i.text, i.left_there, s.channel, s.address
    FROM inbounds i JOIN subscribers s ON s.id = i.subscriber
    WHERE i.text IS NOT NULL ORDER BY i.id LIMIT :limit
"""
INBOUND_ANSWERED = "UPDATE inbounds SET text = NULL WHERE id = :id"
# A crash may keep a vendor from knowing that we have it: told again, it must not bring back who is erased.
INBOUNDS_OF_NOBODY = "UPDATE inbounds SET subscriber = NULL, text = NULL WHERE subscriber = :subscriber"
# Who writes, and what they were asked.
WRITER = """
    SELECT s.id, s.channel, s.language, s.community, s.state, a.question, a.choices, a.kept
    FROM subscribers s LEFT JOIN asked a ON a.subscriber = s.id AND a.until > :now
    WHERE s.channel = :channel AND s.address = :address
"""
ASKED = """
    INSERT INTO asked (subscriber, question, choices, kept, until)
    VALUES (:subscriber, :question, :choices, :kept, :until)
    ON CONFLICT (subscriber) DO UPDATE
    SET question = excluded.question, choices = excluded.choices, kept = excluded.kept, until = excluded.until
"""
# Whoever owes us an answer that matters is not asked for another.
ASK_OPINION = """
    INSERT INTO asked (subscriber, question, choices, until)
    SELECT subscriber, 'opinion', :choices, :until FROM deliveries
    WHERE broadcast = :broadcast AND subscriber IS NOT NULL
    ON CONFLICT (subscriber) DO UPDATE
    SET question = excluded.question, choices = excluded.choices, kept = NULL, until = excluded.until
    WHERE asked.question IN ('welcome', 'more', 'which', 'opinion')
"""
ASKED_NOTHING = "DELETE FROM asked WHERE subscriber = :subscriber"
ASKED_LAPSED = "DELETE FROM asked WHERE until <= :now"
TOPICS = "SELECT topic FROM topics WHERE subscriber = :subscriber"

# --- links ------------------------------------------------------------------------------------------------

LINK_OFFER = """
    INSERT INTO links (code, subscriber, until) VALUES (:code, :subscriber, :until)
    ON CONFLICT (subscriber) DO UPDATE SET code = excluded.code, until = excluded.until
"""
LINK_OFFERED = (
    "SELECT subscriber FROM links WHERE code = :code AND until > :now AND subscriber <> :subscriber"
)
# Whoever was linked to either of the two is linked to both.
LINK_TOGETHER = """
    UPDATE subscribers SET person = :person
    WHERE id IN (:one, :other)
       OR person IN (SELECT person FROM subscribers WHERE id IN (:one, :other) AND person IS NOT NULL)
"""
# What makes one of a person's copies of the same news better than another: it has left or will, its channel.
_BETTER = """
    CASE {d}.state WHEN 'held' THEN 2 WHEN 'queued' THEN 1 ELSE 0 END,
    CASE {s}.channel WHEN :first THEN 1 WHEN :second THEN 2 ELSE 3 END, {s}.id
"""
# Who is joined while copies wait on several addresses keeps the best; a correction follows each wrong one.
LINK_ONE_COPY = f"""
    UPDATE deliveries SET state = 'cancelled', reason = 'other-channel', settled_at = :now
    WHERE id IN (
        SELECT d.id FROM broadcasts b CROSS JOIN subscribers s CROSS JOIN deliveries d -- few at each step
        CROSS JOIN broadcasts c CROSS JOIN subscribers o CROSS JOIN deliveries e
        WHERE b.state IN ('running', 'paused') AND b.corrects IS NULL AND s.person = :person
          AND d.broadcast = b.id AND d.subscriber = s.id AND d.state IN ('queued', 'held')
          AND c.entry = b.entry AND c.corrects IS NULL
          AND (c.id = b.id OR c.community <> b.community AND abs(c.due_at - b.due_at) < :same)
          AND o.person = :person AND e.broadcast = c.id AND e.subscriber = o.id
          AND e.state NOT IN ('failed', 'cancelled', 'expired')
          AND ({_BETTER.format(d="e", s="o")}) < ({_BETTER.format(d="d", s="s")}))
"""  # noqa: S608 - a constant of ours
LINK_USED = "DELETE FROM links WHERE code = :code"
LINKS_LAPSED = "DELETE FROM links WHERE until <= :now"

# --- retention --------------------------------------------------------------------------------------------

# A reply's row is kept as long as a receipt may still come; then nothing tells any more who asked what.
REPLIES_OLD = """
    DELETE FROM deliveries WHERE broadcast IS NULL AND settled_at <= :before
      AND state NOT IN ('queued', 'held', 'claimed')
"""
# A vendor repeats itself for days, not for months: until then a replay is recognised.
INBOUNDS_OLD = """
    DELETE FROM inbounds
    WHERE text IS NULL AND heard_at <= :before OR subscriber IS NULL AND heard_at <= :nobody_before
"""
# Emptied, not deleted: each deleted text would read all deliveries for its references.
TEXTS_OLD = """
    UPDATE texts SET open = '[]', closed = NULL, mark = NULL
    WHERE broadcast IS NULL AND mark IS NOT NULL
      AND id NOT IN (SELECT text FROM deliveries WHERE broadcast IS NULL)
"""
