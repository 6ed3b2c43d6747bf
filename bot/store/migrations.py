"""The tables, as sqlite-utils' own migrations: applied in order, each once, each in its transaction.

What every table has in common: times are whole milliseconds since 1970 in UTC; words for states are closed
lists; no column holds a name, a place, an IP address or a free note (docs/decisions/0002-what-we-hold.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils import Migrations

if TYPE_CHECKING:
    from sqlite_utils import Database

migrations = Migrations("pregonero")

_FIRST_DAY = """
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

_CONVERSATION = """
-- When a row goes by itself: a visitor in 30 days, a join that was never confirmed in 48 hours, somebody who
-- asked to be forgotten once they were told. NULL: it stays.
ALTER TABLE subscribers ADD COLUMN forget_at INTEGER;
-- The addresses of one person share a number; NULL: they linked none.
ALTER TABLE subscribers ADD COLUMN person INTEGER;
CREATE INDEX forgetting ON subscribers (forget_at) WHERE forget_at IS NOT NULL;
CREATE INDEX linked ON subscribers (person) WHERE person IS NOT NULL;

-- Which text asked them: page, edition, version.
ALTER TABLE consents ADD COLUMN words TEXT NOT NULL DEFAULT '';

CREATE TABLE asked ( -- what we asked somebody last, while we wait for their answer
    subscriber INTEGER PRIMARY KEY REFERENCES subscribers ON DELETE CASCADE,
    question TEXT NOT NULL, -- a closed word
    choices TEXT NOT NULL, -- what may be answered, as JSON: our own words, never theirs
    kept BLOB, -- sealed: what they wrote, until they say whether to pass it on
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE links ( -- a code that joins another address to a person
    code TEXT PRIMARY KEY,
    subscriber INTEGER NOT NULL UNIQUE REFERENCES subscribers ON DELETE CASCADE,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE threads ( -- a question or proposal of somebody, and what the consulate says to it
    id INTEGER PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE, -- R-48K2
    community TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('question', 'proposal')),
    subscriber INTEGER NOT NULL REFERENCES subscribers ON DELETE CASCADE,
    sender TEXT NOT NULL, -- through which they wrote
    state TEXT NOT NULL CHECK (state IN ('received', 'considered', 'answered', 'adopted')),
    closed_at INTEGER
) STRICT;
CREATE INDEX threads_of ON threads (subscriber);

CREATE TABLE letters ( -- what was written in a thread
    id INTEGER PRIMARY KEY,
    thread INTEGER NOT NULL REFERENCES threads ON DELETE CASCADE,
    author TEXT NOT NULL CHECK (author IN ('person', 'consulate')),
    text BLOB NOT NULL, -- sealed
    written_at INTEGER NOT NULL,
    delivery INTEGER REFERENCES deliveries ON DELETE SET NULL -- of what the consulate wrote
) STRICT;
CREATE INDEX letters_of ON letters (thread);
CREATE INDEX letters_sent ON letters (delivery) WHERE delivery IS NOT NULL;

CREATE TABLE gaps ( -- what people ask and nobody answers: the question, never the asker
    community TEXT NOT NULL,
    question BLOB NOT NULL, -- sealed, so that the same words give the same bytes and can be counted
    month TEXT NOT NULL,
    times INTEGER NOT NULL,
    PRIMARY KEY (community, question, month)
) STRICT, WITHOUT ROWID;

CREATE TABLE opinions ( -- whether an entry was of use
    entry TEXT NOT NULL,
    community TEXT NOT NULL,
    useful INTEGER NOT NULL,
    useless INTEGER NOT NULL,
    PRIMARY KEY (entry, community)
) STRICT, WITHOUT ROWID;
CREATE TABLE opined ( -- who has said so, for nobody is counted twice; not what they said
    subscriber INTEGER NOT NULL REFERENCES subscribers ON DELETE CASCADE,
    entry TEXT NOT NULL,
    PRIMARY KEY (subscriber, entry)
) STRICT, WITHOUT ROWID;

-- The same reply to many people is one text.
ALTER TABLE texts ADD COLUMN mark BLOB;
CREATE UNIQUE INDEX said ON texts (sender, mark) WHERE mark IS NOT NULL;
-- The thread whose letter the text holds, sealed for it alone: when the thread goes, in whatever way, so do
-- the words. The row stays, empty: to delete it, every delivery ever made would be read (0.15 s a letter).
ALTER TABLE texts ADD COLUMN owner TEXT;
CREATE INDEX owned ON texts (owner) WHERE owner IS NOT NULL;
CREATE TRIGGER thread_gone AFTER DELETE ON threads
BEGIN UPDATE texts SET open = '[]', closed = NULL, owner = NULL WHERE owner = OLD.reference; END;
"""


@migrations()
def m0001_first_day(db: Database) -> None:
    """Everything the first real day needs."""
    _run(db, _FIRST_DAY)


@migrations()
def m0002_conversation(db: Database) -> None:
    """What joining, asking, leaving and being forgotten by chat need, and the community's voice."""
    _run(db, _CONVERSATION)


def _run(db: Database, script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            db.execute(statement)
