//! What to do once the disk has failed: nothing later may hang on what it has forgotten.
//!
//! After an fsync that failed, Linux counts the pages as clean: they still read well, the next fsync says yes, and they
//! are gone with the power. The log may then have a hole that nobody sees, and every later commit stands behind it. So
//! from a failure on the log is in doubt, until its own bytes were written once more and a sync took them. So is a log that an earlier
//! run left behind: nobody knows any more whether its last sync failed.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;

use crate::error::WriteVaultError;
use crate::state::Inner;

/// Read and written back at a time.
const BLOCK_BYTES: usize = 64 * 1024;

impl Inner {
    /// To be called when a commit or a checkpoint has failed. A full disk has refused and forgotten nothing.
    pub(crate) fn doubt_after(&mut self, error: WriteVaultError) {
        if error == (WriteVaultError::NotSaved { full: true }) {
            return;
        }
        self.in_doubt = true;
        // Closing must not copy pages out of a log that may have a hole: half of them copied would be neither state.
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }

    /// Ends the doubt, or fails as the write would. To be called before anything is written.
    pub(crate) fn settle_doubt(&mut self) -> Result<(), WriteVaultError> {
        if !self.in_doubt {
            return Ok(());
        }
        if let Some(log) = self.connection.path().filter(|path| !path.is_empty()).map(log_of) {
            // Only SQLite's locks on the database file matter to it; it takes none on its log, so that opening and
            // closing the log here takes no lock away.
            rewrite(&log).map_err(|error| WriteVaultError::NotSaved {
                full: matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded),
            })?;
        }
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        self.in_doubt = false;
        Ok(())
    }
}

pub(crate) fn log_of(database: &str) -> PathBuf {
    PathBuf::from(format!("{database}-wal"))
}

/// Writes a file's own bytes over themselves and syncs: what the disk dropped is handed to it again.
fn rewrite(path: &Path) -> std::io::Result<()> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut block = vec![0; BLOCK_BYTES];
    let mut at = 0;
    loop {
        file.seek(SeekFrom::Start(at))?;
        let count = file.read(&mut block)?;
        let bytes = block.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return file.sync_all();
        }
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)?;
        at += bytes.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewritten_file_is_the_same_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log");
        let bytes: Vec<u8> =
            (0..3 * BLOCK_BYTES + 17).map(|n| u8::try_from(n % 251).expect("a byte")).collect();
        std::fs::write(&path, &bytes).expect("writes");
        rewrite(&path).expect("rewrites");
        assert_eq!(std::fs::read(&path).expect("reads"), bytes, "byte for byte");
        assert!(rewrite(&folder.path().join("none")).is_ok(), "no log, nothing in doubt");
    }
}
