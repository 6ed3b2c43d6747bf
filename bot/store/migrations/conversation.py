"""m0002: what joining, asking, leaving and being forgotten by chat need, and the community's voice."""

from __future__ import annotations

CONVERSATION = """
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
