//! The data folder as files: who may use it at a time, whether what is in it is sound, its backup, and restoring one.
//!
//! It is for whoever runs a server. It must not know of requests or sessions.

mod backup;
mod manifest;
mod restore;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use crate::DATABASE;
use crate::key;
use crate::store::StoreError;
use crate::store::sqlite::check::{self, CheckError, Checked};

pub use backup::{BackupMade, backup};
pub use manifest::Manifest;
pub use restore::{Restored, restore};

/// Held by the server that answers over this folder, and by a restore into it.
const LOCK: &str = "relay.lock";
/// There while a restore puts its files in place: a server does not start on half of one.
const UNFINISHED: &str = "restore.unfinished";

/// Why a data folder or a backup cannot be used so. Whoever runs the server can fix it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The file system.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The database cannot be checked.
    #[error("{0}")]
    Check(#[from] CheckError),
    /// A server runs over the folder, or a restore is under way.
    #[error("data folder is in use by a running server")]
    InUse,
    /// A restore into the folder was interrupted.
    #[error("a restore into this folder was interrupted: run it again with --replace")]
    Unfinished,
    /// There is no server's data here.
    #[error("no server data here: relay.sqlite or relay.key is missing")]
    NoData,
    /// A database without the key that it belongs to.
    #[error("relay.key is missing beside a database: put the one of a backup in its place")]
    NoKey,
    /// There is something in the folder already.
    #[error("data folder is not empty: --replace puts what is there aside and restores")]
    NotEmpty,
    /// A folder of this name is there already, or it lies in the data folder.
    #[error("backup cannot be made there: it is taken, or lies in the data folder")]
    Taken,
    /// Not a backup, or one that was damaged or cut.
    #[error("backup is not whole: {0}")]
    BadBackup(&'static str),
    /// The backup's contents do not hold together.
    #[error("backup is damaged inside: mecum-server check names what is wrong")]
    Unsound(Box<Checked>),
}

/// The folder is this process's alone as long as this is kept.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "the lock is held as long as the file is open")] File);

/// Takes the folder for serving or restoring.
///
/// # Errors
/// [`FolderError::InUse`] while another process has it.
pub fn lock(data: &Path) -> Result<FolderLock, FolderError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(data.join(LOCK))
        .map_err(during("cannot make the lock file"))?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(TryLockError::WouldBlock) => Err(FolderError::InUse),
        Err(TryLockError::Error(error)) => Err(during("cannot lock the data folder")(error)),
    }
}

/// Reads everything in a data folder or a backup and says what is wrong. Changes nothing; a server may run meanwhile.
///
/// # Errors
/// It cannot be read at all, or is of another version. What is merely damaged is in the answer.
pub fn check(dir: &Path) -> Result<Checked, FolderError> {
    let database = dir.join(DATABASE);
    if !database.is_file() {
        return Err(FolderError::NoData);
    }
    let key = key::read(&dir.join(key::FILE)).map(|key| key.verifying_key());
    let mut checked = check::check(&database, key.as_ref().ok())?;
    match key {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            checked.add("relay.key", "file", "is not there");
        }
        Err(_) => checked.add("relay.key", "file", "cannot be read as a key"),
        Ok(_) if is_readable_by_others(&dir.join(key::FILE)) => {
            checked.add("relay.key", "file", "may be read by others than its owner");
        }
        Ok(_) => {}
    }
    if dir.join(UNFINISHED).exists() {
        checked.add("restore.unfinished", "file", "a restore into this folder was interrupted");
    }
    if dir.join(manifest::FILE).exists()
        && let Err(error) = Manifest::read(dir).and_then(|manifest| manifest.verify(dir))
    {
        checked.add("backup.txt", "file", error.to_string());
    }
    Ok(checked)
}

/// Whether a server has ever been started over this folder, or a backup restored into it.
pub fn is_data(data: &Path) -> bool {
    data.join(DATABASE).is_file() && data.join(key::FILE).is_file()
}

/// Whether a server may begin over this folder: on nothing, or on something whole.
pub(crate) fn admit(data: &Path) -> Result<(), FolderError> {
    if is_unfinished(data) {
        return Err(FolderError::Unfinished);
    }
    // A new key would make it another server to every client, and its database of no use to anybody.
    if data.join(DATABASE).exists() && !data.join(key::FILE).exists() {
        return Err(FolderError::NoKey);
    }
    Ok(())
}

/// Whether a restore into the folder was interrupted.
fn is_unfinished(data: &Path) -> bool {
    data.join(UNFINISHED).exists()
}

#[cfg(unix)]
fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_others(_: &Path) -> bool {
    false
}

/// Says what was tried when the file system said no.
fn during(what: &'static str) -> impl FnOnce(io::Error) -> FolderError {
    move |source| FolderError::Io { what, source }
}

/// A new empty file that its user alone may read.
fn make_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A new folder that its user alone may enter.
fn make_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a file's bytes, or a folder's names, durable.
fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// A time as it stands in a folder's name: `20261122T045500Z`.
fn stamp(now_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}
