//! Mending where something was erased and nothing was pruned: what took the erased document's place begins in what is fetched before
//! anything is brought over, and what was never sent stands in it.

use mecum_api::command;
use serde_json::{Value, json};

use super::parts::{LONGEST, Scene, comes_back, everything};
use super::repairs::installation;
use super::world::{Server, call, rows, until};
use super::{mended, note, passphrase, sql, titles};

/// Two devices that have carried out an erasure, and wrote in what took the document's place.
async fn after_an_erasure() -> Scene {
    let scene = Scene::new().await;
    let all = rows(&scene.phone, &scene.chart).await;
    let entry = all.iter().find(|row| row["title"] == "phone 0").expect("it is there")["entry"].clone();
    let args = json!({ "chart": scene.chart, "entry": entry, "reason": "" });
    call::<command::EntryErase>(&scene.phone, args).await;
    scene.settle().await;
    for app in [&scene.phone, &scene.tablet] {
        let has = titles(app, &scene.chart).await;
        assert!(!has.contains(&"phone 0".to_owned()), "it is erased: {has:?}");
    }
    for n in 0..16 {
        note(&scene.phone, &scene.chart, &format!("since then {n}")).await;
    }
    scene.settle().await;
    assert_eq!(everything(&scene.phone).await, everything(&scene.tablet).await, "both have the same");
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_took_an_erased_ones_place_is_mended_alone() {
    let scene = after_an_erasure().await;
    let changed = format!("UPDATE envelope SET body = zeroblob(length(body)) WHERE {LONGEST} AND n > 2");
    comes_back(&scene, "phone", &changed, "part").await;
    comes_back(&scene, "tablet", &changed, "part").await;
    drop(scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_took_an_erased_ones_place_is_mended_from_its_opening_where_its_log_is_folded() {
    let scene = after_an_erasure().await;
    // The tablet began from a snapshot: of what was opened before nothing was shown to it.
    for (name, by) in [("phone", "here"), ("tablet", "part")] {
        scene.fold().await;
        comes_back(&scene, name, "DELETE FROM row WHERE kind = 4", by).await;
    }
    drop(scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_is_mended_as_a_whole_after_an_erasure_and_what_was_never_sent_stands() {
    let scene = after_an_erasure().await;
    call::<command::VaultLock>(&scene.tablet, Value::Null).await;
    let folder = scene.folder.path().join("server");
    let address = scene.server.stop().await;
    for n in 0..3 {
        note(&scene.phone, &scene.chart, &format!("never sent {n}")).await;
    }
    let before = titles(&scene.phone, &scene.chart).await;
    let as_whom = installation(&scene.phone).await;
    call::<command::VaultLock>(&scene.phone, Value::Null).await;
    let profile = scene.folder.path().join("phone");
    // The state of the exchange, and the lists: nothing here tells what there was.
    sql(&profile, "DELETE FROM row WHERE kind = 8 AND at = (SELECT min(at) FROM row WHERE kind = 8)");
    sql(&profile, "DELETE FROM row WHERE kind = 6");
    let server = Server::start(&folder, &address).await;
    let view = mended(&scene.phone).await;
    assert_eq!((&view["phase"], &view["message_id"]), (&json!("done"), &Value::Null), "{view}");
    assert_eq!((&view["by"], &view["unsent"]), (&json!("server"), &json!(3)), "{view}");
    assert_ne!(installation(&scene.phone).await, as_whom, "a new life");
    assert_eq!(titles(&scene.phone, &scene.chart).await, before, "everything is there: {view}");
    until::<command::Whereabouts>(&scene.phone, Value::Null, "what was never sent goes out now", |view| {
        view["counts"]["device"] == 0
    })
    .await;
    call::<command::VaultUnlock>(&scene.tablet, passphrase()).await;
    for app in [&scene.phone, &scene.tablet, &scene.phone, &scene.tablet] {
        call::<command::SyncNow>(app, Value::Null).await;
    }
    assert_eq!(everything(&scene.tablet).await, everything(&scene.phone).await, "to the other device too");
    for app in [&scene.phone, &scene.tablet] {
        let status = call::<command::SyncStatus>(app, Value::Null).await;
        assert_eq!(status["quarantined"], 0, "nothing was put aside: {status}");
    }
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_to_be_erased_is_still_erased_after_the_vault_was_mended_as_a_whole() {
    let scene = Scene::new().await;
    let folder = scene.folder.path().join("server");
    let address = scene.server.stop().await;
    let all = rows(&scene.phone, &scene.chart).await;
    let entry = all.iter().find(|row| row["title"] == "phone 0").expect("it is there")["entry"].clone();
    let args = json!({ "chart": scene.chart, "entry": entry, "reason": "wrong person" });
    call::<command::EntryErase>(&scene.phone, args).await;
    let here = json!({ "chart": scene.chart });
    let waits = call::<command::ErasureList>(&scene.phone, here.clone()).await;
    assert_eq!(waits.as_array().map(Vec::len), Some(1), "without signal it waits: {waits}");
    call::<command::VaultLock>(&scene.phone, Value::Null).await;
    let profile = scene.folder.path().join("phone");
    // The state of the exchange.
    sql(&profile, "DELETE FROM row WHERE kind = 8 AND at = (SELECT min(at) FROM row WHERE kind = 8)");
    let server = Server::start(&folder, &address).await;
    let view = mended(&scene.phone).await;
    assert_eq!((&view["phase"], &view["by"]), (&json!("done"), &json!("server")), "{view}");
    let decided = call::<command::ErasureList>(&scene.phone, here).await;
    assert_eq!(decided[0]["reason"], "wrong person", "the decision stands: {decided}");
    let args = json!({ "chart": scene.chart, "offset": 0, "limit": 200 });
    until::<command::Timeline>(&scene.phone, args.clone(), "and is carried out", |page| {
        page["rows"].as_array().is_some_and(|rows| rows.iter().all(|row| row["title"] != "phone 0"))
    })
    .await;
    call::<command::SyncNow>(&scene.phone, Value::Null).await;
    call::<command::SyncNow>(&scene.tablet, Value::Null).await;
    until::<command::Timeline>(&scene.tablet, args, "with the other device too", |page| {
        page["rows"].as_array().is_some_and(|rows| rows.iter().all(|row| row["title"] != "phone 0"))
    })
    .await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_was_erased_elsewhere_bars_no_mending() {
    let scene = Scene::new().await;
    call::<command::VaultLock>(&scene.tablet, Value::Null).await;
    let all = rows(&scene.phone, &scene.chart).await;
    let entry = all.iter().find(|row| row["title"] == "phone 0").expect("it is there")["entry"].clone();
    let args = json!({ "chart": scene.chart, "entry": entry, "reason": "" });
    call::<command::EntryErase>(&scene.phone, args).await;
    for _ in 0..3 {
        call::<command::SyncNow>(&scene.phone, Value::Null).await;
    }
    let left = titles(&scene.phone, &scene.chart).await;
    assert!(!left.contains(&"phone 0".to_owned()), "it is erased: {left:?}");
    let profile = scene.folder.path().join("tablet");
    // The state of the exchange; the lists are sound, and name what was erased while this device was away.
    sql(&profile, "DELETE FROM row WHERE kind = 8 AND at = (SELECT min(at) FROM row WHERE kind = 8)");
    let view = mended(&scene.tablet).await;
    assert_eq!((&view["phase"], &view["message_id"]), (&json!("done"), &Value::Null), "{view}");
    assert_eq!(view["by"], "server", "{view}");
    assert_eq!(titles(&scene.tablet, &scene.chart).await, left, "everything else is there, and it is not");
    drop(scene);
}
