//! A consistent copy of a database that is being written, and what is changed in a copy before a server goes on from it.

use std::path::Path;
use std::time::Duration;

use mecum_seal::AccountId;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::check::{Held, open_to_read, version};
use super::inbox::Kind;
use super::{BUSY_TIMEOUT, MIGRATIONS, int, migrate};
use crate::store::StoreError;

/// Pages that are copied in one step: 4 MiB of 4 KiB pages.
const PAGES_A_STEP: i32 = 1_024;
/// How long to wait when the source is locked for a moment.
const PAUSE: Duration = Duration::from_millis(20);
/// How far a restore moves the end of every inbox. A cursor that a device got after the backup was made then stands
/// before everything that the restored server will ever deliver, so that nothing new is taken for something seen. Far
/// more than the pushes that could be lost, and 2^31 restores fit into a position.
pub(crate) const RESTORE_STRIDE: i64 = 1 << 32;

/// What a fresh copy says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copied {
    /// The schema's version.
    pub(crate) schema: usize,
    /// How much it holds; the bytes of envelopes are not counted.
    pub(crate) held: Held,
}

/// Copies the database in `from` into the empty file `to`, as it is at one moment, while others may write.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<Copied, StoreError> {
    let source = open_to_read(from)?;
    // A read transaction that stays open: each step sees the same snapshot, and no write makes the copy begin again.
    source.execute_batch("BEGIN")?;
    let schema = version(&source)?;
    if schema > MIGRATIONS.len() {
        return Err(StoreError::TooNew);
    }
    let mut copy = Connection::open(to)?;
    // Whoever asked for the copy makes it durable before it gets its name.
    copy.execute_batch("PRAGMA synchronous = OFF")?;
    let backup = Backup::new(&source, &mut copy)?;
    loop {
        match backup.step(PAGES_A_STEP)? {
            StepResult::Done => break,
            StepResult::More => {}
            _ => std::thread::sleep(PAUSE),
        }
    }
    drop(backup);
    one_file(&copy)?;
    sound(&copy)?;
    let held = count(&copy)?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(Copied { schema, held })
}

/// Makes a checked copy ready to be served from. Returns how many unused enrolment codes were dropped.
///
/// Those may have been used since the backup was made, and a code admits one account once. Pairing messages are long
/// expired. Every inbox goes on after a gap of [`RESTORE_STRIDE`], at whose end the account's last log entry stands
/// once more: whoever asks from before the gap gets it, knows it already, and stands behind the gap.
pub(crate) fn make_servable(path: &Path) -> Result<u64, StoreError> {
    let mut c = Connection::open(path)?;
    c.busy_timeout(BUSY_TIMEOUT)?;
    c.execute_batch("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;")?;
    let transaction = c.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let codes = transaction.execute("DELETE FROM enrolment_code WHERE used_by IS NULL", [])?;
    transaction.execute("DELETE FROM mailbox", [])?;
    move_inboxes(&transaction)?;
    transaction.commit()?;
    one_file(&c)?;
    c.close().map_err(|(_, error)| error)?;
    Ok(codes as u64)
}

/// Whether a cursor stands in an inbox: at its start, or at a position that is there. One that a device got after the backup
/// was made that this server was restored from stands nowhere, and the device has to begin again.
pub(super) fn is_cursor(c: &Connection, account: AccountId, cursor: u64) -> Result<bool, StoreError> {
    if cursor == 0 {
        return Ok(true);
    }
    let row = c
        .prepare_cached("SELECT 1 FROM inbox WHERE account = ?1 AND position = ?2")?
        .query_row(params![account.as_bytes(), int(cursor)], |_| Ok(()))
        .optional()?;
    Ok(row.is_some())
}

/// Whether this server was ever restored from a backup.
pub(super) fn was_restored(c: &Connection) -> Result<bool, StoreError> {
    let moved: bool = c
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM account WHERE inbox_head >= ?1)")?
        .query_row([RESTORE_STRIDE], |row| row.get(0))?;
    Ok(moved)
}

/// Brings a copy of an older version up to date.
pub(crate) fn upgrade(path: &Path) -> Result<(), StoreError> {
    let mut c = Connection::open(path)?;
    migrate(&mut c)?;
    one_file(&c)?;
    c.close().map_err(|(_, error)| error.into())
}

fn move_inboxes(c: &Transaction<'_>) -> Result<(), StoreError> {
    let accounts = c
        .prepare("SELECT account, inbox_head FROM account")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(Vec<u8>, i64)>, _>>()?;
    for (account, head) in accounts {
        let last: Option<i64> = c
            .prepare_cached("SELECT max(seq) FROM account_entry WHERE account = ?1")?
            .query_row([&account], |row| row.get(0))
            .optional()?
            .flatten();
        let Some(last) = last else { continue };
        let position = head.saturating_add(RESTORE_STRIDE);
        c.prepare_cached("UPDATE account SET inbox_head = ?2 WHERE account = ?1")?
            .execute(params![account, position])?;
        c.prepare_cached(
            "INSERT INTO inbox (account, position, kind, log, number) VALUES (?1, ?2, ?3, ?1, ?4)",
        )?
        .execute(params![account, position, Kind::AccountEntry as i64, last])?;
    }
    Ok(())
}

/// Leaves no write-ahead log beside the file: it can be moved and read alone.
fn one_file(c: &Connection) -> Result<(), StoreError> {
    let mode: String = c.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode == "delete" { Ok(()) } else { Err(StoreError::NotCommitted) }
}

fn sound(c: &Connection) -> Result<(), StoreError> {
    let line: String = c.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if line == "ok" { Ok(()) } else { Err(StoreError::Stored { what: "page" }) }
}

fn count(c: &Connection) -> Result<Held, StoreError> {
    let count = |table: &str| -> Result<u64, StoreError> {
        let rows: i64 = c.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        Ok(u64::try_from(rows).unwrap_or(0))
    };
    Ok(Held {
        accounts: count("account")?,
        spaces: count("space")?,
        pushes: count("push")?,
        envelopes: count("envelope")?,
        last_stored_at_ms: c.query_row("SELECT max(stored_at_ms) FROM push", [], |row| row.get(0))?,
        ..Held::default()
    })
}
