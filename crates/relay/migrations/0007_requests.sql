-- Recovery helpers: several requests for an account stand beside each other, each with its own wait, so that whoever knows an
-- account's id keeps nobody else from asking. What was asked before goes on.

ALTER TABLE helper_request RENAME TO helper_request_single;

CREATE TABLE helper_request (
    account        BLOB NOT NULL,              -- who is asked for, whether it is an account here or not: nobody learns which
    request        BLOB NOT NULL,              -- hash of the request
    body           BLOB NOT NULL,              -- that request: the device that asks, and its keys
    asked_at_ms    INTEGER NOT NULL,           -- when, ms since the epoch
    released_at_ms INTEGER NOT NULL,           -- when the part is given out to this device, ms since the epoch
    stopped_at_ms  INTEGER NOT NULL DEFAULT 0, -- when it was stopped, ms since the epoch; 0 if nobody has
    PRIMARY KEY (account, request)
) STRICT, WITHOUT ROWID;

INSERT INTO helper_request (account, request, body, asked_at_ms, released_at_ms, stopped_at_ms)
SELECT account, request, body, asked_at_ms, released_at_ms, stopped_at_ms FROM helper_request_single;

DROP TABLE helper_request_single;

-- With each exchange a device is told which of those that are open is released first, and how many there are.
CREATE INDEX helper_request_open ON helper_request (account, stopped_at_ms, released_at_ms);
