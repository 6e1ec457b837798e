//! The slow-down of guessing: after the third wrong passphrase each attempt must wait, twice as long every time.
//!
//! It is stored in clear, since it counts before anything can be opened. It hinders a person at the device; against
//! somebody who copies the file only the passphrase's cost helps.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, params};

use crate::error::UnlockVaultError;
use crate::location::Location;
use crate::schema;
use crate::unlock::waited_out;

/// The first failures cost nothing: people mistype.
const FREE_FAILURES: u32 = 2;
const FIRST_WAIT_MS: u64 = 1_000;
const MAX_WAIT_MS: u64 = 5 * 60 * 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guard {
    pub(crate) failed: u32,
    pub(crate) next_try_ms: i64,
}

impl Guard {
    pub(crate) const OPEN: Guard = Guard { failed: 0, next_try_ms: 0 };

    pub(crate) fn load(connection: &Connection) -> Result<Guard, rusqlite::Error> {
        connection.query_row("SELECT failed, next_try_ms FROM guard WHERE one = 1", [], |row| {
            let failed: i64 = row.get(0)?;
            Ok(Guard { failed: u32::try_from(failed).unwrap_or(u32::MAX), next_try_ms: row.get(1)? })
        })
    }

    pub(crate) fn store(&self, connection: &Connection) -> Result<(), rusqlite::Error> {
        let sql = "INSERT OR REPLACE INTO guard (one, failed, next_try_ms) VALUES (1, ?1, ?2)";
        connection.execute(sql, params![self.failed, self.next_try_ms]).map(drop)
    }

    /// Milliseconds left, never more than the longest wait: a clock set back must not lock anybody out for years.
    pub(crate) fn wait_ms(&self, now_ms: i64) -> u64 {
        u64::try_from(self.next_try_ms.saturating_sub(now_ms)).unwrap_or(0).min(MAX_WAIT_MS)
    }

    pub(crate) fn after_failure(&self, now_ms: i64) -> Guard {
        let failed = self.failed.saturating_add(1);
        let wait_ms = match failed.checked_sub(FREE_FAILURES + 1) {
            None => 0,
            Some(doublings) => FIRST_WAIT_MS.saturating_mul(1 << doublings.min(20)).min(MAX_WAIT_MS),
        };
        let next_try_ms = now_ms.saturating_add(i64::try_from(wait_ms).unwrap_or(i64::MAX));
        Guard { failed, next_try_ms }
    }
}

/// A try at the passphrase of a copy, counted in the vault that it is to replace, or in the file that it is a copy of.
#[derive(Debug)]
pub struct Guess {
    location: Location,
    before: Guard,
    after: Guard,
    now_ms: i64,
}

impl Guess {
    /// Counts a try as failed before it is made, in the vault at `location`: it slows down the next one there. A copy alone would
    /// forget. `now_ms`: ms since the epoch.
    ///
    /// # Errors
    /// [`UnlockVaultError::Waiting`] until the wait after the last failures is over; others where there is no vault that could
    /// count.
    pub fn count(location: &Location, now_ms: i64) -> Result<Guess, UnlockVaultError> {
        match location {
            Location::File(path) if path.exists() => {}
            _ => return Err(UnlockVaultError::Missing),
        }
        let connection = open(location)?;
        let before = waited_out(&connection, now_ms)?;
        let after = before.after_failure(now_ms);
        after.store(&connection)?;
        Ok(Guess { location: location.clone(), before, after, now_ms })
    }

    /// It was right: it counts no more. Where that cannot be written, it goes on counting as one that failed.
    pub fn was_right(self) {
        let _ = open(&self.location).and_then(|connection| self.before.store(&connection));
    }

    /// It was wrong.
    pub fn was_wrong(self) -> UnlockVaultError {
        UnlockVaultError::WrongPassphrase {
            failed: self.after.failed,
            wait_ms: self.after.wait_ms(self.now_ms),
        }
    }
}

/// A connection that moves nothing out of a log that was there before: nobody has vouched for it.
fn open(location: &Location) -> Result<Connection, rusqlite::Error> {
    let has_log = has_log(location);
    let connection = schema::open(location)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log)?;
    Ok(connection)
}

/// Whether there is something in the log beside a vault.
pub(crate) fn has_log(location: &Location) -> bool {
    let Location::File(path) = location else { return false };
    std::fs::metadata(crate::backup::beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_the_third_failure_up_to_five_minutes() {
        let mut guard = Guard::OPEN;
        let mut waits = Vec::new();
        for _ in 0..13 {
            guard = guard.after_failure(1_000);
            waits.push(guard.wait_ms(1_000) / 1_000);
        }
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300], "seconds after each failure");
        assert_eq!(guard.wait_ms(-i64::MAX), MAX_WAIT_MS, "a clock set back waits five minutes at most");
        assert_eq!(guard.wait_ms(i64::MAX), 0, "and the wait ends");
    }
}
