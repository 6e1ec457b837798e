//! A vault file that was put back to an older state is known by what is recorded beside it.
//!
//! Only the vault's own part: a copy of the whole folder cannot be told from the original by the vault; there the relay's
//! last statement decides (the client's tests).

#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/saga.rs"]
mod saga;

use std::path::Path;

use fixture::{create, file_in, folder, unlock};
use mecum_faults::{Dice, Proof};
use mecum_vault::Problem;

const TEST: u8 = 12;
const PER_CHANGE: u64 = 200;

/// Saves some, keeps a copy, saves some more, and puts the copy back. How many commits are then missed, and how many the
/// vault says.
fn restored(seed: u64, keep_record: bool) -> (u64, u64, bool) {
    let mut dice = Dice::new(seed);
    let folder = folder();
    let path = file_in(folder.path());
    let copy = folder.path().join("copy.sqlite");
    let vault = create(&path, seed);
    let (before, after) = (1 + dice.below(6), 1 + dice.below(6));
    saga::write_all(&vault, 1..=before);
    if dice.once_in(2) {
        vault.backup_to(&copy).expect("copies");
        saga::write_all(&vault, before + 1..=before + after);
        vault.lock().expect("locks");
    } else {
        vault.lock().expect("locks");
        std::fs::copy(&path, &copy).expect("copies");
        let vault = unlock(&path).expect("unlocks");
        saga::write_all(&vault, before + 1..=before + after);
        vault.lock().expect("locks");
    }
    std::fs::copy(&copy, &path).expect("puts back");
    if !keep_record {
        forget_record(&path);
    }
    let vault = unlock(&path).expect("an older state is whole in itself");
    let lost = vault.lost_commits();
    let named = vault.check(true).problems.contains(&Problem::CommitsLost { count: after });
    (after, lost, named)
}

fn forget_record(path: &Path) {
    std::fs::remove_file(path.with_extension("sqlite.lock")).expect("was there");
}

#[test]
fn a_vault_put_back_to_an_older_state_says_how_much_it_lacks() {
    let proof = Proof::new(TEST, "vault files put back to an older state (the vault's own part)", PER_CHANGE);
    let failures = proof.in_threads(2, |cases| {
        let wrong = cases.iter().filter(|case| {
            let (missed, said, named) = restored(proof.seed().wrapping_add(**case), true);
            missed != said || !named
        });
        wrong.count() as u64
    });
    proof.end(proof.share(), failures);
    assert_eq!(failures, 0, "each is told, with the number of commits");
}

#[test]
fn control_without_the_record_an_older_state_passes() {
    let noticed = (0..20).filter(|seed| restored(*seed, false).1 > 0).count();
    assert_eq!(noticed, 0, "it is the record that tells");
}
