"""The SQL of who gets what: one SELECT, which a broadcast writes into deliveries and a plan only counts.

A broadcast's texts and topics stand in their tables; a plan, which writes nothing, puts its own in front of
the same SELECT under the same names. Written as `sql` is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.store.corrections import CORRECTED

SAME = timedelta(hours=20)
"""The same entry in another community within so many hours is the same news: each at its own local hour."""
# Topics are a wish to hear only those: who follows none hears all.
_WANTS = """
    (NOT EXISTS (SELECT 1 FROM broadcast_topics w WHERE w.broadcast = {b})
     OR NOT EXISTS (SELECT 1 FROM topics f WHERE f.subscriber = {s}.id)
     OR EXISTS (SELECT 1 FROM topics f JOIN broadcast_topics w ON w.topic = f.topic
                WHERE f.subscriber = {s}.id AND w.broadcast = {b}))
"""
# What keeps a text from somebody until they write; NULL: nothing does.
SHUT = """
    CASE WHEN {t}.closed IS NULL AND coalesce({s}.heard_at, 0) <= :window_from THEN 'window'
         WHEN {t}.category = 'marketing' AND {s}.marketing = 0
              AND coalesce({s}.heard_at, 0) <= :window_from THEN 'us-template' END
"""
# Of a person's addresses the first in line: what can be said now, then the community's order of channels.
PLACE = f"""
    CASE WHEN {SHUT} IS NULL THEN 0 ELSE 1 END,
    CASE {{t}}.channel WHEN :first THEN 1 WHEN :second THEN 2 ELSE 3 END,
    {{s}}.id
"""
# What reached somebody by another address, or will: what waits there until they write is one only for a text
# that would have to wait as well.
_A_COPY = """
    (d.state NOT IN ('failed', 'cancelled', 'expired', 'held') OR d.state = 'held' AND {shut} IS NOT NULL)
"""
# Whether a person has no copy from another community, where it was said at about the same time.
NOT_ELSEWHERE = f"""
    NOT EXISTS (SELECT 1 FROM broadcasts b JOIN deliveries d ON d.broadcast = b.id
                WHERE b.entry = :entry AND b.community <> :community
                  AND b.due_at > :same_from AND b.due_at < :same_until
                  AND d.subscriber IN (SELECT o.id FROM subscribers o WHERE o.person = s.person)
                  AND {_A_COPY.format(shut=SHUT.format(s="s", t="t"))})
"""  # noqa: S608 - a constant of ours
# Only who linked addresses is looked at twice: the same entry is theirs by one of them, in one community.
_ONE_COPY = f"""
    (s.person IS NULL
     OR NOT EXISTS (SELECT 1 FROM subscribers o
                    JOIN texts u ON u.broadcast = :broadcast AND u.channel = o.channel
                                AND u.language = o.language
                    WHERE o.person = s.person AND o.community = :community AND o.state = 'active'
                      AND ({PLACE.format(s="o", t="u")}) < ({PLACE.format(s="s", t="t")})
                      AND {_WANTS.format(s="o", b=":broadcast")})
        AND {NOT_ELSEWHERE})
"""  # noqa: S608 - a constant of ours
# How many other announcements of this community go to an address on one day.
_COUNT = """
    SELECT count(*) FROM broadcasts b JOIN deliveries d ON d.broadcast = b.id
    WHERE b.community = :community AND b.due_at > :counted_from AND b.id <> :broadcast
      AND b.priority <> 1 AND b.corrects IS NULL AND d.subscriber {whose}
      AND (d.state = 'queued' AND d.due_at >= {open_from} AND d.due_at < {ends}
           OR d.state = 'claimed' AND {open_from} = 0
           OR d.state IN ('sent', 'delivered', 'read', 'unknown')
              AND d.settled_at >= {begins} AND d.settled_at < {ends})
"""
_THEIRS = "IN (SELECT l.id FROM subscribers l WHERE l.person = s.person AND l.id <> s.id)"


def _that_day(begins: str, ends: str, open_from: str) -> str:
    """How many a person gets on a day, by any of their addresses; only who linked some is looked at twice."""
    day = {"begins": begins, "ends": ends, "open_from": open_from}
    own, others = (_COUNT.format(whose=whose, **day) for whose in ("= s.id", _THEIRS))
    return f"({own}) + CASE WHEN s.person IS NULL THEN 0 ELSE ({others}) END"


# Everybody who is to hear a broadcast as far as their topics go. The few texts first: SQLite keeps that order
# of a cross join, and finds the readers of each together in the index.
_CANDIDATES = f"""
    FROM texts t CROSS JOIN subscribers s
    WHERE t.broadcast = :broadcast AND s.channel = t.channel AND s.language = t.language
      AND s.community = :community AND s.state = 'active' AND {_WANTS.format(s="s", b=":broadcast")}
"""
_AUDIENCE = f"""
    SELECT s.id AS subscriber, s.person, t.id AS text, t.sender,
           coalesce(s.heard_at, 0) > :window_from AS free,
           {SHUT.format(s="s", t="t")} AS shut,
           {{due}} AS due
    {_CANDIDATES} AND {_ONE_COPY}
"""
# Almost everybody has room today. Else the first day on which they have; too late when there is none.
FIRST_DAY = f"""
    CASE WHEN :most > {_that_day(":begins0", ":ends0", "0")} THEN :now
         ELSE coalesce((SELECT min(y.moment) FROM days y
                        WHERE :most > {_that_day("y.begins", "y.ends", "y.begins")}), :too_late) END
"""  # noqa: S608 - as above
# Who linked several addresses and was not reached by one of them, or fell out of its window before its turn;
# the others are tried in their order.
FAILED = f"""
    SELECT d.broadcast, d.subscriber, d.state, s.person, b.entry, b.community, b.due_at
    FROM deliveries d CROSS JOIN subscribers s CROSS JOIN broadcasts b -- of a short time first
    WHERE d.state IN ('failed', 'held') AND d.broadcast IS NOT NULL
      AND d.settled_at > :since AND d.settled_at <= :until
      AND s.id = d.subscriber AND s.person IS NOT NULL AND b.id = d.broadcast
      AND b.community = :community AND NOT {CORRECTED}
    ORDER BY d.settled_at
"""  # noqa: S608 - as above
# The broadcasts that said the same to a person: this one, and its like in other communities.
_SAME_NEWS = """
    b.entry = :entry AND b.due_at > :same_from AND b.due_at < :same_until
    AND (b.id = :broadcast OR b.community <> :community)
"""
NEXT_ADDRESSES = f"""
    SELECT o.id AS subscriber, o.channel, b.id AS broadcast, b.community, t.id AS text, t.sender,
           {SHUT.format(s="o", t="t")} AS shut
    FROM subscribers o
    JOIN broadcasts b ON b.community = o.community AND {_SAME_NEWS}
                     AND b.state IN ('running', 'paused', 'done')
                     AND (b.valid_until IS NULL OR b.valid_until > :now)
    JOIN texts t ON t.broadcast = b.id AND t.channel = o.channel AND t.language = o.language
                AND t.variant <> 'again'
    WHERE o.person = :person AND o.state = 'active' AND {_WANTS.format(s="o", b="b.id")} AND NOT {CORRECTED}
      AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.broadcast = b.id AND d.subscriber = o.id
                      AND (d.state <> 'cancelled' OR d.reason <> 'other-channel'))
      AND NOT EXISTS (SELECT 1 FROM broadcasts b JOIN deliveries d ON d.broadcast = b.id
                      WHERE {_SAME_NEWS}
                        AND d.subscriber IN (SELECT l.id FROM subscribers l WHERE l.person = :person)
                        AND {_A_COPY.format(shut=SHUT.format(s="o", t="t"))})
"""  # noqa: S608 - as above
# What was taken back because another channel could bring it waits again when that one failed.
NEXT_DELIVERY = """
    INSERT INTO deliveries (broadcast, subscriber, text, sender, state, reason, due_at)
    VALUES (:broadcast, :subscriber, :text, :sender, :state, :shut, :now)
    ON CONFLICT (broadcast, subscriber) DO UPDATE
    SET text = excluded.text, sender = excluded.sender, state = excluded.state, reason = excluded.reason,
        due_at = excluded.due_at, settled_at = NULL
    WHERE deliveries.state = 'cancelled' AND deliveries.reason = 'other-channel'
"""
# A copy that waits for somebody to write is taken back when another of their addresses gets it.
_TAKE_BACK = f"""
    UPDATE deliveries SET state = 'cancelled', reason = 'other-channel', settled_at = :now
    WHERE state = 'held' AND state IN ('held', 'claimed') AND reason IN ('window', 'us-template')
      AND broadcast IN (SELECT b.id FROM broadcasts b WHERE {_SAME_NEWS}) AND {{brought}}
"""  # noqa: S608 - as above
TAKE_BACK = _TAKE_BACK.format(
    brought="""
    EXISTS (SELECT 1 FROM subscribers s CROSS JOIN subscribers o CROSS JOIN deliveries n
            WHERE s.id = deliveries.subscriber AND o.person = s.person
              AND n.subscriber = o.id AND n.broadcast = :broadcast AND n.state = 'queued')
"""
)
TAKE_BACK_FROM = _TAKE_BACK.format(
    brought="subscriber IN (SELECT s.id FROM subscribers s WHERE s.person = :person)"
)
# They are held, and the report says why; also of whom there is no day for.
ENOUGH = """
    UPDATE deliveries
    SET reason = CASE due_at WHEN :too_late THEN 'enough-too-late' ELSE 'enough' END,
        state = CASE due_at WHEN :too_late THEN 'expired' ELSE state END,
        settled_at = CASE due_at WHEN :too_late THEN :now END
    WHERE sender IN (SELECT DISTINCT sender FROM texts WHERE broadcast = :broadcast)
      AND broadcast = :broadcast AND state = 'queued' AND due_at > :now
"""


def fan_out(days: int = 0) -> str:
    """One statement for any number of people.

    Args:
        days: How many `days` are handed over where people get no more than `:most` in one; 0: no limit.
    """
    limits = f"WITH {days_table(days)}" if days else ""
    return f"""
        {limits}
        INSERT INTO deliveries (broadcast, subscriber, text, sender, state, reason, due_at)
        SELECT :broadcast, subscriber, text, sender, CASE WHEN shut IS NULL THEN 'queued' ELSE 'held' END,
               shut, due
        FROM ({_audience(days)}) WHERE true
        ON CONFLICT (broadcast, subscriber) DO NOTHING
    """  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Unmade:
    """A broadcast that is not made, before the fan-out's SELECT: nothing is written, its people are counted.

    Attributes:
        texts: How many are handed over, one at least: `:text0`, `:channel0`, `:language0`, `:sender0`,
            `:closed0` and `:category0` are the first.
        topics: How many: `:topic0` is the first.
        days: As for `fan_out`.
        spoken: Who will have it from another community by then, as `subscribers.person` has them.
        waiting: For whom it will wait there until they write.
    """

    texts: int
    topics: int
    days: int
    spoken: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()

    def counted(self) -> str:
        """How many people get which text, freely or not, when, or what keeps it from them."""
        return f"""
            {self._tables()}
            SELECT text, free, shut, due, count(*) AS people {self._heard()}
            GROUP BY text, free, shut, due ORDER BY text, free DESC, shut, due
        """

    def linked_elsewhere(self) -> str:
        """Who of them has an address in another community too, as `subscribers.person`; `shut`; `due`."""
        return f"""
            {self._tables()}
            SELECT a.person, a.shut, a.due {self._heard()}
              AND EXISTS (SELECT 1 FROM subscribers e
                          WHERE e.person = a.person AND e.community <> :community)
        """  # noqa: S608 - as above

    def had_it(self, before: int) -> str:
        """How many of them were told one of so many texts before: `:before0`, in broadcast `:in0`, first."""
        rows = ", ".join(f"(:before{n}, :in{n})" for n in range(before))
        return f"""
            {self._tables()}, said (text, broadcast) AS (VALUES {rows})
            SELECT count(*) AS people {self._heard()}
              AND EXISTS (SELECT 1 FROM said JOIN deliveries d ON d.broadcast = said.broadcast
                          WHERE d.subscriber = a.subscriber AND d.text = said.text
                            AND d.state IN ('claimed', 'sent', 'delivered', 'read', 'unknown'))
        """  # noqa: S608 - as above

    def addresses(self) -> str:
        """How many addresses hear what is on these topics, by what keeps it from them; linked ones each."""
        return f"""
            {self._tables()}
            SELECT shut, count(*) AS people FROM (SELECT {SHUT.format(s="s", t="t")} AS shut {_CANDIDATES})
            GROUP BY shut
        """  # noqa: S608 - as above

    def _heard(self) -> str:
        """Numbers are written out: there may be more of them than a statement takes values."""
        spoken, waiting = (
            ", ".join(str(int(person)) for person in people) for people in (self.spoken, self.waiting)
        )
        outside = f"(a.person IS NULL OR a.person NOT IN ({spoken}))" if spoken else "true"
        if waiting:
            outside += f" AND (a.person IS NULL OR a.shut IS NULL OR a.person NOT IN ({waiting}))"
        return f"FROM ({_audience(self.days)}) a WHERE {outside}"

    def _tables(self) -> str:
        """Its texts and topics under the names of the real tables."""
        names = ("text", "channel", "language", "sender", "closed", "category")
        rows = ", ".join(
            f"(:broadcast, {', '.join(f':{name}{n}' for name in names)})" for n in range(self.texts)
        )
        said = f"texts (broadcast, id, channel, language, sender, closed, category) AS (VALUES {rows})"
        wanted = ", ".join(f"(:broadcast, :topic{n})" for n in range(self.topics))
        wants = f"VALUES {wanted}" if wanted else "SELECT :broadcast, '' WHERE false"
        limits = f", {days_table(self.days)}" if self.days else ""
        return f"WITH {said}, broadcast_topics (broadcast, topic) AS ({wants}){limits}"


# Texts of the last days, to see whether one says the same.
SAID_LATELY = """
    SELECT t.id, t.broadcast, t.channel, t.open, t.closed FROM broadcasts b
    JOIN texts t ON t.broadcast = b.id
    WHERE b.community = :community AND b.due_at > :since
"""


def _audience(days: int) -> str:
    return _AUDIENCE.format(due=FIRST_DAY if days else ":now")


def days_table(count: int) -> str:
    """The days after the first on which something may go: when it would, and between which midnights."""
    rows = ", ".join(f"(:moment{n}, :begins{n}, :ends{n})" for n in range(1, count))
    return f"days (moment, begins, ends) AS (VALUES {rows})"
