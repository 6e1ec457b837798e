//! The tables, how a connection is set up, and whether a file is a vault at all.

use std::sync::LazyLock;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::location::Location;

const MIGRATION_1: &str = include_str!("../migrations/0001_vault.sql");
/// Number of the newest migration.
const SCHEMA_VERSION: i64 = 1;
/// The same tables with runs of envelopes folded (`links.rs`): a program that knows none must not take them for damage.
pub(crate) const FOLDED_VERSION: i64 = 2;
/// The same with runs whose residues may keep seeds in place of salts (ADR 0019). Whether one does lies under its seal, where nothing
/// here looks: every run that is written now says so, for a program that reads no seeds would take them for damage.
const SEEDS_VERSION: i64 = 3;
/// The same with a conversation with a hospital in it, whether or not there are runs: a program that knows no such space would take what
/// is kept of it for damage.
const CARE_VERSION: i64 = 4;
/// "MECM": tells file tools, and us, that this is a vault.
const APPLICATION_ID: i64 = 0x4d45_434d;
/// How a file is made, or written anew, whose free pages can be given back.
pub(crate) const GIVES_BACK: &str = "PRAGMA auto_vacuum = INCREMENTAL";
/// Page size of a new file. Most rows are small, and a commit writes whole pages: with smaller ones it writes less, and opening every
/// document takes as long (ADR 0016). An older file keeps its own.
const NEW_PAGES: &str = "PRAGMA page_size = 1024";
/// Below this, SQLite has a known way to corrupt a WAL file.
const MIN_SQLITE_VERSION: i32 = 3_051_003;
/// How long a statement waits for another connection to the same file.
pub(crate) const BUSY: Duration = Duration::from_secs(2);
/// No statement needs a larger value than an envelope and its overhead.
const MAX_VALUE_BYTES: i32 = 32 * 1024 * 1024;

/// What an opened file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A database without any table.
    Nothing,
    Vault,
    /// A vault of a later version.
    Newer,
    /// Some other database, or a vault whose tables were changed.
    Other,
}

/// Opens a connection and sets it up. Creates the file if it is missing.
pub(crate) fn open(location: &Location) -> Result<Connection, rusqlite::Error> {
    assert!(rusqlite::version_number() >= MIN_SQLITE_VERSION, "the bundled SQLite is new enough");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match location {
        Location::File(path) => Connection::open_with_flags(path, flags)?,
        Location::Memory => Connection::open_in_memory_with_flags(flags)?,
    };
    connection.set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // Plans do not look at what is bound. Otherwise, with STAT4 built in, a statement with a bound range is prepared anew for every
    // value: a tenth of what the vault does while a document is opened (measured).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0; PRAGMA synchronous = FULL;",
    )?;
    connection.busy_timeout(BUSY)?;
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        // A new file: pages that become free can be given back a few at a time. Of another one, asking for it would take its write lock.
        connection.execute_batch(NEW_PAGES)?;
        connection.execute_batch(GIVES_BACK)?;
    }
    if let Location::File(_) = location {
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(()))?;
    }
    Ok(connection)
}

/// Makes the tables of an empty database. To be called inside a transaction.
pub(crate) fn create(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch(MIGRATION_1)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)
}

/// Notes that there are runs, folded as they are now. To be called inside the transaction of each.
pub(crate) fn note_folded(connection: &Connection) -> Result<(), rusqlite::Error> {
    raise_to(connection, SEEDS_VERSION)
}

/// Notes that there is a conversation with a hospital. To be called inside the transaction of each.
pub(crate) fn note_care(connection: &Connection) -> Result<(), rusqlite::Error> {
    raise_to(connection, CARE_VERSION)
}

/// Notes in a file that begins whatever another one noted: what is taken out of that may be of any kind that it had.
pub(crate) fn note_as_in(connection: &Connection, other: &Connection) -> Result<(), rusqlite::Error> {
    let version: i64 = other.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // What no version has noted is damage.
    raise_to(connection, version.min(CARE_VERSION))
}

/// Versions are a ladder: a file that is of a later one already has it.
fn raise_to(connection: &Connection, wanted: i64) -> Result<(), rusqlite::Error> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version < wanted {
        connection.pragma_update(None, "user_version", wanted)?;
    }
    Ok(())
}

/// Says what an opened file is, by its numbers and the exact text of its tables.
pub(crate) fn find(connection: &Connection) -> Result<Found, rusqlite::Error> {
    let tables = texts(connection)?;
    if tables.is_empty() {
        return Ok(Found::Nothing);
    }
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if number("application_id")? != APPLICATION_ID {
        return Ok(Found::Other);
    }
    if number("user_version")? > CARE_VERSION {
        return Ok(Found::Newer);
    }
    // A trigger or view smuggled in would run with our statements: only our own tables will do.
    let expected = EXPECTED.as_ref().is_some_and(|expected| *expected == tables);
    Ok(if expected { Found::Vault } else { Found::Other })
}

static EXPECTED: LazyLock<Option<Vec<(String, String)>>> = LazyLock::new(|| {
    let connection = Connection::open_in_memory().ok()?;
    create(&connection).ok()?;
    texts(&connection).ok()
});

fn texts(connection: &Connection) -> Result<Vec<(String, String)>, rusqlite::Error> {
    let mut statement =
        connection.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
