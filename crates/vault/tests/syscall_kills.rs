//! A process is killed at every call that changes a file, for every operation of a vault: what it acknowledged is there,
//! nothing is there by half, and the vault opens.
//!
//! By strace, which sends SIGKILL as the N-th call of a kind begins, for N = 1, 2, … until the operation completes.

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

const TEST: u8 = 1;
/// Every call that changes what is on the disk, by any way that SQLite or Rust takes.
const CALLS: [&str; 9] =
    ["pwrite64", "write", "fdatasync", "fsync", "ftruncate", "unlink", "unlinkat", "rename", "mkdir"];
/// More positions than any operation has: a sweep that does not end is a failure.
const MOST_POSITIONS: u64 = 500;
/// Kills of a whole sweep, below which the harness has stopped looking.
const LEAST_KILLS: u64 = 150;

/// Kills `operation` at every position of one kind of call. The kills that struck, and what went wrong.
fn sweep(files: &Files, operation: &str, call: &str, early: bool) -> (u64, Vec<String>) {
    let program = program::program("vault_operation");
    let mut wrong = Vec::new();
    for at in 1..=MOST_POSITIONS {
        let folder = folder();
        let path = file_in(folder.path());
        if let Some(files) = files.of(operation) {
            files.store(folder.path()).expect("stores");
        }
        let how = format!("signal=KILL:when={at}");
        let ran = strace::inject(&program, (operation, BEFORE + 1, early), &path, (call, &how));
        if let Ended::Refused(why) | Ended::Failed(why) = &ran.ended {
            panic!("{operation}, {call} {at}: {why}");
        }
        let acknowledged = ran.acknowledged;
        if let Err(why) = judge(operation, &path, acknowledged) {
            wrong.push(format!("{operation} killed at {call} {at} (acknowledged: {acknowledged}): {why}"));
        }
        if !ran.struck {
            assert!(matches!(ran.ended, Ended::Done), "{operation}: nobody killed it, and it did not end");
            return (at - 1, wrong);
        }
    }
    wrong.push(format!("{operation} has no end of {call}"));
    (MOST_POSITIONS, wrong)
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill_at_any_call() {
    if let Some(why) = strace::is_missing() {
        println!("mecum-skip: {why}");
        return;
    }
    let files = vault_files();
    let sweeps: Vec<(&str, &str)> =
        OPERATIONS.iter().flat_map(|operation| CALLS.iter().map(|call| (*operation, *call))).collect();
    let proof = Proof::new(TEST, "SIGKILL at each call of each vault operation", sweeps.len() as u64);
    let totals = Mutex::new((0, Vec::new()));
    proof.in_threads(2, |cases| {
        for case in cases {
            let Some((operation, call)) = usize::try_from(case).ok().and_then(|case| sweeps.get(case)) else {
                continue;
            };
            let (kills, wrong) = sweep(&files, operation, call, false);
            let mut totals = totals.lock().expect("nothing panics with it");
            totals.0 += kills;
            if kills > 0 {
                println!("{operation}: {kills} at {call}");
            }
            totals.1.extend(wrong);
        }
        0
    });
    let (kills, wrong) = totals.into_inner().expect("nothing panicked with it");
    wrong.iter().take(20).for_each(|why| println!("{why}"));
    proof.end(kills, wrong.len() as u64);
    assert!(
        kills >= LEAST_KILLS || proof.share() < sweeps.len() as u64,
        "the sweep found little to kill: {kills}"
    );
    assert_eq!(
        wrong.len(),
        0,
        "no kill loses an acknowledged save, halves one or leaves a vault that does not open"
    );
}

#[test]
fn control_an_operation_that_acknowledges_early_loses() {
    if let Some(why) = strace::is_missing() {
        println!("mecum-skip: {why}");
        return;
    }
    let (kills, wrong) = sweep(&vault_files(), "edit", "pwrite64", true);
    println!("{} of {kills} kills lose", wrong.len());
    assert!(!wrong.is_empty(), "the sweep sees a lost save when there is one");
}
