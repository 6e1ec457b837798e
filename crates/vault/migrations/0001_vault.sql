-- The vault of one device. Nothing in it is readable but random ids, counters and the slow-down of guessing.

CREATE TABLE slot (
  kind INTEGER NOT NULL PRIMARY KEY, -- 1: passphrase
  body BLOB NOT NULL                 -- the vault key, sealed under what the slot's secret derives; CBOR
) STRICT;

CREATE TABLE guard (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), -- a single row
  failed INTEGER NOT NULL,                          -- wrong passphrases since the last right one
  next_try_ms INTEGER NOT NULL                      -- no attempt before this time; ms since 1970
) STRICT;

CREATE TABLE head (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), -- a single row
  body BLOB NOT NULL                                -- commit counter, 64 digests of row tags and row counts; sealed
) STRICT;

CREATE TABLE row (
  at INTEGER NOT NULL PRIMARY KEY, -- place in the file, without meaning
  kind INTEGER NOT NULL,           -- which table of the vault: 0 document heads, 1.. as the code names them
  id BLOB NOT NULL,                -- HMAC of kind and name, 16 bytes
  gen INTEGER NOT NULL,            -- the commit that wrote it; kind, id and gen are bound by the seal
  body BLOB NOT NULL               -- content and name; sealed
) STRICT;

CREATE TABLE envelope (
  document BLOB NOT NULL, -- random document id, 16 bytes
  n INTEGER NOT NULL,     -- local order within the document, from 1 without gaps
  chain BLOB NOT NULL,    -- SHA-256 of the chain before and this envelope's SHA-256, 32 bytes
  body BLOB NOT NULL,     -- the envelope, byte for byte as it is sent; sealed
  PRIMARY KEY (document, n)
) STRICT;
