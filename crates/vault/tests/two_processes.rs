//! Two processes want one vault: only one is in it at a time, the other is told so, and nothing of either is lost.

#[path = "support/fixture.rs"]
mod fixture;
#[path = "support/program.rs"]
mod program;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use fixture::{create, file_in, folder, unlock};
use mecum_faults::Proof;
use mecum_seal::DocumentId;
use mecum_vault::Table;
use program::program;

/// Commits of both together.
const PER_CHANGE: u64 = 10_000;
const DOCUMENT: DocumentId = DocumentId::from_bytes([7; 16]);

/// Both processes, each making half of `commits`.
fn contend(vault: &Path, commits: u64, no_lock: bool) -> Vec<Output> {
    let children: Vec<_> = (0..2)
        .map(|_| {
            let mut command = Command::new(program("vault_contender"));
            command.arg(vault).arg((commits / 2).to_string());
            if no_lock {
                command.arg("--no-lock");
            }
            command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("starts")
        })
        .collect();
    children.into_iter().map(|child| child.wait_with_output().expect("ends")).collect()
}

/// What is wrong afterwards, if anything.
fn judge(vault: &Path, commits: u64, ended: &[Output]) -> Result<(), String> {
    for output in ended {
        if !output.status.success() {
            return Err(format!(
                "a process ended with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            ));
        }
    }
    let vault = unlock(vault).map_err(|error| format!("does not open: {error}"))?;
    let report = vault.check(true);
    if !report.is_clean() {
        return Err(format!("the check finds {:?}", report.problems));
    }
    let expected = commits / 2 * 2;
    let found = vault.envelope_count(DOCUMENT);
    if found != expected {
        return Err(format!("{found} of {expected} commits are there"));
    }
    let envelopes = fixture::envelopes(&vault, DOCUMENT, 0).map_err(|error| error.to_string())?;
    if envelopes.iter().any(|(n, bytes)| *bytes != n.to_be_bytes().repeat(20)) {
        return Err("a commit did not see the one before it".to_owned());
    }
    let count = vault.get(Table::View, b"count").map_err(|error| error.to_string())?;
    if count.is_none_or(|count| *count != expected.to_be_bytes()) {
        return Err("the count that both keep is not the number of commits".to_owned());
    }
    Ok(())
}

#[test]
fn two_processes_with_one_vault_lose_nothing_of_each_other() {
    let proof = Proof::new(6, "commits of two processes that take turns at one vault", PER_CHANGE);
    let folder = folder();
    let path = file_in(folder.path());
    create(&path, proof.seed()).lock().expect("locks");
    let commits = proof.share();
    let ended = contend(&path, commits, false);
    let in_use: u64 = ended
        .iter()
        .filter_map(|output| {
            std::str::from_utf8(&output.stdout).ok()?.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .sum();
    let outcome = judge(&path, commits, &ended);
    println!("{commits} commits, the vault was in use {in_use} times");
    proof.end(commits, u64::from(outcome.is_err()));
    assert_eq!(outcome, Ok(()), "each commit of each process is there once");
    assert!(in_use > 0, "they did want it at the same time");
    assert!(rusqlite::version_number() >= 3_051_003, "older versions can corrupt a log in a checkpoint race");
}

#[test]
fn control_without_the_lock_two_processes_spoil_each_others_work() {
    let spoiled = (0..5)
        .filter(|seed| {
            let folder = folder();
            let path = file_in(folder.path());
            create(&path, *seed).lock().expect("locks");
            let ended = contend(&path, 400, true);
            let outcome = judge(&path, 400, &ended);
            println!("without the lock: {outcome:?}");
            outcome.is_err()
        })
        .count();
    assert!(spoiled > 0, "the harness sees it when two are in one vault");
}
