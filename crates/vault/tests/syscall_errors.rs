//! The system refuses a call, below SQLite: for every operation of a vault, every call that touches its files, every
//! position. The operation says so or does without, never panics, and nothing acknowledged is lost.
//!
//! Second opinion to `io_faults`, by strace: it also meets the files that are written past SQLite, and what SQLite's own
//! file layer makes of an error.

#![cfg(target_os = "linux")]

#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/operations.rs"]
mod operations;
#[path = "support/program.rs"]
mod program;
#[path = "support/saga.rs"]
mod saga;
#[path = "support/strace.rs"]
mod strace;

use std::sync::Mutex;

use fixture::{file_in, folder};
use mecum_faults::Proof;
use operations::{BEFORE, Files, OPERATIONS, judge, vault_files};
use strace::Ended;

const TEST: u8 = 4;
/// Calls, and the errors that each is refused with. Reads are those at a place: the plain ones load the program itself.
const CALLS: [(&str, &[&str]); 7] = [
    ("pwrite64", &["EIO", "ENOSPC", "EDQUOT"]),
    ("pread64", &["EIO"]),
    ("fsync", &["EIO", "ENOSPC"]),
    ("ftruncate", &["EIO", "ENOSPC"]),
    ("unlink", &["EIO", "EACCES"]),
    ("rename", &["EIO", "ENOSPC"]),
    ("write", &["EIO", "ENOSPC"]),
];
/// More positions than any operation has.
const MOST_POSITIONS: u64 = 500;
/// Refusals of a whole sweep, below which the harness has stopped looking.
const LEAST_CASES: u64 = 600;

/// Refuses one kind of call at every position. The refusals that struck, and what went wrong.
fn sweep(files: &Files, operation: &str, call: &str, how: &str) -> (u64, Vec<String>) {
    let program = program::program("vault_operation");
    let (mut cases, mut wrong) = (0, Vec::new());
    for at in 1..=MOST_POSITIONS {
        let folder = folder();
        let path = file_in(folder.path());
        if let Some(files) = files.of(operation) {
            files.store(folder.path()).expect("stores");
        }
        let when = how.replace("{at}", &at.to_string());
        let ran = strace::inject(&program, (operation, BEFORE + 1, false), &path, (call, &when));
        if !ran.struck {
            return (cases, wrong);
        }
        cases += u64::from(!matches!(ran.ended, Ended::Unborn));
        let said = match &ran.ended {
            Ended::Done => "done".to_owned(),
            Ended::Refused(why) => why.trim().to_owned(),
            Ended::Unborn => "not begun".to_owned(),
            // Nobody kills here: then it ended itself, by a signal.
            Ended::Killed => {
                wrong.push(format!("{operation}, {call} {when}: ended by a signal"));
                String::new()
            }
            Ended::Failed(why) => {
                wrong.push(format!("{operation}, {call} {when}: {why}"));
                String::new()
            }
        };
        if let Err(why) = judge(operation, &path, ran.acknowledged) {
            wrong.push(format!("{operation}, {call} {when}, then {said:?}: {why}"));
        }
    }
    (cases, wrong)
}

#[test]
fn no_refused_call_panics_loses_or_leaves_a_vault_that_does_not_open() {
    if let Some(why) = strace::is_missing() {
        println!("mecum-skip: {why}");
        return;
    }
    let files = vault_files();
    let mut sweeps = Vec::new();
    for operation in OPERATIONS {
        for (call, errors) in CALLS {
            for error in errors {
                sweeps.push((operation, call, format!("error={error}:when={{at}}")));
                sweeps.push((operation, call, format!("error={error}:when={{at}}+")));
            }
        }
    }
    let proof = Proof::new(
        TEST,
        "system calls of each vault operation refused, once and from then on",
        sweeps.len() as u64,
    );
    let totals = Mutex::new((0, Vec::new()));
    proof.in_threads(2, |cases| {
        for case in cases {
            let Some((operation, call, how)) = usize::try_from(case).ok().and_then(|case| sweeps.get(case))
            else {
                continue;
            };
            let (cases, wrong) = sweep(&files, operation, call, how);
            let mut totals = totals.lock().expect("nothing panics with it");
            totals.0 += cases;
            totals.1.extend(wrong);
        }
        0
    });
    let (cases, wrong) = totals.into_inner().expect("nothing panicked with it");
    for why in wrong.iter().take(20) {
        println!("{why}");
    }
    proof.end(cases, wrong.len() as u64);
    let whole = proof.share() >= sweeps.len() as u64;
    assert!(!whole || cases >= LEAST_CASES, "the sweep found little to refuse: {cases}");
    assert_eq!(wrong.len(), 0, "a refused call is said or done without");
}

#[test]
fn control_an_acknowledgement_that_comes_first_is_found_out() {
    if let Some(why) = strace::is_missing() {
        println!("mecum-skip: {why}");
        return;
    }
    let files = vault_files();
    let program = program::program("vault_operation");
    // The process says that it is done before it tries; from some write on nothing more can be written.
    let found_out = (1..60).filter(|at| {
        let folder = folder();
        let path = file_in(folder.path());
        files.of("edit").expect("there is one before").store(folder.path()).expect("stores");
        let how = format!("error=ENOSPC:when={at}+");
        let ran = strace::inject(&program, ("edit", BEFORE + 1, true), &path, ("pwrite64", &how));
        ran.struck && ran.acknowledged && judge("edit", &path, true).is_err()
    });
    assert!(found_out.count() > 0, "the harness sees what was acknowledged and is not there");
}
