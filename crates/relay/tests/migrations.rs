//! The power goes at each moment while a server of an earlier version is brought up to date: its data opens, at the old version or
//! at the new one, and nothing of it is gone. And a server meets the data of a later one politely.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};

use mecum_faults::{Dice, Disk, Event, Image, Loss, Proof};
use mecum_relay::store::StoreError;
use mecum_relay::store::sqlite::SqliteStore;
use rusqlite::Connection;

/// The schema of each version, oldest first: what `SqliteStore` runs, read from where it comes from.
fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// A store as a server of `version` left it, with one unused enrolment code.
fn earlier(path: &Path, version: usize) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").unwrap();
    for sql in migrations().iter().take(version) {
        connection.execute_batch(sql).unwrap();
    }
    if version > 0 {
        connection
            .execute(
                "INSERT INTO enrolment_code (code, expires_at_ms) VALUES (zeroblob(32), 9999999999999)",
                [],
            )
            .unwrap();
    }
    connection.execute_batch(&format!("PRAGMA user_version = {version}")).unwrap();
    connection.close().unwrap();
}

fn tables(path: &Path) -> Vec<(String, Option<String>)> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

fn image(folder: &Path) -> Image {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap())
    });
    Image { files: files.collect() }
}

/// What the disk saw while `bring_up` ran on a store of `version`.
fn life(version: usize, bring_up: impl Fn(&Path)) -> (Image, Vec<Event>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.sqlite");
    earlier(&path, version);
    let start = image(folder.path());
    let disk = Disk::watch(folder.path());
    bring_up(&path);
    (start, disk.events())
}

/// Cuts the power after each event; how often, and what was wrong then.
fn cuts(version: usize, bring_up: impl Fn(&Path), wanted: &[(String, Option<String>)]) -> (u64, Vec<String>) {
    let (start, events) = life(version, bring_up);
    let (mut looked, mut wrong) = (0, Vec::new());
    for count in 0..=events.len() {
        for (at, loss) in [Loss::All, Loss::Random].into_iter().enumerate() {
            let mut dice = Dice::new((count * 2 + at) as u64);
            let folder = tempfile::tempdir().unwrap();
            Image::after_cut(&start, &events, count, loss, &mut dice).store(folder.path()).unwrap();
            let path = folder.path().join("relay.sqlite");
            looked += 1;
            let opened = SqliteStore::open(&path).map(drop);
            let kept = || {
                let connection = Connection::open(&path).unwrap();
                connection
                    .query_row("SELECT count(*) FROM enrolment_code", [], |row| row.get::<_, u32>(0))
                    .unwrap_or(0)
            };
            match opened {
                Err(error) => wrong.push(format!("version {version}, event {count}: {error}")),
                Ok(()) if tables(&path) != wanted => {
                    wrong.push(format!("version {version}, event {count}: other tables"));
                }
                Ok(()) if version > 0 && kept() != 1 => {
                    wrong.push(format!("version {version}, event {count}: what was stored is gone"));
                }
                Ok(()) => {}
            }
        }
    }
    (looked, wrong)
}

fn newest() -> Vec<(String, Option<String>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.sqlite");
    drop(SqliteStore::open(&path).unwrap());
    tables(&path)
}

#[test]
fn power_cut_at_each_moment_of_each_migration_leaves_the_old_store_or_the_new_one() {
    let proof = Proof::new(8, "power cuts at each write of each migration of the server's store", 99_999);
    let wanted = newest();
    let (mut looked, mut failures) = (0, 0);
    for version in 0..migrations().len() {
        let (cases, wrong) = cuts(version, |path| drop(SqliteStore::open(path).unwrap()), &wanted);
        for what in &wrong {
            println!("{what}");
        }
        looked += cases;
        failures += wrong.len() as u64;
    }
    proof.end(looked, failures);
    assert_eq!(failures, 0, "nothing in between is ever seen");
    assert!(looked > 50, "each write was a moment: {looked}");
}

#[test]
fn control_a_migration_in_several_commits_is_caught_in_between() {
    let in_pieces = |path: &Path| {
        let connection = Connection::open(path).unwrap();
        connection.execute_batch("PRAGMA synchronous = FULL").unwrap();
        for sql in migrations().iter().skip(1) {
            connection.execute_batch(sql).unwrap();
        }
        connection.execute_batch(&format!("PRAGMA user_version = {}", migrations().len())).unwrap();
    };
    let (looked, wrong) = cuts(1, in_pieces, &newest());
    assert!(!wrong.is_empty(), "of {looked} cuts some lie between two commits");
}

#[test]
fn an_older_server_refuses_a_newer_store_and_leaves_it_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.sqlite");
    drop(SqliteStore::open(&path).unwrap());
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::TooNew)), "it says that it is too new");
    assert_eq!(std::fs::read(&path).unwrap(), before, "and changes nothing");
}
