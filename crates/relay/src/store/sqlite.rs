//! The SQLite store: one file, one writer thread that commits several requests at once, readers beside it.
//!
//! WAL with `synchronous=FULL`: what was answered as stored survives a power cut.

mod accounts;
pub(crate) mod backup;
pub mod check;
mod evidence;
mod handed;
mod helping;
mod inbox;
mod mailboxes;
mod members;
mod pruning;
mod publishing;
mod pushes;
mod recovery;
mod snapshots;
mod spaces;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mecum_seal::{AccountId, DeviceId, Hash32, SecretKey32, VerifyingKey};
use mecum_sync::{
    AccountEntry, DecodeError, DeviceCard, HelpersNotice, HelpersRequest, Outcome, PageName, Refusal,
    RefusalCode, Signed,
};
use minicbor::{Decode, Encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    Asked, Asking, Author, Given, Kept, LogStore, Opening, Page, PublicPage, Recovered, Recovering,
    RecoveryKeys, Slot, StoreError, Swept, Wanted,
};
use writer::Writer;

/// The schema, one file for each version.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_relay.sql"),
    include_str!("../../migrations/0002_snapshots.sql"),
    include_str!("../../migrations/0003_members.sql"),
    include_str!("../../migrations/0004_recovery.sql"),
    include_str!("../../migrations/0005_helpers.sql"),
    include_str!("../../migrations/0006_pruning.sql"),
    include_str!("../../migrations/0007_requests.sql"),
    include_str!("../../migrations/0008_sites.sql"),
    include_str!("../../migrations/0009_pages.sql"),
];
/// The version from which on devices' ids and recovery keys are taken: what is older has them taken when it is brought up to
/// date.
const NAMES_TAKEN: usize = 4;
/// How long a statement waits for another process (the enrolment command) that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle reading connections that are kept.
const MAX_IDLE_READERS: usize = 8;
/// Largest stored value that is decoded, in bytes.
const MAX_STORED_BYTES: usize = 64 * 1024 * 1024;

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
}

impl SqliteStore {
    /// Opens or makes the file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = connect(path)?;
        migrate(&mut connection)?;
        Ok(Self { path: path.to_owned(), writer: Writer::start(connection), readers: Mutex::new(Vec::new()) })
    }

    fn read<T>(&self, f: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let result = f(&transaction);
        transaction.finish()?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < MAX_IDLE_READERS {
            readers.push(connection);
        }
        result
    }
}

impl LogStore for SqliteStore {
    fn add_code(&self, code: Hash32, expires_at_ms: i64, host: bool) -> Result<(), StoreError> {
        self.writer.write(move |c| accounts::add_code(c, code, expires_at_ms, host))
    }

    fn public_page(&self, name: PageName) -> Result<Option<PublicPage>, StoreError> {
        self.read(|c| publishing::page(c, name))
    }

    fn put_public_page(
        &self,
        account: AccountId,
        name: PageName,
        page: PublicPage,
        now_ms: i64,
    ) -> Result<Result<(), Refusal>, StoreError> {
        self.writer.write(move |c| attempt(c, |c| publishing::put(c, account, name, &page, now_ms)))
    }

    fn enrol(
        &self,
        code: Hash32,
        genesis: &Signed<AccountEntry>,
        now_ms: i64,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let genesis = genesis.clone();
        self.writer.write(move |c| attempt(c, |c| accounts::enrol(c, code, &genesis, now_ms)))
    }

    fn device(&self, account: AccountId, device: DeviceId) -> Result<Option<DeviceCard>, StoreError> {
        self.read(|c| accounts::device(c, account, device))
    }

    fn recovery_keys(&self, account: AccountId) -> Result<RecoveryKeys, StoreError> {
        self.read(|c| accounts::recovery_keys(c, account))
    }

    fn account_of_recovery(&self, key: VerifyingKey) -> Result<Option<AccountId>, StoreError> {
        self.read(|c| recovery::account_of(c, &key))
    }

    fn recover(&self, recovering: Recovering) -> Result<Result<Recovered, Refusal>, StoreError> {
        self.writer.write(move |c| attempt(c, |c| accounts::recover(c, &recovering)))
    }

    fn helpers_ask(
        &self,
        request: Signed<HelpersRequest>,
        now_ms: i64,
    ) -> Result<Result<Asking, Refusal>, StoreError> {
        self.writer.write(move |c| attempt(c, |c| helping::ask(c, &request, now_ms)))
    }

    fn helpers_asking(
        &self,
        account: AccountId,
        request: Hash32,
        now_ms: i64,
    ) -> Result<Option<Asking>, StoreError> {
        self.read(|c| helping::asking(c, account, request, now_ms))
    }

    fn helpers_given(&self, account: AccountId, after: u64) -> Result<Result<Given, Refusal>, StoreError> {
        self.read(|c| helping::given(c, account, after))
    }

    fn helpers_part(
        &self,
        account: AccountId,
        set: Hash32,
        part: SecretKey32,
    ) -> Result<Result<(), Refusal>, StoreError> {
        self.writer.write(move |c| attempt(c, |c| helping::put_part(c, account, set, &part)))
    }

    fn helpers_stop(&self, account: AccountId, request: Hash32, now_ms: i64) -> Result<(), StoreError> {
        self.writer.write(move |c| helping::stop(c, account, Some(request), now_ms))
    }

    fn helpers_notice(&self, account: AccountId, now_ms: i64) -> Result<Option<HelpersNotice>, StoreError> {
        self.read(|c| helping::notice(c, account, now_ms))
    }

    fn keep(&self, wanted: Wanted) -> Result<Result<Kept, Refusal>, StoreError> {
        self.writer.write(move |c| keep(c, &wanted))
    }

    fn page(&self, author: &Author, asked: Asked) -> Result<Result<Page, Refusal>, StoreError> {
        self.read(|c| inbox::page(c, author, asked))
    }

    fn inbox_head(&self, author: &Author) -> Result<Option<u64>, StoreError> {
        self.read(|c| {
            let live =
                accounts::log(c, author.account)?.is_some_and(|log| log.device(author.device).is_some());
            if live { inbox::head(c, author.account).map(Some) } else { Ok(None) }
        })
    }

    fn put_slot(
        &self,
        mailbox: [u8; 16],
        slot: Slot,
        body: Vec<u8>,
        now_ms: i64,
        opening: Option<Opening>,
    ) -> Result<Result<(), Refusal>, StoreError> {
        self.writer.write(move |c| attempt(c, |c| mailboxes::put(c, mailbox, slot, &body, now_ms, opening)))
    }

    fn slot(&self, mailbox: [u8; 16], slot: Slot, now_ms: i64) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|c| mailboxes::get(c, mailbox, slot, now_ms))
    }

    fn sweep(&self, now_ms: i64) -> Result<Swept, StoreError> {
        self.writer.write(move |c| {
            mailboxes::sweep(c, now_ms)?;
            helping::sweep(c, now_ms)?;
            accounts::sweep_codes(c, now_ms)?;
            Ok(Swept { pruned_envelopes: pruning::sweep(c, now_ms)? })
        })
    }
}

fn keep(c: &Connection, wanted: &Wanted) -> Result<Result<Kept, Refusal>, StoreError> {
    let author = &wanted.author;
    if accounts::live(c, author)?.is_none() {
        return Ok(Err(RefusalCode::UnknownDevice.into()));
    }
    if !backup::is_cursor(c, author.account, wanted.cursor)? {
        return Ok(Err(RefusalCode::Resync.into()));
    }
    let mut kept = Kept::default();
    let mut told = spaces::Told::default();
    for entry in &wanted.account_entries {
        let result = attempt(c, |c| accounts::append(c, wanted, entry, &mut kept))?;
        kept.account_outcomes.push(outcome(&result));
    }
    // One of these entries may have removed the asking device itself.
    let Some(card) = accounts::live(c, author)? else {
        let gone = Outcome::Refused(RefusalCode::UnknownDevice.into());
        kept.space_outcomes = vec![gone; wanted.space_entries.len()];
        kept.push_outcomes = vec![gone; wanted.pushes.len()];
        kept.handed_outcomes = vec![gone; wanted.handed.len()];
        kept.snapshot_outcomes = vec![gone; wanted.snapshots.len()];
        kept.verified_outcomes = vec![gone; wanted.verified.len()];
        kept.news_for.append(&mut told.news_for);
        kept.news_for.sort_unstable();
        kept.news_for.dedup();
        return Ok(Ok(kept));
    };
    for entry in &wanted.space_entries {
        let result = attempt(c, |c| spaces::append(c, wanted, entry, &mut told))?;
        kept.space_outcomes.push(outcome(&result));
    }
    kept.news_for.append(&mut told.news_for);
    for push in &wanted.pushes {
        let result = attempt(c, |c| pushes::keep(c, wanted, &card.signing, push, &mut kept.news_for))?;
        if let Err(refusal) = &result
            && refusal.code == RefusalCode::ChainFork
        {
            evidence::keep(c, wanted, &card.signing, push)?;
        }
        kept.push_outcomes.push(outcome(&result));
        kept.receipts.extend(result.ok().flatten());
    }
    for push in &wanted.handed {
        let result = attempt(c, |c| handed::keep(c, wanted, push, &mut kept.news_for))?;
        kept.handed_outcomes.push(outcome(&result));
    }
    for snapshot in &wanted.snapshots {
        let result = attempt(c, |c| snapshots::keep(c, wanted, &card.signing, snapshot, &mut kept.news_for))?;
        kept.snapshot_outcomes.push(outcome(&result));
    }
    for verified in &wanted.verified {
        let result = attempt(c, |c| pruning::keep(c, wanted, &card.signing, verified))?;
        kept.verified_outcomes.push(outcome(&result));
        kept.newly_verified += u64::from(result == Ok(true));
    }
    kept.news_for.sort_unstable();
    kept.news_for.dedup();
    Ok(Ok(kept))
}

fn outcome<T>(result: &Result<T, Refusal>) -> Outcome {
    match result {
        Ok(_) => Outcome::Stored,
        Err(refusal) => Outcome::Refused(*refusal),
    }
}

/// Runs `f` in a savepoint of its own: a refusal undoes whatever it had begun to write.
fn attempt<T>(
    c: &Connection,
    f: impl FnOnce(&Connection) -> Result<Result<T, Refusal>, StoreError>,
) -> Result<Result<T, Refusal>, StoreError> {
    c.execute_batch("SAVEPOINT attempt")?;
    let result = f(c);
    if !matches!(result, Ok(Ok(_))) {
        c.execute_batch("ROLLBACK TO attempt")?;
    }
    c.execute_batch("RELEASE attempt")?;
    result
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA temp_store = MEMORY;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;",
    )?;
    // Plans do not look at what is bound: with STAT4 built in, a statement with a bound range is prepared anew for every value otherwise.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: usize = transaction
        .query_row("SELECT user_version FROM pragma_user_version", [], |row| row.get::<_, i64>(0))?
        .try_into()
        .map_err(|_| StoreError::TooNew)?;
    let missing = MIGRATIONS.get(version..).ok_or(StoreError::TooNew)?;
    for sql in missing {
        transaction.execute_batch(sql)?;
    }
    if version < NAMES_TAKEN {
        members::claim_all(&transaction)?;
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {}", MIGRATIONS.len()))?;
    transaction.commit()?;
    Ok(())
}

/// Decodes a stored value.
fn stored<T>(bytes: &[u8], what: &'static str) -> Result<T, StoreError>
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    mecum_sync::decode(bytes, MAX_STORED_BYTES).map_err(|_: DecodeError| StoreError::Stored { what })
}

/// SQLite's integers are signed; sequence numbers and sizes stay far below 2^63.
fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn uint(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Stored { what: "number" })
}

fn hash32(bytes: &[u8]) -> Result<Hash32, StoreError> {
    Hash32::from_slice(bytes).ok_or(StoreError::Stored { what: "hash" })
}
