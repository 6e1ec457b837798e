//! The disk is really full: the vault says "not saved", still opens and can be exported, and goes on once there is room.
//!
//! On a small file system in memory, mounted in a name space of this test's own, so that nothing of it is left behind.

#![cfg(target_os = "linux")]

#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/saga.rs"]
mod saga;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use fixture::{NOW_MS, create, file_in, folder, unlock};
use mecum_faults::{Dice, Proof};
use mecum_vault::{Durability, Location, Presence, WriteVaultError, presence};

const TEST: u8 = 5;
const PER_CHANGE: u64 = 200;
/// What is wrong where a vault does not open for want of room, or cannot even be looked at.
const SHUT: [&str; 2] = ["does not open on a full disk", "on a full disk the vault is said to be"];
const INSIDE: &str = "MECUM_IN_A_NAME_SPACE";
/// What the lock file must hold at least; the rest of it is room.
const RECORD_BYTES: u64 = 24;
const FULL: WriteVaultError = WriteVaultError::NotSaved { full: true };

/// Runs the test `name` again in a name space where it may mount. False if that cannot be had here.
fn inside(name: &str) -> bool {
    let own = std::env::current_exe().expect("a running test has a path");
    let may = |options: &[&str]| {
        Command::new("unshare").args(options).arg("true").output().is_ok_and(|output| output.status.success())
    };
    // As root, or as root of a name space of users.
    let Some(options) =
        [&["--mount"][..], &["--map-root-user", "--mount"]].into_iter().find(|options| may(options))
    else {
        return false;
    };
    let status = Command::new("unshare")
        .args(options)
        .arg(own)
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare was there");
    assert!(status.success(), "the test passes in its name space");
    true
}

/// A file system of a few MiB, gone when dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn new(mib: u64) -> Small {
        let folder = folder();
        let size = format!("size={mib}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder.path()).status();
        assert!(mounted.is_ok_and(|status| status.success()), "a name space of one's own allows mounting");
        Small(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room that is left but `spare` bytes.
    fn fill(&self, spare: u64) {
        let filler = self.path().join("filler");
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&filler).expect("a filler");
        while file.write_all(&[1; 4_096]).is_ok() {}
        let length = file.metadata().expect("its length").len();
        file.set_len(length.saturating_sub(spare)).expect("gives some back");
    }

    fn free(&self) {
        let filler = self.path().join("filler");
        // Emptied first, so that the room is free even while something still holds it open.
        std::fs::write(&filler, []).expect("empties the filler");
        std::fs::remove_file(&filler).expect("there is a filler");
    }

    /// What lies on it, for a failure.
    fn listing(&self) -> Vec<(String, u64)> {
        let entries = std::fs::read_dir(self.path()).expect("a folder").flatten();
        entries
            .map(|entry| {
                let length = entry.metadata().map_or(0, |meta| meta.len());
                (entry.file_name().to_string_lossy().into_owned(), length)
            })
            .collect()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

/// One life on a small disk that fills up. Says what went wrong. With `robbed` the room that the vault keeps for opening is
/// taken away: the control.
fn run(seed: u64, robbed: bool) -> Result<(), String> {
    let mut dice = Dice::new(seed);
    let mib = [1, 1, 1, 1, 4, 16][dice.index(6)];
    let disk = Small::new(mib);
    let path = file_in(disk.path());
    let vault = create(&path, seed);
    let mut saved = 0;
    let save = |saved: &mut u64, vault: &mecum_vault::Vault| {
        saga::write(vault, *saved + 1, Durability::Full).map(|_| *saved += 1)
    };
    // Vault and log take at most half of the disk: what is freed later must be room enough to fold one into the other.
    for _ in 0..=dice.below(4 * mib) {
        save(&mut saved, &vault).map_err(|error| format!("with room: {error}"))?;
    }
    if dice.once_in(2) {
        vault.idle().map_err(|error| format!("with room: {error}"))?;
    }
    // Full while the vault is open: by others, down to the last byte or nearly so.
    let spare = [0, 0, 4_096, 20_000][dice.index(4)];
    disk.fill(spare);
    let mut refused = 0;
    // A log that was moved into the file is written over: it takes some saves without more room.
    for _ in 0..2_000 {
        if refused == 5 {
            break;
        }
        match save(&mut saved, &vault) {
            Ok(()) => {}
            Err(error) if error == FULL => refused += 1,
            Err(other) => return Err(format!("on a full disk: {other}")),
        }
    }
    if refused == 0 {
        return Err("the disk never was full".to_owned());
    }
    let found = saga::commits(&vault).map_err(|why| format!("open on a full disk: {why}"))?;
    if found != saved {
        return Err(format!("open on a full disk: {found} of {saved}"));
    }
    let early = dice.once_in(3);
    if early {
        // Room while it is open: it goes on.
        disk.free();
        save(&mut saved, &vault).map_err(|error| format!("with room again: {error:?}"))?;
        disk.fill(spare);
    }
    // Locked, and the disk still full: it opens to be read, and can be taken elsewhere.
    drop(vault);
    if robbed {
        let lock = std::fs::OpenOptions::new().write(true).open(path.with_extension("sqlite.lock"));
        lock.and_then(|lock| lock.set_len(RECORD_BYTES)).map_err(|error| error.to_string())?;
    }
    disk.fill(0);
    let there = presence(&Location::File(path.clone()), NOW_MS);
    if !matches!(there, Presence::Present { .. }) {
        return Err(format!("{} {there:?}", SHUT[1]));
    }
    let vault = unlock(&path).map_err(|error| format!("{}: {error}", SHUT[0]))?;
    let found = saga::commits(&vault).map_err(|why| format!("opened on a full disk: {why}"))?;
    if found != saved {
        return Err(format!("opened on a full disk: {found} of {saved}"));
    }
    let elsewhere = folder();
    let copy = elsewhere.path().join("export.sqlite");
    vault.backup_to(&copy).map_err(|error| format!("export: {error}"))?;
    let exported = unlock(&copy).map_err(|error| format!("the export does not open: {error}"))?;
    if saga::commits(&exported)? != saved {
        return Err("the export lacks something".to_owned());
    }
    // Room again: saving goes on, in the same session and in the next.
    disk.free();
    let room_again = |error| format!("with room again, {mib} MiB, {:?}: {error:?}", disk.listing());
    save(&mut saved, &vault).map_err(room_again)?;
    vault.lock().map_err(room_again)?;
    let vault = unlock(&path).map_err(|error| format!("with room again: {error:?}"))?;
    let found = saga::commits(&vault)?;
    if found == saved { Ok(()) } else { Err(format!("at the end {found} of {saved}")) }
}

#[test]
fn a_full_disk_loses_nothing_and_the_vault_opens_and_goes_on() {
    if std::env::var_os(INSIDE).is_none() {
        if !inside("a_full_disk_loses_nothing_and_the_vault_opens_and_goes_on") {
            println!("mecum-skip: mounting a small file system needs root, or a name space of one's own");
        }
        return;
    }
    let proof = Proof::new(TEST, "really full disks of 1, 4 and 16 MiB", PER_CHANGE);
    // One at a time: a mount program that another thread is just starting would hold files open that are gone already.
    let failures = proof.in_threads(1, |cases| {
        let mut failures = 0;
        for case in cases {
            if let Err(why) = run(proof.seed().wrapping_add(case), false) {
                println!("case {case}: {why}");
                failures += 1;
            }
        }
        failures
    });
    proof.end(proof.share(), failures);
    assert_eq!(failures, 0, "nothing is lost, the vault opens, and goes on");
}

#[test]
fn control_without_kept_room_or_care_a_full_disk_shuts_and_loses() {
    if std::env::var_os(INSIDE).is_none() {
        if !inside("control_without_kept_room_or_care_a_full_disk_shuts_and_loses") {
            println!("mecum-skip: mounting a small file system needs root, or a name space of one's own");
        }
        return;
    }
    let shut = (0..20)
        .filter(|seed| match run(*seed, true) {
            Ok(()) => false,
            Err(why) => {
                assert!(
                    SHUT.iter().any(|shut| why.starts_with(shut)),
                    "seed {seed}: without its room it does not open, and no more: {why}"
                );
                true
            }
        })
        .count();
    println!("without the room that it keeps, {shut} of 20 vaults do not open");
    assert!(shut > 0, "a disk without room keeps a vault shut that kept none");
    // A program that takes no care: it truncates its file before it writes it anew, and what it had is gone.
    let disk = Small::new(1);
    let path = disk.path().join("careless");
    std::fs::write(&path, [7; 10_000]).expect("there is room");
    disk.fill(0);
    let rewritten = std::fs::write(&path, vec![8; 20_000]);
    assert!(rewritten.is_err(), "no room");
    let kept = std::fs::read(&path).expect("reads");
    assert_ne!(kept, vec![7; 10_000], "what was saved is lost where no care is taken");
}
