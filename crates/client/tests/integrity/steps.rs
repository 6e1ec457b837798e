//! Steps that fail half-way, are begun twice, or are overtaken by another: each ends as one that the person can rely on.

use std::path::Path;
use std::sync::Arc;

use mecum_api::{Code, command};
use mecum_client::{App, AppOptions, FixedClock};
use serde_json::{Value, json};

use super::world::{Server, WORDS, call, connect, create, device, options, pair, until};
use super::{backed_up, mended, note, passphrase, sql, titles, vault_of};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_after_a_restore_that_failed_half_way_outlives_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(folder.path());
    let chart = create(&phone, "Laras", "phone").await;
    note(&phone, &chart, "in the backup").await;
    let list = backed_up(&phone).await;
    let backup = list["backups"][0]["backup"].clone();
    note(&phone, &chart, "after the backup").await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    // What lies beside the vault cannot be removed for a while: the exchange stops in its middle.
    let in_the_way = folder.path().join("vault.sqlite-shm");
    let _ = std::fs::remove_file(&in_the_way);
    std::fs::create_dir(&in_the_way).expect("made");
    let args = json!({ "backup": backup, "passphrase": WORDS });
    let refused = phone.call("backup_restore", args).await.expect_err("it cannot be ended");
    assert_eq!(refused.code, Code::NotSaved, "and that is said: {refused:?}");
    let refused = phone.call("vault_unlock", passphrase()).await.expect_err("it still stands in the way");
    assert_eq!(refused.code, Code::NotSaved, "nothing is opened between two vaults: {refused:?}");
    std::fs::remove_dir(&in_the_way).expect("removed");
    call::<command::VaultUnlock>(&phone, passphrase()).await;
    note(&phone, &chart, "written since").await;
    let before = titles(&phone, &chart).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    drop(phone);
    let phone = device(folder.path());
    call::<command::VaultUnlock>(&phone, passphrase()).await;
    assert_eq!(titles(&phone, &chart).await, before, "nothing took its place behind the person's back");
    assert!(before.contains(&"written since".to_owned()), "{before:?}");
}

/// Tries at a backup until one has to wait; answers how many were free. The clock stands still: no wait ends by itself.
async fn free_guesses(app: &App, backup: &Value) -> u32 {
    for free in 0..10 {
        let args =
            json!({ "backup": backup, "passphrase": format!("six other words that open nothing {free}") });
        let refused = app.call("backup_restore", args).await.expect_err("wrong");
        if refused.code == Code::Waiting {
            return free;
        }
        assert_eq!(refused.code, Code::WrongPassphrase, "{refused:?}");
    }
    10
}

fn at_rest(profile: &Path) -> App {
    let clock = Arc::new(FixedClock::new(1_788_854_400_000));
    App::open(AppOptions { clock, ..options(profile) })
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_at_a_backup_is_slowed_down_as_guessing_at_the_vault_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("phone");
    let phone = at_rest(&profile);
    let chart = create(&phone, "Laras", "phone").await;
    note(&phone, &chart, "kept").await;
    let list = backed_up(&phone).await;
    let backup = list["backups"][0]["backup"].clone();
    let name = backup.as_str().expect("a name");
    let (empty, untouched) = (folder.path().join("empty"), folder.path().join("untouched"));
    for profile_of in [&empty, &untouched] {
        std::fs::create_dir_all(profile_of.join("backups")).expect("made");
        std::fs::copy(profile.join("backups").join(name), profile_of.join("backups").join(name))
            .expect("copied");
    }
    call::<command::VaultLock>(&phone, Value::Null).await;
    assert_eq!(free_guesses(&phone, &backup).await, 3, "the first ones are free: people mistype");
    let refused = phone.call("vault_unlock", passphrase()).await.expect_err("it waits");
    assert_eq!(refused.code, Code::Waiting, "it is one count, whichever way is tried: {refused:?}");
    let empty = at_rest(&empty);
    assert_eq!(free_guesses(&empty, &backup).await, 3, "where there is no vault yet, too");
    drop(empty);
    let empty = at_rest(&folder.path().join("empty"));
    assert_eq!(free_guesses(&empty, &backup).await, 0, "a new start forgets nothing");
    let untouched = at_rest(&untouched);
    for _ in 0..5 {
        let args = json!({ "backup": backup, "passphrase": WORDS });
        let view = call::<command::BackupRestore>(&untouched, args).await;
        assert_eq!(view["phase"], "open", "who knows it waits for nothing: {view}");
        call::<command::VaultLock>(&untouched, Value::Null).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_mended_before_it_has_a_server_sends_everything_once_it_has_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("phone");
    let (phone, tablet) = (device(&profile), device(&folder.path().join("tablet")));
    let chart = create(&phone, "Laras", "phone").await;
    for n in 0..4 {
        note(&phone, &chart, &format!("note {n}")).await;
    }
    let before = titles(&phone, &chart).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    // The last rows of the exchange: where the last notes lie until they are sent.
    sql(&profile, "DELETE FROM row WHERE at IN (SELECT at FROM row WHERE kind = 8 ORDER BY at DESC LIMIT 2)");
    let view = mended(&phone).await;
    assert_eq!((&view["phase"], &view["by"]), (&json!("done"), &json!("here")), "{view}");
    assert_eq!(view["left"], json!([]), "what was lost was found in the logs: {view}");
    assert_eq!(titles(&phone, &chart).await, before, "everything is there");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    connect(&phone, &server).await;
    until::<command::Whereabouts>(&phone, Value::Null, "everything goes out", |view| {
        view["counts"]["device"] == 0
    })
    .await;
    pair(&phone, &tablet, "tablet", WORDS).await;
    call::<command::SyncNow>(&tablet, Value::Null).await;
    assert_eq!(titles(&tablet, &chart).await, before, "and another device gets all of it");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mending_cannot_bring_back_of_the_exchange_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(folder.path());
    let chart = create(&phone, "Laras", "phone").await;
    note(&phone, &chart, "kept").await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    // The last row of the account: an entry of its log, which only this device has.
    sql(folder.path(), "DELETE FROM row WHERE at = (SELECT max(at) FROM row WHERE kind = 1)");
    let view = mended(&phone).await;
    assert_eq!(view["by"], "here", "there is nobody else who has it: {view}");
    let left = view["left"].as_array().expect("a list");
    let said = left.iter().any(|one| one["kind"] == "bookkeeping" && one["mend"] == "nothing");
    assert!(said, "it is mended, and what is lost is named: {view}");
    assert_eq!(titles(&phone, &chart).await, ["kept"], "the record is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_locked_while_it_is_mended_stays_locked() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(folder.path());
    let chart = create(&phone, "Laras", "phone").await;
    note(&phone, &chart, "kept").await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    sql(folder.path(), "DELETE FROM row WHERE kind = 6");
    call::<command::VaultMend>(&phone, passphrase()).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    let view = until::<command::MendStatus>(&phone, Value::Null, "the mending ends", |view| {
        view["phase"] != "running"
    })
    .await;
    assert_eq!((&view["phase"], &view["by"]), (&json!("done"), &json!("here")), "it is mended: {view}");
    assert_eq!(view["vault"]["phase"], "locked", "whoever locked it has left: {view}");
    call::<command::VaultUnlock>(&phone, passphrase()).await;
    assert_eq!(titles(&phone, &chart).await, ["kept"], "and it opens");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_asked_for_twice_at_once_is_made_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    // The clock stands still: both would have one name.
    let phone = at_rest(folder.path());
    let chart = create(&phone, "Laras", "phone").await;
    for n in 0..20 {
        note(&phone, &chart, &format!("note {n}")).await;
    }
    for round in 0..3 {
        let (one, other) =
            tokio::join!(phone.call("backup_make", passphrase()), phone.call("backup_make", passphrase()));
        let list =
            until::<command::BackupList>(&phone, Value::Null, "it ends", |view| view["phase"] != "running");
        let list = list.await;
        assert_eq!((&list["phase"], &list["message_id"]), (&json!("done"), &Value::Null), "{round}: {list}");
        assert!(one.is_ok() && other.is_ok(), "{round}: {one:?} {other:?}");
        let made = list["backups"].as_array().map_or(0, Vec::len);
        assert!(made > round, "{round}: there is one more: {list}");
    }
}

/// The highest place of a setting in a closed vault.
fn last_setting(profile: &Path) -> i64 {
    let connection = rusqlite::Connection::open(vault_of(profile)).expect("it is a database");
    connection
        .query_row("SELECT coalesce(max(at), 0) FROM row WHERE kind = 9", [], |row| row.get(0))
        .expect("it has settings")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_servers_address_is_damaged_says_so_and_finds_back_without_a_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let profile = folder.path().join("phone");
    let phone = device(&profile);
    let chart = create(&phone, "Laras", "phone").await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    let before = last_setting(&profile);
    call::<command::VaultUnlock>(&phone, passphrase()).await;
    connect(&phone, &server).await;
    note(&phone, &chart, "kept").await;
    call::<command::SyncNow>(&phone, Value::Null).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    // The first setting that was made since: the address.
    let address = format!("(SELECT min(at) FROM row WHERE kind = 9 AND at > {before})");
    sql(&profile, &format!("UPDATE row SET body = zeroblob(length(body)) WHERE at = {address}"));
    call::<command::VaultUnlock>(&phone, passphrase()).await;
    let view = call::<command::SyncNow>(&phone, Value::Null).await;
    assert_eq!(
        (&view["phase"], &view["message_id"]),
        (&json!("refused"), &json!("error-damaged")),
        "it does not pass for an account without a server: {view}"
    );
    let view = mended(&phone).await;
    assert_eq!(view["left"][0]["kind"], "settings", "what is not brought back is named: {view}");
    let view = call::<command::SyncNow>(&phone, Value::Null).await;
    assert_eq!(
        (&view["phase"], &view["message_id"]),
        (&json!("no-server"), &json!("error-server-address")),
        "and what to do about it: {view}"
    );
    note(&phone, &chart, "written since").await;
    let args = json!({ "url": server.url, "code": "no code at all" });
    let view = call::<command::ServerConnect>(&phone, args).await;
    assert_eq!(view["phase"], "up-to-date", "the server knows the device: {view}");
    until::<command::Whereabouts>(&phone, Value::Null, "everything goes out", |view| {
        view["counts"]["device"] == 0
    })
    .await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_exchanges_state_is_lost_nobody_else_is_taken_for_the_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join("server");
    let server = Server::start(&at, "127.0.0.1:0").await;
    let profile = folder.path().join("phone");
    let phone = device(&profile);
    let chart = create(&phone, "Laras", "phone").await;
    connect(&phone, &server).await;
    note(&phone, &chart, "kept").await;
    call::<command::SyncNow>(&phone, Value::Null).await;
    let all = titles(&phone, &chart).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    // Everything of the exchange, the follower with its pin among it.
    sql(&profile, "DELETE FROM row WHERE kind = 8");
    // Somebody answers at the server's address, with all that the server had and another key.
    let address = server.stop().await;
    let posing = folder.path().join("posing");
    drop(Server::start(&posing, "127.0.0.1:0").await.stop().await);
    for file in std::fs::read_dir(&at).expect("a folder") {
        let file = file.expect("a file").path();
        let name = file.file_name().expect("a name");
        if name != "relay.key" {
            std::fs::copy(&file, posing.join(name)).expect("copied");
        }
    }
    let other = Server::start(&posing, &address).await;
    let view = mended(&phone).await;
    assert_eq!(view["phase"], "failed", "another key is not believed: {view}");
    other.stop().await;
    let server = Server::start(&at, &address).await;
    let view = mended(&phone).await;
    assert_eq!((&view["phase"], &view["by"]), (&json!("done"), &json!("server")), "its own is: {view}");
    assert_eq!(titles(&phone, &chart).await, all, "and everything is back");
    let view = call::<command::SyncNow>(&phone, Value::Null).await;
    assert_eq!(view["phase"], "up-to-date", "{view}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_servers_key_mending_asks_for_a_backup() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let profile = folder.path().join("phone");
    let phone = device(&profile);
    let chart = create(&phone, "Laras", "phone").await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    let before = last_setting(&profile);
    call::<command::VaultUnlock>(&phone, passphrase()).await;
    connect(&phone, &server).await;
    note(&phone, &chart, "kept").await;
    call::<command::SyncNow>(&phone, Value::Null).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    sql(&profile, "DELETE FROM row WHERE kind = 8");
    // The second setting that was made since: the key.
    let key = format!("(SELECT at FROM row WHERE kind = 9 AND at > {before} ORDER BY at LIMIT 1 OFFSET 1)");
    sql(&profile, &format!("UPDATE row SET body = zeroblob(length(body)) WHERE at = {key}"));
    let view = mended(&phone).await;
    assert_eq!((&view["by"], &view["aside"]), (&Value::Null, &Value::Null), "nothing was exchanged: {view}");
    let helps: Vec<_> = view["left"].as_array().into_iter().flatten().map(|left| &left["mend"]).collect();
    assert!(
        helps.contains(&&json!("backup")) && !helps.contains(&&json!("server")),
        "a backup helps: {view}"
    );
    drop(server);
}
