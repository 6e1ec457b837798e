//! A backup made while the vault is written is a whole vault of one moment; a cut-off one is refused.

#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/saga.rs"]
mod saga;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fixture::{NOW_MS, PASSPHRASE, create, file_in, folder, options, unlock};
use mecum_faults::Proof;
use mecum_vault::{Durability, Location, Vault};

const TEST: u8 = 9;
const PER_CHANGE: u64 = 100;
const KIB: usize = 1_024;

/// What a vault copied at one moment may hold: at least what was saved before, at most what was begun after.
fn judge(copy: &Path, saved: u64, begun: u64) -> Result<(), String> {
    let vault = unlock(copy).map_err(|error| format!("does not open: {error}"))?;
    let found = saga::commits(&vault)?;
    if found < saved || found > begun {
        return Err(format!("{found} commits; {saved} were saved before and {begun} begun after"));
    }
    Ok(())
}

/// Makes `cycles` copies of a vault that another thread is writing; what went wrong.
fn while_writing(cycles: u64, copy: impl Fn(&Vault, &Path, &Path) -> Result<(), String>) -> Vec<String> {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    let (saved, begun, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1.. {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                begun.store(n, Ordering::SeqCst);
                saga::write(&vault, n, Durability::Full).expect("the vault takes it");
                saved.store(n, Ordering::SeqCst);
                if n % 50 == 0 {
                    vault.idle().expect("moves the log");
                }
                // Else the vault grows faster than its copies can be looked at.
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let mut wrong = Vec::new();
        for cycle in 0..cycles {
            let to = folder.path().join(format!("copy-{cycle}.sqlite"));
            let before = saved.load(Ordering::SeqCst);
            let outcome =
                copy(&vault, &path, &to).and_then(|()| judge(&to, before, begun.load(Ordering::SeqCst)));
            wrong.extend(outcome.err().map(|why| format!("cycle {cycle}: {why}")));
            let _ = std::fs::remove_file(&to);
        }
        stop.store(true, Ordering::SeqCst);
        wrong
    })
}

fn by_backup(vault: &Vault, _: &Path, to: &Path) -> Result<(), String> {
    vault.backup_to(to).map_err(|error| error.to_string())
}

#[test]
fn backups_made_while_writing_are_whole_vaults_of_one_moment() {
    let proof = Proof::new(TEST, "backups while another thread writes", PER_CHANGE);
    let wrong = while_writing(proof.share(), by_backup);
    wrong.iter().take(5).for_each(|why| println!("{why}"));
    proof.end(proof.share(), wrong.len() as u64);
    assert_eq!(wrong.len(), 0, "every backup opens, is clean, and holds what was saved before it");
}

/// As the app makes it: written beside the vault, read back in small steps, and only then named.
fn in_steps(vault: &Vault, _: &Path, to: &Path) -> Result<(), String> {
    let said = |error: mecum_vault::WriteVaultError| error.to_string();
    let mut copying = vault.begin_copy(to).map_err(said)?;
    if !copying.write(|_| true).map_err(said)? {
        return Err("stopped by nobody".into());
    }
    let mut checking = vault.begin_reading_back(&copying).map_err(said)?;
    checking.walk_structure();
    while !vault.step_check(&mut checking) {}
    if !checking.report().is_clean() {
        return Err(format!("not sound: {:?}", checking.report().problems));
    }
    drop(checking);
    if to.exists() {
        return Err("it has its name before it was read back".into());
    }
    copying.finish().map_err(said)
}

#[test]
fn backups_made_in_steps_beside_a_writer_are_whole_vaults_of_one_moment() {
    let proof = Proof::new(TEST, "backups in steps beside a writer", PER_CHANGE);
    let wrong = while_writing(proof.share(), in_steps);
    wrong.iter().take(5).for_each(|why| println!("{why}"));
    proof.end(proof.share(), wrong.len() as u64);
    assert_eq!(wrong.len(), 0, "every backup opens, is clean, and holds what was saved before it");
}

#[test]
fn a_backup_that_is_given_up_leaves_nothing() {
    let folder = folder();
    let vault = create(&file_in(folder.path()), 1);
    saga::write(&vault, 1, Durability::Full).expect("the vault takes it");
    let to = folder.path().join("copy.sqlite");
    let mut copying = vault.begin_copy(&to).expect("begins");
    assert!(!copying.write(|_| false).expect("the disk takes it"), "it stops when it is told to");
    drop(copying);
    let left = std::fs::read_dir(folder.path()).expect("a folder").flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("copy")).collect();
    assert!(left.is_empty(), "nothing of it stays: {left:?}");
}

#[test]
fn control_a_plain_copy_of_the_file_lacks_what_was_saved() {
    let wrong =
        while_writing(20, |_, from, to| std::fs::copy(from, to).map(drop).map_err(|error| error.to_string()));
    println!("{} of 20 plain copies lack something", wrong.len());
    assert!(!wrong.is_empty(), "the harness sees a copy that is behind");
}

fn backup_in(folder: &Path, commits: u64) -> PathBuf {
    let vault = create(&file_in(folder), 2);
    saga::write_all(&vault, 1..=commits);
    let backup = folder.join("backup.sqlite");
    vault.backup_to(&backup).expect("copies");
    backup
}

/// Whether a file is refused, or the check finds what is wrong with it.
fn is_refused(path: &Path) -> bool {
    let report = Vault::examine(&Location::File(path.to_owned()), PASSPHRASE, NOW_MS, true, &options(3));
    let unlocks = unlock(path).is_ok_and(|vault| saga::commits(&vault).is_ok());
    !unlocks && !report.is_ok_and(|report| report.is_clean())
}

#[test]
fn a_backup_cut_off_at_any_kibibyte_is_refused() {
    let folder = folder();
    let backup = backup_in(folder.path(), 40);
    let bytes = std::fs::read(&backup).expect("reads");
    assert!(!is_refused(&backup), "whole, it is taken");
    mecum_faults::control_failed("the same backup, whole, is taken");
    let cut = folder.path().join("cut.sqlite");
    let proof = Proof::new(TEST, "backups cut off at each KiB are refused", (bytes.len() / KIB) as u64);
    let (mut cases, mut taken) = (0, 0);
    for length in (0..bytes.len()).step_by(KIB) {
        std::fs::write(&cut, bytes.get(..length).unwrap_or_default()).expect("writes");
        cases += 1;
        taken += u64::from(!is_refused(&cut));
        for beside in ["sqlite-wal", "sqlite-shm", "sqlite.lock"] {
            let _ = std::fs::remove_file(cut.with_extension(beside));
        }
    }
    proof.end(cases, taken);
    assert_eq!(taken, 0, "no part of a backup passes for a backup");
    assert!(cases > 30, "the backup has a size: {cases} KiB");
}
