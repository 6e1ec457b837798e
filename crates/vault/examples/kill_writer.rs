//! Writes to a vault until it is killed, and says what it has saved: the child of the `random_kills` test.
//!
//! `kill_writer VAULT [--acknowledge-early]`: opens or makes the vault, then in each commit appends an envelope and
//! replaces a row, and prints the envelope's number once the commit has returned. With `--acknowledge-early` it
//! prints before it commits: the control that must lose what it promised.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use mecum_seal::testing::fast_kdf;
use mecum_seal::{DocumentId, SystemEntropy};
use mecum_vault::{Durability, Location, Table, UnlockVaultError, Vault, VaultOptions, WriteVaultError};

const PASSPHRASE: &str = "for tests only, worth nothing";
const DOCUMENT: DocumentId = DocumentId::from_bytes([7; 16]);

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(path) = arguments.next().map(PathBuf::from) else { return ExitCode::from(2) };
    let early = arguments.next().is_some_and(|flag| flag == "--acknowledge-early");
    match write_for_ever(&Location::File(path), early) {
        Ok(never) => match never {},
        Err(text) => {
            eprintln!("kill_writer: {text}");
            ExitCode::FAILURE
        }
    }
}

fn write_for_ever(location: &Location, early: bool) -> Result<std::convert::Infallible, String> {
    let options = VaultOptions { entropy: Arc::new(SystemEntropy::new()), kdf: fast_kdf() };
    let vault = match Vault::unlock(location, PASSPHRASE, 0, &options) {
        Err(UnlockVaultError::Missing) => {
            Vault::create(location, PASSPHRASE, 0, &options).map_err(|error| error.to_string())?
        }
        other => other.map_err(|error| error.to_string())?,
    };
    loop {
        let n = vault.envelope_count(DOCUMENT) + 1;
        if early {
            acknowledge(n)?;
        }
        let saved: Result<u64, WriteVaultError> = vault.write(Durability::Full, |w| {
            w.put(Table::View, b"last", &n.to_be_bytes())?;
            w.append(DOCUMENT, &n.to_be_bytes().repeat(60))
        });
        let saved = saved.map_err(|error| error.to_string())?;
        if !early {
            acknowledge(saved)?;
        }
        if n.is_multiple_of(64) {
            vault.idle().map_err(|error| error.to_string())?;
        }
    }
}

/// One write per number, straight to the pipe: what was printed is seen whatever happens next.
fn acknowledge(n: u64) -> Result<(), String> {
    let mut out = std::io::stdout();
    out.write_all(format!("{n}\n").as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())
}
