//! Backups and restores of the data folder: whole while it is written, refused when cut or changed, and never over what is
//! there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use mecum_relay::folder::{self, FolderError, Manifest};
use mecum_relay::{Relay, RelayOptions};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Entropy, VerifyingKey};
use rusqlite::Connection;

use crate::device::Device;
use crate::server::{START_MS, Server, roomy};

const SEED: u64 = 9;
const CYCLES: usize = 25;

fn chain_heads(database: &Path) -> Vec<(Vec<u8>, i64)> {
    let c = Connection::open(database).unwrap();
    let mut query = c.prepare("SELECT last, envelope_seq FROM chain ORDER BY last").unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_while_the_relay_writes_holds_every_acknowledged_push() {
    println!("{CYCLES} cycles");
    let server = Arc::new(Server::start(roomy()).await);
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    laptop.write(&server, space, &["one", "two", "three"]).await;
    let (acknowledged, stop) = (Arc::new(AtomicU64::new(3)), Arc::new(AtomicBool::new(false)));
    let writing = tokio::spawn({
        let (server, acknowledged, stop) =
            (Arc::clone(&server), Arc::clone(&acknowledged), Arc::clone(&stop));
        async move {
            while !stop.load(Ordering::SeqCst) {
                laptop.write(&server, space, &["edit", "and", "another"]).await;
                acknowledged.fetch_add(3, Ordering::SeqCst);
            }
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let mut beside = 0;
    for cycle in 0..CYCLES {
        let before = acknowledged.load(Ordering::SeqCst);
        let (data, to) = (server.dir.path().to_owned(), dir.path().join(format!("{cycle}")));
        let made = tokio::task::spawn_blocking(move || folder::backup(&data, &to, START_MS)).await.unwrap();
        let made = made.expect("a backup is made while the relay writes");
        beside += u64::from(acknowledged.load(Ordering::SeqCst) > before);
        let checked = folder::check(&made.dir).unwrap();
        assert_eq!(checked.findings, [], "cycle {cycle}: the copy is of one moment");
        let held = checked.held.envelopes;
        assert!(held >= before, "cycle {cycle}: {before} were acknowledged before, {held} are in it");
        assert_eq!(held, made.manifest.envelopes, "cycle {cycle}: the manifest says so too");
        let heads = chain_heads(&made.dir.join("relay.sqlite"));
        assert_eq!(heads.len(), 1, "cycle {cycle}: one chain");
        assert_eq!(u64::try_from(heads[0].1).unwrap(), held, "cycle {cycle}: its head is its last envelope");
    }
    stop.store(true, Ordering::SeqCst);
    writing.await.unwrap();
    println!("in {beside} of {CYCLES} cycles something was acknowledged meanwhile");
    assert!(beside > 0, "the relay wrote while backups were made");
    let last = folder::backup(server.dir.path(), &dir.path().join("last"), START_MS).unwrap();
    let live = chain_heads(&server.dir.path().join("relay.sqlite"));
    assert_eq!(chain_heads(&last.dir.join("relay.sqlite")), live, "at rest, the heads are equal");
}

/// A backup of a relay with some pushes.
async fn some_backup() -> (tempfile::TempDir, Server) {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let space = laptop.space(&server).await;
    laptop.write(&server, space, &["one", "two"]).await;
    let dir = tempfile::tempdir().unwrap();
    folder::backup(server.dir.path(), &dir.path().join("b"), START_MS).unwrap();
    (dir, server)
}

#[tokio::test]
async fn a_backup_that_was_cut_or_changed_anywhere_is_refused_and_nothing_is_restored() {
    let (dir, _server) = some_backup().await;
    let (backup, data) = (dir.path().join("b"), dir.path().join("data"));
    let database = backup.join("relay.sqlite");
    let whole = std::fs::read(&database).unwrap();
    let refused = |what: &str| {
        let refusal = folder::restore(&backup, &data, false, START_MS).expect_err(what);
        assert!(matches!(refusal, FolderError::BadBackup(_)), "{what}: {refusal}");
        assert!(!data.exists(), "{what}: nothing is made");
    };
    let cuts = (0..whole.len()).step_by(1_024);
    println!("{} cuts, 200 flips, seed {SEED}", cuts.len());
    for at in cuts {
        std::fs::write(&database, &whole[..at]).unwrap();
        refused(&format!("cut at {at}"));
    }
    let entropy = SeededEntropy::new(SEED);
    for _ in 0..200 {
        let mut dice = [0u8; 8];
        entropy.fill(&mut dice);
        let bit = usize::try_from(u64::from_le_bytes(dice) % (whole.len() as u64 * 8)).unwrap();
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&database, bytes).unwrap();
        refused(&format!("bit {bit} changed"));
    }
    let longer: Vec<u8> = whole.iter().copied().chain([0]).collect();
    std::fs::write(&database, longer).unwrap();
    refused("a byte more");
    std::fs::write(&database, &whole).unwrap();
    let key = std::fs::read(backup.join("relay.key")).unwrap();
    for strange in [&key[..31], &[1; 32][..], &[0; 33][..]] {
        std::fs::write(backup.join("relay.key"), strange).unwrap();
        refused("another key");
    }
    std::fs::write(backup.join("relay.key"), &key).unwrap();
    let manifest = std::fs::read_to_string(backup.join("backup.txt")).unwrap();
    std::fs::write(backup.join("backup.txt"), manifest.replace("envelopes 2", "envelopes 3")).unwrap();
    refused("another manifest");
    std::fs::remove_file(backup.join("backup.txt")).unwrap();
    refused("no manifest");
    std::fs::write(backup.join("backup.txt"), &manifest).unwrap();
    folder::restore(&backup, &data, false, START_MS).expect("the whole one is restored");
}

#[tokio::test]
async fn a_backup_whose_contents_do_not_hold_is_refused_though_its_hashes_do() {
    let (dir, _server) = some_backup().await;
    let (first, data) = (dir.path().join("b"), dir.path().join("data"));
    let c = Connection::open(first.join("relay.sqlite")).unwrap();
    c.execute_batch("DELETE FROM envelope WHERE space_seq = 1").unwrap();
    drop(c);
    // A backup of the damaged folder: whole as far as hashes go.
    std::fs::remove_file(first.join("backup.txt")).unwrap();
    let second = folder::backup(&first, &dir.path().join("c"), START_MS).unwrap();
    let refusal = folder::restore(&second.dir, &data, false, START_MS).expect_err("not restored");
    let FolderError::Unsound(checked) = refusal else { panic!("what is wrong is said, not {refusal}") };
    assert_eq!(checked.findings[0].table, "envelope", "and named");
    let left: Vec<_> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["relay.lock"], "nothing of it was put in place");
}

#[tokio::test]
async fn a_restore_says_what_it_holds_drops_open_codes_and_puts_aside_what_was_there() {
    let (dir, server) = some_backup().await;
    let (backup, data) = (dir.path().join("b"), dir.path().join("data"));
    let pin = server.pin();
    server.relay.make_enrolment_code().unwrap();
    let backup_with_code =
        folder::backup(server.dir.path(), &dir.path().join("codes"), START_MS).unwrap().dir;
    let restored = folder::restore(&backup_with_code, &data, false, START_MS).unwrap();
    assert_eq!(restored.dropped_codes, 1, "a code that may have been used since admits nobody");
    assert_eq!((restored.manifest.pin, restored.manifest.made_at_ms), (pin, START_MS), "what it holds");
    assert_eq!(restored.put_aside, None, "there was nothing");
    assert_eq!(opened(&data), pin, "the restored server has the same pin");
    assert_eq!(folder::check(&data).unwrap().findings, [], "and is sound");

    let refusal = folder::restore(&backup, &data, false, START_MS).expect_err("there is something");
    assert!(matches!(refusal, FolderError::NotEmpty), "not over what is there: {refusal}");
    let before = std::fs::read(data.join("relay.sqlite")).unwrap();
    let restored = folder::restore(&backup, &data, true, START_MS).unwrap();
    let aside = restored.put_aside.expect("what was there is kept");
    assert_eq!(std::fs::read(aside.join("relay.sqlite")).unwrap(), before, "to the byte");
    let again = folder::restore(&backup, &data, true, START_MS).unwrap();
    assert_ne!(again.put_aside.unwrap(), aside, "and is not overwritten by the next");

    let held = folder::lock(&data).unwrap();
    let refusal = folder::restore(&backup, &data, true, START_MS).expect_err("a server runs");
    assert!(matches!(refusal, FolderError::InUse), "not under a running server: {refusal}");
    drop(held);
}

fn opened(data: &Path) -> VerifyingKey {
    Relay::open(data, RelayOptions::default()).unwrap().key()
}

#[tokio::test]
async fn an_interrupted_restore_or_backup_is_known_and_done_again() {
    let (dir, server) = some_backup().await;
    let (backup, data) = (dir.path().join("b"), dir.path().join("data"));
    folder::restore(&backup, &data, false, START_MS).unwrap();
    // As a power cut leaves it: said to be unfinished, the key in place, the database not yet.
    std::fs::create_dir(data.join("restore.part")).unwrap();
    std::fs::rename(data.join("relay.sqlite"), data.join("restore.part/relay.sqlite")).unwrap();
    std::fs::write(data.join("restore.unfinished"), []).unwrap();
    let refusal = Relay::open(&data, RelayOptions::default()).err().expect("no server starts on half");
    assert!(refusal.to_string().contains("interrupted"), "it says why: {refusal}");
    assert!(!data.join("relay.sqlite").exists(), "and makes no fresh database");
    let refusal =
        folder::backup(&data, &dir.path().join("half"), START_MS).expect_err("nor is half backed up");
    assert!(matches!(refusal, FolderError::NoData | FolderError::Unfinished), "{refusal}");
    folder::restore(&backup, &data, true, START_MS).expect("done again");
    assert_eq!(opened(&data), server.pin(), "the server starts");

    // A backup that was interrupted has no name that is taken for one.
    let part = dir.path().join(".again.part");
    std::fs::create_dir(&part).unwrap();
    std::fs::write(part.join("relay.sqlite"), b"half").unwrap();
    folder::backup(server.dir.path(), &dir.path().join("again"), START_MS).expect("made anew");
    assert!(!part.exists(), "what was left is gone");
    let refusal = folder::backup(server.dir.path(), &dir.path().join("again"), START_MS);
    assert!(dir.path().join("again").is_dir(), "a folder of that name gets the next one inside");
    assert!(refusal.unwrap().dir.starts_with(dir.path().join("again")), "under a name with the time");
    std::fs::remove_file(data.join("relay.key")).unwrap();
    let refusal = Relay::open(&data, RelayOptions::default()).err().expect("not as another server");
    assert!(refusal.to_string().contains("relay.key is missing"), "a lost key is said: {refusal}");
    assert!(!data.join("relay.key").exists(), "and no other is made");
    let inside = folder::backup(server.dir.path(), &server.dir.path().join("b"), START_MS);
    assert!(matches!(inside, Err(FolderError::Taken)), "not into the data folder itself");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_everywhere_and_left_as_it_is() {
    let (dir, server) = some_backup().await;
    let (backup, data) = (dir.path().join("b"), dir.path().join("data"));
    folder::restore(&backup, &data, false, START_MS).unwrap();
    drop(server);
    let database = data.join("relay.sqlite");
    let version = |c: &Connection| -> i64 {
        c.query_row("SELECT user_version FROM pragma_user_version", [], |row| row.get(0)).unwrap()
    };
    let c = Connection::open(&database).unwrap();
    let today = version(&c);
    assert!(today >= 1, "the schema's version is stamped");
    let rows = |c: &Connection| -> i64 {
        c.query_row("SELECT count(*) FROM envelope", [], |row| row.get(0)).unwrap()
    };
    let held = rows(&c);
    drop(c);
    opened(&data);
    let c = Connection::open(&database).unwrap();
    assert_eq!((version(&c), rows(&c)), (today, held), "opening keeps version and data");
    c.execute_batch(&format!("PRAGMA user_version = {}", today + 1)).unwrap();
    drop(c);
    let texts = [
        Relay::open(&data, RelayOptions::default()).err().unwrap().to_string(),
        folder::check(&data).unwrap_err().to_string(),
        folder::backup(&data, &dir.path().join("newer"), START_MS).unwrap_err().to_string(),
    ];
    assert!(texts.iter().all(|text| text == "database is of a newer version"), "politely: {texts:?}");
    assert!(!dir.path().join("newer").exists(), "no backup of what is not understood");
    let c = Connection::open(&database).unwrap();
    assert_eq!((version(&c), rows(&c)), (today + 1, held), "and nothing was touched");
}

#[tokio::test]
async fn a_manifest_says_what_a_backup_holds() {
    let (dir, server) = some_backup().await;
    let manifest = Manifest::read(&dir.path().join("b")).unwrap();
    assert_eq!((manifest.accounts, manifest.spaces, manifest.envelopes), (1, 1, 2), "how much");
    assert_eq!(
        (manifest.pin, manifest.last_stored_at_ms),
        (server.pin(), Some(START_MS)),
        "whose, and how late"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for (name, mode) in [("b", 0o700), ("b/relay.key", 0o600), ("b/relay.sqlite", 0o600)] {
            let found = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{name} is its user's alone");
        }
    }
}

/// The same rows as the first version of the schema keeps them.
fn as_first_version(from: &Path, to: &Path) -> Vec<(String, i64)> {
    let c = Connection::open(to).unwrap();
    c.execute_batch(include_str!("../../migrations/0001_relay.sql")).unwrap();
    c.execute("ATTACH ?1 AS later", [from.to_str().unwrap()]).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut query = c.prepare(sql).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let tables = names("SELECT name FROM main.sqlite_schema WHERE type = 'table' ORDER BY name");
    for table in &tables {
        let columns = names(&format!("SELECT name FROM pragma_table_info('{table}')")).join(", ");
        c.execute_batch(&format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM later.{table}"))
            .unwrap();
    }
    c.execute_batch("PRAGMA main.user_version = 1").unwrap();
    counts(&c, tables)
}

fn counts(c: &Connection, tables: Vec<String>) -> Vec<(String, i64)> {
    let count = |table: &str| -> i64 {
        c.query_row(&format!("SELECT count(*) FROM main.{table}"), [], |row| row.get(0)).unwrap()
    };
    tables.into_iter().map(|table| (table.clone(), count(&table))).collect()
}

#[tokio::test]
async fn an_older_database_is_brought_up_to_date_whole_or_not_at_all() {
    let (dir, server) = some_backup().await;
    let (backup, old) = (dir.path().join("b"), dir.path().join("old"));
    std::fs::create_dir(&old).unwrap();
    std::fs::copy(backup.join("relay.key"), old.join("relay.key")).unwrap();
    let before = as_first_version(&backup.join("relay.sqlite"), &old.join("relay.sqlite"));
    assert!(before.contains(&("envelope".to_owned(), 2)), "there is something to keep: {before:?}");
    let refusal = folder::check(&old).expect_err("not checked as what it is not").to_string();
    assert!(refusal.contains("older version"), "and it says why: {refusal}");
    let kept = folder::backup(&old, &dir.path().join("kept"), START_MS).expect("backed up before an upgrade");
    assert_eq!(kept.manifest.schema, 1, "as it is");

    // A step that fails: the whole upgrade is undone.
    let broken = dir.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    for name in ["relay.key", "relay.sqlite"] {
        std::fs::copy(old.join(name), broken.join(name)).unwrap();
    }
    let c = Connection::open(broken.join("relay.sqlite")).unwrap();
    c.execute_batch("CREATE TABLE snapshot (in_the_way INTEGER) STRICT").unwrap();
    assert!(Relay::open(&broken, RelayOptions::default()).is_err(), "it does not start");
    let version = |c: &Connection| -> i64 {
        c.query_row("SELECT user_version FROM pragma_user_version", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(version(&c), 1, "nothing of the upgrade is left");
    let tables: Vec<_> = before.iter().map(|(table, _)| table.clone()).collect();
    assert_eq!(counts(&c, tables.clone()), before, "and everything is there");

    assert_eq!(opened(&old), server.pin(), "the server starts over the older database");
    let c = Connection::open(old.join("relay.sqlite")).unwrap();
    assert!(version(&c) > 1, "which is of this version now");
    assert_eq!(counts(&c, tables), before, "with everything in it");
    assert_eq!(folder::check(&old).unwrap().findings, [], "and sound");
    let restored = folder::restore(&kept.dir, &dir.path().join("new"), false, START_MS);
    restored.expect("a backup of the older version is restored and brought up to date");
    assert_eq!(folder::check(&dir.path().join("new")).unwrap().findings, [], "sound as well");
}
