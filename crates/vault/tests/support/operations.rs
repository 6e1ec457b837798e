//! What a vault must hold after one of its operations was interrupted; see the example `vault_operation`.

use std::path::Path;

use mecum_faults::Image;
use mecum_vault::{Durability, Location, Table, UnlockVaultError, Vault, WriteVaultError};
use rusqlite::Connection;

use crate::fixture::{NOW_MS, PASSPHRASE, create, file_in, folder, options};
use crate::saga;

/// Commits that the vault holds before.
pub(crate) const BEFORE: u64 = 3;
pub(crate) const OPERATIONS: [&str; 11] = [
    "create",
    "unlock",
    "edit",
    "batch",
    "passphrase",
    "compact",
    "scrub",
    "export",
    "fold",
    "give-back",
    "write-anew",
];
/// Of a file that can give pages back, what SQLite says; see `room`.
const INCREMENTAL: i64 = 2;
/// So many free pages stay for what is written next; see `room`.
const KEPT_PAGES: i64 = 4;
/// Rows that are written and deleted again, so that a quarter of a file is free.
const FREED_ROWS: u64 = 60;

/// The vaults that the operations begin with.
pub(crate) struct Files {
    plain: Image,
    roomy: Image,
    older: Image,
}

impl Files {
    /// What an operation begins with; nothing where it makes the vault.
    pub(crate) fn of(&self, operation: &str) -> Option<&Image> {
        match operation {
            "create" => None,
            "give-back" => Some(&self.roomy),
            "write-anew" => Some(&self.older),
            _ => Some(&self.plain),
        }
    }
}

/// Vaults with a few commits, the last of them in a log that nobody emptied. Of one a quarter is free; another is so, and of a version
/// whose files give no pages back.
pub(crate) fn vault_files() -> Files {
    let made = |change: &dyn Fn(&Path, Vault) -> Vault| {
        let folder = folder();
        let path = file_in(folder.path());
        let vault = create(&path, 1);
        saga::write_all(&vault, 1..=BEFORE - 1);
        vault.idle().expect("checkpoints");
        let vault = change(&path, vault);
        saga::write(&vault, BEFORE, Durability::Full).expect("writes");
        image(folder.path())
    };
    Files {
        plain: made(&|_, vault| vault),
        roomy: made(&|_, vault| roomy(vault)),
        older: made(&|path, vault| {
            vault.lock().expect("locks");
            let older = Connection::open(path).expect("a file");
            let pages =
                "PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE; VACUUM;
                         PRAGMA journal_mode = WAL;";
            older.execute_batch(pages).expect("as an older version makes it");
            drop(older);
            assert_eq!((number(path, "auto_vacuum"), number(path, "page_size")), (0, 4096), "an older file");
            roomy(unlock(path, PASSPHRASE).expect("it opens"))
        }),
    }
}

/// The vault with so many free pages that they are worth giving back.
fn roomy(vault: Vault) -> Vault {
    for keeps in [true, false] {
        let done: Result<(), WriteVaultError> = vault.write(Durability::Full, |w| {
            for row in 0..FREED_ROWS {
                let name = row.to_be_bytes();
                if keeps {
                    w.put(Table::Waiting, &name, &[7; 3_500])?;
                } else {
                    w.delete(Table::Waiting, &name)?;
                }
            }
            Ok(())
        });
        done.expect("the vault takes it");
    }
    vault
}

fn number(path: &Path, name: &str) -> i64 {
    let file = Connection::open(path).expect("a file");
    file.pragma_query_value(None, name, |row| row.get(0)).expect("a pragma")
}

fn image(folder: &Path) -> Image {
    let mut image = Image::default();
    for name in ["vault.sqlite", "vault.sqlite-wal", "vault.sqlite.lock"] {
        image.files.insert(name.to_owned(), std::fs::read(folder.join(name)).expect("a file of the vault"));
    }
    image
}

fn unlock(path: &Path, passphrase: &str) -> Result<Vault, UnlockVaultError> {
    Vault::unlock(&Location::File(path.to_owned()), passphrase, NOW_MS, &options(6))
}

/// What is wrong after an operation was killed or went through, if anything.
pub(crate) fn judge(operation: &str, path: &Path, acknowledged: bool) -> Result<(), String> {
    let writes = matches!(operation, "edit" | "batch");
    let (least, most) = match (operation, acknowledged) {
        ("create", _) => (0, 0),
        (_, true) if writes => (BEFORE + 1, BEFORE + 1),
        (_, false) if writes => (BEFORE, BEFORE + 1),
        _ => (BEFORE, BEFORE),
    };
    let opened = match (operation, acknowledged) {
        ("passphrase", true) => unlock(path, saga::SECOND_PASSPHRASE),
        ("passphrase", false) => unlock(path, PASSPHRASE).or_else(|_| unlock(path, saga::SECOND_PASSPHRASE)),
        _ => unlock(path, PASSPHRASE),
    };
    let vault = match opened {
        Ok(vault) => vault,
        Err(UnlockVaultError::Missing) if operation == "create" && !acknowledged => {
            let made = Vault::create(&Location::File(path.to_owned()), PASSPHRASE, NOW_MS, &options(7));
            return made.map(drop).map_err(|error| format!("an unborn vault is in the way: {error}"));
        }
        Err(error) => return Err(format!("does not open: {error}")),
    };
    let found = saga::commits(&vault)?;
    if found < least || found > most {
        return Err(format!("{found} commits are there, {least} to {most} expected"));
    }
    let waiting = vault.names(Table::Waiting).map_err(|error| error.to_string())?.len();
    let batch = operation == "batch" && found == BEFORE + 1;
    if waiting != if batch { 40 } else { 0 } {
        return Err(format!("half a batch: {waiting} rows"));
    }
    if operation == "export" {
        judge_export(&vault, path, acknowledged)?;
    }
    saga::write(&vault, found + 1, Durability::Full).map_err(|error| format!("cannot go on: {error}"))?;
    if acknowledged && matches!(operation, "give-back" | "write-anew") {
        drop(vault);
        return judge_room(path);
    }
    Ok(())
}

/// What was given back is gone from the file, and a file that was written anew can give back more.
fn judge_room(path: &Path) -> Result<(), String> {
    match (number(path, "auto_vacuum"), number(path, "freelist_count")) {
        (INCREMENTAL, free) if free <= KEPT_PAGES => Ok(()),
        (kind, free) => Err(format!("{free} pages are free, and it is of kind {kind}")),
    }
}

/// An export that is there is whole, and another one can be made whatever the interrupted one has left.
fn judge_export(vault: &Vault, path: &Path, acknowledged: bool) -> Result<(), String> {
    let copy = path.with_extension("backup");
    if !copy.exists() {
        if acknowledged {
            return Err("the export is not there".to_owned());
        }
        vault.backup_to(&copy).map_err(|error| format!("cannot be exported again: {error}"))?;
    }
    let copy = unlock(&copy, PASSPHRASE).map_err(|error| format!("the export does not open: {error}"))?;
    match saga::commits(&copy)? {
        BEFORE => Ok(()),
        other => Err(format!("the export holds {other} commits")),
    }
}
