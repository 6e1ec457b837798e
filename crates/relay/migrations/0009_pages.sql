-- What hospitals publish for everybody, and which accounts may.

ALTER TABLE account ADD COLUMN host INTEGER NOT NULL DEFAULT 0; -- 1 for an account that may publish: it was admitted by a code for hospitals

ALTER TABLE enrolment_code ADD COLUMN host INTEGER NOT NULL DEFAULT 0; -- 1 for a code for hospitals

CREATE TABLE public_page (
    name         BLOB    NOT NULL PRIMARY KEY, -- a hash that tells nothing about whose it is, 16 bytes
    account      BLOB    NOT NULL,             -- who published it, and alone may replace it
    number       INTEGER NOT NULL,             -- only a higher one replaces it
    body         BLOB    NOT NULL,             -- what was published, signed by its author; in clear, for everybody
    stored_at_ms INTEGER NOT NULL              -- ms since the epoch
) STRICT, WITHOUT ROWID;

CREATE INDEX public_page_account ON public_page (account);
