//! The client's own operations, killed at their system calls: bringing a file in, folding a document, removing a device or a member and
//! writing under new keys, erasing, mending a damaged vault, putting a backup in its place, setting a vault aside. Whatever was said to be
//! done is done; the rest is as it was or as it was to be; and the app goes on and does it to the end.

#![cfg(target_os = "linux")]

#[path = "../../vault/tests/support/strace.rs"]
mod strace;
#[path = "support/world.rs"]
mod world;

#[path = "client_kills/fixture.rs"]
mod fixture;
#[path = "client_kills/operation.rs"]
mod operation;

use std::collections::BTreeMap;

use fixture::{Fixtures, judge};
use mecum_faults::Proof;
use mecum_testkit::Dice;
use strace::Ended;

/// Every call that changes what is on the disk.
const CALLS: [&str; 10] = [
    "pwrite64",
    "write",
    "fdatasync",
    "fsync",
    "ftruncate",
    "unlink",
    "unlinkat",
    "rename",
    "mkdir",
    "renameat2",
];
/// A call that is never made: the operation goes to its end, and strace counts.
const NEVER: &str = "signal=KILL:when=60000";
/// More positions than all operations have together.
const ALL: u64 = 99_999;

/// How often an operation makes each call when nobody kills it.
fn count(fixtures: &Fixtures, operation: &'static str) -> Vec<(&'static str, u64)> {
    let folder = fixtures.copy(operation);
    let vault = folder.path().join("vault.sqlite");
    let program = operation::program(operation, &vault, false);
    let log = vault.with_extension("strace");
    let ran = strace::meddle(&program, &log, (&CALLS.join(","), NEVER));
    if let Ended::Refused(why) | Ended::Failed(why) = &ran.ended {
        panic!("{operation}: {why}");
    }
    assert!(ran.acknowledged, "{operation} says that it is done");
    let log = std::fs::read_to_string(log).unwrap_or_default();
    let made = |call: &str| {
        // strace counts the calls of each thread for itself; the operation does nearly all of its work in one.
        let mut threads = BTreeMap::<&str, u64>::new();
        for line in log.lines().filter(|line| line.contains(&format!(" {call}("))) {
            *threads.entry(line.split(' ').next().unwrap_or_default()).or_default() += 1;
        }
        threads.into_values().max().unwrap_or(0)
    };
    CALLS.into_iter().map(|call| (call, made(call))).collect()
}

/// Kills an operation at one position; what is wrong then. `None` if it ended before.
fn strike(
    fixtures: &Fixtures,
    (operation, call, at): (&'static str, &str, u64),
    early: bool,
) -> Option<Result<(), String>> {
    let folder = fixtures.copy(operation);
    let vault = folder.path().join("vault.sqlite");
    let how = format!("signal=KILL:when={at}");
    let program = operation::program(operation, &vault, early);
    let ran = strace::meddle(&program, &vault.with_extension("strace"), (call, &how));
    if let Ended::Refused(why) | Ended::Failed(why) = &ran.ended {
        return Some(Err(why.clone()));
    }
    let done = ran.acknowledged;
    let judged = judge(operation, folder.path(), done);
    let judged = judged.map_err(|why| format!("{operation} killed at {call} {at} (done: {done}): {why}"));
    // It may have ended before the position, where two threads take turns: what it left must be right all the same.
    if ran.struck { Some(judged) } else { judged.err().map(Err) }
}

#[test]
fn no_kill_at_any_call_of_the_clients_operations_loses_or_halves_anything() {
    if let Some(why) = strace::is_missing() {
        println!("mecum-skip: {why}");
        return;
    }
    let proof = Proof::new(1, "SIGKILL at calls of the client's operations", ALL);
    let fixtures = Fixtures::new();
    let mut all = Vec::new();
    for operation in fixture::OPERATIONS {
        let counted = count(&fixtures, operation);
        println!("{operation}: {counted:?}");
        all.extend(counted.iter().flat_map(|(call, made)| (1..=*made).map(|at| (operation, *call, at))));
    }
    // Shuffled by the seed: a part of them is a fair one.
    let dice = Dice::new(proof.seed());
    for at in (1..all.len()).rev() {
        all.swap(at, usize::try_from(dice.below(at as u64 + 1)).expect("small"));
    }
    let totals = std::sync::Mutex::new((0, Vec::new()));
    proof.in_threads(2, |numbers| {
        for number in numbers {
            let Some(position) = usize::try_from(number).ok().and_then(|at| all.get(at)) else { break };
            let struck = strike(&fixtures, *position, false);
            let mut totals = totals.lock().expect("nothing panics with it");
            totals.0 += u64::from(struck.is_some());
            totals.1.extend(struck.and_then(Result::err));
        }
        0
    });
    let (kills, wrong) = totals.into_inner().expect("nothing panicked with it");
    println!("{kills} kills of {} positions", all.len());
    wrong.iter().take(20).for_each(|why| println!("{why}"));
    proof.end(kills, wrong.len() as u64);
    assert!(kills * 2 > proof.share().min(all.len() as u64), "the sweep found little to kill: {kills}");
    assert_eq!(wrong.len(), 0, "done is done, and the rest goes on");
}

#[test]
fn control_an_operation_that_says_done_too_early_is_found_out() {
    if let Some(why) = strace::is_missing() {
        println!("mecum-skip: {why}");
        return;
    }
    let fixtures = Fixtures::new();
    let strikes = (1..=3).filter_map(|at| strike(&fixtures, ("import", "pwrite64", at), true));
    let wrong = strikes.filter(Result::is_err).count();
    assert!(wrong > 0, "what was said to be kept is not there, and that is seen");
}
