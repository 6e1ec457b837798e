-- Who is a member where, so that it need not be read from every folded log; what is here, those logs say.

CREATE TABLE member (
    account BLOB NOT NULL, -- who
    space   BLOB NOT NULL, -- is a member of which space now, in whatever role
    PRIMARY KEY (account, space)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_of_space ON member (space, account);

-- Until now every space had one member: its owner, who got its genesis.
INSERT INTO member (account, space) SELECT DISTINCT account, log FROM inbox WHERE kind = 2;

CREATE TABLE device (
    device  BLOB NOT NULL PRIMARY KEY, -- every device that is or was in an account: an id is taken once and for ever
    account BLOB NOT NULL              -- in which account
) STRICT, WITHOUT ROWID;

-- Who is let into a space gets what was pushed there before.
CREATE INDEX push_of_space ON push (space, push);

-- inbox.kind 1: also an entry of the log of another account that shares a space with this one.
