//! Renaming and removing devices by the commands of the screens, over a relay on TCP.

#[path = "support/world.rs"]
mod world;

use mecum_api::{Code, command};
use mecum_client::App;
use serde_json::{Value, json};

use world::{Server, WORDS, call, connect, create, device, pair, rows, until};

async fn device_id(app: &App, name: &str) -> String {
    let list = call::<command::DeviceList>(app, Value::Null).await;
    let found = list.as_array().into_iter().flatten().find(|device| device["name"] == name);
    found
        .and_then(|device| device["device"].as_str())
        .unwrap_or_else(|| panic!("no {name} in {list}"))
        .to_owned()
}

async fn names(app: &App) -> Vec<String> {
    let list = call::<command::DeviceList>(app, Value::Null).await;
    let mut names: Vec<String> =
        list.as_array().into_iter().flatten().filter_map(|d| d["name"].as_str().map(str::to_owned)).collect();
    names.sort();
    names
}

async fn note(app: &App, chart: &str, text: &str) {
    let fields = json!({ "chart": chart, "kind": "note", "fields": [["text", text]] });
    call::<command::EntryAdd>(app, fields).await;
    call::<command::SyncNow>(app, Value::Null).await;
}

async fn count(app: &App, chart: &str) -> usize {
    rows(app, chart).await.iter().filter(|row| row["kind"] == "note").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_device_keeps_what_it_has_and_gets_and_sends_nothing_new() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let [phone, laptop, tablet] = ["phone", "laptop", "tablet"].map(|name| device(&folder.path().join(name)));
    let chart = create(&phone, "Laras", "phone").await;
    connect(&phone, &server).await;
    pair(&phone, &laptop, "laptop", WORDS).await;
    note(&phone, &chart, "for both").await;
    call::<command::SyncNow>(&laptop, Value::Null).await;
    let itself = phone.call("device_remove", json!({ "device": device_id(&phone, "phone").await })).await;
    assert_eq!(itself.expect_err("not this one").code, Code::Refused, "nobody saws off their own branch");
    let gone = json!({ "device": device_id(&phone, "laptop").await });
    call::<command::DeviceRemove>(&phone, gone.clone()).await;
    assert_eq!(names(&phone).await, ["phone"], "it is out of the list at once");
    let twice = phone.call("device_remove", gone).await.expect_err("it is gone");
    assert_eq!(twice.code, Code::NotFound, "and cannot be removed twice");
    call::<command::SyncNow>(&phone, Value::Null).await;
    note(&phone, &chart, "not for the laptop").await;
    note(&laptop, &chart, "for nobody").await;
    let told = call::<command::SyncNow>(&laptop, Value::Null).await;
    let id = told["message_id"].as_str().unwrap_or_default();
    assert!(["error-device-removed", "error-device-not-let-in"].contains(&id), "told plainly: {told}");
    assert_eq!(count(&laptop, &chart).await, 2, "it keeps and reads what it has");
    call::<command::SyncNow>(&phone, Value::Null).await;
    assert_eq!(count(&phone, &chart).await, 2, "what it writes reaches nobody");
    pair(&phone, &tablet, "tablet", WORDS).await;
    assert_eq!(
        count(&tablet, &chart).await,
        2,
        "a device that comes later reads what was there before the new key"
    );
    note(&tablet, &chart, "from the tablet").await;
    call::<command::SyncNow>(&phone, Value::Null).await;
    assert_eq!(count(&phone, &chart).await, 3, "and they go on together");
    let again = folder.path().join("phone");
    drop(phone);
    let phone = device(&again);
    until_unlocked(&phone).await;
    assert_eq!(count(&phone, &chart).await, 3, "the new key outlives a restart");
    assert_eq!(names(&phone).await, ["phone", "tablet"], "names under the old key too");
}

/// The app that ended a moment ago may still be letting go of the file.
async fn until_unlocked(app: &App) {
    for _ in 0..100 {
        if app.call("vault_unlock", json!({ "passphrase": WORDS })).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the vault is never let go of");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_gets_another_name_on_every_device() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let [phone, laptop] = ["phone", "laptop"].map(|name| device(&folder.path().join(name)));
    create(&phone, "Laras", "phone").await;
    connect(&phone, &server).await;
    pair(&phone, &laptop, "laptop", WORDS).await;
    let id = device_id(&phone, "laptop").await;
    let empty =
        phone.call("device_rename", json!({ "device": id, "name": "  " })).await.expect_err("no name");
    assert_eq!(empty.code, Code::Invalid, "a name has letters");
    call::<command::DeviceRename>(&phone, json!({ "device": id, "name": "Laptop in the kitchen" })).await;
    assert_eq!(names(&phone).await, ["Laptop in the kitchen", "phone"], "here at once");
    call::<command::SyncNow>(&phone, Value::Null).await;
    until::<command::DeviceList>(&laptop, Value::Null, "there as well", |list| {
        list.as_array().is_some_and(|all| all.iter().any(|device| device["name"] == "Laptop in the kitchen"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_devices_change_in_the_account_at_once_all_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let [phone, laptop, tablet, empty] =
        ["phone", "laptop", "tablet", "empty"].map(|name| device(&folder.path().join(name)));
    let chart = create(&phone, "Laras", "phone").await;
    connect(&phone, &server).await;
    pair(&phone, &laptop, "laptop", WORDS).await;
    pair(&phone, &tablet, "tablet", WORDS).await;
    note(&phone, &chart, "for all").await;
    call::<command::SyncNow>(&laptop, Value::Null).await;
    let [gone, named] = [device_id(&phone, "tablet").await, device_id(&laptop, "phone").await];
    let address = server.stop().await;
    // Nobody reaches the server: both write the same place of the account's log.
    call::<command::DeviceRemove>(&phone, json!({ "device": gone })).await;
    let kit = call::<command::KitMake>(&laptop, json!({ "passphrase": WORDS })).await;
    let words: Vec<&str> = kit["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    let asked: Vec<&str> = kit["asked"]
        .as_array()
        .expect("numbers")
        .iter()
        .map(|at| words[usize::try_from(at.as_u64().expect("a number")).expect("small") - 1])
        .collect();
    call::<command::KitConfirm>(&laptop, json!({ "words": asked })).await;
    call::<command::DeviceRename>(&laptop, json!({ "device": named, "name": "Phone by the window" })).await;
    let server = Server::start(&folder.path().join("server"), &address).await;
    for app in [&phone, &laptop, &phone, &laptop] {
        call::<command::SyncNow>(app, Value::Null).await;
    }
    for app in [&phone, &laptop] {
        until::<command::DeviceList>(app, Value::Null, "both changes stand", |list| {
            let list = list.to_string();
            list.contains("Phone by the window") && !list.contains("tablet")
        })
        .await;
    }
    note(&laptop, &chart, "under the new key").await;
    let restore = json!({ "server": server.url, "words": words.join(" "), "passphrase": WORDS, "device_name": "empty", "alone": false });
    call::<command::AccountRestore>(&empty, restore).await;
    until::<command::PairStatus>(&empty, Value::Null, "everything has come over", |view| {
        view["phase"] == "done"
    })
    .await;
    assert_eq!(
        count(&empty, &chart).await,
        2,
        "the kit, signed again after the removal, restores everything"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_let_in_while_another_is_removed_gets_every_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let [phone, laptop, old, tablet] =
        ["phone", "laptop", "old", "tablet"].map(|name| device(&folder.path().join(name)));
    let chart = create(&phone, "Laras", "phone").await;
    connect(&phone, &server).await;
    pair(&phone, &laptop, "laptop", WORDS).await;
    pair(&phone, &old, "old", WORDS).await;
    note(&phone, &chart, "under the first key").await;
    call::<command::SyncNow>(&laptop, Value::Null).await;
    let offer = call::<command::PairOffer>(&phone, Value::Null).await;
    let words: Vec<&str> =
        offer["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    let join = json!({ "code": words.join(" "), "server": offer["server"], "passphrase": WORDS, "device_name": "tablet" });
    call::<command::PairJoin>(&tablet, join).await;
    until::<command::PairStatus>(&phone, Value::Null, "the tablet asks", |view| view["phase"] == "asking")
        .await;
    let gone = device_id(&laptop, "old").await;
    let address = server.stop().await;
    call::<command::PairApprove>(&phone, Value::Null).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    call::<command::DeviceRemove>(&laptop, json!({ "device": gone })).await;
    let server = Server::start(&folder.path().join("server"), &address).await;
    // The laptop is first: its removal stands, and a chart of which the phone hears only later is under the new key.
    call::<command::SyncNow>(&laptop, Value::Null).await;
    let ratna = json!({ "name": "Ibu Ratna", "born": null, "relation": "mother", "colour": null });
    call::<command::ChartCreate>(&laptop, ratna).await;
    call::<command::SyncNow>(&laptop, Value::Null).await;
    call::<command::VaultUnlock>(&phone, json!({ "passphrase": WORDS })).await;
    until::<command::PairStatus>(&tablet, Value::Null, "the tablet is in", |view| view["phase"] == "done")
        .await;
    assert_eq!(names(&tablet).await, ["laptop", "phone", "tablet"], "with who stays");
    let charts = call::<command::ChartList>(&tablet, Value::Null).await.to_string();
    assert!(
        charts.contains("Ibu Ratna") && charts.contains("Laras"),
        "it opens what is under either key: {charts}"
    );
    let aside = call::<command::SyncStatus>(&tablet, Value::Null).await;
    assert_eq!(aside["quarantined"], 0, "and put nothing aside");
    server.stop().await;
}
