//! A vault whose logs are folded, as version 3 of the file keeps them: `fixtures/v3`.

use std::path::{Path, PathBuf};

use mecum_api::command;
use mecum_client::{App, AppOptions, Session};
use mecum_seal::sha256_parts;
use serde_json::{Value, json};

use super::world::{Server, WORDS, bring_in, call, create, pair, rows};
use super::written::{add, bundle, connect, finish, pack, sync};
use super::{copied_from, expected_of, unlocked, vaults_that_do_not_read_back};

/// The version of the file that every run of now gives it.
const VERSION: i64 = 3;

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/v3"))
}

/// A hash over every envelope of every log, folded or not, made again where it was folded.
fn envelopes(session: &Session) -> Value {
    let all = session.all_envelopes_for_tests().expect("every envelope is there or made again");
    let mut parts = Vec::new();
    for ((log, n), bytes) in &all {
        parts.extend([log.as_bytes().to_vec(), n.to_be_bytes().to_vec(), bytes.clone()]);
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    json!({ "count": all.len(), "hash": sha256_parts(&parts).to_string() })
}

fn version_and_runs(file: &Path) -> (i64, i64) {
    let file = rusqlite::Connection::open(file).expect("a vault");
    let version = file.pragma_query_value(None, "user_version", |row| row.get(0)).expect("read");
    let runs = "SELECT count(*) FROM envelope WHERE length(chain) = 40";
    (version, file.query_row(runs, [], |row| row.get(0)).expect("counted"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_with_folded_runs_of_version_3_is_read_by_this_version_and_its_envelopes_are_made_again() {
    assert_eq!(vaults_that_do_not_read_back(&fixtures()).await, Vec::<String>::new());
    let folder = tempfile::tempdir().expect("a folder");
    let file = copied_from(&fixtures(), "vault.sqlite", folder.path());
    let expected = expected_of(&fixtures());
    let (version, runs) = version_and_runs(&file);
    assert!(version == VERSION && Some(runs) == expected["runs"].as_i64() && runs > 0, "it has runs");
    let app = unlocked(folder.path()).await;
    let made = app.with(|session| Ok(envelopes(session))).await.expect("open");
    assert_eq!(made, expected["envelopes"], "byte for byte what two devices sealed");
}

/// Edits by one device and then the other, each sent before the next.
async fn edits(app: &App, chart: &str, round: usize) {
    let all = rows(app, chart).await;
    for row in all.iter().filter(|row| row["kind"] == "note") {
        let set = json!([["text", format!("said again in round {round}")]]);
        call::<command::EntryEdit>(app, json!({ "chart": chart, "entry": row["entry"], "set": set })).await;
    }
    add(app, chart, "note", json!([["text", format!("round {round}")]])).await;
    sync(app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fixtures_of_version_3_are_written() {
    if std::env::var_os("MECUM_WRITE_FIXTURES").is_none() {
        return;
    }
    let to = fixtures();
    assert!(!to.join("expected.json").exists(), "what is kept is never written again");
    std::fs::create_dir_all(&to).expect("made");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let server = Server::start(&path("server"), "127.0.0.1:0").await;
    let device = |name: &str| App::open(AppOptions::new(path(name)));
    let (phone, tablet) = (device("phone"), device("tablet"));
    let chart = create(&phone, "Laras", "phone").await;
    bring_in(&phone, &bundle(), Some(&chart)).await;
    let metformin =
        json!([["name", "Metformin"], ["dose", "500"], ["dose-unit", "mg"], ["frequency", "08:00"]]);
    add(&phone, &chart, "medication-statement", metformin).await;
    let url = server.url.clone();
    connect(&phone, &server, &url).await;
    pair(&phone, &tablet, "tablet", WORDS).await;
    for round in 0..12 {
        let app = if round % 3 == 2 { &tablet } else { &phone };
        for app in [&phone, &tablet] {
            sync(app).await;
        }
        edits(app, &chart, round).await;
    }
    for app in [&phone, &tablet, &phone] {
        sync(app).await;
    }
    let before = phone.with(|session| Ok(envelopes(session))).await.expect("open");
    let runs = phone.with(Session::fold_everything_for_tests).await.expect("folds");
    assert!(runs > 0, "something was folded");
    // What comes after a run lies whole beside it.
    add(&phone, &chart, "note", json!([["text", "after the runs"]])).await;
    let after = phone.with(|session| Ok(envelopes(session))).await.expect("open");
    assert_ne!(before, after, "another one is there");
    let expected = json!({ "envelopes": after, "runs": runs });
    finish(&phone, &to, &path("phone"), expected).await;
    assert_eq!(version_and_runs(&to.join("vault.sqlite")).0, VERSION, "the file says so");
    for name in ["vault.sqlite", "backup.backup"] {
        pack(&to.join(name));
    }
    drop(server);
}
