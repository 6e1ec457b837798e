//! The same with whole apps, a real server over TCP, its own backup and restore, and a vault's file that is copied.

use std::path::Path;

use mecum_api::command;
use mecum_client::App;
use serde_json::{Value, json};

use crate::world::{Server, WORDS, call, connect, create, device, pair, rows, until};

const NOW_MS: i64 = 1_788_854_400_000;

async fn note(app: &App, chart: &str, text: &str) {
    let args = json!({ "chart": chart, "kind": "note", "fields": [["text", text]] });
    call::<command::EntryAdd>(app, args).await;
}

async fn sync(app: &App) -> Value {
    call::<command::SyncNow>(app, Value::Null).await
}

/// Exchanges until a device shows all of these.
async fn shows(app: &App, chart: &str, texts: &[String]) {
    for _ in 0..100 {
        let sync = sync(app).await;
        let titles: Vec<String> = rows(app, chart)
            .await
            .iter()
            .filter_map(|row| row["title"].as_str().map(str::to_owned))
            .collect();
        if texts.iter().all(|text| titles.contains(text)) && sync["phase"] == "up-to-date" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("never shown: {texts:?}; {}", sync(app).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_restored_from_its_backup_has_everything_again_without_anybody_doing_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("server");
    let server = Server::start(&data, "127.0.0.1:0").await;
    let (phone, tablet) = (device(&folder.path().join("phone")), device(&folder.path().join("tablet")));
    let chart = create(&phone, "Laras", "phone").await;
    connect(&phone, &server).await;
    pair(&phone, &tablet, "tablet", WORDS).await;
    let mut all = vec!["before the backup".to_owned()];
    note(&phone, &chart, "before the backup").await;
    shows(&tablet, &chart, &all).await;
    mecum_relay::folder::backup(&data, &folder.path().join("backup"), NOW_MS).expect("a backup");
    for n in 0..3 {
        for (app, name) in [(&phone, "phone"), (&tablet, "tablet")] {
            let text = format!("{name} after the backup {n}");
            note(app, &chart, &text).await;
            all.push(text);
            sync(app).await;
        }
    }
    shows(&phone, &chart, &all).await;
    shows(&tablet, &chart, &all).await;
    let address = server.stop().await;
    mecum_relay::folder::restore(&folder.path().join("backup"), &data, true, NOW_MS).expect("a restore");
    note(&phone, &chart, "while it was away").await;
    all.push("while it was away".into());
    let server = Server::start(&data, &address).await;
    shows(&phone, &chart, &all).await;
    shows(&tablet, &chart, &all).await;
    let laptop = device(&folder.path().join("laptop"));
    pair(&phone, &laptop, "laptop", WORDS).await;
    shows(&laptop, &chart, &all).await;
    drop(server.stop().await);
    let checked = mecum_relay::folder::check(&data).expect("readable");
    assert_eq!(checked.findings, [], "and the server is sound");
}

fn vault_of(profile: &Path) -> std::path::PathBuf {
    profile.join("vault.sqlite")
}

/// Closes an app, so that its file can be copied or put back.
async fn close(app: App) {
    call::<command::VaultLock>(&app, Value::Null).await;
    drop(app);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
}

async fn open(profile: &Path) -> App {
    let app = device(profile);
    for _ in 0..50 {
        if app.call("vault_unlock", json!({ "passphrase": WORDS })).await.is_ok() {
            return app;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the vault does not open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_put_back_from_a_copy_lives_anew_and_the_person_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let profile = folder.path().join("phone");
    let (phone, tablet) = (device(&profile), device(&folder.path().join("tablet")));
    let chart = create(&phone, "Laras", "phone").await;
    connect(&phone, &server).await;
    pair(&phone, &tablet, "tablet", WORDS).await;
    note(&phone, &chart, "before the copy").await;
    shows(&tablet, &chart, &["before the copy".into()]).await;
    shows(&phone, &chart, &["before the copy".into()]).await;
    close(phone).await;
    let good = std::fs::read(vault_of(&profile)).expect("a vault");
    let phone = open(&profile).await;
    note(&phone, &chart, "in the life that was lost").await;
    shows(&phone, &chart, &["in the life that was lost".into()]).await;
    close(phone).await;
    for log in ["vault.sqlite-wal", "vault.sqlite-shm"] {
        let _ = std::fs::remove_file(profile.join(log));
    }
    std::fs::write(vault_of(&profile), &good).expect("the older copy is put back");
    let stopped = server.stop().await;
    let phone = open(&profile).await;
    for n in 0..2 {
        note(&phone, &chart, &format!("only in the copy {n}")).await;
    }
    let server = Server::start(&folder.path().join("server"), &stopped).await;
    let all: Vec<String> =
        ["before the copy", "in the life that was lost", "only in the copy 0", "only in the copy 1"]
            .map(str::to_owned)
            .to_vec();
    shows(&phone, &chart, &all).await;
    let told = call::<command::SyncStatus>(&phone, Value::Null).await;
    assert_eq!(told["message_id"], "error-older-copy-done", "the person is told: {told}");
    assert_eq!(told["quarantined"], 0, "and nothing was put aside");
    shows(&tablet, &chart, &all).await;
    until::<command::Whereabouts>(&phone, Value::Null, "what was written again is received", |view| {
        view["counts"]["device"] == 0 && view["counts"]["sent"] == 0
    })
    .await;
    close(phone).await;
    let phone = open(&profile).await;
    note(&phone, &chart, "afterwards").await;
    shows(&phone, &chart, &["afterwards".into()]).await;
    shows(&tablet, &chart, &["afterwards".into()]).await;
    drop(server);
}
