//! The recovery slot: the kit opens a vault whose passphrase is forgotten, and nothing else does.

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{RecoveryKey, RecoveryKit};
use mecum_vault::{Durability, Location, UnlockVaultError, Vault, WriteVaultError};

use crate::fixture::{NOW_MS, PASSPHRASE, content, create, file_in, fill, folder, options, unlock};

const NEW: &str = "another one, worth nothing as well";

fn key(seed: u64) -> RecoveryKey {
    RecoveryKit::make(&SeededEntropy::new(seed)).key()
}

fn put_slot(vault: &Vault, key: &RecoveryKey) {
    let slot =
        vault.make_recovery_slot(PASSPHRASE, key, &options(7)).expect("the slot of the passphrase reads");
    let slot = slot.expect("the passphrase is right");
    let done: Result<(), WriteVaultError> = vault.write(Durability::Full, |w| w.put_recovery_slot(&slot));
    done.expect("written");
}

#[test]
fn the_kit_opens_a_vault_with_a_new_passphrase_and_the_old_one_is_gone() {
    let folder = folder();
    let path = file_in(folder.path());
    let location = Location::File(path.clone());
    let vault = create(&path, 1);
    fill(&vault, 2);
    assert_eq!(vault.has_recovery_slot(), Ok(false), "no kit was made");
    assert_eq!(
        vault.make_recovery_slot("a guess", &key(5), &options(7)),
        Ok(None),
        "the passphrase is asked again"
    );
    put_slot(&vault, &key(5));
    assert_eq!(vault.has_recovery_slot(), Ok(true), "made");
    let before = content(&vault).expect("reads");
    vault.lock().expect("locks");
    let vault = Vault::recover(&location, &key(5), NEW, NOW_MS, &options(8)).expect("the kit opens it");
    assert_eq!(content(&vault).as_ref(), Ok(&before), "everything is there");
    vault.lock().expect("locks");
    let old = unlock(&path).err();
    assert_eq!(
        old,
        Some(UnlockVaultError::WrongPassphrase { failed: 1, wait_ms: 0 }),
        "the old one opens nothing"
    );
    let vault = Vault::unlock(&location, NEW, NOW_MS, &options(9)).expect("the new one opens it");
    assert_eq!(content(&vault).as_ref(), Ok(&before), "with everything");
    vault.lock().expect("locks");
    let vault =
        Vault::recover(&location, &key(5), PASSPHRASE, NOW_MS, &options(8)).expect("and the kit does again");
    drop(vault);
}

#[test]
fn another_kit_opens_nothing_and_slows_down_like_a_wrong_passphrase() {
    let folder = folder();
    let path = file_in(folder.path());
    let location = Location::File(path.clone());
    let vault = create(&path, 1);
    put_slot(&vault, &key(5));
    vault.lock().expect("locks");
    let attempt = |seed, now_ms| Vault::recover(&location, &key(seed), NEW, now_ms, &options(8)).err();
    for (failed, wait_ms) in [(1, 0), (2, 0), (3, 1_000)] {
        let wrong = Some(UnlockVaultError::WrongRecoveryKey { failed, wait_ms });
        assert_eq!(attempt(6, NOW_MS), wrong, "attempt {failed}");
    }
    let waiting = Some(UnlockVaultError::Waiting { wait_ms: 1_000 });
    assert_eq!(attempt(5, NOW_MS), waiting, "the right one waits too");
    let early = Vault::unlock(&location, PASSPHRASE, NOW_MS, &options(8)).err();
    assert_eq!(early, waiting, "and so does the passphrase: they share the count");
    let vault = Vault::unlock(&location, PASSPHRASE, NOW_MS + 1_000, &options(8));
    vault.expect("a wrong kit changed nothing").lock().expect("locks");
}

#[test]
fn a_replaced_kit_opens_nothing_and_a_vault_without_one_says_so() {
    let folder = folder();
    let path = file_in(folder.path());
    let location = Location::File(path.clone());
    let vault = create(&path, 1);
    vault.lock().expect("locks");
    let none = Vault::recover(&location, &key(5), NEW, NOW_MS, &options(8)).err();
    assert_eq!(none, Some(UnlockVaultError::NoRecovery), "no kit was ever made for it");
    let vault = unlock(&path).expect("that is no failed try");
    put_slot(&vault, &key(5));
    put_slot(&vault, &key(6));
    vault.scrub().expect("the log is emptied");
    vault.lock().expect("locks");
    let old = Vault::recover(&location, &key(5), NEW, NOW_MS, &options(8)).err();
    assert_eq!(
        old,
        Some(UnlockVaultError::WrongRecoveryKey { failed: 1, wait_ms: 0 }),
        "the earlier paper is void"
    );
    Vault::recover(&location, &key(6), NEW, NOW_MS, &options(8))
        .expect("the new one opens it")
        .lock()
        .expect("locks");
}

#[test]
fn a_log_that_something_reads_is_not_said_to_be_empty() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    put_slot(&vault, &key(5));
    let reading = vault.begin_check().expect("a check begins");
    put_slot(&vault, &key(6));
    assert!(!vault.scrub().expect("it is no error"), "a check reads: the earlier slot is in the log");
    drop(reading);
    assert!(vault.scrub().expect("it is no error"), "nothing is in its way");
    vault.lock().expect("locks");
}
