//! Does one thing to a vault and says when it is done: the child of the `syscall_kills` test.
//!
//! `vault_operation WHAT VAULT N [--acknowledge-early]`. One write to the pipe, straight after the operation has returned;
//! with `--acknowledge-early` before it: the control that must lose what it promised. The content is that of the tests'
//! numbered commits.

#[path = "../tests/support/fixture.rs"]
mod fixture;
#[path = "../tests/support/saga.rs"]
mod saga;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use fixture::{NOW_MS, PASSPHRASE, options};
use mecum_vault::{Durability, Location, Table, Vault, WriteVaultError};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, path, n, rest @ ..] = arguments.as_slice() else { return ExitCode::from(2) };
    let Ok(n) = n.parse() else { return ExitCode::from(2) };
    let early = rest.iter().any(|flag| flag == "--acknowledge-early");
    match operate(what, &PathBuf::from(path), n, early) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            // Not `eprintln`: that ends the program where this write is refused as well.
            let _ = writeln!(std::io::stderr(), "vault_operation: {text}");
            ExitCode::FAILURE
        }
    }
}

fn operate(what: &str, path: &Path, n: u64, early: bool) -> Result<(), String> {
    let location = Location::File(path.to_owned());
    let text = |error: WriteVaultError| error.to_string();
    if what == "create" {
        let vault = Vault::create(&location, PASSPHRASE, NOW_MS, &options(n)).map_err(|e| e.to_string())?;
        acknowledge()?;
        return vault.lock().map_err(text);
    }
    let vault = Vault::unlock(&location, PASSPHRASE, NOW_MS, &options(n)).map_err(|e| e.to_string())?;
    if early {
        acknowledge()?;
    }
    match what {
        "unlock" => {}
        "edit" => saga::write(&vault, n, Durability::Full).map(|_| ()).map_err(text)?,
        "batch" => batch(&vault, n).map_err(text)?,
        "passphrase" => {
            let changed = vault.change_passphrase(PASSPHRASE, saga::SECOND_PASSPHRASE, &options(n));
            if !changed.map_err(|error| error.to_string())? {
                return Err("the passphrase is wrong".to_owned());
            }
        }
        "compact" | "give-back" | "write-anew" => vault.idle().map_err(text)?,
        "fold" => {
            saga::fold(&vault, n - 1).map_err(text)?;
            vault.idle().map_err(text)?;
        }
        "scrub" => vault.scrub().map(drop).map_err(text)?,
        "export" => vault.backup_to(&path.with_extension("backup")).map_err(text)?,
        _ => return Err("no such operation".to_owned()),
    }
    if !early {
        acknowledge()?;
    }
    vault.lock().map_err(text)
}

/// A large arrival in one transaction: many rows besides the commit itself.
fn batch(vault: &Vault, n: u64) -> Result<(), WriteVaultError> {
    vault.write(Durability::Full, |w| {
        for row in 0..40u64 {
            w.put(Table::Waiting, &row.to_be_bytes(), &[7; 700])?;
        }
        saga::write_in(w, n)
    })?;
    Ok(())
}

/// One write, straight to the pipe: what was said is seen whatever happens next.
fn acknowledge() -> Result<(), String> {
    let mut out = std::io::stdout();
    out.write_all(b"done\n").and_then(|()| out.flush()).map_err(|error| error.to_string())
}
