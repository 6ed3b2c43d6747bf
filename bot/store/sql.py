"""Every SQL text of the project, once, by what it is for.

Written so that PostgreSQL can read it too: standard upserts, RETURNING, no function of one engine. Values
are named. Times are milliseconds since 1970, UTC.
"""

from __future__ import annotations

# --- the vault's mark -------------------------------------------------------------------------------------

VAULT_SEAL = "SELECT seal FROM vaults WHERE id = 1"
VAULT_KEEP = "INSERT INTO vaults (id, seal) VALUES (1, :seal)"

# --- subscribers ------------------------------------------------------------------------------------------

# An import never brings back somebody who left: only their own word does.
SUBSCRIBER_IMPORT = """
    INSERT INTO subscribers (channel, address, language, community, state, joined, marketing)
    VALUES (:channel, :address, :language, :community, 'active', :joined, :marketing)
    ON CONFLICT (channel, address) DO UPDATE
    SET language = excluded.language, community = excluded.community, marketing = excluded.marketing,
        state = CASE WHEN subscribers.state = 'left' THEN 'left' ELSE 'active' END,
        forget_at = CASE WHEN subscribers.state = 'left' THEN subscribers.forget_at END
    RETURNING id, state
"""
SUBSCRIBER_HEARD = """
    INSERT INTO subscribers
        (channel, address, language, community, state, heard_at, joined, forget_at, marketing)
    VALUES (:channel, :address, :language, :community, 'visitor', :heard_at, :joined, :forget_at, :marketing)
    ON CONFLICT (channel, address) DO UPDATE
    SET heard_at = excluded.heard_at,
        state = CASE WHEN subscribers.state = 'gone' THEN 'visitor' ELSE subscribers.state END,
        forget_at = CASE WHEN subscribers.state IN ('visitor', 'gone') THEN excluded.forget_at
                         ELSE subscribers.forget_at END
    RETURNING id
"""
SUBSCRIBER = "SELECT id, channel, address, language, community, state FROM subscribers WHERE id = :id"
SUBSCRIBERS = "SELECT id, channel, address, state FROM subscribers"
SUBSCRIBER_BY_ADDRESS = "SELECT id, state FROM subscribers WHERE channel = :channel AND address = :address"
SUBSCRIBER_STATE = "UPDATE subscribers SET state = :state, forget_at = :forget_at WHERE id = :id"
SUBSCRIBER_UNCONFIRMED = """
    UPDATE subscribers SET state = 'visitor', forget_at = :forget_at WHERE id = :id AND state <> 'active'
"""
SUBSCRIBER_LANGUAGE = "UPDATE subscribers SET language = :language WHERE id = :id"
SUBSCRIBER_COMMUNITY = "UPDATE subscribers SET community = :community WHERE id = :id"
# Everybody this person is.
LINKED = """
    SELECT id, channel, address, state FROM subscribers
    WHERE id = :id OR person = (SELECT person FROM subscribers WHERE id = :id)
"""
# A visit is over, or a farewell is said; who waits for their consulate's answer is not forgotten meanwhile.
FORGET_DUE = """
    SELECT id, state FROM subscribers s
    WHERE forget_at IS NOT NULL
      AND (forget_at <= :now
           OR state = 'left' AND NOT EXISTS (SELECT 1 FROM inbounds i JOIN deliveries d ON d.inbound = i.id
                                             WHERE i.subscriber = s.id AND d.state IN ('queued', 'claimed')))
      AND NOT EXISTS (SELECT 1 FROM inbounds i WHERE i.subscriber = s.id AND i.text IS NOT NULL)
      AND (state = 'left' OR NOT EXISTS (SELECT 1 FROM threads t WHERE t.subscriber = s.id))
    LIMIT 500
"""
# What a vendor says of somebody never takes the place of what they said themselves.
SUBSCRIBER_UNREACHED = """
    UPDATE subscribers SET state = :state WHERE id = :id AND state NOT IN ('left', :state)
    RETURNING channel
"""
SUBSCRIBER_MOVED = """
    UPDATE subscribers SET address = :address, marketing = NULL WHERE id = :id
      AND NOT EXISTS (SELECT 1 FROM subscribers o
                      WHERE o.address = :address AND o.channel = subscribers.channel)
"""
# Numbers of which nobody has looked yet whether they may get marketing on WhatsApp.
NUMBERS_UNJUDGED = """
    SELECT id, address FROM subscribers WHERE channel = 'whatsapp' AND marketing IS NULL LIMIT :limit
"""
NUMBER_JUDGED = "UPDATE subscribers SET marketing = :marketing WHERE id = :id"
SUBSCRIBER_ERASE = "DELETE FROM subscribers WHERE id = :id"
TOPIC_FOLLOW = "INSERT INTO topics (subscriber, topic) VALUES (:subscriber, :topic) ON CONFLICT DO NOTHING"
TOPICS_FORGET = "DELETE FROM topics WHERE subscriber = :subscriber"
CONSENT = """
    INSERT INTO consents (subscriber, channel, action, how, month, words)
    VALUES (:subscriber, :channel, :action, :how, :month, :words)
"""
SUPPRESS = "INSERT INTO suppressed (tag, month) VALUES (:tag, :month) ON CONFLICT DO NOTHING"
SUPPRESSED = "SELECT 1 AS yes FROM suppressed WHERE tag = :tag"
SUPPRESSED_LIFT = "DELETE FROM suppressed WHERE tag = :tag"
SUBSCRIBERS_COUNTED = """
    SELECT community, channel, language, state, count(*) AS people FROM subscribers
    GROUP BY community, channel, language, state ORDER BY community, channel, language, state
"""

PEOPLE = "SELECT count(*) AS people FROM subscribers"
ANYBODY_LEFT = "SELECT EXISTS (SELECT 1 FROM consents WHERE action <> 'given') AS left"
STATES = "SELECT state, count(*) AS people FROM subscribers WHERE community = :community GROUP BY state"

# --- broadcasts -------------------------------------------------------------------------------------------

READERS = """
    SELECT channel, language, count(*) AS people FROM subscribers
    WHERE community = :community AND state = 'active' GROUP BY channel, language ORDER BY channel, language
"""
BROADCAST_MADE = """
    SELECT id FROM broadcasts WHERE entry = :entry AND community = :community AND moment = :moment
"""
BROADCAST = "SELECT * FROM broadcasts WHERE id = :id"
BROADCASTS = "SELECT * FROM broadcasts ORDER BY id"
BROADCAST_LAST = """
    SELECT id FROM broadcasts
    WHERE entry = :entry AND community = :community AND state NOT IN ('cancelled', 'rejected')
    ORDER BY id DESC LIMIT 1
"""
BROADCASTS_BETWEEN = """
    SELECT entry, community, moment, state, priority, due_at,
           state = 'running' AND EXISTS (SELECT 1 FROM deliveries d
                                         WHERE d.broadcast = broadcasts.id AND d.state = 'queued') AS waiting
    FROM broadcasts
    WHERE community = :community AND due_at >= :since AND due_at < :until ORDER BY due_at, id
"""
BROADCASTS_OPEN = "SELECT * FROM broadcasts WHERE state IN ('running', 'paused') ORDER BY priority, id"
BROADCASTS_DUE = """
    SELECT * FROM broadcasts WHERE state IN ('scheduled', 'approved') AND due_at <= :now ORDER BY priority, id
"""
TEXT_ADD = """
    INSERT INTO texts
        (broadcast, channel, language, variant, edition, sender, open, closed, category, mark, owner)
    VALUES
        (:broadcast, :channel, :language, :variant, :edition, :sender, :open, :closed, :category, :mark,
         :owner)
    ON CONFLICT (sender, mark) WHERE mark IS NOT NULL DO UPDATE SET mark = excluded.mark
    RETURNING id
"""
TOPIC_WANTED = "INSERT INTO broadcast_topics (broadcast, topic) VALUES (:broadcast, :topic)"
# Who has had enough for a day waits for another, and is held until then.
_SHOWN = "CASE WHEN state = 'queued' AND reason = 'enough' AND due_at > :now THEN 'held' ELSE state END"
# What was folded is counted as if its rows were still there.
COUNTS = f"""
    SELECT shown, sum(people) AS people
    FROM (SELECT {_SHOWN} AS shown, count(*) AS people FROM deliveries WHERE broadcast = :broadcast
          GROUP BY shown
          UNION ALL SELECT state, people FROM folded WHERE broadcast = :broadcast)
    GROUP BY shown
"""  # noqa: S608 - a constant of ours
REASONS = f"""
    SELECT shown, reason, sender, sum(people) AS people, min(until) AS until
    FROM (SELECT {_SHOWN} AS shown, reason, sender, count(*) AS people,
                 min(CASE WHEN reason = 'enough' THEN due_at END) AS until
          FROM deliveries WHERE broadcast = :broadcast AND reason IS NOT NULL GROUP BY shown, reason, sender
          UNION ALL SELECT state, reason, sender, people, NULL FROM folded
                    WHERE broadcast = :broadcast AND reason <> '')
    GROUP BY shown, reason, sender ORDER BY shown, people DESC, reason
"""  # noqa: S608 - a constant of ours
CANCEL_OPEN = """
    UPDATE deliveries SET state = 'cancelled', reason = :reason, settled_at = :now
    WHERE broadcast = :broadcast AND state IN ('queued', 'held')
"""
# Who got the first of several parts has got something, although the rest will not follow.
BEGUN = """
    SELECT (SELECT count(*) FROM deliveries
            WHERE broadcast = :broadcast AND part > 0 AND state IN ('cancelled', 'expired'))
         + (SELECT coalesce(sum(begun), 0) FROM folded WHERE broadcast = :broadcast) AS people
"""

# --- outbox -----------------------------------------------------------------------------------------------

_CLAIMED = """
    RETURNING id, attempt, part, text,
        (SELECT address FROM subscribers s WHERE s.id = subscriber),
        (SELECT heard_at FROM subscribers s WHERE s.id = subscriber),
        (SELECT state FROM subscribers s WHERE s.id = subscriber),
        (SELECT marketing FROM subscribers s WHERE s.id = subscriber)
"""
# What a process died with may have killed it. Only one such is in hand at a time: the next death shows which.
_UNSUSPECTED = """
    (deaths = 0 OR id = (SELECT id FROM deliveries
                         WHERE deaths > 0 AND sender = :sender AND state = 'queued' AND {these}
                           AND due_at <= :now ORDER BY part DESC, due_at, id LIMIT 1)
                   AND NOT EXISTS (SELECT 1 FROM deliveries
                                   WHERE deaths > 0 AND sender = :sender AND state = 'claimed'))
"""
CLAIM_REPLIES = f"""
    UPDATE deliveries SET state = 'claimed', attempt = attempt + 1, claimed_at = :now
    WHERE id IN (SELECT id FROM deliveries
                 WHERE sender = :sender AND broadcast IS NULL AND state = 'queued' AND due_at <= :now
                   AND {_UNSUSPECTED.format(these="broadcast IS NULL")}
                 ORDER BY part DESC, due_at, id LIMIT :limit)
    {_CLAIMED}
"""  # noqa: S608 - a constant of ours
CLAIM_BROADCAST = f"""
    UPDATE deliveries SET state = 'claimed', attempt = attempt + 1, claimed_at = :now
    WHERE id IN (SELECT id FROM deliveries
                 WHERE sender = :sender AND broadcast = :broadcast AND state = 'queued' AND due_at <= :now
                   AND {_UNSUSPECTED.format(these="broadcast = :broadcast")}
                 ORDER BY part DESC, due_at, id LIMIT :limit)
    {_CLAIMED}
"""  # noqa: S608 - a constant of ours
TEXT = "SELECT open, closed, category, owner FROM texts WHERE id = :id"
# A receipt may have overtaken the answer: the state moves forward only. Why it waited before is over.
SETTLE_SENT = """
    UPDATE deliveries SET state = CASE WHEN state IN ('claimed', 'unknown') THEN 'sent' ELSE state END,
        reason = CASE WHEN state IN ('claimed', 'unknown') THEN NULL ELSE reason END,
        vendor_id = :vendor_id, settled_at = :now
    WHERE id = :id AND attempt = :attempt
"""
# What comes back after its broadcast was cancelled is cancelled too.
_BACK = """CASE WHEN EXISTS (SELECT 1 FROM broadcasts b
                             WHERE b.id = deliveries.broadcast AND b.state = 'cancelled')"""
_CORRECTED = """CASE WHEN EXISTS (SELECT 1 FROM broadcasts c WHERE c.corrects = deliveries.broadcast)
                     THEN 'corrected' ELSE 'cancelled' END"""
SETTLE_NEXT_PART = f"""
    UPDATE deliveries SET state = {_BACK} THEN 'cancelled' ELSE 'queued' END,
        reason = {_BACK} THEN {_CORRECTED} END,
        part = part + 1, vendor_id = :vendor_id, due_at = :due_at
    WHERE id = :id AND attempt = :attempt AND state = 'claimed'
"""  # noqa: S608 - a constant of ours
SETTLE_BACK = f"""
    UPDATE deliveries SET state = {_BACK} THEN 'cancelled' ELSE :state END,
        reason = {_BACK} THEN {_CORRECTED} ELSE :reason END,
        due_at = coalesce(:due_at, due_at),
        settled_at = CASE WHEN :state = 'held' THEN :now ELSE settled_at END
    WHERE id = :id AND attempt = :attempt AND state = 'claimed'
"""  # noqa: S608 - a constant of ours
# No request was made: the next claim is the same attempt.
SETTLE_UNBEGUN = f"""
    UPDATE deliveries SET state = {_BACK} THEN 'cancelled' ELSE 'queued' END,
        reason = {_BACK} THEN {_CORRECTED} END,
        attempt = attempt - 1, due_at = coalesce(:due_at, due_at)
    WHERE id = :id AND attempt = :attempt AND state = 'claimed'
"""  # noqa: S608 - a constant of ours
SETTLE_ENDED = """
    UPDATE deliveries SET state = :state, reason = :reason, settled_at = :now
    WHERE id = :id AND attempt = :attempt AND state = 'claimed'
"""
# The second condition is the index's own, so that not every delivery ever made is read.
ORPHANS = """
    UPDATE deliveries SET state = 'unknown', deaths = deaths + :died, settled_at = :now,
        reason = CASE WHEN deaths + :died >= :most THEN 'quarantined'
                      WHEN :died THEN 'crash' ELSE 'stopped' END
    WHERE state = 'claimed' AND state IN ('held', 'claimed')
"""
RECEIPT_ROW = """
    SELECT id, state, subscriber, sender, attempt, part, repeated, settled_at, told FROM deliveries
    WHERE id = :id
"""
RECEIPT_STATE = """
    UPDATE deliveries SET state = :state, reason = :reason, settled_at = :now, vendor_id = :vendor_id
    WHERE id = :id
"""
EXPIRE = """
    UPDATE deliveries SET state = 'expired', settled_at = :now,
        reason = CASE WHEN reason = 'enough' THEN 'enough-too-late' ELSE 'too-late' END
    WHERE broadcast = :broadcast AND state IN ('queued', 'held')
"""
RELEASE_WINDOW = """
    UPDATE deliveries SET state = 'queued', reason = NULL, due_at = :now
    WHERE subscriber = :subscriber AND state = 'held' AND reason IN ('window', 'us-template')
      AND (broadcast IS NULL OR broadcast IN (SELECT id FROM broadcasts WHERE state IN ('running', 'paused')))
"""
ANY_OPEN = """
    SELECT EXISTS (SELECT 1 FROM deliveries WHERE sender IN (SELECT DISTINCT sender FROM texts
                                                             WHERE broadcast = :broadcast)
                                              AND broadcast = :broadcast AND state = 'queued')
        OR EXISTS (SELECT 1 FROM deliveries WHERE broadcast = :broadcast AND state IN ('held', 'claimed'))
        AS open
"""
TEXT_WAITS = """
    UPDATE deliveries SET due_at = :until
    WHERE sender = :sender AND broadcast = :broadcast AND state = 'queued' AND due_at < :until
      AND text = :text
"""
REPLY_ADD = """
    INSERT INTO deliveries (inbound, subscriber, text, sender, state, due_at)
    VALUES (:inbound, :subscriber, :text, :sender, 'queued', :now)
    ON CONFLICT (inbound) WHERE inbound IS NOT NULL DO NOTHING
"""
PERSON_FORGET_REPLIES = "DELETE FROM deliveries WHERE subscriber = :subscriber AND broadcast IS NULL"
LANE_WAIT = "SELECT wait_until FROM lanes WHERE sender = :sender"
LANE_WAITS = """
    INSERT INTO lanes (sender, wait_until) VALUES (:sender, :wait_until)
    ON CONFLICT (sender) DO UPDATE SET wait_until = excluded.wait_until
    WHERE excluded.wait_until > lanes.wait_until
"""

# --- what hinders the running service ---------------------------------------------------------------------

HINDRANCE_NOTE = """
    INSERT INTO hindrances (kind, sender, broadcast, reason, code)
    VALUES (:kind, :sender, :broadcast, :reason, :code)
"""
HINDRANCES_CLEAR = "DELETE FROM hindrances"
HINDRANCES = "SELECT kind, sender, broadcast, reason, code FROM hindrances ORDER BY kind, sender, broadcast"

# --- editing while running --------------------------------------------------------------------------------

EDITING_NOTE = """
    INSERT INTO editing (file, line, rule, quoted) VALUES (:file, :line, :rule, :quoted)
    ON CONFLICT DO NOTHING
"""
EDITING_CLEAR = "DELETE FROM editing"
EDITING = "SELECT * FROM editing ORDER BY file, line, rule"
