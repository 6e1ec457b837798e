//! An exchange in short forms, with recovery helpers and over logs that were pruned, and the vaults and the server beside it:
//! `fixtures/v3/exchange`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mecum_api::command;
use mecum_client::{App, AppOptions};
use mecum_sync::{
    HelpersAnswer, HelpersStage, Item, SaidRequest, SessionGrant, SyncRequest, SyncResponse, decode,
};
use serde_json::{Value, json};

use super::recorded::{Exchange, Recorder, read, write};
use super::world::{Server, WORDS, call, create, pair, until};
use super::written::{NOW_MS, add, connect, finish, pack, sync};
use super::{
    MAX_FRAME, copied_from, expected_of, frames_that_changed, server_that_does_not_read_back, shipped,
    unlocked, unpacked, vaults_that_do_not_read_back,
};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const HELPERS: [&str; 3] = ["Ani", "Budi", "Citra"];

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/v3/exchange"))
}

/// What there has to be among the frames, or the fixture would hold less than it says.
fn kinds_of(exchanges: &[Exchange]) -> Vec<(&'static str, usize)> {
    let of = |path: &'static str| exchanges.iter().filter(move |exchange| exchange.path == path);
    let asked: Vec<SaidRequest> = of("/v1/sync").filter_map(|e| decode(&e.asked, MAX_FRAME).ok()).collect();
    let answers: Vec<SyncResponse> =
        of("/v1/sync").filter_map(|e| decode(&e.answered, MAX_FRAME).ok()).collect();
    let items =
        |is: fn(&Item) -> bool| answers.iter().flat_map(|answer| &answer.items).filter(|i| is(i)).count();
    let pruned = |is: fn(&mecum_sync::PruningAnswer) -> bool| {
        answers.iter().filter_map(|answer| answer.pruned.as_ref()).filter(|pruned| is(pruned)).count()
    };
    let standing = |stage| {
        let read = |e: &Exchange| decode::<HelpersAnswer>(&e.answered, MAX_FRAME).ok();
        of("/v1/helpers/fetch").filter_map(read).filter(|answer| answer.stage == stage).count()
    };
    let short = |e: &&Exchange| decode::<SyncRequest>(&e.asked, MAX_FRAME).is_err();
    let forms =
        |e: &&Exchange| decode::<SessionGrant>(&e.answered, MAX_FRAME).is_ok_and(|g| g.forms.is_some());
    vec![
        ("sessions with short forms", of("/v1/session").filter(forms).count()),
        ("requests in short forms", of("/v1/sync").filter(short).count()),
        ("requests that take confirmations", asked.iter().filter(|r| r.takes_confirmations()).count()),
        ("entries that are confirmed", items(|item| matches!(item, Item::Confirmed(_)))),
        ("snapshots among the items", items(|item| matches!(item, Item::Snapshot { .. }))),
        ("requests over what is pruned", asked.iter().filter(|request| request.over_pruned()).count()),
        ("spaces to verify", pruned(|answer| !answer.to_verify.is_empty())),
        ("snapshots that are shown", pruned(|answer| answer.shown.is_some())),
        ("what was verified", pruned(|answer| !answer.verified_outcomes.is_empty())),
        ("cursors that lie before what is pruned", of("/v1/sync").filter(|e| e.status == 410).count()),
        ("notices", answers.iter().filter(|answer| answer.helpers_notice.is_some()).count()),
        ("parts for the server", of("/v1/helpers/part").count()),
        ("requests by helpers", of("/v1/helpers/ask").count()),
        ("standing: waiting", standing(HelpersStage::Waiting)),
        ("standing: released", standing(HelpersStage::Released)),
        ("standing: stopped", standing(HelpersStage::Stopped)),
        ("requests that are stopped", of("/v1/helpers/stop").count()),
    ]
}

/// A profile with one of the kept vaults.
fn profile(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    copied_from(&fixtures(), name, folder.path());
    folder
}

/// Who has a part for whom, without when.
fn parts(list: &Value) -> Value {
    let of = |part: &Value| json!([part["account"], part["from"], part["number"], part["state"]]);
    list.as_array().expect("a list").iter().map(of).collect()
}

/// What an empty device has so far.
fn restoring(view: &Value) -> Value {
    json!([view["account"], view["device_name"], view["words"], view["parts"], view["released_ms"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_with_short_forms_helpers_and_pruning_is_read_and_written_by_this_version() {
    let exchanges = read(&fixtures().join("exchange.cbor"));
    let missing: Vec<_> = kinds_of(&exchanges).into_iter().filter(|(_, count)| *count == 0).collect();
    assert_eq!(missing, [], "every kind of frame is in it");
    let (looked, changed) = frames_that_changed(&exchanges);
    assert_eq!(changed, Vec::<String>::new(), "of {looked} frames");
    assert!(looked > 100, "they are looked at: {looked}");
    let mut damaged = exchanges;
    let at = damaged.iter().position(|e| e.path == "/v1/helpers/fetch").expect("recorded");
    damaged[at].answered.push(0);
    assert_eq!(frames_that_changed(&damaged).1.len(), 1, "control: a byte too many is noticed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vaults_and_the_server_of_that_exchange_are_read_by_this_version() {
    let expected = expected_of(&fixtures());
    assert_eq!(vaults_that_do_not_read_back(&fixtures()).await, Vec::<String>::new(), "who has helpers");
    let own = profile("vault.sqlite");
    let helpers = call::<command::HelpersGet>(&unlocked(own.path()).await, Value::Null).await;
    let states: Vec<_> =
        helpers["helpers"].as_array().expect("three").iter().map(|h| h["state"].clone()).collect();
    assert_eq!((states, &helpers["stored"]), (vec![json!("kept"); 3], &json!(true)), "{helpers}");
    let helper = profile("helper.sqlite");
    let kept = call::<command::PartList>(&unlocked(helper.path()).await, Value::Null).await;
    assert_eq!(parts(&kept), expected["parts"], "what a helper keeps");
    let empty = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(empty.path().join("restoring")).expect("made");
    let at = empty.path().join("restoring/vault.sqlite");
    std::fs::write(at, unpacked(&fixtures().join("restoring.sqlite"))).expect("written");
    let asker = shipped(empty.path());
    let view = call::<command::RestoreOpen>(&asker, json!({ "passphrase": WORDS })).await;
    assert_eq!(restoring(&view), expected["restoring"], "and an empty device that waits");
    assert_eq!(server_that_does_not_read_back(&fixtures()), None, "and the server");
}

/// Each helper opens their code, answers, is recognised, and takes their part.
async fn hand_over(laras: &App, helpers: &[App]) {
    for (number, helper) in (1..).zip(helpers) {
        let code = call::<command::HelpersCode>(laras, json!({ "number": number })).await;
        call::<command::PartOpen>(helper, json!({ "code": code["qr"] })).await;
        call::<command::PartAnswer>(helper, json!({ "accept": true })).await;
        reaches(laras, number, "asking").await;
        call::<command::HelpersAnswer>(laras, json!({ "number": number, "yes": true })).await;
        sync(helper).await;
        reaches(laras, number, "kept").await;
    }
}

/// Exchanges until a helper is so far.
async fn reaches(laras: &App, number: usize, state: &str) {
    for _ in 0..50 {
        sync(laras).await;
        let view = call::<command::HelpersGet>(laras, Value::Null).await;
        if view["helpers"][number - 1]["state"] == state {
            return;
        }
    }
    panic!("helper {number} never is {state}");
}

/// A helper gives their part to who asks.
async fn give(helper: &App, asker: &App, account: &Value) {
    let code = call::<command::RestoreCode>(asker, Value::Null).await;
    call::<command::PartAsked>(helper, json!({ "account": account, "code": code["qr"] })).await;
    call::<command::PartGive>(helper, json!({ "account": account })).await;
    call::<command::RestoreGet>(asker, Value::Null).await;
}

/// Something in two sections, sent.
async fn write_something(app: &App, chart: &str, text: &str) {
    let medicine = json!([["name", text], ["dose", "500"], ["dose-unit", "mg"], ["frequency", "08:00"]]);
    add(app, chart, "medication-statement", medicine).await;
    add(app, chart, "note", json!([["text", text]])).await;
    sync(app).await;
}

/// Copies a vault that nobody has open.
fn keep(profile: &Path, to: &Path) {
    let at = profile.join("vault.sqlite");
    for beside in ["-wal", "-shm"] {
        let beside = PathBuf::from(format!("{}{beside}", at.display()));
        assert!(std::fs::metadata(beside).map_or(0, |file| file.len()) == 0, "its log is in it");
    }
    std::fs::copy(at, to).expect("copied");
}

/// Of exchanges that say nothing new a few.
fn without_repetition(exchanges: Vec<Exchange>) -> Vec<Exchange> {
    let mut kept: Vec<Exchange> = Vec::new();
    for exchange in exchanges {
        let empty = exchange.path == "/v1/sync" && exchange.answered.len() < 60 && exchange.asked.len() < 60;
        let looks = exchange.path.starts_with("/v1/mailbox") && exchange.method == "GET";
        let same = |held: &&Exchange| {
            (held.path.as_str(), held.status, held.answered.len() / 64)
                == (exchange.path.as_str(), exchange.status, exchange.answered.len() / 64)
        };
        let seen = kept.iter().filter(same).count();
        if !((empty || looks || exchange.path == "/v1/challenge") && seen > 1 || seen > 12) {
            kept.push(exchange);
        }
    }
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exchange_of_version_3_is_written() {
    if std::env::var_os("MECUM_WRITE_FIXTURES").is_none() {
        return;
    }
    let to = fixtures();
    assert!(!to.join("expected.json").exists(), "what is kept is never written again");
    std::fs::create_dir_all(&to).expect("made");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let clock = Arc::new(AtomicI64::new(NOW_MS));
    let server = Server::start_pruning(&path("server"), &clock).await;
    let recorder =
        Recorder::start(server.url.trim_start_matches("http://").parse().expect("an address")).await;
    let device = |name: &str| App::open(AppOptions::new(path(name)));
    let laras = device("laras");
    let chart = create(&laras, "Laras", "phone").await;
    connect(&laras, &server, &recorder.url).await;
    let mut helpers = Vec::new();
    for name in HELPERS {
        let helper = device(name);
        create(&helper, name, "phone").await;
        connect(&helper, &server, &recorder.url).await;
        helpers.push(helper);
    }
    let chosen: Vec<Value> = HELPERS.iter().map(|name| json!({ "name": name })).collect();
    call::<command::HelpersSet>(&laras, json!({ "passphrase": WORDS, "helpers": chosen })).await;
    hand_over(&laras, &helpers).await;

    let (tablet, laptop) = (device("tablet"), device("laptop"));
    pair(&laras, &laptop, "laptop", WORDS).await;
    for app in [&laras, &laptop, &laras] {
        sync(app).await;
    }
    call::<command::VaultLock>(&laptop, Value::Null).await;
    for n in 0..3 {
        write_something(&laras, &chart, &format!("while it is away {n}")).await;
    }
    pair(&laras, &tablet, "tablet", WORDS).await;
    add(&tablet, &chart, "note", json!([["text", "of the tablet"]])).await;
    for app in [&tablet, &laras, &tablet] {
        sync(app).await;
    }
    server.prune(&path("server"), &clock, [&laras, &tablet]).await;
    add(&laras, &chart, "note", json!([["text", "after the pruning"]])).await;
    for app in [&laras, &tablet] {
        sync(app).await;
    }
    // Away since before what was pruned.
    call::<command::VaultUnlock>(&laptop, json!({ "passphrase": WORDS })).await;
    for app in [&laptop, &laras, &laptop] {
        sync(app).await;
    }

    let account = call::<command::HelpersGet>(&laras, Value::Null).await["account"].clone();
    let ask = json!({ "server": recorder.url, "account": account, "passphrase": WORDS, "device_name": "new phone" });
    let thief = device("thief");
    call::<command::RestoreAsk>(&thief, ask.clone()).await;
    sync(&laras).await;
    call::<command::HelpersStop>(&laras, Value::Null).await;
    call::<command::RestoreGet>(&thief, Value::Null).await;
    clock.fetch_add(31 * DAY_MS, Ordering::SeqCst);
    let asker = device("asker");
    call::<command::RestoreAsk>(&asker, ask).await;
    sync(&laras).await;
    give(&helpers[0], &asker, &account).await;
    let waiting = restoring(&call::<command::RestoreGet>(&asker, Value::Null).await);
    drop(asker);
    keep(&path("asker/restoring"), &to.join("restoring.sqlite"));
    // With a request that waits, parts, and what was pruned.
    let now_ms = clock.load(Ordering::SeqCst);
    mecum_relay::folder::backup(&path("server"), &to.join("server"), now_ms).expect("a backup");
    clock.fetch_add(7 * DAY_MS, Ordering::SeqCst);
    let asker = device("asker");
    call::<command::RestoreOpen>(&asker, json!({ "passphrase": WORDS })).await;
    give(&helpers[2], &asker, &account).await;
    call::<command::RestoreFinish>(&asker, json!({ "passphrase": WORDS, "alone": false })).await;
    until::<command::PairStatus>(&asker, Value::Null, "restored", |view| view["phase"] == "done").await;
    for app in [&asker, &laras, &tablet, &laras] {
        sync(app).await;
    }

    let kept = parts(&call::<command::PartList>(&helpers[0], Value::Null).await);
    call::<command::VaultLock>(&helpers[0], Value::Null).await;
    keep(&path(HELPERS[0]), &to.join("helper.sqlite"));
    let expected = json!({ "parts": kept, "restoring": waiting });
    finish(&laras, &to, &path("laras"), expected).await;
    let exchanges = without_repetition(recorder.take());
    println!("{:?}", kinds_of(&exchanges));
    write(&to.join("exchange.cbor"), &exchanges);
    for name in [
        "vault.sqlite",
        "backup.backup",
        "helper.sqlite",
        "restoring.sqlite",
        "exchange.cbor",
        "server/relay.sqlite",
    ] {
        pack(&to.join(name));
    }
    drop(server);
}
