//! Room that nothing uses any more, given back to the disk: a few pages at a time, so that nobody waits for it; and all of it, where what
//! lay there is to be gone.

use crate::error::WriteVaultError;
use crate::schema::{FOLDED_VERSION, GIVES_BACK};
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
    /// Gives some of it back, if there is enough. True if the file was written anew: then the log is as long as it.
    pub(crate) fn give_back(&mut self) -> Result<bool, WriteVaultError> {
        let (free, pages) = (self.number("freelist_count")?, self.number("page_count")?);
        if free <= 4 * KEPT_PAGES || free * ONE_IN < pages {
            return Ok(false);
        }
        if self.number("auto_vacuum")? == INCREMENTAL {
            let some = format!("PRAGMA incremental_vacuum({})", AT_ONCE.min(free - KEPT_PAGES));
            return self.give_back_by(&some).map(|_| false);
        }
        if self.gave_up || free * 4 < pages || pages > LARGEST_ANEW_PAGES {
            return Ok(false);
        }
        // Written anew once. Where it cannot be (the disk is full, a page is damaged), not every few seconds again.
        self.gave_up = true;
        self.connection.execute_batch(GIVES_BACK)?;
        let anew = self.give_back_by("VACUUM")?;
        self.gave_up = anew;
        Ok(anew)
    }

    /// Gives back what a file that can has free, as much as takes no time that anybody notices.
    pub(crate) fn give_back_free(&mut self) -> Result<bool, WriteVaultError> {
        if self.number("freelist_count")? <= KEPT_PAGES || self.number("auto_vacuum")? != INCREMENTAL {
            return Ok(false);
        }
        self.give_back_by(&format!("PRAGMA incremental_vacuum({AT_ONCE})"))
    }

    /// Writes the file anew, so that nothing is in it but what it holds: what was folded is not wiped where it lay, and stays behind in
    /// free pages and in the ends of pages that are in use again. False while something is read.
    pub(crate) fn write_anew(&mut self) -> Result<bool, WriteVaultError> {
        // Only folding deletes without wiping.
        if self.number("user_version")? < FOLDED_VERSION {
            return Ok(true);
        }
        self.connection.execute_batch(GIVES_BACK)?;
        self.give_back_by("VACUUM")
    }

    fn number(&self, name: &str) -> Result<i64, rusqlite::Error> {
        self.connection.pragma_query_value(None, name, |row| row.get(0))
    }

    /// False if a backup or a check is under way: another time.
    fn give_back_by(&mut self, sql: &str) -> Result<bool, WriteVaultError> {
        self.settle_doubt()?;
        self.set_durability(Durability::Normal)?;
        let given = self.step_through(sql);
        let busy = given
            .as_ref()
            .is_err_and(|error| error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy));
        if busy {
            return Ok(false);
        }
        given.map_err(WriteVaultError::from).inspect_err(|error| self.doubt_after(*error))?;
        Ok(true)
    }

    fn step_through(&self, sql: &str) -> Result<(), rusqlite::Error> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }
}
