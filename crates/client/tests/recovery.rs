//! The recovery kit by the commands of the screens, over a relay on TCP: thirteen words on paper bring everything back, on the
//! device whose passphrase is forgotten and on an empty one. Nothing less than the right thirteen does anything at all.

#[path = "recovery/pruned.rs"]
mod pruned;
#[path = "support/world.rs"]
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mecum_api::{Code, command};
use mecum_client::App;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use world::{Server, WORDS, bring_in, call, connect, create, device, rows, until};

const NEW: &str = "jambu selokan wayang kompor terasi bambu";

/// A phone with a record that is at a server, and its kit.
struct Home {
    folder: TempDir,
    server: Server,
    phone: App,
    chart: String,
    kit: Vec<String>,
}

impl Home {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
        let phone = device(&folder.path().join("phone"));
        let chart = create(&phone, "Laras", "phone").await;
        connect(&phone, &server).await;
        let kit = make_kit(&phone).await;
        until::<command::KitStatus>(&phone, Value::Null, "the server knows of the kit", |kit| {
            kit["stored"] == true
        })
        .await;
        Self { folder, server, phone, chart, kit }
    }

    fn empty(&self, name: &str) -> App {
        device(&self.folder.path().join(name))
    }

    fn restore(&self, name: &str, alone: bool) -> Value {
        json!({ "server": self.server.url, "words": self.kit.join(" "), "passphrase": NEW, "device_name": name, "alone": alone })
    }
}

/// Makes a kit and types the asked words; answers all of them.
async fn make_kit(app: &App) -> Vec<String> {
    let kit = call::<command::KitMake>(app, json!({ "passphrase": WORDS })).await;
    let words = strings(&kit["words"]);
    let asked: Vec<String> = kit["asked"]
        .as_array()
        .expect("numbers")
        .iter()
        .map(|at| words[usize::try_from(at.as_u64().expect("a number")).expect("small") - 1].clone())
        .collect();
    let status = call::<command::KitConfirm>(app, json!({ "words": asked })).await;
    assert_eq!((&status["made"], &status["opens_this"]), (&json!(true), &json!(true)), "it counts: {status}");
    words
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

async fn note(app: &App, chart: &str, text: &str) {
    let fields = json!({ "chart": chart, "kind": "note", "fields": [["text", text]] });
    call::<command::EntryAdd>(app, fields).await;
}

async fn notes(app: &App, chart: &str) -> Vec<String> {
    let all = rows(app, chart).await;
    let mut texts: Vec<String> = all
        .iter()
        .filter(|row| row["kind"] == "note")
        .filter_map(|row| row["title"].as_str().map(str::to_owned))
        .collect();
    texts.sort();
    texts
}

async fn restored(app: &App, args: Value) {
    call::<command::AccountRestore>(app, args).await;
    until::<command::PairStatus>(app, Value::Null, "everything has come over", |view| {
        view["phase"] == "done"
    })
    .await;
}

/// Everything that a device holds: each entry's bytes, and the originals of what was brought in.
async fn everything(app: &App) -> Value {
    let charts = call::<command::ChartList>(app, Value::Null).await;
    let mut originals = Vec::new();
    for chart in charts.as_array().expect("charts") {
        for row in rows(app, chart["chart"].as_str().expect("an id")).await {
            if row["source"]["origin"] == "import" {
                let entry = json!({ "chart": chart["chart"], "entry": row["entry"] });
                originals.push(call::<command::EntryOriginal>(app, entry).await);
            }
        }
    }
    let print = app.with(|session| Ok(format!("{:?}", session.fingerprint()?))).await.expect("open");
    json!({ "originals": originals, "record": print })
}

fn bundle() -> Vec<u8> {
    let entry = |n: u32| {
        json!({ "resource": { "resourceType": "Observation", "id": format!("o{n}"), "status": "final",
            "subject": { "reference": "Patient/p" }, "effectiveDateTime": format!("202{}-01-02", n % 5),
            "code": { "coding": [{ "system": "http://loinc.org", "code": "4548-4" }], "text": "HbA1c" },
            "valueQuantity": { "value": f64::from(n) / 10.0, "unit": "%" } } })
    };
    let mut entries: Vec<Value> = (50..90).map(entry).collect();
    entries.push(json!({ "resource": { "resourceType": "Patient", "id": "p", "name": [{ "text": "Laras" }], "birthDate": "1988-02-11" } }));
    json!({ "resourceType": "Bundle", "type": "collection", "entry": entries }).to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn thirteen_words_bring_everything_back_on_an_empty_device_byte_for_byte() {
    let home = Home::new().await;
    bring_in(&home.phone, &bundle(), Some(&home.chart)).await;
    call::<command::ChartCreate>(
        &home.phone,
        json!({ "name": "Ibu Ratna", "born": null, "relation": "mother", "colour": null }),
    )
    .await;
    for n in 0..5 {
        note(&home.phone, &home.chart, &format!("note {n}")).await;
    }
    let synced = call::<command::SyncNow>(&home.phone, Value::Null).await;
    assert_eq!(synced["phase"], "up-to-date", "everything is at the server");
    let before = everything(&home.phone).await;
    assert!(before["originals"].as_array().expect("a list").len() >= 40, "there is something to lose");
    let empty = home.empty("restored");
    let args = home.restore("restored", false);
    let Home { folder, server, phone, chart, .. } = home;
    drop(phone);
    std::fs::remove_dir_all(folder.path().join("phone")).expect("the phone is gone with everything on it");
    restored(&empty, args).await;
    assert_eq!(everything(&empty).await, before, "the same record byte for byte");
    note(&empty, &chart, "written after").await;
    let synced = call::<command::SyncNow>(&empty, Value::Null).await;
    assert_eq!(synced["phase"], "up-to-date", "and it is a device like any other: {synced}");
    let kit = call::<command::KitStatus>(&empty, Value::Null).await;
    assert_eq!(
        (&kit["made"], &kit["opens_this"]),
        (&json!(true), &json!(true)),
        "its kit goes on being good: {kit}"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_word_at_any_of_thirteen_places_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(&folder.path().join("phone"));
    create(&phone, "Laras", "phone").await;
    let kit = make_kit(&phone).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let empty = device(&folder.path().join("empty"));
    let args = |words: &[String]| json!({ "server": url, "words": words.join(" "), "passphrase": NEW, "device_name": "empty", "alone": false });
    for at in 0..13 {
        for other in ["zebra", "xqzt", ""] {
            let mut wrong = kit.clone();
            if wrong[at] == other {
                continue;
            }
            wrong[at] = other.to_owned();
            let refused = empty.call("account_restore", args(&wrong)).await.expect_err("a wrong word");
            assert_eq!(refused.code, Code::BadKit, "word {} as {other:?}", at + 1);
            if other == "xqzt" {
                assert_eq!(refused.args["at"], (at + 1).to_string(), "a word of no list is named");
            }
            let locked = json!({ "words": wrong.join(" "), "passphrase": NEW });
            let refused = phone.call("vault_recover", locked).await.expect_err("a wrong word");
            assert_eq!(refused.code, Code::BadKit, "nor does it open the vault");
        }
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0, "nothing was sent anywhere");
    let tried = empty.call("account_restore", args(&kit));
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), tried).await;
    assert!(connections.load(Ordering::SeqCst) > 0, "control: the right words are sent on");
    let status = call::<command::VaultStatus>(&empty, Value::Null).await;
    assert_eq!(status["phase"], "missing", "and nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kit_opens_a_vault_whose_passphrase_is_forgotten_and_gives_it_a_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(&folder.path().join("phone"));
    let chart = create(&phone, "Laras", "phone").await;
    note(&phone, &chart, "before").await;
    let kit = make_kit(&phone).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    let weak = json!({ "words": kit.join(" "), "passphrase": "rahasia123" });
    assert_eq!(
        phone.call("vault_recover", weak).await.expect_err("too short").code,
        Code::WeakPassphrase,
        "judged"
    );
    let args = json!({ "words": kit.join("\n"), "passphrase": NEW });
    assert_eq!(call::<command::VaultRecover>(&phone, args).await["phase"], "open", "it opens");
    assert_eq!(notes(&phone, &chart).await.len(), 1, "with everything");
    call::<command::VaultLock>(&phone, Value::Null).await;
    let old =
        phone.call("vault_unlock", json!({ "passphrase": WORDS })).await.expect_err("the forgotten one");
    assert_eq!(old.code, Code::WrongPassphrase, "opens nothing any more");
    assert_eq!(
        call::<command::VaultUnlock>(&phone, json!({ "passphrase": NEW })).await["phase"],
        "open",
        "the new one does"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kit_counts_only_after_the_passphrase_and_the_asked_words_and_voids_the_one_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(&folder.path().join("phone"));
    create(&phone, "Laras", "phone").await;
    let refused = phone.call("kit_make", json!({ "passphrase": "a guess of somebody else" })).await;
    assert_eq!(refused.expect_err("asked again").code, Code::WrongPassphrase, "not without the passphrase");
    let shown = call::<command::KitMake>(&phone, json!({ "passphrase": WORDS })).await;
    assert_eq!(strings(&shown["words"]).len(), 13, "thirteen words");
    let wrong = phone.call("kit_confirm", json!({ "words": ["a", "b", "c"] })).await.expect_err("not these");
    assert_eq!(
        (wrong.code, wrong.args["at"].clone()),
        (Code::BadKit, shown["asked"][0].to_string()),
        "the first is named"
    );
    assert_eq!(call::<command::KitStatus>(&phone, Value::Null).await["made"], false, "nothing counts yet");
    call::<command::KitDrop>(&phone, Value::Null).await;
    let gone = phone.call("kit_confirm", json!({ "words": [] })).await.expect_err("given up");
    assert_eq!(gone.code, Code::NotFound, "it is forgotten");
    let first = make_kit(&phone).await;
    let second = make_kit(&phone).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    let open = |words: &[String]| json!({ "words": words.join(" "), "passphrase": NEW });
    let refused = phone.call("vault_recover", open(&first)).await.expect_err("replaced");
    assert_eq!(
        (refused.code, refused.message_id.as_str()),
        (Code::BadKit, "error-kit-other"),
        "the first paper is void"
    );
    assert_eq!(
        call::<command::VaultRecover>(&phone, open(&second)).await["phase"],
        "open",
        "the second is not"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_restores_alone_shuts_the_lost_device_out_and_it_is_told_and_keeps_what_it_has() {
    let home = Home::new().await;
    note(&home.phone, &home.chart, "before the loss").await;
    call::<command::SyncNow>(&home.phone, Value::Null).await;
    let empty = home.empty("restored");
    restored(&empty, home.restore("restored", true)).await;
    assert_eq!(notes(&empty, &home.chart).await.len(), 1, "everything came");
    let devices = call::<command::DeviceList>(&empty, Value::Null).await;
    assert_eq!(devices.as_array().map(Vec::len), Some(1), "it is alone: {devices}");
    note(&empty, &home.chart, "the finder must not read this").await;
    call::<command::SyncNow>(&empty, Value::Null).await;
    note(&home.phone, &home.chart, "written by the finder").await;
    let told = call::<command::SyncNow>(&home.phone, Value::Null).await;
    assert_eq!(told["phase"], "refused", "the lost device is refused: {told}");
    let id = told["message_id"].as_str().unwrap_or_default();
    assert!(["error-device-removed", "error-device-not-let-in"].contains(&id), "and told plainly: {told}");
    assert_eq!(notes(&home.phone, &home.chart).await.len(), 2, "it keeps what it has, and hears nothing new");
    call::<command::SyncNow>(&empty, Value::Null).await;
    assert_eq!(notes(&empty, &home.chart).await.len(), 2, "and what it writes reaches nobody");
    let again = home.empty("again");
    restored(&again, home.restore("again", false)).await;
    assert_eq!(notes(&again, &home.chart).await.len(), 2, "the same kit restores again, under the new key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kit_that_was_replaced_or_is_of_nobody_is_refused_with_one_answer() {
    let home = Home::new().await;
    let old = home.restore("empty", false);
    make_kit(&home.phone).await;
    call::<command::SyncNow>(&home.phone, Value::Null).await;
    let stranger = device(&home.folder.path().join("stranger"));
    create(&stranger, "Bima", "tablet").await;
    let nobodys = make_kit(&stranger).await.join(" ");
    let mut of_nobody = old.clone();
    of_nobody["words"] = nobodys.into();
    let empty = home.empty("empty");
    for (what, args) in [("replaced", old), ("of nobody here", of_nobody)] {
        let refused = empty.call("account_restore", args).await.expect_err("no such kit");
        let told = (refused.code, refused.message_id.as_str());
        assert_eq!(told, (Code::BadKit, "error-restore-unknown"), "a kit that is {what}");
    }
    assert_eq!(
        call::<command::VaultStatus>(&empty, Value::Null).await["phase"],
        "missing",
        "nothing was made"
    );
}
