//! The profiles on which operations are killed, and what must hold of them afterwards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mecum_client::{App, Session};
use mecum_domain::Section;
use mecum_sync::Role;
use serde_json::{Value, json};

use crate::world;

pub(crate) const OPERATIONS: [&str; 8] =
    ["import", "fold", "device", "member", "erase", "mend", "restore", "aside"];
const NEEDLE: &str = "Wrongneedle";
const AFTER: &str = "After it";
/// Entries of the file that is brought in.
const IN_FILE: usize = 12;
const BEFORE: usize = 6;

/// A profile for each operation, made once.
pub(crate) struct Fixtures {
    profiles: BTreeMap<&'static str, tempfile::TempDir>,
}

/// In memory where there is such a place: this is not about the disk's speed.
fn folder() -> tempfile::TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.expect("a temporary folder")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn bundle() -> String {
    let observation = |n: usize| {
        json!({ "resource": { "resourceType": "Observation", "id": format!("made-up-{n}"), "status": "final",
            "effectiveDateTime": "2026-09-01", "code": { "text": format!("Of the file {n}") },
            "valueQuantity": { "value": n, "unit": "mmol/L" } } })
    };
    let entries: Vec<Value> = (0..IN_FILE).map(observation).collect();
    json!({ "resourceType": "Bundle", "type": "collection", "entry": entries }).to_string()
}

async fn asked(app: &App, name: &str, args: Value) -> Result<Value, String> {
    app.call(name, args).await.map_err(|error| format!("{name}: {error:?}"))
}

async fn ends(app: &App, name: &str) -> Result<Value, String> {
    for _ in 0..2_000 {
        let view = asked(app, name, Value::Null).await?;
        if view["phase"] != "running" {
            return Ok(view);
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    Err(format!("{name} has no end"))
}

fn passphrase() -> Value {
    json!({ "passphrase": world::WORDS })
}

async fn add(app: &App, chart: &str, name: &str) -> Result<Value, String> {
    let fields = json!([["name", name], ["dose", "5"]]);
    asked(app, "entry_add", json!({ "chart": chart, "kind": "medication-statement", "fields": fields })).await
}

async fn titles(app: &App, chart: &str) -> Vec<String> {
    let rows = world::rows(app, chart).await;
    rows.iter().filter_map(|row| row["title"].as_str().map(str::to_owned)).collect()
}

impl Fixtures {
    pub(crate) fn new() -> Self {
        let runtime = runtime();
        let profiles = OPERATIONS.iter().map(|operation| (*operation, runtime.block_on(made(operation))));
        Self { profiles: profiles.collect() }
    }

    /// A copy for one case.
    pub(crate) fn copy(&self, operation: &str) -> tempfile::TempDir {
        let copy = folder();
        copy_folder(self.profiles.get(operation).expect("it was made").path(), copy.path());
        copy
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let at: PathBuf = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &at);
        } else {
            std::fs::copy(entry.path(), at).expect("copied");
        }
    }
}

async fn made(operation: &str) -> tempfile::TempDir {
    let folder = folder();
    let app = world::device(folder.path());
    let chart = world::create(&app, "Laras", "phone").await;
    for n in 0..BEFORE {
        add(&app, &chart, &format!("Before {n}")).await.expect("added");
    }
    add(&app, &chart, NEEDLE).await.expect("added");
    let of = serde_json::from_value(json!(chart)).expect("a chart");
    match operation {
        "import" => {
            let file = bundle();
            std::fs::write(folder.path().join("file.base64"), world::base64(file.as_bytes()))
                .expect("written");
            std::fs::write(folder.path().join("file.json"), file).expect("written");
        }
        "device" => {
            let around = mecum_client::testing::surroundings(5);
            let pair = move |session: &mut Session| {
                drop(session.pair_for_tests("laptop", &mecum_vault::Location::Memory, around));
                Ok(())
            };
            app.with(pair).await.expect("paired");
        }
        "member" => {
            let let_in = move |session: &mut Session| {
                let mut other = Session::for_tests(9);
                session.let_in_for_tests(of, Section::Medications, Role::Writer, &mut other);
                Ok(())
            };
            app.with(let_in).await.expect("let in");
        }
        "restore" => {
            asked(&app, "backup_make", passphrase()).await.expect("begun");
            let made = ends(&app, "backup_list").await.expect("made");
            assert_eq!(made["phase"], "done", "a backup: {made}");
            add(&app, &chart, "Since the backup").await.expect("added");
        }
        _ => {}
    }
    asked(&app, "vault_lock", Value::Null).await.expect("locked");
    drop(app);
    if operation == "mend" {
        let sql = rusqlite::Connection::open(folder.path().join("vault.sqlite")).expect("a database");
        sql.execute("DELETE FROM row WHERE kind = 6", []).expect("plain SQL");
    }
    folder
}

/// What is wrong after an operation was killed, or went through, if anything.
pub(crate) fn judge(operation: &str, profile: &Path, done: bool) -> Result<(), String> {
    let runtime = runtime();
    let judged = runtime.block_on(judged(operation, profile, done));
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    judged
}

async fn judged(operation: &str, profile: &Path, done: bool) -> Result<(), String> {
    let app = world::device(profile);
    if operation == "aside" {
        begins_anew(&app, done).await?;
    }
    if let Err(why) = asked(&app, "vault_unlock", passphrase()).await {
        if operation != "mend" || done {
            return Err(format!("it does not open: {why}"));
        }
        asked(&app, "vault_mend", passphrase()).await?;
        let view = ends(&app, "mend_status").await?;
        if view["phase"] != "done" || view["left"] != json!([]) {
            return Err(format!("it is not mended: {view}"));
        }
    }
    let charts = asked(&app, "chart_list", Value::Null).await?;
    let chart = charts[0]["chart"].as_str().ok_or("no chart")?.to_owned();
    let before = titles(&app, &chart).await;
    has_what_was_saved(&before)?;
    right_after(operation, &app, &before, done).await?;
    goes_on(operation, &app, &chart).await?;
    add(&app, &chart, "At last").await?;
    let after = titles(&app, &chart).await;
    has_what_was_saved(&after)?;
    if !after.iter().any(|title| title == "At last") {
        return Err("what is written afterwards is not shown".to_owned());
    }
    let sound = app.with(|session| Ok(session.is_sound_for_tests())).await;
    if sound != Ok(true) {
        return Err(format!("the vault is not sound: {sound:?}"));
    }
    asked(&app, "vault_lock", Value::Null).await.map(drop)
}

/// A vault that was set aside leaves a place for a new one, and can be put back; otherwise it is where it was.
async fn begins_anew(app: &App, done: bool) -> Result<(), String> {
    let there = asked(app, "vault_status", Value::Null).await?["phase"] != "missing";
    if there {
        return if done { Err("it is not set aside".to_owned()) } else { Ok(()) };
    }
    let list = asked(app, "backup_list", Value::Null).await?;
    let aside = list["backups"].as_array().into_iter().flatten().find(|one| one["aside"] == true);
    let backup = aside.ok_or("what was there is nowhere")?["backup"].clone();
    let args =
        json!({ "passphrase": world::WORDS, "name": "Anew", "born": "1988-02-11", "device_name": "phone" });
    asked(app, "vault_create", args).await?;
    asked(app, "vault_lock", Value::Null).await?;
    asked(app, "backup_restore", json!({ "backup": backup, "passphrase": world::WORDS })).await?;
    asked(app, "vault_lock", Value::Null).await.map(drop)
}

fn has_what_was_saved(titles: &[String]) -> Result<(), String> {
    match (0..BEFORE).find(|n| !titles.contains(&format!("Before {n}"))) {
        Some(n) => Err(format!("entry {n} is lost: {titles:?}")),
        None => Ok(()),
    }
}

/// Whole or not at all, and not less than was said.
async fn right_after(operation: &str, app: &App, titles: &[String], done: bool) -> Result<(), String> {
    let has = |title: &str| titles.iter().any(|other| other == title);
    let right = match operation {
        "import" => {
            let kept = titles.iter().filter(|title| title.starts_with("Of the file")).count();
            if done { kept == IN_FILE } else { kept == 0 || kept == IN_FILE }
        }
        "device" | "member" => has(AFTER) || !done,
        "erase" => !done || !is_readable(app).await?,
        "restore" => !done || !has("Since the backup"),
        _ => has(NEEDLE),
    };
    if right { Ok(()) } else { Err(format!("half of it: {titles:?}")) }
}

/// The same again leads to the end.
async fn goes_on(operation: &str, app: &App, chart: &str) -> Result<(), String> {
    match operation {
        "import" => {
            world::bring_in(app, bundle().as_bytes(), Some(chart)).await;
            let kept =
                titles(app, chart).await.iter().filter(|title| title.starts_with("Of the file")).count();
            if kept != IN_FILE {
                return Err(format!("{kept} of the file's entries"));
            }
        }
        "fold" => app.with(Session::fold_for_tests).await.map_err(|error| format!("{error:?}"))?,
        "device" => {
            let devices = asked(app, "device_list", Value::Null).await?;
            for device in devices.as_array().into_iter().flatten().filter(|device| device["this"] != true) {
                asked(app, "device_remove", json!({ "device": device["device"] })).await?;
            }
        }
        "member" => {
            let members = asked(app, "member_list", json!({ "chart": chart })).await?;
            for member in members["members"].as_array().into_iter().flatten().skip(1) {
                let args = json!({ "chart": chart, "account": member["account"] });
                // Who is out already is not found.
                asked(app, "member_remove", args).await.ok();
            }
            let of = serde_json::from_value(json!(chart)).map_err(|error| error.to_string())?;
            let guests =
                app.with(move |session| Ok(session.guests_for_tests(of, Section::Medications))).await;
            if guests != Ok(0) {
                return Err(format!("somebody who was removed is in: {guests:?}"));
            }
        }
        "erase" => {
            let rows = world::rows(app, chart).await;
            if let Some(row) = rows.iter().find(|row| row["title"] == NEEDLE) {
                // It may have been decided already.
                let args = json!({ "chart": chart, "entry": row["entry"], "reason": "wrong" });
                asked(app, "entry_erase", args).await.ok();
            }
            app.with(Session::idle).await.map_err(|error| format!("{error:?}"))?;
            if is_readable(app).await? {
                return Err("what is erased can still be read".to_owned());
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether what was to be erased is anywhere in the vault.
async fn is_readable(app: &App) -> Result<bool, String> {
    let holds = |session: &mut Session| {
        let all = session.readable_for_tests();
        Ok(all.windows(NEEDLE.len()).any(|window| window == NEEDLE.as_bytes()))
    };
    app.with(holds).await.map_err(|error| format!("{error:?}"))
}
