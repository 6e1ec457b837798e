-- Recovery helpers: the server's part of an account's recovery key, and who asks for it.

CREATE TABLE helper_part (
    account  BLOB NOT NULL PRIMARY KEY, -- whose
    set_hash BLOB NOT NULL,             -- of the parts that it belongs to, as the account's log names them now
    part     BLOB NOT NULL              -- 32 bytes: worth nothing without two helpers'
) STRICT, WITHOUT ROWID;

CREATE TABLE helper_request (
    account        BLOB NOT NULL PRIMARY KEY, -- who is asked for, whether it is an account here or not: nobody learns which
    request        BLOB NOT NULL,             -- hash of the last request
    body           BLOB NOT NULL,             -- that request: the device that asks, and its keys
    asked_at_ms    INTEGER NOT NULL,          -- when, ms since the epoch
    released_at_ms INTEGER NOT NULL,          -- when the part is given out, ms since the epoch
    stopped_at_ms  INTEGER NOT NULL DEFAULT 0 -- when it was stopped, ms since the epoch; 0 if nobody has
) STRICT, WITHOUT ROWID;
