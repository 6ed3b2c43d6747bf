"""m0004: what an outbox that one can bet on needs: the unknown, poison, receipts that fail to come."""

from __future__ import annotations

# Deliveries are made anew, because SQLite cannot add AUTOINCREMENT: migrations run before foreign keys are
# judged. It took 2.5 s for 600,000, and a fan-out takes as long as before. Of an inbound: how many processes
# died while reading it.
OUTBOX = """
CREATE TABLE deliveries_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: a receipt names it when its row may be gone
    broadcast INTEGER REFERENCES broadcasts, -- NULL for a reply
    inbound INTEGER REFERENCES inbounds ON DELETE SET NULL, -- what a reply answers, once
    subscriber INTEGER REFERENCES subscribers ON DELETE SET NULL, -- NULL once the person is erased
    text INTEGER NOT NULL REFERENCES texts,
    sender TEXT NOT NULL,
    state TEXT NOT NULL CHECK ( -- not IN: SQLite 3.40 builds that list anew for every row (3 s of a million)
        state = 'queued' OR state = 'claimed' OR state = 'sent' OR state = 'delivered' OR state = 'read'
        OR state = 'failed' OR state = 'held' OR state = 'expired' OR state = 'cancelled' OR state = 'unknown'
    ),
    reason TEXT,
    attempt INTEGER NOT NULL DEFAULT 0, -- requests begun for this delivery
    part INTEGER NOT NULL DEFAULT 0, -- the part that is next, or was last
    due_at INTEGER NOT NULL,
    settled_at INTEGER,
    vendor_id TEXT,
    corrects INTEGER, -- the delivery whose copy this one corrects; no reference, see m0003
    claimed_at INTEGER, -- when its last request was about to leave; NULL by a clock that was doubted
    looked INTEGER NOT NULL DEFAULT 0, -- how often its vendor was asked for it
    deaths INTEGER NOT NULL DEFAULT 0, -- how many processes died with it in hand
    repeated INTEGER NOT NULL DEFAULT 0, -- 1 when it was sent once more, and says so
    told INTEGER NOT NULL DEFAULT 0, -- 1 when its vendor has told of it
    UNIQUE (broadcast, subscriber)
) STRICT;
INSERT INTO deliveries_new (id, broadcast, inbound, subscriber, text, sender, state, reason, attempt, part,
        due_at, settled_at, vendor_id, corrects)
    SELECT id, broadcast, inbound, subscriber, text, sender, state, reason, attempt, part, due_at, settled_at,
        vendor_id, corrects
    FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE deliveries_new RENAME TO deliveries;
CREATE UNIQUE INDEX replies ON deliveries (inbound) WHERE inbound IS NOT NULL;
-- A text of several parts that has begun goes on before another begins.
CREATE INDEX queue ON deliveries (sender, broadcast, part DESC, due_at) WHERE state = 'queued';
CREATE INDEX open_deliveries ON deliveries (broadcast, subscriber) WHERE state IN ('held', 'claimed');
CREATE INDEX unreached_deliveries ON deliveries (settled_at)
    WHERE state IN ('failed', 'held') AND broadcast IS NOT NULL AND settled_at IS NOT NULL;
CREATE INDEX suspect_deliveries ON deliveries (sender, state, broadcast) WHERE deaths > 0;
CREATE INDEX unknown_deliveries ON deliveries (sender, claimed_at) WHERE state = 'unknown';

ALTER TABLE inbounds ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;

CREATE TABLE tallies ( -- of the messages that left in a quarter of an hour, how many the vendor has told of
    sender TEXT NOT NULL,
    quarter INTEGER NOT NULL, -- of an hour, since 1970
    sent INTEGER NOT NULL,
    told INTEGER NOT NULL,
    PRIMARY KEY (sender, quarter)
) STRICT, WITHOUT ROWID;

CREATE TABLE folded ( -- what is left of a broadcast's deliveries once they are forgotten: how many ended how
    broadcast INTEGER NOT NULL REFERENCES broadcasts,
    state TEXT NOT NULL,
    reason TEXT NOT NULL, -- '' for none
    sender TEXT NOT NULL,
    people INTEGER NOT NULL,
    asked INTEGER NOT NULL, -- of how many of them the vendor's list told; as `settling.KEPT` counts
    repeated INTEGER NOT NULL, -- how many were sent it once more
    begun INTEGER NOT NULL, -- how many got its first parts alone; as `sql.BEGUN` counts
    PRIMARY KEY (broadcast, state, reason, sender)
) STRICT, WITHOUT ROWID;

CREATE TABLE hindrances ( -- what keeps messages waiting while the service runs, for whoever asks for a report
    kind TEXT NOT NULL,
    sender TEXT NOT NULL, -- '' for the disk
    reason TEXT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (kind, sender)
) STRICT, WITHOUT ROWID
"""
