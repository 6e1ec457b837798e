//! One of two processes that want the same vault: the child of the `two_processes` test.
//!
//! `vault_contender VAULT COMMITS [--no-lock]`: until it has made COMMITS commits, takes the vault, makes a few, and lets go.
//! A commit appends an envelope and counts up a row that both processes count. Prints, at its end, how many it made and
//! how often the vault was in use. With `--no-lock` it takes the lock file away first: the control, in which both are in
//! the vault at once.

use std::path::PathBuf;
use std::process::ExitCode;

use mecum_seal::DocumentId;
use mecum_vault::{Durability, Location, Table, UnlockVaultError, Vault, VaultOptions, WriteVaultError};

const PASSPHRASE: &str = "for tests only, worth nothing";
const DOCUMENT: DocumentId = DocumentId::from_bytes([7; 16]);
/// Commits in one stay: few, so that the vault changes hands often.
const STAY: u64 = 8;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, commits, rest @ ..] = arguments.as_slice() else { return ExitCode::from(2) };
    let Ok(commits) = commits.parse() else { return ExitCode::from(2) };
    match contend(&PathBuf::from(path), commits, rest.iter().any(|flag| flag == "--no-lock")) {
        Ok((made, in_use)) => {
            println!("{made} {in_use}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("vault_contender: {text}");
            ExitCode::FAILURE
        }
    }
}

fn contend(path: &std::path::Path, commits: u64, no_lock: bool) -> Result<(u64, u64), String> {
    let entropy = std::sync::Arc::new(mecum_seal::SystemEntropy::new());
    let options = VaultOptions { entropy, kdf: mecum_seal::testing::fast_kdf() };
    let (mut made, mut in_use) = (0, 0);
    while made < commits {
        if no_lock {
            let _ = std::fs::remove_file(path.with_extension("sqlite.lock"));
        }
        let vault = match Vault::unlock(&Location::File(path.to_owned()), PASSPHRASE, 0, &options) {
            Ok(vault) => vault,
            Err(UnlockVaultError::InUse) => {
                in_use += 1;
                std::thread::yield_now();
                continue;
            }
            Err(error) => return Err(format!("after {made} commits: {error}")),
        };
        for _ in 0..STAY.min(commits - made) {
            let saved: Result<(), WriteVaultError> = vault.write(Durability::Full, |w| {
                let count = w.get(Table::View, b"count")?.map_or(0, |body| number(&body));
                w.put(Table::View, b"count", &(count + 1).to_be_bytes())?;
                w.append(DOCUMENT, &(count + 1).to_be_bytes().repeat(20)).map(drop)
            });
            saved.map_err(|error| format!("after {made} commits: {error}"))?;
            made += 1;
        }
        vault.lock().map_err(|error| format!("after {made} commits: {error}"))?;
    }
    Ok((made, in_use))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}
