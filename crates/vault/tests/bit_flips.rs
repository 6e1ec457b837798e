//! One flipped bit anywhere in a vault file: a typed error, or exactly the same content. Never other content.

#[path = "support/fixture.rs"]
mod fixture;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use fixture::{Choices, Content, content, create, file_in, fill, folder, seed, unlock};
use mecum_faults::Proof;
use rusqlite::Connection;

const FLIPS: u64 = 10_000;
const CONTROL_FLIPS: u64 = 2_000;
const THREADS: u64 = 2;

#[derive(Debug, Default)]
struct Outcome {
    error: u64,
    identical: u64,
    different: u64,
    panicked: u64,
    slowest: Duration,
}

impl Outcome {
    fn add(self, other: &Outcome) -> Outcome {
        Outcome {
            error: self.error + other.error,
            identical: self.identical + other.identical,
            different: self.different + other.different,
            panicked: self.panicked + other.panicked,
            slowest: self.slowest.max(other.slowest),
        }
    }
}

/// Flips the given single bits of `original`, one at a time, and counts what `read` makes of each.
fn flip<T: PartialEq>(
    path: &Path,
    original: &[u8],
    expected: &T,
    bits: impl Iterator<Item = u64>,
    read: impl Fn(&Path) -> Result<T, ()>,
) -> Outcome {
    let mut outcome = Outcome::default();
    for bit in bits {
        let mut bytes = original.to_vec();
        bytes[usize::try_from(bit / 8).expect("a small file")] ^= 1 << (bit % 8);
        let _ = std::fs::remove_file(path.with_extension("sqlite-wal"));
        let _ = std::fs::remove_file(path.with_extension("sqlite-shm"));
        std::fs::write(path, &bytes).expect("writes");
        let start = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| read(path))) {
            Ok(Ok(found)) if found == *expected => outcome.identical += 1,
            Ok(Ok(_)) => outcome.different += 1,
            Ok(Err(())) => outcome.error += 1,
            Err(_) => outcome.panicked += 1,
        }
        outcome.slowest = outcome.slowest.max(start.elapsed());
    }
    outcome
}

fn read_vault(path: &Path) -> Result<Content, ()> {
    let vault = unlock(path).map_err(drop)?;
    content(&vault).map_err(drop)
}

#[test]
fn a_flipped_bit_is_an_error_or_changes_nothing() {
    let proof = Proof::new(10, "single flipped bits of a vault", FLIPS);
    let seed = seed("bit_flips");
    let workers: Vec<_> = (0..THREADS)
        .map(|worker| {
            let proof = proof.clone();
            std::thread::spawn(move || {
                let folder = folder();
                let path = file_in(folder.path());
                let vault = create(&path, seed);
                (0..3).for_each(|more| fill(&vault, seed + more));
                let expected = content(&vault).expect("reads");
                vault.lock().expect("locks");
                let original = std::fs::read(&path).expect("reads");
                let all = original.len() as u64 * 8;
                let mut choices = Choices::new(seed ^ proof.seed().wrapping_add(worker));
                // From as many cases on as there are bits, each bit once instead of random ones.
                let each = proof.cases() >= all;
                let own =
                    proof.numbers().filter(|case| case / 2 % THREADS == worker && (!each || *case < all));
                let bits = own.map(|case| if each { case } else { choices.below(all) });
                (original.len(), flip(&path, &original, &expected, bits, read_vault))
            })
        })
        .collect();
    let mut total = Outcome::default();
    for worker in workers {
        let (bytes, outcome) = worker.join().expect("a worker");
        println!("{bytes} bytes: {outcome:?}");
        total = total.add(&outcome);
    }
    let flips = total.error + total.identical + total.different + total.panicked;
    println!("bit_flips: {flips} flips, {total:?}");
    proof.end(flips, total.different + total.panicked);
    assert_eq!(total.different, 0, "no flip is read as other content");
    assert_eq!(total.panicked, 0, "no flip panics");
    assert!(total.error > flips / 2, "most bits of the file carry content");
    assert!(total.slowest < Duration::from_secs(5), "and none hangs");
}

type Plain = (Vec<(i64, Vec<u8>, Vec<u8>)>, Vec<(Vec<u8>, i64, Vec<u8>)>);

fn read_plain(path: &Path) -> Result<Plain, ()> {
    let read = || -> rusqlite::Result<Plain> {
        let connection = Connection::open(path)?;
        let mut rows = connection.prepare("SELECT kind, name, body FROM row ORDER BY kind, name")?;
        let rows =
            rows.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?.collect::<Result<_, _>>()?;
        let mut envelopes =
            connection.prepare("SELECT document, n, body FROM envelope ORDER BY document, n")?;
        let envelopes =
            envelopes.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?.collect::<Result<_, _>>()?;
        Ok((rows, envelopes))
    };
    read().map_err(drop)
}

#[test]
fn control_the_same_content_unsealed_is_read_differently_without_an_error() {
    let seed = seed("bit_flips control");
    let folder = folder();
    let vault = create(&file_in(folder.path()), seed);
    fill(&vault, seed);
    let sealed = content(&vault).expect("reads");
    let path = folder.path().join("plain.sqlite");
    let connection = Connection::open(&path).expect("opens");
    connection
        .execute_batch(
            "CREATE TABLE row (kind INTEGER, name BLOB, body BLOB) STRICT;
             CREATE TABLE envelope (document BLOB, n INTEGER, body BLOB) STRICT;",
        )
        .expect("tables");
    for ((table, name), body) in &sealed.rows {
        connection
            .execute("INSERT INTO row VALUES (?1, ?2, ?3)", rusqlite::params![table.code(), name, body])
            .expect("a row");
    }
    for (document, envelopes) in &sealed.envelopes {
        for (n, body) in (1i64..).zip(envelopes) {
            connection
                .execute(
                    "INSERT INTO envelope VALUES (?1, ?2, ?3)",
                    rusqlite::params![document.as_bytes(), n, body],
                )
                .expect("an envelope");
        }
    }
    drop(connection);
    let expected = read_plain(&path).expect("reads");
    let original = std::fs::read(&path).expect("reads");
    let mut choices = Choices::new(seed);
    let bits = (0..CONTROL_FLIPS).map(|_| choices.below(original.len() as u64 * 8));
    let outcome = flip(&path, &original, &expected, bits, read_plain);
    println!("bit_flips control: {CONTROL_FLIPS} flips, {} bytes, {outcome:?}", original.len());
    assert!(outcome.different > CONTROL_FLIPS / 4, "plain SQLite hands out changed content");
}
