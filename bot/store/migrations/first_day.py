"""m0001: the tables of the first day."""

from __future__ import annotations

FIRST_DAY = """
CREATE TABLE vaults (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seal BLOB NOT NULL -- a known word sealed with the deployment's key: tells a wrong key from a right one
) STRICT;

CREATE TABLE subscribers (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    address BLOB NOT NULL, -- sealed by the vault
    language TEXT NOT NULL,
    community TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('visitor', 'active', 'left', 'gone')),
    heard_at INTEGER, -- when they last wrote: opens WhatsApp's reply window
    joined TEXT NOT NULL, -- the month, no closer
    UNIQUE (channel, address)
) STRICT;
CREATE INDEX audience ON subscribers (community, state, channel, language);

CREATE TABLE topics (
    subscriber INTEGER NOT NULL REFERENCES subscribers ON DELETE CASCADE,
    topic TEXT NOT NULL,
    PRIMARY KEY (subscriber, topic)
) STRICT, WITHOUT ROWID;

CREATE TABLE consents ( -- the ledger: only ever added to
    id INTEGER PRIMARY KEY,
    subscriber INTEGER NOT NULL, -- no reference: the ledger outlives the person's row
    channel TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('given', 'withdrawn', 'erased')),
    how TEXT NOT NULL,
    month TEXT NOT NULL
) STRICT;

CREATE TABLE suppressed ( -- who asked to be forgotten: recognised, never known
    tag BLOB PRIMARY KEY,
    month TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE broadcasts (
    id INTEGER PRIMARY KEY,
    entry TEXT NOT NULL,
    community TEXT NOT NULL,
    moment TEXT NOT NULL, -- the slot's local date and time, or the instant somebody said "now"
    state TEXT NOT NULL CHECK (state IN ('scheduled', 'running', 'paused', 'done', 'cancelled')),
    priority INTEGER NOT NULL,
    why TEXT, -- the reason of an emergency
    due_at INTEGER NOT NULL,
    valid_until INTEGER,
    UNIQUE (entry, community, moment)
) STRICT;
CREATE INDEX open_broadcasts ON broadcasts (priority, id) WHERE state IN ('running', 'paused');
CREATE INDEX due_broadcasts ON broadcasts (due_at) WHERE state = 'scheduled';

CREATE TABLE broadcast_topics ( -- none: the announcement is for everybody
    broadcast INTEGER NOT NULL REFERENCES broadcasts,
    topic TEXT NOT NULL,
    PRIMARY KEY (broadcast, topic)
) STRICT, WITHOUT ROWID;

CREATE TABLE texts ( -- what is said, rendered once for each channel and language of readers
    id INTEGER PRIMARY KEY,
    broadcast INTEGER REFERENCES broadcasts, -- NULL for a reply
    channel TEXT NOT NULL,
    language TEXT NOT NULL,
    edition TEXT NOT NULL,
    sender TEXT NOT NULL,
    open TEXT NOT NULL, -- the parts for somebody within the reply window, as JSON
    closed TEXT, -- the parts for anybody else; NULL: hold until they write
    UNIQUE (broadcast, channel, language)
) STRICT;

CREATE TABLE inbounds (
    id INTEGER PRIMARY KEY,
    sender TEXT NOT NULL,
    vendor_id TEXT NOT NULL,
    subscriber INTEGER REFERENCES subscribers ON DELETE CASCADE,
    text BLOB, -- sealed; NULL once answered
    left_there INTEGER NOT NULL, -- 1 when the vendor itself says they left
    heard_at INTEGER NOT NULL,
    UNIQUE (sender, vendor_id)
) STRICT;
CREATE INDEX unanswered ON inbounds (id) WHERE text IS NOT NULL;

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
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
    UNIQUE (broadcast, subscriber)
) STRICT;
CREATE UNIQUE INDEX replies ON deliveries (inbound) WHERE inbound IS NOT NULL;
-- A text of several parts that has begun goes on before another begins.
CREATE INDEX queue ON deliveries (sender, broadcast, part DESC, due_at) WHERE state = 'queued';
CREATE INDEX open_deliveries ON deliveries (broadcast, subscriber) WHERE state IN ('held', 'claimed');
-- To erase somebody, all they ever wrote must be found. Deliveries have no such index: it would make each
-- fan-out a sixth slower, and without it an erasure reads a million of them in 0.15 s.
CREATE INDEX heard_of ON inbounds (subscriber);

CREATE TABLE lanes ( -- what a vendor asked of a sender, kept across restarts
    sender TEXT PRIMARY KEY,
    wait_until INTEGER NOT NULL
) STRICT;
"""
