//! Vaults for tests: fast to unlock, the same for every seed, and everything in them as one comparable value.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mecum_seal::testing::{SeededEntropy, fast_kdf};
use mecum_seal::{DocumentId, Entropy};
use mecum_vault::{
    Durability, Folded, Link, Location, ReadVaultError, Table, Vault, VaultOptions, WriteVaultError,
};

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
        let envelopes = envelopes(vault, document, 0)?.into_iter().map(|(_, bytes)| bytes).collect();
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

/// What a test keeps of envelopes that it folds: all of them, turned over, so that no residue looks like what it stands for.
pub(crate) fn residue(envelopes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for bytes in envelopes {
        out.extend(u32::try_from(bytes.len()).expect("short").to_be_bytes());
        out.extend(bytes.iter().map(|byte| !byte));
    }
    out
}

/// The envelopes of a folded run, shown to be those that were folded.
pub(crate) fn made_again(run: &Folded) -> Vec<Vec<u8>> {
    let (mut rest, mut all) = (run.residue(), Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (bytes, after) = after.split_at(usize::try_from(u32::from_be_bytes(*length)).expect("short"));
        all.push(bytes.iter().map(|byte| !byte).collect());
        rest = after;
    }
    assert!(run.are(&all), "the chain says that they are the ones");
    all
}

/// The envelopes of a document after the first `after`, folded or not, with their numbers.
pub(crate) fn envelopes(
    vault: &Vault,
    document: DocumentId,
    after: u64,
) -> Result<Vec<(u64, Vec<u8>)>, ReadVaultError> {
    Ok(plain(vault.links(document, after)?).into_iter().filter(|(n, _)| *n > after).collect())
}

/// The envelopes of links.
pub(crate) fn plain(links: Vec<Link>) -> Vec<(u64, Vec<u8>)> {
    let mut all = Vec::new();
    for link in links {
        match link {
            Link::Whole { n, envelope } => all.push((n, envelope)),
            Link::Folded(run) => all.extend((run.first()..).zip(made_again(&run))),
        }
    }
    all
}

/// Folds the envelopes from `first` to `last`.
pub(crate) fn fold(
    vault: &Vault,
    document: DocumentId,
    (first, last): (u64, u64),
) -> Result<(), WriteVaultError> {
    let all = envelopes(vault, document, first - 1)?;
    let run: Vec<Vec<u8>> = all.into_iter().take_while(|(n, _)| *n <= last).map(|(_, bytes)| bytes).collect();
    vault.write(Durability::Normal, |w| w.fold(document, (first, last), &residue(&run)))
}
