-- Pruned logs: once two devices found a snapshot right and 90 days have passed, it stands for the envelopes that it covers.
-- Of each of these the number and hash stay, and its body is empty. Heads, last statements and membership logs stay.

CREATE TABLE verified (
    space      BLOB    NOT NULL, -- whose snapshot
    space_seq  INTEGER NOT NULL, -- which: what it covers
    device     BLOB    NOT NULL, -- who fetched it and found it right
    account    BLOB    NOT NULL, -- of which account
    body       BLOB    NOT NULL, -- what the device signed (CBOR)
    seen_at_ms INTEGER NOT NULL, -- ms since the epoch
    PRIMARY KEY (space, space_seq, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE fold (
    space          BLOB    NOT NULL, -- at most two for each space: one that waits, and one that stands for what was pruned
    space_seq      INTEGER NOT NULL, -- everything up to here is in it
    account        BLOB    NOT NULL, -- whose quota it counts against
    body           BLOB    NOT NULL, -- as in snapshot
    statements     BLOB    NOT NULL, -- as in snapshot
    verified_at_ms INTEGER NOT NULL, -- when the second device had verified it, ms since the epoch
    pruned_at_ms   INTEGER NOT NULL DEFAULT 0, -- when what it covers was pruned, ms since the epoch; 0 while it waits
    PRIMARY KEY (space, space_seq)
) STRICT, WITHOUT ROWID;

-- inbox.kind 5: the snapshot that stood for what was pruned of the space `log` when the account was let in.
