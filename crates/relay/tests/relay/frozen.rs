//! What a server keeps beside its database, and how it knows an enrolment code: as bytes, frozen.

use std::path::PathBuf;
use std::sync::Arc;

use mecum_faults::Frozen;
use mecum_relay::folder::{self, FolderError, Manifest};
use mecum_relay::{Relay, RelayOptions};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Hash32, SigningKey, sha256};
use mecum_sync::testing::Actor;
use mecum_sync::{EnrolResponse, RefusalCode};
use rusqlite::{Connection, params};

use crate::device::enrol;
use crate::server::{START_MS, Server, roomy};

fn relay(seed: u64) -> (tempfile::TempDir, Relay) {
    let dir = tempfile::tempdir().unwrap();
    let options = RelayOptions {
        entropy: Arc::new(SeededEntropy::new(seed)),
        clock: Arc::new(|| START_MS),
        log: Arc::new(|_| {}),
        ..RelayOptions::default()
    };
    let relay = Relay::open(dir.path(), options).unwrap();
    (dir, relay)
}

fn vectors(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

/// The lines before the last, with other words in the place of some, and the end that belongs to them.
fn with(text: &str, change: impl Fn(&str) -> Option<String>) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("end "));
    let lines = lines.map(|line| change(line).unwrap_or_else(|| line.to_owned()) + "\n");
    let text: String = lines.collect();
    let end = sha256(text.as_bytes());
    text + &format!("end {end}\n")
}

#[test]
fn a_backups_manifest_is_read_and_written_as_ever() {
    for (file, last_stored_at_ms) in
        [("backup-v1.txt", None), ("backup-with-pushes-v1.txt", Some(1_790_000_000_001))]
    {
        let frozen = std::fs::read_to_string(vectors(file)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("backup.txt"), &frozen).unwrap();
        let read = Manifest::read(dir.path()).expect("an old manifest is still one");
        assert_eq!((read.made_at_ms, read.schema), (START_MS + 999, 8), "made when it was, of what it was");
        let (held, expected) = (
            (read.accounts, read.spaces, read.envelopes),
            last_stored_at_ms.map_or((0, 0, 0), |_| (2, 3, 4)),
        );
        assert_eq!((held, read.last_stored_at_ms), (expected, last_stored_at_ms), "of so much");
        assert_eq!(
            (read.database_bytes, read.database_hash),
            (5, Hash32::from_bytes([6; 32])),
            "to the byte"
        );
        assert_eq!(read.pin, SigningKey::make(&SeededEntropy::new(61)).verifying_key(), "of its server");
        let later = with(&frozen, |line| line.starts_with("mecum").then(|| line.replace(" 1", " 2")));
        std::fs::write(dir.path().join("backup.txt"), later).unwrap();
        assert!(matches!(Manifest::read(dir.path()), Err(FolderError::BadBackup(_))), "and no later one");
    }
    // What a backup writes, but for the copied database's size and hash, which are SQLite's.
    let (data, _relay) = relay(61);
    let to = tempfile::tempdir().unwrap();
    let made = folder::backup(data.path(), &to.path().join("b"), START_MS + 999).unwrap();
    let written = std::fs::read_to_string(made.dir.join("backup.txt")).unwrap();
    let zeros = Hash32::from_bytes([6; 32]);
    let written = with(&written, |line| match line.split_once(' ') {
        Some(("schema", _)) => Some("schema 8".to_owned()),
        Some(("database_bytes", _)) => Some("database_bytes 5".to_owned()),
        Some(("database_hash", _)) => Some(format!("database_hash {zeros}")),
        _ => None,
    });
    assert_eq!(written, std::fs::read_to_string(vectors("backup-v1.txt")).unwrap(), "line by line");
    assert_eq!(std::fs::read(made.dir.join("relay.key")).unwrap().len(), 32, "with the key as it is");
}

#[tokio::test]
async fn an_enrolment_code_is_kept_under_the_frozen_hash_and_known_by_it_however_it_is_typed() {
    let mut written = Vec::new();
    for (name, kept, seed) in [("code 1", "hash 1", 62), ("code 2", "hash 2", 63)] {
        let (dir, relay) = relay(seed);
        let code = relay.make_enrolment_code().unwrap();
        let c = Connection::open(dir.path().join("relay.sqlite")).unwrap();
        let hash: Vec<u8> = c.query_row("SELECT code FROM enrolment_code", [], |row| row.get(0)).unwrap();
        written.extend([(name, code.into_bytes()), (kept, hash)]);
    }
    let frozen = Frozen::compared(env!("CARGO_MANIFEST_DIR"), "enrolment-v1.txt", &written);
    let mut server = Server::start(roomy()).await;
    let hashes = [frozen.get("hash 1").to_vec(), frozen.get("hash 2").to_vec()];
    server
        .restart_after(|dir| {
            let c = Connection::open(dir.join("relay.sqlite")).unwrap();
            for hash in &hashes {
                let sql = "INSERT INTO enrolment_code (code, expires_at_ms) VALUES (?1, ?2)";
                c.execute(sql, params![hash, START_MS + 1_000]).unwrap();
            }
        })
        .await;
    let code = |name: &str| String::from_utf8(frozen.get(name).to_vec()).unwrap();
    let typed = code("code 2").to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
    for (seed, typed) in [(1, code("code 1")), (2, typed)] {
        let genesis = Actor::new(seed).account_genesis();
        let _: EnrolResponse = enrol(&server, &typed, &genesis).await.frame();
    }
    let used = enrol(&server, &code("code 1"), &Actor::new(3).account_genesis()).await.refusal();
    assert_eq!(used.code, RefusalCode::BadCode, "each for one account");
}
