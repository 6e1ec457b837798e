//! Every parser, for a second or an hour each.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mecum_faults::Proof;
use mecum_fuzz::{Bounds, Shape, TARGETS, Target, Verdict, kept_in, run};

/// The least number of parsers. Source: the programme's row 23.
const MIN_TARGETS: usize = 10;

/// Memory is measured for the whole process: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kept(target: &Target) -> Vec<Vec<u8>> {
    kept_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"), target.name)
}

/// Prints what to put into the corpus, so that it is never forgotten.
fn report(name: &str, verdict: &Verdict) -> bool {
    let (what, input) = match verdict {
        Verdict::Fine { .. } => return true,
        Verdict::Panicked(input) => ("panics on", input),
        Verdict::Slow(input) => ("is slow on", input),
        Verdict::Large(input) => ("grows on", input),
    };
    let hex = input.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    println!("{name} {what} {hex}");
    false
}

/// A case is a second of one target.
#[test]
fn no_parser_panics_hangs_or_grows_on_any_input() {
    let _alone = alone();
    assert!(TARGETS.len() >= MIN_TARGETS, "{} parsers", TARGETS.len());
    let what = "seconds of fuzzing, dealt out over every parser";
    let proof = Proof::new(23, what, 60 * TARGETS.len() as u64);
    let mut failures = 0;
    let mut seen = vec![(0, 0); TARGETS.len()];
    // By the place in this shard: a shard has every n-th number, and by these it would have a part of the parsers alone.
    for (at, second) in proof.numbers().enumerate() {
        let at = at % TARGETS.len();
        let seed = proof.seed() ^ (second << 24);
        let time = Duration::from_secs(1);
        let verdict = run(&TARGETS[at], &kept(&TARGETS[at]), (seed, time), Bounds::default());
        if let Verdict::Fine { inputs, taken } = verdict {
            seen[at] = (seen[at].0 + inputs, seen[at].1 + taken);
        }
        failures += u64::from(!report(TARGETS[at].name, &verdict));
    }
    for (target, (inputs, taken)) in TARGETS.iter().zip(&seen) {
        println!("{}: {inputs} inputs, {taken} taken", target.name);
    }
    proof.end(proof.share(), failures);
    assert_eq!(failures, 0, "no panic, no hang, no growth");
}

/// Of these every input to begin with is taken: the writers of this version made them all.
const WHOLE: [&str; 9] =
    ["code", "message", "snapshot-part", "plaintext", "control", "residue", "times", "replay", "backup"];

#[test]
fn what_each_target_begins_with_is_taken() {
    let _alone = alone();
    for target in TARGETS {
        let corpus = (target.corpus)();
        let taken = corpus.iter().filter(|bytes| (target.read)(bytes)).count();
        println!("{}: {taken} of {} are taken", target.name, corpus.len());
        assert!(taken > 0, "{} reads something of what it begins with", target.name);
        let whole = !WHOLE.contains(&target.name) || taken == corpus.len();
        assert!(whole, "{} reads everything that it begins with: {taken}", target.name);
    }
}

/// Believes a length that stands in the bytes.
fn planted_panic(bytes: &[u8]) -> bool {
    match bytes {
        [0x83, length, rest @ ..] if *length > 0x40 => rest[usize::from(length - 0x40) - 1] == 0,
        _ => false,
    }
}

fn planted_hang(bytes: &[u8]) -> bool {
    if bytes.len() > 60 {
        std::thread::sleep(Duration::from_millis(300));
    }
    true
}

fn planted_growth(bytes: &[u8]) -> bool {
    let asked = bytes.iter().map(|byte| usize::from(*byte)).sum::<usize>() << 14;
    vec![1_u8; asked].last().is_none_or(|byte| *byte == 1)
}

#[test]
fn control_a_planted_panic_hang_and_growth_are_found() {
    let _alone = alone();
    let corpus = || vec![vec![0x83, 0x43, 1, 2, 3, 0x01, 0x61, 0x61]];
    let planted = |name, read| Target { name, read, corpus, shape: Shape::Cbor };
    let long = Duration::from_secs(20);
    let bounds = Bounds { time: Duration::from_millis(100), ..Bounds::default() };
    let found = run(&planted("panic", planted_panic), &[], (1, long), Bounds::default());
    assert!(matches!(found, Verdict::Panicked(_)), "a panic: {found:?}");
    let found = run(&planted("hang", planted_hang), &[], (1, long), bounds);
    assert!(matches!(found, Verdict::Slow(_)), "a hang: {found:?}");
    let bounds = Bounds { peak_kib: 200 * 1024, ..Bounds::default() };
    let corpus = || vec![vec![0xff; 64]];
    let grows = Target { name: "growth", read: planted_growth, corpus, shape: Shape::Cbor };
    let found = run(&grows, &[], (1, long), bounds);
    assert!(matches!(found, Verdict::Large(_)), "growth: {found:?}");
}
