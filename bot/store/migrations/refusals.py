"""m0005: a hindrance may be one broadcast's alone."""

from __future__ import annotations

# Made anew, because SQLite cannot change a key; what stood in it is noted again within a second.
REFUSALS = """
DROP TABLE hindrances;
CREATE TABLE hindrances ( -- what keeps messages waiting while the service runs, for whoever asks for a report
    kind TEXT NOT NULL,
    sender TEXT NOT NULL, -- '' for the disk
    broadcast INTEGER NOT NULL, -- 0: it is not about one
    reason TEXT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (kind, sender, broadcast)
) STRICT, WITHOUT ROWID
"""
