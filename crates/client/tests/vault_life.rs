//! The vault over its life, through the commands of the screens: it locks itself, slows guessing down, and says plainly when
//! its file is damaged, without removing anything.

#[path = "support/world.rs"]
mod world;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mecum_api::{Code, command};
use mecum_client::{App, AppOptions, Clock, FixedClock};
use serde_json::{Value, json};

use world::{WORDS, call, create, device, options};

/// 2026-09-08 08:00 UTC.
const NOW_MS: i64 = 1_788_854_400_000;

const MINUTE_MS: i64 = 60_000;

/// How often the watch looks.
const LOOK: Duration = Duration::from_millis(200);

fn device_at(folder: &Path, clock: &Arc<FixedClock>) -> App {
    let clock: Arc<dyn Clock> = clock.clone();
    App::open(AppOptions { clock, tick: LOOK, ..options(folder) })
}

async fn phase(app: &App) -> Value {
    call::<command::VaultStatus>(app, Value::Null).await["phase"].clone()
}

async fn set_auto_lock(app: &App, minutes: u16) {
    let mut settings = call::<command::SettingsGet>(app, Value::Null).await;
    settings["auto_lock_min"] = minutes.into();
    let kept = call::<command::SettingsSet>(app, settings).await;
    assert_eq!(kept["auto_lock_min"], minutes, "as chosen");
}

async fn add_note(app: &App, chart: &str, text: &str) {
    call::<command::EntryAdd>(app, json!({ "chart": chart, "kind": "note", "fields": [["text", text]] }))
        .await;
}

async fn unlock(app: &App, passphrase: &str) -> Result<Value, mecum_api::CallError> {
    app.call("vault_unlock", json!({ "passphrase": passphrase })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_nobody_uses_locks_itself_and_one_in_use_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(FixedClock::new(NOW_MS));
    let [quiet, used, never] =
        ["quiet", "used", "never"].map(|name| device_at(&folder.path().join(name), &clock));
    let mut charts = Vec::new();
    for app in [&quiet, &used, &never] {
        charts.push(create(app, "Laras", "phone").await);
    }
    set_auto_lock(&quiet, 5).await;
    set_auto_lock(&used, 5).await;
    set_auto_lock(&never, 0).await;
    add_note(&quiet, &charts[0], "written before it locked").await;
    clock.advance(4 * MINUTE_MS);
    call::<command::VaultTouch>(&used, Value::Null).await;
    clock.advance(2 * MINUTE_MS);
    for _ in 0..150 {
        if phase(&quiet).await == "locked" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(phase(&quiet).await, "locked", "six minutes without use, five allowed");
    // By now the watch has looked at the others too.
    tokio::time::sleep(10 * LOOK).await;
    assert_eq!(phase(&used).await, "open", "somebody was there two minutes ago");
    assert_eq!(phase(&never).await, "open", "it was told never to");
    let refused = quiet.call("home", Value::Null).await.expect_err("a locked vault shows nothing");
    assert_eq!(refused.code, Code::Locked, "and says so");
    unlock(&quiet, WORDS).await.expect("the passphrase opens it");
    let rows = world::rows(&quiet, &charts[0]).await;
    assert!(rows.iter().any(|row| row["kind"] == "note"), "what was written is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lock_is_heard_of_also_one_that_an_unlock_follows_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device_at(folder.path(), &Arc::new(FixedClock::new(NOW_MS)));
    create(&phone, "Laras", "phone").await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    unlock(&phone, WORDS).await.expect("the passphrase opens it");
    assert_eq!(phase(&phone).await, "open", "by what it is, nobody would know of the lock");
    assert_eq!(phone.locked_after(0).await, 1, "it is counted");
    let waits = tokio::spawn({
        let phone = phone.clone();
        async move { phone.locked_after(1).await }
    });
    call::<command::VaultTouch>(&phone, Value::Null).await;
    assert!(!waits.is_finished(), "nothing else is taken for one");
    for _ in 0..2 {
        call::<command::VaultLock>(&phone, Value::Null).await;
        call::<command::VaultLock>(&phone, Value::Null).await;
        unlock(&phone, WORDS).await.expect("the passphrase opens it");
    }
    assert!(waits.await.expect("it is told") >= 2, "who waits is told");
    assert_eq!(phone.locked_after(2).await, 3, "what is locked already is not locked once more");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passphrases_slow_down_also_after_a_restart_and_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(FixedClock::new(NOW_MS));
    let phone = device_at(folder.path(), &clock);
    let chart = create(&phone, "Laras", "phone").await;
    add_note(&phone, &chart, "kept").await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    let mut waits = Vec::new();
    for tries in 1..=6 {
        let wrong = unlock(&phone, "not these six words at all").await.expect_err("wrong words");
        assert_eq!(wrong.code, Code::WrongPassphrase, "a clear error");
        assert_eq!(wrong.args.get("tries"), Some(&tries.to_string()), "and how often");
        let wait: i64 =
            wrong.args.get("wait-s").and_then(|wait| wait.parse().ok()).expect("and how long to wait");
        waits.push(wait);
        if wait > 0 {
            let early = unlock(&phone, WORDS).await.expect_err("too early, even for the right words");
            assert_eq!(early.code, Code::Waiting, "the wait counts");
        }
        clock.advance(wait * 1_000);
    }
    assert_eq!(waits, [0, 0, 1, 2, 4, 8], "people mistype twice; then each wait is twice the last");
    let wrong = unlock(&phone, "not these six words at all").await.expect_err("wrong words");
    assert_eq!(wrong.args.get("wait-s").map(String::as_str), Some("16"), "the seventh");
    drop(phone);
    let again = device_at(folder.path(), &clock);
    let status = call::<command::VaultStatus>(&again, Value::Null).await;
    assert_eq!(
        (status["phase"].as_str(), status["failed"].as_u64()),
        (Some("locked"), Some(7)),
        "a restart forgets nothing"
    );
    assert_eq!(status["wait_s"], 16, "nor the wait");
    assert_eq!(
        unlock(&again, WORDS).await.expect_err("too early").code,
        Code::Waiting,
        "a restart is no way around"
    );
    clock.advance(16_000);
    unlock(&again, WORDS).await.expect("the right words open it");
    assert!(world::rows(&again, &chart).await.iter().any(|row| row["kind"] == "note"), "nothing was lost");
    assert_eq!(call::<command::VaultStatus>(&again, Value::Null).await["failed"], 0, "counted anew");
}

/// What lies in a folder: names and sizes.
fn listing(folder: &Path) -> Vec<(String, u64)> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut all: Vec<_> = entries
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), entry.metadata().expect("a file").len())
        })
        .filter(|(name, _)| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    all.sort();
    all
}

/// What is shown of a damaged vault is whole, or the damage is said: never a part as if it were all.
async fn said_or_whole(app: &App, chart: &str, what: &str) {
    match app.call("timeline", json!({ "chart": chart })).await {
        Ok(view) => assert_eq!(view["all"], 20, "{what}: nothing is missing"),
        Err(refused) => assert_eq!(refused.code, Code::Damaged, "{what}: said plainly"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_vault_is_said_plainly_and_nothing_of_it_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(folder.path());
    let chart = create(&phone, "Laras", "phone").await;
    for n in 0..20 {
        add_note(&phone, &chart, &format!("note {n} {}", "with some length ".repeat(20))).await;
    }
    call::<command::VaultLock>(&phone, Value::Null).await;
    drop(phone);
    let file = folder.path().join("vault.sqlite");
    let good = std::fs::read(&file).expect("a vault");
    let garbage = vec![0x5a; good.len()];
    let half = good[..good.len() / 2].to_vec();
    let mut zeroed = good.clone();
    let middle = (zeroed.len() / 2) & !4095;
    zeroed[middle..middle + 8192].fill(0);
    let mut flipped = good.clone();
    let at = flipped.len() - 3_000;
    flipped[at..at + 64].iter_mut().for_each(|byte| *byte ^= 1);
    for (what, bytes) in
        [("no database", garbage), ("cut in half", half), ("two pages lost", zeroed), ("empty", Vec::new())]
    {
        std::fs::write(&file, &bytes).expect("a damaged vault is put there");
        let before = listing(folder.path());
        let app = device(folder.path());
        if let Err(refused) = unlock(&app, WORDS).await {
            assert_eq!(refused.code, Code::Damaged, "{what}: said plainly, not as a wrong passphrase");
            assert!(!refused.message_id.is_empty(), "{what}: with words for a person");
        } else {
            // Pages that hold bodies alone are noticed when they are read.
            assert_eq!(what, "two pages lost", "{what}: does not open");
            said_or_whole(&app, &chart, what).await;
            call::<command::VaultLock>(&app, Value::Null).await;
        }
        let args = json!({ "passphrase": WORDS, "name": "Laras", "born": null, "device_name": "phone" });
        let made = app.call("vault_create", args).await.expect_err("no new vault is made over it");
        assert_eq!(made.code, Code::VaultExists, "{what}: the file is in the way, and stays");
        drop(app);
        for ((name, size), (name_now, size_now)) in before.iter().zip(listing(folder.path())) {
            assert!(
                *name == name_now && *size <= size_now,
                "{what}: {name} is still there, {size_now} of {size} bytes"
            );
        }
    }
    std::fs::write(&file, &flipped).expect("bits are flipped");
    let app = device(folder.path());
    if unlock(&app, WORDS).await.is_ok() {
        said_or_whole(&app, &chart, "flipped bits").await;
        call::<command::VaultLock>(&app, Value::Null).await;
    }
    drop(app);
    tokio::time::sleep(Duration::from_millis(200)).await;
    for log in ["vault.sqlite-wal", "vault.sqlite-shm"] {
        let _ = std::fs::remove_file(folder.path().join(log));
    }
    std::fs::write(&file, &good).expect("the good copy is put back");
    let app = device(folder.path());
    unlock(&app, WORDS).await.expect("the good copy opens: the lock file and its count were not spoilt");
    assert_eq!(world::rows(&app, &chart).await.len(), 20, "with everything");
}
