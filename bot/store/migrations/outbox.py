"""m0004: what an outbox that one can bet on needs: what became of the unknown, poison, receipts that fail to come."""

from __future__ import annotations

OUTBOX = """
ALTER TABLE deliveries ADD COLUMN claimed_at INTEGER; -- when its last request was about to leave
ALTER TABLE deliveries ADD COLUMN looked INTEGER NOT NULL DEFAULT 0; -- how often its vendor was asked for it
ALTER TABLE deliveries ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0; -- processes that died with it in hand
ALTER TABLE deliveries ADD COLUMN repeated INTEGER NOT NULL DEFAULT 0; -- 1: sent once more, and says so
CREATE INDEX unknown_deliveries ON deliveries (sender, claimed_at) WHERE state = 'unknown';

ALTER TABLE inbounds ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0; -- processes that died while reading it

CREATE TABLE tallies ( -- of the messages that left in an hour, how many the vendor has told of since
    sender TEXT NOT NULL,
    hour INTEGER NOT NULL, -- since 1970
    sent INTEGER NOT NULL DEFAULT 0,
    receipted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sender, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE folded ( -- what is left of a broadcast's deliveries once they are forgotten: how many ended how
    broadcast INTEGER NOT NULL REFERENCES broadcasts,
    state TEXT NOT NULL,
    reason TEXT NOT NULL, -- '' for none
    sender TEXT NOT NULL,
    people INTEGER NOT NULL,
    PRIMARY KEY (broadcast, state, reason, sender)
) STRICT, WITHOUT ROWID
"""
