//! Damage that is confined to single documents: they alone are made again, from here or from the server, and nothing else changes.
//! The device goes on as itself, and what it never sent still waits and goes out. Also beside a server that has pruned.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use mecum_api::command;
use mecum_client::{App, Session};
use serde_json::{Value, json};

use super::repairs::installation;
use super::world::{Server, WORDS, call, connect, create, device, pair, until};
use super::{mended, note, passphrase, sql, titles};

/// 2026-09-08 08:00 UTC.
const NOW_MS: i64 = 1_788_854_400_000;

/// The log that has most envelopes, folded or not: a document's, and not the first one that is sent.
pub(crate) const LONGEST: &str =
    "document = (SELECT document FROM envelope GROUP BY document ORDER BY max(n) DESC, document LIMIT 1)";

pub(crate) struct Scene {
    pub(crate) folder: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    pub(crate) server: Server,
    pub(crate) phone: App,
    pub(crate) tablet: App,
    pub(crate) chart: String,
}

impl Scene {
    /// Two devices that have everything of each other; the tablet began from snapshots.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(AtomicI64::new(NOW_MS));
        let server = Server::start_pruning(&folder.path().join("server"), &clock).await;
        let (phone, tablet) = (device(&folder.path().join("phone")), device(&folder.path().join("tablet")));
        let chart = create(&phone, "Laras", "phone").await;
        connect(&phone, &server).await;
        for n in 0..6 {
            note(&phone, &chart, &format!("phone {n}")).await;
            let medicine = json!({ "chart": chart, "kind": "medication-statement",
                "fields": [["name", format!("Medicine {n}")], ["dose", "5"], ["dose-unit", "mg"]] });
            call::<command::EntryAdd>(&phone, medicine).await;
        }
        call::<command::SyncNow>(&phone, Value::Null).await;
        pair(&phone, &tablet, "tablet", WORDS).await;
        let scene = Self { folder, clock, server, phone, tablet, chart };
        for n in 0..4 {
            note(&scene.tablet, &scene.chart, &format!("tablet {n}")).await;
        }
        scene.settle().await;
        scene
    }

    pub(crate) async fn settle(&self) {
        for _ in 0..3 {
            call::<command::SyncNow>(&self.phone, Value::Null).await;
            call::<command::SyncNow>(&self.tablet, Value::Null).await;
        }
    }

    async fn prune(&self) {
        let server = self.folder.path().join("server");
        self.server.prune(&server, &self.clock, [&self.phone, &self.tablet]).await;
        self.settle().await;
    }

    /// Folds what the server has of both devices.
    pub(crate) async fn fold(&self) {
        for app in [&self.phone, &self.tablet] {
            app.with(Session::fold_everything_for_tests).await.expect("what the server has can be folded");
        }
    }

    pub(crate) fn profile(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Everything as a device shows it.
pub(crate) async fn everything(app: &App) -> String {
    app.with(|session| Ok(format!("{:?}", session.fingerprint()?))).await.expect("open")
}

/// Damages a device's vault, and mends it with the server at hand; answers what was said.
pub(crate) async fn damaged_and_mended(profile: &Path, app: &App, damage: &str) -> Value {
    call::<command::VaultLock>(app, Value::Null).await;
    sql(profile, damage);
    let found = call::<command::VaultExamine>(app, passphrase()).await;
    let view = mended(app).await;
    assert_eq!(
        (&view["phase"], &view["message_id"], &view["vault"]["phase"]),
        (&json!("done"), &Value::Null, &json!("open")),
        "{damage}: {view}"
    );
    // What was said before is how it was done, or that only this was needed.
    let said = found["findings"].as_array().into_iter().flatten().all(|finding| finding["mend"] != "server");
    assert!(said, "{damage}: that only this is fetched was said before: {found}");
    view
}

pub(crate) async fn comes_back(scene: &Scene, name: &str, damage: &str, by: &str) {
    let (app, profile) = if name == "phone" {
        (&scene.phone, scene.profile(name))
    } else {
        (&scene.tablet, scene.profile(name))
    };
    let (before, as_whom) = (everything(app).await, installation(app).await);
    let view = damaged_and_mended(&profile, app, damage).await;
    assert_eq!(view["by"], by, "{name}, {damage}: {view}");
    assert_eq!(everything(app).await, before, "{name}, {damage}: to the last change: {view}");
    assert_eq!(installation(app).await, as_whom, "{name}, {damage}: it goes on as itself");
    let aside = profile.join("aside").join(view["aside"].as_str().expect("a name"));
    assert!(aside.exists(), "{name}, {damage}: the damaged one is kept");
    note(app, &scene.chart, &format!("{name} after: {}", &damage[..damage.len().min(24)])).await;
    scene.settle().await;
    assert_eq!(
        titles(&scene.phone, &scene.chart).await,
        titles(&scene.tablet, &scene.chart).await,
        "{name}, {damage}"
    );
    for app in [&scene.phone, &scene.tablet] {
        let status = call::<command::SyncStatus>(app, Value::Null).await;
        assert_eq!(
            (&status["quarantined"], &status["phase"]),
            (&json!(0), &json!("up-to-date")),
            "{name}, {damage}: {status}"
        );
    }
    assert_eq!(
        everything(&scene.phone).await,
        everything(&scene.tablet).await,
        "{name}, {damage}: both have the same"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_damaged_is_mended_alone_and_the_device_goes_on_as_itself() {
    let scene = Scene::new().await;
    let lost = format!("DELETE FROM envelope WHERE {LONGEST} AND n = 1");
    let changed = format!("UPDATE envelope SET body = zeroblob(length(body)) WHERE {LONGEST} AND n > 2");
    for (name, damage, by) in [
        ("phone", lost.as_str(), "part"),
        ("phone", changed.as_str(), "part"),
        ("phone", "DELETE FROM row WHERE kind = 4 AND at = (SELECT max(at) FROM row WHERE kind = 4)", "here"),
        ("tablet", "DELETE FROM row WHERE kind = 5", "part"),
        ("tablet", changed.as_str(), "part"),
    ] {
        comes_back(&scene, name, damage, by).await;
    }
    drop(scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_sent_waits_on_where_another_document_is_mended() {
    let scene = Scene::new().await;
    call::<command::VaultLock>(&scene.tablet, Value::Null).await;
    // The server is there for the mending, and was not while this was written.
    let folder = scene.folder.path().join("server");
    let address = scene.server.stop().await;
    for n in 0..3 {
        note(&scene.phone, &scene.chart, &format!("never sent {n}")).await;
    }
    let before = everything(&scene.phone).await;
    let as_whom = installation(&scene.phone).await;
    call::<command::VaultLock>(&scene.phone, Value::Null).await;
    // An envelope that the server has, in the log that the unsent ones lie in too.
    let profile = scene.folder.path().join("phone");
    sql(&profile, &format!("DELETE FROM envelope WHERE {LONGEST} AND n = 1"));
    let view = mended(&scene.phone).await;
    assert_eq!(view["message_id"], "error-offline", "without the server nothing is replaced: {view}");
    assert!(view["aside"].is_null(), "{view}");
    let server = Server::start(&folder, &address).await;
    let view = mended(&scene.phone).await;
    assert_eq!((&view["by"], &view["unsent"]), (&json!("part"), &json!(3)), "{view}");
    assert_eq!(everything(&scene.phone).await, before, "everything stands as it stood");
    assert_eq!(installation(&scene.phone).await, as_whom, "and it goes on as itself");
    until::<command::Whereabouts>(&scene.phone, Value::Null, "what was never sent goes out now", |view| {
        view["counts"]["device"] == 0
    })
    .await;
    call::<command::VaultUnlock>(&scene.tablet, passphrase()).await;
    for app in [&scene.phone, &scene.tablet, &scene.phone] {
        call::<command::SyncNow>(app, Value::Null).await;
    }
    assert_eq!(everything(&scene.tablet).await, everything(&scene.phone).await, "to the other device too");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_vault_is_mended_beside_a_server_that_has_pruned() {
    let scene = Scene::new().await;
    scene.prune().await;
    note(&scene.tablet, &scene.chart, "after the pruning").await;
    scene.settle().await;
    let changed = format!("UPDATE envelope SET body = zeroblob(length(body)) WHERE {LONGEST} AND n <= 2");
    comes_back(&scene, "phone", &changed, "part").await;
    comes_back(&scene, "tablet", "DELETE FROM row WHERE kind = 5", "part").await;
    // The whole way: the state of the exchange is hit.
    let before = titles(&scene.phone, &scene.chart).await;
    let as_whom = installation(&scene.phone).await;
    call::<command::VaultLock>(&scene.phone, Value::Null).await;
    sql(
        &scene.profile("phone"),
        "DELETE FROM row WHERE kind = 8 AND at = (SELECT min(at) FROM row WHERE kind = 8)",
    );
    let view = mended(&scene.phone).await;
    assert_eq!((&view["phase"], &view["message_id"]), (&json!("done"), &Value::Null), "{view}");
    assert_eq!(view["by"], "server", "{view}");
    assert_ne!(installation(&scene.phone).await, as_whom, "a new life");
    assert_eq!(titles(&scene.phone, &scene.chart).await, before, "everything is there: {view}");
    note(&scene.phone, &scene.chart, "in the new life").await;
    scene.settle().await;
    assert_eq!(everything(&scene.phone).await, everything(&scene.tablet).await, "both have the same");
    drop(scene);
}
