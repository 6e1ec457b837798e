//! Reads a whole database and says what in it is not as the relay leaves it: SQLite's own structure, every log's hashes and
//! signatures, every envelope's bytes and place, every order without a gap, and that the sums kept beside them agree.
//!
//! It changes nothing and reads one snapshot, so that it may run beside a server. What it finds is named by table and place;
//! a place is a number ("space 3" is the third in the order of ids), never an id and never what is in a row. Tables and
//! columns that it does not know do not disturb it.

mod accounts;
mod inboxes;
mod pushes;
mod requests;
mod snapshots;
mod spaces;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use mecum_seal::VerifyingKey;
use rusqlite::{Connection, OpenFlags};

use super::{BUSY_TIMEOUT, MIGRATIONS};
use crate::store::StoreError;

/// Most findings that are named; further ones are counted.
pub const MAX_FINDINGS: usize = 1_000;
/// Most lines that SQLite's own check gives.
const MAX_INTEGRITY_LINES: usize = 100;

/// One thing that is wrong. Holds no id and nothing of a row's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The table, or `database` for SQLite's structure.
    pub table: &'static str,
    /// Where in it, such as `space 3, place 17`.
    pub place: String,
    /// What is wrong.
    pub what: Cow<'static, str>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.table, self.place, self.what)
    }
}

/// How much a database holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Accounts.
    pub accounts: u64,
    /// Live devices of all accounts.
    pub devices: u64,
    /// Spaces.
    pub spaces: u64,
    /// Pushes.
    pub pushes: u64,
    /// Envelopes.
    pub envelopes: u64,
    /// Bytes of all envelopes.
    pub envelope_bytes: u64,
    /// When the last push was stored, by the relay's clock, in ms since the epoch.
    pub last_stored_at_ms: Option<i64>,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What was read.
    pub held: Held,
    /// What is wrong, at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub unnamed: u64,
}

impl Checked {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.unnamed == 0
    }

    /// Notes one thing that is wrong.
    pub(crate) fn add(
        &mut self,
        table: &'static str,
        place: impl Into<String>,
        what: impl Into<Cow<'static, str>>,
    ) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding { table, place: place.into(), what: what.into() });
        } else {
            self.unnamed = self.unnamed.saturating_add(1);
        }
    }
}

/// Why a database was not read. Damage is a finding, not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// It cannot be opened, or was written by a newer version.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// It was written by an older version: the server's next start brings it up to date.
    #[error("database is of an older version, which the server's next start brings up to date")]
    TooOld,
}

/// Checks the database in `path`, whose relay has the key `relay`.
///
/// # Errors
/// The file cannot be opened, or is of another version than this program's.
pub fn check(path: &Path, relay: Option<&VerifyingKey>) -> Result<Checked, CheckError> {
    let c = open_to_read(path)?;
    let mut checked = Checked::default();
    // One snapshot: what a running server writes meanwhile is neither seen nor held up.
    c.execute_batch("BEGIN").map_err(StoreError::from)?;
    match version(&c) {
        Ok(version) if version > MIGRATIONS.len() => return Err(StoreError::TooNew.into()),
        Ok(version) if version < MIGRATIONS.len() => return Err(CheckError::TooOld),
        Ok(_) => {}
        Err(error) => {
            checked.add("database", "header", unreadable(&error));
            return Ok(checked);
        }
    }
    structure(&c, &mut checked);
    contents(&c, relay, &mut checked);
    Ok(checked)
}

/// A connection that cannot write.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let c = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    c.busy_timeout(BUSY_TIMEOUT)?;
    c.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;")?;
    Ok(c)
}

/// The schema's version as the file says it.
pub(super) fn version(c: &Connection) -> Result<usize, StoreError> {
    let version: i64 = c.query_row("SELECT user_version FROM pragma_user_version", [], |row| row.get(0))?;
    usize::try_from(version).map_err(|_| StoreError::TooNew)
}

fn structure(c: &Connection, checked: &mut Checked) {
    if let Err(error) = integrity(c, checked) {
        checked.add("database", "structure", unreadable(&error));
    }
    if let Err(error) = schema(c, checked) {
        checked.add("database", "schema", unreadable(&error));
    }
}

fn integrity(c: &Connection, checked: &mut Checked) -> Result<(), StoreError> {
    let mut query = c.prepare(&format!("PRAGMA integrity_check({MAX_INTEGRITY_LINES})"))?;
    let lines = query.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    // SQLite names tables, indexes, pages and row numbers, never a value.
    for line in lines.into_iter().filter(|line| line != "ok") {
        checked.add("database", "structure", line.replace('\n', " "));
    }
    Ok(())
}

/// Every table and index that this version makes is there, with the same definition.
fn schema(c: &Connection, checked: &mut Checked) -> Result<(), StoreError> {
    let made = Connection::open_in_memory()?;
    for sql in MIGRATIONS {
        made.execute_batch(sql)?;
    }
    let read = |c: &Connection| -> Result<Vec<(String, String, String)>, StoreError> {
        let mut query =
            c.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    let there = read(c)?;
    for wanted in read(&made)? {
        let (kind, name, sql) = &wanted;
        match there.iter().find(|(k, n, _)| k == kind && n == name) {
            None => checked.add("database", format!("{kind} {name}"), "is not there"),
            Some((_, _, found)) if found != sql => {
                checked.add("database", format!("{kind} {name}"), "is defined otherwise");
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn contents(c: &Connection, relay: Option<&VerifyingKey>, checked: &mut Checked) {
    let accounts = accounts::check(c, checked).unwrap_or_else(|error| {
        checked.add("account", "all", unreadable(&error));
        accounts::Accounts::default()
    });
    let spaces = spaces::check(c, &accounts, relay, checked).unwrap_or_else(|error| {
        checked.add("space", "all", unreadable(&error));
        spaces::Spaces::default()
    });
    let pushed = pushes::check(c, &accounts, &spaces, checked).unwrap_or_else(|error| {
        checked.add("push", "all", unreadable(&error));
        None
    });
    if let Err(error) = snapshots::check(c, &accounts, &spaces, checked) {
        checked.add("snapshot", "all", unreadable(&error));
    }
    if let Err(error) = inboxes::check(c, &accounts, &spaces, pushed.as_ref(), checked) {
        checked.add("inbox", "all", unreadable(&error));
    }
    if let Err(error) = requests::check(c, checked) {
        checked.add("helper_request", "all", unreadable(&error));
    }
}

/// SQLite's error without the statement that met it.
fn unreadable(error: &StoreError) -> String {
    match error {
        StoreError::Sqlite(error) => {
            let code = error.sqlite_error_code();
            code.map_or_else(
                || "cannot be read further".to_owned(),
                |code| format!("cannot be read further ({code:?})"),
            )
        }
        StoreError::Stored { what } => format!("cannot be read further: a stored {what} is damaged"),
        _ => "cannot be read further".to_owned(),
    }
}
