//! Every size and count that the protocol accepts, in one place, so that nothing on the wire is unbounded.

/// Largest request body in bytes. Above it the relay answers 413 before it has read the rest.
pub const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;
/// Largest response body in bytes that a client reads: one full page and one largest push beyond it.
pub const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;
/// Largest sum of envelope bytes in one push: one envelope of the largest size, and room for its neighbours.
pub const MAX_PUSH_BYTES: usize = 9 * 1024 * 1024;
/// Most bytes of items that the relay puts into a page before it stops; a page always holds at least one item.
pub const MAX_PAGE_BYTES: u64 = 4 * 1024 * 1024;
/// Most items in one page.
pub const MAX_ITEMS: usize = 8_192;
/// Most pushes in one request.
pub const MAX_PUSHES: usize = 256;
/// Most envelopes in one push.
pub const MAX_ENVELOPES_PER_PUSH: usize = 4_096;
/// Most account entries in one request.
pub const MAX_ACCOUNT_ENTRIES: usize = 64;
/// Most space entries in one request: a new account opens about a dozen spaces for each chart.
pub const MAX_SPACE_ENTRIES: usize = 256;
/// Most chains that one statement acknowledges.
pub const MAX_RECEIVED: usize = 1_024;
/// Most devices in one account, live and removed.
pub const MAX_DEVICES: usize = 64;
/// Most incarnations of one device.
pub const MAX_INCARNATIONS: usize = 64;
/// Most entries in one account's log.
pub const MAX_ACCOUNT_LOG: u64 = 4_096;
/// Most entries of removed devices that one entry of an account's log upholds.
pub const MAX_UPHELD_AT_ONCE: usize = 256;
/// Most such entries that one account upholds.
pub const MAX_UPHELD: usize = 4_096;
/// Most bytes that are sealed to a recovery key: every HPKE secret that the account ever had, and room.
pub const MAX_RECOVERY_SEALED_BYTES: usize = 8_192;
/// Days that the server waits before it gives out its part of the helpers' key (DESIGN 7, Recovery). The same for every account:
/// another number would tell who asks that the account is there.
pub const HELPERS_WAIT_DAYS: u32 = 7;
/// How long a released request may be used, in milliseconds: then it is over, and is asked for anew.
pub const HELPERS_USE_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// How long nobody may ask again after a device stopped what was asked, in milliseconds.
pub const HELPERS_STOPPED_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// Most requests beside the first that a notice counts. More may be open.
pub const MAX_OTHER_REQUESTS: u32 = 99;
/// Most chains that one snapshot folds.
pub const MAX_CHAINS: usize = 1_024;
/// Most parts of one snapshot: a document each, and one for their keys.
pub const MAX_SNAPSHOT_PARTS: usize = 1_024;
/// Largest sum of bytes of a snapshot's parts. A larger space is fetched by its envelopes.
pub const MAX_SNAPSHOT_BYTES: usize = 9 * 1024 * 1024;
/// Most snapshots in one request.
pub const MAX_SNAPSHOTS: usize = 64;
/// Most members in one space (DESIGN section 9: small groups end at 200).
pub const MAX_MEMBERS: usize = 256;
/// Most entries in one space's membership log.
pub const MAX_SPACE_LOG: usize = 65_536;
/// Most chains that one entry cuts: those of one account in one space.
pub const MAX_CUTS: usize = 1_024;
/// Largest sealed terms of a grant (verbs, validity, names, reason), or sealed reason of a removal, in bytes.
pub const MAX_SEALED_TERMS_BYTES: usize = 4_096;
/// Largest epoch key sealed under the next one, in bytes.
pub const MAX_SEALED_KEY_BYTES: usize = 256;
/// Most own entries of one log that are taken in before the relay has them.
pub const MAX_UNSTORED_ENTRIES: usize = 64;
/// Largest sealed device name or sealed space label in bytes.
pub const MAX_SEALED_NAME_BYTES: usize = 1_024;
/// Largest key wrap in bytes (X-Wing needs 1,168; room for a later suite).
pub const MAX_WRAP_BYTES: usize = 2_048;
/// Largest encoded HPKE public key in bytes (X-Wing needs 1,216).
pub const MAX_KEM_PUBLIC_BYTES: usize = 2_048;
/// Largest body in one slot of a pairing mailbox, in bytes.
pub const MAX_MAILBOX_BYTES: usize = 16 * 1024;
/// How long a pairing mailbox lives, in milliseconds.
pub const MAILBOX_LIFE_MS: i64 = 15 * 60 * 1_000;
/// Most days that the mailbox of an invitation may live.
pub const MAX_MAILBOX_DAYS: u32 = 7;
/// How long a sign-in challenge lives, in milliseconds (PROOF test 39: at most 60 s).
pub const CHALLENGE_LIFE_MS: i64 = 60 * 1_000;
/// How long a session lives, in milliseconds.
pub const SESSION_LIFE_MS: i64 = 12 * 60 * 60 * 1_000;
/// Longest enrolment code as typed, in bytes.
pub const MAX_CODE_BYTES: usize = 64;
/// Longest server name, in bytes.
pub const MAX_SERVER_NAME_BYTES: usize = 256;
/// Largest page that a host publishes, in bytes.
pub const MAX_PUBLISHED_BYTES: usize = 512 * 1024;
/// Most pages of one host.
pub const MAX_PUBLISHED_PAGES: u64 = 16;
/// Largest frame of sign-in, enrolment or server information, in bytes.
pub const MAX_SMALL_FRAME_BYTES: usize = 16 * 1024;
/// Largest request of who recovers an account, in bytes: its entry may hold every key of the account twice, for the kit and for
/// the helpers.
pub const MAX_RECOVER_BYTES: usize = 32 * 1024;
/// Most own receipts that a device remembers with their times, for each chain; older ones are merged into the oldest kept.
pub const MAX_STORED_MARKS: usize = 256;
