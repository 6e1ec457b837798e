//! What the relay asks of a database: durable, ordered, and all or nothing. SQLite answers it here; another database
//! would answer the same trait.
//!
//! It must not know of HTTP, sessions or keys to sign with. Calls block: the caller keeps them off the event loop.

#[cfg(test)]
pub(crate) mod scripted;
pub mod sqlite;

use mecum_seal::{AccountId, DeviceId, Hash32, IncarnationId, SecretKey32, SpaceId, VerifyingKey};
use mecum_sync::{
    AccountEntry, DeviceCard, HelpersNotice, HelpersRequest, HelpersStage, Outcome, PageName, Push, Receipt,
    Refusal, SaidPush, SaidSnapshot, Signed, SpaceEntry, SpaceSnapshot, Statement, StoredSnapshot, Verified,
};

/// The database failed. Nothing was changed by the call that says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite says no: disk full, damaged, locked for too long.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored value is not what this version writes.
    #[error("a stored {what} cannot be read")]
    Stored {
        /// The kind of value.
        what: &'static str,
    },
    /// The transaction was not committed, or the writer has stopped.
    #[error("not committed")]
    NotCommitted,
    /// The database was written by a newer version.
    #[error("database is of a newer version")]
    TooNew,
}

/// Who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Author {
    /// The account.
    pub account: AccountId,
    /// Its device.
    pub device: DeviceId,
    /// The device's incarnation.
    pub incarnation: IncarnationId,
}

/// What one account may take up.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// Stored bytes.
    pub bytes: u64,
    /// Spaces founded.
    pub spaces: u64,
}

/// What one request wants stored.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Who asks.
    pub author: Author,
    /// The cursor of the request: if it is none of this log, nothing is stored.
    pub cursor: u64,
    /// This relay's key: a space may name it as its home.
    pub relay: VerifyingKey,
    /// Account entries, in order.
    pub account_entries: Vec<Signed<AccountEntry>>,
    /// Space entries, in order.
    pub space_entries: Vec<Signed<SpaceEntry>>,
    /// Pushes, in order.
    pub pushes: Vec<SaidPush>,
    /// Pushes of others that this relay may have lost, in order, after the device's own.
    pub handed: Vec<Push>,
    /// Snapshots, in order, after the pushes.
    pub snapshots: Vec<SaidSnapshot>,
    /// What the device found right, after the snapshots.
    pub verified: Vec<Signed<Verified>>,
    /// What the account may take up.
    pub quota: Quota,
    /// The relay's clock, in ms since the epoch.
    pub now_ms: i64,
}

/// What became of it: committed when this is returned.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// One for each account entry.
    pub account_outcomes: Vec<Outcome>,
    /// One for each space entry.
    pub space_outcomes: Vec<Outcome>,
    /// One for each push.
    pub push_outcomes: Vec<Outcome>,
    /// One for each push that was handed over.
    pub handed_outcomes: Vec<Outcome>,
    /// One for each snapshot.
    pub snapshot_outcomes: Vec<Outcome>,
    /// One for each snapshot that was found right.
    pub verified_outcomes: Vec<Outcome>,
    /// How many of these were said for the first time.
    pub newly_verified: u64,
    /// One for each accepted push that held envelopes.
    pub receipts: Vec<Receipt>,
    /// The accounts that have something new.
    pub news_for: Vec<AccountId>,
    /// The devices that were removed: their sessions end.
    pub ended: Vec<(AccountId, DeviceId)>,
}

/// What the holder of an account's recovery key asks for.
#[derive(Clone, Debug)]
pub struct Recovering {
    /// The account.
    pub account: AccountId,
    /// The key that the proof was verified under.
    pub key: VerifyingKey,
    /// Entries after this number are wanted.
    pub after: u64,
    /// An entry for the end of the log.
    pub entry: Option<Signed<AccountEntry>>,
    /// What the account may take up.
    pub quota: Quota,
    /// The relay's clock, in ms since the epoch.
    pub now_ms: i64,
}

/// What became of it: committed when this is returned.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// The entries that were asked for, in order.
    pub entries: Vec<Signed<AccountEntry>>,
    /// Whether there are more after these.
    pub more: bool,
    /// The accounts that have something new.
    pub news_for: Vec<AccountId>,
    /// The devices that were removed: their sessions end.
    pub ended: Vec<(AccountId, DeviceId)>,
}

/// The recovery keys of an account: the kit's and the helpers', as far as there are any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecoveryKeys {
    /// The kit's.
    pub kit: Option<VerifyingKey>,
    /// The helpers'.
    pub helpers: Option<VerifyingKey>,
}

impl RecoveryKeys {
    /// The one of them that is `key`.
    #[must_use]
    pub fn which(&self, key: &VerifyingKey) -> Option<VerifyingKey> {
        [self.kit, self.helpers].into_iter().flatten().find(|own| own == key)
    }
}

/// One request for an account by its helpers, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// The request.
    pub request: Signed<HelpersRequest>,
    /// How it stands.
    pub stage: HelpersStage,
    /// When it was asked, in ms since the epoch.
    pub asked_at_ms: i64,
    /// When the part is given out, in ms since the epoch.
    pub released_at_ms: i64,
    /// When another request is taken, in ms since the epoch: the time of asking, unless this one was stopped.
    pub again_at_ms: i64,
}

/// What a released request gets.
#[derive(Clone)]
pub struct Given {
    /// The server's part.
    pub part: SecretKey32,
    /// The account's log, in order.
    pub entries: Vec<Signed<AccountEntry>>,
    /// Whether there are more after these.
    pub more: bool,
}

/// A space entry and where it stands: what the relay countersigns.
#[derive(Clone, Debug)]
pub struct PlacedEntry {
    /// The entry.
    pub entry: Signed<SpaceEntry>,
    /// The last `space_seq` before it.
    pub space_seq: u64,
    /// When it was committed, in ms since the epoch.
    pub stored_at_ms: i64,
}

/// One thing of an inbox.
#[derive(Clone, Debug)]
pub enum StoredItem {
    /// An entry of the account's log, or of another account's that shares a space with it.
    AccountEntry(Signed<AccountEntry>),
    /// An entry of a space's log.
    SpaceEntry(PlacedEntry),
    /// A push of another chain.
    Batch {
        /// `space_seq` of its first envelope.
        first_space_seq: u64,
        /// What was stored of it.
        push: Push,
    },
    /// A push of the asking chain.
    Own {
        /// `space_seq` of its first envelope.
        first_space_seq: u64,
        /// How many envelopes were stored.
        count: u64,
        /// Its statement.
        statement: Signed<Statement>,
    },
    /// A snapshot, in the place of what it covers.
    Snapshot {
        /// As it was received.
        snapshot: SpaceSnapshot,
        /// The last statement of every chain when it was stored.
        statements: Vec<Signed<Statement>>,
    },
    /// That there is a snapshot.
    SnapshotStored {
        /// The space.
        space: SpaceId,
        /// What it covers.
        space_seq: u64,
    },
}

/// What part of an inbox is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// What comes after this position.
    pub cursor: u64,
    /// At least one item if there is any, then up to so many bytes.
    pub max_bytes: u64,
    /// Snapshots in the place of the pushes that they cover.
    pub from_snapshots: bool,
    /// A snapshot in the place of what was pruned; without it a cursor before that is refused.
    pub over_pruned: bool,
    /// The space whose stored snapshot is wanted besides.
    pub show: Option<SpaceId>,
    /// From how many envelopes on that could be pruned a snapshot is worth verifying.
    pub prune_envelopes: u64,
}

/// A page of an inbox.
#[derive(Clone, Debug)]
pub struct Page {
    /// In order.
    pub items: Vec<StoredItem>,
    /// The cursor after them.
    pub cursor: u64,
    /// Whether there is more.
    pub more: bool,
    /// The snapshot that was asked for.
    pub shown: Option<StoredSnapshot>,
    /// The spaces whose snapshot waits to be verified by the asking device; none while there is more.
    pub to_verify: Vec<SpaceId>,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many envelopes were pruned.
    pub pruned_envelopes: u64,
}

/// What a host published under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicPage {
    /// Which one: a higher number takes the place of a lower one.
    pub number: u64,
    /// What was published.
    pub body: Vec<u8>,
}

/// The three messages of a pairing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// What the device that is there says first. Opens the mailbox.
    Offer,
    /// What the new device answers.
    Join,
    /// What lets it in.
    Welcome,
}

/// Who opens a mailbox, and for how long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A signed-in device, for days.
    Long {
        /// For how long, in ms.
        life_ms: i64,
    },
    /// Anybody, for a quarter of an hour.
    Short {
        /// Which site it is: a positive number that is the same for all addresses of a network, and says nothing else.
        site: i64,
        /// Whether it is a signed-in device. These have room of their own, as long as there is some.
        signed_in: bool,
    },
}

/// Accounts, logs, envelopes and mailboxes.
///
/// The outer error is the database's and means that nothing changed; the inner one is a refusal.
pub trait LogStore: Send + Sync + 'static {
    /// Keeps the hash of a fresh enrolment code; whoever comes by one for a `host` may publish pages.
    fn add_code(&self, code: Hash32, expires_at_ms: i64, host: bool) -> Result<(), StoreError>;

    /// A page that a host published.
    fn public_page(&self, name: PageName) -> Result<Option<PublicPage>, StoreError>;

    /// Keeps a page of a host, in the place of one of a lower number. The same again is accepted again.
    fn put_public_page(
        &self,
        account: AccountId,
        name: PageName,
        page: PublicPage,
        now_ms: i64,
    ) -> Result<Result<(), Refusal>, StoreError>;

    /// Admits an account by the hash of a code. The same entry with the same code again is accepted again.
    fn enrol(
        &self,
        code: Hash32,
        genesis: &Signed<AccountEntry>,
        now_ms: i64,
    ) -> Result<Result<(), Refusal>, StoreError>;

    /// A live device of an account.
    fn device(&self, account: AccountId, device: DeviceId) -> Result<Option<DeviceCard>, StoreError>;

    /// The recovery keys of an account.
    fn recovery_keys(&self, account: AccountId) -> Result<RecoveryKeys, StoreError>;

    /// The account that has this recovery key now.
    fn account_of_recovery(&self, key: VerifyingKey) -> Result<Option<AccountId>, StoreError>;

    /// Stores the entry of who recovers an account, if there is one, and answers the account's log.
    fn recover(&self, recovering: Recovering) -> Result<Result<Recovered, Refusal>, StoreError>;

    /// Takes a request for an account by its helpers, whether there is such an account or not, beside whatever else is open. The same
    /// again is answered the same.
    fn helpers_ask(
        &self,
        request: Signed<HelpersRequest>,
        now_ms: i64,
    ) -> Result<Result<Asking, Refusal>, StoreError>;

    /// A request for an account, until it is over.
    fn helpers_asking(
        &self,
        account: AccountId,
        request: Hash32,
        now_ms: i64,
    ) -> Result<Option<Asking>, StoreError>;

    /// What a released request for an account gets; the caller has seen that it is released.
    fn helpers_given(&self, account: AccountId, after: u64) -> Result<Result<Given, Refusal>, StoreError>;

    /// Keeps the server's part for the set that the account's log names now.
    fn helpers_part(
        &self,
        account: AccountId,
        set: Hash32,
        part: SecretKey32,
    ) -> Result<Result<(), Refusal>, StoreError>;

    /// Stops every request that is open, if the named one is among them.
    fn helpers_stop(&self, account: AccountId, request: Hash32, now_ms: i64) -> Result<(), StoreError>;

    /// What the devices of an account are told while requests are open.
    fn helpers_notice(&self, account: AccountId, now_ms: i64) -> Result<Option<HelpersNotice>, StoreError>;

    /// Checks and stores what a request brings, in one transaction.
    fn keep(&self, wanted: Wanted) -> Result<Result<Kept, Refusal>, StoreError>;

    /// What is new for an account.
    fn page(&self, author: &Author, asked: Asked) -> Result<Result<Page, Refusal>, StoreError>;

    /// The last position of the account's inbox: a cursor that stands there has nothing after it. None if the device is
    /// not a live one of the account.
    fn inbox_head(&self, author: &Author) -> Result<Option<u64>, StoreError>;

    /// Puts a message of a pairing or an invitation, once. Only an offer opens a mailbox, as `opening` says; without one it has to be
    /// there already.
    fn put_slot(
        &self,
        mailbox: [u8; 16],
        slot: Slot,
        body: Vec<u8>,
        now_ms: i64,
        opening: Option<Opening>,
    ) -> Result<Result<(), Refusal>, StoreError>;

    /// A pairing message, if it is there and has not expired.
    fn slot(&self, mailbox: [u8; 16], slot: Slot, now_ms: i64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Forgets mailboxes and codes that have expired, and prunes envelopes whose time has passed.
    fn sweep(&self, now_ms: i64) -> Result<Swept, StoreError>;
}
