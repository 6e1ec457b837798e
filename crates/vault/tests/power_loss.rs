//! The power goes at any moment: what was saved is there, and the vault opens.
//!
//! A vault lives on a disk that logs what SQLite writes and syncs. From the log any number of cuts is made: up to a random
//! event, with everything synced and a random, torn, reordered part of what was not. Some cuts come while the vault
//! recovers from another one.

#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/saga.rs"]
mod saga;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use fixture::{NOW_MS, PASSPHRASE, file_in, folder, options};
use mecum_faults::{Dice, Disk, Event, Image, Loss, Proof};
use mecum_vault::{Durability, Location, UnlockVaultError, Vault};
use saga::SECOND_PASSPHRASE;

const TEST: u8 = 3;
const PER_CHANGE: u64 = 5_000;
const THREADS: u64 = 2;
/// Cuts made from one life of a vault.
const CUTS_PER_LIFE: u64 = 25;

/// Marks in the log: a commit begins; one that is durable has returned, with the lock file as it is then; the passphrase
/// is being changed; it is changed.
const BEGINS: u8 = 0;
const SAVED: u8 = 1;
const CHANGES: u8 = 2;
const CHANGED: u8 = 3;

/// Which disk, and what is taken for saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    /// An honest disk; `Full` commits count as saved.
    Kept,
    /// Syncs do nothing, which to a disk is `PRAGMA synchronous = OFF`.
    NoSync,
    /// An honest disk; commits that were never promised to survive count as saved too.
    NormalCounts,
}

/// A vault's life, as the disk saw it.
struct Life {
    start: Image,
    events: Vec<Event>,
    /// Saved, and begun, before this life.
    before: (u64, u64),
    passphrases: Vec<&'static str>,
}

/// What must hold at one moment of a life.
#[derive(Debug)]
struct Promise {
    saved: u64,
    begun: u64,
    passphrases: Vec<&'static str>,
    lock: Vec<u8>,
}

impl Life {
    fn promise(&self, count: usize, dice: &mut Dice) -> Promise {
        let (saved, begun) = self.before;
        let mut promise = Promise { saved, begun, passphrases: self.passphrases.clone(), lock: Vec::new() };
        for event in self.events.iter().take(count) {
            let Event::Mark { kind, value, kept } = event else { continue };
            match *kind {
                BEGINS => promise.begun = *value,
                SAVED => {
                    promise.saved = *value;
                    // The record beside the vault is never synced: any state of it may be there.
                    if !dice.once_in(4) {
                        promise.lock.clone_from(kept);
                    }
                }
                CHANGES => promise.passphrases.push(SECOND_PASSPHRASE),
                _ => promise.passphrases = vec![SECOND_PASSPHRASE],
            }
        }
        promise
    }
}

fn lock_record(path: &Path) -> Vec<u8> {
    std::fs::read(path.with_extension("sqlite.lock")).unwrap_or_default()
}

/// Makes a vault and lets it live through what a session does.
fn live(dice: &mut Dice, truth: Truth) -> Life {
    let folder = folder();
    let path = file_in(folder.path());
    let disk = Disk::watch(folder.path());
    let options = options(dice.bits());
    let mut passphrase = PASSPHRASE;
    let location = Location::File(path.clone());
    let mut vault = Vault::create(&location, passphrase, NOW_MS, &options).expect("a new vault");
    disk.mark(SAVED, 0, lock_record(&path));
    for n in 1..=12 {
        let full = dice.below(3) > 0;
        let durability = if full { Durability::Full } else { Durability::Normal };
        disk.mark(BEGINS, n, Vec::new());
        saga::write(&vault, n, durability).expect("the disk takes it");
        if full || truth == Truth::NormalCounts {
            disk.mark(SAVED, n, lock_record(&path));
        }
        match dice.below(12) {
            0 | 1 => vault.idle().expect("moves the log"),
            2 => {
                vault.scrub().expect("empties the log");
                disk.mark(SAVED, n, lock_record(&path));
            }
            3 => {
                vault.lock().expect("locks");
                disk.mark(SAVED, n, lock_record(&path));
                vault = Vault::unlock(&location, passphrase, NOW_MS, &options).expect("unlocks");
            }
            4 if passphrase == PASSPHRASE => {
                disk.mark(CHANGES, 0, Vec::new());
                let changed = vault.change_passphrase(passphrase, SECOND_PASSPHRASE, &options);
                assert_eq!(changed, Ok(true), "the passphrase changes");
                passphrase = SECOND_PASSPHRASE;
                disk.mark(CHANGED, 0, Vec::new());
                disk.mark(SAVED, n, lock_record(&path));
            }
            _ => {}
        }
    }
    vault.lock().expect("locks");
    disk.mark(SAVED, 12, lock_record(&path));
    let mut events = disk.events();
    if truth == Truth::NoSync {
        events.retain(|event| !matches!(event, Event::Sync { .. } | Event::SyncFolder));
    }
    Life { start: Image::default(), events, before: (0, 0), passphrases: vec![PASSPHRASE] }
}

fn unlock(path: &Path, passphrases: &[&'static str]) -> Result<(Vault, &'static str), UnlockVaultError> {
    let location = Location::File(path.to_owned());
    let mut last = UnlockVaultError::Missing;
    for passphrase in passphrases {
        match Vault::unlock(&location, passphrase, NOW_MS, &options(99)) {
            Ok(vault) => return Ok((vault, passphrase)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Puts an image into a folder and says what is wrong with it, if anything.
fn judge(image: &Image, promise: &Promise) -> Result<(), String> {
    let folder = folder();
    let path = file_in(folder.path());
    image.store(folder.path()).map_err(|error| error.to_string())?;
    std::fs::write(path.with_extension("sqlite.lock"), &promise.lock).map_err(|error| error.to_string())?;
    let (vault, passphrase) = match unlock(&path, &promise.passphrases) {
        Ok(found) => found,
        // Before anything was saved there may be nothing; then it must be possible to begin.
        Err(UnlockVaultError::Missing) if promise.lock.is_empty() && promise.saved == 0 => {
            let made = Vault::create(&Location::File(path), PASSPHRASE, NOW_MS, &options(98));
            return made.map(drop).map_err(|error| format!("an unborn vault is in the way: {error}"));
        }
        Err(error) => return Err(format!("does not open: {error}")),
    };
    let found = saga::commits(&vault)?;
    if found < promise.saved || found > promise.begun {
        return Err(format!("{found} commits are there; {} saved, {} begun", promise.saved, promise.begun));
    }
    // Life goes on.
    saga::write(&vault, found + 1, Durability::Full).map_err(|error| format!("after the cut: {error}"))?;
    vault.lock().map_err(|error| format!("after the cut: {error}"))?;
    let again = Vault::unlock(&Location::File(path), passphrase, NOW_MS, &options(97));
    let again = again.map_err(|error| format!("a second time: {error}"))?;
    let more = saga::commits(&again)?;
    if more == found + 1 { Ok(()) } else { Err(format!("{more} commits after {found} and one more")) }
}

/// Opens the vault of an image on a watched disk, writes one more commit and locks.
fn recover(image: &Image, promise: &Promise) -> Result<Life, String> {
    let folder = folder();
    let path = file_in(folder.path());
    image.store(folder.path()).map_err(|error| error.to_string())?;
    std::fs::write(path.with_extension("sqlite.lock"), &promise.lock).map_err(|error| error.to_string())?;
    let disk = Disk::watch(folder.path());
    let (vault, passphrase) =
        unlock(&path, &promise.passphrases).map_err(|error| format!("does not open: {error}"))?;
    let found = saga::commits(&vault)?;
    disk.mark(BEGINS, found + 1, Vec::new());
    saga::write(&vault, found + 1, Durability::Full).map_err(|error| error.to_string())?;
    disk.mark(SAVED, found + 1, lock_record(&path));
    drop(vault);
    let before = (promise.saved, promise.begun.max(found));
    Ok(Life { start: image.clone(), events: disk.events(), before, passphrases: vec![passphrase] })
}

fn cut(life: &Life, dice: &mut Dice) -> Result<(), String> {
    let count = dice.index(life.events.len() + 1);
    let loss = Loss::choose(dice);
    let image = Image::after_cut(&life.start, &life.events, count, loss, dice);
    let promise = life.promise(count, dice);
    let born = !promise.lock.is_empty();
    if !born || !dice.once_in(4) {
        return judge(&image, &promise).map_err(|why| format!("event {count}, {loss:?}: {why}"));
    }
    let mut second = recover(&image, &promise).map_err(|why| format!("event {count}, {loss:?}: {why}"))?;
    second.passphrases.extend(
        promise.passphrases.iter().filter(|p| !second.passphrases.contains(p)).copied().collect::<Vec<_>>(),
    );
    let at = dice.index(second.events.len() + 1);
    let loss = Loss::choose(dice);
    let image = Image::after_cut(&second.start, &second.events, at, loss, dice);
    let mut again = second.promise(at, dice);
    if again.lock.is_empty() {
        again.lock = promise.lock;
    }
    judge(&image, &again).map_err(|why| format!("event {count}, then {at} of the recovery, {loss:?}: {why}"))
}

/// Cuts in the given cases; how many of them went wrong.
fn cuts(seed: u64, cases: &[u64], truth: Truth, told: &AtomicU64) -> u64 {
    let mut failures = 0;
    for chunk in cases.chunks(usize::try_from(CUTS_PER_LIFE).expect("small")) {
        let Some(first) = chunk.first() else { continue };
        let mut dice = Dice::new(seed.wrapping_add(*first));
        let life = live(&mut dice, truth);
        for case in chunk {
            if let Err(why) = cut(&life, &mut dice) {
                failures += 1;
                if truth == Truth::Kept && told.fetch_add(1, Ordering::Relaxed) < 5 {
                    println!("life {first}, case {case}: {why}");
                }
            }
        }
    }
    failures
}

#[test]
fn what_was_saved_survives_any_power_cut() {
    let proof = Proof::new(
        TEST,
        "power cuts: synced writes and a random, torn, reordered part of the rest",
        PER_CHANGE,
    );
    let told = AtomicU64::new(0);
    let failures = proof.in_threads(THREADS, |cases| cuts(proof.seed(), &cases, Truth::Kept, &told));
    proof.end(proof.share(), failures);
    assert_eq!(failures, 0, "no cut loses a saved commit, halves one, or leaves a vault that does not open");
}

#[test]
fn control_without_syncs_or_full_durability_power_cuts_lose() {
    let told = AtomicU64::new(0);
    let cases: Vec<u64> = (0..300).collect();
    let without_sync = cuts(1, &cases, Truth::NoSync, &told);
    let normal = cuts(1, &cases, Truth::NormalCounts, &told);
    println!("of 300 cuts {without_sync} lose without syncs, {normal} with synchronous = NORMAL");
    assert!(without_sync > 0, "a disk that does not sync loses what was saved");
    assert!(normal > 0, "and so does an acknowledgement without a sync");
}
