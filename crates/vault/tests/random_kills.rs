//! A writer is killed at random moments: whatever it said was saved is there, and never half of anything.
//!
//! SIGKILL cannot lose what reached the operating system, so `synchronous = OFF` is no control here; saying "saved"
//! before committing is.

#[path = "support/fixture.rs"]
mod fixture;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use fixture::{Choices, file_in, seed, unlock};
use mecum_faults::Proof;
use mecum_seal::DocumentId;
use mecum_vault::{Table, UnlockVaultError};

const KILLS: u64 = 1_000;
const CONTROL_KILLS: u64 = 150;
const WORKERS: u64 = 2;
/// A vault is killed this often before the next one begins: long enough to be torn while recovering from a kill.
const KILLS_PER_VAULT: u64 = 25;
const MAX_DELAY_US: u64 = 60_000;
const DOCUMENT: DocumentId = DocumentId::from_bytes([7; 16]);

#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    acknowledged: u64,
    /// Kills after which an acknowledged envelope was not there.
    lost: u64,
    /// Kills that struck between a commit and its acknowledgement.
    ahead: u64,
    /// Kills before the vault was made.
    unborn: u64,
}

/// The example beside this test's own binary; built when a single test was asked for and it is not there.
fn writer() -> PathBuf {
    let own = std::env::current_exe().expect("a running test has a path");
    let profile = own.parent().and_then(Path::parent).expect("target/<profile>/deps/<test>");
    let writer = profile.join("examples").join(format!("kill_writer{}", std::env::consts::EXE_SUFFIX));
    if !writer.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "mecum-vault", "--example", "kill_writer", "--target-dir"])
            .arg(profile.parent().expect("target/<profile>"))
            .status()
            .expect("cargo runs");
        assert!(built.success() && writer.exists(), "the writer is built");
    }
    writer
}

/// Starts the writer, kills it after a random time, and returns the last number it acknowledged.
fn run_and_kill(writer: &Path, vault: &Path, early: bool, choices: &mut Choices) -> u64 {
    let mut command = Command::new(writer);
    command.arg(vault).stdin(Stdio::null()).stdout(Stdio::piped());
    if early {
        command.arg("--acknowledge-early");
    }
    let mut child = command.spawn().expect("the writer starts");
    let mut out = child.stdout.take().expect("its output is piped");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    std::thread::sleep(Duration::from_micros(choices.below(MAX_DELAY_US)));
    let ended = child.try_wait().expect("its state");
    assert!(ended.is_none(), "the writer stops only when it is killed: {ended:?}");
    child.kill().expect("SIGKILL");
    child.wait().expect("it is gone");
    let text = reader.join().expect("the reader").expect("plain numbers");
    text.lines().last().map_or(0, |line| line.parse().expect("a number"))
}

fn kill_repeatedly(kills: u64, early: bool, mut choices: Choices) -> Tally {
    let writer = writer();
    let mut tally = Tally::default();
    let mut folder = tempfile::tempdir().expect("a temporary folder");
    let mut before = 0;
    while tally.kills < kills {
        if tally.kills.is_multiple_of(KILLS_PER_VAULT) {
            folder = tempfile::tempdir().expect("a temporary folder");
            before = 0;
        }
        let path = file_in(folder.path());
        let acknowledged = run_and_kill(&writer, &path, early, &mut choices).max(before);
        tally.kills += 1;
        let vault = match unlock(&path) {
            Ok(vault) => vault,
            Err(UnlockVaultError::Missing) if acknowledged == 0 => {
                tally.unborn += 1;
                continue;
            }
            Err(error) => panic!("a killed vault unlocks: {error}"),
        };
        let found = vault.envelope_count(DOCUMENT);
        tally.acknowledged += acknowledged - before;
        tally.lost += u64::from(found < acknowledged);
        tally.ahead += u64::from(found == acknowledged + 1);
        if !early {
            assert!(
                found <= acknowledged + 1,
                "{found} found, {acknowledged} acknowledged: nothing out of nowhere"
            );
        }
        let report = vault.check(true);
        assert!(report.is_clean(), "a killed vault is whole: {:?}", report.problems);
        let last = vault
            .get(Table::View, b"last")
            .expect("reads")
            .map_or(0, |body| u64::from_be_bytes(body.as_slice().try_into().expect("eight bytes")));
        assert_eq!(last, found, "row and envelope of one commit are both there or both not");
        let envelopes = fixture::envelopes(&vault, DOCUMENT, 0).expect("reads");
        assert!(
            envelopes.iter().all(|(n, bytes)| *bytes == n.to_be_bytes().repeat(60)),
            "every envelope is the one that was written"
        );
        assert_eq!(vault.lost_commits(), 0, "no durable commit is missing");
        before = found;
    }
    tally
}

fn in_parallel(kills: u64, early: bool, seed: u64) -> Tally {
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            std::thread::spawn(move || kill_repeatedly(kills / WORKERS, early, Choices::new(seed + worker)))
        })
        .collect();
    workers.into_iter().map(|worker| worker.join().expect("a worker")).fold(Tally::default(), |a, b| Tally {
        kills: a.kills + b.kills,
        acknowledged: a.acknowledged + b.acknowledged,
        lost: a.lost + b.lost,
        ahead: a.ahead + b.ahead,
        unborn: a.unborn + b.unborn,
    })
}

#[test]
fn nothing_acknowledged_is_lost_when_the_writer_is_killed() {
    let proof = Proof::new(2, "SIGKILL at random moments while writing", KILLS);
    let kills = proof.share() / WORKERS * WORKERS;
    let seed = seed("random_kills") ^ proof.seed().wrapping_add(proof.numbers().next().unwrap_or(0));
    let tally = in_parallel(kills, false, seed);
    println!("random_kills: {tally:?}");
    proof.end(tally.kills, tally.lost);
    assert_eq!((tally.kills, tally.lost), (kills, 0), "each acknowledged save is there after each kill");
    assert!(tally.acknowledged > kills, "the writers had saved something: {}", tally.acknowledged);
}

#[test]
fn control_a_writer_that_acknowledges_before_it_commits_loses() {
    let tally = in_parallel(CONTROL_KILLS, true, seed("random_kills control"));
    println!("random_kills control: {tally:?}");
    assert!(tally.lost > 0, "the test sees a lost save when there is one");
}
