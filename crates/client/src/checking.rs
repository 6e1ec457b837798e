//! `mecum vault check`: says of a vault's file, without opening the record, whether everything in it is as it was written.
//!
//! It changes nothing and repairs nothing: good data is never removed.

use std::path::Path;
use std::sync::Arc;

use mecum_seal::{KdfParams, SystemEntropy};
use mecum_vault::{CheckReport, Location, Salvage, UnlockVaultError, Vault, VaultOptions};

use crate::clock::{Clock, SystemClock};
use crate::integrity::runs_not_made;

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultChecked {
    /// One line for each thing that is not as it was written; empty for a sound vault.
    pub problems: Vec<String>,
    /// Rows looked at.
    pub rows: u64,
    /// Envelopes looked at.
    pub envelopes: u64,
}

impl From<CheckReport> for VaultChecked {
    fn from(report: CheckReport) -> Self {
        let CheckReport { problems, rows, envelopes } = report;
        Self { problems: problems.iter().map(ToString::to_string).collect(), rows, envelopes }
    }
}

/// Checks the vault in `file`. With `read_data` every row is opened, the file's own structure walked, and every run of envelopes that
/// was folded away made again; without, rows are checked for being there and current, and envelopes in full.
///
/// # Errors
/// As unlocking, with `kdf` as the least that a passphrase may cost: a wrong passphrase counts and slows the next one down, and a vault in use is left alone.
pub fn check_vault(
    file: &Path,
    passphrase: &str,
    read_data: bool,
    kdf: KdfParams,
) -> Result<VaultChecked, UnlockVaultError> {
    let options = VaultOptions { kdf, ..VaultOptions::new(Arc::new(SystemEntropy::new())) };
    let location = Location::File(file.to_owned());
    let now_ms = SystemClock.now_ms();
    if !read_data {
        return Ok(Vault::examine(&location, passphrase, now_ms, false, &options)?.into());
    }
    let mut salvage = Salvage::open(&location, passphrase, now_ms, &options)?;
    salvage.note(runs_not_made(&salvage));
    Ok(salvage.report().clone().into())
}
