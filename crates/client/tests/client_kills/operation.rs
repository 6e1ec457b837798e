//! One operation of the client in a process of its own, for a harness that kills it at each call. It is this test's own program, so that it
//! is never older than the harness. It says `done` by one unbuffered write once the app has said so; early, before it has begun: what the
//! harness has to notice.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mecum_client::{App, AppOptions, Session};
use mecum_seal::testing::fast_kdf;
use serde_json::{Value, json};

use crate::world::WORDS;

/// Where the process finds out which operation it is, on which vault, and whether it says too early that it is done.
const OPERATION: &str = "MECUM_KILLED_OPERATION";
const VAULT: &str = "MECUM_KILLED_VAULT";
const EARLY: &str = "MECUM_KILLED_EARLY";

/// The process of an operation.
pub(crate) fn program(operation: &str, vault: &Path, early: bool) -> Command {
    let own = std::env::current_exe().expect("a running test has a path");
    let mut program = Command::new(own);
    program.args(["--exact", "operation::the_operation_that_is_killed", "--ignored", "--nocapture"]);
    program.env(OPERATION, operation).env(VAULT, vault);
    if early {
        program.env(EARLY, "1");
    }
    program
}

/// Not a test: the process of one operation.
#[test]
#[ignore = "a process that is started by another test"]
fn the_operation_that_is_killed() {
    // One thread for all that waits for the disk: strace counts the calls of each thread for itself.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(play());
}

async fn play() {
    let operation = std::env::var(OPERATION).expect("it is told which");
    let vault = std::env::var(VAULT).expect("it is told where");
    let early = std::env::var(EARLY).is_ok();
    let profile = PathBuf::from(vault).parent().map(Path::to_owned).expect("a vault lies in a folder");
    // Idle work comes when it is asked for.
    let tick = Duration::from_hours(1);
    let app = App::open(AppOptions { kdf: fast_kdf(), tick, ..AppOptions::new(profile) });
    if early {
        say();
    }
    match run(&app, &operation).await {
        Ok(()) if early => {}
        Ok(()) => say(),
        Err(why) => {
            eprintln!("{why}");
            std::process::exit(1);
        }
    }
    // Moving the log into the file is a part of it.
    let _ = call(&app, "vault_lock", Value::Null).await;
}

fn say() {
    let mut out = std::io::stdout().lock();
    out.write_all(b"done\n").and_then(|()| out.flush()).expect("somebody listens");
}

async fn call(app: &App, name: &str, args: Value) -> Result<Value, String> {
    app.call(name, args).await.map_err(|error| format!("{name}: {error:?}"))
}

async fn run(app: &App, operation: &str) -> Result<(), String> {
    let words = json!({ "passphrase": WORDS });
    match operation {
        "mend" => {
            call(app, "vault_mend", words).await?;
            return ends(app, "mend_status", Value::Null).await;
        }
        "restore" => {
            let list = call(app, "backup_list", Value::Null).await?;
            let backup = list["backups"][0]["backup"].clone();
            return call(app, "backup_restore", json!({ "backup": backup, "passphrase": WORDS }))
                .await
                .map(drop);
        }
        "aside" => return call(app, "vault_set_aside", Value::Null).await.map(drop),
        _ => call(app, "vault_unlock", words).await?,
    };
    let chart = call(app, "chart_list", Value::Null).await?[0]["chart"].clone();
    match operation {
        "import" => {
            let file = std::fs::read(app.profile().join("file.json")).map_err(|error| error.to_string())?;
            let begun =
                call(app, "import_begin", json!({ "name": "file.json", "bytes": file.len() })).await?;
            let import = begun["import"].clone();
            let base64 = String::from_utf8_lossy(
                &std::fs::read(app.profile().join("file.base64")).map_err(|error| error.to_string())?,
            )
            .into_owned();
            call(app, "import_chunk", json!({ "import": import, "offset": 0, "base64": base64 })).await?;
            call(app, "import_look", json!({ "import": import })).await?;
            call(app, "import_run", json!({ "import": import, "into": "chart", "chart": chart })).await?;
            ends(app, "import_status", json!({ "import": import })).await
        }
        "fold" => app.with(Session::fold_for_tests).await.map_err(|error| format!("{error:?}")),
        "device" => {
            let devices = call(app, "device_list", Value::Null).await?;
            let other = devices.as_array().into_iter().flatten().find(|device| device["this"] != true);
            let device = other.ok_or("no other device")?["device"].clone();
            call(app, "device_remove", json!({ "device": device })).await?;
            add(app, &chart).await
        }
        "member" => {
            let members = call(app, "member_list", json!({ "chart": chart })).await?;
            // The first is the owner.
            let account = members["members"][1]["account"].clone();
            call(app, "member_remove", json!({ "chart": chart, "account": account })).await?;
            add(app, &chart).await
        }
        "erase" => {
            let page = call(app, "timeline", json!({ "chart": chart, "limit": 200 })).await?;
            let rows = page["rows"].as_array().cloned().unwrap_or_default();
            let wrong = rows.iter().find(|row| row["title"] == "Wrongneedle").ok_or("no such entry")?;
            let args = json!({ "chart": chart, "entry": wrong["entry"], "reason": "wrong" });
            call(app, "entry_erase", args).await?;
            app.with(Session::idle).await.map_err(|error| format!("{error:?}"))
        }
        other => Err(format!("no operation {other}")),
    }
}

/// The first words after a removal are under new keys.
async fn add(app: &App, chart: &Value) -> Result<(), String> {
    let fields = json!([["name", "After it"], ["dose", "1"]]);
    let args = json!({ "chart": chart, "kind": "medication-statement", "fields": fields });
    call(app, "entry_add", args).await.map(drop)
}

async fn ends(app: &App, name: &str, args: Value) -> Result<(), String> {
    for _ in 0..2_000 {
        let view = call(app, name, args.clone()).await?;
        match view["phase"].as_str() {
            Some("running" | "keeping") => tokio::time::sleep(Duration::from_millis(5)).await,
            Some("done") => return Ok(()),
            _ => return Err(format!("{name}: {view}")),
        }
    }
    Err(format!("{name} has no end"))
}
