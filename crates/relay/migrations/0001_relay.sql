-- What the relay keeps. Everything that a person wrote is inside sealed bytes that it cannot open; what is in clear here
-- is what it needs to order, to admit and to hand on. A new column is a new thing that the relay learns: say so in
-- docs/security.md.

CREATE TABLE account (
    account        BLOB    NOT NULL PRIMARY KEY, -- random id
    state          BLOB    NOT NULL,             -- the verified account log, folded: devices with their public keys (CBOR)
    inbox_head     INTEGER NOT NULL DEFAULT 0,   -- the last position of the inbox; the account's cursor runs along it
    stored_bytes   INTEGER NOT NULL DEFAULT 0,   -- what counts against the quota, in bytes
    spaces         INTEGER NOT NULL DEFAULT 0,   -- how many spaces it founded
    enrolled_at_ms INTEGER NOT NULL              -- ms since the epoch
) STRICT, WITHOUT ROWID;

CREATE TABLE account_entry (
    account      BLOB    NOT NULL, -- whose log
    seq          INTEGER NOT NULL, -- number of the entry, from 1
    hash         BLOB    NOT NULL, -- hash of the signed entry
    body         BLOB    NOT NULL, -- the signed entry as it was received (CBOR); device names in it are sealed
    stored_at_ms INTEGER NOT NULL, -- ms since the epoch
    PRIMARY KEY (account, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolment_code (
    code          BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the code: the code itself is not kept
    expires_at_ms INTEGER NOT NULL,             -- ms since the epoch
    used_by       BLOB                          -- the hash of the account entry that it admitted; NULL while unused
) STRICT, WITHOUT ROWID;

CREATE TABLE space (
    space     BLOB    NOT NULL PRIMARY KEY, -- random id
    state     BLOB    NOT NULL,             -- the verified membership log, folded: members, roles, epoch (CBOR)
    space_seq INTEGER NOT NULL DEFAULT 0    -- the last number of the space's order: gap-free, taken under the write lock
) STRICT, WITHOUT ROWID;

CREATE TABLE space_entry (
    space        BLOB    NOT NULL, -- whose log
    seq          INTEGER NOT NULL, -- number of the entry, from 1
    hash         BLOB    NOT NULL, -- hash of the signed entry
    body         BLOB    NOT NULL, -- the signed entry as it was received (CBOR); labels and keys in it are sealed
    space_seq    INTEGER NOT NULL, -- the last space_seq before it
    stored_at_ms INTEGER NOT NULL, -- ms since the epoch
    PRIMARY KEY (space, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain (
    space          BLOB    NOT NULL, -- the space it is in
    device         BLOB    NOT NULL, -- the device that writes it
    incarnation    BLOB    NOT NULL, -- that device's incarnation
    envelope_seq   INTEGER NOT NULL, -- the last link; 0 if the device only acknowledged
    last           BLOB    NOT NULL, -- content id of the last link
    membership_seq INTEGER NOT NULL, -- the membership entry that the last link was written under
    statement      BLOB    NOT NULL, -- the device's last statement, signed (CBOR): kept for ever
    PRIMARY KEY (space, device, incarnation)
) STRICT, WITHOUT ROWID;

CREATE TABLE push (
    push            INTEGER NOT NULL PRIMARY KEY, -- number of the push in this database; never used as a cursor
    space           BLOB    NOT NULL,             -- the space it is for
    device          BLOB    NOT NULL,             -- who pushed
    incarnation     BLOB    NOT NULL,             -- and in which incarnation
    first_space_seq INTEGER NOT NULL,             -- space_seq of its first envelope, or of the next one if it has none
    envelopes       INTEGER NOT NULL,             -- how many envelopes were stored with it
    statement       BLOB    NOT NULL,             -- its signed statement (CBOR)
    stored_at_ms    INTEGER NOT NULL              -- ms since the epoch; the receipt says the same
) STRICT;

CREATE TABLE envelope (
    space        BLOB    NOT NULL, -- the space it is in
    space_seq    INTEGER NOT NULL, -- its place in the space's order, from 1, without a gap
    push         INTEGER NOT NULL, -- the push that brought it
    device       BLOB    NOT NULL, -- the device that wrote it
    incarnation  BLOB    NOT NULL, -- in which incarnation
    envelope_seq INTEGER NOT NULL, -- its place in its chain, from 1
    content_id   BLOB    NOT NULL, -- SHA-256 of its bytes
    body         BLOB    NOT NULL, -- the sealed envelope, byte for byte
    PRIMARY KEY (space, space_seq)
) STRICT;

CREATE UNIQUE INDEX envelope_of_chain ON envelope (space, device, incarnation, envelope_seq);

CREATE TABLE equivocation (
    space        BLOB    NOT NULL, -- where
    device       BLOB    NOT NULL, -- by whom
    incarnation  BLOB    NOT NULL, -- in which incarnation
    envelope_seq INTEGER NOT NULL, -- which link has a second version
    content_id   BLOB    NOT NULL, -- SHA-256 of the second version
    body         BLOB    NOT NULL, -- the second version: evidence, never handed on as an envelope
    statement    BLOB    NOT NULL, -- the signed statement that came with it
    seen_at_ms   INTEGER NOT NULL, -- ms since the epoch
    PRIMARY KEY (space, device, incarnation, envelope_seq, content_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
    account  BLOB    NOT NULL, -- for whom
    position INTEGER NOT NULL, -- from 1, without a gap, taken in the same transaction as what it points to
    kind     INTEGER NOT NULL, -- 1 account entry, 2 space entry, 3 push
    log      BLOB    NOT NULL, -- the account or space
    number   INTEGER NOT NULL, -- seq of the entry, or number of the push
    PRIMARY KEY (account, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE mailbox (
    mailbox       BLOB    NOT NULL PRIMARY KEY, -- HKDF of a pairing secret: says nothing about the account
    expires_at_ms INTEGER NOT NULL,             -- ms since the epoch
    offer         BLOB,                         -- sealed under the pairing secret; put once
    joining       BLOB,                         -- likewise
    welcome       BLOB                          -- likewise
) STRICT, WITHOUT ROWID;
