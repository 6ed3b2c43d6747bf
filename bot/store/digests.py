"""The SQL of digests: what a community was told already, who follows which topics, and to whom it goes.

Written as `sql` is.
"""

from __future__ import annotations

from bot.store import audience

# What is announced by itself is no news in a digest, and nothing stands in two of them.
TOLD = """
    SELECT entry FROM broadcasts WHERE community = :community AND state NOT IN ('cancelled', 'rejected')
    UNION
    SELECT d.entry FROM digested d JOIN broadcasts b ON b.id = d.broadcast
    WHERE b.community = :community AND b.state NOT IN ('cancelled', 'rejected', 'expired')
"""
TOPIC = """
    INSERT INTO broadcast_topics (broadcast, topic) VALUES (:broadcast, :topic) ON CONFLICT DO NOTHING
"""
# The n-th of a digest's topics is worth 2 to the n: a set of them is one number.
_BIT = """
    1 << CAST((SELECT count(*) FROM broadcast_topics v
               WHERE v.broadcast = w.broadcast AND v.topic < w.topic) AS integer)
"""
TOPICS = f"SELECT w.topic, {_BIT} AS bit FROM broadcast_topics w WHERE w.broadcast = :broadcast"  # noqa: S608 - a constant of ours
# Those that somebody wants to hear of: who follows none wants all.
_FOLLOWED = """
    CASE WHEN EXISTS (SELECT 1 FROM topics f WHERE f.subscriber = {s}.id)
         THEN (SELECT coalesce(sum(w.bit), 0) FROM topics f JOIN wanted w ON w.topic = f.topic
               WHERE f.subscriber = {s}.id)
         ELSE (SELECT coalesce(sum(w.bit), 0) FROM wanted w) END
"""
# Those that a text is for.
_MEANT = """
    (SELECT coalesce(sum(w.bit), 0) FROM wanted w
     WHERE replace('|' || t.variant || '|', '|' || w.topic || '|', '') <> '|' || t.variant || '|')
"""
READERS = f"""
    WITH wanted AS MATERIALIZED ({TOPICS}),
    readers AS MATERIALIZED (SELECT s.channel, s.language, {_FOLLOWED.format(s="s")} AS followed
                             FROM subscribers s WHERE s.community = :community AND s.state = 'active')
    SELECT channel, language, followed, count(*) AS people FROM readers
    GROUP BY channel, language, followed ORDER BY channel, language, followed
"""  # noqa: S608 - as above
UNTIL = "UPDATE broadcasts SET valid_until = :until WHERE id = :broadcast"
DIGESTED = "INSERT INTO digested (broadcast, entry) VALUES (:broadcast, :entry)"


def fan_out(days: int) -> str:
    """One statement for any number of people: each the text for what they follow, by one of their addresses.

    Args:
        days: As for `audience.fan_out`.
    """
    limits = f", {audience.days_table(days)}" if days else ""
    shut, place = audience.SHUT.format, audience.PLACE.format
    return f"""
        WITH wanted AS MATERIALIZED ({TOPICS}),
        said AS MATERIALIZED (SELECT t.*, {_MEANT} AS meant FROM texts t WHERE t.broadcast = :broadcast)
        {limits}
        INSERT INTO deliveries (broadcast, subscriber, text, sender, state, reason, due_at)
        SELECT :broadcast, s.id, t.id, t.sender,
               CASE WHEN {shut(s="s", t="t")} IS NULL THEN 'queued' ELSE 'held' END, {shut(s="s", t="t")},
               {audience.FIRST_DAY if days else ":now"}
        FROM subscribers s CROSS JOIN said t -- in this order: what each person follows is looked up once
        WHERE s.community = :community AND s.state = 'active'
          AND t.channel = s.channel AND t.language = s.language AND t.meant = {_FOLLOWED.format(s="s")}
          AND (s.person IS NULL
               OR NOT EXISTS (SELECT 1 FROM subscribers o
                              JOIN said u ON u.channel = o.channel AND u.language = o.language
                                         AND u.meant = {_FOLLOWED.format(s="o")}
                              WHERE o.person = s.person AND o.community = :community AND o.state = 'active'
                                AND ({place(s="o", t="u")}) < ({place(s="s", t="t")}))
                  AND {audience.NOT_ELSEWHERE})
        ON CONFLICT (broadcast, subscriber) DO NOTHING
    """  # noqa: S608 - as above
