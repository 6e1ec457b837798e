//! Any call to the disk may fail, once or for ever: a typed error, never a panic, and the next run is as if the failed
//! save had not been tried. A sync that failed may have lost what it was to save: nothing saved later may hang on it.

#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/saga.rs"]
mod saga;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::SystemTime;

use fixture::{NOW_MS, PASSPHRASE, create, file_in, folder, options};
use mecum_faults::{Call, Dice, Disk, Event, Fault, Image, Loss, Plan, Proof};
use mecum_vault::{Durability, Location, UnlockVaultError, Vault, WriteVaultError};

const TEST: u8 = 4;
/// Every call of the session below, in every way it can fail: a figure that the session sets, and that must not shrink.
const LEAST_CASES: u64 = 600;
/// Commits that the vault holds before anything fails.
const BEFORE: u64 = 3;

/// What a session came to while its disk failed.
#[derive(Debug, Default)]
struct Session {
    saved: u64,
    begun: u64,
    refusals: Vec<String>,
}

/// What becomes of the vault at a session's end, and what of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// It is locked.
    Locks,
    /// It is handed back open.
    Holds,
    /// The same, and what it writes over its log after a failure never reached the disk: the control.
    HoldsUnmended,
    /// Every save is taken for saved, whatever the vault says: the control.
    Believes,
}

impl How {
    fn holds(self) -> bool {
        matches!(self, How::Holds | How::HoldsUnmended)
    }
}

/// Unlocks, saves, tidies up and locks, going on after each refusal as the app does.
fn session(path: &Path, disk: &Disk, how: How) -> (Session, Option<Vault>) {
    let mut session = Session { saved: BEFORE, begun: BEFORE, refusals: Vec::new() };
    let vault = match Vault::unlock(&Location::File(path.to_owned()), PASSPHRASE, NOW_MS, &options(5)) {
        Ok(vault) => vault,
        Err(error) => {
            assert!(
                !matches!(error, UnlockVaultError::WrongPassphrase { .. }),
                "a disk's fault is no typing error"
            );
            session.refusals.push(error.to_string());
            return (session, None);
        }
    };
    for step in 0..8u64 {
        if how.holds() && !session.refusals.is_empty() {
            see_rewriting(path, disk, &vault, how == How::Holds);
        }
        let n = session.saved + 1;
        session.begun = session.begun.max(n);
        let durability = if step % 3 == 0 { Durability::Normal } else { Durability::Full };
        // A commit that was refused is written again with the same content, as the app does when asked to save again.
        match saga::write(&vault, n, durability) {
            Ok(_) => {
                session.saved = n;
                if durability == Durability::Full {
                    disk.mark(0, n, Vec::new());
                }
            }
            Err(error) => {
                assert!(
                    matches!(error, WriteVaultError::NotSaved { .. } | WriteVaultError::Damaged { .. }),
                    "an error that says it is not saved: {error}"
                );
                session.refusals.push(error.to_string());
                session.saved += u64::from(how == How::Believes);
            }
        }
        if step == 3 {
            session.refusals.extend(vault.idle().err().map(|error| error.to_string()));
        }
        if step == 5 {
            session.refusals.extend(vault.scrub().err().map(|error| error.to_string()));
        }
    }
    if how.holds() {
        return (session, Some(vault));
    }
    session.refusals.extend(vault.lock().err().map(|error| error.to_string()));
    (session, None)
}

/// After a failure the vault writes its log's bytes over themselves, past SQLite and so past the shim. Lets it do so by a
/// write of nothing, looks whether it really wrote to the log, and only then puts it on record, if it is to be.
fn see_rewriting(path: &Path, disk: &Disk, vault: &Vault, on_record: bool) {
    let log = path.with_extension("sqlite-wal");
    let Ok(file) = std::fs::OpenOptions::new().write(true).open(&log) else { return };
    file.set_modified(SystemTime::UNIX_EPOCH).expect("a file of ours");
    let known = disk.events().len();
    let nothing: Result<(), WriteVaultError> = vault.write(Durability::Full, |_| Ok(()));
    let modified = file.metadata().and_then(|meta| meta.modified()).expect("a file of ours");
    let by_sqlite = disk.events().iter().skip(known).any(|event| matches!(event, Event::Write { .. }));
    if on_record && nothing.is_ok() && modified != SystemTime::UNIX_EPOCH && !by_sqlite {
        let file = "vault.sqlite-wal".to_owned();
        disk.add(Event::Write { file: file.clone(), at: 0, bytes: std::fs::read(&log).expect("reads") });
        disk.add(Event::Sync { file });
    }
}

/// A vault with a few commits, the last of them still in its log.
fn vault_files() -> Image {
    let folder = folder();
    let path = file_in(folder.path());
    let vault = create(&path, 1);
    for n in 1..=BEFORE {
        if n == BEFORE {
            vault.idle().expect("checkpoints");
        }
        saga::write(&vault, n, Durability::Full).expect("writes");
    }
    let mut image = Image::default();
    for name in ["vault.sqlite", "vault.sqlite-wal", "vault.sqlite.lock"] {
        image
            .files
            .insert(name.to_owned(), std::fs::read(folder.path().join(name)).expect("a file of the vault"));
    }
    image
}

fn judge(path: &Path, session: &Session) -> Result<(), String> {
    let vault = Vault::unlock(&Location::File(path.to_owned()), PASSPHRASE, NOW_MS, &options(6))
        .map_err(|error| format!("the next run does not open: {error}"))?;
    let found = saga::commits(&vault)?;
    if found < session.saved || found > session.begun {
        return Err(format!("{found} commits are there; {} saved, {} begun", session.saved, session.begun));
    }
    saga::write(&vault, found + 1, Durability::Full)
        .map_err(|error| format!("the next run cannot save: {error}"))?;
    vault.lock().map_err(|error| format!("the next run cannot lock: {error}"))
}

/// One session with one fault. Says what went wrong.
fn fail_once(files: &Image, plan: Plan, how: How) -> Result<(), String> {
    let folder = folder();
    let path = file_in(folder.path());
    files.store(folder.path()).map_err(|error| error.to_string())?;
    let disk = Disk::watch(folder.path());
    disk.plan(Some(plan));
    let done = catch_unwind(AssertUnwindSafe(|| session(&path, &disk, how)));
    let struck = disk.has_struck();
    disk.plan(None);
    drop(disk);
    let (session, _) = done.map_err(|_| "a panic".to_owned())?;
    if !struck {
        return Err("the fault never struck".to_owned());
    }
    judge(&path, &session).map_err(|why| format!("{why}; refused: {:?}", session.refusals))
}

/// The calls of a session in which nothing fails.
fn calls(files: &Image, how: How) -> Vec<Call> {
    let folder = folder();
    let path = file_in(folder.path());
    files.store(folder.path()).expect("stores");
    let disk = Disk::watch(folder.path());
    disk.plan(None);
    let (session, vault) = session(&path, &disk, how);
    assert_eq!(session.refusals, Vec::<String>::new(), "a healthy disk refuses nothing");
    let calls = disk.calls();
    drop(vault);
    calls
}

/// Which calls of a session that is not locked at its end are syncs.
fn syncs(files: &Image) -> Vec<usize> {
    let calls = calls(files, How::Holds);
    calls.iter().enumerate().filter(|(_, call)| **call == Call::Sync).map(|(at, _)| at).collect()
}

fn plans(calls: &[Call]) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        for fault in Fault::ALL.into_iter().filter(|fault| fault.strikes(*call)) {
            plans.extend([false, true].map(|for_ever| Plan { fault, at, for_ever }));
        }
    }
    plans
}

#[test]
fn a_failing_disk_is_a_typed_error_and_the_next_run_is_clean() {
    let files = vault_files();
    let calls = calls(&files, How::Locks);
    let plans = plans(&calls);
    let proof = Proof::new(
        TEST,
        "each call of a session fails: EIO, ENOSPC, EDQUOT, short, once and for ever",
        plans.len() as u64,
    );
    let failures = proof.in_threads(2, |cases| {
        let mut failures = 0;
        for case in cases {
            let Some(plan) = usize::try_from(case).ok().and_then(|case| plans.get(case)) else { continue };
            if let Err(why) = fail_once(&files, *plan, How::Locks) {
                println!("{plan:?} ({:?}): {why}", calls.get(plan.at));
                failures += 1;
            }
        }
        failures
    });
    let cases = proof.share().min(plans.len() as u64);
    println!("{} calls, {cases} faults", calls.len());
    proof.end(cases, failures);
    assert!(plans.len() as u64 >= LEAST_CASES, "the session still asks much of the disk: {}", plans.len());
    assert_eq!(failures, 0, "no fault panics, loses a saved commit or leaves a vault that does not open");
}

#[test]
fn control_who_takes_a_refusal_for_a_save_loses() {
    let files = vault_files();
    let calls = calls(&files, How::Locks);
    let writes = calls.iter().enumerate().filter(|(_, call)| **call == Call::Write).map(|(at, _)| at);
    let lost = writes
        .filter(|at| {
            let plan = Plan { fault: Fault::Full, at: *at, for_ever: false };
            fail_once(&files, plan, How::Believes).is_err()
        })
        .count();
    println!("{lost} failed writes lose");
    assert!(lost > 0, "the harness sees a save that is not there");
}

/// A sync fails once; then the power goes, with nothing but what was synced left.
fn sync_lost_then_cut(files: &Image, at: usize, loss: Loss, dice: &mut Dice, how: How) -> Result<(), String> {
    let folder = folder();
    let path = file_in(folder.path());
    files.store(folder.path()).map_err(|error| error.to_string())?;
    let disk = Disk::watch(folder.path());
    disk.plan(Some(Plan { fault: Fault::SyncLoses, at, for_ever: false }));
    let (session, vault) = session(&path, &disk, how);
    assert!(disk.has_struck(), "the sync at call {at} fails");
    let events = disk.events();
    // What closing the vault still does comes after the power has gone.
    drop(vault);
    drop(disk);
    let count = dice.index(events.len() + 1);
    let saved = events.iter().take(count).filter_map(|event| match event {
        Event::Mark { value, .. } => Some(*value),
        _ => None,
    });
    let saved = saved.max().unwrap_or(BEFORE);
    let mut before = files.clone();
    let lock = before.files.remove("vault.sqlite.lock").unwrap_or_default();
    let image = Image::after_cut(&before, &events, count, loss, dice);
    let other = fixture::folder();
    let path = file_in(other.path());
    image.store(other.path()).map_err(|error| error.to_string())?;
    std::fs::write(path.with_extension("sqlite.lock"), lock).map_err(|error| error.to_string())?;
    judge(&path, &Session { saved, ..session })
}

#[test]
fn what_is_saved_after_a_failed_sync_survives_a_power_cut() {
    let files = vault_files();
    let syncs = syncs(&files);
    assert!(syncs.len() > 5, "there are syncs to fail: {}", syncs.len());
    let proof = Proof::new(TEST, "each sync fails and loses its pages, then the power goes", 400);
    let failures = proof.in_threads(2, |cases| {
        let mut failures = 0;
        for case in cases {
            let mut dice = Dice::new(proof.seed().wrapping_add(case));
            let at = syncs[dice.index(syncs.len())];
            let loss = Loss::choose(&mut dice);
            if let Err(why) = sync_lost_then_cut(&files, at, loss, &mut dice, How::Holds) {
                println!("case {case}, sync at call {at}, {loss:?}: {why}");
                failures += 1;
            }
        }
        failures
    });
    proof.end(proof.share(), failures);
    assert_eq!(failures, 0, "a saved commit never hangs on pages that a failed sync has lost");
}

#[test]
fn control_a_log_that_is_not_written_anew_loses_after_a_failed_sync() {
    let files = vault_files();
    let syncs = syncs(&files);
    let lost = |how| {
        let cut = |seed| {
            let mut dice = Dice::new(seed);
            let at = syncs[dice.index(syncs.len())];
            sync_lost_then_cut(&files, at, Loss::All, &mut dice, how)
        };
        (0..100).filter(|seed| cut(*seed).is_err()).count()
    };
    let (mended, unmended) = (lost(How::Holds), lost(How::HoldsUnmended));
    println!("{unmended} of 100 lose, and {mended} of the same with the log written anew");
    assert_eq!(mended, 0, "with the log written anew none loses");
    assert!(unmended > 0, "the harness sees a lost commit when there is one");
}

/// Whether the first save of nothing writes the log anew, past SQLite.
fn writes_its_log_anew(path: &Path, disk: &Disk) -> bool {
    let vault = Vault::unlock(&Location::File(path.to_owned()), PASSPHRASE, NOW_MS, &options(5));
    let vault = vault.expect("it opens");
    let log = std::fs::OpenOptions::new().write(true).open(path.with_extension("sqlite-wal"));
    let log = log.expect("unlocking has written");
    log.set_modified(SystemTime::UNIX_EPOCH).expect("a file of ours");
    let known = disk.events().len();
    let nothing: Result<(), WriteVaultError> = vault.write(Durability::Full, |_| Ok(()));
    nothing.expect("a healthy disk");
    let by_sqlite = disk.events().iter().skip(known).any(|event| matches!(event, Event::Write { .. }));
    assert!(!by_sqlite, "nothing was saved");
    let modified = log.metadata().and_then(|meta| meta.modified()).expect("a file of ours");
    vault.lock().expect("a healthy disk");
    modified != SystemTime::UNIX_EPOCH
}

#[test]
fn a_log_that_an_earlier_run_left_is_written_anew_before_anything_is_saved_behind_it() {
    let files = vault_files();
    let folder = folder();
    let path = file_in(folder.path());
    files.store(folder.path()).expect("stores");
    let disk = Disk::watch(folder.path());
    disk.plan(None);
    assert!(writes_its_log_anew(&path, &disk), "its last sync may have failed, and the app was ended");
    assert!(!writes_its_log_anew(&path, &disk), "control: after a lock there is no log to doubt");
}
