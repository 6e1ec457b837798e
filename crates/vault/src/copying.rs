//! A backup of an open vault while it is written to: one moment of the file is copied beside the vault's own connection, so that
//! nobody waits for it, and the finished copy is read back before it gets its name.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::backup::{beside, clear, not_saved, publish};
use crate::check::Checking;
use crate::error::{Part, WriteVaultError};
use crate::location::Location;
use crate::schema;
use crate::state::Vault;
use crate::unlock::load_head;

/// Pages copied between two looks at whether to go on.
const PAGES: i32 = 256;

/// A backup that is being made. Dropping it before it is finished leaves nothing of it.
pub struct Copying {
    source: Connection,
    part: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl Vault {
    /// Begins a backup into a new file, of the vault as it is now.
    ///
    /// # Errors
    /// [`WriteVaultError::NotSaved`] if the file exists, or the vault is in memory.
    pub fn begin_copy(&self, path: &Path) -> Result<Copying, WriteVaultError> {
        let own = self.inner().connection.path().filter(|path| !path.is_empty()).map(PathBuf::from);
        let Some(own) = own.filter(|_| !path.exists()) else {
            return Err(WriteVaultError::NotSaved { full: false });
        };
        let source = schema::open(&Location::File(own))?;
        source.execute_batch("BEGIN")?;
        // The moment is that of the first look.
        let _: i64 = source.query_row("SELECT count(*) FROM head", [], |row| row.get(0))?;
        let part = beside(path, ".part");
        clear(&part);
        Ok(Copying { source, part, path: path.to_owned(), finished: false })
    }

    /// Begins to read a written copy back, once it says of itself what the vault said at that moment. To be ended by
    /// [`Vault::step_check`] without a problem before [`Copying::finish`].
    ///
    /// # Errors
    /// [`WriteVaultError::Damaged`] if it is not what was copied.
    pub fn begin_reading_back(&self, copying: &Copying) -> Result<Checking, WriteVaultError> {
        let copy = Connection::open(&copying.part)?;
        if load_head(&copy, &self.keys)? != load_head(&copying.source, &self.keys)? {
            return Err(WriteVaultError::Damaged { what: Part::Head });
        }
        Ok(Checking::of(copy)?)
    }
}

impl Copying {
    /// Writes the copy. `go_on` is asked now and then, with the per cent that are written; where it says no, false comes back.
    /// The vault need not be held meanwhile.
    ///
    /// # Errors
    /// [`WriteVaultError::NotSaved`] if the disk refuses.
    pub fn write(&mut self, mut go_on: impl FnMut(u8) -> bool) -> Result<bool, WriteVaultError> {
        let mut copy = Connection::open(&self.part)?;
        {
            let backup = Backup::new(&self.source, &mut copy)?;
            loop {
                let step = backup.step(PAGES)?;
                let progress = backup.progress();
                let (total, left) = (i64::from(progress.pagecount.max(1)), i64::from(progress.remaining));
                if !go_on(u8::try_from((total - left) * 100 / total).unwrap_or(100)) {
                    return Ok(false);
                }
                match step {
                    StepResult::Done => break,
                    StepResult::More => {}
                    _ => return Err(WriteVaultError::NotSaved { full: false }),
                }
            }
        }
        copy.close().map_err(|(_, error)| WriteVaultError::from(error))?;
        Ok(true)
    }

    /// Gives the copy its name, once it was read back.
    ///
    /// # Errors
    /// [`WriteVaultError::NotSaved`] if the disk refuses. There is no file then.
    pub fn finish(mut self) -> Result<(), WriteVaultError> {
        // Reading it has given it a log of its own; opening and closing it alone folds that in.
        let copy = Connection::open(&self.part)?;
        let _: i64 = copy.query_row("SELECT count(*) FROM head", [], |row| row.get(0))?;
        copy.close().map_err(|(_, error)| WriteVaultError::from(error))?;
        publish(&self.part, &self.path).map_err(|error| not_saved(&error))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        if !self.finished {
            clear(&self.part);
        }
    }
}
