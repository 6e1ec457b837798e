//! Where a vault is, and what can be said of it while it is locked.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use mecum_seal::{Entropy, KdfParams};
use rusqlite::config::DbConfig;

use crate::guard::{Guard, has_log};
use crate::lock::{give_room, was_saved};
use crate::schema::{self, Found};
use crate::unlock::is_full;

/// Where a vault is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `vault.sqlite` inside a profile folder. Beside it lie SQLite's `-wal` and `-shm`, and a `.lock`.
    File(PathBuf),
    /// Nowhere: gone when dropped. For tests.
    Memory,
}

/// What a vault needs from outside.
#[derive(Clone)]
pub struct VaultOptions {
    /// Where salts and keys come from.
    pub entropy: Arc<dyn Entropy>,
    /// Cost of a passphrase in a new key slot; existing slots below its floor are refused.
    pub kdf: KdfParams,
}

impl VaultOptions {
    /// The given randomness and the default cost.
    pub fn new(entropy: Arc<dyn Entropy>) -> VaultOptions {
        VaultOptions { entropy, kdf: KdfParams::default() }
    }
}

impl fmt::Debug for VaultOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultOptions").field("kdf", &self.kdf).finish_non_exhaustive()
    }
}

/// What is at a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// No vault: one may be made.
    Missing,
    /// A vault, locked or in use.
    Present {
        /// Milliseconds until the next passphrase is taken.
        wait_ms: u64,
        /// Wrong passphrases since the last right one.
        failed: u32,
    },
    /// Something is there and it is no readable vault.
    Unreadable,
}

fn code_of(error: &rusqlite::Error) -> i32 {
    error.sqlite_error().map_or(0, |error| error.extended_code)
}

/// Looks at a location without a passphrase and without taking the vault.
pub fn presence(location: &Location, now_ms: i64) -> Presence {
    let Location::File(path) = location else { return Presence::Missing };
    if !path.exists() {
        return Presence::Missing;
    }
    let look = || -> Result<Presence, rusqlite::Error> {
        let has_log = has_log(location);
        let connection = schema::open(location)?;
        // Looking moves nothing out of a log that nobody has vouched for, nor away while somebody copies the files.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log)?;
        Ok(match schema::find(&connection)? {
            // An empty file where a vault was saved before is a lost vault, not a fresh device.
            Found::Nothing if was_saved(path) => Presence::Unreadable,
            Found::Nothing => Presence::Missing,
            Found::Vault | Found::Newer => {
                let guard = Guard::load(&connection)?;
                Presence::Present { wait_ms: guard.wait_ms(now_ms), failed: guard.failed }
            }
            Found::Other => Presence::Unreadable,
        })
    };
    match look() {
        // On a disk without any room left not even this look is free.
        Err(error) if is_full(code_of(&error)) && give_room(path) => look().unwrap_or(Presence::Unreadable),
        outcome => outcome.unwrap_or(Presence::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use mecum_seal::SystemEntropy;
    use mecum_seal::testing::fast_kdf;

    use super::*;
    use crate::backup::beside;
    use crate::{Durability, Table, Vault};

    #[test]
    fn asking_whether_there_is_a_vault_leaves_its_log_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let (open, cut) = (folder.path().join("open.sqlite"), folder.path().join("cut.sqlite"));
        let options = VaultOptions { kdf: fast_kdf(), ..VaultOptions::new(Arc::new(SystemEntropy::new())) };
        let vault = Vault::create(&Location::File(open.clone()), "words", 0, &options).expect("made");
        vault.write(Durability::Full, |w| w.put(Table::Setting, b"kept", b"here")).expect("saved");
        // As a process that ends at once leaves it: with a log that holds what was saved.
        for end in ["", "-wal"] {
            std::fs::copy(beside(&open, end), beside(&cut, end)).expect("copied");
        }
        let log = std::fs::read(beside(&cut, "-wal")).expect("there is a log");
        assert!(!log.is_empty(), "something is in it");
        let found = presence(&Location::File(cut.clone()), 0);
        assert!(matches!(found, Presence::Present { .. }), "there is a vault: {found:?}");
        assert_eq!(std::fs::read(beside(&cut, "-wal")).ok(), Some(log), "and its log is as it was");
    }
}
