//! Integrity by the commands of the screens: checking beside everything else, backups that were read back, restoring, and mending
//! a damaged vault. Good data is never removed.

#[path = "support/world.rs"]
mod world;

#[path = "integrity/care.rs"]
mod care;
#[path = "integrity/damage.rs"]
mod damage;
#[path = "integrity/erased.rs"]
mod erased;
#[path = "integrity/folded.rs"]
mod folded;
#[path = "integrity/parts.rs"]
mod parts;
#[path = "integrity/repairs.rs"]
mod repairs;
#[path = "integrity/steps.rs"]
mod steps;

use std::path::{Path, PathBuf};

use mecum_api::{Code, command};
use mecum_client::App;
use mecum_faults::{Disk, Fault, Plan};
use serde_json::{Value, json};

use world::{Server, WORDS, call, connect, create, device, pair, rows, until};

pub(crate) fn passphrase() -> Value {
    json!({ "passphrase": WORDS })
}

pub(crate) async fn note(app: &App, chart: &str, text: &str) {
    let args = json!({ "chart": chart, "kind": "note", "fields": [["text", text]] });
    call::<command::EntryAdd>(app, args).await;
}

/// The titles of a chart's rows, sorted.
pub(crate) async fn titles(app: &App, chart: &str) -> Vec<String> {
    let rows = rows(app, chart).await;
    let mut titles: Vec<String> =
        rows.iter().filter_map(|row| row["title"].as_str().map(str::to_owned)).collect();
    titles.sort();
    titles
}

pub(crate) fn vault_of(profile: &Path) -> PathBuf {
    profile.join("vault.sqlite")
}

/// Plain SQL on a closed vault.
pub(crate) fn sql(profile: &Path, statement: &str) {
    let connection = rusqlite::Connection::open(vault_of(profile)).expect("it is a database");
    let changed = connection.execute(statement, []).expect("plain SQL");
    assert!(changed > 0, "the vault was changed by: {statement}");
}

pub(crate) async fn backed_up(app: &App) -> Value {
    call::<command::BackupMake>(app, passphrase()).await;
    until::<command::BackupList>(app, Value::Null, "the backup is made", |view| view["phase"] != "running")
        .await
}

pub(crate) async fn checked(app: &App) -> Value {
    call::<command::CheckBegin>(app, Value::Null).await;
    until::<command::CheckStatus>(app, Value::Null, "the check ends", |view| view["phase"] != "running").await
}

pub(crate) async fn mended(app: &App) -> Value {
    call::<command::VaultMend>(app, passphrase()).await;
    until::<command::MendStatus>(app, Value::Null, "the mending ends", |view| view["phase"] != "running")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_runs_beside_everything_else_and_says_that_a_sound_vault_is_sound() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(folder.path());
    let chart = create(&phone, "Laras", "phone").await;
    for n in 0..20 {
        note(&phone, &chart, &format!("note {n}")).await;
    }
    call::<command::CheckBegin>(&phone, Value::Null).await;
    note(&phone, &chart, "written while it is checked").await;
    let view =
        until::<command::CheckStatus>(&phone, Value::Null, "the check ends", |view| view["phase"] == "done")
            .await;
    assert_eq!(view["findings"], json!([]), "nothing was touched: {view}");
    assert!(view["looked"].as_u64().is_some_and(|looked| looked > 40), "everything was looked at: {view}");
    assert_eq!(titles(&phone, &chart).await.len(), 21, "and what was written meanwhile is there");
    call::<command::CheckBegin>(&phone, Value::Null).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    let view = until::<command::CheckStatus>(&phone, Value::Null, "a lock ends a check", |view| {
        view["phase"] != "running"
    })
    .await;
    assert!(view["phase"] == "stopped" || view["phase"] == "done", "{view}");
    let refused = phone.call("check_begin", Value::Null).await.expect_err("locked");
    assert_eq!(refused.code, Code::Locked, "a locked vault is not read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_while_it_is_written_and_restores_on_an_empty_device_and_over_a_forgotten_passphrase()
 {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("phone");
    let phone = device(&profile);
    let chart = create(&phone, "Laras", "phone").await;
    note(&phone, &chart, "before").await;
    let wrong =
        phone.call("backup_make", json!({ "passphrase": "other words" })).await.expect_err("asked again");
    assert_eq!(wrong.code, Code::WrongPassphrase, "a backup needs the passphrase");
    call::<command::BackupMake>(&phone, passphrase()).await;
    note(&phone, &chart, "while it is made").await;
    let list = backed_up(&phone).await;
    assert_eq!((&list["phase"], &list["message_id"]), (&json!("done"), &Value::Null), "{list}");
    let backup = list["backups"][0]["backup"].as_str().expect("a name").to_owned();
    assert!(list["last_ms"].as_i64().is_some_and(|last| last > 0), "its age is known: {list}");
    note(&phone, &chart, "after").await;
    let all = titles(&phone, &chart).await;
    call::<command::VaultLock>(&phone, Value::Null).await;

    // An empty device: the file is copied into its folder, nothing of it goes through a screen.
    let other = folder.path().join("other");
    std::fs::create_dir_all(other.join("backups")).expect("made");
    std::fs::copy(profile.join("backups").join(&backup), other.join("backups").join(&backup))
        .expect("copied");
    let empty = device(&other);
    let wrong = json!({ "backup": backup, "passphrase": "six other words that open nothing" });
    let refused = empty.call("backup_restore", wrong).await.expect_err("wrong");
    assert_eq!(refused.code, Code::WrongPassphrase, "only who knows the passphrase restores");
    let outside = json!({ "backup": "../../phone/vault.sqlite", "passphrase": WORDS });
    assert_eq!(
        empty.call("backup_restore", outside).await.expect_err("no path").code,
        Code::NotFound,
        "a name is no path"
    );
    let view = call::<command::BackupRestore>(&empty, json!({ "backup": backup, "passphrase": WORDS })).await;
    assert_eq!(view["phase"], "open", "{view}");
    assert!(titles(&empty, &chart).await.contains(&"before".to_owned()), "the record is back");

    // The forgotten passphrase: what is there is set aside, not removed, and comes back by its own.
    let view = call::<command::BackupRestore>(&phone, json!({ "backup": backup, "passphrase": WORDS })).await;
    assert_eq!(view["phase"], "open", "{view}");
    assert!(!titles(&phone, &chart).await.contains(&"after".to_owned()), "it is the older state");
    call::<command::CheckBegin>(&phone, Value::Null).await;
    let checked = until::<command::CheckStatus>(&phone, Value::Null, "the check ends", |view| {
        view["phase"] != "running"
    })
    .await;
    assert_eq!(checked["findings"], json!([]), "it was meant to be older: nothing is missing for that");
    let list = call::<command::BackupList>(&phone, Value::Null).await;
    let aside = list["backups"].as_array().expect("a list").iter().find(|one| one["aside"] == true);
    let aside = aside.expect("what was there is kept")["backup"].clone();
    call::<command::VaultLock>(&phone, Value::Null).await;
    call::<command::BackupRestore>(&phone, json!({ "backup": aside, "passphrase": WORDS })).await;
    assert_eq!(titles(&phone, &chart).await, all, "nothing was lost by it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_and_nothing_is_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(folder.path());
    let chart = create(&phone, "Laras", "phone").await;
    note(&phone, &chart, "kept").await;
    let list = backed_up(&phone).await;
    let backup = list["backups"][0]["backup"].as_str().expect("a name").to_owned();
    call::<command::VaultLock>(&phone, Value::Null).await;
    let file = folder.path().join("backups").join(&backup);
    rusqlite::Connection::open(&file)
        .and_then(|c| c.execute("DELETE FROM envelope WHERE n = 1", []))
        .expect("damaged");
    let before = std::fs::read(vault_of(folder.path())).expect("a vault");
    let refused = phone.call("backup_restore", json!({ "backup": backup, "passphrase": WORDS })).await;
    assert_eq!(refused.expect_err("damaged").message_id, "error-backup-damaged", "it is named");
    assert_eq!(std::fs::read(vault_of(folder.path())).expect("a vault"), before, "the vault is as it was");
    assert!(file.exists(), "and so is the backup");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_lists_are_made_again_without_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(folder.path());
    let chart = create(&phone, "Laras", "phone").await;
    for n in 0..5 {
        note(&phone, &chart, &format!("note {n}")).await;
    }
    let before = titles(&phone, &chart).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    sql(folder.path(), "DELETE FROM row WHERE kind = 6");
    let refused = phone.call("vault_unlock", passphrase()).await.expect_err("damaged");
    assert_eq!(refused.code, Code::Damaged, "it is said in a way that a screen can act on");
    let status = call::<command::VaultStatus>(&phone, Value::Null).await;
    assert_eq!(status["phase"], "damaged", "and no dead end: {status}");
    let found = call::<command::VaultExamine>(&phone, passphrase()).await;
    assert_eq!(found["findings"][0]["kind"], "lists", "{found}");
    assert_eq!(found["findings"][0]["mend"], "here", "{found}");
    let view = mended(&phone).await;
    assert_eq!((&view["phase"], &view["left"]), (&json!("done"), &json!([])), "{view}");
    assert_eq!(view["by"], "here", "{view}");
    assert_eq!(view["vault"]["phase"], "open", "{view}");
    assert_eq!(titles(&phone, &chart).await, before, "everything is there again");
    assert!(
        folder.path().join("aside").join(view["aside"].as_str().expect("a name")).exists(),
        "the damaged one is kept"
    );
    note(&phone, &chart, "goes on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_here_is_fetched_again_and_what_was_never_sent_survives_with_its_clash() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let profile = folder.path().join("phone");
    let (phone, tablet) = (device(&profile), device(&folder.path().join("tablet")));
    let chart = create(&phone, "Laras", "phone").await;
    connect(&phone, &server).await;
    pair(&phone, &tablet, "tablet", WORDS).await;
    for n in 0..4 {
        note(&phone, &chart, &format!("phone {n}")).await;
        note(&tablet, &chart, &format!("tablet {n}")).await;
    }
    for _ in 0..3 {
        call::<command::SyncNow>(&phone, Value::Null).await;
        call::<command::SyncNow>(&tablet, Value::Null).await;
    }
    let address = server.stop().await;
    for n in 0..3 {
        note(&phone, &chart, &format!("never sent {n}")).await;
    }
    let before = titles(&phone, &chart).await;
    assert!(before.len() >= 11, "there is something to lose: {before:?}");
    call::<command::VaultLock>(&phone, Value::Null).await;
    // The exchange's state and a document that the server has.
    sql(&profile, "DELETE FROM row WHERE kind = 8 AND at = (SELECT min(at) FROM row WHERE kind = 8)");
    sql(&profile, "DELETE FROM row WHERE kind = 3 AND at = (SELECT min(at) FROM row WHERE kind = 3)");
    assert_eq!(
        phone.call("vault_unlock", passphrase()).await.expect_err("damaged").code,
        Code::Damaged,
        "it says so"
    );
    let file = std::fs::read(vault_of(&profile)).expect("a vault");
    let view = mended(&phone).await;
    assert_eq!(
        view["message_id"], "error-offline",
        "without the server it says what cannot be mended: {view}"
    );
    assert!(view["left"].as_array().is_some_and(|left| !left.is_empty()), "{view}");
    let same = std::fs::read(vault_of(&profile)).expect("a vault").len() == file.len();
    assert!(same && view["aside"].is_null(), "and nothing was replaced");
    let server = Server::start(&folder.path().join("server"), &address).await;
    let view = mended(&phone).await;
    assert_eq!((&view["phase"], &view["message_id"]), (&json!("done"), &Value::Null), "{view}");
    assert_eq!(view["by"], "server", "the state of the exchange is hit: everything is fetched anew: {view}");
    assert_eq!(titles(&phone, &chart).await, before, "everything is there: {view}");
    assert_eq!(view["unsent"], 3, "what was never sent is kept: {view}");
    until::<command::Whereabouts>(&phone, Value::Null, "and goes out now", |view| {
        view["counts"]["device"] == 0
    })
    .await;
    for _ in 0..3 {
        call::<command::SyncNow>(&phone, Value::Null).await;
        call::<command::SyncNow>(&tablet, Value::Null).await;
    }
    assert_eq!(titles(&tablet, &chart).await, before, "to the other device too");
    let status = call::<command::SyncStatus>(&phone, Value::Null).await;
    assert_eq!(status["quarantined"], 0, "nothing was put aside: {status}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_beyond_reading_can_be_set_aside_and_put_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(folder.path());
    create(&phone, "Laras", "phone").await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    let good = std::fs::read(vault_of(folder.path())).expect("a vault");
    std::fs::write(vault_of(folder.path()), vec![7; good.len()]).expect("written over");
    let status = call::<command::VaultStatus>(&phone, Value::Null).await;
    assert_eq!(status["phase"], "damaged", "{status}");
    let view = mended(&phone).await;
    assert_eq!(view["left"][0]["mend"], "backup", "it says that only a backup helps: {view}");
    let view = call::<command::VaultSetAside>(&phone, Value::Null).await;
    assert_eq!(
        view["phase"], "missing",
        "the way is free for the kit, another device or a new start: {view}"
    );
    let list = call::<command::BackupList>(&phone, Value::Null).await;
    assert_eq!(list["backups"][0]["aside"], true, "and the file is kept: {list}");
    create(&phone, "Laras", "phone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_says_not_saved_keeps_what_was_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Disk::watch(folder.path());
    let phone = device(folder.path());
    let chart = create(&phone, "Laras", "phone").await;
    note(&phone, &chart, "before").await;
    let before = titles(&phone, &chart).await;
    for (fault, said) in [(Fault::Full, "error-not-saved-full"), (Fault::Error, "error-not-saved")] {
        disk.plan(Some(Plan { fault, at: 0, for_ever: true }));
        let args = json!({ "chart": chart, "kind": "note", "fields": [["text", "does not fit"]] });
        let refused = phone.call("entry_add", args).await.expect_err("nothing fits");
        assert_eq!(refused.code, Code::NotSaved, "{fault:?}: it is said, not shown as saved");
        if fault == Fault::Full {
            assert_eq!(refused.message_id, said, "and why");
        }
        let backup = phone.call("backup_make", passphrase()).await;
        if backup.is_ok() {
            let list = until::<command::BackupList>(&phone, Value::Null, "it ends", |view| {
                view["phase"] != "running"
            })
            .await;
            assert_eq!(
                (&list["phase"], &list["backups"]),
                (&json!("failed"), &json!([])),
                "no half backup: {list}"
            );
        }
        disk.plan(None);
        assert_eq!(titles(&phone, &chart).await, before, "{fault:?}: what was there is there");
    }
    note(&phone, &chart, "after").await;
    assert_eq!(titles(&phone, &chart).await.len(), before.len() + 1, "with room it goes on");
    let list = backed_up(&phone).await;
    assert_eq!(list["phase"], "done", "{list}");
}
