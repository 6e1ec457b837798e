//! Making, unlocking, locking, and what stands in the way of it.

use mecum_seal::{KdfParams, VaultKey};
use mecum_vault::{
    CreateVaultError, Location, Part, Presence, UnlockVaultError, Vault, VaultOptions, presence,
};

use crate::fixture::{NOW_MS, PASSPHRASE, content, create, file_in, fill, folder, options, unlock};

#[test]
fn a_location_says_what_is_there() {
    let folder = folder();
    let path = file_in(folder.path());
    let location = Location::File(path.clone());
    assert_eq!(presence(&location, NOW_MS), Presence::Missing, "nothing yet");
    assert_eq!(unlock(&path).err(), Some(UnlockVaultError::Missing), "and nothing to unlock");
    let vault = create(&path, 1);
    assert_eq!(presence(&location, NOW_MS), Presence::Present { wait_ms: 0, failed: 0 }, "in use");
    vault.lock().expect("locks");
    assert_eq!(presence(&location, NOW_MS), Presence::Present { wait_ms: 0, failed: 0 }, "locked");
    std::fs::write(&path, b"not a vault at all, whatever its name says").expect("overwrites");
    assert_eq!(presence(&location, NOW_MS), Presence::Unreadable, "some other file");
    assert_eq!(
        unlock(&path).err(),
        Some(UnlockVaultError::Damaged { what: Part::Structure }),
        "is an error, not a panic"
    );
    std::fs::write(&path, b"").expect("truncates");
    assert_eq!(presence(&location, NOW_MS), Presence::Unreadable, "an emptied vault is no fresh device");
    let made = Vault::create(&location, PASSPHRASE, NOW_MS, &options(1)).err();
    assert_eq!(made, Some(CreateVaultError::Exists), "and is not overwritten");
}

#[test]
fn a_wrong_passphrase_slows_down_and_loses_nothing() {
    let folder = folder();
    let path = file_in(folder.path());
    let location = Location::File(path.clone());
    let vault = create(&path, 1);
    fill(&vault, 2);
    let before = content(&vault).expect("reads");
    vault.lock().expect("locks");
    let attempt = |passphrase: &str, now_ms| Vault::unlock(&location, passphrase, now_ms, &options(3));
    for (failed, wait_ms) in [(1, 0), (2, 0), (3, 1_000)] {
        let error = attempt("something else", NOW_MS).err();
        assert_eq!(error, Some(UnlockVaultError::WrongPassphrase { failed, wait_ms }), "attempt {failed}");
    }
    let early = attempt(PASSPHRASE, NOW_MS + 400).err();
    assert_eq!(early, Some(UnlockVaultError::Waiting { wait_ms: 600 }), "even the right one has to wait");
    assert_eq!(
        presence(&location, NOW_MS + 400),
        Presence::Present { wait_ms: 600, failed: 3 },
        "and one can see it"
    );
    let error = attempt("something else", NOW_MS + 1_000).err();
    assert_eq!(error, Some(UnlockVaultError::WrongPassphrase { failed: 4, wait_ms: 2_000 }), "twice as long");
    let vault = attempt(PASSPHRASE, NOW_MS + 3_000).expect("the right one opens after the wait");
    assert_eq!(content(&vault).as_ref(), Ok(&before), "nothing is lost");
    vault.lock().expect("locks");
    assert_eq!(
        presence(&location, NOW_MS),
        Presence::Present { wait_ms: 0, failed: 0 },
        "and the count is cleared"
    );
}

#[test]
fn a_vault_in_use_is_not_opened_twice() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    assert_eq!(unlock(&path).err(), Some(UnlockVaultError::InUse), "while it is open");
    let again = Vault::create(&Location::File(path.clone()), PASSPHRASE, NOW_MS, &options(1)).err();
    assert_eq!(again, Some(CreateVaultError::InUse), "nor made again");
    drop(vault);
    unlock(&path).expect("opens once it is let go").lock().expect("locks");
    let again = Vault::create(&Location::File(path), PASSPHRASE, NOW_MS, &options(1)).err();
    assert_eq!(again, Some(CreateVaultError::Exists), "an existing vault is never replaced");
}

#[test]
fn a_vault_of_a_newer_version_is_left_alone() {
    let folder = folder();
    let path = file_in(folder.path());
    create(&path, 1).lock().expect("locks");
    let sqlite = rusqlite::Connection::open(&path).expect("opens");
    sqlite.pragma_update(None, "user_version", 5).expect("a later version");
    drop(sqlite);
    assert_eq!(unlock(&path).err(), Some(UnlockVaultError::TooNew), "says so");
}

#[test]
fn a_key_slot_below_the_floor_does_not_open_in_a_shipped_program() {
    let folder = folder();
    let path = file_in(folder.path());
    create(&path, 1).lock().expect("locks");
    let shipped = VaultOptions { kdf: KdfParams::default(), ..options(1) };
    let opened = Vault::unlock(&Location::File(path), PASSPHRASE, NOW_MS, &shipped).err();
    assert_eq!(
        opened,
        Some(UnlockVaultError::Damaged { what: Part::KeySlot }),
        "a downgraded slot is refused"
    );
}

#[test]
fn control_the_same_weak_slot_opens_where_a_test_permits_it() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    let before = content(&vault).expect("reads");
    vault.lock().expect("locks");
    let vault = unlock(&path).expect("it is the floor alone that keeps it shut in a shipped program");
    assert_eq!(content(&vault), Ok(before), "with everything in it");
}

#[test]
fn the_passphrase_can_be_asked_again_and_changed() {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    fill(&vault, 2);
    let before = content(&vault).expect("reads");
    assert_eq!(vault.is_passphrase(PASSPHRASE, &options(4)), Ok(true), "asked again");
    assert_eq!(vault.is_passphrase("wrong", &options(4)), Ok(false), "and answered wrongly");
    assert_eq!(
        vault.change_passphrase("wrong", "a new one", &options(4)),
        Ok(false),
        "not without the old one"
    );
    assert_eq!(vault.change_passphrase(PASSPHRASE, "a new one", &options(4)), Ok(true), "changed");
    vault.lock().expect("locks");
    assert!(matches!(unlock(&path), Err(UnlockVaultError::WrongPassphrase { .. })), "the old one is void");
    let vault =
        Vault::unlock(&Location::File(path), "a new one", NOW_MS, &options(5)).expect("the new one opens");
    assert_eq!(content(&vault).as_ref(), Ok(&before), "the same vault");
}

#[test]
fn a_backup_opens_by_itself_with_all_content() {
    let folder = folder();
    let vault = create(&file_in(folder.path()), 1);
    fill(&vault, 2);
    let copy = folder.path().join("copy.sqlite");
    vault.backup_to(&copy).expect("copies");
    assert!(vault.backup_to(&copy).is_err(), "an existing file is not overwritten");
    let restored = unlock(&copy).expect("the copy unlocks");
    assert_eq!(content(&restored), content(&vault), "with the same content");
    assert!(restored.check(true).is_clean(), "and nothing out of place");
}

#[test]
fn each_seed_of_the_fixture_is_a_vault_of_its_own() {
    // Otherwise the tests above could open each other's vaults by chance.
    let key = |seed| VaultKey::make(&*options(seed).entropy);
    assert_ne!(key(1), key(2), "keys of two seeds differ");
}
