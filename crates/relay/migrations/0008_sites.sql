-- Mailboxes that nobody signed in for: when there is no room for another one, the site that has the most gives one up.

ALTER TABLE mailbox ADD COLUMN site INTEGER NOT NULL DEFAULT 0; -- 0 if a signed-in device opened it; else a keyed hash of the network (an IPv4 /24, an IPv6 /48) that did, whose key is in memory alone and goes with the process

CREATE INDEX mailbox_room ON mailbox (site, expires_at_ms);
