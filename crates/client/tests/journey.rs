//! One person's record on two devices over TCP: each device is an app of its own with its own vault folder, the server is
//! a relay with a data folder of its own, and all three speak only as they do in the product.

use std::path::Path;
use std::time::Duration;

use mecum_api::{Command, command};
use mecum_client::{App, AppOptions};
use mecum_relay::{Relay, RelayOptions};
use mecum_seal::testing::fast_kdf;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const WORDS: &str = "becak melati jembatan payung sirsak gitar";

struct Server {
    url: String,
    relay: Relay,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start(folder: &Path, address: &str) -> Server {
        let listener = TcpListener::bind(address).await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let relay = Relay::open(folder, RelayOptions::default()).expect("a folder takes a relay");
        let (stop, stopped) = oneshot::channel();
        let serving = relay.clone();
        let task = tokio::spawn(async move {
            let _ = serving.serve(listener, async { drop(stopped.await) }).await;
        });
        Server { url, relay, stop: Some(stop), task }
    }

    async fn stop(mut self) -> String {
        self.stop.take().map(|stop| stop.send(()));
        let _ = self.task.await;
        self.url.trim_start_matches("http://").to_owned()
    }
}

fn device(folder: &Path) -> App {
    App::open(AppOptions { kdf: fast_kdf(), ..AppOptions::new(folder.to_owned()) })
}

async fn call<C: Command>(app: &App, args: Value) -> Value {
    let answer = app.call(C::NAME, args.clone()).await;
    answer.unwrap_or_else(|error| panic!("{} {args} refused: {error:?}", C::NAME))
}

/// Asks again until `good`, at most 20 s.
async fn until<C: Command>(app: &App, args: Value, what: &str, good: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..200 {
        let answer = call::<C>(app, args.clone()).await;
        if good(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never: {what}; last {}", call::<C>(app, args).await);
}

async fn create(app: &App) -> String {
    let args =
        json!({ "passphrase": WORDS, "name": "Laras", "born": "1988-02-11", "device_name": "Laras's phone" });
    call::<command::VaultCreate>(app, args).await;
    let charts = call::<command::ChartList>(app, Value::Null).await;
    charts[0]["chart"].as_str().expect("the own chart").to_owned()
}

async fn connect(app: &App, server: &Server) {
    let code = server.relay.make_enrolment_code().expect("the relay makes a code");
    let sync = call::<command::ServerConnect>(app, json!({ "url": server.url, "code": code })).await;
    assert_eq!(sync["phase"], "up-to-date", "connected and exchanged: {sync}");
}

/// Pairs by the words, as two people at two screens would.
async fn pair(old: &App, new: &App) {
    let offer = call::<command::PairOffer>(old, Value::Null).await;
    let words: Vec<&str> =
        offer["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    let join = json!({ "code": words.join(" "), "server": offer["server"], "passphrase": WORDS, "device_name": "Laras's laptop" });
    call::<command::PairJoin>(new, join).await;
    let asked =
        until::<command::PairStatus>(old, Value::Null, "the phone asks", |view| view["phase"] == "asking")
            .await;
    assert_eq!(asked["other"], "Laras's laptop", "the phone names the device that asks");
    call::<command::PairApprove>(old, Value::Null).await;
    until::<command::PairStatus>(new, Value::Null, "the laptop is in", |view| view["phase"] == "done").await;
}

async fn add_amlodipine(app: &App, chart: &str) -> String {
    let fields = json!([["name", "Amlodipine"], ["dose", "5"], ["dose-unit", "mg"], ["frequency", "08:00"]]);
    let added = call::<command::EntryAdd>(
        app,
        json!({ "chart": chart, "kind": "medication-statement", "fields": fields }),
    )
    .await;
    added["entry"].as_str().expect("an entry").to_owned()
}

async fn set_dose(app: &App, chart: &str, entry: &str, dose: &str) {
    call::<command::EntryEdit>(app, json!({ "chart": chart, "entry": entry, "set": [["dose", dose]] })).await;
}

fn dose_values(clash: &Value) -> Vec<String> {
    clash["values"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| v["value"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clash_on_a_dose_shows_both_values_on_both_devices_and_a_person_settles_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let (phone, laptop) = (device(&folder.path().join("phone")), device(&folder.path().join("laptop")));
    let chart = create(&phone).await;
    let entry = add_amlodipine(&phone, &chart).await;
    let medicines = json!({ "chart": chart });
    let alone = call::<command::Medicines>(&phone, medicines.clone()).await;
    assert_eq!(alone["current"][0]["row"]["receipt"], "device", "nobody else has it yet");
    connect(&phone, &server).await;
    until::<command::Medicines>(&phone, medicines.clone(), "sent", |view| {
        view["current"][0]["row"]["receipt"] == "sent"
    })
    .await;
    pair(&phone, &laptop).await;
    until::<command::Medicines>(&laptop, medicines.clone(), "the laptop shows the dose", |view| {
        view["current"][0]["dose"] == "5 mg"
    })
    .await;
    until::<command::Medicines>(&phone, medicines.clone(), "received", |view| {
        view["current"][0]["row"]["receipt"] == "received"
    })
    .await;

    // Both offline: the server is gone.
    let address = server.stop().await;
    set_dose(&phone, &chart, &entry, "2.5").await;
    set_dose(&laptop, &chart, &entry, "10").await;
    let offline = call::<command::Whereabouts>(&phone, Value::Null).await;
    assert_eq!(offline["counts"]["device"], 1, "one thing waits on the phone: {offline}");
    let server = Server::start(&folder.path().join("server"), &address).await;

    for app in [&phone, &laptop] {
        let view = until::<command::Medicines>(app, medicines.clone(), "the clash shows", |view| {
            !view["clashes"][0].is_null()
        })
        .await;
        let mut values = dose_values(&view["clashes"][0]);
        values.sort();
        assert_eq!(values, ["10 mg", "2.5 mg"], "both values, none chosen");
        assert_eq!(view["clashes"][0]["agreed"]["value"], "5 mg", "the last agreed value is said");
        assert_eq!(view["current"][0]["on_hold"], true, "the dose is on hold");
        assert_eq!(view["current"][0]["dose"], Value::Null, "nothing was chosen");
        let devices: Vec<&str> = view["clashes"][0]["values"]
            .as_array()
            .expect("values")
            .iter()
            .filter_map(|v| v["device"].as_str())
            .collect();
        assert!(
            devices.contains(&"Laras's phone") && devices.contains(&"Laras's laptop"),
            "each says its device: {devices:?}"
        );
        assert!(view["clashes"][0]["values"][0]["at_ms"].as_i64().is_some_and(|at| at > 0), "and when");
    }
    let view = call::<command::Medicines>(&laptop, medicines.clone()).await;
    let right = view["clashes"][0]["values"]
        .as_array()
        .expect("values")
        .iter()
        .find(|v| v["value"] == "2.5 mg")
        .expect("the phone's");
    let settle = json!({ "chart": chart, "entry": entry, "field": "dose", "choice": right["choice"] });
    call::<command::ClashSettle>(&laptop, settle).await;
    for app in [&phone, &laptop] {
        let view = until::<command::Medicines>(app, medicines.clone(), "settled", |view| {
            view["current"][0]["dose"] == "2.5 mg"
        })
        .await;
        assert_eq!(view["clashes"].as_array().map(Vec::len), Some(0), "no clash is left");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clash_on_another_field_keeps_the_loser_in_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await;
    let (phone, laptop) = (device(&folder.path().join("phone")), device(&folder.path().join("laptop")));
    let chart = create(&phone).await;
    let entry = add_amlodipine(&phone, &chart).await;
    connect(&phone, &server).await;
    pair(&phone, &laptop).await;
    let medicines = json!({ "chart": chart });
    until::<command::Medicines>(&laptop, medicines.clone(), "the laptop has it", |view| {
        view["current"][0]["dose"] == "5 mg"
    })
    .await;
    let address = server.stop().await;
    for (app, reason) in [(&phone, "blood pressure"), (&laptop, "as the doctor said")] {
        call::<command::EntryEdit>(
            app,
            json!({ "chart": chart, "entry": entry, "set": [["reason", reason]] }),
        )
        .await;
    }
    let server = Server::start(&folder.path().join("server"), &address).await;
    let args = json!({ "chart": chart, "entry": entry });
    let both = |view: &Value| {
        let written: Vec<&Value> =
            view["history"].as_array().into_iter().flatten().filter(|h| h["field"] == "reason").collect();
        written.len() == 2 && written.iter().any(|h| h["lost"] == true)
    };
    let phone_view = until::<command::EntryGet>(&phone, args.clone(), "both in history", both).await;
    let laptop_view = until::<command::EntryGet>(&laptop, args, "both in history", both).await;
    assert_eq!(phone_view["fields"], laptop_view["fields"], "both devices show the same winner");
    assert_eq!(phone_view["clashes"].as_array().map(Vec::len), Some(0), "no person is asked about a reason");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_as_it_was_after_lock_and_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(&folder.path().join("phone"));
    let chart = create(&phone).await;
    let entry = add_amlodipine(&phone, &chart).await;
    call::<command::EntryDelete>(
        &phone,
        json!({ "chart": chart, "entry": entry, "reason": "typed by mistake" }),
    )
    .await;
    let gone = call::<command::Medicines>(&phone, json!({ "chart": chart })).await;
    assert_eq!(gone["current"].as_array().map(Vec::len), Some(0), "deleted");
    call::<command::EntryRestore>(&phone, json!({ "chart": chart, "entry": entry })).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    let refused = phone.call("home", Value::Null).await.expect_err("a locked vault shows nothing");
    assert_eq!(refused.code, mecum_api::Code::Locked, "locked is said");
    drop(phone);
    let again = device(&folder.path().join("phone"));
    let wrong = again
        .call("vault_unlock", json!({ "passphrase": "not these six words at all" }))
        .await
        .expect_err("wrong words");
    assert_eq!(wrong.code, mecum_api::Code::WrongPassphrase, "a wrong passphrase is a clear error");
    call::<command::VaultUnlock>(&again, json!({ "passphrase": WORDS })).await;
    let view = call::<command::Medicines>(&again, json!({ "chart": chart })).await;
    assert_eq!(view["current"][0]["dose"], "5 mg", "brought back and kept");
    let second = device(&folder.path().join("phone"));
    let in_use = second
        .call("vault_unlock", json!({ "passphrase": WORDS }))
        .await
        .expect_err("one vault, one process");
    assert_eq!(in_use.code, mecum_api::Code::InUse, "the second is told so");
}
