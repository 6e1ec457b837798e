use std::time::Duration;

use mecum_faults::{Call, Disk};
use serde_json::{Value, json};

use crate::app::App;
use crate::commands::dispatch;
use crate::commands::tests::open_app;

async fn call(app: &App, name: &str, args: Value) -> Value {
    dispatch(app, name, args).await.unwrap_or_else(|error| panic!("{name}: {}", error.message_id))
}

/// An open app with a weight in its chart, and what edits it.
async fn with_a_weight(folder: &std::path::Path) -> (App, Value, Value) {
    let app = open_app(folder).await;
    let chart = call(&app, "chart_list", Value::Null).await[0]["chart"].clone();
    let fields = json!([["code", "29463-7"], ["value", "60"], ["unit", "kg"], ["effective", "2026-09-01"]]);
    let added = json!({"chart": chart, "kind": "vital-sign", "fields": fields});
    let entry = call(&app, "entry_add", added).await["entry"].clone();
    (app, chart, entry)
}

fn weigh(app: &App, chart: &Value, entry: &Value, kg: u32) -> tokio::task::JoinHandle<Value> {
    let (app, args) =
        (app.clone(), json!({"chart": chart, "entry": entry, "set": [["value", kg.to_string()]]}));
    tokio::spawn(async move { call(&app, "entry_edit", args).await })
}

#[tokio::test]
async fn a_hundred_edits_that_come_together_are_synced_twice_and_each_is_an_envelope() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = Disk::watch(folder.path());
    let (app, chart, entry) = with_a_weight(folder.path()).await;
    tokio::time::sleep(super::CLOSELY).await;
    let envelopes = |app: &App| {
        let session = app.inner.open_session();
        session.as_ref().map(|session| session.spaces.values().map(|space| space.own_seq).sum::<u64>())
    };
    let before = envelopes(&app).expect("open");
    disk.plan(None);
    let mut edits = Vec::new();
    for number in 0..100 {
        edits.push(weigh(&app, &chart, &entry, 40 + number));
        if number == 0 {
            // It is on its way to the disk by now: it waits for nobody.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    for edit in edits {
        edit.await.expect("each is answered, and says that it is saved");
    }
    let syncs = disk.calls().into_iter().filter(|call| *call == Call::Sync).count();
    assert!(syncs <= 2, "the first at once, the rest together, and not {syncs} times");
    assert_eq!(envelopes(&app), Some(before + 100), "and nothing is put together that was written apart");
    let shown = call(&app, "entry_get", json!({"chart": chart, "entry": entry})).await;
    assert!(shown.to_string().contains("139"), "the last one stands: they keep their order");
}

#[tokio::test]
async fn an_edit_that_waits_is_kept_when_the_vault_is_locked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (app, chart, entry) = with_a_weight(folder.path()).await;
    let waiting = [weigh(&app, &chart, &entry, 61), weigh(&app, &chart, &entry, 62)];
    tokio::time::sleep(Duration::from_millis(40)).await;
    call(&app, "vault_lock", Value::Null).await;
    for edit in waiting {
        edit.await.expect("locking ends the waiting, and not the edit");
    }
    let passphrase = json!({"passphrase": "six invented words that nobody says"});
    call(&app, "vault_unlock", passphrase).await;
    let shown = call(&app, "entry_get", json!({"chart": chart, "entry": entry})).await.to_string();
    assert!(shown.contains("62") || shown.contains("61"), "what was answered is there");
}

#[tokio::test]
async fn of_several_edits_each_has_its_own_answer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (app, chart, entry) = with_a_weight(folder.path()).await;
    let good = weigh(&app, &chart, &entry, 61);
    let missing = json!({"chart": chart, "entry": entry, "set": [["value", "no number"]]});
    let (refused, good) = tokio::join!(dispatch(&app, "entry_edit", missing), good);
    assert!(refused.is_err(), "what is wrong is refused");
    good.expect("what came with it is saved");
}

#[tokio::test]
async fn edits_that_cannot_be_made_durable_are_said_to_be_not_saved() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = Disk::watch(folder.path());
    let (app, chart, entry) = with_a_weight(folder.path()).await;
    let fault = mecum_faults::Plan { fault: mecum_faults::Fault::SyncLoses, at: 0, for_ever: true };
    disk.plan(Some(fault));
    let edit = |kg: u32| json!({"chart": chart, "entry": entry, "set": [["value", kg.to_string()]]});
    let (one, two) =
        tokio::join!(dispatch(&app, "entry_edit", edit(61)), dispatch(&app, "entry_edit", edit(62)));
    for answer in [one, two] {
        let error = answer.expect_err("nothing was synced");
        assert_eq!(error.code, mecum_api::Code::NotSaved, "and the person is told");
    }
    disk.plan(None);
    call(&app, "entry_edit", edit(63)).await;
}
