"""m0004: what an outbox that one can bet on needs: the unknown, poison, receipts that fail to come."""

from __future__ import annotations

# Of a delivery: when its last request was about to leave; how often its vendor was asked for it; how many
# processes died with it in hand; 1 when it was sent once more, and says so; 1 when its vendor has told of it.
# Of an inbound: how many processes died while reading it.
OUTBOX = """
ALTER TABLE deliveries ADD COLUMN claimed_at INTEGER;
ALTER TABLE deliveries ADD COLUMN looked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN repeated INTEGER NOT NULL DEFAULT 0;
CREATE INDEX suspect_deliveries ON deliveries (sender, state, broadcast) WHERE deaths > 0;
ALTER TABLE deliveries ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
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
