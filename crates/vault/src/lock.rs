//! One vault, one process: a lock file beside it, held as long as the vault is open.
//!
//! The file also keeps the commit counter of the last durable save. A vault whose own counter is lower has lost
//! commits: its write-ahead log is gone, or the file was put back to an older state.
//!
//! Behind that it keeps some room: unlocking writes a little (the log, its index, the count of wrong passphrases), and a
//! vault on a disk without any room left must still open to be read and taken elsewhere.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::distrust::log_of;
use crate::keys::Keys;
use crate::location::Location;

const RECORD_BYTES: usize = 8 + 16;
/// What unlocking takes at most: an index of 32 KiB, two commits of a page each (of 4 KiB in an older file), and what their pages round
/// up to.
const ROOM_BYTES: u64 = 48 * 1024;

/// Why the lock was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockError {
    InUse,
    Io(i32),
}

pub(crate) struct Lock {
    file: File,
    /// Whether a write-ahead log lay beside the vault when it was locked: a run before this one did not end as it should.
    beside_log: bool,
}

impl Lock {
    pub(crate) fn take(vault: &Path) -> Result<Lock, LockError> {
        let io = |error: std::io::Error| LockError::Io(error.raw_os_error().unwrap_or(0));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(lock_path(vault))
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {
                let log = log_of(&vault.to_string_lossy());
                let beside_log = std::fs::metadata(log).is_ok_and(|log| log.len() > 0);
                Ok(Lock { file, beside_log })
            }
            Err(TryLockError::WouldBlock) => Err(LockError::InUse),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    pub(crate) fn is_beside_log(&self) -> bool {
        self.beside_log
    }

    /// The counter last recorded, if there is one that these keys vouch for.
    pub(crate) fn counter(&self, keys: &Keys) -> Option<u64> {
        let mut record = [0u8; RECORD_BYTES];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).ok()?;
        file.read_exact(&mut record).ok()?;
        let (counter, tag) = record.split_first_chunk::<8>()?;
        let counter = u64::from_be_bytes(*counter);
        (keys.counter_tag(counter) == tag).then_some(counter)
    }

    /// Records the counter of a commit that is durable. Losing this record loses no data, so failing is no error.
    pub(crate) fn record(&self, keys: &Keys, counter: u64) {
        let mut record = [0u8; RECORD_BYTES];
        let (first, second) = record.split_at_mut(8);
        first.copy_from_slice(&counter.to_be_bytes());
        second.copy_from_slice(&keys.counter_tag(counter));
        let mut file = &self.file;
        let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&record));
    }
}

impl Lock {
    /// Takes some room, once a vault was saved. Where there is none, there is none.
    pub(crate) fn keep_room(&self) {
        let mut file = &self.file;
        let Ok(length) = file.metadata().map(|meta| meta.len()) else { return };
        if length < RECORD_BYTES as u64 || length >= ROOM_BYTES {
            return;
        }
        // Not zeros: some disks keep those for nothing, and would have nothing to give back.
        let bytes: Vec<u8> =
            (length..ROOM_BYTES).map(|at| at.wrapping_mul(0x9e37_79b9).to_le_bytes()[3]).collect();
        let _ = file.seek(SeekFrom::Start(length)).and_then(|_| file.write_all(&bytes));
    }
}

/// Gives the room back to the disk that has no other. Says whether there was any.
pub(crate) fn give_room(vault: &Path) -> bool {
    let Ok(file) = OpenOptions::new().write(true).open(lock_path(vault)) else { return false };
    let length = file.metadata().map_or(0, |meta| meta.len());
    length > RECORD_BYTES as u64 && file.set_len(RECORD_BYTES as u64).is_ok()
}

impl Drop for Lock {
    /// Closing is not enough: a process just being started may still hold a copy of the handle until it begins.
    fn drop(&mut self) {
        self.keep_room();
        let _ = self.file.unlock();
    }
}

/// Whether a vault was ever saved at this path, whatever is there now.
pub(crate) fn was_saved(vault: &Path) -> bool {
    std::fs::metadata(lock_path(vault)).is_ok_and(|meta| meta.len() >= RECORD_BYTES as u64)
}

/// Keeps every process away from a vault's place while its files are exchanged. Whoever has it open is not disturbed: then there
/// is none.
pub struct Hold(Lock);

impl Hold {
    pub(crate) fn of(lock: Lock) -> Self {
        Self(lock)
    }

    /// Forgets which commit was the last, durably: another vault is meant to stand here from now on, and if it has fewer commits,
    /// none are lost by that. Without it the next check would call a backup that somebody has just restored an older file.
    ///
    /// # Errors
    /// The disk's, when the record could not be written.
    pub fn forget(&self) -> std::io::Result<()> {
        let mut file = &self.0.file;
        file.seek(SeekFrom::Start(0))?;
        // No key vouches for this. It keeps its length: a vault was saved here, see `was_saved`.
        file.write_all(&[0; RECORD_BYTES])?;
        file.sync_all()
    }
}

/// Takes a place, whatever is there. `None` if a vault is open at it, or the place cannot be written.
pub fn hold(location: &Location) -> Option<Hold> {
    let Location::File(path) = location else { return None };
    Lock::take(path).ok().map(Hold)
}

fn lock_path(vault: &Path) -> PathBuf {
    let mut name = vault.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
