//! A vault's life as numbered commits: what each must have left behind can be said from its number alone.
//!
//! Commit `n` appends envelope `n`, replaces the row `last`, and writes a row of its own size; so a later look can tell
//! how many commits a file holds, and that each of them is whole.

#![allow(dead_code, reason = "each test binary uses a part")]

use mecum_faults::Dice;
use mecum_seal::DocumentId;
use mecum_vault::{Durability, Link, Table, Vault, Write, WriteVaultError};

const DOCUMENT: DocumentId = DocumentId::from_bytes([7; 16]);
/// Rows of varying size are overwritten in turn, so that pages are freed and used again.
const ROWS: u64 = 5;

/// What a passphrase is changed to.
pub(crate) const SECOND_PASSPHRASE: &str = "for tests only too, worth nothing";

/// Writes commit `n`.
pub(crate) fn write(vault: &Vault, n: u64, durability: Durability) -> Result<u64, WriteVaultError> {
    vault.write(durability, |w| write_in(w, n))
}

/// Writes the commits of these numbers.
pub(crate) fn write_all(vault: &Vault, numbers: std::ops::RangeInclusive<u64>) {
    for n in numbers {
        write(vault, n, Durability::Full).expect("the vault takes it");
    }
}

/// Commit `n` as a part of a larger one.
pub(crate) fn write_in(w: &mut Write<'_>, n: u64) -> Result<u64, WriteVaultError> {
    w.put(Table::View, b"last", &n.to_be_bytes())?;
    w.put(Table::Document, &(n % ROWS).to_be_bytes(), &body(n))?;
    w.append(DOCUMENT, &envelope(n))
}

/// How many commits the vault holds, or what of them is not as it was written.
pub(crate) fn commits(vault: &Vault) -> Result<u64, String> {
    let count = vault.envelope_count(DOCUMENT);
    let report = vault.check(true);
    if !report.is_clean() {
        return Err(format!("the check finds {:?}", report.problems));
    }
    let row = |table, name: &[u8]| vault.get(table, name).map_err(|error| error.to_string());
    let last = row(Table::View, b"last")?.map_or(0, |body| number(&body));
    if last != count {
        return Err(format!("half a commit: {count} envelopes, row says {last}"));
    }
    for link in vault.links(DOCUMENT, 0).map_err(|error| error.to_string())? {
        let good = match &link {
            Link::Whole { n, envelope: bytes } => *bytes == envelope(*n),
            Link::Folded(run) => run.are(&(run.first()..=run.last()).map(envelope).collect::<Vec<_>>()),
        };
        if !good {
            return Err(format!("envelope {} holds other bytes", link.first()));
        }
    }
    for n in count.saturating_sub(ROWS - 1).max(1)..=count {
        let found = row(Table::Document, &(n % ROWS).to_be_bytes())?;
        if found.is_none_or(|found| *found != body(n)) {
            return Err(format!("the row of commit {n} holds other bytes"));
        }
    }
    Ok(count)
}

/// Folds what there is up to envelope `n`.
pub(crate) fn fold(vault: &Vault, n: u64) -> Result<(), WriteVaultError> {
    vault.write(Durability::Normal, |w| w.fold(DOCUMENT, (1, n), b"its number says what an envelope is"))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(u64::MAX, u64::from_be_bytes)
}

/// Up to three pages.
fn body(n: u64) -> Vec<u8> {
    let mut dice = Dice::new(n);
    let length = 30 + dice.index(if n.is_multiple_of(4) { 12_000 } else { 900 });
    bytes(&mut dice, length)
}

fn envelope(n: u64) -> Vec<u8> {
    let mut dice = Dice::new(!n);
    let length = 200 + dice.index(900);
    bytes(&mut dice, length)
}

fn bytes(dice: &mut Dice, length: usize) -> Vec<u8> {
    (0..length).map(|_| u8::try_from(dice.below(256)).expect("a byte")).collect()
}
