//! Answers that come too late or not at all, on the way into a chart and on the way back to one.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mecum_api::command;
use mecum_client::testing::NOW_MS;
use mecum_seal::AccountId;
use mecum_seal::testing::SeededEntropy;
use serde_json::{Value, json};

use crate::proxy::Proxy;
use crate::world::{Server, WORDS, call, connect, create, device, until};

async fn serve(folder: &Path) -> (Server, Proxy, Arc<AtomicI64>) {
    let now_ms = Arc::new(AtomicI64::new(NOW_MS));
    let server = Server::start_at(&folder.join("server"), &now_ms).await;
    let address: SocketAddr = server.url.trim_start_matches("http://").parse().unwrap();
    (server, Proxy::start(address).await, now_ms)
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_was_let_in_while_the_line_was_cut_is_not_told_that_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let (server, proxy, _) = serve(folder.path()).await;
    let (ratna, ani) = (device(&folder.path().join("ratna")), device(&folder.path().join("ani")));
    let chart = create(&ratna, "Ratna", "phone").await;
    let fields = json!([["name", "Metformin"], ["dose", "500"], ["dose-unit", "mg"]]);
    let medicine = json!({ "chart": chart, "kind": "medication-statement", "fields": fields });
    call::<command::EntryAdd>(&ratna, medicine).await;
    connect(&ratna, &server).await;
    create(&ani, "Ani", "laptop").await;
    let code = server.relay.make_enrolment_code().unwrap();
    call::<command::ServerConnect>(&ani, json!({ "url": proxy.url, "code": code })).await;
    let offer = json!({ "chart": chart, "sections": ["medications"], "role": "reader" });
    let shown = call::<command::MemberInvite>(&ratna, offer).await;
    // To her the same server is somewhere else.
    let code = shown["qr"].as_str().unwrap().replace(&server.url, &proxy.url);
    call::<command::InvitationOpen>(&ani, json!({ "code": code })).await;
    call::<command::InvitationAnswer>(&ani, json!({ "accept": true, "name": "Ani" })).await;
    until::<command::MemberStatus>(&ratna, Value::Null, "she answers", |view| view["phase"] == "asking")
        .await;
    // The welcome gets to her, and nothing else does.
    proxy.let_through_only("/v1/mailbox");
    call::<command::MemberApprove>(&ratna, Value::Null).await;
    until::<command::MemberStatus>(&ratna, Value::Null, "she is in", |view| view["phase"] == "done").await;
    until::<command::InvitationStatus>(&ani, Value::Null, "the welcome comes", |view| {
        view["phase"] != "waiting"
    })
    .await;
    let before = proxy.refused();
    proxy.until("she tries again", |proxy| proxy.refused() >= before + 2).await;
    let view = call::<command::InvitationStatus>(&ani, Value::Null).await;
    assert_eq!(view["phase"], "working", "it is not over: {view}");
    proxy.let_through_only("");
    until::<command::InvitationStatus>(&ani, Value::Null, "she is in", |view| view["phase"] == "done").await;
    let there = call::<command::Timeline>(&ani, json!({ "chart": chart, "limit": 9 })).await;
    assert_eq!(there["rows"][0]["title"], "Metformin", "with what was shared: {there}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_request_that_was_dropped_says_nothing_of_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, proxy, now_ms) = serve(folder.path()).await;
    let app = device(&folder.path().join("new"));
    let ask = |seed: u64| {
        let account = AccountId::random(&SeededEntropy::new(seed)).to_string();
        json!({ "server": proxy.url, "account": account, "passphrase": WORDS, "device_name": "tablet" })
    };
    let first = call::<command::RestoreAsk>(&app, ask(1)).await;
    assert_eq!((&first["phase"], &first["asked_ms"]), (&json!("waiting"), &json!(NOW_MS)), "asked: {first}");
    proxy.hold(Some("/v1/helpers/fetch"));
    let (late, asker) = (app.clone(), app.clone());
    let late = tokio::spawn(async move { late.call("restore_get", Value::Null).await });
    proxy.until("the server is asked how it stands", |proxy| proxy.held() >= 1).await;
    call::<command::RestoreDrop>(&asker, Value::Null).await;
    now_ms.fetch_add(5 * 60 * 60 * 1_000, Ordering::SeqCst);
    let second = call::<command::RestoreAsk>(&app, ask(2)).await;
    assert_ne!(second["asked_ms"], first["asked_ms"], "another request: {second}");
    proxy.hold(None);
    let seen = late.await.unwrap().unwrap();
    assert_eq!(seen, second, "what stood of the first is not said of the second");
}
