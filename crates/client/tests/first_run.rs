//! The vault's first moments and its opening, when something comes in between: an interruption, a second caller, a panic.

#[path = "support/world.rs"]
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mecum_api::{CallError, Code, command};
use mecum_client::{App, AppOptions, SessionError};
use mecum_domain::Relation;
use mecum_seal::Entropy;
use mecum_seal::testing::SeededEntropy;
use serde_json::{Value, json};

use world::{WORDS, call, create, device, options};

/// Randomness that ends the work that asks for it, after so many times: each step of making a vault needs some.
struct Interrupting {
    seeded: SeededEntropy,
    left: AtomicI64,
}

impl Entropy for Interrupting {
    fn fill(&self, out: &mut [u8]) {
        assert!(self.left.fetch_sub(1, Ordering::SeqCst) > 0, "interrupted here");
        self.seeded.fill(out);
    }
}

fn first_args() -> Value {
    json!({ "passphrase": WORDS, "name": "Laras", "born": "1988-02-11", "device_name": "phone" })
}

async fn unlock(app: &App) -> Result<Value, CallError> {
    app.call("vault_unlock", json!({ "passphrase": WORDS })).await
}

/// The names on the charts.
async fn people(app: &App) -> Vec<String> {
    let list = call::<command::ChartList>(app, Value::Null).await;
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|chart| chart["name"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_that_is_interrupted_anywhere_leaves_nothing_or_a_record_that_opens() {
    let (mut nothing, mut opened) = (0, 0);
    for steps in 0.. {
        let folder = tempfile::tempdir().expect("a folder");
        let entropy: Arc<dyn Entropy> = Arc::new(Interrupting {
            seeded: SeededEntropy::new(steps),
            left: AtomicI64::new(steps.cast_signed()),
        });
        let app = App::open(AppOptions { entropy, ..options(folder.path()) });
        let made = app.call("vault_create", first_args()).await;
        if made.is_ok() {
            break;
        }
        drop(app);
        let again = device(folder.path());
        let phase = call::<command::VaultStatus>(&again, Value::Null).await["phase"].clone();
        if phase == "missing" {
            nothing += 1;
            create(&again, "Laras", "phone").await;
        } else {
            opened += 1;
            let view = unlock(&again).await;
            assert!(view.is_ok(), "interrupted at step {steps}: what there is opens: {view:?}");
        }
        assert_eq!(
            people(&again).await,
            ["Laras"],
            "interrupted at step {steps}: with the person's own chart"
        );
    }
    println!("{nothing} times nothing was left, {opened} times a record");
    assert!(nothing > 5 && opened > 5, "both sides of the moment were met: {nothing} and {opened}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_unlocks_at_once_both_find_the_vault_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = device(folder.path());
    create(&app, "Laras", "phone").await;
    for _ in 0..5 {
        call::<command::VaultLock>(&app, Value::Null).await;
        let (a, b, c) = tokio::join!(unlock(&app), unlock(&app), unlock(&app));
        for view in [a, b, c] {
            assert_eq!(view.expect("no one is told that it is in use")["phase"], "open", "open");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_command_is_an_error_and_the_record_goes_on_from_what_was_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = device(folder.path());
    let chart = create(&app, "Laras", "phone").await;
    let note = json!({ "chart": chart, "kind": "note", "fields": [["text", "kept"]] });
    call::<command::EntryAdd>(&app, note).await;
    let outcome: Result<(), CallError> =
        app.with(|_| -> Result<(), SessionError> { panic!("half way through a step") }).await;
    assert_eq!(outcome.expect_err("a panic is an error").code, Code::Internal, "said as one");
    let status = call::<command::VaultStatus>(&app, Value::Null).await;
    assert_eq!(status["phase"], "open", "the session was begun anew from the vault");
    let notes = async || {
        let rows = world::rows(&app, &chart).await;
        rows.iter().filter(|row| row["kind"] == "note").count()
    };
    assert_eq!(notes().await, 1, "with what was saved");
    let more = json!({ "chart": chart, "kind": "note", "fields": [["text", "after it"]] });
    call::<command::EntryAdd>(&app, more).await;
    call::<command::VaultLock>(&app, Value::Null).await;
    unlock(&app).await.expect("the passphrase opens it");
    assert_eq!(notes().await, 2, "and what is written after it stays as well");
}

#[test]
fn without_an_own_chart_nobody_elses_name_stands_under_what_was_written() {
    let mut session = mecum_client::Session::for_tests(5);
    session.create_chart("Ibu Ratna", None, Relation::Mother, None).expect("a chart");
    assert_eq!(session.author_name(), "", "the mother did not write it");
    session.create_chart("Laras", None, Relation::Own, None).expect("an own chart");
    assert_eq!(session.author_name(), "Laras", "the account's own person did");
}
