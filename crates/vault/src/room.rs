//! Room that nothing uses any more, given back to the disk: a few pages at a time, so that nobody waits for it.

use crate::error::WriteVaultError;
use crate::schema::GIVES_BACK;
use crate::state::Inner;
use crate::write::Durability;

/// So many free pages are kept for what is written next.
const KEPT_PAGES: i64 = 4;
/// Pages given back in one step; of the files that can, a page is 1 KiB.
const AT_ONCE: i64 = 250;
/// No page is moved before one of so many is free.
const ONE_IN: i64 = 16;
/// A file that cannot give back pages is written anew once, when a quarter of it is free, if it is no larger.
const LARGEST_ANEW_PAGES: i64 = 8_192;
/// What SQLite calls a file whose pages can be given back a few at a time.
const INCREMENTAL: i64 = 2;

impl Inner {
    /// Gives some of it back, if there is enough.
    pub(crate) fn give_back(&mut self) -> Result<(), WriteVaultError> {
        let number = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (free, pages) = (number("freelist_count")?, number("page_count")?);
        if free <= 4 * KEPT_PAGES || free * ONE_IN < pages {
            return Ok(());
        }
        let by_and_by = number("auto_vacuum")? == INCREMENTAL;
        if !by_and_by && (free * 4 < pages || pages > LARGEST_ANEW_PAGES) {
            return Ok(());
        }
        self.settle_doubt()?;
        self.set_durability(Durability::Normal)?;
        let sql = if by_and_by {
            format!("PRAGMA incremental_vacuum({})", AT_ONCE.min(free - KEPT_PAGES))
        } else {
            "VACUUM".to_owned()
        };
        let given = if by_and_by { Ok(()) } else { self.connection.execute_batch(GIVES_BACK) };
        let given = given.and_then(|()| self.step_through(&sql));
        // A backup or a check is under way: another time.
        let busy = given
            .as_ref()
            .is_err_and(|error| error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy));
        if busy {
            return Ok(());
        }
        given.map_err(WriteVaultError::from).inspect_err(|error| self.doubt_after(*error))
    }

    fn step_through(&self, sql: &str) -> Result<(), rusqlite::Error> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }
}
