//! Vaults for tests: fast to unlock, the same for every seed, and everything in them as one comparable value.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mecum_seal::testing::{SeededEntropy, fast_kdf};
use mecum_seal::{DocumentId, Entropy};
use mecum_vault::{Durability, Location, ReadVaultError, Table, Vault, VaultOptions, WriteVaultError};

pub(crate) const PASSPHRASE: &str = "for tests only, worth nothing";
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

/// All content of a vault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) rows: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
    pub(crate) envelopes: BTreeMap<DocumentId, Vec<Vec<u8>>>,
}

pub(crate) fn options(seed: u64) -> VaultOptions {
    VaultOptions { entropy: Arc::new(SeededEntropy::new(seed)), kdf: fast_kdf() }
}

/// A folder in memory where there is one: these tests are not about the disk's speed.
pub(crate) fn folder() -> tempfile::TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.expect("a temporary folder")
}

pub(crate) fn file_in(folder: &Path) -> PathBuf {
    folder.join("vault.sqlite")
}

pub(crate) fn create(path: &Path, seed: u64) -> Vault {
    Vault::create(&Location::File(path.to_owned()), PASSPHRASE, NOW_MS, &options(seed)).expect("a new vault")
}

pub(crate) fn unlock(path: &Path) -> Result<Vault, mecum_vault::UnlockVaultError> {
    Vault::unlock(&Location::File(path.to_owned()), PASSPHRASE, NOW_MS, &options(99))
}

pub(crate) fn document(n: u8) -> DocumentId {
    DocumentId::from_bytes([n; 16])
}

/// Four commits of rows and envelopes: about 40 KiB.
pub(crate) fn fill(vault: &Vault, seed: u64) {
    let entropy = SeededEntropy::new(seed);
    for round in 0..4u8 {
        let done: Result<(), WriteVaultError> = vault.write(Durability::Full, |w| {
            for n in 0..6u8 {
                let mut body = vec![0u8; 40 + usize::from(n) * 90];
                entropy.fill(&mut body);
                w.put(Table::View, &[b'v', n], &body)?;
                w.put(Table::Setting, &[b's', n, round], &body)?;
            }
            for n in 1..=3u8 {
                let mut body = vec![round; 484];
                entropy.fill(&mut body);
                w.append(document(n), &body)?;
                w.append(document(n), &body.iter().map(|b| b ^ 0xff).collect::<Vec<_>>())?;
            }
            Ok(())
        });
        done.expect("the vault takes it");
    }
}

pub(crate) fn content(vault: &Vault) -> Result<Content, ReadVaultError> {
    let mut content = Content::default();
    for table in Table::ALL {
        for (name, body) in vault.list(table)? {
            content.rows.insert((table, name), body.to_vec());
        }
    }
    for document in vault.documents() {
        let envelopes = vault.envelopes(document, 0)?.into_iter().map(|(_, bytes)| bytes).collect();
        content.envelopes.insert(document, envelopes);
    }
    Ok(content)
}

/// A small generator for choices in tests (xorshift64*).
pub(crate) struct Choices(u64);

impl Choices {
    pub(crate) fn new(seed: u64) -> Choices {
        Choices(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit
    }
}

/// The seed of this run, printed so that it can be repeated.
pub(crate) fn seed(name: &str) -> u64 {
    let seed = std::env::var("MECUM_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261);
    println!("{name}: MECUM_SEED={seed}");
    seed
}
