//! An app whose connection was cut comes back: what it says and hears then, all of it counted, and that it misses nothing.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use mecum_api::command;
use mecum_client::App;
use serde_json::{Value, json};

use crate::MAX_IDLE_BYTES;
use crate::proxy::Proxy;
use crate::world::{Server, WORDS, call, create, device, until};

/// Well below the 30 s between two exchanges that nothing asks for.
const SOON: Duration = Duration::from_secs(20);

async fn serve(folder: &Path) -> (Server, Proxy) {
    let server = Server::start(&folder.join("server"), "127.0.0.1:0").await;
    let address: SocketAddr = server.url.trim_start_matches("http://").parse().unwrap();
    (server, Proxy::start(address).await)
}

/// An app with a chart and a note, connected by the proxy, everything of it sent.
async fn connected(folder: &Path, server: &Server, proxy: &Proxy) -> (App, String) {
    let app = device(folder);
    let chart = create(&app, "Laras", "Laras's phone").await;
    note(&app, &chart, "before").await;
    let code = server.relay.make_enrolment_code().unwrap();
    let sync = call::<command::ServerConnect>(&app, json!({ "url": proxy.url, "code": code })).await;
    assert_eq!(sync["phase"], "up-to-date", "connected and exchanged: {sync}");
    proxy.until("the wake socket is open", |proxy| proxy.open() >= 1).await;
    proxy.quiet().await;
    (app, chart)
}

async fn note(app: &App, chart: &str, text: &str) {
    call::<command::EntryAdd>(app, json!({ "chart": chart, "kind": "note", "fields": [["text", text]] }))
        .await;
}

async fn wait_for_note(app: &App, chart: &str, text: &str) {
    until::<command::Timeline>(app, json!({ "chart": chart }), text, |view| view.to_string().contains(text))
        .await;
}

/// A second device that has another way to the server than the first.
async fn pair(phone: &App, laptop: &App, server: &Server) {
    let offer = call::<command::PairOffer>(phone, Value::Null).await;
    let words: Vec<&str> = offer["words"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let join = json!({ "code": words.join(" "), "server": server.url, "passphrase": WORDS, "device_name": "Laras's laptop" });
    call::<command::PairJoin>(laptop, join).await;
    until::<command::PairStatus>(phone, Value::Null, "the laptop asks", |view| view["phase"] == "asking")
        .await;
    call::<command::PairApprove>(phone, Value::Null).await;
    until::<command::PairStatus>(laptop, Value::Null, "the laptop is in", |view| view["phase"] == "done")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_back_with_nothing_new_costs_at_most_four_hundred_bytes_in_all() {
    let folder = tempfile::tempdir().unwrap();
    let (server, proxy) = serve(folder.path()).await;
    let (app, chart) = connected(&folder.path().join("phone"), &server, &proxy).await;
    for _ in 0..3 {
        let before = call::<command::SyncStatus>(&app, Value::Null).await;
        let counted = proxy.bytes();
        proxy.cut();
        proxy.until("the app comes back", |proxy| proxy.bytes() > counted && proxy.open() >= 1).await;
        proxy.quiet().await;
        let bytes = proxy.bytes() - counted;
        println!("coming back with nothing new: {bytes} bytes both ways with all headers");
        assert!(bytes > 100, "the proxy has counted: {bytes}");
        assert!(
            bytes <= MAX_IDLE_BYTES,
            "coming back costs {bytes} bytes, at most {MAX_IDLE_BYTES} are allowed"
        );
        let after = call::<command::SyncStatus>(&app, Value::Null).await;
        assert_eq!(after["phase"], "up-to-date", "the answer counts as hearing from the server: {after}");
        assert!(after["last_ms"].as_i64() > before["last_ms"].as_i64(), "just now: {before} {after}");
    }

    // What waits here is said all the same, though the server has nothing new.
    proxy.close(true);
    note(&app, &chart, "written while away").await;
    proxy.close(false);
    until::<command::Whereabouts>(&app, Value::Null, "it is sent", |view| view["counts"]["device"] == 0)
        .await;
    drop(app);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_misses_nothing_whether_the_server_answers_questions_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let (server, proxy) = serve(folder.path()).await;
    let (phone, chart) = connected(&folder.path().join("phone"), &server, &proxy).await;
    let laptop = device(&folder.path().join("laptop"));
    pair(&phone, &laptop, &server).await;
    wait_for_note(&laptop, &chart, "before").await;
    for (away, back) in [("one", "two"), ("three", "four")] {
        proxy.close(true);
        note(&laptop, &chart, away).await;
        until::<command::Whereabouts>(&laptop, Value::Null, "it is sent", |view| {
            view["counts"]["device"] == 0
        })
        .await;
        proxy.close(false);
        let began = Instant::now();
        wait_for_note(&phone, &chart, away).await;
        assert!(began.elapsed() < SOON, "it was fetched when the phone came back: {:?}", began.elapsed());
        proxy.quiet().await;
        let began = Instant::now();
        note(&laptop, &chart, back).await;
        wait_for_note(&phone, &chart, back).await;
        assert!(began.elapsed() < SOON, "it was woken, not polled: {:?}", began.elapsed());
        proxy.take_questions_off();
    }
    drop((phone, laptop));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_vault_is_signed_in_nowhere_and_unlocked_it_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (server, proxy) = serve(folder.path()).await;
    let (app, _) = connected(&folder.path().join("phone"), &server, &proxy).await;
    call::<command::VaultLock>(&app, Value::Null).await;
    proxy.until("every connection is closed", |proxy| proxy.open() == 0).await;
    call::<command::VaultUnlock>(&app, json!({ "passphrase": WORDS })).await;
    proxy.until("the wake socket is open again", |proxy| proxy.open() >= 1).await;
    until::<command::SyncStatus>(&app, Value::Null, "up to date", |view| view["phase"] == "up-to-date").await;
    drop(app);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_gone_gives_its_vault_free_whatever_it_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (server, proxy) = serve(folder.path()).await;
    let profile = folder.path().join("phone");
    let (app, chart) = connected(&profile, &server, &proxy).await;
    let counted = proxy.bytes();
    proxy.mute();
    note(&app, &chart, "said into the dark").await;
    proxy.until("an exchange is under way", |proxy| proxy.bytes() > counted + 500).await;
    drop(app);
    let began = Instant::now();
    let again = device(&profile);
    while let Err(error) = again.call("vault_unlock", json!({ "passphrase": WORDS })).await {
        assert_eq!(error.code, mecum_api::Code::InUse, "nothing else stands in the way: {error:?}");
        // The exchange itself is given up after ten seconds at the earliest: the server then closes what says nothing.
        assert!(began.elapsed() < Duration::from_secs(6), "the vault is still held");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(again);
    server.stop().await;
}
