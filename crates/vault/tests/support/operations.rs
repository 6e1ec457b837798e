//! What a vault must hold after one of its operations was interrupted; see the example `vault_operation`.

use std::path::Path;

use mecum_faults::Image;
use mecum_vault::{Durability, Location, UnlockVaultError, Vault};

use crate::fixture::{NOW_MS, PASSPHRASE, create, file_in, folder, options};
use crate::saga;

/// Commits that the vault holds before.
pub(crate) const BEFORE: u64 = 3;
pub(crate) const OPERATIONS: [&str; 9] =
    ["create", "unlock", "edit", "batch", "passphrase", "compact", "scrub", "export", "fold"];

/// A vault with a few commits, the last of them in a log that nobody emptied.
pub(crate) fn vault_files() -> Image {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    for n in 1..=BEFORE {
        if n == BEFORE {
            vault.idle().expect("checkpoints");
        }
        saga::write(&vault, n, Durability::Full).expect("writes");
    }
    let mut image = Image::default();
    for name in ["vault.sqlite", "vault.sqlite-wal", "vault.sqlite.lock"] {
        image
            .files
            .insert(name.to_owned(), std::fs::read(folder.path().join(name)).expect("a file of the vault"));
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
    let waiting = vault.names(mecum_vault::Table::Waiting).map_err(|error| error.to_string())?.len();
    let batch = operation == "batch" && found == BEFORE + 1;
    if waiting != if batch { 40 } else { 0 } {
        return Err(format!("half a batch: {waiting} rows"));
    }
    if operation == "export" {
        judge_export(&vault, path, acknowledged)?;
    }
    saga::write(&vault, found + 1, Durability::Full).map_err(|error| format!("cannot go on: {error}"))?;
    Ok(())
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
