-- Whose recovery key it is: who restores has the kit's words and no id. Old keys leave with the entry that replaces them.

CREATE TABLE recovery (
    key     BLOB NOT NULL PRIMARY KEY, -- the public half of an account's recovery key, as its log names it now
    account BLOB NOT NULL              -- that account
) STRICT, WITHOUT ROWID;

CREATE INDEX recovery_of_account ON recovery (account);
