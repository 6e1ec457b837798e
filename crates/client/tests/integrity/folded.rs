//! Logs of which envelopes were folded away: what of them cannot be made again is found before anybody needs it, and damage to them is
//! mended as damage to whole ones is.

use std::path::Path;

use mecum_api::command;
use mecum_client::{Session, check_vault};
use mecum_seal::testing::fast_kdf;
use serde_json::{Value, json};

use super::parts::{LONGEST, Scene, comes_back, everything};
use super::repairs::{copy_folder, installation};
use super::world::{Server, WORDS, call, rows};
use super::{checked, mended, note, titles, vault_of};

/// What a check of the closed file says.
fn said_of(profile: &Path, read_data: bool) -> Vec<String> {
    check_vault(&vault_of(profile), WORDS, read_data, fast_kdf()).expect("the passphrase is right").problems
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_be_made_again_is_found_by_the_check_and_mended_from_the_server() {
    let scene = Scene::new().await;
    let profile = scene.profile("phone");
    scene.fold().await;
    let sound = checked(&scene.phone).await;
    assert_eq!(
        (&sound["phase"], &sound["findings"]),
        (&json!("done"), &json!([])),
        "runs as they were folded"
    );
    let (before, as_whom) = (everything(&scene.phone).await, installation(&scene.phone).await);
    let spoilt = scene.phone.with(Session::spoil_runs_for_tests).await.expect("sealed");
    assert!(spoilt > 0, "there is a run");
    let found = checked(&scene.phone).await;
    let each = json!([{ "kind": "record", "count": spoilt, "mend": "part" }]);
    assert_eq!(found["findings"], each, "it is found, and who puts it right is said: {found}");
    assert_eq!(found["percent"], 100, "all was looked at: {found}");
    call::<command::VaultLock>(&scene.phone, Value::Null).await;
    assert_eq!(said_of(&profile, false), Vec::<String>::new(), "by its seal alone it is good");
    let said = said_of(&profile, true);
    let named = said.iter().filter(|line| line.contains("cannot be made again")).count();
    assert_eq!((named, said.len()), (spoilt, spoilt), "the closed file's check names each: {said:?}");
    let view = mended(&scene.phone).await;
    assert_eq!(
        (&view["phase"], &view["by"], &view["left"]),
        (&json!("done"), &json!("part"), &json!([])),
        "{view}"
    );
    assert_eq!(everything(&scene.phone).await, before, "everything stands as it stood: {view}");
    assert_eq!(installation(&scene.phone).await, as_whom, "and it goes on as itself");
    assert_eq!(checked(&scene.phone).await["findings"], json!([]), "the check is clean");
    note(&scene.phone, &scene.chart, "after").await;
    scene.settle().await;
    assert_eq!(everything(&scene.phone).await, everything(&scene.tablet).await, "both have the same");
    scene.fold().await;
    assert_eq!(checked(&scene.phone).await["findings"], json!([]), "and it is folded again");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_server_has_lost_a_run_that_cannot_be_made_again_nothing_of_the_record_is_given_for_it() {
    let scene = Scene::new().await;
    let (profile, server) = (scene.profile("phone"), scene.profile("server"));
    let Scene { folder, server: running, phone, tablet, chart, .. } = scene;
    let address = running.stop().await;
    copy_folder(&server, &folder.path().join("older"));
    let running = Server::start(&server, &address).await;
    // Doses of medicines that the older server has: no entry would be missing without them.
    for row in rows(&phone, &chart).await.iter().filter(|row| row["kind"] == "medication-statement") {
        let args = json!({ "chart": chart, "entry": row["entry"], "set": [["dose", "10"]] });
        call::<command::EntryEdit>(&phone, args).await;
    }
    for app in [&phone, &tablet, &phone] {
        call::<command::SyncNow>(app, Value::Null).await;
    }
    let before = everything(&phone).await;
    phone.with(Session::fold_everything_for_tests).await.expect("folds");
    assert!(phone.with(Session::spoil_runs_for_tests).await.expect("sealed") > 0, "there is a run");
    for app in [&phone, &tablet] {
        call::<command::VaultLock>(app, Value::Null).await;
    }
    running.stop().await;
    std::fs::remove_dir_all(&server).expect("the server is put back to an older backup");
    copy_folder(&folder.path().join("older"), &server);
    let running = Server::start(&server, &address).await;
    let view = mended(&phone).await;
    assert_eq!(view["message_id"], "error-mend-loses", "what it would cost is said: {view}");
    assert!(view["aside"].is_null() && view["by"].is_null(), "nothing was replaced: {view}");
    assert_eq!(view["vault"]["phase"], "open", "the vault opens as it is: {view}");
    assert_eq!(everything(&phone).await, before, "to the last dose");
    call::<command::VaultLock>(&phone, Value::Null).await;
    assert!(!said_of(&profile, true).is_empty(), "and it is still said");
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_damaged_is_mended_alone_where_its_log_is_folded_too() {
    let scene = Scene::new().await;
    let run = format!("{LONGEST} AND length(chain) > 32");
    let lost = format!("DELETE FROM envelope WHERE {run}");
    let changed = format!("UPDATE envelope SET body = zeroblob(length(body)) WHERE {run}");
    let beside =
        format!("UPDATE envelope SET body = zeroblob(length(body)) WHERE {LONGEST} AND length(chain) = 32");
    let row = "DELETE FROM row WHERE kind = 4 AND at = (SELECT max(at) FROM row WHERE kind = 4)";
    for (name, damage, by) in [
        ("phone", lost.as_str(), "part"),
        ("phone", changed.as_str(), "part"),
        ("phone", beside.as_str(), "part"),
        // What the row said stands in the opening of the document, and the snapshot has its words.
        ("phone", row, "here"),
        ("phone", "DELETE FROM row WHERE kind = 4", "here"),
        ("phone", "DELETE FROM row WHERE kind = 6", "here"),
        // It began from a snapshot: the opening was never shown to it.
        ("tablet", row, "part"),
        ("tablet", "DELETE FROM row WHERE kind = 5", "part"),
        ("tablet", changed.as_str(), "part"),
    ] {
        scene.fold().await;
        // Something lies beside the run that was not folded.
        for app in [&scene.phone, &scene.tablet] {
            note(app, &scene.chart, "since it was folded").await;
        }
        scene.settle().await;
        comes_back(&scene, name, damage, by).await;
        let has = titles(&scene.tablet, &scene.chart).await;
        assert!(has.len() > 16, "there is something to lose: {has:?}");
    }
}
