-- Spaces folded, so that a new device need not fetch every envelope. The envelopes stay.

CREATE TABLE snapshot (
    space        BLOB    NOT NULL PRIMARY KEY, -- one for each space: the last one that was accepted
    space_seq    INTEGER NOT NULL,             -- everything up to here is in it
    account      BLOB    NOT NULL,             -- whose quota it counts against
    body         BLOB    NOT NULL,             -- the snapshot as it was received (CBOR): chains in clear, parts sealed
    statements   BLOB    NOT NULL,             -- the last statement of every chain at that time, signed (CBOR)
    stored_at_ms INTEGER NOT NULL              -- ms since the epoch
) STRICT, WITHOUT ROWID;

-- inbox.kind 4: a snapshot of the space `log`, with `number` the space_seq that it covers.
