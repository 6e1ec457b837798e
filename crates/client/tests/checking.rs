//! The check of a vault's file, as `mecum vault check` makes it.

use std::path::Path;

use mecum_client::testing::{PASSPHRASE, first_device, surroundings};
use mecum_client::{Session, VaultChecked, check_vault};
use mecum_domain::{Field, Kind, Relation};
use mecum_seal::testing::fast_kdf;
use mecum_vault::{Location, UnlockVaultError};

/// A vault with a chart and some notes, closed.
fn written(file: &Path) {
    let mut session: Session = first_device(&Location::File(file.to_owned()), surroundings(5));
    let chart =
        session.create_chart("Laras", None, Relation::Own, None).expect("a fresh account takes a chart");
    for note in 0..5 {
        let fields = vec![(Field::Text, format!("slept {note} hours"))];
        session.add(chart, Kind::Note, fields).expect("a chart takes a note");
    }
    session.lock().expect("it closes");
}

fn check(file: &Path) -> VaultChecked {
    check_vault(file, PASSPHRASE, true, fast_kdf()).expect("the passphrase is right")
}

#[test]
fn a_sound_vault_is_said_to_be_sound_and_each_damage_is_named_without_a_word_of_the_record() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("vault.sqlite");
    written(&file);
    let sound = check(&file);
    assert_eq!(sound.problems, Vec::<String>::new(), "nothing was touched");
    assert!(sound.envelopes > 5 && sound.rows > 10, "everything was looked at: {sound:?}");

    let damages = [
        ("a deleted envelope", "DELETE FROM envelope WHERE n = 2", "is missing"),
        ("a damaged envelope", "UPDATE envelope SET body = zeroblob(300) WHERE n = 2", "is damaged"),
        ("a deleted row", "DELETE FROM row WHERE at = (SELECT max(at) FROM row)", "missing"),
        (
            "a row in another's place",
            "UPDATE row SET body = (SELECT body FROM row WHERE at = (SELECT min(at) FROM row)) WHERE at = (SELECT max(at) FROM row)",
            "damaged",
        ),
    ];
    for (what, sql, said) in damages {
        let copy = folder.path().join("copy.sqlite");
        std::fs::copy(&file, &copy).expect("a closed vault is one file");
        let connection = rusqlite::Connection::open(&copy).expect("it is a database");
        let changed = connection.execute(sql, []).expect("plain SQL");
        assert!(changed > 0, "{what}: the control is not a control");
        drop(connection);
        let found = check(&copy).problems;
        assert!(found.iter().any(|line| line.contains(said)), "{what}: {found:?}");
        assert!(
            !found.iter().any(|line| line.contains("slept") || line.contains("Laras")),
            "{what}: {found:?}"
        );
        for name in ["copy.sqlite", "copy.sqlite-wal", "copy.sqlite-shm", "copy.sqlite.lock"] {
            let _ = std::fs::remove_file(folder.path().join(name));
        }
    }
}

#[test]
fn a_wrong_passphrase_a_missing_file_and_a_vault_in_use_are_told_apart() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("vault.sqlite");
    assert_eq!(check_vault(&file, PASSPHRASE, false, fast_kdf()), Err(UnlockVaultError::Missing));
    let session = first_device(&Location::File(file.clone()), surroundings(6));
    assert_eq!(
        check_vault(&file, PASSPHRASE, false, fast_kdf()),
        Err(UnlockVaultError::InUse),
        "the app has it open"
    );
    session.lock().expect("it closes");
    let wrong = check_vault(&file, "six other words that open nothing", false, fast_kdf());
    assert!(matches!(wrong, Err(UnlockVaultError::WrongPassphrase { .. })), "{wrong:?}");
}
