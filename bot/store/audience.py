"""The SQL of who gets what: one SELECT, which a broadcast writes into deliveries and a plan only counts.

A broadcast's texts and topics stand in their tables; a plan, which writes nothing, puts its own in front of
the same SELECT under the same names. Written as `sql` is.
"""

from __future__ import annotations

# Topics are a wish to hear only those: who follows none hears all.
_WANTS = """
    (NOT EXISTS (SELECT 1 FROM broadcast_topics w WHERE w.broadcast = :broadcast)
     OR NOT EXISTS (SELECT 1 FROM topics f WHERE f.subscriber = {s}.id)
     OR EXISTS (SELECT 1 FROM topics f JOIN broadcast_topics w ON w.topic = f.topic
                WHERE f.subscriber = {s}.id AND w.broadcast = :broadcast))
"""
# What keeps a text from somebody until they write; NULL: nothing does.
_SHUT = """
    CASE WHEN coalesce({s}.heard_at, 0) > :window_from THEN NULL
         WHEN {t}.closed IS NULL THEN 'window'
         WHEN {t}.category = 'marketing' AND {s}.marketing = 0 THEN 'us-template' END
"""
# Of a person's addresses the first in line: what can be said now, then the community's order of channels.
_PLACE = f"""
    CASE WHEN {_SHUT} IS NULL THEN 0 ELSE 1 END,
    CASE {{t}}.channel WHEN :first THEN 1 WHEN :second THEN 2 ELSE 3 END,
    {{s}}.id
"""
# Only who linked addresses is looked at twice: the same entry is theirs by one of them, in one community.
_ONE_COPY = f"""
    (s.person IS NULL
     OR NOT EXISTS (SELECT 1 FROM subscribers o
                    JOIN texts u ON u.broadcast = :broadcast AND u.channel = o.channel
                                AND u.language = o.language
                    WHERE o.person = s.person AND o.community = :community AND o.state = 'active'
                      AND ({_PLACE.format(s="o", t="u")}) < ({_PLACE.format(s="s", t="t")})
                      AND {_WANTS.format(s="o")})
        AND NOT EXISTS (SELECT 1 FROM broadcasts b JOIN deliveries d ON d.broadcast = b.id
                        WHERE b.entry = :entry AND b.community <> :community
                          AND b.due_at > :same_from AND b.due_at < :same_until
                          AND d.subscriber IN (SELECT o.id FROM subscribers o WHERE o.person = s.person)
                          AND d.state <> 'failed' AND d.state <> 'cancelled' AND d.state <> 'expired'))
"""  # noqa: S608 - a constant of ours
# How many other announcements a person gets of this community on the day `y`, by any of their addresses.
_THAT_DAY = """
    SELECT count(*) FROM broadcasts b
    JOIN deliveries d ON d.broadcast = b.id
    WHERE b.community = :community AND b.due_at > :counted_from AND b.id <> :broadcast
      AND b.priority <> 1 AND b.corrects IS NULL
      AND d.subscriber IN (SELECT l.id FROM subscribers l WHERE l.id = s.id OR l.person = s.person)
      AND (d.state = 'queued' AND d.due_at >= y.open_from AND d.due_at < y.ends
           OR d.state = 'claimed' AND y.open_from = 0
           OR d.state IN ('sent', 'delivered', 'read', 'unknown')
              AND d.settled_at >= y.begins AND d.settled_at < y.ends)
"""
# Everybody who is to hear a broadcast as far as their topics go.
_CANDIDATES = f"""
    FROM subscribers s
    JOIN texts t ON t.broadcast = :broadcast AND t.channel = s.channel AND t.language = s.language
    WHERE s.community = :community AND s.state = 'active' AND {_WANTS.format(s="s")}
"""
_AUDIENCE = f"""
    SELECT s.id AS subscriber, t.id AS text, t.sender,
           coalesce(s.heard_at, 0) > :window_from AS free,
           {_SHUT.format(s="s", t="t")} AS shut,
           {{due}} AS due
    {_CANDIDATES} AND {_ONE_COPY}
"""
_NOW = ":now"
# The first day on which they have had less than is good; the last of the days when there is none.
_FIRST_DAY = f"coalesce((SELECT min(y.moment) FROM days y WHERE :most > ({_THAT_DAY})), :last_day)"  # noqa: S608 - as above


def fan_out(days: int = 0) -> str:
    """One statement for any number of people.

    Args:
        days: How many `days` are handed over where people get no more than `:most` in one; 0: no limit.
    """
    limits = f"WITH {_days(days)}" if days else ""
    audience = _AUDIENCE.format(due=_FIRST_DAY if days else _NOW)
    return f"""
        {limits}
        INSERT INTO deliveries (broadcast, subscriber, text, sender, state, reason, due_at)
        SELECT :broadcast, subscriber, text, sender, CASE WHEN shut IS NULL THEN 'queued' ELSE 'held' END,
               CASE WHEN shut IS NOT NULL THEN shut WHEN due > :now THEN 'enough' END, due
        FROM ({audience}) WHERE true
        ON CONFLICT (broadcast, subscriber) DO NOTHING
    """  # noqa: S608 - as above


def _days(count: int) -> str:
    """The days on which something may go, the first first, as `days` names their values.

    `moment`: when it would go; `begins`, `ends`: of that day; `open_from`: since when what is still to go
    counts for it.
    """
    rows = ", ".join(
        f"(:moment{n}, :begins{n}, :ends{n}, {'0' if n == 0 else f':begins{n}'})" for n in range(count)
    )
    return f"days (moment, begins, ends, open_from) AS (VALUES {rows})"
