"""m0003: what schedules that staff can trust need: approval, missed moments, corrections, digests, arming.

Two tables are made anew, because SQLite cannot change a CHECK or a UNIQUE: migrations run before foreign
keys are judged.
"""

from __future__ import annotations

SCHEDULES = """
DROP TRIGGER thread_gone;

CREATE TABLE broadcasts_new (
    id INTEGER PRIMARY KEY,
    entry TEXT NOT NULL, -- a slug; of a digest `digest:` and its topics
    community TEXT NOT NULL,
    moment TEXT NOT NULL, -- the slot's local date and time, or the instant somebody said "now"
    state TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'returned', 'rejected', 'approved',
        'scheduled', 'missed', 'running', 'paused', 'done', 'cancelled', 'expired')),
    priority INTEGER NOT NULL,
    why TEXT, -- the reason of an emergency
    due_at INTEGER NOT NULL,
    late INTEGER NOT NULL DEFAULT 7200000, -- for how long after `due_at` it is still of use
    valid_until INTEGER,
    hash BLOB, -- of every text, the audience and the moment, as they were submitted
    corrects INTEGER REFERENCES broadcasts_new, -- the broadcast whose text was wrong
    UNIQUE (entry, community, moment)
) STRICT;
INSERT INTO broadcasts_new (id, entry, community, moment, state, priority, why, due_at, valid_until)
    SELECT id, entry, community, moment, state, priority, why, due_at, valid_until FROM broadcasts;
DROP TABLE broadcasts;
ALTER TABLE broadcasts_new RENAME TO broadcasts;
CREATE INDEX open_broadcasts ON broadcasts (priority, id) WHERE state IN ('running', 'paused');
CREATE INDEX due_broadcasts ON broadcasts (due_at) WHERE state IN ('scheduled', 'approved');
CREATE INDEX ending_broadcasts ON broadcasts (valid_until)
    WHERE state IN ('draft', 'submitted', 'returned', 'approved', 'scheduled', 'missed');
CREATE INDEX recent_broadcasts ON broadcasts (community, due_at);
CREATE INDEX corrections ON broadcasts (corrects) WHERE corrects IS NOT NULL;

CREATE TABLE history ( -- what people and the clock decided of a broadcast: only ever added to
    id INTEGER PRIMARY KEY,
    broadcast INTEGER NOT NULL REFERENCES broadcasts,
    state TEXT NOT NULL, -- the broadcast's new one
    who TEXT NOT NULL, -- of the staff, or `clock`
    at INTEGER NOT NULL,
    reason TEXT
) STRICT;
CREATE INDEX history_of ON history (broadcast);
CREATE TRIGGER history_stays BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;
CREATE TRIGGER history_is_kept BEFORE DELETE ON history
BEGIN SELECT RAISE(ABORT, 'history is only added to'); END;

CREATE TABLE digested ( -- what was told in a digest, so that it is told in one only
    broadcast INTEGER NOT NULL REFERENCES broadcasts,
    entry TEXT NOT NULL,
    PRIMARY KEY (broadcast, entry)
) STRICT, WITHOUT ROWID;

CREATE TABLE texts_new ( -- what is said, rendered once for each channel and language of readers
    id INTEGER PRIMARY KEY,
    broadcast INTEGER REFERENCES broadcasts, -- NULL for a reply
    channel TEXT NOT NULL,
    language TEXT NOT NULL,
    variant TEXT NOT NULL DEFAULT '', -- for whom: the topics followed (a digest), or `correction`
    edition TEXT NOT NULL,
    sender TEXT NOT NULL,
    category TEXT, -- of the template in `closed`, as Meta approved it: marketing or utility
    open TEXT NOT NULL, -- the parts for somebody within the reply window, as JSON
    closed TEXT, -- the parts for anybody else; NULL: hold until they write
    mark BLOB, -- the same reply to many people is one text
    owner TEXT, -- the thread whose letter the text holds, sealed for it alone
    UNIQUE (broadcast, channel, language, variant)
) STRICT;
INSERT INTO texts_new (id, broadcast, channel, language, edition, sender, open, closed, mark, owner)
    SELECT id, broadcast, channel, language, edition, sender, open, closed, mark, owner FROM texts;
DROP TABLE texts;
ALTER TABLE texts_new RENAME TO texts;
CREATE UNIQUE INDEX said ON texts (sender, mark) WHERE mark IS NOT NULL;
CREATE INDEX owned ON texts (owner) WHERE owner IS NOT NULL;
-- When the thread goes, in whatever way, so do its words. The row stays, empty: to delete it, every delivery
-- ever made would be read (0.15 s a letter).
CREATE TRIGGER thread_gone AFTER DELETE ON threads
BEGIN UPDATE texts SET open = '[]', closed = NULL, owner = NULL WHERE owner = OLD.reference; END;

-- The delivery whose copy this one corrects: it is edited where the vendor can. No reference, for without an
-- index each delivery that is deleted would have all others read.
ALTER TABLE deliveries ADD COLUMN corrects INTEGER;
-- Whoever linked several addresses is tried on the next some time after one failed, or was held at its turn.
CREATE INDEX unreached_deliveries ON deliveries (settled_at)
    WHERE state IN ('failed', 'held') AND broadcast IS NOT NULL AND settled_at IS NOT NULL;

-- Whether WhatsApp delivers marketing templates to this number: none to the United States (Twilio 63049,
-- since 2025-04-01). NULL: not known yet.
ALTER TABLE subscribers ADD COLUMN marketing INTEGER;
-- With all that a fan-out asks of most people, so that it need not look at their rows (0.5 s of a million).
DROP INDEX audience;
CREATE INDEX audience ON subscribers (community, state, channel, language, person, marketing);
CREATE INDEX unjudged_numbers ON subscribers (id) WHERE channel = 'whatsapp' AND marketing IS NULL;

CREATE TABLE editing ( -- what a running service does not take up: it goes on with the last good version
    file TEXT NOT NULL, -- below the deployment's folder
    line INTEGER NOT NULL,
    rule TEXT NOT NULL,
    quoted TEXT NOT NULL, -- what the rule's sentences quote, as JSON
    PRIMARY KEY (file, line, rule, quoted)
) STRICT, WITHOUT ROWID;

CREATE TABLE arming ( -- whether this copy of the database may send
    id INTEGER PRIMARY KEY CHECK (id = 1),
    token TEXT NOT NULL, -- also in the file beside the database
    beat INTEGER NOT NULL, -- counts; a file that has counted further shows that an older database came back
    beat_at INTEGER NOT NULL, -- when it last lived
    judged_at INTEGER, -- until when slots were looked at
    since INTEGER, -- what came due before it, while sending was off, waits for a person
    off TEXT, -- why sending is off; NULL: it is on
    who TEXT -- of the staff, said last that it may send
) STRICT;
"""
