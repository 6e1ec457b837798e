//! A backup: the vault as it is at one moment, still sealed, in a file of its own.
//!
//! Made under another name and given its own only when it is whole and on the disk: a file of the right name is a
//! backup, whatever interrupted its making.

use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::check::inspect;
use crate::error::{Part, WriteVaultError};
use crate::state::{Inner, Vault};
use crate::unlock::load_head;

/// Pages copied in one step. Nothing else can write meanwhile: the vault is held.
const PAGES: i32 = 1_024;

impl Vault {
    /// Copies the vault as it is, still sealed, into a new file, and checks the copy. An existing file is not touched; what
    /// an interrupted backup has left is written over. A vault that is damaged is copied with its damage.
    ///
    /// # Errors
    /// [`WriteVaultError::NotSaved`] if the file exists or cannot be written, [`WriteVaultError::Damaged`] if the copy is
    /// not what was copied. There is no file then.
    pub fn backup_to(&self, path: &Path) -> Result<(), WriteVaultError> {
        if path.exists() {
            return Err(WriteVaultError::NotSaved { full: false });
        }
        let part = beside(path, ".part");
        clear(&part);
        let made = self.copy_to(&part).and_then(|()| publish(&part, path).map_err(|error| not_saved(&error)));
        if made.is_err() {
            clear(&part);
        }
        made
    }

    fn copy_to(&self, part: &Path) -> Result<(), WriteVaultError> {
        let inner = self.inner();
        let mut copy = Connection::open(part)?;
        Backup::new(&inner.connection, &mut copy)?.run_to_completion(PAGES, Duration::ZERO, None)?;
        self.validate(&inner, &copy)?;
        // Looking into the copy has given it a log of its own; closing it folds that in.
        copy.close().map_err(|(_, error)| error.into())
    }

    /// Whether a copy says what the vault says: the same head, and nothing wrong that is not wrong here.
    fn validate(&self, inner: &Inner, copy: &Connection) -> Result<(), WriteVaultError> {
        if load_head(copy, &self.keys)? != load_head(&inner.connection, &self.keys)? {
            return Err(WriteVaultError::Damaged { what: Part::Head });
        }
        let found = inspect(copy, &self.keys, true);
        if found.is_clean() || found == inspect(&inner.connection, &self.keys, true) {
            return Ok(());
        }
        Err(WriteVaultError::Damaged { what: Part::Rows })
    }
}

/// Makes the copy durable, then gives it its name, then makes that durable.
pub(crate) fn publish(part: &Path, path: &Path) -> std::io::Result<()> {
    File::open(part)?.sync_all()?;
    std::fs::rename(part, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Where folders cannot be synced (Windows), renaming is all there is.
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if cfg!(unix) => Err(error),
        _ => Ok(()),
    }
}

/// Removes what an interrupted backup has left.
pub(crate) fn clear(part: &Path) {
    for end in ["", "-journal", "-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(part, end));
    }
}

pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}

pub(crate) fn not_saved(error: &std::io::Error) -> WriteVaultError {
    WriteVaultError::NotSaved {
        full: matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded),
    }
}
